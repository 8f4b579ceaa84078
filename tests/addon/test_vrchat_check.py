# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check's judgement, on plain data."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.shape_sets import load_sets
from scripts.generate import load_extension

load_extension()
vrchat = importlib.import_module("blendshape_auto_generator.blendshape_addon.vrchat_check")

SETS = {name: list(set_.shapes) for name, set_ in load_sets().items()}
ROLES = frozenset({"head", "neck", "left_eye", "right_eye"})
Floats = NDArray[np.float32]


def shape(number: int, vertices: int = 200) -> Floats:
    """Offsets of a shape that moves a tenth of the vertices, each number its own way."""
    offsets = np.zeros((vertices, 3), np.float32)
    chosen = np.random.default_rng(number).permutation(vertices)[: vertices // 10]
    offsets[chosen] = np.random.default_rng(number + 1000).normal(size=(len(chosen), 3)) * 0.01
    return offsets


def good(**changes: Any) -> Any:
    """An avatar that is as it should be."""
    names = [*SETS["arkit"], *SETS["vrchat"], "vrc.v_ee"]
    offsets = {name: shape(number) for number, name in enumerate(names)}
    return vrchat.Avatar(**{"name": "Body", "offsets": offsets, "sets": SETS, "bones": ROLES | {"jaw"}, "triangles": 20_000, **changes})


def found(avatar: Any, code: str) -> Any:
    """The first finding of a code that is not `ok`, or None."""
    return next((finding for finding in vrchat.check(avatar) if finding.code == code and finding.level != "ok"), None)


def without(avatar: Any, *names: str) -> dict[str, Floats]:
    return {name: offsets for name, offsets in avatar.offsets.items() if name not in names}


def test_a_good_avatar_has_nothing_to_be_mended() -> None:
    assert [finding for finding in vrchat.check(good()) if finding.level != "ok"] == []


@pytest.mark.parametrize("name", ["Face", "body", "Body.001"])
def test_the_mesh_is_called_body(name: str) -> None:
    assert found(good(name=name), "mesh_name").fix == "rename_mesh"
    assert "Body_2" in found(good(name=name, objects=frozenset({"Body"})), "mesh_name").text


def test_names_in_the_wrong_case() -> None:
    avatar = good()
    wrong = {("EyeBlinkLeft" if name == "eyeBlinkLeft" else name): offsets for name, offsets in avatar.offsets.items()}
    assert found(good(offsets=wrong), "name_case").on == ("EyeBlinkLeft",)
    assert vrchat.wrong_cases(good(offsets=wrong)) == {"EyeBlinkLeft": "eyeBlinkLeft"}


def test_all_names_of_arkit_with_capitals_are_mended_though_another_set_spells_some_so() -> None:
    pascal = {name[0].upper() + name[1:]: shape(number) for number, name in enumerate(SETS["arkit"])}
    assert vrchat.wrong_cases(good(offsets=pascal)) == {name[0].upper() + name[1:]: name for name in SETS["arkit"]}


def test_names_of_two_sets_that_differ_in_case_live_side_by_side() -> None:
    both = {name: shape(number) for number, name in enumerate(dict.fromkeys([*SETS["arkit"], *SETS["unified"], *SETS["vrchat"]]))}
    assert vrchat.wrong_cases(good(offsets=both)) == {}


def test_copies_with_numbers() -> None:
    avatar = good()
    offsets = {**avatar.offsets, "jawOpen.001": avatar.offsets["jawOpen"].copy(), "mouthLeft.001": shape(77), "Fang.001": shape(78)}
    assert found(good(offsets=offsets), "duplicates").on == ("jawOpen.001",)
    assert "mouthLeft.001" in found(good(offsets=offsets), "numbered").text
    assert "Fang" not in found(good(offsets=offsets), "numbered").text


def test_visemes_missing_empty_and_alike() -> None:
    avatar = good()
    assert found(good(offsets=without(avatar, *SETS["vrchat"])), "visemes").fix == "make_visemes"
    assert found(good(offsets=without(avatar, "vrc.v_th")), "visemes").on == ("vrc.v_th",)
    empty = {**avatar.offsets, "vrc.v_sil": np.zeros_like(avatar.offsets["vrc.v_sil"])}
    assert found(good(offsets=empty), "visemes_empty").on == ("vrc.v_sil",)
    alike = {**avatar.offsets, "vrc.v_rr": avatar.offsets["vrc.v_ch"].copy()}
    assert "vrc.v_ch and vrc.v_rr" in found(good(offsets=alike), "visemes_alike").text


def test_the_template_s_name_of_a_viseme_is_only_a_note() -> None:
    assert found(good(offsets=without(good(), "vrc.v_ee")), "viseme_alias").level == "note"


def test_visemes_in_the_sdk_s_case_count() -> None:
    avatar = good()
    sdk = {name.replace("vrc.v_pp", "vrc.v_PP"): offsets for name, offsets in avatar.offsets.items()}
    assert found(good(offsets=sdk), "visemes") is None


def test_bones() -> None:
    assert found(good(bones=None), "bones").level == "warning"
    assert "left eye and right eye" in found(good(bones=frozenset({"head"})), "bones").text
    assert found(good(bones=ROLES), "jaw_bone").level == "note"


@pytest.mark.parametrize(
    ("triangles", "pc", "mobile"),
    [
        (7_500, "Excellent", "Excellent"),
        (7_501, "Excellent", "Good"),
        (15_001, "Excellent", "Poor"),
        (32_001, "Good", "Very Poor"),
        (70_000, "Good", "Very Poor"),
        (70_001, "Very Poor", "Very Poor"),
    ],
)
def test_ranks(triangles: int, pc: str, mobile: str) -> None:
    assert (vrchat.rank(triangles, "PC"), vrchat.rank(triangles, "Android and iOS")) == (pc, mobile)


def test_size_follows_what_moves() -> None:
    def megabytes(avatar: Any) -> float:
        text = next(finding.text for finding in vrchat.check(avatar) if finding.code == "size")
        return float(text.split(" MB in Unity")[0].split()[-1])

    names = SETS["arkit"]
    sparse = {name: shape(number, 30_000) for number, name in enumerate(names)}
    dense = {name: shape(number, 30_000) + np.float32(0.001) for number, name in enumerate(names)}
    assert megabytes(good(offsets=dense)) == pytest.approx(10 * megabytes(good(offsets=sparse)), rel=0.05)
    assert found(good(offsets=sparse), "size") is None
    assert found(good(offsets=dense), "size").level == "warning"


def test_dust_is_found_but_a_silence_is_not_dust() -> None:
    avatar = good()
    dusty = {name: np.where(offsets == 0, np.float32(1e-7), offsets) for name, offsets in avatar.offsets.items()}
    assert set(found(good(offsets=dusty), "dust").on) == set(dusty)
    assert found(avatar, "dust") is None


def test_lids_that_go_through_each_other() -> None:
    blink = np.zeros((200, 3), np.float32)
    blink[:20, 2] = -0.01
    squint, lower = 0.4 * blink, np.zeros_like(blink)
    lower[20:40, 2] = 0.004
    assert vrchat.lid_travel(blink, 0.9, squint, 1.0) == pytest.approx(1.3)
    assert vrchat.lid_travel(blink, 0.9, lower, 1.0) == pytest.approx(0.9)
    offsets = {**good().offsets, "eyeBlinkLeft": blink, "eyeSquintLeft": squint, "mouthSmileLeft": lower}
    assert found(good(offsets=offsets), "blink_conflict").on == ("eyeBlinkLeft", "eyeSquintLeft")


def test_what_an_export_would_take_along() -> None:
    assert found(good(values={"jawOpen": 0.5, "mouthLeft": 0.0}), "values").on == ("jawOpen",)
    assert "Subsurf" in found(good(modifiers=("Subsurf",)), "modifiers").text


def test_an_avatar_without_keys() -> None:
    findings = vrchat.check(good(offsets={}))
    assert {finding.code for finding in findings if finding.level == "error"} == {"visemes"}
