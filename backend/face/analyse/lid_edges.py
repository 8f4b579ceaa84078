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
    found = _stretch(columns, crossed, edges, group, OPENINGS.behind)
    if not ends:
        found = _before_fold(columns, crossed, edges, group, found)
    if found is None:
        return None
    above, below, run = found
    upper, lower = crossed.at(above, edges), crossed.at(below, edges)
    step = columns[1] - columns[0]
    starts = [(upper.points[k], lower.points[k]) for k in (run[0], run[-1])]
    if not ends:
        above, below = (
            _turned(crossed, chosen, sign, run) for chosen, sign in ((above, 1), (below, -1))
        )
    middle = (
        columns[run],
        crossed.layered(above, edges).part(run),
        crossed.layered(below, edges).part(run),
    )
    pieces: list[tuple[Floats, Edge, Edge]] = [middle]
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


Stretch = tuple[Indices, Indices, Indices]


def _before_fold(
    columns: Floats, crossed: Crossings, edges: Ints, group: Ints, found: Stretch | None
) -> Stretch | None:
    """The edges and open columns that were found, or those of skin that is seen before them from
    the middle on: a lid that leans back lies behind the fold above it. Where the skin goes on
    behind the lids, as whites do that are sewn to them, it leaves no opening.
    """
    nearer = _stretch(columns, crossed, edges, group, OPENINGS.fold_behind)
    if nearer is None or not whole(columns[nearer[2]]):
        return found or nearer
    if found is None or not whole(columns[found[2]]):
        return nearer
    high, low = (
        (crossed.points[above[run]] - crossed.points[below[run]])[:, 1].max()
        for above, below, run in (found, nearer)
    )
    return nearer if low < OPENINGS.fold * high else found


def whole(columns: Floats) -> bool:
    """Whether open columns (C,), rising, lie on both sides of the middle, far enough for closing
    them: half an opening misplaces the lids.
    """
    return bool(columns[0] <= -OPENINGS.both and columns[-1] >= OPENINGS.both)


def _stretch(
    columns: Floats, crossed: Crossings, edges: Ints, group: Ints, behind: float
) -> Stretch | None:
    """The edges above and below (C,) and the open columns between them; None where there are too
    few. behind: heights that one height behind makes up for.
    """
    above, below = (_followed(columns, crossed, sign, behind=behind) for sign in (1, -1))
    upper, lower = crossed.at(above, edges), crossed.at(below, edges)
    free = (above >= 0) & (below >= 0) & _open(crossed, upper, lower, group)
    if free[np.abs(columns) < OPENINGS.inner].mean() < OPENINGS.open:
        return None
    where = np.flatnonzero(free)
    run = max(np.split(where, np.flatnonzero(np.diff(where) > OPENINGS.cracks) + 1), key=len)
    return (above, below, run) if len(run) >= OPENINGS.fewest else None


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
        _followed(beyond, crossed, sign, start=start[1:], outwards=order)
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


def _turned(crossed: Crossings, chosen: Indices, sign: int, run: Indices) -> Indices:
    """Where the skin turns from facing the other lid to facing ahead (C,), of a chosen crossing
    (C,) of each column, -1 for none, above (sign 1) or below (-1) the opening: a lid may be as
    thick as its rim is seen from below. Skin that goes on ahead without a turn is no rim: in most
    of the open columns, run (N,), it must turn.
    """
    base = chosen[crossed.row]
    rise, ahead = ((crossed.points - crossed.points[base])[:, 1:] * [sign, 1]).T
    away = np.where((base >= 0) & (rise >= 0) & (ahead >= 0), np.hypot(rise, ahead), np.inf)
    cost = rise - OPENINGS.rim_slope * ahead
    at, farther = (
        _least(np.where(away < most, cost, np.inf), crossed.row, len(chosen))
        for most in (OPENINGS.rim, OPENINGS.rim_turn * OPENINGS.rim)
    )
    turns = run[(at == farther)[run] & (at != chosen)[run]]
    if len(turns) < OPENINGS.rim_share * len(run):
        return chosen
    near = np.flatnonzero(away < OPENINGS.rim)
    ends = np.searchsorted(crossed.row[near], np.arange(len(chosen) + 1))
    found, (start_y, start_z) = chosen.copy(), np.median(crossed.points[at[turns], 1:], axis=0)
    half = int(run[len(run) // 2])
    for walk in (range(half, len(chosen)), range(half, -1, -1)):
        y, z = start_y, start_z
        for k in walk:
            mine = near[ends[k] : ends[k + 1]]
            if len(mine):
                _x, up, out = crossed.points[mine].T
                leaving = OPENINGS.leave * ((up - y) ** 2 + (out - z) ** 2)
                found[k] = mine[int((cost[mine] + leaving).argmin())]
                _x, y, z = crossed.points[found[k]]
    return found


def _least(cost: Floats, row: Indices, count: int) -> Indices:
    """Which of costs (P,) is the least in each of so many rows (P,), rising."""
    order = np.lexsort((cost, row))
    first = np.searchsorted(row[order], np.arange(count))
    return np.asarray(order[np.minimum(first, len(order) - 1)])


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
    *,
    behind: float = 0.0,
    start: Floats | None = None,
    outwards: int = 1,
) -> Indices:
    """Which crossing (C,) bounds each column above (sign 1) or below (-1) the middle, -1 for none.
    start (2,): level and depth from where it is followed through all columns, the last first with
    `outwards` -1; else from the middle.

    In the middle of the opening the nearest one that is not behind, where `behind` heights nearer
    make up for one behind; from there outwards an edge goes on where it was: what else lies in a
    column is no edge.
    """
    outer = np.flatnonzero(sign * crossed.level > 0)
    height, depth = sign * crossed.level[outer], crossed.depth[outer]
    _x, up, out = np.ascontiguousarray(crossed.points[outer].T)
    ends = np.searchsorted(crossed.row[outer], np.arange(len(columns) + 1))
    stretches = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
    half, found = len(columns) // 2, np.full(len(columns), -1, np.intp)
    walks = (
        [range(half, len(columns)), range(half, -1, -1)]
        if start is None
        else [range(len(columns))[::outwards]]
    )
    if start is None:
        first = height - behind * np.minimum(depth, 0)
        nearest = [
            mine.start + first[mine].argmin()
            for mine, x in zip(stretches, columns, strict=True)
            if mine.start < mine.stop and abs(x) < OPENINGS.start
        ]
        if not nearest:
            return found
        start = np.median([up[nearest], out[nearest]], axis=1)
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
