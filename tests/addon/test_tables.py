# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own shapes: text and JSON files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job.tables import (
    parse_conditions,
    read_table,
    user_table,
)
from hypothesis import given
from hypothesis import strategies as st

names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@given(st.dictionaries(names, st.floats(-10, 10), min_size=1, max_size=5))
def test_conditions_are_read_back(row: dict[str, float]) -> None:
    assert (
        parse_conditions(" , ".join(f"{name} = {weight!r}" for name, weight in row.items())) == row
    )


@pytest.mark.parametrize(
    "text",
    ["jawOpen", "jawOpen=", "=1", "jawOpen=much", "jawOpen=nan", "jawOpen=1,jawOpen=1", "a=1,,b=1"],
)
def test_wrong_conditions_are_refused(text: str) -> None:
    with pytest.raises(AddonError) as caught:
        parse_conditions(text)
    assert caught.value.code == "table_invalid"


def test_file_and_conditions_make_one_table(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"Grin": {"mouthSmileLeft": 1}}), encoding="utf-8-sig")
    assert user_table("jawOpen=0.5", "Ah", str(path)) == {
        "Grin": {"mouthSmileLeft": 1},
        "Ah": {"jawOpen": 0.5},
    }
    assert user_table("", "", "") is None
    for conditions, name, code in (
        ("jawOpen=1", "", "usage"),
        ("", "Ah", "usage"),
        ("jawOpen=1", "Grin", "table_invalid"),
    ):
        with pytest.raises(AddonError) as caught:
            user_table(conditions, name, str(path))
        assert caught.value.code == code


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"a": 1}', '{"a": {"b": 1}, "a": {"b": 2}}', "[" * 100_000, "\ufffd{"]
)
def test_wrong_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AddonError) as caught:
        read_table(path)
    assert caught.value.code == "table_invalid"


def test_missing_binary_and_huge_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    for write, code in (
        (lambda: None, "input_missing"),
        (lambda: path.write_bytes(b"\xff\xfe\x00"), "input_missing"),
    ):
        write()
        with pytest.raises(AddonError) as caught:
            read_table(path)
        assert caught.value.code == code
    path.write_bytes(b" " * (2 << 20))
    with pytest.raises(AddonError) as caught:
        read_table(path)
    assert caught.value.code == "table_invalid"
