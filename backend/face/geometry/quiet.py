# SPDX-License-Identifier: GPL-3.0-or-later
"""Where on a dense face no shape moves anything, told by few of its vertices: what lies around
those that keep still does so, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..params.geometry import QUIET
from .mesh import Floats, bounds

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Cells:
    """A grid over vertices.

    Args:
        shape: cells along x, y and z; the outermost are empty
        cell: int (N,), of each vertex
        probes: int (P,), the vertices that stand for their cells: some of each
    """

    shape: tuple[int, ...]
    cell: Places
    probes: Places

    def quiet(self, moved: Floats) -> NDArray[np.bool_]:
        """Which vertices (N,) keep still as far as probes tell, in their cell and in those around.

        Args:
            moved: float32 (P,), how far any shape moves each probe at most, canonical
        """
        most = np.zeros(self.shape, np.float32)
        np.maximum.at(most.ravel(), self.cell[self.probes], moved)
        for axis in range(most.ndim):
            along = most.swapaxes(0, axis)
            before, after = along[:-1].copy(), along[1:].copy()
            np.maximum(along[1:], before, out=along[1:])
            np.maximum(along[:-1], after, out=along[:-1])
        return np.asarray(most.ravel()[self.cell] < QUIET.least)


def cells_of(vertices: Floats) -> Cells:
    """The grid of some vertices float32 (N,3), canonical, at least one."""
    place = np.floor((vertices - bounds(vertices)[0]) / QUIET.cell).astype(np.intp) + 1
    shape = tuple(int(most) + 2 for most in bounds(place)[1])
    cell = np.ravel_multi_index(tuple(place.T), shape)
    order = np.argsort(cell, kind="stable")
    begins = np.flatnonzero(np.diff(cell[order], prepend=-1))
    number = np.arange(len(order)) - np.repeat(begins, np.diff(begins, append=len(order)))
    return Cells(shape, cell, np.sort(order[number % QUIET.one_in == 0]))
