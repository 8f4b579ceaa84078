# SPDX-License-Identifier: GPL-3.0-or-later
"""Spelling of keys, without bpy: as the standard, as the rig that is there, and never two shapes
under one name.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.naming import (
    aliases_of,
    names_for,
    style_of,
    styled,
)
from hypothesis import given
from hypothesis import strategies as st

SETS = json.loads(
    (Path(__file__).resolve().parents[2] / "backend/face/shapes/shape_sets.json").read_text(
        encoding="utf-8"
    )
)["sets"]
ARKIT, UNIFIED, VRCHAT, SRANIPAL = (
    list(SETS[name]["shapes"]) for name in ("arkit", "unified", "vrchat", "sranipal")
)


def test_styles() -> None:
    assert (
        styled("eyeBlinkLeft", "pascal") == "EyeBlinkLeft"
        and styled("eyeBlinkLeft", "suffix") == "eyeBlink_L"
    )
    assert (
        styled("jawOpen", "suffix") == "jawOpen"
        and styled("mouthRight", "suffix") == "mouth_R"
        and styled("あ", "pascal") == "あ"
    )
    assert styled("vrc.v_aa", "pascal") == "vrc.v_aa" and styled("a", "pascal") == "a"


def spelled(style: str, count: int = 52) -> list[str]:
    """ARKit's first names in a spelling, those that it changes before the others."""
    names = sorted(ARKIT, key=lambda name: styled(name, style) == name)
    return [styled(name, style) for name in names[:count]]


def exact(existing: list[str]) -> int:
    """How many of ARKit's 52 keys have just the standard's names on such a rig."""
    return sum(wanted == own for wanted, own in names_for(ARKIT, "auto", existing, UNIFIED).items())


@pytest.mark.parametrize(
    "style", ["pascal", "suffix", "suffix.", "suffix-", "pascal suffix", "pascal suffix."]
)
def test_a_whole_rig_s_style_is_followed(style: str) -> None:
    assert style_of(spelled(style), ARKIT, UNIFIED) == style
    names = names_for(ARKIT, "auto", spelled(style), UNIFIED)
    clash = set(spelled(style)) & set(UNIFIED)  # JawOpen is Unified Expressions' own
    assert sum(own == styled(name, style) for name, own in names.items()) >= 52 - len(clash)


@pytest.mark.parametrize(
    ("existing", "kept"),
    [
        ([], 0),
        (["eyeBlinkLeft", "jawOpen"], 0),
        (["mouthSmile_L", "mouthSmile_R"], 2),
        (["EyeBlinkLeft", "EyeBlinkRight"], 2),
        (["eyeBlink.L", "eyeBlink.R", "JAWOPEN"], 3),
        (["EyeBlink-L", "eye_blink_right"], 2),
        (["JawOpen", "MouthSmileLeft", "CheekPuffLeft"], 0),  # Unified Expressions' own names
        (UNIFIED, 0),
        (["Fcl_MTH_A", "Fcl_EYE_Close_L", "Fcl_ALL_Joy", "まばたき"], 0),  # VRoid's and MMD's names
        ([*ARKIT[:20], *spelled("suffix", 12)], 0),
    ],
)
def test_a_few_keys_of_ones_own_decide_their_own_names_only(existing: list[str], kept: int) -> None:
    assert style_of(existing, ARKIT, UNIFIED) == "standard"
    own = names_for(ARKIT, "auto", existing, UNIFIED)
    assert (
        exact(existing)
        == 52 - sum(name in existing and name not in ARKIT for name in own.values())
        >= 52 - max(kept, 12)
    )
    assert kept == 0 or exact(existing) == 52 - kept


def test_where_the_standard_s_names_are_there_too_they_are_taken() -> None:
    suffixed = spelled("suffix", 38)
    both = [*suffixed, *(name for name in ARKIT if styled(name, "suffix") != name)]
    assert style_of(both, ARKIT, UNIFIED) == "standard" and exact(both) == 52


def test_a_rig_in_capitals_gets_all_names_in_capitals_and_keeps_its_own() -> None:
    names = names_for(ARKIT, "auto", ["Basis", *spelled("pascal", 45), "JAWOPEN"], UNIFIED)
    assert (
        names["eyeBlinkLeft"] == "EyeBlinkLeft"
        and names["mouthPucker"] == "MouthPucker"
        and names["jawOpen"] == "JAWOPEN"
    )


def test_the_width_of_letters_does_not_count() -> None:
    assert names_for(["ウィンク２"], "auto", ["ｳｨﾝｸ2"], [])["ウィンク２"] == "ｳｨﾝｸ2"


@pytest.mark.parametrize("there", ["vrc.v_PP", "VRC.V_pp", "vrc_v_pp", "vrc v pp"])
def test_case_and_separators_do_not_count(there: str) -> None:
    assert names_for(VRCHAT, "auto", [there], [])["vrc.v_pp"] == there


def test_another_standards_exact_name_is_left_to_it() -> None:
    names = names_for(ARKIT, "auto", ["Jaw_Open", "JawOpen"], [*SRANIPAL, *UNIFIED])
    assert names["jawOpen"] == "jawOpen"


def test_the_exact_name_goes_before_a_similar_one() -> None:
    assert names_for(["jawOpen"], "auto", ["JawOpen", "jawOpen"], [])["jawOpen"] == "jawOpen"


def test_the_alias() -> None:
    assert (
        aliases_of(dict.fromkeys(VRCHAT, "")) == {"vrc.v_e": "vrc.v_ee"}
        and aliases_of({"jawOpen": ""}) == {}
    )


SEEN = [*ARKIT, *UNIFIED, *VRCHAT, "JAWOPEN", "eyeBlink_L", "jaw.open", "x"]


@given(st.lists(st.sampled_from(SEEN), unique=True), st.sampled_from(["auto", "pascal", "suffix"]))
def test_no_two_shapes_of_a_set_get_one_name(existing: list[str], style: str) -> None:
    for wanted in (ARKIT, UNIFIED, VRCHAT, SRANIPAL):
        names = names_for(
            wanted,
            style,
            existing,
            {
                name
                for other in (ARKIT, UNIFIED, VRCHAT, SRANIPAL)
                if other is not wanted
                for name in other
            },
        )
        assert list(names) == wanted and len(set(names.values())) == len(wanted)
