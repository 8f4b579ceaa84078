# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertex is which one's mirror image, and shapes made exact mirror images where a mesh is symmetric."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .frame import Floats

AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def partners(points: Floats, normals: Floats, normal: NDArray[np.float64], offset: float, tolerance: float) -> NDArray[np.intp]:
    """Index (P,) of the point nearest to each one's mirror image in the plane normal . p = offset; -1 where none is within the tolerance.

    points, normals (P,3). Looked up in a grid of cells as wide as the tolerance. Of several in one place, as on closed lips, the one that
    faces the mirrored way is taken; one that faces the opposite way never is.
    """
    if not len(points):
        return np.empty(0, np.intp)
    exact = points.astype(np.float64)
    image = exact - 2 * (exact @ normal - offset)[:, None] * normal
    facing = normals - 2 * (normals @ normal)[:, None] * normal
    low = np.minimum(exact.min(axis=0), image.min(axis=0))
    cell, wanted = (np.floor((p - low) / tolerance).astype(np.int64) + 1 for p in (exact, image))
    factors = np.cumprod([1, *(np.maximum(cell.max(axis=0), wanted.max(axis=0))[:2] + 2)])
    keys = cell @ factors
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    best, distance = np.full(len(points), -1, np.intp), np.full(len(points), np.inf)
    for shift in AROUND:
        start = np.searchsorted(sorted_keys, (wanted + shift) @ factors)
        stop = np.searchsorted(sorted_keys, (wanted + shift) @ factors, side="right")
        for turn in range(int((stop - start).max(initial=0))):
            mine = np.flatnonzero(start + turn < stop)
            other = order[start[mine] + turn]
            far = np.linalg.norm(exact[other] - image[mine], axis=1)
            alike = (normals[other] * facing[mine]).sum(axis=1)
            score = np.where((far < tolerance) & (alike > -0.2), far + tolerance * (1 - alike), np.inf)
            nearer = score < distance[mine]
            best[mine[nearer]], distance[mine[nearer]] = other[nearer], score[nearer]
    return best
