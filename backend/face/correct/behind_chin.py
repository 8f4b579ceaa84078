# SPDX-License-Identifier: GPL-3.0-or-later
"""Teeth and tongues that go down with a jaw stay behind the skin of the chin: where a drawn chin
keeps still, or gums are wider than the mouth, they go less far. Canonical frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..analyse.openings import Opening
from ..analyse.surface import Surface
from ..geometry.frame import Floats
from ..geometry.mesh import Ints, all_corners
from ..params.correct import BEHIND_CHIN


class Chin:
    """The skin below a mouth that a jaw opens.

    Args:
        surface: the face's
        slit: between the lips
        jaw: float32 (F,3), the shape jawOpen
    """

    def __init__(self, surface: Surface, slit: Opening, jaw: Floats) -> None:
        self._moved = surface.vertices + jaw
        lip = slit.lower.points * slit.unit @ slit.axes + slit.origin + slit.lower.of(jaw)
        self._lip = lip[np.argsort(lip[:, 0], kind="stable")]
        faces = surface.triangles[all_corners(surface.skins[0], surface.triangles)]
        x, y = (np.abs(self._moved[faces, 0]).min(axis=1), self._moved[faces, 1].min(axis=1))
        wide = BEHIND_CHIN.aside * float(slit.unit[0])
        self._faces: Ints = faces[(x < wide) & (y < float(lip[:, 1].max()))]

    def reach(self, pieces: Sequence[tuple[Floats, Floats]]) -> float:
        """How far of their way pieces may go, 0 to 1, so that none of them comes through the skin.

        Args:
            pieces: points (N,3) of each and their way (N,3)
        """
        outer = [(points[some], way[some]) for points, way in pieces for some in (_outer(points),)]
        points, way = (np.concatenate(each) for each in zip(*outer, strict=True))
        for share in np.linspace(1, 0, BEHIND_CHIN.steps):
            if not self._outside(points + np.float32(share) * way).any():
                return float(share)
        return 1.0  # it is outside wherever it goes, as the teeth of a skull are

    def _outside(self, points: Floats) -> NDArray[np.bool_]:
        """Which points (N,3) below the lower lip no skin lies before."""
        lip = self._lip
        line = np.interp(points[:, 0], lip[:, 0], lip[:, 1])
        below = np.flatnonzero(points[:, 1] < line)
        found = np.zeros(len(points), bool)
        found[below] = ~_covered(points[below], self._moved, self._faces)
        return found


def _outer(points: Floats) -> NDArray[np.intp]:
    """Some of points (N,3), which are the outermost in directions down and aside, by number."""
    turns = np.linspace(-np.pi / 2, np.pi / 2, BEHIND_CHIN.directions)
    ahead = np.array([0, BEHIND_CHIN.ahead])
    towards = np.array([[np.sin(a), -np.cos(a), b] for a in turns for b in ahead], np.float32)
    return np.asarray(np.unique((points @ towards.T).argmax(axis=0)), np.intp)


def _covered(points: Floats, vertices: Floats, faces: Ints) -> NDArray[np.bool_]:
    """Before which points (N,3) a face (T,3) lies."""
    if not len(points) or not len(faces):
        return np.zeros(len(points), bool)
    x, y, z = points.T[..., None]
    low, high = vertices[faces].min(axis=1), vertices[faces].max(axis=1)
    near = (low[:, 0] <= x.max()) & (high[:, 0] >= x.min()) & (high[:, 2] >= z.min())
    near &= (low[:, 1] <= y.max()) & (high[:, 1] >= y.min())
    a, b, c = (vertices[corner].T for corner in faces[near].T)
    twice = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1])
    twice = np.where(np.abs(twice) < 1e-12, np.inf, twice)
    first = ((b[1] - c[1]) * (x - c[0]) + (c[0] - b[0]) * (y - c[1])) / twice
    second = ((c[1] - a[1]) * (x - c[0]) + (a[0] - c[0]) * (y - c[1])) / twice
    third = 1 - first - second
    on = (first >= 0) & (second >= 0) & (third >= 0) & np.isfinite(twice)
    return np.asarray((on & (first * a[2] + second * b[2] + third * c[2] > z)).any(axis=1))
