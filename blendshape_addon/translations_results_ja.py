# SPDX-License-Identifier: GPL-3.0-or-later
"""Japanese of the list of results and of the tools for one shape: a part of translations_ja.py."""

RESULTS_JAPANESE = {
    # Results
    "Results": "結果",
    "Click a shape to see it on the face": "シェイプをクリックすると顔に表示します",
    "Which result to show on the face": "顔に表示する結果",
    "Confidence": "確度",
    "How sure the shape is, 0 to 1": "シェイプの確かさ (0～1)",
    "Note": "メモ",
    "What to know about the shape": "シェイプについての注意",
    "State": "状態",
    "What became of it: added, updated or kept": "結果: 追加、更新、維持",
    "Stop Preview": "プレビューを終了",
    "Put the values of all keys back as they were before the preview": (
        "すべてのキーの値をプレビュー前に戻します"
    ),
    "Back to Previous View": "元の視点に戻す",
    "Set the 3D view as it was before the face was shown": (
        "顔を表示する前の 3D ビューの視点に戻します"
    ),
    "Frame the Face": "顔に視点を合わせる",
    "Set the 3D view to the face while shapes, sliders or landmarks are shown": (
        "シェイプ・スライダー・ランドマークの表示中、3D ビューを顔に合わせます"
    ),
    "Pictures of Shapes": "シェイプの画像",
    "Show a small picture of each shape in Results, for which textures are read": (
        "結果の各シェイプに小さな画像を表示します。そのためにテクスチャーを読み込みます"
    ),
    "No pictures: {reason}": "画像なし: {reason}",
    "Search": "検索",
    "Shown": "表示中",
    "The key that was shown when the slider was opened": "スライダーを開いたときに表示していたキー",
    "Show only shapes whose names contain this": "名前にこの文字を含むシェイプだけを表示します",
    "Shape": "シェイプ",
    "kept": "維持",
    "moves nothing": "動きなし",
    "worth a look": "要確認",
    "kept, because it was made or edited by hand": "手作りまたは手直しされたため維持",
    "your own shape": "自作の形",
    # One shape
    "Shape Strength": "シェイプの強さ",
    "Make this shape stronger or weaker than it was generated; what you edited by hand stays": (
        "このシェイプを生成時より強く、または弱くします。手直しした部分はそのまま残ります"
    ),
    "Of what was generated; 1 is as it was": "生成されたものに対する倍率。1 で元のまま",
    "Name of the shape key; empty: the one that is shown, else the active one": (
        "シェイプキーの名前。空なら表示中のもの、なければアクティブなもの"
    ),
    "Mirror from Other Side": "反対側からミラー",
    "Make this shape the mirror image of the same shape on the other side of the face": (
        "このシェイプを、顔の反対側の同じシェイプの鏡像にします"
    ),
    "Regenerate Shape": "シェイプを再生成",
    "Make this shape anew with the present strengths, style and landmarks, also if you edited it; the others stay as they are": (
        "現在の強さ・スタイル・ランドマークでこのシェイプだけを作り直します。手直しも置き換え、ほかはそのまま残ります"
    ),
    "Reset Shape": "シェイプをリセット",
    "Put this shape back to what was generated: without its own strength and what you edited": (
        "このシェイプを生成時に戻します。個別の強さと手直しは取り消されます"
    ),
    "Sculpt Shape": "シェイプをスカルプト",
    "Sculpt this shape: Sculpt Mode with its key shown and active; your edits are kept when the keys are generated again": (
        "このシェイプをスカルプトします。キーを表示してアクティブにしたスカルプトモードに入り、手直しは再生成しても残ります"
    ),
    "Finish Sculpting": "スカルプトを終了",
    "Leave Sculpt Mode; what was shown before is shown again": "スカルプトモードを抜け、表示を元に戻します",
    "Show This Pose": "このポーズを見る",
    "Show the shapes of this pose together on the face": "このポーズのシェイプを顔の上で同時に表示します",
    "Which of the poses that the last run warned of": "直前の生成で警告されたポーズの番号",
    "Before and After": "前後を比較",
    "Hold the key to see the face without the shape that is shown": "キーを押している間、表示中のシェイプなしの顔を見ます",
    "Hold Y over the 3D view: before": "3D ビュー上で Y を押している間: 元の顔",
    "The keys of this pose are not there any more": "このポーズのキーはもうありません",
    "See This Shape on the Face": "このシェイプを顔で見る",
    "Sculpting {name}": "{name} をスカルプト中",
    "Strength {number}": "強さ {number}",
    "Sculpt": "スカルプト",
    "Reset": "リセット",
    "{name}: strength {strength}": "{name}: 強さ {strength}",
    "{name} is the mirror image of {other} now": "{name} を {other} の鏡像にしました",
    "{name} is as it was generated": "{name} を生成時に戻しました",
    "Check {a} + {b}: the lids overlap by {share} of the eye's opening": (
        "{a} + {b} を確認: まぶたが目の開きの {share} だけ重なります"
    ),
    "Check {a} + {b}: a gap of {share} is left between the lips": (
        "{a} + {b} を確認: 唇の間に {share} のすき間が残ります"
    ),
    "Check {a} + {b}: combined movement is {share} of one side": (
        "{a} + {b} を確認: 同時に動かすと片側の {share} の動きになります"
    ),
    "edited by hand": "手直し済み",
    "Added {keys} to {object} and updated {updated}": "{object} に{keys}を追加し、{updated} 個を更新しました",
    "Updated {keys} on {object}": "{object} の{keys}を更新しました",
    "Added {keys} to {object}": "{object} に{keys}を追加しました",
    "Nothing was made on {object}": "{object} には何も作られませんでした",
    "1 shape key": "シェイプキー 1 個",
    "{count} shape keys": "シェイプキー {count} 個",
    "{count} of {all} separate parts move": "別パーツ {all} 個のうち {count} 個が動きます",
    "and {count} separate parts": "別パーツ {count} 個にも追加",
    # Words in the list of results
    "weak": "弱い",
    "lids overlap": "まぶたが重なる",
    "lips stay apart": "唇が閉じない",
    "doubles with its other side": "反対側と二重に動く",
}
