# SPDX-License-Identifier: GPL-3.0-or-later
"""Points that stay on a mesh: three of its vertices hold each, and are found again by numbers that
the mesh carries along through edits.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared_marks import marks

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Doubles = NDArray[np.float64]
Point = tuple[float, float, float]

# Blender hides names that begin so from its lists, and exporters leave them out
ATTRIBUTE = ".sculpt_landmark_anchor"
_NUMBERS = 2**31 - 1


@dataclass(frozen=True)
class Surface:
    """Where a mesh's vertices are, float32 (V,3), and its triangles, int32 (T,3)."""

    vertices: Floats
    triangles: Ints


@dataclass(frozen=True)
class Hold:
    """Three vertices, their weights, and how far the point lies away from the mesh's middle above
    them, in units of the triangle's size. A point that is held so goes along with every affine
    change of the mesh, and with its neighbours through all others.
    """

    corners: tuple[int, int, int]
    weights: tuple[float, float, float]
    height: float


def places(holds: Mapping[str, Hold], vertices: Floats) -> dict[str, Point]:
    """Where points are when the mesh's vertices are at `vertices` (V,3)."""
    middle = _middle(vertices)
    found = {}
    for name, held in holds.items():
        a, b, c = vertices[list(held.corners)].astype(np.float64)
        point = (
            held.weights[0] * a
            + held.weights[1] * b
            + held.weights[2] * c
            + held.height * _upwards(a, b, c, middle)
        )
        found[name] = (float(point[0]), float(point[1]), float(point[2]))
    return found


def hold(surface: Surface, points: Mapping[str, Sequence[float]]) -> dict[str, Hold]:
    """How points are held on a surface; none are where it has no triangles."""
    at = {name: np.array(point, np.float64) for name, point in points.items()}
    if not at or not len(surface.triangles):
        return {}
    together = np.array(list(at.values()))
    close = marks.around(surface.vertices, surface.triangles, together)
    nearest = marks.nearest_triangles(surface.vertices, close, together)
    middle = _middle(surface.vertices)
    return {
        name: _held(surface.vertices, close[number], point, middle)
        for (name, point), (number, _away) in zip(at.items(), nearest, strict=True)
    }


def _held(vertices: Floats, corners: Ints, point: Doubles, middle: Doubles) -> Hold:
    a, b, c = vertices[corners].astype(np.float64)
    normal = np.cross(b - a, c - a)
    area = float(normal @ normal)
    numbers = (int(corners[0]), int(corners[1]), int(corners[2]))
    if area <= 0:
        nearest = int(np.argmin([np.linalg.norm(corner - point) for corner in (a, b, c)]))
        return Hold(numbers, (float(nearest == 0), float(nearest == 1), float(nearest == 2)), 0.0)
    u, v = (
        float(np.cross(one - point, other - point) @ normal) / area
        for one, other in ((b, c), (c, a))
    )
    flat = u * a + v * b + (1 - u - v) * c
    up = _upwards(a, b, c, middle)
    return Hold(numbers, (u, v, 1 - u - v), float((point - flat) @ up / (up @ up)))


def _upwards(a: Doubles, b: Doubles, c: Doubles, middle: Doubles) -> Doubles:
    """The triangle's normal, as long as the triangle is large, away from the mesh's middle: also
    after a mirroring, which turns triangles over.
    """
    normal = np.cross(b - a, c - a)
    length = float(np.linalg.norm(normal))
    if length <= 0:
        return np.array([0.0, 0.0, 1e-12])
    outwards = 1.0 if float(normal @ ((a + b + c) / 3 - middle)) >= 0 else -1.0
    return np.asarray(outwards * normal / np.sqrt(length))


def _middle(vertices: Floats) -> Doubles:
    """Of vertices (V,3), (3,); of a mesh that has lost them all, its origin."""
    return np.asarray(vertices.mean(axis=0, dtype=np.float64)) if len(vertices) else np.zeros(3)


def numbers_of(mesh: bpy.types.Mesh) -> Ints | None:
    """The vertices' numbers int32 (V,), 0 for none; None while Edit Mode holds the mesh."""
    numbers = np.zeros(len(mesh.vertices), np.int32)
    attribute: Any = mesh.attributes.get(ATTRIBUTE)
    if attribute is None or attribute.data_type != "INT" or attribute.domain != "POINT":
        return numbers
    if len(attribute.data) != len(numbers):
        return None
    attribute.data.foreach_get("value", numbers)
    return numbers


def number(mesh: bpy.types.Mesh, indices: Sequence[int]) -> dict[int, int]:
    """Vertex -> its number, which it gets where it has none of its own. Object mode."""
    numbers = numbers_of(mesh)
    if numbers is None:
        return {}
    found: dict[int, int] = {}
    fresh = False
    for index in indices:
        if (
            not numbers[index] or np.flatnonzero(numbers == numbers[index])[0] != index
        ):  # a copy of the vertex that has it
            numbers[index] = 1 + secrets.randbelow(_NUMBERS)
            fresh = True
        found[index] = int(numbers[index])
    if fresh:
        attribute: Any = mesh.attributes.get(ATTRIBUTE)
        if attribute is not None and (attribute.data_type != "INT" or attribute.domain != "POINT"):
            mesh.attributes.remove(attribute)
            attribute = None
        if attribute is None:
            attribute = mesh.attributes.new(ATTRIBUTE, "INT", "POINT")
        attribute.data.foreach_set("value", numbers)
    return found


def vertices_of(numbers: Ints) -> dict[int, int]:
    """Number -> vertex. Of several with one number the first: copies that Blender makes come after
    what they are copies of.
    """
    there = np.flatnonzero(numbers)
    return {int(numbers[index]): int(index) for index in there[::-1]}


def clear(mesh: bpy.types.Mesh) -> None:
    """Take all numbers away."""
    attribute = mesh.attributes.get(ATTRIBUTE)
    if attribute is not None:
        mesh.attributes.remove(attribute)
