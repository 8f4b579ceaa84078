# SPDX-License-Identifier: GPL-3.0-or-later
"""Where lids and lips end on the mesh itself, column by column across an eye and a mouth.

Landmarks say roughly where an opening is; its edges are what the skin reaches into it from above
and from below. They are read where a column crosses the mesh's own edges, so a coarse mesh gives an
exact answer too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, all_corners, edges_of

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
BEYOND = 1.3  # half widths from the middle as far as which columns are looked at
COLUMNS = 41
REACH = 1.1  # heights of the opening from its middle within which its edges are sought
FRONT, BACK = 0.8, 0.7  # the same in front and behind
LEAVE = 8.0  # what leaving the edge of the last column costs, per square of the heights
# How much of a height one height behind makes up for: the inside of a lid hangs lower than its
# edge. Steeper, the edge is sought higher up where the skin beside the nose leans back.
BEHIND = 2.0
COVER = 0.15  # heights behind its edges from which on skin no longer closes a column
HOLE = 0.55  # share of the way between the edges that must be free of skin: lids have a thickness
BAG = 2.5  # the same for lips: the bag behind them reaches up and down
# half widths of the mouth from the line between its corners and its middle within which lips are
# sought
SLIT = 0.5
LIDS = 0.9  # the same for an eye whose lids are closed: its landmarks lie farther off
KNOWN = 0.02  # sides nearer to 0 say nothing
LAYER = 0.04  # heights of the opening over which what lies on an edge counts as its layers
MOST = 8  # layers that are looked at
STEEP, WIDEST = (
    1.0,
    0.6,
)  # half widths over which a movement fades for each that the last column is open, and at most
OPEN = 0.4  # share of the inner columns that must be open
# parts of the way from the last open column to the next by which an eye's opening goes on: no whole
# column hangs on a hair
FINER = 16


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
        there = values[self.ends[:, :, 0]] * (1 - share) + values[self.ends[:, :, 1]] * share
        return np.asarray((there * self.weight[:, :, None]).sum(axis=1), np.float32)

    def part(self, columns: Indices) -> Edge:
        """The edge in some of its columns (C,)."""
        return Edge(
            self.ends[columns], self.share[columns], self.weight[columns], self.points[columns]
        )


@dataclass(frozen=True)
class Opening:
    """An opening and its edges. axes (3,3): rows along it, up and out, unit. unit (3,): what is 1
    along them, canonical: for an eye its half width and twice its height, for a mouth its half
    width. columns (C,): the open ones, in half widths from the middle, and where it ends if that
    was asked for. local (F,3): all vertices from its middle along the axes, in units. skin (F,):
    what the edges were found on. origin (3,): the middle, canonical.
    """

    axes: Floats
    unit: Floats
    columns: Floats
    local: Floats
    upper: Edge
    lower: Edge
    skin: Flags
    origin: Floats

    def at(self, values: Floats) -> Floats:
        """Values (C,N) of the columns at every vertex (F,N); those of the last column beyond it."""
        return np.stack(
            [np.interp(self.local[:, 0], self.columns, column) for column in values.T], axis=1
        ).astype(np.float32)

    def fade(self) -> Floats:
        """1 between the open columns, falling to 0 at the eye's corners or a fifth of a half width
        beyond the columns (F,), slower the wider the last column is open: where the side of an eye
        is steep, the skin beside it gives way.
        """
        x, (first, last) = self.local[:, 0], self.columns[[0, -1]]
        steep = (
            STEEP
            * (self.upper.points - self.lower.points)[[0, -1], 1]
            * self.unit[1]
            / self.unit[0]
        )
        wide = np.maximum(np.clip(steep, 0.2, WIDEST), (1.05 + first, 1.05 - last))
        beyond = np.maximum((first - x) / wide[0], (x - last) / wide[1])
        return np.asarray(np.clip(1 - beyond, 0, 1), np.float32)


def eye_opening(
    vertices: Floats,
    triangles: Ints,
    group: Ints,
    skins: list[Flags],
    landmarks: Mapping[str, Floats],
    name: str,
    widest: bool = False,
    ends: bool = False,
) -> Opening | None:
    """The opening of the eye `name` (left, right), or None where there is none.

    vertices (F,3), triangles (T,3), group (F,): vertices in one place share one. skins: flags (F,)
    of what may be skin, the first in which there is an opening counts, or with `widest` that in
    which it has the most columns: a transparent shell that is sewn to the lids is a part of its own
    only before welding, and so is an eye that touches the skin behind the lids, which leaves cracks
    beside it that are no opening. Lids stand apart on a neutral face, so what the skin leaves free
    around the middle between their landmarks is the opening. ends: look for where it ends between
    two columns, too, so that landmarks do not jump by one.
    """
    right, left = (
        landmarks[f"eye_{end}_{name}"]
        for end in (("inner", "outer") if name == "left" else ("outer", "inner"))
    )
    top, low = landmarks[f"lid_upper_{name}"], landmarks[f"lid_lower_{name}"]
    along, high = left - right, float(np.linalg.norm(top - low))
    half = float(np.linalg.norm(along)) / 2
    if min(half, high) < 1e-4:
        return None
    x = along / (2 * half)
    y = top - low - ((top - low) @ x) * x
    y = y / max(float(np.linalg.norm(y)), 1e-9)
    axes = np.stack([x, y, np.cross(x, y)]).astype(np.float32)
    middle, unit = ((right + left) / 2).astype(np.float32), np.array([half, high, high], np.float32)
    local = ((vertices - middle) @ axes.T / unit).astype(np.float32)
    centre = ((top + low) / 2 - middle) @ axes.T / unit
    away = (local - centre * np.clip(1 - local[:, :1] ** 2, -0.6, 1)).astype(
        np.float32
    )  # from a parabola through corners and middle
    near = (
        (np.abs(local[:, 0]) < 2 * BEYOND)
        & (np.abs(away[:, 1]) < REACH)
        & (away[:, 2] < FRONT)
        & (away[:, 2] > -BACK)
    )
    best: Opening | None = None
    for number, skin in enumerate(skins):
        if any(np.array_equal(skin, tried) for tried in skins[:number]):
            continue
        edges = edges_of(triangles[all_corners(near & skin, triangles)])
        if len(edges):
            found = _edges(local, away, edges, group, ends)
            if found:
                columns, upper, lower = found
                opening = Opening(axes, unit, columns, local, upper, lower, skin, middle)
                if not widest:
                    return opening
                if best is None or len(columns) > len(best.columns):
                    best = opening
    return best


def mouth_slit(
    vertices: Floats,
    triangles: Ints,
    side: Floats,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    reach: float = SLIT,
) -> Opening | None:
    """The mouth between its lips, or None where they are not told apart. side (F,): 1 above to -1
    below along the surface, 0 unknown. reach: half widths from the line between the corners and the
    middle within which lips are sought.

    Lips lie on each other on a neutral face, so the surface says which edge a vertex belongs to,
    and its place only how near it is.
    """
    lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    return _slit(
        vertices,
        triangles,
        side,
        skin,
        landmarks["mouth_right"],
        landmarks["mouth_left"],
        lips,
        reach,
    )


def lid_slit(
    vertices: Floats,
    triangles: Ints,
    side: Floats,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    name: str,
) -> Opening | None:
    """The same of the eye `name` (left, right) whose lids lie on each other at rest. side (F,): of
    the eye's opening.
    """
    right, left = (
        landmarks[f"eye_{end}_{name}"]
        for end in (("inner", "outer") if name == "left" else ("outer", "inner"))
    )
    middle = (landmarks[f"lid_upper_{name}"] + landmarks[f"lid_lower_{name}"]) / 2
    return _slit(vertices, triangles, side, skin, right, left, middle, LIDS)


def _slit(
    vertices: Floats,
    triangles: Ints,
    side: Floats,
    skin: Flags,
    right: Floats,
    left: Floats,
    through: Floats,
    reach: float,
) -> Opening | None:
    """A slit between two corners (3,) that bends through a middle (3,)."""
    half = float(np.linalg.norm(left - right)) / 2
    if half < 1e-4:
        return None
    x = (left - right) / (2 * half)
    y = np.array([0, 1, 0], np.float32) - x[1] * x
    y = y / np.linalg.norm(y)
    axes, middle = (
        np.stack([x, y, np.cross(x, y)]).astype(np.float32),
        ((right + left) / 2).astype(np.float32),
    )
    local = ((vertices - middle) @ axes.T / half).astype(np.float32)
    centre = (through - middle) @ axes.T / half
    away = (local - centre * np.clip(1 - local[:, :1] ** 2, 0, 1)).astype(np.float32)
    near = (
        skin
        & (np.abs(local[:, 0]) < BEYOND)
        & (np.abs(away[:, 1]) < reach)
        & (np.abs(away[:, 2]) < reach)
    )
    columns = np.linspace(-1, 1, COLUMNS, dtype=np.float32)
    found, edges = [], []
    for sign in (1, -1):
        mine = triangles[all_corners(near & (sign * side > KNOWN), triangles)]
        own = edges_of(mine)
        there = _crossings(local, away, own, columns)
        if not len(there.row):
            return None
        height = sign * there.level - BAG * np.minimum(there.depth, 0)
        rows = there.rows(np.isfinite(height))
        found.append(np.array([len(mine) > 0 for mine in rows]))
        edges.append(
            there.at(
                np.array(
                    [mine[height[mine].argmin()] if len(mine) else 0 for mine in rows], np.intp
                ),
                own,
            )
        )
    both = np.flatnonzero(found[0] & found[1])
    if len(both) < OPEN * COLUMNS / 2:
        return None
    upper, lower = (e.part(both) for e in edges)
    return Opening(
        axes, np.full(3, half, np.float32), columns[both], local, upper, lower, skin, middle
    )


@dataclass(frozen=True)
class _Crossings:
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

    def rows(self, kept: Flags) -> list[Indices]:
        """The crossings (N,) of each column that are `kept` (P,)."""
        mine = np.flatnonzero(kept)
        return np.split(mine, np.searchsorted(self.row[mine], np.arange(1, COLUMNS)))

    def at(self, chosen: Indices, edges: Ints) -> Edge:
        """The edge that chosen crossings (C,) lie on, each alone in its column."""
        some = chosen[:, None]
        return Edge(
            edges[self.edge[some]].astype(np.intp),
            self.share[some].clip(0, 1),
            np.ones(some.shape, np.float32),
            self.points[chosen],
        )

    def layered(self, chosen: Indices, edges: Ints) -> Edge:
        """The edge that chosen crossings (C,) lie on, together with what lies on them: which of two
        layers is chosen hangs by a hair.
        """
        spread = ((self.points - self.points[chosen[self.row]])[:, 1:] ** 2).sum(axis=1) / LAYER**2
        order = np.lexsort((spread, self.row))
        first = np.searchsorted(self.row[order], np.arange(len(chosen) + 1))
        place = first[:-1, None] + np.arange(MOST)
        some = order[np.minimum(place, len(order) - 1)]
        weight = np.where(place < first[1:, None], np.exp(-spread[some]), 0).astype(np.float32)
        weight[:, 0] += np.float32(1e-6)
        return Edge(
            edges[self.edge[some]].astype(np.intp),
            self.share[some].clip(0, 1),
            weight / weight.sum(axis=1, keepdims=True),
            self.points[chosen],
        )


def _crossings(local: Floats, away: Floats, edges: Ints, columns: Floats) -> _Crossings:
    """Where columns, rising, cross mesh edges (E,2)."""
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
    return _Crossings(row, edge, share, points, level, depth)


def _edges(
    local: Floats, away: Floats, edges: Ints, group: Ints, ends: bool
) -> tuple[Floats, Edge, Edge] | None:
    """Open columns and the edges above and below them."""
    columns = np.linspace(-BEYOND, BEYOND, COLUMNS, dtype=np.float32)
    there = _crossings(local, away, edges, columns)
    if not len(there.row):
        return None
    above, below = (_followed(columns, there, sign, local[edges[0, 0]]) for sign in (1, -1))
    upper, lower = there.at(above, edges), there.at(below, edges)
    free = (above >= 0) & (below >= 0) & _open(there, upper, lower, group)
    if free[np.abs(columns) < 0.6].mean() < OPEN:
        return None
    where = np.flatnonzero(free)
    run = max(np.split(where, np.flatnonzero(np.diff(where) > 2) + 1), key=len)
    if len(run) < 4:
        return None
    step = columns[1] - columns[0]
    starts = [(upper.points[k], lower.points[k]) for k in (run[0], run[-1])]
    whole = (
        columns[run],
        there.layered(above, edges).part(run),
        there.layered(below, edges).part(run),
    )
    pieces: list[tuple[Floats, Edge, Edge]] = [whole]
    for k, out, start in zip((run[0], run[-1]), (-1, 1), starts, strict=True) if ends else ():
        further = _end(local, away, edges, group, columns[k], out * step, start)
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
    last: float,
    step: float,
    starts: tuple[Floats, Floats],
) -> tuple[Floats, Edge, Edge] | None:
    """The column at which an opening ends that is open at `last` and not a step (rightwards above
    0) beyond it, and its edges; None where that is the end. starts, each (3,): the edges at
    `last`.
    """
    beyond = last + step * np.arange(1, FINER, dtype=np.float32) / FINER
    there = _crossings(local, away, edges, np.sort(beyond))
    if not len(there.row):
        return None
    order = 1 if step > 0 else -1
    above, below = (
        _followed(beyond, there, sign, start, start[1:], order)
        for sign, start in zip((1, -1), starts, strict=True)
    )
    free = (
        (above >= 0)
        & (below >= 0)
        & _open(there, there.at(above, edges), there.at(below, edges), group)
    )
    reached = len(free) if free.all() else int(free[::order].argmin())
    if not reached:
        return None
    place = np.array([reached - 1 if order > 0 else len(free) - reached])
    return (
        beyond[reached - 1 : reached],
        there.layered(above, edges).part(place),
        there.layered(below, edges).part(place),
    )


def _joined(pieces: list[Edge]) -> Edge:
    """Edges of columns that follow each other as one."""
    return Edge(
        *(
            np.concatenate([getattr(e, name) for e in pieces])
            for name in ("ends", "share", "weight", "points")
        )
    )


def _open(there: _Crossings, upper: Edge, lower: Edge, group: Ints) -> Flags:
    """Which columns (C,) are open between an edge above and one below: these are not one, and no
    skin closes the way.
    """
    apart = (group[upper.ends[:, 0]][:, :, None] != group[lower.ends[:, 0]][:, None, :]).all(
        axis=(1, 2)
    )
    return np.asarray(
        apart
        & (_hole(there, upper.points, lower.points) > HOLE * (upper.points - lower.points)[:, 1])
    )


def _hole(there: _Crossings, high: Floats, low: Floats) -> Floats:
    """The longest way (C,) free of skin between points above and below (C,3) in each column, not
    counting skin behind both.
    """
    front = np.flatnonzero(there.points[:, 2] > np.minimum(high, low)[there.row, 2] - COVER)
    row = np.concatenate([np.repeat(np.arange(len(high)), 2), there.row[front]])
    level = np.concatenate(
        [np.stack([low[:, 1], high[:, 1]], axis=1).ravel(), there.points[front, 1]]
    )
    level = np.clip(level, low[row, 1], high[row, 1])
    order = np.lexsort((level, row))
    row, level = row[order], level[order]
    step = np.where(row[1:] == row[:-1], np.diff(level), 0)
    return np.asarray(
        np.maximum.reduceat(step, np.flatnonzero(np.diff(row, prepend=-1))), np.float32
    )


def _softened(columns: Floats, points: Floats, step: float) -> Floats:
    """Points (C,3) along an edge with the level and depth a step before and behind mixed in: which
    mesh edge bounds a column at the end hangs by a hair. Beyond its ends an edge goes back as it
    came.
    """
    low, high = columns[[0, -1]]
    before, behind = low + np.abs(columns - step - low), high - np.abs(high - columns - step)
    soft = points.copy()
    for axis in (1, 2):
        soft[:, axis] = (
            np.interp(before, columns, points[:, axis])
            + 2 * points[:, axis]
            + np.interp(behind, columns, points[:, axis])
        ) / 4
    return soft


def _followed(
    columns: Floats,
    there: _Crossings,
    sign: int,
    elsewhere: Floats,
    start: Floats | None = None,
    outwards: int = 1,
) -> Indices:
    """Which crossing (C,) bounds each column above (sign 1) or below (-1) the middle, -1 for none.
    elsewhere (3,): stands for one in columns without. start (2,): level and depth from where it is
    followed through all columns, the last first with `outwards` -1; else from the middle.

    In the middle of the opening the nearest one that is not behind; from there outwards an edge
    goes on where it was: what else lies in a column is no edge.
    """
    kept = np.flatnonzero(sign * there.level > 0)
    height, depth = sign * there.level[kept], there.depth[kept]
    _x, up, out = np.ascontiguousarray(there.points[kept].T)
    ends = np.searchsorted(there.row[kept], np.arange(len(columns) + 1))
    stretches = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
    half = len(columns) // 2
    ways = (
        [range(half, len(columns)), range(half, -1, -1)]
        if start is None
        else [range(len(columns))[::outwards]]
    )
    if start is None:
        first = height - BEHIND * np.minimum(depth, 0)
        nearest = [
            mine.start + first[mine].argmin() if mine.start < mine.stop else -1
            for mine in stretches
        ]
        starts = [
            elsewhere[1:] if k < 0 else (up[k], out[k])
            for k, x in zip(nearest, columns, strict=True)
            if abs(x) < 0.25
        ]
        start = np.median(starts, axis=0)
    found = np.full(len(columns), -1, np.intp)
    for way in ways:
        y, z = start
        for k in way:
            mine = stretches[k]
            if mine.start < mine.stop:
                dy, dz = up[mine] - y, out[mine] - z
                best = mine.start + int((height[mine] + LEAVE * (dy * dy + dz * dz)).argmin())
                found[k], y, z = kept[best], up[best], out[best]
    return found
