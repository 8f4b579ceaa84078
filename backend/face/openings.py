# SPDX-License-Identifier: GPL-3.0-or-later
"""Where lids and lips end on the mesh itself, column by column across an eye and a mouth.

Landmarks say roughly where an opening is; its edges are what the skin reaches into it from above and from below. They are read where a
column crosses the mesh's own edges, so a coarse mesh gives an exact answer too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frame import Floats
from .mesh import Ints

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

BEYOND = 1.3  # half widths from the middle as far as which columns are looked at
COLUMNS = 41
REACH = 1.1  # heights of the opening from its middle within which its edges are sought
FRONT, BACK = 0.8, 0.7  # the same in front and behind
LEAVE = 8.0  # what leaving the edge of the last column costs, per square of the heights
BEHIND = 0.6  # how much of a height one height behind makes up for: the inside of a lid hangs lower than its edge
COVER = 0.15  # heights behind its edges from which on skin no longer closes a column
HOLE = 0.55  # share of the way between the edges that must be free of skin: lids have a thickness
BAG = 2.5  # the same for lips: the bag behind them reaches up and down
SLIT = 0.5  # half widths of the mouth from the line between its corners and its middle within which lips are sought
KNOWN = 0.02  # sides nearer to 0 say nothing
OPEN = 0.4  # share of the inner columns that must be open


@dataclass(frozen=True)
class Edge:
    """One edge of an opening, a point per open column. ends (C,2), share (C,): it lies on the mesh edge between these vertices, `share` of the
    way. points (C,3): where, in the opening's own units."""

    ends: Indices
    share: Floats
    points: Floats

    def of(self, values: Floats) -> Floats:
        """What values (F,N) at the vertices are along the edge (C,N)."""
        share = self.share[:, None]
        return np.asarray(values[self.ends[:, 0]] * (1 - share) + values[self.ends[:, 1]] * share, np.float32)


@dataclass(frozen=True)
class Opening:
    """An opening and its edges. axes (3,3): rows along it, up and out, unit. unit (3,): what is 1 along them, canonical: for an eye its half
    width and twice its height, for a mouth its half width.
    columns (C,): the open ones, in half widths from the middle. local (F,3): all vertices from its middle along the axes, in units. skin (F,):
    what the edges were found on. origin (3,): the middle, canonical."""

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
        return np.stack([np.interp(self.local[:, 0], self.columns, column) for column in values.T], axis=1).astype(np.float32)

    def fade(self) -> Floats:
        """1 between the open columns, falling to 0 at the eye's corners or a fifth of a half width beyond the columns (F,)."""
        x, (first, last) = self.local[:, 0], self.columns[[0, -1]]
        beyond = np.maximum((first - x) / max(1.05 + first, 0.2), (x - last) / max(1.05 - last, 0.2))
        return np.asarray(np.clip(1 - beyond, 0, 1), np.float32)


def eye_opening(vertices: Floats, triangles: Ints, group: Ints, skins: list[Flags], landmarks: Mapping[str, Floats], name: str) -> Opening | None:
    """The opening of the eye `name` (left, right), or None where there is none.

    vertices (F,3), triangles (T,3), group (F,): vertices in one place share one. skins: flags (F,) of what may be skin, the first in which
    there is an opening counts: a transparent shell that is sewn to the lids is a part of its own only before welding. Lids stand apart on a
    neutral face, so what the skin leaves free around the middle between their landmarks is the opening.
    """
    right, left = (landmarks[f"eye_{end}_{name}"] for end in (("inner", "outer") if name == "left" else ("outer", "inner")))
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
    away = (local - centre * np.clip(1 - local[:, :1] ** 2, -0.6, 1)).astype(np.float32)  # from a parabola through corners and middle
    near = (np.abs(local[:, 0]) < 2 * BEYOND) & (np.abs(away[:, 1]) < REACH) & (away[:, 2] < FRONT) & (away[:, 2] > -BACK)
    for skin in skins:
        mine = triangles[(near & skin)[triangles].all(axis=1)]
        edges = np.unique(np.sort(np.concatenate([mine[:, [0, 1]], mine[:, [1, 2]], mine[:, [2, 0]]]), axis=1), axis=0)
        if len(edges):
            found = _edges(local, away, edges, group)
            if found:
                columns, upper, lower = found
                return Opening(axes, unit, columns, local, upper, lower, skin, middle)
    return None


def mouth_slit(vertices: Floats, triangles: Ints, side: Floats, skin: Flags, landmarks: Mapping[str, Floats]) -> Opening | None:
    """The mouth between its lips, or None where they are not told apart. side (F,): 1 above to -1 below along the surface, 0 unknown.

    Lips lie on each other on a neutral face, so the surface says which edge a vertex belongs to, and its place only how near it is.
    """
    right, left, lips = landmarks["mouth_right"], landmarks["mouth_left"], (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    half = float(np.linalg.norm(left - right)) / 2
    if half < 1e-4:
        return None
    x = (left - right) / (2 * half)
    y = np.array([0, 1, 0], np.float32) - x[1] * x
    y = y / np.linalg.norm(y)
    axes, middle = np.stack([x, y, np.cross(x, y)]).astype(np.float32), ((right + left) / 2).astype(np.float32)
    local = ((vertices - middle) @ axes.T / half).astype(np.float32)
    centre = (lips - middle) @ axes.T / half
    away = (local - centre * np.clip(1 - local[:, :1] ** 2, 0, 1)).astype(np.float32)
    near = skin & (np.abs(local[:, 0]) < BEYOND) & (np.abs(away[:, 1:]) < SLIT).all(axis=1)
    columns = np.linspace(-1, 1, COLUMNS, dtype=np.float32)
    found, edges = [], []
    for sign in (1, -1):
        mine = triangles[(near & (sign * side > KNOWN))[triangles].all(axis=1)]
        own = np.unique(np.sort(np.concatenate([mine[:, [0, 1]], mine[:, [1, 2]], mine[:, [2, 0]]]), axis=1), axis=0)
        if not len(own):
            return None
        crossed, share, points, level, depth = _crossings(local, away, own, columns)
        height = np.where(crossed, sign * level - BAG * np.minimum(depth, 0), np.inf)
        best, rows = height.argmin(axis=1), np.arange(COLUMNS)
        found.append(np.isfinite(height[rows, best]))
        edges.append(Edge(own[best].astype(np.intp), share[rows, best].clip(0, 1), points[rows, best]))
    both = np.flatnonzero(found[0] & found[1])
    if len(both) < OPEN * COLUMNS / 2:
        return None
    upper, lower = (Edge(e.ends[both], e.share[both], e.points[both]) for e in edges)
    return Opening(axes, np.full(3, half, np.float32), columns[both], local, upper, lower, skin, middle)


def _crossings(local: Floats, away: Floats, edges: Indices, columns: Floats) -> tuple[Flags, Floats, Floats, Floats, Floats]:
    """Where columns cross mesh edges (E,2): whether (C,E), at which share of the edge, where (C,E,3), and how far up and out from the middle."""
    start, end = local[edges[:, 0]], local[edges[:, 1]]
    width = end[:, 0] - start[:, 0]
    share = ((columns[:, None] - start[:, 0]) / np.where(np.abs(width) < 1e-9, 1e-9, width)).astype(np.float32)
    crossed = (share >= 0) & (share <= 1)
    points = start[None] + np.where(crossed, share, 0)[:, :, None] * (end - start)[None]
    level, depth = (away[edges[:, 0], i] + share * (away[edges[:, 1], i] - away[edges[:, 0], i]) for i in (1, 2))
    return crossed, share, points, level, depth


def _edges(local: Floats, away: Floats, edges: Indices, group: Ints) -> tuple[Floats, Edge, Edge] | None:
    """Open columns and the edges above and below them."""
    columns = np.linspace(-BEYOND, BEYOND, COLUMNS, dtype=np.float32)
    crossed, share, points, level, depth = _crossings(local, away, edges, columns)
    above, below = (_followed(columns, points, np.where(crossed & (s * level > 0), s * level, np.inf), depth) for s in (1, -1))
    found = (above >= 0) & (below >= 0)
    rows = np.arange(COLUMNS)
    upper, lower = (Edge(edges[i].astype(np.intp), share[rows, i].clip(0, 1), points[rows, i]) for i in (above, below))
    apart = (group[upper.ends][:, :, None] != group[lower.ends][:, None, :]).all(axis=(1, 2))
    high, low = upper.points[:, None], lower.points[:, None]
    front = crossed & (points[:, :, 2] > np.minimum(high, low)[:, :, 2] - COVER)
    levels = np.sort(np.clip(np.where(front, points[:, :, 1], low[:, :, 1]), low[:, :, 1], high[:, :, 1]), axis=1)
    hole = np.maximum(np.diff(levels, axis=1).max(axis=1), high[:, 0, 1] - levels[:, -1])
    free = found & apart & (hole > HOLE * (high - low)[:, 0, 1])
    if free[np.abs(columns) < 0.6].mean() < OPEN:
        return None
    where = np.flatnonzero(free)
    run = max(np.split(where, np.flatnonzero(np.diff(where) > 2) + 1), key=len)
    if len(run) < 4:
        return None
    upper, lower = (Edge(e.ends[run], e.share[run], _softened(e.points[run])) for e in (upper, lower))
    return columns[run], upper, lower


def _softened(points: Floats) -> Floats:
    """Points (C,3) along an edge with their neighbours' level and depth mixed in: which mesh edge bounds a column at the end hangs by a hair."""
    padded = np.concatenate([points[1:2], points, points[-2:-1]])
    soft = points.copy()
    soft[:, 1:] = (padded[:-2, 1:] + 2 * points[:, 1:] + padded[2:, 1:]) / 4
    return soft


def _followed(columns: Floats, points: Floats, height: Floats, depth: Floats) -> NDArray[np.intp]:
    """Which mesh edge (C,) bounds each column, -1 for none, of heights (C,E) from the middle, infinite for what does not count; points (C,E,3).

    In the middle of the opening the nearest one that is not behind, by depth (C,E); from there outwards an edge goes on where it was: what else
    lies in a column is no edge.
    """
    best, rows = (height - BEHIND * np.minimum(depth, 0)).argmin(axis=1), np.arange(len(columns))
    middle = np.flatnonzero(np.abs(columns) < 0.25)
    there = np.median(points[middle, best[middle], 1:], axis=0)
    for outwards in (rows[len(rows) // 2 :], rows[len(rows) // 2 :: -1]):
        last = there
        for row in outwards:
            best[row] = (height[row] + LEAVE * np.square(points[row, :, 1:] - last).sum(axis=1)).argmin()
            if np.isfinite(height[row, best[row]]):
                last = points[row, best[row], 1:]
    return np.where(np.isfinite(height[rows, best]), best, -1)
