# SPDX-License-Identifier: GPL-3.0-or-later
"""Derived conditions: halves add up to the whole, pushes act where their carrier does."""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.params.shapes import DERIVING
from backend.face.shapes import derived
from backend.face.shapes.shape_sets import load_sets

ARKIT = list(load_sets()["arkit"].shapes)
RNG = np.random.default_rng(8)
VERTICES = RNG.normal(0, 0.6, (300, 3)).astype(np.float32)
SHAPES = {name: RNG.normal(0, 0.1, (300, 3)).astype(np.float32) for name in ARKIT}


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("browInnerUp", ("Left", "Right")),
        ("cheekPuff", ("Left", "Right")),
        ("mouthFunnel", ("Upper", "Lower")),
        ("mouthPucker", ("UpperLeft", "UpperRight", "LowerLeft", "LowerRight")),
        ("mouthRollUpper", ("Left", "Right")),
    ],
)
def test_parts_add_up_to_the_whole(whole: str, parts: tuple[str, ...]) -> None:
    total = sum(derived.derive(whole + part, VERTICES, SHAPES) for part in parts)
    np.testing.assert_allclose(total, SHAPES[whole], atol=1e-6)


def test_a_half_stays_on_its_side() -> None:
    right = VERTICES[:, 0] < -DERIVING.half
    assert not derived.derive("browInnerUpLeft", VERTICES, SHAPES)[right].any()
    assert derived.derive("browInnerUpRight", VERTICES, SHAPES)[right].any()


def test_a_push_acts_where_its_carrier_does_and_nowhere_else() -> None:
    shapes = dict(SHAPES, tongueOut=np.zeros_like(VERTICES))
    shapes["tongueOut"][:20, 2] = np.linspace(0, 0.4, 20)
    up = derived.derive("tongueUp", VERTICES, shapes)
    assert not up[20:].any() and (up[1:20, 1] > 0).all() and up[19, 1] == up[:, 1].max()
    left, right = (
        derived.derive("tongueLeft", VERTICES, shapes),
        derived.derive("tongueRight", VERTICES, shapes),
    )
    np.testing.assert_array_equal(left, right * np.array([-1, 1, 1], np.float32))
    assert not derived.derive(
        "tongueUp", VERTICES, dict(SHAPES, tongueOut=np.zeros_like(VERTICES))
    ).any(), "no tongue, nothing to push"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("tongueLeft", (1, 0, 0)),  # the avatar's own left: +x in the canonical frame
        ("tongueRight", (-1, 0, 0)),
        ("tongueUp", (0, 1, 0)),
        ("tongueDown", (0, -1, 0)),
        ("nasalDilationLeft", (1, 0, 0)),
        ("nasalDilationRight", (-1, 0, 0)),
    ],
)
def test_a_push_goes_the_way_that_its_name_says(name: str, way: tuple[int, int, int]) -> None:
    offsets = derived.derive(name, VERTICES, SHAPES)
    along = offsets @ np.array(way, np.float32)
    assert (along >= 0).all() and along.max() > 0.01
    np.testing.assert_allclose(offsets, along[:, None] * np.array(way, np.float32), atol=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in derived.DERIVED
        if name.endswith(("Left", "Right")) and derived.DERIVED[name].push is None
    ],
)
def test_a_side_acts_on_that_side_alone(name: str) -> None:
    side = VERTICES[:, 0] * (1 if name.endswith("Left") else -1)
    offsets = np.abs(derived.derive(name, VERTICES, SHAPES)).max(axis=1)
    assert not offsets[side < -DERIVING.half].any() and offsets[side > DERIVING.half].any()


@pytest.mark.parametrize(
    "name",
    [name for name in derived.DERIVED if {"Upper", "Lower"} & set(derived.DERIVED[name].halves)],
)
def test_a_lip_moves_where_the_jaw_says_that_it_is(name: str) -> None:
    shapes = dict(SHAPES, jawOpen=np.zeros_like(VERTICES))
    shapes["jawOpen"][:150, 1] = -0.5  # the first half is the lower lip's
    upper, lower = (
        np.abs(derived.derive(name, VERTICES, shapes)[rows]).max() > 0
        for rows in (slice(150, None), slice(150))
    )
    assert (bool(upper), bool(lower)) == ("Upper" in name, "Lower" in name)


@pytest.mark.parametrize(
    ("table", "key", "condition"),
    [
        ("unified", "TongueLeft", "tongueLeft"),
        ("unified", "TongueRight", "tongueRight"),
        ("sranipal", "Tongue_Left", "tongueLeft"),
        ("sranipal", "Tongue_Right", "tongueRight"),
        ("unified", "NasalDilationLeft", "nasalDilationLeft"),
    ],
)
def test_the_sets_ask_for_the_side_that_their_key_names(
    table: str, key: str, condition: str
) -> None:
    assert load_sets()[table].shapes[key] == {condition: 1.0}


def test_only_what_the_model_has_carriers_for_is_offered() -> None:
    assert set(derived.derivable(ARKIT)) == set(derived.DERIVED)
    assert "tongueUp" not in derived.derivable([n for n in ARKIT if n != "tongueOut"])
    assert "mouthFunnelUpper" not in derived.derivable([n for n in ARKIT if n != "jawOpen"]), (
        "lips are told apart by the jaw"
    )
    assert "cheekPuffLeft" not in derived.derivable([*ARKIT, "cheekPuffLeft"]), (
        "a model's own shape is better"
    )
