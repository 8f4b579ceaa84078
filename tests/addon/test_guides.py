# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own vowels and blinks as a guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import guides, remembered
from blendshape_auto_generator.blendshape_addon.job import session

RNG = np.random.default_rng(3)
BLINK_LEFT, BLINK_RIGHT, JAW, SMILE = (
    RNG.normal(size=(40, 3)).astype(np.float32) for _ in range(4)
)
BLINK_LEFT[20:] = 0
BLINK_RIGHT[:20] = 0
MADE = {
    "eyeBlinkLeft": BLINK_LEFT,
    "eyeBlinkRight": BLINK_RIGHT,
    "jawOpen": JAW,
    "mouthClose": -JAW,
    "mouthSmileLeft": SMILE,
}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("あ", "aa"),
        ("A", "aa"),
        ("vrc.v_AA", "aa"),
        ("Fcl_MTH_O", "oh"),
        ("まばたき", "blink"),
        ("Blink", "blink"),
        ("eyeBlink_L", "blinkLeft"),
    ],
)
def test_roles_of_names(name: str, role: str) -> None:
    assert guides.role_of(name) == role


def test_other_names_have_no_role() -> None:
    assert all(
        guides.role_of(name) is None for name in ("Basis", "smile", "jawOpen", "breasts", "")
    )


def test_sizes_follow_the_users_own() -> None:
    found = guides.guides(
        {"あ": JAW * np.float32(0.7 * 0.5), "blink": (BLINK_LEFT + BLINK_RIGHT) * np.float32(0.9)},
        MADE,
    )
    assert found["aa"].factor == pytest.approx(0.5, abs=1e-5) and found[
        "blink"
    ].factor == pytest.approx(0.9, abs=1e-5)
    factor = guides.factors(found, list(MADE))
    assert factor["jawOpen"] == factor["mouthClose"] == pytest.approx(0.5, abs=1e-5)
    assert factor["eyeBlinkLeft"] == pytest.approx(0.9, abs=1e-5) and factor["mouthSmileLeft"] == 1


def test_a_key_that_means_something_else_is_no_guide() -> None:
    assert guides.guides({"a": SMILE, "blink": np.zeros_like(JAW)}, MADE) == {}


def test_halves_of_the_users_blink() -> None:
    own = {"blink": (BLINK_LEFT + BLINK_RIGHT) * np.float32(0.8)}
    styles = guides.styles(guides.guides(own, MADE), own, MADE)
    assert set(styles) == {"eyeBlinkLeft", "eyeBlinkRight"}
    np.testing.assert_allclose(
        styles["eyeBlinkLeft"] + styles["eyeBlinkRight"], own["blink"], atol=1e-6
    )
    assert not styles["eyeBlinkLeft"][20:].any()


def _with_own_vowel(body: Any, tiny: Path, share: float) -> Any:
    """The figure with a hand-made A of a share of the generated vowel."""
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"})
    keys = body.data.shape_keys.key_blocks
    size = len(body.data.vertices)
    full, rest = np.empty((size, 3), np.float32), np.empty((size, 3), np.float32)
    keys["vrc.v_aa"].points.foreach_get("co", full.reshape(-1))
    keys["Basis"].points.foreach_get("co", rest.reshape(-1))
    bpy.ops.blendshapes.remove()
    own = body.shape_key_add(name="A", from_mix=False)
    own.points.foreach_set("co", (rest + np.float32(share) * (full - rest)).reshape(-1))
    return full - rest


@pytest.mark.parametrize("guide", ["size", "shape"])
def test_in_blender_the_vowel_gets_the_size_of_the_users(body: Any, tiny: Path, guide: str) -> None:
    full = _with_own_vowel(body, tiny, 0.6)
    assert bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"}, guide=guide) == {
        "FINISHED"
    }
    keys = body.data.shape_keys.key_blocks
    moved, rest = np.empty_like(full), np.empty_like(full)
    keys["vrc.v_aa"].points.foreach_get("co", moved.reshape(-1))
    keys["Basis"].points.foreach_get("co", rest.reshape(-1))
    np.testing.assert_allclose(moved - rest, 0.6 * full, atol=1e-5)
    notes = {name: told.note for name, told in remembered.record_of(body).rows.items()}
    assert ("own shape" if guide == "shape" else "60%") in notes["vrc.v_aa"]


def test_without_own_keys_it_is_said(body: Any, tiny: Path) -> None:
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"}, guide="size")
    assert any("None of your own" in warning for warning in session.status.warnings)
