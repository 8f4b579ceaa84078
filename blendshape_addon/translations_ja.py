# SPDX-License-Identifier: GPL-3.0-or-later
"""Japanese: English text of the interface -> translation. Names of standards and providers stay as
they are.
"""

from .translations_face_ja import FACE_JAPANESE
from .translations_results_ja import RESULTS_JAPANESE

JAPANESE: dict[str, str] = {
    **RESULTS_JAPANESE,
    **FACE_JAPANESE,
    # The panel
    "BlendShapes": "BlendShapes",
    "Detecting face...": "顔を検出しています...",
    "Face detection not run": "顔の検出はまだです",
    "Face detected": "顔を検出しました",
    "Affects {moving} of {all} vertices": "{all} 頂点中 {moving} 頂点に影響",
    "+ {count} separate parts": "+ 別オブジェクトのパーツ {count} 個",
    "{model} on {provider}, about {memory} MB": "{model} ({provider})、約 {memory} MB",
    "{count} generated keys": "生成済みのキー {count} 個",
    "Select the face mesh": "顔のメッシュを選択してください",
    "Keys are written to the mesh below the subdivision, which follows them": "キーは細分化前のメッシュに書き込まれ、細分化がそれに従います",
    "Sets": "セット",
    "Shape sets to make": "作成するシェイプのセット",
    "ARKit": "ARKit",
    "The 52 face tracking shapes of Apple ARKit": "Apple ARKit の 52 個のフェイストラッキング用シェイプ",
    "VRChat Visemes": "VRChat リップシンク",
    "The 15 mouth shapes of VRChat's lip sync": "VRChat のリップシンク用の口の形 15 個",
    "VRM 0.x": "VRM 0.x",
    "Vowels, blinks, looks and emotions under the names of VRM 0.x": "VRM 0.x の名前の母音・まばたき・視線・感情",
    "VRM 1.0": "VRM 1.0",
    "Vowels, blinks, looks and emotions under the names of VRM 1.0": "VRM 1.0 の名前の母音・まばたき・視線・感情",
    "Unified Expressions": "Unified Expressions",
    "Base and blended face tracking shapes of VRCFaceTracking": "VRCFaceTracking の基本および合成シェイプ",
    "SRanipal": "SRanipal",
    "Face tracking shapes of HTC's SRanipal": "HTC SRanipal のフェイストラッキング用シェイプ",
    "MMD": "MMD",
    "Japanese names that MMD dance worlds ask for": "MMD ワールドで使われる日本語名のモーフ",
    "For": "用途",
    "Where the avatar goes, which says what shapes it needs": "アバターの用途。必要なシェイプが決まります",
    "VRChat Face Tracking": "VRChat フェイストラッキング",
    "ARKit's names and the 15 visemes, as templates take them": "テンプレートが使う ARKit の名前と 15 個のリップシンク",
    "VRChat Visemes Only": "VRChat リップシンクのみ",
    "Lip sync without face tracking": "フェイストラッキングなしのリップシンク",
    "VRM / VSeeFace / Warudo": "VRM / VSeeFace / Warudo",
    "Perfect Sync, and the expressions of VRM 0.x and 1.0": "パーフェクトシンクと、VRM 0.x・1.0 の表情",
    "Resonite": "Resonite",
    "Unified Expressions and visemes": "Unified Expressions とリップシンク",
    "ChilloutVR": "ChilloutVR",
    "SRanipal's names and visemes": "SRanipal の名前とリップシンク",
    "Everything": "すべて",
    "All sets": "すべてのセット",
    "Custom": "カスタム",
    "The sets that are ticked under Advanced": "「詳細設定」でチェックしたセット",
    "Strength": "強さ",
    "Style": "スタイル",
    "Sizes of all shapes within what makers of avatars do: 0 is subtle, 0.5 as most of them, 1 bold": "すべてのシェイプの大きさを、アバター制作者の幅の中で決めます。0 は控えめ、0.5 は標準的、1 は大胆",
    "Turn Eyeballs That Have Bones": "ボーンのある眼球も回す",
    "Let eyeLook shapes turn eyeballs also where bones do; without it they move only the lids of such avatars": "ボーンが眼球を回すアバターでも eyeLook シェイプで眼球を回します。オフなら、まぶただけを動かします",
    "VRM": "VRM",
    "VRM Expressions": "VRM の表情",
    "What becomes of the expressions that the VRM add-on keeps on the armature": "VRM アドオンがアーマチュアに持つ表情をどうするか",
    "Expressions are left alone": "表情には触れません",
    "Bind": "バインド",
    "Bind presets and Perfect Sync's 52 to the keys; expressions of your own are kept": "プリセットとパーフェクトシンクの 52 個をキーに割り当てます。自分で作った表情は残ります",
    "Bind, Eyes by Bones": "バインド、視線はボーンで",
    "The same, and eyes follow what they look at with bones": "同じくバインドし、視線はボーンで動かします",
    "Bind, Eyes by Keys": "バインド、視線はキーで",
    "The same, and eyes follow what they look at with keys": "同じくバインドし、視線はキーで動かします",
    "The VRM add-on for Blender is not enabled, so no expressions were bound.": "Blender 用の VRM アドオンが有効でないので、表情は割り当てませんでした。",
    "{name} has no armature, so no expressions were bound.": "{name} にはアーマチュアがないので、表情は割り当てませんでした。",
    "Your own expressions were kept: {names}.": "自分で作った表情はそのまま残しました: {names}。",
    "Overall strength; 1 is the full expression": "全体の強さ。1 で本来の表情",
    "Generate Shape Keys": "シェイプキーを生成",
    "Generate Shape Keys ({count})": "シェイプキーを生成 ({count})",
    "Make facial shape keys for the active mesh object": "アクティブなメッシュに顔のシェイプキーを作ります",
    "Regenerate": "再生成",
    "Regenerate Keys": "キーを再生成",
    "Make the generated keys anew with the present strengths, style and landmarks; keys that you made or edited stay as they are": "現在の強さとランドマークで生成済みのキーを作り直します。手作りや手直ししたキーはそのまま残ります",
    "Remove": "削除",
    "Remove Generated Keys": "生成したキーを削除",
    "Remove the shape keys that were generated and not edited since, also from the avatar's other parts": (
        "生成後に手直しされていないシェイプキーを、ほかのパーツのものも含めて削除します"
    ),
    "Find Face": "顔を探す",
    "Look for the face of the active object again, without making keys": (
        "キーを作らずに、アクティブなオブジェクトの顔を探し直します"
    ),
    "Apply Mirror Modifiers": "ミラーを適用",
    "Apply the Mirror modifiers of face and parts, so that left and right can move by themselves; possible while a mesh has no shape keys": (
        "左右が別々に動けるように、顔とパーツのミラーモディファイアーを適用します。"
        "メッシュにシェイプキーがない間だけ可能です"
    ),
    "Set Expressions to 0": "表情を 0 にする",
    "Set the keys that are expressions to 0 and unpin them, so that the face that is seen is the neutral one": (
        "表情のキーを 0 にして固定を外し、見えている顔を無表情にします"
    ),
    "Make Parts Single-User": "パーツをシングルユーザー化",
    "Give each part that shares its mesh with another one of its own, so that left and right can move by themselves": (
        "メッシュを共有しているパーツにそれぞれ独自のメッシュを与え、左右が別々に動けるようにします"
    ),
    "Make Keys Relative": "キーを相対にする",
    "Make absolute shape keys relative, as expressions are; how absolute ones play may change": (
        "絶対シェイプキーを、表情と同じ相対にします。絶対キーの再生は変わることがあります"
    ),
    "This file names the model": "このファイルは次のモデルを指定しています",
    "This file names the table": "このファイルは次のテーブルを指定しています",
    "Use It": "使う",
    "Use this file until Blender is closed": "Blender を閉じるまでこのファイルを使います",
    "Leave It Out": "使わない",
    "Take the path out of this scene": "このパスをシーンから取り除きます",
    "It cannot be used: it {reason}": "使えません: {reason}",
    "lies on another computer": "ほかのコンピューターにあります",
    "is a device and not a file": "ファイルではなくデバイスです",
    "is empty, too long, or has characters that cannot be seen": (
        "空か、長すぎるか、見えない文字を含んでいます"
    ),
    "Kind": "種類",
    "What the file names": "ファイルが指定しているもの",
    "The model file": "モデルのファイル",
    "The file with keys of your own": "自作キーのファイル",
    "Copy Report": "レポートをコピー",
    "Copy what happened, with versions and the log, to the clipboard, to paste it where you ask for help": (
        "何が起きたかをバージョンとログとともにクリップボードへコピーします。"
        "質問するときに貼り付けてください"
    ),
    "Open Preferences": "プリファレンスを開く",
    "Esc cancels": "Esc で中止",
    "Cancelled": "中止しました",
    "and {count} more": "ほか {count} 件",
    "Starting": "開始",
    "Detecting face": "顔を検出しています",
    "Computing the shapes": "シェイプを計算しています",
    "Refining eyelids and lips": "まぶたと唇を仕上げています",
    "{seconds:.0f} s left": "残り {seconds:.0f} 秒",
    "{count} kept": "維持 {count}",
    "{object} has no key {name} any more": "{object} にキー {name} はもうありません",
    "{object} is hidden": "{object} は非表示です",
    "The shape keys of {object} are absolute": "{object} のシェイプキーは絶対モードです",
    "{object} is in Edit or Sculpt Mode, which shows no values of keys; leave it": (
        "{object} は編集モードかスカルプトモードなので、キーの値が表示されません。モードを終了してください"
    ),
    "{name} moves nothing": "{name} は何も動かしません",
    "An animation or a driver holds {name} elsewhere": (
        "アニメーションかドライバーが {name} を別の値にしています"
    ),
    "{count} move nothing": "動かないもの {count}",
    "Computed on {engine}": "計算: {engine}",
    "{count} threads": "{count} スレッド",
    "low memory": "省メモリ",
    "not {asked}: {reason}": "{asked} ではありません: {reason}",
    # Regions
    "Tune": "調整",
    "Brows": "眉",
    "Strength of the shapes that move the brows": "眉を動かすシェイプの強さ",
    "Eyes": "目",
    "Strength of blinks, looks, squints and wide eyes; 1 closes the lids": (
        "まばたき・視線・細目・見開きの強さ。1 でまぶたが閉じます"
    ),
    "Cheeks and Nose": "頬と鼻",
    "Strength of cheeks and nose": "頬と鼻の強さ",
    "Mouth": "口",
    "Strength of what the lips do": "唇の動きの強さ",
    "Jaw": "顎",
    "Strength of the jaw, and of the closed mouth that belongs to it": (
        "顎と、それに伴う閉じた口 (mouthClose) の強さ"
    ),
    "Tongue": "舌",
    "Strength of the tongue": "舌の強さ",
    # Parts
    "Separate Parts": "別オブジェクトのパーツ",
    "No other objects belong to this avatar": "ほかのパーツはありません",
    "Include Separate Parts": "別オブジェクトのパーツを含める",
    "Eyes, lashes, brows, teeth and tongue that are objects of their own get the keys that move them": (
        "別オブジェクトになっている目・まつげ・眉・歯・舌にも、それを動かすキーを作ります"
    ),
    "Part": "パーツ",
    "What this object is of the avatar's face": "このオブジェクトが顔のどの部分か",
    "Automatic": "自動",
    "Recognised by its name, its materials or its place on the face": (
        "名前・マテリアル・顔での位置から判断します"
    ),
    "As the Face": "顔と同じ",
    "Facial Area": "顔の範囲",
    "Moves with the face, like skin": "肌のように顔と一緒に動きます",
    "Turns with the look and rests otherwise": "視線だけで回り、ほかでは動きません",
    "Lashes": "まつげ",
    "Follows the lids": "まぶたに従います",
    "Follows the brows": "眉に従います",
    "Teeth": "歯",
    "Follows the jaw in one piece": "ひとかたまりで顎に従います",
    "Follows jaw and tongue": "顎と舌に従います",
    "Ignore": "無視",
    "Left alone": "何もしません",
    "face": "顔",
    "eyes": "目",
    "lashes": "まつげ",
    "brows": "眉",
    "teeth": "歯",
    "tongue": "舌",
    "ignored": "無視",
    # Landmarks
    "Landmarks": "ランドマーク",
    "landmarks": "ランドマーク",
    "Edit Landmarks": "ランドマークを編集",
    "Show the landmarks on the face and drag them to where they belong; the other side follows": (
        "顔にランドマークを表示し、正しい位置へドラッグします。反対側も一緒に動きます"
    ),
    "Drag landmarks with the left button   Enter: Confirm   Esc: Cancel": (
        "左ボタンでドラッグ   Enter: 確定   Esc: キャンセル"
    ),
    "Done": "完了",
    "Place Landmark": "ランドマークを置く",
    "Put a landmark on a place in the object's space; for scripts": (
        "オブジェクト空間の位置にランドマークを置きます (スクリプト用)"
    ),
    "Landmark": "ランドマーク",
    "Its name, such as lid_upper_left": "名前 (例: lid_upper_left)",
    "Place": "位置",
    "In the object's space": "オブジェクトの座標系で",
    "Set Manually": "手動で設定",
    "Set manually; it is used as it is": "手動で設定した点。そのまま使います",
    "Mirror": "ミラー",
    "Mirror Left/Right": "左右をミラー",
    "Move the landmark on the other side of the face as well": (
        "顔の反対側のランドマークも一緒に動かします"
    ),
    "{placed} of {count} set manually": "{count} 点中 {placed} 点を手動で設定",
    "Reset Landmarks": "ランドマークをリセット",
    "Forget the landmarks of this mesh, also those that you placed; they are looked for again": (
        "手動で置いたものも含め、このメッシュのランドマークを忘れて探し直します"
    ),
    "Estimated": "推定",
    "It was told from the landmarks that the user placed": (
        "ユーザーが置いたランドマークから推定した点"
    ),
    "{count} estimated from them": "{count} 点はそこから推定",
    "Place Landmarks by Hand": "ランドマークを手で置く",
    "Click where the landmarks are, one after the other; for faces that are not found, or that are none": (
        "ランドマークの位置を順にクリックします。顔が見つからない場合や、別の顔が選ばれた場合に使います"
    ),
    "Click: {name} ({number} of {count})": "クリック: {name} ({number}/{count})",
    "Enter: Confirm": "Enter: 確定",
    "Backspace: back": "Backspace: 1 つ戻る",
    "Use the Other Object": "別のオブジェクトを使う",
    "Make the object that has a face the active one": "顔のあるオブジェクトをアクティブにします",
    "Use {name} instead": "代わりに {name} を使う",
    "Object": "オブジェクト",
    "The object's name": "オブジェクトの名前",
    "There is no object {name} here.": "ここにオブジェクト {name} はありません。",
    "{count} landmarks are placed.": "{count} 点のランドマークを置きました。",
    "Estimated, look at them with Edit Landmarks: {names}": (
        "次の点は推定です。「ランドマークを編集」で確かめてください: {names}"
    ),
    "There is no surface of this object here: turn the view with the middle button, or click on the face.": (
        "ここにはこのオブジェクトの面がありません。中ボタンで視点を回すか、顔の上をクリックしてください。"
    ),
    "There are not enough landmarks yet: eyes and corners of the mouth are needed.": (
        "まだ足りません。両目と口角が必要です。"
    ),
    "Left and right are exchanged: left is the character's left, which is on the right when it looks at you.": (
        "左右が逆です。「左」はキャラクターから見た左で、こちらを向いているときは右側にあります。"
    ),
    "Put it on its place on the face, or reset the landmarks and begin anew.": (
        "顔の正しい位置に置くか、ランドマークをリセットしてやり直してください。"
    ),
    "Eye inner left": "左目頭",
    "Eye inner right": "右目頭",
    "Eye outer left": "左目尻",
    "Eye outer right": "右目尻",
    "Lid upper left": "左上まぶた",
    "Lid upper right": "右上まぶた",
    "Lid lower left": "左下まぶた",
    "Lid lower right": "右下まぶた",
    "Brow inner left": "左眉頭",
    "Brow inner right": "右眉頭",
    "Brow outer left": "左眉尻",
    "Brow outer right": "右眉尻",
    "Mouth left": "左口角",
    "Mouth right": "右口角",
    "Lip upper": "上唇",
    "Lip lower": "下唇",
    "Nose tip": "鼻先",
    "Chin": "顎先",
    # Live conditions
    "Expression Sliders": "表情スライダー",
    "Start Preview": "プレビューを開始",
    "Compute all expressions once; then each slider shows on the face at once, and nothing is written until you keep it": (
        "すべての表情を一度だけ計算します。その後はスライダーがすぐ顔に反映され、"
        "保存するまで何も書き込まれません"
    ),
    "Keep as Shape Key": "シェイプキーとして保存",
    "Keep Shape": "シェイプを保存",
    "Store the face as it is shown as a shape key of this name, at value 0": (
        "表示中の顔をこの名前のシェイプキー (値 0) として保存します"
    ),
    "Reset Sliders": "スライダーを戻す",
    "Put all sliders back, so that the face rests": "すべてのスライダーを戻し、無表情にします",
    "Stop Expression Sliders": "表情スライダーを終了",
    "Stop the expression sliders; the face is as it was before": (
        "表情スライダーを終了します。顔は元どおりになります"
    ),
    "Strength of this expression": "この表情の強さ",
    "Name": "名前",
    "Name of the new shape key": "新しいシェイプキーの名前",
    "Name of the shape key that is kept": "保存するシェイプキーの名前",
    "Filter": "フィルター",
    "Show only expressions whose names contain this": "名前にこの文字を含む表情だけを表示します",
    # Options
    "Advanced": "詳細設定",
    "Naming": "命名",
    "How the keys are spelled": "キーの名前の付け方",
    "Match Existing": "既存に合わせる",
    "Spell new keys as those that are there, and update keys that differ only in case or separators": (
        "既存のキーと同じ書き方にし、大文字小文字や区切りだけが違うキーは同じものとして更新します"
    ),
    "Standard": "標準",
    "Exactly the names of the standard: eyeBlinkLeft": "規格の名前そのまま: eyeBlinkLeft",
    "PascalCase": "PascalCase",
    "Names that begin with a capital letter, as Perfect Sync asks for: EyeBlinkLeft": (
        "パーフェクトシンクのように大文字で始める: EyeBlinkLeft"
    ),
    "_L/_R Suffix": "_L/_R 接尾辞",
    "Left and right as suffixes: eyeBlink_L": "左右を接尾辞で表す: eyeBlink_L",
    "Add vrc.v_ee Alias": "vrc.v_ee の別名を追加",
    "Make vrc.v_e under the name vrc.v_ee as well, which the common face tracking template asks for": (
        "vrc.v_e を vrc.v_ee の名前でも作ります。"
        "よく使われるフェイストラッキングのテンプレートが必要とします"
    ),
    "Match My Keys": "自作を手本に",
    "What your own vowels and blinks decide": "自作の母音とまばたきで何を決めるか",
    "Off": "オフ",
    "Your own keys play no part": "自作キーは使いません",
    "Amplitude": "振幅",
    "Your own A, I, U, E, O and blink keys decide how large vowels, jaw and blinks are": (
        "自作のあ・い・う・え・お・まばたきが、母音・顎・まばたきの大きさを決めます"
    ),
    "Amplitude and Shape": "振幅と形",
    "As before, and where you have made a vowel or a blink yourself, your shape is used under the standard's name": (
        "さらに、自作の母音やまばたきがあれば、その形を規格の名前で使います"
    ),
    "Face Group": "顔のグループ",
    "Only vertices of this vertex group can be the face; empty: found by itself": (
        "この頂点グループの頂点だけを顔とみなします。空なら自動"
    ),
    "Selected Vertices Only": "選択した頂点のみ",
    "Look for the face among the vertices that are selected in edit mode": (
        "編集モードで選択した頂点から顔を探します"
    ),
    "Replace Edited Keys": "手直ししたキーを置き換える",
    "Also replace keys of the same name that you made or edited; otherwise they are kept": (
        "自分で作った、または手直しした同名のキーも置き換えます。オフなら残します"
    ),
    "Custom Mix": "独自ミックス",
    'Weights of a key of your own, such as "jawOpen=0.6,mouthSmileLeft=0.3"': (
        "独自キーの重み (例: jawOpen=0.6,mouthSmileLeft=0.3)"
    ),
    "Key Name": "キー名",
    "Name of the key that has this mix": "このミックスのキーの名前",
    "Custom Set": "独自セット",
    "JSON file with keys of your own: name, expressions, weights": (
        "独自キーの JSON ファイル: 名前、表情、重み"
    ),
    "Table": "テーブル",
    "Model": "モデル",
    "No face detected on this mesh": "このメッシュに顔が見つかりません",
    "Too few faces to contain a head.": "頭と言えるほどの面がありません。",
    "No face is seen at first sight.": "一目で分かる顔がありません。",
    "Face detected, not sure": "顔を検出 (不確か)",
    "Shapes": "シェイプ",
    "Output": "出力",
    "Model File": "モデルファイル",
    "Model file; empty: the one of the preferences": "モデルファイル。空ならプリファレンスのもの",
    # What cannot be done now
    "A run is in progress": "処理中です",
    "Make the mesh with the avatar's face the active object": (
        "アバターの顔があるメッシュをアクティブにしてください"
    ),
    "No keys were generated on this mesh": "このメッシュには生成したキーがありません",
    "Blender applies no modifier to a mesh with shape keys: remove them first": (
        "シェイプキーのあるメッシュにはモディファイアーを適用できません。先にキーを削除してください"
    ),
    "Allow Online Access in the preferences under System": (
        "プリファレンスの「システム」でオンラインアクセスを許可してください"
    ),
    # Errors and what to do about them
    "Nothing to generate.": "生成するものがありません。",
    "Choose at least one set, or a custom mix or set of your own.": (
        "セットを 1 つ以上選ぶか、独自のミックスかセットを指定してください。"
    ),
    "Generate again.": "もう一度生成してください。",
    "Choose the mesh object that holds the avatar's face.": (
        "アバターの顔があるメッシュオブジェクトを選んでください。"
    ),
    "Make it local (Object > Relations > Make Local > All), or work in the file that it comes from.": (
        "ローカル化する (オブジェクト > 関係 > ローカル化 > すべて) か、元のファイルで作業してください。"
    ),
    "Switch on Relative in the Shape Keys panel.": (
        "シェイプキーパネルの「相対」をオンにしてください。"
    ),
    "Rename the shape in your table, or the reference key.": (
        "テーブルのシェイプか基準キーの名前を変えてください。"
    ),
    "Memory ran out.": "メモリが足りません。",
    "Close other programs, or choose an object with fewer vertices.": (
        "ほかのプログラムを閉じるか、頂点の少ないオブジェクトを選んでください。"
    ),
    "Choose another model; without any, the extension's own is used.": (
        "別のモデルを選んでください。空なら拡張機能のモデルを使います。"
    ),
    "Close other programs or choose a mesh with fewer vertices; the command takes more time with --timeout.": (
        "ほかのプログラムを閉じるか、頂点の少ないメッシュを選んでください。コマンドでは --timeout"
        " で時間を延ばせます。"
    ),
    "Try again; it is started anew.": "もう一度試してください。新しく起動します。",
    "The backend is still starting.": "バックエンドはまだ起動中です。",
    "Try again in a moment.": "少し待ってからもう一度試してください。",
    "The model took more memory than one that is not the extension's own may take, half of this computer's, and the backend was ended.": (
        "拡張機能のものではないモデルに許されるメモリ (このコンピューターの半分) を超えたため、"
        "バックエンドを終了しました。"
    ),
    "Close other programs, then try again.": "ほかのプログラムを閉じて、もう一度試してください。",
    "Please report this with the console's text.": "コンソールの内容を添えて報告してください。",
    "Reinstall the extension; the log tells more.": (
        "拡張機能を再インストールしてください。詳しくはログにあります。"
    ),
    "Reinstall the extension.": "拡張機能を再インストールしてください。",
    "Reinstall the extension for this platform, or choose another Python in its preferences (needs numpy, onnxruntime, psutil).": (
        "この環境用の拡張機能を再インストールするか、プリファレンスで別の Python を選んでください"
        " (numpy, onnxruntime, psutil が必要)。"
    ),
    "A system library that the backend needs is missing.": "必要なシステムライブラリがありません。",
    "Install the newest Microsoft Visual C++ runtime (x64).": (
        "最新の Microsoft Visual C++ ランタイム (x64) をインストールしてください。"
    ),
    "Try again; if it happens again, please report it with the log.": (
        "もう一度試し、また起きるようならログを添えて報告してください。"
    ),
    "Wait a moment and try again; the log tells why it ended.": (
        "少し待ってもう一度試してください。終了の理由はログにあります。"
    ),
    "Check the Python in the extension's preferences.": (
        "拡張機能のプリファレンスの Python を確認してください。"
    ),
    "The backend was ended by the system, most likely because memory ran out.": (
        "メモリ不足のため、計算プロセスがシステムに終了されました。"
    ),
    "Choose the object that holds the face; or put the face's vertices into a vertex group and name it as the face's group; or turn the avatar upright, give it a neutral face and try again.": (
        "顔のあるオブジェクトを選ぶか、"
        "顔の頂点を頂点グループにまとめて「顔のグループ」に指定するか、"
        "アバターを直立・無表情にしてもう一度試してください。"
    ),
    "Choose the object that holds the avatar's face.": (
        "アバターの顔があるオブジェクトを選んでください。"
    ),
    "Select and delete or repair these vertices, then try again.": (
        "該当する頂点を削除または修正して、もう一度試してください。"
    ),
    "A triangle points at a vertex that does not exist.": "存在しない頂点を指す三角形があります。",
    "Run Mesh > Clean Up, or re-import the file.": (
        "メッシュ > クリーンアップを実行するか、ファイルを読み込み直してください。"
    ),
    "The face that was found has too few vertices.": "見つかった顔の頂点が少なすぎます。",
    "The landmarks lie on one spot.": "ランドマークが 1 点に重なっています。",
    "Put each on its place on the face, or leave them out.": (
        "それぞれ顔の正しい位置に置くか、リセットしてください。"
    ),
    "The vertex group or selection that should hold the face is empty.": (
        "顔を含むはずの頂点グループまたは選択が空です。"
    ),
    "Fill it, or leave it out.": "頂点を入れるか、指定を外してください。",
    "Make the head an object of its own, or raise Memory (MB) in the preferences.": (
        "頭部を独立したオブジェクトにするか、プリファレンスでメモリーの上限を上げてください。"
    ),
    "Ask for fewer shapes at a time, or mark the face with a vertex group.": (
        "一度に作るシェイプを減らすか、頂点グループで顔を指定してください。"
    ),
    "The shapes' coordinates grew too large for 32 bits.": "シェイプの座標が大きくなりすぎました。",
    "Scale the avatar down.": "アバターを小さくしてください。",
    "Check the path, or reinstall the extension.": (
        "パスを確認するか、拡張機能を再インストールしてください。"
    ),
    "None of your own vowels or blinks was found to go by.": (
        "参考にできる自作の母音やまばたきが見つかりませんでした。"
    ),
    "Start the expression sliders again.": "表情スライダーを開始し直してください。",
    "Choose another name.": "別の名前にしてください。",
    "Move a slider first.": "先にスライダーを動かしてください。",
    "All sliders are 0, so the shape would move nothing.": (
        "すべてのスライダーが 0 なので、何も動きません。"
    ),
    # Before the click
    "The mesh was changed where you had placed landmarks ({names}); they are searched for again: look at them, and place them anew.": (
        "ランドマーク ({names}) を置いた場所のメッシュが変わったため、もう一度探します。確かめて、"
        "置き直してください。"
    ),
    "The face is read without the expressions that are not at 0 now: {names}.": (
        "0 でない表情 ({names}) を除いて顔を読み取ります。"
    ),
    "{object} is read without the modifiers {names}: they change the number of vertices. Apply them first.": (
        "{object} はモディファイアー {names} なしで読み取ります。頂点数を変えるためです。"
        "先に適用してください。"
    ),
    "{count} objects share the mesh {mesh}; all of them get the keys.": (
        "{count} 個のオブジェクトがメッシュ {mesh} を共有しているため、すべてにキーが付きます。"
    ),
    "{names} share one mesh, so shapes that should move one of them will move each halfway: make them single-user first.": (
        "{names} はメッシュを共有しているため、片方だけを動かすシェイプは両方を半分ずつ動かします。"
        "先にシングルユーザー化してください。"
    ),
    "The Mirror modifier of {object} mirrors the keys, so both sides of the face move alike. Apply it first, if left and right should move by themselves.": (
        "{object} のミラーモディファイアーがキーを反転するため、顔の左右が同じに動きます。"
        "左右を別々に動かすには、先に適用してください。"
    ),
    "The Mirror modifier of {object} mirrors the keys, so both sides of the face move alike. It cannot be applied while the mesh has shape keys: remove the keys first, or model both sides.": (
        "{object} のミラーモディファイアーがキーを反転するため、顔の左右が同じに動きます。"
        "シェイプキーがある間は適用できません。先にキーを削除するか、両側をモデリングしてください。"
    ),
    "The Mirror modifier of {object} shows both sides alike, so shapes of one side will move both halfway. Apply it first, if left and right should move by themselves.": (
        "{object} のミラーモディファイアーが両側を同じに見せるため、"
        "片側のシェイプは両側を半分ずつ動かします。"
        "左右を別々に動かすには、先に適用してください。"
    ),
    "The Mirror modifier of {object} shows both sides alike, so shapes of one side will move both halfway. It cannot be applied while the mesh has shape keys: remove the keys first, or model both sides.": (
        "{object} のミラーモディファイアーが両側を同じに見せるため、"
        "片側のシェイプは両側を半分ずつ動かします。"
        "シェイプキーがある間は適用できません。先にキーを削除するか、両側をモデリングしてください。"
    ),
    "The modifier {modifier} cannot be applied any more once the mesh has shape keys.": (
        "モディファイアー {modifier} は、シェイプキーができると適用できなくなります。"
    ),
    "The shape keys of {object} are absolute; only relative ones can be added to.": (
        "{object} のシェイプキーは絶対です。追加できるのは相対キーだけです。"
    ),
    "No keys can be added to {names}, because the mesh comes from another file: make it local, or that part stays where it is.": (
        "{names} のメッシュは別のファイルのものなので、キーを追加できません。ローカル化しないと、"
        "そのパーツは動きません。"
    ),
    "By a modifier {names} follows another mesh, so it gets no keys of its own.": (
        "{names} はモディファイアーで別のメッシュに追従するため、独自のキーは付きません。"
    ),
    "The lips are joined, so the mouth cannot open. Open them along the mouth's line: in Edit Mode select that edge and use Rip (V).": (
        "唇がつながっているため口を開けません。口の線に沿って開いてください:"
        " 編集モードでその辺を選び、リップ (V) を使います。"
    ),
    "The mouth is open at rest, so jawOpen opens it further. Close it first, if the avatar's neutral face is to be closed.": (
        "元の顔で口が開いているため、jawOpen はさらに開きます。無表情で口を閉じるなら、"
        "先に閉じてください。"
    ),
    "The tongue is out at rest. Put it into the mouth first.": (
        "元の顔で舌が出ています。先に口の中に入れてください。"
    ),
    "The mouth smiles at rest, so mouthSmile goes further. Make the face neutral first, if that is too much.": (
        "元の顔で口が笑っているため、mouthSmile はさらに笑います。強すぎるなら、先に無表情にしてください。"
    ),
    "Something covers the mouth, such as a mask. If it should not move with the face, say so under Separate Parts, or make it its own object.": (
        "マスクなどが口を覆っています。顔と一緒に動かさないなら、"
        "「別オブジェクトのパーツ」で指定するか分離してください。"
    ),
    "No eyes are modelled where the face should be. It may be no face: look at the landmarks, or mark the face with a vertex group.": (
        "顔のはずの場所に目がありません。顔ではないかもしれません。ランドマークを確かめるか、"
        "頂点グループで顔を指定してください。"
    ),
    "The left eye is closed at rest, so its blink moves nothing. Open it first, or model its open shape as the base.": (
        "元の顔で左目が閉じているため、まばたきは何も動かしません。先に開くか、"
        "開いた形を基準にしてください。"
    ),
    "The left eye is half closed at rest; its blink closes what is left. Open it first for a full blink.": (
        "元の顔で左目が半分閉じているため、まばたきは残りを閉じます。"
        "完全なまばたきには先に開いてください。"
    ),
    "No left eye was found on the mesh: no opening, no eyeball. Look at the landmarks, or open the eye if it is closed.": (
        "メッシュに左目が見つかりません (開口も眼球もなし)。ランドマークを確かめるか、"
        "閉じていれば開いてください。"
    ),
    "The right eye is closed at rest, so its blink moves nothing. Open it first, or model its open shape as the base.": (
        "元の顔で右目が閉じているため、まばたきは何も動かしません。先に開くか、"
        "開いた形を基準にしてください。"
    ),
    "The right eye is half closed at rest; its blink closes what is left. Open it first for a full blink.": (
        "元の顔で右目が半分閉じているため、まばたきは残りを閉じます。"
        "完全なまばたきには先に開いてください。"
    ),
    "No right eye was found on the mesh: no opening, no eyeball. Look at the landmarks, or open the eye if it is closed.": (
        "メッシュに右目が見つかりません (開口も眼球もなし)。ランドマークを確かめるか、"
        "閉じていれば開いてください。"
    ),
    # VRChat, contact sheets
    "{name} is hidden, so it is not exported": "{name} は非表示のため、エクスポートされません",
    "Hidden, so neither looked at nor exported: {names}": (
        "非表示のため、チェックもエクスポートもされません: {names}"
    ),
    "{names} are one mesh: it is exported {count} times, each time with all keys": (
        "{names} は同じメッシュです。すべてのキーを付けて {count} 回エクスポートされます"
    ),
    "What is exported hangs on {count} armatures ({names}), and VRChat takes one: hide what is another avatar": (
        "エクスポートされるものに {count} 個のアーマチュア ({names}) がありますが、VRChat"
        " で使えるのは 1 個です。"
        "別のアバターのものは非表示にしてください"
    ),
    "The mesh is called {body}": "メッシュの名前は {body} です",
    "{body} is another mesh of this avatar, with {count} keys: select that one and check it": (
        "{body} はこのアバターの別のメッシュで、キーが {count} 個あります。"
        "そちらを選んでチェックしてください"
    ),
    "The mesh is called {name}; face tracking templates and MMD worlds look for {body}, spelled just so": (
        "メッシュの名前は {name} です。フェイストラッキングのテンプレートと MMD ワールドは、"
        "この綴りどおりの {body} を探します"
    ),
    ". The object that has this name now becomes {name}": (
        "。現在その名前のオブジェクトは {name} になります"
    ),
    "A second face with keys of its own is exported, too: {names}. If it is an old copy, hide it": (
        "キーを持つ別の顔もエクスポートされます: {names}。古いコピーなら非表示にしてください"
    ),
    "VRChat's templates animate {body} alone; nothing moves the keys of {names}. Join them into it, or animate them yourself": (
        "VRChat のテンプレートが動かすのは {body} だけで、{names} のキーは動きません。統合するか、"
        "自分でアニメーションを付けてください"
    ),
    "The shape keys are absolute: Unity knows relative ones only": (
        "シェイプキーが絶対です。Unity で使えるのは相対だけです"
    ),
    "Only {name} is shown (the pin in the list of shape keys), so nothing of the others is seen": (
        "{name} だけが表示されています (シェイプキー一覧のピン)。ほかのキーは見えません"
    ),
    "Most exporters leave out keys that are muted: {names}": (
        "多くのエクスポーターはミュートしたキーを省きます: {names}"
    ),
    "Files know no vertex groups of keys; to be baked in: {names}": (
        "ファイルにはキーの頂点グループがないため、焼き込みが必要です: {names}"
    ),
    "Relative to another key than the basis; to be baked: {names}": (
        "ベース以外のキーに対する相対キーのため、焼き込みが必要です: {names}"
    ),
    "The slider does not go from 0 to 1, as Unity's does: {names}": (
        "スライダーの範囲が Unity と同じ 0 から 1 ではありません: {names}"
    ),
    "Locked, so no update changes them: {names}": (
        "ロックされているため、更新しても変わりません: {names}"
    ),
    "Drivers and animation set them in Blender, and no file has drivers: {names}": (
        "Blender ではドライバーやアニメーションが値を決めていますが、"
        "ファイルにドライバーは残りません: {names}"
    ),
    "Names must be spelled just so: {names}": "名前は次の綴りどおりでなければなりません: {names}",
    "{count} of {all} names of {set} are there exactly": (
        "{set} の名前 {all} 個のうち {count} 個が綴りどおりにあります"
    ),
    "; {count} are spelled otherwise": "。{count} 個は綴りが違います",
    "; {count} are missing: {names}": "。{count} 個がありません: {names}",
    "; {count} move nothing: {names}": "。{count} 個は何も動かしません: {names}",
    "; {count} move nothing on this mesh: {names}": (
        "。{count} 個はこのメッシュでは何も動かしません: {names}"
    ),
    "For face tracking {count} of {all} names of {set} are there": (
        "フェイストラッキング用には、{set} の名前 {all} 個のうち {count} 個があります"
    ),
    "{count} keys have names of no standard, so nothing is said about them: {names}": (
        "{count} 個のキーはどの規格の名前でもないため、チェックしていません: {names}"
    ),
    "Copies that nothing uses: {names}": "使われていないコピーです: {names}",
    "{count} keys are others in another spelling, which templates do not ask for: {names}": (
        "{count} 個のキーはほかのキーの別の綴りで、テンプレートでは使われません: {names}"
    ),
    "Nothing looks for names with a number: {names}; rename or remove them": (
        "番号付きの名前は使われません: {names}。名前を変えるか削除してください"
    ),
    "All {count} visemes present and distinct": (
        "{count} 個のリップシンクがすべてあり、互いに異なります"
    ),
    "There are no visemes (vrc.v_aa and {count} others): lips will not move": (
        "リップシンク (vrc.v_aa ほか {count} 個) がないため、口が動きません"
    ),
    "{count} of {all} visemes are missing ({names}), and lip sync needs all of them": (
        "リップシンク {all} 個のうち {count} 個がありません ({names})。すべて必要です"
    ),
    "Unity drops shapes that move nothing: {names}": (
        "何も動かさないシェイプは Unity で失われます: {names}"
    ),
    "Visemes that are the same: {names}; generate them, or shape one of them": (
        "同じ形のリップシンクがあります: {names}。生成するか、どちらかを作り直してください"
    ),
    "Face tracking templates that animate visemes say {name} for {usual}": (
        "リップシンクを動かすフェイストラッキングのテンプレートでは、{usual} を {name} と呼びます"
    ),
    "Head and eye bones are there": "頭と目のボーンがあります",
    "There is no armature: VRChat wants a humanoid with at least hips, spine, chest, neck and head": (
        "アーマチュアがありません。VRChat には、"
        "少なくとも腰・背骨・胸・首・頭のあるヒューマノイドが必要です"
    ),
    "No bone was recognised for {names}; without eye bones eyes do not follow": (
        "{names} のボーンが見つかりません。目のボーンがないと視線が動きません"
    ),
    "head": "頭",
    "left eye": "左目",
    "right eye": "右目",
    "There is no jaw bone. With visemes none is needed, but check that Unity has not auto-assigned a hair bone as Jaw": (
        "顎のボーンがありません。リップシンクには不要ですが、Unity が髪のボーンを Jaw"
        " に自動で割り当てていないか確かめてください"
    ),
    "{count} triangles: {ranks}": "三角形 {count} 個: {ranks}",
    "{count} shapes move {share} % of all vertices: {raw} MB in Unity, about {download} MB of download": (
        "{count} 個のシェイプが全頂点の {share} % を動かします。Unity で {raw} MB、ダウンロードは約"
        " {download} MB です"
    ),
    ", a good part of what {names} allow": "。{names} の上限のかなりの部分です",
    "{count} movements are too small to be seen and cost {cost} MB": (
        "{count} 個の動きは小さすぎて見えず、{cost} MB を使います"
    ),
    "{first} with {second} closes the lid to {share} %: it goes through the other one": (
        "{first} と {second} を合わせると、まぶたが {share} % まで閉じ、もう一方を突き抜けます"
    ),
    "Eyelids close correctly with squint and smile": "細目や笑顔でも、まぶたは正しく閉じます",
    "Not at 0, so Unity shows the face with them: {names}": (
        "0 でないため、Unity ではその表情で表示されます: {names}"
    ),
    "Not at 0 on other objects: {names}": "ほかのオブジェクトで 0 でないキー: {names}",
    "With shape keys these modifiers are not exported: {names}": (
        "シェイプキーがあると、次のモディファイアーはエクスポートされません: {names}"
    ),
    "{name} ({count}: {names})": "{name} ({count} 個: {names})",
    "{name} should be {right}": "{name} は {right}",
    "{names}": "{names}",
    "{rank} on {platform}": "{platform} では {rank}",
    "PC": "PC",
    "Android and iOS": "Android・iOS",
    "{name} of {object}": "{object} の {name}",
    "{first} and {last}": "{first} と {last}",
    "{shown} and {count} more": "{shown} ほか {count} 個",
    "Check & Export": "チェックと書き出し",
    "Check for VRChat": "VRChat 用にチェック",
    "Look for what would keep this avatar's face from working in VRChat; changes nothing": (
        "このアバターの顔が VRChat で動かなくなる原因を調べます。何も変更しません"
    ),
    "Fix": "修正",
    "Fix All": "すべて修正",
    "Fix this issue, or every fixable one; Ctrl-Z takes it back": (
        "この問題、または直せるものすべてを修正します。Ctrl-Z で元に戻ります"
    ),
    "Finding": "検出項目",
    "Which issue to fix; empty: all of them": "修正する問題。空ならすべて",
    "Rename to Body": "Body に改名",
    "Fix Names": "名前を修正",
    "Remove Duplicates": "重複を削除",
    "Generate Visemes": "リップシンクを生成",
    "Make Non-Empty": "空でなくする",
    "Add a Copy of That Name": "その名前で複製",
    "Clean Up": "整理する",
    "Join the Parts into Body": "パーツを Body に統合",
    "Unmute at 0": "値 0 でミュート解除",
    "Bake into the Keys": "キーにベイク",
    "Make Them Relative": "相対にする",
    "Let Sliders Go from 0 to 1": "スライダーを 0 から 1 にする",
    "Show All Keys": "すべてのキーを表示",
    "Show the Mesh": "メッシュを表示",
    "Generate the Missing Keys": "足りないキーを生成",
    "Set Values to 0": "値を 0 にする",
    "Export Avatar...": "アバターをエクスポート...",
    "Export the avatar for where it goes, so that all shape keys arrive": (
        "すべてのシェイプキーが届くように、アバターを送り先に合わせて書き出します"
    ),
    "Contact Sheet": "一覧画像",
    "Render Contact Sheets": "一覧画像を作成",
    "Render every shape key, labelled, into one picture for each set, beside the file": (
        "すべてのシェイプキーを名前付きで、セットごとに 1 枚の画像にレンダリングします"
    ),
    "Rendering contact sheets": "一覧画像をレンダリング中",
    "Esc: Cancel": "Esc: キャンセル",
    "Open Contact Sheet": "一覧画像を開く",
    "Open the contact sheet in the program that shows pictures here": (
        "画像を表示するプログラムで一覧画像を開きます"
    ),
    "Number": "番号",
    "Which of the sheets that were made last": "最後に作った一覧画像のうちのどれか",
    "The picture is not there any more.": "画像はもうありません。",
    "Open {name}": "{name} を開く",
    "Folder": "フォルダー",
    "Where the pictures go; empty: beside the file, or the temporary folder": (
        "画像の保存先。空ならファイルの隣か一時フォルダー"
    ),
    # Preferences
    "A model file instead of the shipped one": "同梱のものの代わりに使うモデルファイル",
    "Device": "デバイス",
    "Execution provider of ONNX Runtime": "ONNX Runtime の実行プロバイダー",
    "Fastest working device": "動作する最速のデバイス",
    "The processor": "CPU",
    "NVIDIA; needs a Python with onnxruntime-gpu and TensorRT; the first run compiles for minutes": (
        "NVIDIA。onnxruntime-gpu と TensorRT のある Python が必要。初回はコンパイルに数分かかります"
    ),
    "NVIDIA; needs a Python with onnxruntime-gpu": "NVIDIA。onnxruntime-gpu のある Python が必要",
    "Windows; needs a Python with onnxruntime-directml": (
        "Windows。onnxruntime-directml のある Python が必要"
    ),
    "Windows; needs a Python with onnxruntime-windowsml": (
        "Windows。onnxruntime-windowsml のある Python が必要"
    ),
    "Intel; needs a Python with onnxruntime-openvino or onnxruntime-ep-openvino": (
        "Intel。onnxruntime-openvino または onnxruntime-ep-openvino のある Python が必要"
    ),
    "Apple": "Apple",
    "Needs a Python with onnxruntime-ep-webgpu": "onnxruntime-ep-webgpu のある Python が必要",
    "NVIDIA RTX; needs a Python with onnxruntime-ep-nv-tensorrt-rtx": (
        "NVIDIA RTX。onnxruntime-ep-nv-tensorrt-rtx のある Python が必要"
    ),
    "Qualcomm; needs a Python with onnxruntime-qnn and a quantised model": (
        "Qualcomm。onnxruntime-qnn のある Python と量子化モデルが必要"
    ),
    "No Fallback": "代替なし",
    "An error instead of another provider when the chosen one does not work": (
        "選んだものが動かないとき、ほかを使わずエラーにします"
    ),
    "Precision": "精度",
    "Precision of the computation": "計算の精度",
    "As the Model Is": "モデルのまま",
    "The model's own precision": "モデル自身の精度",
    "32 Bits": "32 ビット",
    "Full precision": "完全精度",
    "16 Bits": "16 ビット",
    "Half precision, where the model has a variant that keeps its quality": (
        "半精度。品質を保つ版がモデルにある場合"
    ),
    "8 Bits": "8 ビット",
    "Whole numbers, where the model has a variant that keeps its quality": (
        "整数。品質を保つ版がモデルにある場合"
    ),
    "Memory (MB)": "メモリ (MB)",
    "Memory up to which models stay loaded": "モデルを読み込んだままにするメモリの上限",
    "Threads": "スレッド",
    "Threads that compute; 0 chooses by itself": "計算に使うスレッド数。0 で自動",
    "A Python with numpy, psutil and a build of onnxruntime of your choice, instead of Blender's own": (
        "Blender のものの代わりに使う Python (numpy, psutil, onnxruntime が必要)"
    ),
    "Detect Face Automatically": "顔を自動で検出",
    "Tell where the face is as soon as the sidebar shows a mesh": (
        "サイドバーにメッシュが表示されたらすぐ顔を探します"
    ),
    "What the Python offers": "Python が提供するもの",
    "Not checked yet": "未確認",
    "Check Python": "Python を確認",
    "Start the backend with the chosen Python and see what it offers": (
        "選んだ Python で起動し、使えるものを確認します"
    ),
    "Install GPU Runtime...": "GPU ランタイムをインストール...",
    "Download the build of ONNX Runtime that uses this machine's GPU into an environment of its own": (
        "この PC の GPU を使う ONNX Runtime を専用の環境にダウンロードします"
    ),
    "Remove Prepared Runtime": "準備したランタイムを削除",
    "Remove the runtime that was prepared, and go back to Blender's own Python": (
        "準備したランタイムを削除し、Blender の Python に戻します"
    ),
    # What Fix did
    "{before} is now called {now}": "{before} の名前を {now} に変えました",
    "{count} keys renamed": "キー {count} 個の名前を変えました",
    "{count} copies removed": "重複 {count} 個を削除しました",
    "{count} visemes move a little now": "リップシンク {count} 個がわずかに動くようになりました",
    "{count} keys added": "キー {count} 個を追加しました",
    "{count} invisible movements set to zero": "見えない動き {count} 個を 0 にしました",
    "{count} parts are now in {name}": "パーツ {count} 個を {name} に統合しました",
    "{count} keys unmuted": "キー {count} 個のミュートを解除しました",
    "{count} keys baked": "キー {count} 個をベイクしました",
    "The keys are relative now": "キーを相対にしました",
    "{count} sliders go from 0 to 1": "スライダー {count} 個の範囲を 0 から 1 にしました",
    "All keys are shown": "すべてのキーを表示しました",
    "{name} is shown": "{name} を表示しました",
    "{count} values set to 0": "値 {count} 個を 0 にしました",
    "{count} issues found": "問題が {count} 件見つかりました",
    "Nothing was found that keeps the face from working in VRChat": "VRChat で顔の動作を妨げるものは見つかりませんでした",
    "{count} to know": "お知らせ {count} 件",
    "There was nothing to fix": "修正するものはありませんでした",
    # What a button could not do, and what it did
    "There is no vrc.v_aa or jawOpen that moves.": "動きのある vrc.v_aa も jawOpen もありません。",
    "Generate the visemes.": "リップシンクを生成してください。",
    "Nothing was joined; {reasons}.": "何も統合されませんでした。{reasons}。",
    "Mend that first, or join the parts by hand.": "先にそれを直すか、手作業で統合してください。",
    "{name} is in a collection that is hidden, or outside the local view.": (
        "{name} は非表示のコレクションにあるか、ローカルビューの外にあります。"
    ),
    "Show that first.": "先にそれを表示してください。",
    "{name} was left: {reason}": "{name} は統合しませんでした: {reason}",
    "{name}'s drivers of keys are gone: the face's own keys are driven as before": (
        "{name} のキーのドライバーはなくなりました。顔のキーのドライバーはそのままです"
    ),
    "its mesh is linked from another file": "メッシュがほかのファイルからリンクされています",
    "it has the modifier {name}, which would act on the whole face or be lost; apply it first": (
        "モディファイアー {name} が顔全体に効くか失われます。先に適用してください"
    ),
    "it hangs on another armature, {name}": "別のアーマチュア {name} に属しています",
    "its shape keys are absolute": "シェイプキーが絶対モードです",
    "{count} expressions set to 0": "表情 {count} 個を 0 にしました",
    "{count} parts have a mesh of their own now": "パーツ {count} 個に独自のメッシュを与えました",
    "The keys of {count} objects are relative now": "オブジェクト {count} 個のキーを相対にしました",
    "{count} Mirror modifiers applied": "ミラー {count} 個を適用しました",
    "There was nothing to do": "することはありませんでした",
    "An animation or a driver holds {names}: choose a frame at which the face is neutral, or mute the driver.": (
        "アニメーションかドライバーが {names} を動かしています。無表情のフレームを選ぶか、ドライバーをミュートしてください。"
    ),
    "{names}: Blender applies no modifier to a mesh with shape keys. Remove the keys first.": (
        "{names}: シェイプキーのあるメッシュにモディファイアーは適用できません。先にキーを削除してください。"
    ),
    # Presets and export
    "Presets": "プリセット",
    "Save Preset": "プリセットを保存",
    "Save Preset...": "プリセットを保存...",
    "Remove Preset": "プリセットを削除",
    "Save the sets, strengths and naming as a preset of your own, or remove the chosen one": (
        "セット・強さ・名前の付け方を自分のプリセットとして保存、または選択中のものを削除します"
    ),
    "{path} written: {keys}": "{path} を書き出しました: {keys}",
    "no shape keys": "シェイプキーなし",
    "Website": "ウェブサイト",
    "Guide": "ガイド",
    "Troubleshooting": "困ったとき",
    "Running: onnxruntime {runtime}, Python {python}": "実行中: onnxruntime {runtime}、Python {python}",
    "Log: {path}": "ログ: {path}",
    "Checked: {what}": "確認済み: {what}",
    # What operators did
    "Cancelled; nothing was changed": "中止しました。何も変更していません",
    "The prepared runtime was removed": "準備したランタイムを削除しました",
    "Contact sheets cancelled": "一覧画像を中止しました",
    "{count} contact sheets in {folder}": "一覧画像 {count} 枚を {folder} に作りました",
    "{count} expression sliders are ready": "表情スライダー {count} 個の準備ができました",
    "Kept as {name}": "{name} として保存しました",
    "Removed {keys}": "{keys}を削除しました",
    "Face detected: affects {moving} of {all} vertices": "顔を検出しました: {all} 頂点中 {moving} 頂点に影響",
    "{count} landmarks are estimated from those that you placed: {names}": "置かれた点から {count} 点を推定しました: {names}",
    "The report is on the clipboard": "レポートをクリップボードにコピーしました",
}
