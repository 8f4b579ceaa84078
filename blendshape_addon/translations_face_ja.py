# SPDX-License-Identifier: GPL-3.0-or-later
"""Japanese of what tries a face out and exports it; a part of `JAPANESE`."""

FACE_JAPANESE: dict[str, str] = {
    # Test Face
    "Test Face": "フェイステスト",
    "Play All Shapes": "全シェイプを再生",
    "Play all generated shapes in a row on the timeline; nothing of it stays": (
        "生成したシェイプをタイムラインで順に再生します。何も残りません"
    ),
    "Play Sample": "サンプルを再生",
    "Play a short recording of a face on the timeline; nothing of it stays": (
        "顔の短い収録データをタイムラインで再生します。何も残りません"
    ),
    "Play Recording...": "収録を再生...",
    "Play a recording of Live Link Face (.csv) or Face Cap (.txt); nothing of it stays unless you keep it": (
        "Live Link Face (.csv) または Face Cap (.txt) の収録データを再生します。保存しない限り何も残りません"
    ),
    "Import Recording...": "収録を読み込む...",
    "Import...": "読み込む...",
    "Import a recording of Live Link Face (.csv) or Face Cap (.txt) as an action on the keys": (
        "Live Link Face (.csv) または Face Cap (.txt) の収録データをキーのアクションとしてインポートします"
    ),
    "Keep as Action": "アクションとして保存",
    "Keep the recording that plays as an action on the shape keys": (
        "再生中の収録データをシェイプキーのアクションとして保存します"
    ),
    "Stop": "中止",
    "Stop; keys, frame and range are as they were before": (
        "停止します。キー・フレーム・範囲は元に戻ります"
    ),
    "This mesh has no shape keys": "このメッシュにはシェイプキーがありません",
    "No key moves by: {names}": "対応するキーがありません: {names}",
    "Their drivers go before the action: {names}": "ドライバーがアクションより優先されます: {names}",
    "The action {name} is kept with the file": "アクション {name} はファイルに残してあります",
    "Action {name}: {count} keys, frames {first} to {last}": (
        "アクション {name}: キー {count} 個、フレーム {first} ～ {last}"
    ),
    "Turn Head and Eyes": "頭と目を回す",
    "Turn the bones of head and eyes, too, as far as the tracking says how; not those that something else turns, nor eyes that keys turn": (
        "トラッキングが伝える範囲で頭と目のボーンも回します。"
        "ほかのものが回すボーンと、キーが回す目は対象外です"
    ),
    "No bone of head or eyes is free to turn": "回せる頭や目のボーンがありません",
    # Live tracking
    "Start Live": "ライブ開始",
    "Move the face by live tracking that is sent to this port; nothing of it stays": (
        "このポートに送られるトラッキングで顔を動かします。何も残りません"
    ),
    "Stop Live": "ライブ停止",
    "Stop live tracking; the keys are as they were before": (
        "ライブトラッキングを停止します。キーは元に戻ります"
    ),
    "Listening to {address}, port {port}": "{address} のポート {port} で待ち受け中",
    "{partial} packets with bits of numbers whose other bits have not come yet": (
        "残りのビットがまだ届いていない数値のビットのパケット {partial} 件"
    ),
    "{taken} packets; {foreign} of something else, {bad} bad": (
        "パケット {taken} 個 (対象外 {foreign}、不正 {bad})"
    ),
    "Nothing comes in: set this address and port in the tracking app": (
        "何も届いていません。トラッキングアプリにこのアドレスとポートを設定してください"
    ),
    "Port {port}": "ポート {port}",
    "Source": "ソース",
    "What sends the tracking, which says the usual port": (
        "トラッキングの送信元。標準のポートが決まります"
    ),
    "VRChat OSC": "VRChat OSC",
    "VRCFaceTracking's parameters, or ARKit's names as parameters": (
        "VRCFaceTracking のパラメーター、またはパラメーターとしての ARKit の名前"
    ),
    "VMC Protocol": "VMC プロトコル",
    "VSeeFace, Warudo, VMagicMirror and others": "VSeeFace、Warudo、VMagicMirror など",
    "iFacialMocap": "iFacialMocap",
    "The iPhone app, and others that send as it does": "iPhone アプリと、同じ形式で送信するもの",
    "Address": "アドレス",
    "Of this computer, where to listen; 127.0.0.1 is reached by its own programs alone, 0.0.0.0 by the network": (
        "待ち受けるこのコンピューターのアドレス。127.0.0.1 は自身のプログラムからのみ、"
        "0.0.0.0 はネットワークから届きます"
    ),
    "Port": "ポート",
    "Where the tracking app sends to; 0 for its usual one": (
        "トラッキングアプリの送信先。0 なら標準のポート"
    ),
    # Eye bones
    "Add Eye Bones": "目のボーンを追加",
    "Added the bones {names}; Regenerate, so that looks move only the lids": (
        "ボーン {names} を追加しました。視線がまぶただけを動かすように「再生成」してください"
    ),
    # Export
    "In the file, and not of the avatar: {names}": "ファイルにアバター以外のものがあります: {names}",
    "Not in the file: {names}": "ファイルにありません: {names}",
    "{object} lacks keys in the file: {names}": "ファイルの {object} に足りないキー: {names}",
    "The keys of {object} are in another order in the file": (
        "ファイルでは {object} のキーの順序が違います"
    ),
    "Keys of {object} move otherwise in the file: {names}": (
        "ファイルでは {object} のキーの動きが違います: {names}"
    ),
    "Read back: all keys are there, in order, and move alike": (
        "読み直して確認しました: すべてのキーが順序どおりで、動きも同じです"
    ),
    "{count} issues found, see Check & Export": "問題が {count} 件あります。「チェックと書き出し」を見てください",
    "Where the file goes, which says its format, scale and normals": (
        "ファイルの送り先。形式、スケール、法線が決まります"
    ),
    "Unity (VRChat, ChilloutVR)": "Unity (VRChat、ChilloutVR)",
    ".fbx at scale 1, checked for VRChat before": "スケール 1 の .fbx。先に VRChat 向けに確認します",
    "VRM (VSeeFace, Warudo)": "VRM (VSeeFace、Warudo)",
    ".vrm, which the VRM add-on for Blender writes": "Blender 用の VRM アドオンが書く .vrm",
    ".glb in metres": "メートル単位の .glb",
    "glTF (Web, Godot)": "glTF (Web、Godot)",
    ".glb in metres, with normals of keys": "メートル単位の .glb。キーの法線付き",
    "By File Name": "ファイル名による",
    "What the ending of the file's name says": "ファイル名の拡張子が示すもの",
    "Only This Avatar": "このアバターのみ",
    "Leave out what does not belong to the avatar of the active mesh": (
        "アクティブなメッシュのアバターに属さないものは書き出しません"
    ),
    "Animation": "アニメーション",
    "Export actions with it; Unity's avatars need none": "アクションも書き出します。Unity のアバターには不要です",
}
