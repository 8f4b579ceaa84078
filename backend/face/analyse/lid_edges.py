# SPDX-License-Identifier: GPL-3.0-or-later
"""Which columns across an eye are open, and the edges of its lids above and below them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints
from ..params.analyse import OPENINGS
from .edges import Crossings, Edge, crossings

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


def lid_edges(
    local: Floats, away: Floats, edges: Ints, group: Ints, ends: bool
) -> tuple[Floats, Edge, Edge] | None:
    """Find the columns across an eye that are open, and the edges above and below them.

    Args:
        local: float32 (F,3), vertices from the middle between the corners, in the opening's units
        away: float32 (F,3), the same from the line through corners and middle
        edges: int32 (E,2), of the mesh, that may bound the opening
        group: (F,), vertices in one place share one
        ends: look for where it ends between two columns, too

    Returns:
        Columns (C,), the upper and the lower edge; None where there is no opening.
    """
    columns = np.linspace(-OPENINGS.beyond, OPENINGS.beyond, OPENINGS.columns, dtype=np.float32)
    crossed = crossings(local, away, edges, columns)
    if not len(crossed.row):
        return None
    above, below = (_followed(columns, crossed, sign, local[edges[0, 0]]) for sign in (1, -1))
    upper, lower = crossed.at(above, edges), crossed.at(below, edges)
    free = (above >= 0) & (below >= 0) & _open(crossed, upper, lower, group)
    if free[np.abs(columns) < OPENINGS.inner].mean() < OPENINGS.open:
        return None
    where = np.flatnonzero(free)
    run = max(np.split(where, np.flatnonzero(np.diff(where) > OPENINGS.cracks) + 1), key=len)
    if len(run) < OPENINGS.fewest:
        return None
    step = columns[1] - columns[0]
    starts = [(upper.points[k], lower.points[k]) for k in (run[0], run[-1])]
    whole = (
        columns[run],
        crossed.layered(above, edges).part(run),
        crossed.layered(below, edges).part(run),
    )
    pieces: list[tuple[Floats, Edge, Edge]] = [whole]
    for k, out, start in zip((run[0], run[-1]), (-1, 1), starts, strict=True) if ends else ():
        further = _end(local, away, edges, group, last=columns[k], step=out * step, starts=start)
        if further:
            pieces.insert(0 if out < 0 else len(pieces), further)
    columns = np.concatenate([piece[0] for piece in pieces])
    upper, lower = (
        _joined(own) for own in ([piece[1] for piece in pieces], [piece[2] for piece in pieces])
    )
    soft = [replace(e, points=_softened(columns, e.points, step)) for e in (upper, lower)]
    return columns, soft[0], soft[1]


def _end(
    local: Floats,
    away: Floats,
    edges: Ints,
    group: Ints,
    *,
    last: float,
    step: float,
    starts: tuple[Floats, Floats],
) -> tuple[Floats, Edge, Edge] | None:
    """The column at which an opening ends that is open at `last` and not a step (rightwards above
    0) beyond it, and its edges; None where that is the end. starts, each (3,): the edges at
    `last`.
    """
    beyond = last + step * np.arange(1, OPENINGS.finer, dtype=np.float32) / OPENINGS.finer
    crossed = crossings(local, away, edges, np.sort(beyond))
    if not len(crossed.row):
        return None
    order = 1 if step > 0 else -1
    above, below = (
        _followed(beyond, crossed, sign, start, start=start[1:], outwards=order)
        for sign, start in zip((1, -1), starts, strict=True)
    )
    free = (
        (above >= 0)
        & (below >= 0)
        & _open(crossed, crossed.at(above, edges), crossed.at(below, edges), group)
    )
    reached = len(free) if free.all() else int(free[::order].argmin())
    if not reached:
        return None
    place = np.array([reached - 1 if order > 0 else len(free) - reached])
    return (
        beyond[reached - 1 : reached],
        crossed.layered(above, edges).part(place),
        crossed.layered(below, edges).part(place),
    )


def _joined(pieces: list[Edge]) -> Edge:
    """Edges of columns that follow each other as one."""
    return Edge(
        *(
            np.concatenate([getattr(e, name) for e in pieces])
            for name in ("ends", "share", "weight", "points")
        )
    )


def _open(crossed: Crossings, upper: Edge, lower: Edge, group: Ints) -> Flags:
    """Which columns (C,) are open between an edge above and one below: these are not one, and no
    skin closes the way.
    """
    apart = (group[upper.ends[:, 0]][:, :, None] != group[lower.ends[:, 0]][:, None, :]).all(
        axis=(1, 2)
    )
    return np.asarray(
        apart
        & (
            _hole(crossed, upper.points, lower.points)
            > OPENINGS.hole * (upper.points - lower.points)[:, 1]
        )
    )


def _hole(crossed: Crossings, high: Floats, low: Floats) -> Floats:
    """The longest way (C,) free of skin between points above and below (C,3) in each column, not
    counting skin behind both.
    """
    front = np.flatnonzero(
        crossed.points[:, 2] > np.minimum(high, low)[crossed.row, 2] - OPENINGS.cover
    )
    row = np.concatenate([np.repeat(np.arange(len(high)), 2), crossed.row[front]])
    level = np.concatenate(
        [np.stack([low[:, 1], high[:, 1]], axis=1).ravel(), crossed.points[front, 1]]
    )
    level = np.clip(level, low[row, 1], high[row, 1])
    order = np.lexsort((level, row))
    row, level = row[order], level[order]
    step = np.where(row[1:] == row[:-1], np.diff(level), 0)
    return np.asarray(
        np.maximum.reduceat(step, np.flatnonzero(np.diff(row, prepend=-1))), np.float32
    )


def _softened(columns: Floats, points: Floats, step: float) -> Floats:
    """Points (C,3) along an edge with the level and depth a step before and behind mixed in, a
    quarter each: which mesh edge bounds a column at the end hangs by a hair. Beyond its ends an
    edge goes back as it came.
    """
    low, high = columns[[0, -1]]
    before, behind = low + np.abs(columns - step - low), high - np.abs(high - columns - step)
    soft = points.copy()
    for axis in (1, 2):
        beside = np.interp(before, columns, points[:, axis]) + 2 * points[:, axis]
        soft[:, axis] = (beside + np.interp(behind, columns, points[:, axis])) / 2 / 2
    return soft


def _followed(
    columns: Floats,
    crossed: Crossings,
    sign: int,
    elsewhere: Floats,
    *,
    start: Floats | None = None,
    outwards: int = 1,
) -> Indices:
    """Which crossing (C,) bounds each column above (sign 1) or below (-1) the middle, -1 for none.
    elsewhere (3,): stands for one in columns without. start (2,): level and depth from where it is
    followed through all columns, the last first with `outwards` -1; else from the middle.

    In the middle of the opening the nearest one that is not behind; from there outwards an edge
    goes on where it was: what else lies in a column is no edge.
    """
    outer = np.flatnonzero(sign * crossed.level > 0)
    height, depth = sign * crossed.level[outer], crossed.depth[outer]
    _x, up, out = np.ascontiguousarray(crossed.points[outer].T)
    ends = np.searchsorted(crossed.row[outer], np.arange(len(columns) + 1))
    stretches = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
    half = len(columns) // 2
    walks = (
        [range(half, len(columns)), range(half, -1, -1)]
        if start is None
        else [range(len(columns))[::outwards]]
    )
    if start is None:
        first = height - OPENINGS.behind * np.minimum(depth, 0)
        nearest = [
            mine.start + first[mine].argmin() if mine.start < mine.stop else -1
            for mine in stretches
        ]
        starts = [
            elsewhere[1:] if k < 0 else (up[k], out[k])
            for k, x in zip(nearest, columns, strict=True)
            if abs(x) < OPENINGS.start
        ]
        start = np.median(starts, axis=0)
    found = np.full(len(columns), -1, np.intp)
    for walk in walks:
        y, z = start
        for k in walk:
            mine = stretches[k]
            if mine.start < mine.stop:
                dy, dz = up[mine] - y, out[mine] - z
                best = mine.start + int(
                    (height[mine] + OPENINGS.leave * (dy * dy + dz * dz)).argmin()
                )
                found[k], y, z = outer[best], up[best], out[best]
    return found
