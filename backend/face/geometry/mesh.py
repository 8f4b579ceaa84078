# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh as plain arrays, and what follows from its arrays alone: normals, welded vertices, loose
parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..evidence import evidence
from .landmarks import NAMES

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
ALIKE = 0.5  # cosine between a normal and the mean in its place from which on they belong together
FOLDED = (
    -0.98
)  # cosine between the normals of two triangles up to which they are folded back onto each other
TABLE = 1 << 17  # distances that are looked at at once
# of the mesh's largest extent: vertices that were split for UVs or normals coincide far closer
WELD_TOLERANCE = 1e-6


@dataclass(frozen=True)
class AvatarMesh:
    """An object's mesh in object space, as it arrives through the pipe.

    vertices: float32 (V,3). triangles: int32 (T,3). head_weights: float32 (V,), summed weight to
    the Head bone and its children. mask: float32 (V,), the face is inside where > 0. bones: rest
    positions (3,) by the names head, neck, left_eye, right_eye, jaw. up: the world's up (3,), a
    hint. landmarks: positions (3,) that the user corrected, by the names of landmarks.NAMES; they
    are believed. roles: int32 (V,), what the user says that each vertex is part of, as numbers of
    roles.ROLES. evidence: what names of materials, bones, groups and objects say; hints.
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
    """Largest side of the bounding box, in the vertices' unit."""
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


def all_corners(kept: NDArray[np.bool_], triangles: Ints) -> NDArray[np.bool_]:
    """Triangles (T,3) of which all corners are `kept` (V,), as flags (T,)."""
    return np.asarray(kept[triangles[:, 0]] & kept[triangles[:, 1]] & kept[triangles[:, 2]])


def among(indices: Ints, triangles: Ints) -> Ints:
    """The triangles (U,3) of which all corners are among `indices` (F,), as numbers of these."""
    position = np.full(
        max(int(triangles.max(initial=-1)), int(indices.max(initial=-1))) + 1, -1, np.int32
    )
    position[indices] = np.arange(len(indices))
    return np.asarray(position[triangles[all_corners(position >= 0, triangles)]], np.int32)


def squared(ways: NDArray[Any]) -> NDArray[Any]:
    """Squared lengths (N,) of ways (N,3)."""
    x, y, z = ways.T
    return np.asarray(x * x + y * y + z * z)


def nearest(
    points: Floats, among: Floats, more: Callable[[Floats], Floats] | None = None
) -> NDArray[np.intp]:
    """Index (N,) of the nearest of some points (M,3), at least one, to each of points (N,3). more:
    added to the squared distances of those (M,3).
    """
    found = np.empty(len(points), np.intp)
    kind = (
        np.float32 if more is None else np.float64
    )  # what is told apart by a little must not hang on how a processor sums
    middle = among.mean(axis=0, dtype=np.float64)
    there = (among - middle).astype(kind)  # small numbers round less
    squares = squared(there) if more is None else squared(there) + more(among)
    # a product with a column of ones gives |q|^2 - 2 p . q without further passes over the table,
    # which fits into a core's cache
    mine = np.concatenate([(points - middle).astype(kind), np.ones((len(points), 1), kind)], axis=1)
    theirs = np.ascontiguousarray(np.concatenate([-2 * there, squares[:, None]], axis=1).T)
    step = max(1, min(TABLE // len(among), len(points)))
    table = np.empty((step, len(among)), kind)
    for first in range(0, len(points), step):
        some = mine[first : first + step]
        np.matmul(some, theirs, out=table[: len(some)]).argmin(
            axis=1, out=found[first : first + step]
        )
    return found


def corners_of(
    vertices: Floats, triangles: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The first, second and third corners of triangles (T,3), each float64 (3,T): sums and products
    over rows of three take several times as long.
    """
    columns = vertices.astype(np.float64).T
    return (
        columns.take(triangles[:, 0], axis=1),
        columns.take(triangles[:, 1], axis=1),
        columns.take(triangles[:, 2], axis=1),
    )


def crossed(
    first: NDArray[np.float64], second: NDArray[np.float64], third: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normals (3,T) of triangles by their corners, each (3,T); as long as twice the area."""
    (x, y, z), (u, v, w) = second - first, third - first
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u])


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Unit normals float32 (V,3), area-weighted over the triangles (T,3) around each vertex; zero
    for loose vertices.
    """
    return _unit(_summed_normals(vertices, triangles))


def _summed_normals(vertices: Floats, triangles: Ints) -> NDArray[np.float64]:
    """float64 (V,3): the sum of the normals of the triangles around each vertex, each as long as
    twice its area.
    """
    where = triangles.ravel()
    facing = crossed(*corners_of(vertices, triangles))
    return np.stack(
        [np.bincount(where, np.repeat(column, 3), len(vertices)) for column in facing], axis=1
    )  # np.add.at takes longer


def _unit(ways: NDArray[np.float64]) -> Floats:
    """float32 (N,3) of length 1; zero where there is none."""
    length = np.sqrt(squared(ways))[:, None]
    return np.ascontiguousarray(
        np.divide(ways, length, out=np.zeros_like(ways), where=length > 0), np.float32
    )


def weld(vertices: Floats) -> Ints:
    """Group int32 (V,) of each vertex: vertices in one place (within 1e-6 of the mesh's size) share
    a group, numbered from 0.
    """
    size = max(extent(vertices), 1e-30)
    cells = np.round(
        (vertices.astype(np.float64) - bounds(vertices)[0]) / (size * WELD_TOLERANCE)
    ).astype(np.int64)
    _, group = np.unique(cells @ np.array([1, 1 << 21, 1 << 42], np.int64), return_inverse=True)
    return np.asarray(group.ravel(), np.int32)


def seamless_normals(vertices: Floats, triangles: Ints, group: Ints | None = None) -> Floats:
    """Unit normals float32 (V,3) that agree where a vertex was split for UVs or shading. group
    (V,): of `weld`, where it is known.

    Vertices in one place that an edge between two triangles joins share the normal of all triangles
    around them, as if they had never been split. So do others in one place whose normals point the
    same way; those that face each other, as closed lips do, keep their own.
    """
    group = weld(vertices) if group is None else group
    own = _summed_normals(vertices, triangles)
    if int(group.max(initial=-1)) + 1 == len(group):  # nothing was split
        return _unit(own)
    sheet = _sheets(vertices, triangles, group)
    _, first = np.unique(sheet, return_index=True)
    where = group[first]
    summed = np.stack([np.bincount(sheet, own[:, axis]) for axis in range(3)], axis=1).astype(
        np.float64
    )
    normals = _unit(summed)
    mean = _unit(np.stack([np.bincount(where, summed[:, axis]) for axis in range(3)], axis=1))[
        where
    ]
    alike = (mean * normals).sum(axis=1, keepdims=True) > ALIKE
    return np.ascontiguousarray(np.where(alike, mean, normals)[sheet])


def _sheets(vertices: Floats, triangles: Ints, group: Ints) -> Ints:
    """Sheet int32 (V,) of each vertex: vertices in one place, of one group (V,), share one where
    two triangles that use them meet along an edge of no third one, and do not fold back onto each
    other there.
    """
    shared = np.bincount(group) > 1
    near = triangles[~all_corners(~shared[group], triangles)]
    start, end = near.ravel(), near[:, [1, 2, 0]].ravel()
    turned = group[start] > group[end]
    low, high = np.where(turned, end, start), np.where(turned, start, end)
    keys = group[low].astype(np.int64) << 32 | group[high]
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.diff(keys[order], prepend=-1))
    pairs = begins[np.diff(begins, append=len(order)) == 2]
    one, other = order[pairs], order[pairs + 1]
    facing = _unit(crossed(*corners_of(vertices, near)).T)
    flat = (facing[one // 3] * facing[other // 3]).sum(axis=1) > FOLDED
    met = flat & (
        turned[one] != turned[other]
    )  # two triangles that face alike pass their edge in opposite directions
    links = [
        np.stack([ends[one[met]], ends[other[met]], ends[one[met]]], axis=1) for ends in (low, high)
    ]
    return connected_parts(len(group), np.concatenate(links).astype(np.int32))


def connected_parts(count: int, triangles: Ints) -> Ints:
    """Part int32 (count,) of each vertex, numbered from 0; vertices joined by triangles (T,3) share
    a part.

    Label propagation with pointer jumping: every round each edge pulls the larger root under the
    smaller, so few rounds suffice.
    """
    start, end = (
        np.concatenate([triangles[:, corner], triangles[:, corner + 1]]) for corner in (0, 1)
    )
    root = np.arange(count, dtype=np.int32)
    while True:
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
    return numbers & 0xFFFFFFFF, begins, end[begins]


def _sorted(first: Ints, second: Ints) -> NDArray[np.int64]:
    """Pairs of indices as one number each, sorted and each once: many times faster than np.unique
    over rows, and several than over numbers.
    """
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
    pairs[:, 1] = numbers & 0xFFFFFFFF
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
    """Part int32 (V,) of each vertex after welding, so that UV seams do not tear a part. group
    (V,): of `weld`, where it is known.
    """
    group = weld(vertices) if group is None else group
    return np.ascontiguousarray(connected_parts(int(group.max()) + 1, group[triangles])[group])


def part_boxes(vertices: Floats, parts: Ints) -> Floats:
    """Box float32 (V,6) of each vertex's part: centre and half extents, in the vertices' frame."""
    count = int(parts.max()) + 1
    low, high = np.full((count, 3), np.inf, np.float32), np.full((count, 3), -np.inf, np.float32)
    order = np.argsort(parts, kind="stable")
    starts = np.searchsorted(parts[order], np.arange(count))
    np.minimum.reduceat(vertices[order], starts, axis=0, out=low)
    np.maximum.reduceat(vertices[order], starts, axis=0, out=high)
    return np.ascontiguousarray(np.concatenate([(low + high) / 2, (high - low) / 2], axis=1)[parts])
