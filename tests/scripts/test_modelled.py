# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads modelled with their shapes: what holds by construction must hold on every proportion."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.samples.anatomy import PARTS, Anatomy, Habits
from scripts.samples.modelled import BUILDERS, anatomy, modelled
from scripts.samples.rig import Floats
from scripts.train.sources import arkit_names

SEEDS = (None, 1, 2, 3)


def head_and_shapes(seed: int | None) -> tuple[Anatomy, dict[str, Floats]]:
    head, _triangles = anatomy(None if seed is None else np.random.default_rng(seed))
    return head, {name: offsets for make in BUILDERS for name, offsets in make(head).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_all_shapes_are_there_finite_and_move_something(seed: int | None) -> None:
    head, shapes = head_and_shapes(seed)
    assert set(shapes) == set(arkit_names())
    for name, offsets in shapes.items():
        assert offsets.shape == head.vertices.shape and np.isfinite(offsets).all(), name
        least = 0.01 if head.habits == Habits() else 0.003  # drawn faces move little
        assert least < np.linalg.norm(offsets, axis=1).max() < 1.0, name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_blink_closes_the_lids(seed: int | None, side: str) -> None:
    head, shapes = head_and_shapes(seed)
    moved = head.vertices + shapes[f"eyeBlink{side.title()}"]
    upper, lower = (
        np.linalg.norm(head.vertices - head.landmarks[f"lid_{n}_{side}"], axis=1).argmin()
        for n in ("upper", "lower")
    )
    open_, closed = (np.linalg.norm(v[upper] - v[lower]) for v in (head.vertices, moved))
    assert closed < 0.1 * open_


@pytest.mark.parametrize("seed", SEEDS)
def test_lips_part_and_seal(seed: int | None) -> None:
    head, shapes = head_and_shapes(seed)
    upper, lower = (
        np.linalg.norm(head.vertices - head.landmarks[f"lip_{n}"], axis=1).argmin()
        for n in ("upper", "lower")
    )
    opened, sealed = shapes["jawOpen"], shapes["jawOpen"] + shapes["mouthClose"]
    assert np.linalg.norm(opened[upper] - opened[lower]) > 0.2
    assert np.linalg.norm(sealed[upper] - sealed[lower]) < 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_teeth_and_eyes_move_as_bodies(seed: int | None) -> None:
    head, shapes = head_and_shapes(seed)
    for part, shape in (
        ("teeth_lower", "jawOpen"),
        ("eye_left", "eyeLookOutLeft"),
        ("eye_right", "eyeLookDownRight"),
    ):
        mine = head.vertices[head.part == PARTS.index(part)]
        if not len(mine):  # eyes as flat parts, no teeth
            continue
        moved = mine + shapes[shape][head.part == PARTS.index(part)]
        before, after = (np.linalg.norm(v[:, None] - v[None], axis=2) for v in (mine, moved))
        assert np.abs(before - after).max() < 1e-4, part
    assert not shapes["jawOpen"][head.part == PARTS.index("teeth_upper")].any()


def test_both_sides_of_the_default_head_are_mirror_images() -> None:
    _head, shapes = head_and_shapes(None)
    for name in ("eyeBlink", "mouthSmile", "browDown", "eyeLookOut", "noseSneer", "jaw", "mouth"):
        left, right = (
            np.linalg.norm(shapes[name + side], axis=1).sum() for side in ("Left", "Right")
        )
        assert left == pytest.approx(right, rel=0.01), name


def test_the_rig_has_every_landmark_on_the_head() -> None:
    rig = modelled(np.random.default_rng(5))
    head, _triangles = anatomy(np.random.default_rng(5))
    for name, place in rig.landmarks(rig.vertices, rig.shapes).items():
        assert np.linalg.norm(place - head.landmarks[name]) < 0.05, name


def test_eyes_that_were_pressed_flat_do_not_come_out_of_the_face_as_they_turn() -> None:
    flat = 0
    for seed in range(40):
        made, _triangles = anatomy(np.random.default_rng(seed), 0.0)
        eye = made.vertices[made.part == PARTS.index("eye_left")]
        if not len(eye) or np.ptp(eye[:, 2]) > 0.4 * np.ptp(eye[:, 0]):
            continue
        flat += 1
        shapes = {name: offsets for make in BUILDERS for name, offsets in make(made).items()}
        for name in ("eyeLookOutLeft", "eyeLookUpLeft"):
            moved = eye + shapes[name][made.part == PARTS.index("eye_left")]
            assert moved[:, 2].max() < eye[:, 2].max() + 0.15 * np.ptp(eye[:, 2])
    assert flat > 2
