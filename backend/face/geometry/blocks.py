# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in blocks of neighbours, so that a search among many looks only at blocks that can hold
what it looks for: what grew with the product of both numbers grows with their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..params.geometry import BLOCKS
from .ticks import tick

Reals = NDArray[np.floating[Any]]
Places = NDArray[np.intp]
Score = Callable[[Places, Places], Reals]


@dataclass(frozen=True)
class Blocks:
    """Points (N,D) cut into blocks of neighbours.

    Args:
        places: of each block, its points' numbers, ascending
        low: lowest coordinates (B,D) of each
        high: highest coordinates (B,D) of each
    """

    places: list[Places]
    low: Reals
    high: Reals


def blocks_of(points: Reals) -> Blocks:
    """Points (N,D), at least one, cut in halves along the longer side until no block has more than
    `BLOCKS.most`.
    """
    places, waiting = [], [np.arange(len(points))]
    while waiting:
        tick()
        some = waiting.pop()
        if len(some) <= BLOCKS.most:
            places.append(np.sort(some))
            continue
        here, half = points[some], len(some) // 2
        longest = int((here.max(axis=0) - here.min(axis=0)).argmax())
        order = np.argpartition(here[:, longest], half)
        waiting += [some[order[:half]], some[order[half:]]]
    return Blocks(
        places,
        np.array([points[some].min(axis=0) for some in places]),
        np.array([points[some].max(axis=0) for some in places]),
    )


def best(
    mine: Blocks,
    theirs: Blocks,
    score: Score,
    least: Callable[[Reals], Reals],
    own: Reals | None = None,
) -> Places:
    """For each point of `mine`, which of the points of `theirs` has the smallest score with it; the
    first of equal ones. As all scores would tell, from few of them.

    Args:
        mine: blocks of N points
        theirs: blocks of those that are chosen from
        score: (A,B) of A points of mine with B of theirs, by their numbers
        least: what no score with any point of each block of theirs (B,) is below, by the squared
            distances (B,) of the blocks from a block of mine
        own: what the scores of each point of mine (N,) lack of what `least` speaks of

    Returns:
        Numbers (N,) of points of theirs.
    """
    found = np.empty(sum(map(len, mine.places)), np.intp)
    for rows, low, high in zip(mine.places, mine.low, mine.high, strict=True):
        tick()
        gap = np.maximum(np.maximum(theirs.low - high, low - theirs.high), 0)
        bound = least((gap * gap).sum(axis=1))
        across = np.maximum(theirs.high - low, high - theirs.low)
        first = theirs.places[int((bound + least((across * across).sum(axis=1))).argmin())]
        seen = score(rows, first)
        slack = BLOCKS.slack * np.abs(seen).max()  # scores are rounded, and so are bounds
        least_seen = seen.min(axis=1) + (0 if own is None else own[rows])
        near = np.flatnonzero(bound <= least_seen.max() + slack)
        among = np.concatenate([first, *(theirs.places[i] for i in near)])
        among = np.unique(among)
        for some in pieces(len(rows), len(among)):
            found[rows[some]] = among[score(rows[some], among).argmin(axis=1)]
    return found


def nearest(
    points: Reals, others: Reals, more: Reals, score: Callable[[Places, Places], Reals]
) -> Places:
    """Which of some points is nearest to each of others, with something added to squared distances;
    the first of equal ones.

    Args:
        points: (N,3)
        others: (M,3), those that are chosen from
        more: what is added (M,)
        score: (A,B) of A points with B others, by their numbers: squared distances with what is
            added, but for a number of each point's own

    Returns:
        Numbers (N,) of others.
    """
    found = np.empty(len(points), np.intp)
    mine, theirs = halved(points, BLOCKS.part), halved(others, BLOCKS.part)
    own, boxes = _boxes(points, mine), _boxes(others, theirs, more)
    step = max(1, BLOCKS.most // mine.shape[1])
    for first in range(0, len(mine), step):
        tick()
        here = own[:, :, first : first + step]
        together = np.stack([here[:, 0].min(axis=1), here[:, 1].max(axis=1)], axis=1)[..., None]
        near = np.flatnonzero(_within(together, boxes)[0])
        reached = _within(here, boxes[:, :, near])
        for rows, some in zip(mine[first : first + step], reached, strict=True):
            among = np.sort(theirs[near[some]], axis=None)
            found[rows] = among[score(rows, among).argmin(axis=1)]
    return found


def _boxes(points: Reals, blocks: Places, *more: Reals) -> Reals:
    """Lowest and highest coordinates (D,2,B) of points (N,3) in blocks (B,S); with `more` (N,) of
    each point as one more.
    """
    columns = [np.ascontiguousarray(some[blocks.T]) for some in (*points.T, *more)]
    return np.array([[column.min(axis=0), column.max(axis=0)] for column in columns])


def _within(mine: Reals, theirs: Reals) -> NDArray[np.bool_]:
    """Which of their blocks may hold what is nearest to a point of each of mine, flags (A,B).

    Args:
        mine: `_boxes` (3,2,A)
        theirs: `_boxes` (4,2,B) of those that are chosen from, and of what is added to squared
            distances from them
    """
    least, most = (np.zeros((mine.shape[2], theirs.shape[2])) + theirs[3, end] for end in (0, 1))
    for own, their in zip(mine, theirs[:3], strict=True):
        above = their[0] - own[1, :, None]
        below = own[0, :, None] - their[1]
        across = np.minimum(above, below)  # the farthest that two points can lie apart, negative
        across *= across
        most += across
        gap = np.maximum(above, below, out=above)
        np.maximum(gap, 0, out=gap)
        gap *= gap
        least += gap
    limit = most.min(axis=1, keepdims=True)
    # distances are rounded
    return np.asarray(least <= limit + BLOCKS.slack * np.abs(limit))


def halved(points: Reals, most: int) -> Places:
    """Points cut in halves along the longer side, all blocks at once, neighbours after each other.

    Args:
        points: (N,D), at least one
        most: of them in a block

    Returns:
        Numbers (B,S) of the points of each block; some points are in two.
    """
    blocks = 1 << max(0, int(np.ceil(np.log2(len(points) / most))))
    places = np.arange(-(-len(points) // blocks) * blocks)[None] % len(points)
    while len(places) < blocks:
        tick()
        columns = np.array([column[places] for column in points.T])  # (D,B,S)
        sides = np.ptp(columns, axis=2).argmax(axis=0)
        along = columns[sides, np.arange(len(places))]
        order = np.argpartition(along, places.shape[1] // 2, axis=1)
        places = np.take_along_axis(places, order, axis=1).reshape(2 * len(places), -1)
    return places


def pieces(rows: int, columns: int) -> Iterator[slice]:
    """Rows of a table in pieces that a core's cache holds."""
    step = max(1, BLOCKS.scores_at_once // max(columns, 1))
    for first in range(0, rows, step):
        yield slice(first, first + step)
