# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the roughness out of offsets along the surface; a slit between lips or lids stays a slit,
because no edge crosses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...values import WAY
from ..params.geometry import SMOOTHING
from .frame import Floats
from .mesh import Ints, adjacency, edges_of, weld


@dataclass(frozen=True)
class Neighbours:
    """Who is next to whom among F vertices. group (F,): vertices in one place share one of G. first
    (G,): one vertex of each.

    by_count: for each number D of neighbours that occurs, which groups have so many, N that follow
    each other, and these neighbours (D,N): sums over columns of a table are several times as fast
    as over stretches of a list, and what follows each other needs no lookup.
    """

    group: Ints
    first: NDArray[np.int64]
    by_count: tuple[tuple[slice, NDArray[np.int64]], ...]


def neighbours(vertices: Floats, triangles: Ints) -> Neighbours:
    """Neighbours of vertices along the edges of triangles among them.

    Args:
        vertices: float32 (F,3)
        triangles: int32 (T,3)
    """
    group = weld(vertices) if len(vertices) else np.empty(0, np.int32)
    edges = edges_of(group[triangles])
    start, begins, joined = adjacency(edges[edges[:, 0] != edges[:, 1]])
    count = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
    count[joined] = np.diff(begins, append=len(start))
    begin = np.zeros_like(count)
    begin[joined] = begins
    order = np.argsort(
        count, kind="stable"
    )  # the groups by their number of neighbours, and numbered anew in that order
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    group = rank[group].astype(np.int32)
    first = np.zeros(len(order), np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    ends = np.cumsum(np.bincount(count))
    alike = [
        (slice(int(ends[many - 1]), int(ends[many])), many)
        for many in range(1, len(ends))
        if ends[many - 1] < ends[many]
    ]
    return Neighbours(
        group,
        first,
        tuple(
            (mine, rank[start[begin[order[mine]] + np.arange(many)[:, None]]])
            for mine, many in alike
        ),
    )


def around_some(around: Neighbours, some: NDArray[np.bool_]) -> tuple[Neighbours, NDArray[np.intp]]:
    """Neighbours among those vertices alone that some hang on when they are smoothed, and which
    these are (S,). What lies at the rim of these, and is none of some, stays as it is.

    Args:
        around: of `neighbours`
        some: bool (F,)
    """
    wanted = np.zeros(len(around.first), bool)
    wanted[around.group[some]] = True
    mine = [(np.flatnonzero(wanted[own]), own.start, others) for own, others in around.by_count]
    mine = [each for each in mine if len(each[0])]
    needed, smoothed_ones = wanted.copy(), np.zeros_like(wanted)
    for own, start, others in mine:
        needed[others[:, own]] = True
        smoothed_ones[own + start] = True
    order = [np.flatnonzero(needed & ~smoothed_ones), *(own + start for own, start, _ in mine)]
    ends = np.cumsum([len(own) for own in order])
    rank = np.full(len(wanted), -1, np.int64)
    rank[np.concatenate(order)] = np.arange(ends[-1])
    used = some.copy()
    used[around.first[needed]] = True
    rows = np.flatnonzero(used)
    place = np.cumsum(used) - 1
    return Neighbours(
        rank[around.group[rows]].astype(np.int32),
        place[around.first[np.concatenate(order)]],
        tuple(
            (slice(int(begin), int(end)), rank[others[:, own]])
            for begin, end, (own, _start, others) in zip(ends[:-1], ends[1:], mine, strict=True)
        ),
    ), rows


def _pieces(around: Neighbours, row_bytes: int) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Groups that follow each other, and their neighbours, of each number of these, no more than a
    core's cache holds at `row_bytes` a group.
    """
    step = max(1, SMOOTHING.bytes_at_once // row_bytes)
    for mine, others in around.by_count:
        for first in range(mine.start, mine.stop, step):
            some = slice(first, min(first + step, mine.stop))
            yield some, others[:, first - mine.start : some.stop - mine.start]


def smoothed(offsets: Floats, around: Neighbours) -> Floats:
    """Offsets (N,F,3) moved towards the mean of their neighbours; vertices in one place get one
    offset, so that seams stay closed.

    Args:
        offsets: float32 (N,F,3)
        around: of `neighbours`
    """
    if not around.by_count:
        return offsets
    table = np.empty(offsets.shape[1::-1], WAY)
    for column, shape in zip(table.T, offsets, strict=True):
        column[:] = np.ascontiguousarray(shape, np.float32).view(WAY)[:, 0]
    flat = np.take(table.view(np.float32), around.first, axis=0, mode="clip")
    after = np.empty_like(flat)
    alone = slice(around.by_count[0][0].start)
    after[alone] = flat[alone]
    for mine, others in _pieces(around, flat[:1].nbytes):
        own, pull = flat[mine], after[mine]
        np.take(flat, others[0], axis=0, out=pull, mode="clip")
        for other in others[1:]:
            pull += np.take(flat, other, axis=0, mode="clip")
        pull *= np.float32(1 / len(others))
        pull -= own  # what moves evenly is not rounded
        pull *= np.float32(SMOOTHING.share)
        pull += own
    after = np.take(
        after, around.group, axis=0, mode="clip"
    )  # several times as fast as after[around.group]
    return np.ascontiguousarray(after.view(WAY).T).view(np.float32).reshape(offsets.shape)
