# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape sets: the shipped data, tables from users, and the matrix they become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import BackendError
from backend.face.shapes.derived import derivable
from backend.face.shapes.shape_sets import (
    choose_sets,
    load_sets,
    parse_table,
    read_table_json,
    weights_of,
)

STANDARDS = Path(__file__).resolve().parents[5] / "shared" / "standards.json"
SETS = load_sets()
ARKIT = list(SETS["arkit"].shapes)


def test_arkit_is_52_conditions_each_alone() -> None:
    assert len(ARKIT) == 52
    np.testing.assert_array_equal(
        weights_of(SETS["arkit"].shapes, ARKIT), np.eye(52, dtype=np.float32)
    )
    assert ARKIT[0] == "eyeBlinkLeft" and ARKIT[17] == "jawOpen" and ARKIT[51] == "tongueOut"


def test_vrchat_is_15_visemes_all_different_even_without_a_tongue() -> None:
    visemes = SETS["vrchat"].shapes
    order = [
        "sil",
        "pp",
        "ff",
        "th",
        "dd",
        "kk",
        "ch",
        "ss",
        "nn",
        "rr",
        "aa",
        "e",
        "ih",
        "oh",
        "ou",
    ]
    assert list(visemes) == [f"vrc.v_{name}" for name in order]
    weights = weights_of(visemes, ARKIT)
    without_tongue = weights.copy()
    without_tongue[:, ARKIT.index("tongueOut")] = 0
    for matrix in (weights, without_tongue):
        assert matrix.any(axis=1).all(), "Unity drops a shape that moves nothing"
        distances = np.linalg.norm(matrix[:, None] - matrix[None], axis=-1) + np.eye(15)
        assert distances.min() > 0.05, "VRChat needs 15 different shapes"


def test_visemes_do_what_their_sound_needs() -> None:
    visemes = SETS["vrchat"].shapes
    assert (
        max(visemes["vrc.v_aa"], key=visemes["vrc.v_aa"].__getitem__) == "jawOpen"
        and visemes["vrc.v_aa"]["jawOpen"] >= 0.6
    )
    assert 0 < sum(visemes["vrc.v_sil"].values()) <= 0.02
    assert "jawOpen" not in visemes["vrc.v_pp"], "lips are closed"
    assert visemes["vrc.v_th"]["tongueOut"] > 0


def test_left_and_right_have_the_same_weight_in_every_viseme() -> None:
    for key, row in SETS["vrchat"].shapes.items():
        for name, weight in row.items():
            if name.endswith("Left"):
                assert row[name.removesuffix("Left") + "Right"] == weight, key


@pytest.mark.skipif(
    not STANDARDS.exists(), reason="the shared list of standards is not beside this checkout"
)
def test_names_are_those_of_the_gathered_standards() -> None:
    standards: dict[str, Any] = json.loads(STANDARDS.read_text(encoding="utf-8"))
    assert standards["arkit_52"]["names"] == ARKIT
    assert [entry["name"] for entry in standards["vrchat_visemes_15"]["order"]] == list(
        SETS["vrchat"].shapes
    )


def test_every_set_asks_for_what_the_model_or_a_rule_gives() -> None:
    known = [*ARKIT, *derivable(ARKIT)]
    for name, shape_set in SETS.items():
        weights = weights_of(shape_set.shapes, known)
        assert weights.any(axis=1).all(), name
        assert np.abs(weights).max() <= 2.0, name


def test_sets_can_be_asked_for_together() -> None:
    tables = choose_sets(list(SETS), SETS)
    keys = [key for table in tables.values() for key in table]
    assert (
        len(keys) == len(set(keys)) and "blink" in tables["vrm0"] and "blink" not in tables["vrm1"]
    )
    assert set(tables) == set(SETS)


def test_left_and_right_mirror_each_other_in_every_set() -> None:
    def swapped(name: str) -> str:
        return name.replace("Left", "<").replace("Right", "Left").replace("<", "Right")

    for name in ("unified", "sranipal", "vrm1"):
        table = SETS[name].shapes
        for key, row in table.items():
            other = swapped(key)
            if other != key and other in table and name != "sranipal":
                assert {swapped(c): w for c, w in row.items()} == table[other], key


@pytest.mark.skipif(
    not STANDARDS.exists(), reason="the shared list of standards is not beside this checkout"
)
def test_names_of_the_other_sets_are_spelt_as_in_the_standards() -> None:
    standards: dict[str, Any] = json.loads(STANDARDS.read_text(encoding="utf-8"))
    unified = standards["unified_expressions"]
    templates = standards["adjerry91_templates_v7"]
    assert set(SETS["vrm1"].shapes) | {"neutral"} == set(standards["vrm"]["vrm1_presets"])
    assert set(SETS["vrm0"].shapes) | {"neutral", "unknown"} == set(
        standards["vrm"]["vrm0_presetName"]
    )
    assert set(SETS["unified"].shapes) <= {
        *unified["docs_base_shapes"],
        *unified["docs_blended_shapes"],
        *templates["unified"],
    }
    assert set(SETS["sranipal"].shapes) <= set(templates["sranipal"])
    assert set(SETS["mmd"].shapes) <= {*standards["mmd"]["full"], *standards["mmd"]["light"]}
    assert all(
        SETS["unified"].shapes[key] == {own: 1.0}
        for key, own in unified["ue_to_arkit"].items()
        if key in SETS["unified"].shapes
    )


def test_every_set_says_where_it_comes_from() -> None:
    assert all(shape_set.source and shape_set.title for shape_set in SETS.values())


def test_sets_are_chosen_in_the_order_asked_for_and_unknown_ones_named() -> None:
    assert list(choose_sets(["vrchat", "arkit", "vrchat"], SETS)) == ["vrchat", "arkit"]
    with pytest.raises(BackendError) as caught:
        choose_sets(["arkit", "ARKit"], SETS)
    assert caught.value.code == "unknown_set" and "arkit, vrchat, vrm0" in caught.value.fix


def test_an_unknown_condition_is_named_with_its_likely_spelling() -> None:
    with pytest.raises(BackendError) as caught:
        weights_of({"Grin": {"mouthSmileleft": 1.0}}, ARKIT)
    assert caught.value.code == "unknown_condition"
    assert (
        "mouthSmileleft" in caught.value.message
        and "Grin" in caught.value.message
        and "mouthSmileLeft" in caught.value.fix
    )


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"Key": {}},
        {"Key": 1},
        {"Key": {"jawOpen": "1"}},
        {"Key": {"jawOpen": True}},
        {"Key": {"jawOpen": float("nan")}},
        {"Key": {"jawOpen": float("inf")}},
        {"Key": {"jawOpen": 11}},
        {"Key": {"jawOpen": 0}},
        {"": {"jawOpen": 1}},
        {"  ": {"jawOpen": 1}},
        {"a\nb": {"jawOpen": 1}},
        {"x" * 64: {"jawOpen": 1}},
        {"ä" * 32: {"jawOpen": 1}},
        {f"k{i}": {"jawOpen": 1} for i in range(1025)},
    ],
)
def test_bad_tables_are_refused(data: object) -> None:
    with pytest.raises(BackendError) as caught:
        parse_table(data)
    assert caught.value.code == "table_invalid" and caught.value.fix


def test_the_largest_table_the_longest_key_and_the_farthest_weights_are_taken() -> None:
    table = {f"k{number}": {"jawOpen": 1.0} for number in range(1022)} | {
        "x" * 63: {"jawOpen": 10.0},
        "ä" * 31: {"jawOpen": -10.0},
    }
    assert parse_table(table) == table and len(table) == 1024


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"A": {"jawOpen": 1}, "A": {"jawOpen": 0.5}}',
        '{"A": {"jawOpen": 1, "jawOpen": 2}}',
        "[" * 100_000,
    ],
)
def test_text_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(BackendError) as caught:
        read_table_json(text)
    assert caught.value.code == "table_invalid"


@given(
    st.dictionaries(st.sampled_from(ARKIT), st.floats(-10, 10).filter(bool), min_size=1, max_size=8)
)
def test_a_table_becomes_its_row(row: dict[str, float]) -> None:
    weights = weights_of(parse_table({"Key": row}), ARKIT)
    assert weights.shape == (1, 52) and weights.dtype == np.float32
    expected = np.array([row.get(name, 0.0) for name in ARKIT], np.float32)
    np.testing.assert_array_equal(weights[0], expected)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_any_json_is_a_table_or_a_clear_error(data: object) -> None:
    try:
        table = parse_table(data)
    except BackendError as error:
        assert error.code == "table_invalid"
    else:
        assert all(isinstance(w, float) for row in table.values() for w in row.values())
