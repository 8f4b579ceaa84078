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


def pieces(rows: int, columns: int) -> Iterator[slice]:
    """Rows of a table in pieces that a core's cache holds."""
    step = max(1, BLOCKS.scores_at_once // max(columns, 1))
    for first in range(0, rows, step):
        yield slice(first, first + step)
