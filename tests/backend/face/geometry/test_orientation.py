# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles that look inwards are turned, as a whole or part by part, and others are let be."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.geometry.mesh import loose_parts
from backend.face.geometry.orientation import outward
from scripts.samples.head import build
from scripts.samples.head_skin import MATERIALS
from scripts.samples.surface import HeadSpec

Ints = NDArray[np.int32]


@cache
def head() -> tuple[NDArray[np.float32], Ints, Ints, Ints]:
    """The sample head: vertices, triangles, loose parts, and the material of each triangle."""
    made = build(HeadSpec())
    triangles, material = [], []
    for polygon, number in zip(made.polygons, made.material, strict=True):
        for corner in range(1, len(polygon) - 1):
            triangles.append((polygon[0], polygon[corner], polygon[corner + 1]))
            material.append(number)
    vertices, faces = np.ascontiguousarray(made.vertices, np.float32), np.array(triangles, np.int32)
    return vertices, faces, loose_parts(vertices, faces), np.array(material, np.int32)


def test_a_head_as_it_is_is_let_be() -> None:
    vertices, triangles, parts, _material = head()
    assert outward(vertices, triangles, parts) is triangles


def test_a_head_that_is_inside_out_is_turned() -> None:
    vertices, triangles, parts, _material = head()
    np.testing.assert_array_equal(outward(vertices, triangles[:, ::-1], parts), triangles)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_it_does_not_matter_how_the_head_stands(axis: int) -> None:
    vertices, triangles, parts, _material = head()
    turned = np.ascontiguousarray(np.roll(vertices, axis, axis=1) * np.float32(250) + np.float32(7))
    np.testing.assert_array_equal(outward(turned, triangles[:, ::-1], parts), triangles)


def test_a_mirrored_eye_is_turned_alone() -> None:
    vertices, triangles, parts, material = head()
    eye = np.isin(material, [MATERIALS.index(name) for name in ("eye_white", "iris", "pupil")]) & (
        vertices[triangles[:, 0], 0] > 0
    )
    assert eye.any()
    wrong = np.where(eye[:, None], triangles[:, ::-1], triangles)
    np.testing.assert_array_equal(outward(vertices, wrong, parts), triangles)


@pytest.mark.parametrize("least", [True, False])
def test_a_small_closed_body_is_turned_and_one_of_fewer_faces_let_be(least: bool) -> None:
    vertices, triangles, _parts, _material = head()
    golden = (1 + 5**0.5) / 2
    corners = np.array(
        [np.roll((0, a, b * golden), axis) for axis in range(3) for a in (-1, 1) for b in (-1, 1)]
    )
    apart = np.linalg.norm(corners[:, None] - corners, axis=2).round(3)
    beside = apart == apart[apart > 0].min()
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a)
        for c in range(b)
        if beside[a, b] and beside[b, c] and beside[a, c]
    ]
    ball = np.array(
        [f if np.linalg.det(corners[list(f)]) > 0 else f[::-1] for f in faces], np.int32
    )
    if not least:  # a box
        corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        ball = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    assert len(ball) == (20 if least else 12)
    eye = (corners * 0.005 + vertices.mean(axis=0)).astype(
        np.float32
    )  # inside the head, where no view sees it
    both = np.concatenate([vertices, eye])
    wrong = np.concatenate([triangles, ball[:, ::-1] + len(vertices)]).astype(np.int32)
    found = outward(both, wrong, loose_parts(both, wrong))
    np.testing.assert_array_equal(found[: len(triangles)], triangles)
    np.testing.assert_array_equal(
        found[len(triangles) :], (ball if least else ball[:, ::-1]) + len(vertices)
    )


def test_an_outline_around_the_head_is_let_be() -> None:
    vertices, triangles, _parts, _material = head()
    hull = np.ascontiguousarray(
        (vertices - vertices.mean(axis=0)) * np.float32(1.01) + vertices.mean(axis=0)
    )
    both = np.concatenate([vertices, hull])
    faces = np.concatenate([triangles, triangles[:, ::-1] + len(vertices)]).astype(np.int32)
    found = outward(both, faces, loose_parts(both, faces))
    small = np.bincount(loose_parts(both, faces)[faces[:, 0]])[
        loose_parts(both, faces)[faces[:, 0]]
    ] < 0.1 * len(faces)
    np.testing.assert_array_equal(found[~small], faces[~small])


def test_nothing_to_see_is_nothing_to_turn() -> None:
    point = np.zeros((3, 3), np.float32)
    triangle = np.array([[0, 1, 2]], np.int32)
    assert outward(point, triangle, np.zeros(3, np.int32)) is triangle
