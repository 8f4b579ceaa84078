# SPDX-License-Identifier: GPL-3.0-or-later
"""Japanese of what a run warns of: the English sentence, or its template -> translation.

A `{name}` stands for what is filled in, as in translations_errors_ja.py.
"""

WARNINGS_JAPANESE: dict[str, str] = {
    # Keys that were left as they are
    "Kept 1 hand-edited key ({names}). Enable Replace Edited Keys to overwrite.": (
        "手直しされたキー 1 個 ({names}) はそのまま残しました。置き換えるには「手直ししたキーを置き換える」をオンにしてください。"
    ),
    "Kept {count} hand-edited keys ({names}). Enable Replace Edited Keys to overwrite.": (
        "手直しされたキー {count} 個 ({names}) はそのまま残しました。置き換えるには「手直ししたキーを置き換える」をオンにしてください。"
    ),
    # Keys that move nothing, or halfway
    "1 shape moves nothing on this mesh: {names}.": "このメッシュでは動かないシェイプが 1 個あります: {names}。",
    "{count} shapes move nothing on this mesh: {names}.": "このメッシュでは動かないシェイプが {count} 個あります: {names}。",
    "{names} share one mesh, so {count} shapes that should move one of them move each halfway: make them single-user first.": (
        "{names} はひとつのメッシュを共有しているため、片方だけを動かすシェイプ {count} 個は両方を半分ずつ動かします。"
        "先にシングルユーザー化してください。"
    ),
    "The Mirror modifier of {names} shows both sides alike, so {count} shapes of one side move both halfway: apply it first.": (
        "{names} のミラーモディファイアーは左右を同じに見せるため、片側のシェイプ {count} 個は両側を半分ずつ動かします。"
        "先にモディファイアーを適用してください。"
    ),
    # The face
    "The face is only {share} sure; look at the result, or name a vertex group that holds the face.": (
        "顔の確かさは {share} だけです。結果を見て確かめるか、顔を含む頂点グループを指定してください。"
    ),
    "The face is only {share} sure and is taken for one because you said that it is there; look at the result, or place the landmarks by hand.": (
        "顔の確かさは {share} だけですが、指定された場所なので顔として扱います。"
        "結果を見て確かめるか、ランドマークを手で置いてください。"
    ),
    # Models, settings, files that a scene names
    "The model {path} that this file names was not used: press Use It in the panel if you want it.": (
        "このファイルが指定するモデル {path} は使いませんでした。使うには、パネルで「使う」を押してください。"
    ),
    "The table {path} that this file names was not used: press Use It in the panel if you want it.": (
        "このファイルが指定するテーブル {path} は使いませんでした。使うには、パネルで「使う」を押してください。"
    ),
    "{name} was limited to the model's range {low} to {high}": "{name} はモデルの範囲 {low}～{high} に制限しました",
}
