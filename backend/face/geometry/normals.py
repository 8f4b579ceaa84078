# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of triangles and vertices, that agree where a mesh was split for UVs or shading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..params.geometry import MESH
from .frame import Floats
from .mesh import Ints, all_corners, connected_parts, squared, weld
from .ticks import tick


def corners_of(
    vertices: Floats, triangles: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The first, second and third corners of triangles, each float64 (3,T): sums and products over
    rows of three take several times as long.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
    """
    tick()
    columns = vertices.astype(np.float64).T
    return (
        columns.take(triangles[:, 0], axis=1),
        columns.take(triangles[:, 1], axis=1),
        columns.take(triangles[:, 2], axis=1),
    )


def crossed(
    first: NDArray[np.float64], second: NDArray[np.float64], third: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normals (3,T) of triangles by their corners; as long as twice the area.

    Args:
        first: float64 (3,T)
        second: float64 (3,T)
        third: float64 (3,T)
    """
    (x, y, z), (u, v, w) = second - first, third - first
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u])


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Unit normals float32 (V,3), area-weighted over the triangles around each vertex; zero for
    loose vertices.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
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


def _unit(vectors: NDArray[np.float64]) -> Floats:
    """float32 (N,3) of length 1; zero where there is none."""
    length = np.sqrt(squared(vectors))[:, None]
    return np.ascontiguousarray(
        np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0), np.float32
    )


def seamless_normals(vertices: Floats, triangles: Ints, group: Ints | None = None) -> Floats:
    """Unit normals float32 (V,3) that agree where a vertex was split for UVs or shading.

    Vertices in one place that an edge between two triangles joins share the normal of all triangles
    around them, as if they had never been split. So do others in one place whose normals point the
    same way; those that face each other, as closed lips do, keep their own.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
        group: int32 (V,), of `weld`, where it is known
    """
    group = weld(vertices) if group is None else group
    own = _summed_normals(vertices, triangles)
    if int(group.max(initial=-1)) + 1 == len(group):  # nothing was split
        return _unit(own)
    sheet = _sheet_of(vertices, triangles, group)
    _, first = np.unique(sheet, return_index=True)
    where = group[first]
    summed = np.stack([np.bincount(sheet, own[:, axis]) for axis in range(3)], axis=1).astype(
        np.float64
    )
    normals = _unit(summed)
    mean = _unit(np.stack([np.bincount(where, summed[:, axis]) for axis in range(3)], axis=1))[
        where
    ]
    alike = (mean * normals).sum(axis=1, keepdims=True) > MESH.alike
    return np.ascontiguousarray(np.where(alike, mean, normals)[sheet])


def _sheet_of(vertices: Floats, triangles: Ints, group: Ints) -> Ints:
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
    flat = (facing[one // 3] * facing[other // 3]).sum(axis=1) > MESH.folded
    met = flat & (
        turned[one] != turned[other]
    )  # two triangles that face alike pass their edge in opposite directions
    links = [
        np.stack([ends[one[met]], ends[other[met]], ends[one[met]]], axis=1) for ends in (low, high)
    ]
    return connected_parts(len(group), np.concatenate(links).astype(np.int32))
