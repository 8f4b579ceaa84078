# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh as plain arrays, and what follows from these alone: edges, welded points, loose parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..evidence import evidence
from ..params.geometry import BLOCKS, MESH
from . import blocks
from .landmarks import NAMES
from .ticks import tick

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
AXIS_PLACES = np.array([1, 1 << 21, 1 << 42], np.int64)
SIDE_BONES = ("left_side", "right_side")  # the middles of the skeleton's bones on either side
LOW_HALF = 0xFFFFFFFF  # of a number that packs two of 32 bits


@dataclass(frozen=True)
class AvatarMesh:
    """An object's mesh in object space, as it arrives through the pipe.

    vertices: float32 (V,3). triangles: int32 (T,3). head_weights: float32 (V,), summed weight to
    the Head bone and its children. mask: float32 (V,), the face is inside where > 0. bones: rest
    positions (3,) by the names head, neck, left_eye, right_eye, jaw and SIDE_BONES. up: the world's
    up (3,), a hint. landmarks: positions (3,) that the user corrected, by the names of
    landmarks.NAMES; they are believed. roles: int32 (V,), what the user says that each vertex is
    part of, as numbers of roles.ROLES. evidence: what names of materials, bones, groups and objects
    say; hints.
    """

    vertices: Floats
    triangles: Ints
    head_weights: Floats | None = None
    mask: Floats | None = None
    bones: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    up: tuple[float, float, float] | None = None
    landmarks: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    roles: Ints | None = None
    evidence: evidence.Evidence | None = None

    def arrays(self) -> dict[str, Floats | Ints]:
        """Those that there are, by name, as they go through the pipe; those of the evidence are its
        own.
        """
        named = {
            name: getattr(self, name)
            for name in ("vertices", "triangles", "head_weights", "mask", "roles")
        }
        return {name: array for name, array in named.items() if array is not None}

    @cached_property
    def group(self) -> Ints:  # of `weld`
        return weld(self.vertices)

    @cached_property
    def parts(self) -> Ints:  # of `loose_parts`
        return loose_parts(self.vertices, self.triangles, self.group)


def check(mesh: AvatarMesh) -> None:
    """Raise BackendError (mesh_empty, mesh_invalid, mesh_not_finite) unless the arrays describe a
    mesh that can be worked on.
    """
    vertices, triangles = mesh.vertices, mesh.triangles
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise BackendError(
            "mesh_invalid",
            f"Vertices must have the shape (V, 3), not {vertices.shape}.",
            "Send x, y and z of every vertex.",
        )
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise BackendError(
            "mesh_invalid",
            f"Triangles must have the shape (T, 3), not {triangles.shape}.",
            "Triangulate the faces.",
        )
    if len(vertices) == 0 or len(triangles) == 0:
        what = "vertices" if len(vertices) == 0 else "faces"
        raise BackendError(
            "mesh_empty",
            f"The mesh has no {what}.",
            "Choose the object that holds the avatar's face.",
        )
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise BackendError(
            "mesh_invalid",
            "A triangle points at a vertex that does not exist.",
            "Run Mesh > Clean Up, or re-import the file.",
        )
    for name, per_vertex in (
        ("head_weights", mesh.head_weights),
        ("mask", mesh.mask),
        ("roles", mesh.roles),
    ):
        if per_vertex is not None and per_vertex.shape != (len(vertices),):
            raise BackendError(
                "mesh_invalid",
                f"{name} must have one value per vertex, not the shape {per_vertex.shape}.",
                "Send V of them.",
            )
    if mesh.evidence is not None:
        evidence.check(mesh.evidence, len(vertices), len(triangles))
    unknown = sorted(set(mesh.landmarks) - set(NAMES))
    if unknown:
        raise BackendError(
            "mesh_invalid",
            f"There is no landmark {unknown[0]!r}.",
            f"Landmarks are {', '.join(NAMES)}.",
        )
    bad = int((~np.isfinite(vertices)).any(axis=1).sum())
    if bad or not np.isfinite(extent(vertices)):
        raise BackendError(
            "mesh_not_finite",
            f"{bad or 'Some'} vertices have coordinates that are not numbers or too large.",
            "Select and delete or repair these vertices, then try again.",
        )


def extent(vertices: Floats) -> float:
    """Largest side of the bounding box of vertices (V,3), in their unit."""
    low, high = bounds(vertices)
    return float((high.astype(np.float64) - low).max())


def bounds(vertices: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lowest and highest coordinates (3,) of vertices (V,3); by columns, which is ten times as fast
    as over rows of three.
    """
    columns = [vertices[:, axis] for axis in range(3)]
    return np.array([column.min() for column in columns]), np.array(
        [column.max() for column in columns]
    )


def all_corners(some: NDArray[np.bool_], triangles: Ints) -> NDArray[np.bool_]:
    """Triangles of which all corners are among some, as flags (T,).

    Args:
        some: bool (V,)
        triangles: int32 (T,3)
    """
    return np.asarray(some[triangles[:, 0]] & some[triangles[:, 1]] & some[triangles[:, 2]])


def among(indices: Ints, triangles: Ints) -> Ints:
    """The triangles (U,3) of which all corners are among some, as numbers of these.

    Args:
        indices: int32 (F,), of vertices
        triangles: int32 (T,3)
    """
    position = np.full(
        max(int(triangles.max(initial=-1)), int(indices.max(initial=-1))) + 1, -1, np.int32
    )
    position[indices] = np.arange(len(indices))
    return np.asarray(position[triangles[all_corners(position >= 0, triangles)]], np.int32)


def squared(vectors: NDArray[Any]) -> NDArray[Any]:
    """Squared lengths (N,) of vectors (N,3)."""
    x, y, z = vectors.T
    return np.asarray(x * x + y * y + z * z)


def nearest(
    points: Floats, among: Floats, more: Callable[[Floats], Floats] | None = None
) -> NDArray[np.intp]:
    """Index (N,) of the nearest of some points to each of others.

    Args:
        points: float (N,3)
        among: float (M,3), at least one
        more: of those (M,3), what is added to the squared distances (M,)
    """
    found = np.empty(len(points), np.intp)
    kind = (
        np.float32 if more is None else np.float64
    )  # what is told apart by a little must not hang on how a processor sums
    middle = among.mean(axis=0, dtype=np.float64)
    centred = (among - middle).astype(kind)  # small numbers round less
    squares = squared(centred) if more is None else squared(centred) + more(among)
    # a product with a column of ones gives |q|^2 - 2 p . q without further passes over the table,
    # which fits into a core's cache
    mine = np.concatenate([(points - middle).astype(kind), np.ones((len(points), 1), kind)], axis=1)
    theirs = np.ascontiguousarray(np.concatenate([-2 * centred, squares[:, None]], axis=1).T)
    if len(points) * len(among) > BLOCKS.pairs:
        return _nearest_in_blocks(mine, theirs, squares - squared(centred))
    step = max(1, min(MESH.distances_at_once // len(among), len(points)))
    table = np.empty((step, len(among)), kind)
    for first in range(0, len(points), step):
        tick()
        some = mine[first : first + step]
        np.matmul(some, theirs, out=table[: len(some)]).argmin(
            axis=1, out=found[first : first + step]
        )
    return found


def _nearest_in_blocks(
    mine: NDArray[Any], theirs: NDArray[Any], more: NDArray[Any]
) -> NDArray[np.intp]:
    """What `nearest` finds, (N,), of tables that are too large to be filled.

    Args:
        mine: points and a one, (N,4)
        theirs: what their product with mine is to be minimised of, (4,M)
        more: what is added to squared distances (M,)
    """

    others = np.ascontiguousarray(theirs.T)

    def score(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[Any]:
        return np.asarray(mine.take(rows, axis=0) @ others.take(columns, axis=0).T)

    return blocks.nearest(mine[:, :3], others[:, :3] / -2, more, score)


def weld(vertices: Floats) -> Ints:
    """Group int32 (V,) of each vertex: vertices in one place (within 1e-6 of the mesh's size) share
    a group, numbered from 0.
    """
    tick()
    size = max(extent(vertices), 1e-30)
    cells = np.round(
        (vertices.astype(np.float64) - bounds(vertices)[0]) / (size * MESH.weld)
    ).astype(np.int64)
    _, group = np.unique(cells @ AXIS_PLACES, return_inverse=True)
    return np.asarray(group.ravel(), np.int32)


def connected_parts(count: int, triangles: Ints) -> Ints:
    """Part int32 (count,) of each vertex, numbered from 0; vertices joined by triangles share a
    part.

    Label propagation with pointer jumping: every round each edge pulls the larger root under the
    smaller, so few rounds suffice.

    Args:
        count: of vertices
        triangles: int32 (T,3)
    """
    start, end = (
        np.concatenate([triangles[:, corner], triangles[:, corner + 1]]) for corner in (0, 1)
    )
    root = np.arange(count, dtype=np.int32)
    while True:
        tick()
        first, second = root.take(start), root.take(end)
        low, high = np.minimum(first, second), np.maximum(first, second)
        if np.array_equal(low, high):
            _, part = np.unique(root, return_inverse=True)
            return np.asarray(part.ravel(), np.int32)
        np.minimum.at(root, high, low)
        while not np.array_equal(root, root[root]):
            root = root[root]


def edges_of(triangles: NDArray[np.signedinteger[Any]]) -> Ints:
    """The edges int32 (E,2) of triangles (T,3), each once, the lower index first, in order."""
    first, second = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    return _pairs(_sorted(np.minimum(first, second), np.maximum(first, second)))


def adjacency(edges: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Who is next to whom along edges (E,2): start (2E,), begins (J,), joined (J,), int64: the
    neighbours of joined[j], in order, are start[begins[j] : begins[j + 1]].
    """
    low, high = edges.T
    numbers = _sorted(np.concatenate([low, high]), np.concatenate([high, low]))
    end = numbers >> 32
    begins = np.flatnonzero(np.diff(end, prepend=-1))
    return numbers & LOW_HALF, begins, end[begins]


def _sorted(first: Ints, second: Ints) -> NDArray[np.int64]:
    """Pairs of indices as one number each, sorted and each once: many times faster than np.unique
    over rows, and several than over numbers.
    """
    tick()
    numbers = first.astype(np.int64)
    numbers <<= 32
    numbers |= second
    numbers.sort(
        kind="stable"
    )  # meshes come in rows: it finds them, and takes a half to a seventh of the time
    new = np.ones(len(numbers), bool)
    np.not_equal(numbers[1:], numbers[:-1], out=new[1:])
    return np.asarray(numbers[new], np.int64)


def _pairs(numbers: NDArray[np.int64]) -> Ints:
    pairs = np.empty((len(numbers), 2), np.int32)
    pairs[:, 0] = numbers >> 32
    pairs[:, 1] = numbers & LOW_HALF
    return pairs


def distinct_rows(rows: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The different rows (D,6) of boxes (N,6), in order, and which of them each is (N,). Fast where
    equal rows follow each other, as those of parts do.
    """
    new = np.ones(len(rows), bool)
    first, *others = (
        np.ascontiguousarray(rows, np.float32).view(np.int64).T
    )  # two numbers at a time
    np.not_equal(first[1:], first[:-1], out=new[1:])
    for column in others:
        new[1:] |= column[1:] != column[:-1]
    distinct, which = np.unique(rows[new], axis=0, return_inverse=True)
    return distinct, which.ravel()[np.cumsum(new) - 1]


def loose_parts(vertices: Floats, triangles: Ints, group: Ints | None = None) -> Ints:
    """Part int32 (V,) of each vertex after welding, so that UV seams do not tear a part.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
        group: int32 (V,), of `weld`, where it is known
    """
    group = weld(vertices) if group is None else group
    return np.ascontiguousarray(connected_parts(int(group.max()) + 1, group[triangles])[group])


def part_boxes(vertices: Floats, parts: Ints) -> Floats:
    """Box float32 (V,6) of each vertex's part: centre and half extents, in the vertices' frame.

    Args:
        vertices: float32 (V,3)
        parts: int32 (V,), labels of the loose ones
    """
    tick()
    count = int(parts.max()) + 1
    low, high = np.full((count, 3), np.inf, np.float32), np.full((count, 3), -np.inf, np.float32)
    order = np.argsort(parts, kind="stable")
    starts = np.searchsorted(parts[order], np.arange(count))
    np.minimum.reduceat(vertices[order], starts, axis=0, out=low)
    np.maximum.reduceat(vertices[order], starts, axis=0, out=high)
    return np.ascontiguousarray(np.concatenate([(low + high) / 2, (high - low) / 2], axis=1)[parts])
