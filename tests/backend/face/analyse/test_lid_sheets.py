# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets of a lid's skin that lie on each other, and lashes that are told as a whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from backend.face.analyse import lid_sheets, standing
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import Ints, connected_parts, weld
from scripts.samples.modelled import anatomy

from .test_lids import lid_of


def grid(x: Floats, y: Floats, z: float = 0.0) -> tuple[Floats, Ints]:
    """Vertices (V,3) and triangles (T,3) of a sheet."""
    columns, rows = np.meshgrid(x, y)
    vertices = np.stack([columns, rows, np.full_like(rows, z)], axis=2).reshape(-1, 3)
    place = np.arange(len(vertices)).reshape(rows.shape)
    a, b, c, d = place[:-1, :-1], place[:-1, 1:], place[1:, :-1], place[1:, 1:]
    faces = [np.stack(each, axis=-1).reshape(-1, 3) for each in ((a, b, c), (c, b, d))]
    return vertices.astype(np.float32), np.concatenate(faces).astype(np.int32)


def sheets(*made: tuple[Floats, Ints]) -> Any:
    """A surface of some sheets; the first is the face's own."""
    counts = np.cumsum([0, *(len(vertices) for vertices, _ in made)])
    vertices = np.concatenate([v for v, _ in made])
    triangles = np.concatenate([t + c for (_, t), c in zip(made, counts, strict=False)])
    pieces = connected_parts(len(vertices), triangles)
    own = np.arange(len(vertices)) < counts[1]
    return SimpleNamespace(
        vertices=vertices,
        triangles=triangles.astype(np.int32),
        group=weld(vertices),
        pieces=pieces,
        skins=[np.ones(len(vertices), bool), own],
    )


def opening(surface: Any) -> Any:
    """An eye's opening, whose units are those of the surface."""
    return SimpleNamespace(
        local=surface.vertices,
        unit=np.ones(3, np.float32),
        skin=np.ones(len(surface.vertices), bool),
        columns=np.linspace(-0.8, 0.8, 9, dtype=np.float32),
    )


def test_slits_are_borders_over_a_lid_that_lie_on_each_other() -> None:
    x = np.linspace(-0.9, 0.9, 4)
    made = sheets(grid(x, np.array([0.5, 0.8, 1.1])), grid(x, np.array([0.1, 0.47])))
    v = made.vertices
    pairs = lid_sheets.slits(made, opening(made), np.ones(len(v), bool), v[:, 1])
    ends = {tuple(sorted(np.round(v[pair, 1].astype(float), 2).tolist())) for pair in pairs}
    assert ends == {(0.47, 0.5)} and len(pairs) == 8, "each of four, from either side"
    shape = np.zeros((len(v), 3), np.float32)
    shape[v[:, 1] < 0.49, 1] = -1
    lid_sheets.together(pairs, shape)
    np.testing.assert_allclose(shape[np.unique(pairs), 1], -0.5)
    assert (shape[v[:, 1] < 0.2, 1] == -1).all() and not shape[v[:, 1] > 0.6].any()


def test_slits_are_none_in_a_whole_sheet_however_fine() -> None:
    made = sheets(grid(np.linspace(-1, 1, 60), np.linspace(0.1, 1, 30)))
    v = made.vertices
    assert not len(lid_sheets.slits(made, opening(made), np.ones(len(v), bool), v[:, 1]))


def test_standing_is_the_whole_of_a_piece_that_stands_in_part() -> None:
    face = grid(np.linspace(-1, 1, 9), np.linspace(0, 1, 9))
    lash = grid(np.linspace(-0.5, 1.3, 7), np.array([0.1, 0.3]), 0.2)
    made = sheets(face, lash)
    there, v = opening(made), made.vertices
    found = standing.standing(made, there, v[:, 1], np.zeros_like(v))
    assert found[len(face[0]) :].all(), "its tip has no skin behind it"
    assert not found[: len(face[0])].any()


def test_standing_is_no_corner_before_a_rim_that_is_sewn_to_it() -> None:
    face = grid(np.linspace(-1.3, -0.5, 9), np.linspace(0, 0.5, 9), 0.2)
    rim = grid(np.linspace(-1.4, -0.4, 5), np.linspace(-0.1, 0.6, 5), 0.1)
    made = sheets(face, rim)
    there, v = opening(made), made.vertices
    found = standing.standing(made, there, v[:, 1], np.zeros_like(v))
    assert not found[v[:, 0] < -0.81].any()


def test_a_lash_that_bends_down_beside_the_eye_is_an_upper_one() -> None:
    made, made_of = anatomy(None, 1.0)
    bare = lid_of(made.vertices, made_of, made.landmarks).opening
    up, low = bare.upper.points, bare.lower.points
    beside = low[-1] + (up[-1] - low[-1]) * np.linspace(1, 0, 16)[1:, None]
    line = np.concatenate([up, beside]) + np.array([0, 0, 0.1])
    rows = np.concatenate([line, line + np.array([0, 0.03, 0.03])])
    v = np.concatenate([made.vertices, (rows * bare.unit) @ bare.axes + bare.origin])
    start, count = len(made.vertices), len(line)
    a = start + np.arange(count - 1)
    strip = np.stack([a, a + 1, a + count, a + count, a + 1, a + count + 1], axis=1)
    triangles = np.concatenate([made_of, strip.reshape(-1, 3)]).astype(np.int32)
    lid = lid_of(v.astype(np.float32), triangles, made.landmarks)
    assert lid.lash[start:].all() and not lid.lower_lash[start:].any()


def test_sewn_are_lashes_and_skin_in_one_place() -> None:
    group = np.array([0, 1, 0, 2, 1], np.int32)
    lash, skin = np.array([1, 1, 0, 0, 0], bool), np.array([0, 0, 1, 1, 0], bool)
    assert lid_sheets.sewn(group, lash, skin).tolist() == [[0, 2], [2, 0]]
    assert not len(lid_sheets.sewn(group, lash & False, skin))
