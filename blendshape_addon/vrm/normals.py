# SPDX-License-Identifier: GPL-3.0-or-later
"""How normals turn when a morph target moves the vertices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints, indices
from .glb import Glb
from .meshes import Primitive, floats_of

_SAME = 2  # decimals in which normals agree at the two sides of a seam
_TURNED = 1e-4  # of a unit normal: less is not seen, and would make targets large
_TRIANGLES = 4


class Turning:
    """The faces of a mesh, with vertices that lie at one place and face one way taken for one:
    files split them along seams.
    """

    def __init__(self, glb: Glb, parts: Sequence[Primitive]) -> None:
        """Raises AddonError `vrm_unwritable`."""
        self._start: dict[int, slice] = {}
        points, normals = [], []
        faces: list[Ints] = []
        total = 0
        for part in parts:
            if part.points not in self._start:
                self._start[part.points] = slice(total, total + part.size)
                total += part.size
                places = floats_of(glb, part, "POSITION")
                facing = floats_of(glb, part, "NORMAL")
                points.append(places)
                normals.append(np.zeros_like(places) if facing is None else facing)
            if part.data.get("mode", _TRIANGLES) == _TRIANGLES:
                corners = (
                    indices(glb, part.data["indices"])
                    if "indices" in part.data
                    else np.arange(part.size, dtype=np.int64)
                )
                corners = corners[: len(corners) // 3 * 3] + self._start[part.points].start
                faces.append(corners.reshape(-1, 3))
        rows = np.hstack([np.vstack(points), np.round(np.vstack(normals), _SAME)]) + np.float32(0)
        _rows, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        self._group: NDArray[np.int64] = group.reshape(-1)
        self._first = first
        self._points = np.vstack(points).astype(np.float64)[first]
        self._faces = self._group[np.vstack(faces)] if faces else np.empty((0, 3), np.int64)
        self._before = self._facing(self._points)

    def of(self, moved: Mapping[int, Floats]) -> dict[int, Floats]:
        """How far the normals go, float32 (N,3) by the accessor of positions. moved: how far the
        vertices go.
        """
        offsets = np.vstack([moved[points] for points in self._start])
        turned = self._facing(self._points + offsets[self._first]) - self._before
        turned[(np.abs(turned) < _TURNED).all(axis=1)] = 0
        every = turned[self._group].astype(np.float32)
        return {points: every[where] for points, where in self._start.items()}

    def _facing(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unit normals, the larger faces count for more; 0 where a vertex has no face."""
        one, two, three = (points[self._faces[:, corner]] for corner in range(3))
        areas = np.cross(two - one, three - one)
        total = np.stack(
            [
                sum(
                    np.bincount(self._faces[:, corner], areas[:, axis], len(points))
                    for corner in range(3)
                )
                for axis in range(3)
            ],
            axis=1,
        )
        sizes = np.linalg.norm(total, axis=1, keepdims=True)
        return np.divide(total, sizes, out=np.zeros_like(total), where=sizes > 0)
