# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges of openings, and where columns across an eye or a mouth cross the edges of the mesh: so a
coarse mesh gives an exact answer, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints
from ..params.analyse import OPENINGS

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Edge:
    """One edge of an opening, a point per open column. ends (C,M,2), share (C,M), weight (C,M): it
    lies on mesh edges between these vertices, `share` of the way, as many as layers lie on each
    other there; weights sum to 1. points (C,3): where, in the opening's own units.
    """

    ends: Indices
    share: Floats
    weight: Floats
    points: Floats

    def of(self, values: Floats) -> Floats:
        """What values (F,N) at the vertices are along the edge (C,N)."""
        share = self.share[:, :, None]
        crossed = values[self.ends[:, :, 0]] * (1 - share) + values[self.ends[:, :, 1]] * share
        return np.asarray((crossed * self.weight[:, :, None]).sum(axis=1), np.float32)

    def part(self, columns: Indices) -> Edge:
        """The edge in some of its columns (C,)."""
        return Edge(
            self.ends[columns], self.share[columns], self.weight[columns], self.points[columns]
        )


@dataclass(frozen=True)
class Crossings:
    """Where columns cross mesh edges, P times, column by column: row (P,) of the column, edge (P,),
    share (P,) of the edge's way, points (P,3), level and depth (P,): how far up and out from the
    middle.
    """

    row: Indices
    edge: Indices
    share: Floats
    points: Floats
    level: Floats
    depth: Floats

    def rows(self, some: Flags, columns: int) -> list[Indices]:
        """The crossings (N,) of each column that are among some.

        Args:
            some: bool (P,), of all crossings
            columns: how many there are
        """
        mine = np.flatnonzero(some)
        return np.split(mine, np.searchsorted(self.row[mine], np.arange(1, columns)))

    def at(self, chosen: Indices, edges: Ints) -> Edge:
        """The edge that chosen crossings lie on, each alone in its column.

        Args:
            chosen: int (C,), numbers of crossings
            edges: int (E,2), of the mesh
        """
        some = chosen[:, None]
        return Edge(
            edges[self.edge[some]].astype(np.intp),
            self.share[some].clip(0, 1),
            np.ones(some.shape, np.float32),
            self.points[chosen],
        )

    def layered(self, chosen: Indices, edges: Ints) -> Edge:
        """The edge that chosen crossings lie on, together with what lies on them: which of two
        layers is chosen hangs by a hair.

        Args:
            chosen: int (C,), numbers of crossings
            edges: int (E,2), of the mesh
        """
        spread = ((self.points - self.points[chosen[self.row]])[:, 1:] ** 2).sum(
            axis=1
        ) / OPENINGS.layer**2
        order = np.lexsort((spread, self.row))
        first = np.searchsorted(self.row[order], np.arange(len(chosen) + 1))
        place = first[:-1, None] + np.arange(OPENINGS.layers)
        some = order[np.minimum(place, len(order) - 1)]
        weight = np.where(place < first[1:, None], np.exp(-spread[some]), 0).astype(np.float32)
        weight[:, 0] += np.float32(1e-6)
        return Edge(
            edges[self.edge[some]].astype(np.intp),
            self.share[some].clip(0, 1),
            weight / weight.sum(axis=1, keepdims=True),
            self.points[chosen],
        )


def crossings(local: Floats, away: Floats, edges: Ints, columns: Floats) -> Crossings:
    """Where columns cross mesh edges.

    Args:
        local: float32 (V,3), from the opening's middle, in its own units
        away: float32 (V,3), the same from the line through corners and middle
        edges: int (E,2)
        columns: float (C,), rising
    """
    start, end = local[edges[:, 0]], local[edges[:, 1]]
    first = np.maximum(np.searchsorted(columns, np.minimum(start[:, 0], end[:, 0])) - 1, 0)
    count = (
        np.minimum(np.searchsorted(columns, np.maximum(start[:, 0], end[:, 0])) + 1, len(columns))
        - first
    )
    edge = np.repeat(np.arange(len(edges)), count)
    row = np.arange(len(edge)) + np.repeat(first - np.cumsum(count) + count, count)
    width = end[:, 0] - start[:, 0]
    share = (
        (columns[row] - start[edge, 0])
        / np.where(np.abs(width) < 1e-9, np.float32(1e-9), width)[edge]
    ).astype(np.float32)
    crossed = np.flatnonzero((share >= 0) & (share <= 1))
    crossed = crossed[np.argsort(row[crossed], kind="stable")]
    row, edge, share = row[crossed], edge[crossed], share[crossed]
    points = start[edge] + share[:, None] * (end - start)[edge]
    one, other = away[edges[edge, 0], 1:], away[edges[edge, 1], 1:]
    level, depth = (one + share[:, None] * (other - one)).T
    return Crossings(row, edge, share, points, level=level, depth=depth)
