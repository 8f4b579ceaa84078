# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way triangles face, found from the mesh: an object that was mirrored and whose scale was
applied has all of its faces inside out.

What is in front, seen from outside, should look outside (Takayama et al. 2014, A Simple Method for
Correcting Facet Orientations in Polygon Meshes Based on Ray Casting). Here the rays are six
parallel views, and the triangles that lie in front in them vote.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..params.geometry import ORIENTATION
from .mesh import Floats, Ints, bounds
from .normals import corners_of, crossed


def outward(vertices: Floats, triangles: Ints, parts: Ints) -> Ints:
    """Triangles int32 (T,3) that look outwards, the same array where they do.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
        parts: int32 (V,), of mesh.loose_parts
    """
    chosen = np.arange(0, len(triangles), -(-len(triangles) // ORIENTATION.samples))
    first, second, third = corners_of(vertices, triangles[chosen])
    normals = crossed(first, second, third)
    length = np.sqrt((normals * normals).sum(axis=0))
    facing = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    places = (first + second + third) / 3
    votes, counts = _votes(places, facing)
    if (
        votes.sum() < (1 - ORIENTATION.clearly) * counts.sum()
    ):  # else the other way round cannot be clearly better
        other, others = _votes(places, -facing)
        if (
            other.sum() / max(others.sum(), 1e-30)
            > votes.sum() / counts.sum() + ORIENTATION.clearly
        ):
            triangles, votes, counts = np.ascontiguousarray(triangles[:, ::-1]), other, others
    of_part = parts[triangles[:, 0]]
    size = np.bincount(of_part)
    voted, asked = (np.bincount(of_part[chosen], values, len(size)) for values in (votes, counts))
    small = size < ORIENTATION.small * len(triangles)
    wrong = small & (asked >= ORIENTATION.part_votes) & (voted < ORIENTATION.part_inverted * asked)
    wrong |= _inside_out(vertices, triangles, of_part, small & (size >= ORIENTATION.body_fewest))
    if not wrong.any():
        return triangles
    return np.ascontiguousarray(np.where(wrong[of_part][:, None], triangles[:, ::-1], triangles))


def _inside_out(
    vertices: Floats, triangles: Ints, of_part: Ints, asked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which parts (P,), of those asked for, are closed bodies that look inwards: their triangles'
    areas add up to nothing, and their volume, by the divergence theorem, is below 0. of_part: int32
    (T,), of each triangle.
    """
    mine = asked[of_part]
    part = of_part[mine]
    if not len(part):
        return np.zeros(len(asked), bool)
    corners = corners_of(vertices, triangles[mine])
    areas = crossed(*corners) / 2
    middles = (corners[0] + corners[1] + corners[2]) / 3

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(part, values, len(asked)), np.float64)

    size = np.sqrt((areas * areas).sum(axis=0))
    surface, count = summed(size), np.maximum(summed(np.ones(len(part))), 1)
    centre = np.stack([summed(row) for row in middles]) / count
    left = np.sqrt(sum(summed(row) ** 2 for row in areas))
    volume = summed(((middles - centre[:, part]) * areas).sum(axis=0)) / 3
    body = (left < ORIENTATION.body_open * surface) & (
        np.abs(volume) > ORIENTATION.body_thin * surface**1.5
    )
    return np.asarray(asked & body & (volume < 0))


def _votes(
    places: NDArray[np.float64], facing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For triangles at places (3,S) with unit normals (3,S): the sum of their votes (S,), 1 for
    each view in which one lies in front and looks at the viewer and -1 where it looks away, by how
    straight it looks; and in how many views it lies in front, weighed alike.
    """
    votes, counts = np.zeros(places.shape[1]), np.zeros(places.shape[1])
    low, high = bounds(places.T)
    side = max(float((high - low).max()), 1e-30) / ORIENTATION.cells
    cells = np.minimum(((places - low[:, None]) / side).astype(np.intp), ORIENTATION.cells - 1)
    for axis in range(3):
        across, up = (other for other in range(3) if other != axis)
        cell = cells[across] * ORIENTATION.cells + cells[up]
        order = np.argsort(places[axis], kind="stable")
        for sign, sorted_ in ((1.0, order), (-1.0, order[::-1])):
            straight, depth = sign * facing[axis], sign * places[axis]
            towards, away = (
                _front(cell, sorted_[side_])
                for side_ in (straight[sorted_] > 0, straight[sorted_] <= 0)
            )
            near, far = (np.where(front >= 0, depth[front], -np.inf) for front in (towards, away))
            hidden = near + side >= far  # right behind an outline lies what is seen
            seen = np.where(hidden, towards, away)
            seen = seen[seen >= 0]
            votes[seen] += straight[seen]
            counts[seen] += np.abs(straight[seen])
    return votes, counts


def _front(cell: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """The last of triangles in `order` in each cell, -1 in an empty one. cell (S,): of each
    triangle.
    """
    front = np.full(ORIENTATION.cells * ORIENTATION.cells, -1, np.intp)
    front[cell[order]] = order
    return front
