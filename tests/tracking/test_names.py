# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys follow which names: of whatever standard the mesh has, and each shape once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blendshape_auto_generator.blendshape_addon.tracking.names import Routes, spread_all
from hypothesis import given
from hypothesis import strategies as st

FILE = Path(__file__).parents[2] / "backend" / "face" / "shapes" / "shape_sets.json"
SETS = {
    name: list(entry["shapes"])
    for name, entry in json.loads(FILE.read_text("utf-8"))["sets"].items()
}
ARKIT, UNIFIED = SETS["arkit"], SETS["unified"]


def driven(keys: list[str], **sent: float) -> dict[str, float]:
    found: dict[str, float] = Routes(keys).values(spread_all(sent))
    return found


@pytest.mark.parametrize("names", [ARKIT, UNIFIED], ids=["arkit", "unified"])
def test_all_of_arkit_follows_both_standards(names: list[str]) -> None:
    assert set(driven(ARKIT, **dict.fromkeys(names, 1.0))) == set(ARKIT)


@pytest.mark.parametrize("name", ["EyeBlink_L", "eyeblinkleft", "EyeBlinkLeft", "eyeBlink_L"])
def test_a_name_is_the_same_however_it_is_spelt(name: str) -> None:
    assert driven(["eyeBlinkLeft", "eyeBlinkRight"], **{name: 0.5}) == {"eyeBlinkLeft": 0.5}
    assert driven([name], eyeBlinkLeft=0.5) == {name: 0.5}


def test_a_mesh_with_all_standards_moves_each_shape_once() -> None:
    every = [name for names in SETS.values() for name in names]
    assert set(driven(every, **dict.fromkeys(ARKIT, 1.0))) == set(ARKIT)


def test_wholes_rest_where_their_parts_are_driven() -> None:
    found = driven(UNIFIED, mouthFunnel=0.5, mouthSmileLeft=1.0, jawOpen=0.25)
    assert found["LipFunnelUpperLeft"] == found["LipFunnelLowerRight"] == 0.5
    assert found["MouthCornerPullLeft"] == 1.0 and found["JawOpen"] == 0.25
    assert not {"LipFunnel", "LipFunnelUpper", "MouthSmileLeft", "MouthSmile"} & set(found)


def test_parts_are_mixed_where_the_mesh_has_only_the_whole() -> None:
    found = driven(ARKIT, LipFunnelUpperLeft=1.0, LipFunnelUpperRight=0.5, MouthCornerPullLeft=1.0,
                   MouthCornerSlantLeft=0.0)  # fmt: skip
    assert found["mouthFunnel"] == 0.75 and found["mouthSmileLeft"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("sent", "moved"),
    [
        ({"JawX": -0.5}, {"jawLeft": 0.5, "jawRight": 0.0}),
        ({"EyeLeftX": 0.5}, {"eyeLookInLeft": 0.5, "eyeLookOutLeft": 0.0}),
        ({"EyeRightX": 0.5}, {"eyeLookOutRight": 0.5, "eyeLookInRight": 0.0}),
        ({"EyeLidLeft": 0.75}, {"eyeBlinkLeft": 0.0, "eyeWideLeft": 0.0}),
        ({"EyeLidLeft": 0.0}, {"eyeBlinkLeft": 1.0, "eyeWideLeft": 0.0}),
        ({"EyeLidRight": 1.0}, {"eyeBlinkRight": 0.0, "eyeWideRight": 1.0}),
        ({"EyeClosed": 0.5}, {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}),
        ({"SmileFrownLeft": -0.5}, {"mouthSmileLeft": 0.0, "mouthFrownLeft": 0.5}),
        ({"Blink": 1.0}, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
        ({"Blink_L": 1.0}, {"eyeBlinkLeft": 1.0}),
        ({"jawOpen": 7.0}, {"jawOpen": 1.0}),
        ({"nothing": 1.0}, {}),
    ],
)
def test_combined_parameters_come_apart(sent: dict[str, float], moved: dict[str, float]) -> None:
    assert driven(ARKIT, **sent) == pytest.approx(moved)


def test_expressions_of_vrm_follow_either_version() -> None:
    assert driven(SETS["vrm1"], Joy=0.5, A=0.25) == {"happy": 0.5, "aa": 0.25}
    assert driven(SETS["vrm0"], happy=0.5, aa=0.25) == {"joy": 0.5, "a": 0.25}
    assert driven(["vrc.v_aa", "vrc.v_oh"], A=0.25) == {"vrc.v_aa": 0.25}


def test_sranipals_names_follow_arkit() -> None:
    found = driven(SETS["sranipal"], jawOpen=0.5, eyeBlinkLeft=0.25)
    assert found == {"Jaw_Open": 0.5, "Eye_Left_Blink": 0.25}


def test_a_key_of_ones_own_follows_its_own_name() -> None:
    assert driven([*ARKIT, "Whiskers"], Whiskers=0.5) == {"Whiskers": 0.5}
    assert Routes(ARKIT).known("JawX") and not Routes(ARKIT).known("Whiskers")


@given(
    keys=st.lists(st.sampled_from([*ARKIT, *UNIFIED, *SETS["vrm1"], "Mine", "", "é"]), unique=True),
    sent=st.dictionaries(
        st.sampled_from([*ARKIT, *UNIFIED, "JawX", "EyeLid", "Joy", "A"]) | st.text(max_size=8),
        st.floats(-10, 10),
    ),
)
def test_keys_follow_within_their_range(keys: list[str], sent: dict[str, float]) -> None:
    routes = Routes(keys)
    found = routes.values(spread_all(sent))
    assert set(found) <= set(keys) and all(0 <= value <= 1 for value in found.values())
    assert found == routes.values({n: v for n, v in spread_all(sent).items() if n in routes.heard})
