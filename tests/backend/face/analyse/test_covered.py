# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies before what: lids before an eye, an eye before the skin, and no eye at all."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.flat_head import flat_head
from numpy.typing import NDArray

from backend.face.analyse import covered
from backend.face.analyse.surface import Surface, surface_of
from backend.face.geometry.landmarks import SIDES
from backend.face.geometry.mesh import loose_parts, part_boxes, weld

SKIN = -0.24  # how far ahead the ball lies where the eyes are


def lids(vertices: NDArray[np.float32], triangles: NDArray[np.int32], side: str) -> covered.Covered:
    """How much is covered of a head of flat parts whose eyes' corners lie on its skin."""
    marks = {
        name: np.where(name.startswith("eye"), [*place[:2], SKIN], place).astype(np.float32)
        for name, place in flat_head().landmarks.items()
    }
    parts = part_boxes(vertices, loose_parts(vertices, triangles))
    nothing = np.zeros((len(vertices), 2), np.float32)
    return covered.lids(
        surface_of(vertices, triangles, weld(vertices), parts, nothing, landmarks=marks),
        marks,
        side,
    )


@pytest.mark.parametrize("side", SIDES)
def test_lids_cover_only_an_eye_behind_them(
    side: str,
) -> None:
    made = flat_head()
    eyes = np.zeros(len(made.vertices), bool)
    for name, span in made.spans.items():
        eyes[span] = name.startswith(("eye", "lash"))
    assert lids(made.vertices, made.triangles, side) == covered.Covered()
    inside = made.vertices - np.where(eyes[:, None], np.array([0, 0, 0.5], np.float32), 0).astype(
        np.float32
    )
    assert lids(inside, made.triangles, side) == covered.Covered(1.0, 1.0)
    assert (
        lids(made.vertices, made.triangles[~eyes[made.triangles].any(axis=1)], side).behind == 0.0
    )


def test_depths_are_those_of_triangles_at_a_place() -> None:
    corners = np.array(
        [
            [[0, 0, 0], [1, 0, 0], [0, 1, 1]],
            [[0, 0, 5], [1, 0, 5], [0, 1, 5]],
            [[0, 0, 0], [0, 0, 1], [0, 0, 2]],
        ],
        np.float64,
    )
    (first, deep), (none, _) = covered.depths(corners, np.array([[0.25, 0.5], [2.0, 2.0]]))
    assert first.tolist() == [0, 1] and deep.tolist() == [0.5, 5.0] and not len(none)


def test_lids_cover_the_share_that_they_hang_over() -> None:
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    lid = np.concatenate(
        [corners * (1, 0.0325) + (0, 0.0075), np.zeros((4, 1))], axis=1
    )  # over two of five rows of places, 0.015 apart
    ball = np.concatenate([corners - (0, 0.5), np.full((4, 1), -0.2)], axis=1)
    v = np.concatenate([lid, ball]).astype(np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)], np.int32)
    skin, none, owner = np.arange(8) < 4, np.zeros(8, bool), np.repeat([0, 1], 4).astype(np.int32)
    there = Surface(
        v,
        triangles,
        np.arange(8, dtype=np.int32),
        owner,
        np.zeros((8, 2), np.float32),
        [skin, skin],
        none,
        owner,
        np.zeros((8, 6), np.float32),
        {},
    )
    marks = {
        "eye_inner_left": np.array([0.3, 0, 0], np.float32),
        "eye_outer_left": np.array([0.7, 0, 0], np.float32),
    }
    found = covered.lids(there, marks, "left")
    assert (found.lid, found.behind) == pytest.approx((0.4, 0.4)) and found.seen > 0.8


@pytest.mark.parametrize(("above", "covers"), [(0.02, True), (0.2, False)])
def test_lids_include_layers_on_them_but_not_what_floats(above: float, covers: bool) -> None:
    square = np.array([(0, -1), (1, -1), (1, 1), (0, 1)], np.float32)
    v = np.concatenate(
        [np.concatenate([square, np.full((4, 1), depth)], axis=1) for depth in (0.0, above, -0.2)]
    ).astype(np.float32)
    triangles = np.array(
        [(k, k + a, k + b) for k in (0, 4, 8) for a, b in ((1, 2), (2, 3))], np.int32
    )
    skin, none, owner = (
        np.arange(12) < 4,
        np.zeros(12, bool),
        np.repeat([0, 1, 2], 4).astype(np.int32),
    )
    sides, boxes = np.zeros((12, 2), np.float32), np.zeros((12, 6), np.float32)
    there = Surface(
        v,
        triangles,
        np.arange(12, dtype=np.int32),
        owner,
        sides,
        [skin, skin],
        none,
        owner,
        boxes,
        {},
    )
    marks = {
        "eye_inner_left": np.array([0.3, 0, 0], np.float32),
        "eye_outer_left": np.array([0.7, 0, 0], np.float32),
    }
    assert covered.lids(there, marks, "left") == covered.Covered(float(covers), 1.0, 0.0)
