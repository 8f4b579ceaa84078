# SPDX-License-Identifier: GPL-3.0-or-later
"""Spelling of keys, without bpy: as the standard, as the rig that is there, and never two shapes under one name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blendshape_auto_generator.blendshape_addon.naming import aliases_of, names_for, style_of, styled
from hypothesis import given
from hypothesis import strategies as st

SETS = json.loads((Path(__file__).resolve().parents[2] / "backend/face/shape_sets.json").read_text(encoding="utf-8"))["sets"]
ARKIT, UNIFIED, VRCHAT, SRANIPAL = (list(SETS[name]["shapes"]) for name in ("arkit", "unified", "vrchat", "sranipal"))


def test_styles() -> None:
    assert styled("eyeBlinkLeft", "pascal") == "EyeBlinkLeft" and styled("eyeBlinkLeft", "suffix") == "eyeBlink_L"
    assert styled("jawOpen", "suffix") == "jawOpen" and styled("mouthRight", "suffix") == "mouth_R" and styled("あ", "pascal") == "あ"
    assert styled("vrc.v_aa", "pascal") == "vrc.v_aa" and styled("a", "pascal") == "a"


@pytest.mark.parametrize(
    ("existing", "style"),
    [
        ([], "standard"),
        (["eyeBlinkLeft", "jawOpen"], "standard"),
        (["EyeBlinkLeft", "EyeBlinkRight", "JawOpen"], "pascal"),
        (["eyeBlink_L", "mouthSmile_R"], "suffix"),
        (["JawOpen", "MouthSmileLeft", "CheekPuffLeft"], "standard"),  # Unified Expressions' own names
    ],
)
def test_the_rigs_style_is_recognised(existing: list[str], style: str) -> None:
    assert style_of(existing, ARKIT, UNIFIED) == style


def test_a_rig_in_capitals_gets_all_names_in_capitals_and_keeps_its_own() -> None:
    names = names_for(ARKIT, "auto", ["Basis", "EyeBlinkLeft", "EyeBlinkRight", "JAWOPEN"], UNIFIED)
    assert names["eyeBlinkLeft"] == "EyeBlinkLeft" and names["mouthPucker"] == "MouthPucker" and names["jawOpen"] == "JAWOPEN"


@pytest.mark.parametrize("there", ["vrc.v_PP", "VRC.V_pp", "vrc_v_pp", "vrc v pp"])
def test_case_and_separators_do_not_count(there: str) -> None:
    assert names_for(VRCHAT, "auto", [there], [])["vrc.v_pp"] == there


def test_another_standards_exact_name_is_left_to_it() -> None:
    names = names_for(ARKIT, "auto", ["Jaw_Open", "JawOpen"], [*SRANIPAL, *UNIFIED])
    assert names["jawOpen"] == "jawOpen"


def test_the_exact_name_goes_before_a_similar_one() -> None:
    assert names_for(["jawOpen"], "auto", ["JawOpen", "jawOpen"], [])["jawOpen"] == "jawOpen"


def test_the_alias() -> None:
    assert aliases_of(dict.fromkeys(VRCHAT, "")) == {"vrc.v_e": "vrc.v_ee"} and aliases_of({"jawOpen": ""}) == {}


SEEN = [*ARKIT, *UNIFIED, *VRCHAT, "JAWOPEN", "eyeBlink_L", "jaw.open", "x"]


@given(st.lists(st.sampled_from(SEEN), unique=True), st.sampled_from(["auto", "pascal", "suffix"]))
def test_no_two_shapes_of_a_set_get_one_name(existing: list[str], style: str) -> None:
    for wanted in (ARKIT, UNIFIED, VRCHAT, SRANIPAL):
        names = names_for(wanted, style, existing, {name for other in (ARKIT, UNIFIED, VRCHAT, SRANIPAL) if other is not wanted for name in other})
        assert list(names) == wanted and len(set(names.values())) == len(wanted)
