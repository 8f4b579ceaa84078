# SPDX-License-Identifier: GPL-3.0-or-later
"""Anime, cartoon and muzzled heads: what their builder promises on every draw."""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.analyse.opening_sides import lip_lid_side, opposites
from scripts.samples import stylised
from scripts.samples.anatomy import OPENINGS, PARTS, Anatomy
from scripts.samples.modelled import BUILDERS, overlay
from scripts.samples.rig import Floats, Ints
from scripts.train.sources import arkit_names

SEEDS = range(8)


def head(seed: int) -> tuple[Anatomy, Ints]:
    return stylised.head(np.random.default_rng([41, seed]))


def shapes_of(made: Anatomy) -> dict[str, Floats]:
    return {name: offsets for make in BUILDERS for name, offsets in make(made).items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_both_halves_are_mirror_images(seed: int) -> None:
    made, _triangles = head(seed)
    skin = made.vertices[made.part == PARTS.index("skin")]
    order, other = (np.lexsort(np.round(v, 4).T) for v in (skin, skin * [-1, 1, 1]))
    assert np.allclose(skin[order], (skin * [-1, 1, 1])[other], atol=2e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_blink_closes_the_eye(seed: int) -> None:
    made, _triangles = head(seed)
    blink = shapes_of(made)["eyeBlinkLeft"]
    if made.habits.decal:
        eye = made.of("white_left")[:, 0] > 0
        assert np.ptp((made.vertices + blink)[eye, 1]) < 0.1 * np.ptp(made.vertices[eye, 1])
        return
    edge = (made.opening == OPENINGS.index("eye_left")) & (made.ring == 0)
    upper, lower = edge & (np.sin(made.turn) > 0.3), edge & (np.sin(made.turn) < -0.3)
    moved = made.vertices + blink
    gap = np.linalg.norm(moved[upper][:, None] - moved[lower][None], axis=2).min(axis=1)
    high = np.linalg.norm(made.landmarks["lid_upper_left"] - made.landmarks["lid_lower_left"])
    spacing = np.linalg.norm(
        np.diff(made.vertices[lower][np.argsort(made.turn[lower])], axis=0), axis=1
    ).max()
    assert gap.max() < 0.05 * high + 0.6 * spacing


@pytest.mark.parametrize("seed", SEEDS)
def test_all_shapes_are_there_and_spare_hair_and_back(seed: int) -> None:
    made, _triangles = head(seed)
    shapes = shapes_of(made)
    assert set(shapes) >= set(arkit_names()) - {"tongueOut"}
    behind = made.vertices[:, 2] < -1.7
    for name, offsets in shapes.items():
        assert np.isfinite(offsets).all(), name
        assert np.abs(offsets[behind]).max(initial=0) < 0.02, name


@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_to_the_other_lid_leads_across_the_eye(seed: int) -> None:
    made, triangles = head(seed)
    if made.habits.decal:
        return
    side = lip_lid_side(made.vertices, triangles, made.landmarks)
    other = opposites(made.vertices, triangles, made.landmarks, side)[:, 1]
    edge = np.flatnonzero(
        (made.opening == OPENINGS.index("eye_left"))
        & (made.ring == 0)
        & (np.abs(np.sin(made.turn)) > 0.5)
    )
    known = edge[other[edge] >= 0]
    assert len(known) > 0.8 * len(edge)
    across = made.vertices[other[known]] - made.vertices[known]
    assert (np.sign(across[:, 1]) == -np.sign(np.sin(made.turn[known]))).mean() > 0.8


def test_a_sheet_follows_the_skin_below_it() -> None:
    made, triangles = head(3)
    sheet, more, source = overlay(made, triangles, np.random.default_rng(0))
    assert len(sheet) == len(source) and more.max() < len(sheet)
    assert np.linalg.norm(sheet - made.vertices[source], axis=1).max() < 0.06


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sketched_head_has_few_faces_and_its_drawing_lies_on_them(seed: int) -> None:
    made, triangles = stylised.head(np.random.default_rng([43, seed]), sketched=True)
    skin = (made.part == PARTS.index("skin"))[triangles].all(axis=1)
    assert skin.sum() < 900 and np.isfinite(made.vertices).all()
    assert not (made.opening == OPENINGS.index("mouth")).any() and made.habits.decal
    corners = made.landmarks["mouth_left"], made.landmarks["mouth_right"]
    assert corners[0][0] > 0 > corners[1][0] and abs(corners[0][0] + corners[1][0]) < 1e-4
    for name in ("mouth_left", "lip_upper", "lip_lower"):
        assert np.linalg.norm(made.vertices - made.landmarks[name], axis=1).min() < 1e-5, name
