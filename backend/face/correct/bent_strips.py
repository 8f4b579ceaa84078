# SPDX-License-Identifier: GPL-3.0-or-later
"""Mouths that are strips bent far up or down, as a moustache is: their rims are told along the bend
and not by height.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, edges_of, weld
from ..params.correct import BENT_STRIPS


def bent(points: Floats, level: Floats, faces: Ints, half: float) -> tuple[Floats, ...] | None:
    """How a bent strip lies.

    Args:
        points: float32 (N,3), its vertices, canonical
        level: float32 (N,3), where they and the faces at each lie together
        faces: int32 (T,3), among them
        half: half the mouth's width

    Returns:
        How far along the strip each vertex is, -1 to 1 from its right to its left end, how far over
        its middle line, and how high that lies over the line between the ends, each (N,); None
        where the strip is not bent so far.
    """
    one = weld(points)
    first = np.unique(one, return_index=True)[1]
    along = _along(points[first], edges_of(one[faces]))
    if along is None:
        return None
    along = along[one]
    places = np.linspace(-1, 1, BENT_STRIPS.places)
    # each place takes what lies nearer than its neighbours, the ends half of it
    near = np.clip(1 - np.abs(along - places[:, None]) / BENT_STRIPS.near, 0, 1)
    weight = near / np.maximum(near.sum(axis=1, keepdims=True), 1e-9)
    line = weight @ points[:, :2]
    between = np.interp(line[:, 0], line[[0, -1], 0], line[[0, -1], 1])
    rise = line[:, 1] - between
    if np.abs(rise).max() < BENT_STRIPS.bent * half:
        return None
    way = np.gradient(line, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)

    def at(values: NDArray[np.floating[Any]]) -> Floats:
        return np.asarray(np.interp(along, places, values), np.float32)

    over = (level[:, 1] - at(line[:, 1])) * at(way[:, 0])
    over -= (level[:, 0] - at(line[:, 0])) * at(way[:, 1])
    return along, over, at(rise)


def _along(points: Floats, edges: Ints) -> Floats | None:
    """How far along a strip its vertices (N,3) are, -1 to 1, by the way on edges (E,2) from either
    end; None where it is not of one piece.
    """
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    way = []
    for end in (points[:, 0].argmin(), points[:, 0].argmax()):
        far = np.full(len(points), np.inf)
        far[end] = 0
        for _ in range(len(points)):
            before = far.copy()
            np.minimum.at(far, edges[:, 0], before[edges[:, 1]] + length)
            np.minimum.at(far, edges[:, 1], before[edges[:, 0]] + length)
            if np.array_equal(far, before):
                break
        way.append(far)
    if not np.isfinite(way).all():
        return None
    return np.asarray((way[0] - way[1]) / np.maximum(way[0] + way[1], 1e-9), np.float32)
