# SPDX-License-Identifier: GPL-3.0-or-later
"""Mouths that are strips before the skin: what hard edges have cut stays together, and no piece of
them passes for a row of teeth.
"""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.analyse.mouth_parts import mouth_parts
from backend.face.analyse.surface import Surface
from backend.face.correct import flat_shapes
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import Ints, connected_parts, part_boxes, weld

MARKS = {
    "mouth_left": np.array([0.3, 0, 0], np.float32),
    "mouth_right": np.array([-0.3, 0, 0], np.float32),
}
ROWS, COLUMNS = 3, 9


def strip(cut: str) -> tuple[Floats, Ints]:
    """Vertices (V,3) and triangles (T,3) of a strip of two rows of faces: whole, cut between all
    faces, or along its middle into two lips.
    """
    x, y = np.meshgrid(np.linspace(-0.3, 0.3, COLUMNS), (0.05, 0.0, -0.05))
    points = np.stack([x, y, 0.02 * np.cos(4 * x)], axis=2).astype(np.float32)
    quads = [
        [(r, c), (r + 1, c), (r + 1, c + 1), (r, c + 1)]
        for r in range(ROWS - 1)
        for c in range(COLUMNS - 1)
    ]
    corners = np.array(quads)  # (Q,4,2)
    faces = np.arange(len(quads) * 4).reshape(-1, 4)
    vertices = points[corners[..., 0], corners[..., 1]].reshape(-1, 3)
    if cut != "faces":
        lip = np.repeat([r if cut == "lips" else 0 for r in range(ROWS - 1)], COLUMNS - 1)
        same = (lip[:, None] * ROWS + corners[..., 0]) * COLUMNS + corners[..., 1]
        _, first, again = np.unique(same, return_index=True, return_inverse=True)
        vertices, faces = vertices[first], again.reshape(-1, 4)
    return vertices, np.concatenate([faces[:, :3], faces[:, [0, 2, 3]]]).astype(np.int32)


def surface(vertices: Floats, triangles: Ints) -> Surface:
    none = np.zeros(len(vertices), bool)
    return Surface(
        vertices,
        triangles,
        weld(vertices),
        np.zeros(len(vertices), np.int32),
        np.zeros((len(vertices), 2), np.float32),
        skins=[none, none],
        bulky=none,
        pieces=connected_parts(len(vertices), triangles),
        boxes=part_boxes(vertices, np.zeros(len(vertices), np.int32)),
        balls={},
    )


def torn(offsets: Floats, group: Ints) -> float:
    """How far at most vertices in one place move apart."""
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    high, low = (edge.reduceat(offsets[order], first) for edge in (np.maximum, np.minimum))
    return float(np.abs(high - low).max())


@pytest.mark.parametrize("cut", ["nowhere", "faces"])
def test_a_strip_opens_in_one_piece_however_hard_edges_cut_it(cut: str) -> None:
    made = surface(*strip(cut))
    found = flat_shapes.parted(made, [np.ones(len(made.vertices), bool)], MARKS)
    assert found is not None
    assert torn(found[1], made.group) == 0
    middle = np.abs(made.vertices[:, 0]) < 0.1
    assert (found[1][middle & (made.vertices[:, 1] > 0.01), 1] > 0.05).all()
    assert (found[1][middle & (made.vertices[:, 1] < -0.01), 1] < -0.05).all()


def test_lips_that_are_pieces_of_their_own_part() -> None:
    made = surface(*strip("lips"))
    found = flat_shapes.parted(made, [np.ones(len(made.vertices), bool)], MARKS)
    assert found is not None and torn(found[1], made.group) > 0.1


def test_pieces_of_a_strip_are_no_teeth() -> None:
    vertices, triangles = strip("faces")
    made = surface(vertices, triangles)
    rng = np.random.default_rng(0)
    shapes = [rng.normal(0, 0.1, vertices.shape).astype(np.float32) for _ in range(2)]
    # stiff pieces of a whole that is not
    shapes[0][:] = shapes[0][made.pieces]
    lips = np.array([0, 0, 0.1], np.float32)

    def rows(strips: np.ndarray[tuple[int], np.dtype[np.bool_]] | None) -> int:
        found = mouth_parts(
            vertices,
            made.boxes,
            made.pieces // 4,
            lips,
            jaw=shapes[0],
            tongue=0.1 * shapes[1],
            strips=strips,
        )
        return len(found.rows) + len(found.tongues)

    assert rows(None) > 0
    assert rows(np.ones(len(vertices), bool)) == 0


def test_a_mouth_bent_like_a_moustache_opens_below_the_line_between_its_ends() -> None:
    turn = np.linspace(np.pi, 0, 13)
    out = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    rows = [out * np.array([far, far, 0]) + np.array([0, 0, 0.02]) for far in (0.3, 0.27, 0.24)]
    vertices = np.concatenate(rows).astype(np.float32)
    place = np.arange(len(vertices)).reshape(3, -1)
    a, b, c, d = place[:-1, :-1], place[:-1, 1:], place[1:, :-1], place[1:, 1:]
    faces = [np.stack(each, axis=-1).reshape(-1, 3) for each in ((a, c, b), (c, d, b))]
    made = surface(vertices, np.concatenate(faces).astype(np.int32))
    found = flat_shapes.parted(made, [np.ones(len(vertices), bool)], MARKS)
    assert found is not None
    opened = vertices + found[1]
    upper, lower = opened[: len(turn)], opened[-len(turn) :]
    assert (found[1][1 : len(turn) - 1, 1] > 0).all(), "the outer rim is the upper one"
    assert (lower[3:-3, 1] < 0).all(), "and the inner one falls below the ends"
    bend = np.diff(lower[1:-1, 1]) / np.diff(lower[1:-1, 0])
    assert (np.diff(bend) > 0).all(), "in one curve, without corners"
    assert (upper[:, 1] >= -1e-6).all()
