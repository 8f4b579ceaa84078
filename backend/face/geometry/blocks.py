# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in blocks of neighbours, so that a search among many looks only at blocks that can hold
what it looks for: what grew with the product of both numbers grows with their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..params.geometry import BLOCKS
from .ticks import tick

Reals = NDArray[np.floating[Any]]
Places = NDArray[np.intp]
Score = Callable[[Places, Places], Reals]


def nearest(
    points: Reals,
    others: Reals,
    more: Reals,
    score: Score,
    far: Callable[[Reals], Reals] = lambda squares: squares,
) -> Places:
    """Which of some points has the smallest score with each of others; the first of equal ones. As
    all scores would tell, from few of them.

    Args:
        points: (N,D)
        others: (M,D), those that are chosen from
        more: (M,), of a score
        score: (A,B) of A points with B others, by their numbers: `far` of squared distances, and
            `more`, but for a number of each point's own
        far: grows with squared distances (A,B)

    Returns:
        Numbers (N,) of others.
    """
    found = np.empty(len(points), np.intp)
    mine, theirs = halved(points, BLOCKS.part), halved(others, BLOCKS.part)
    own, boxes = _boxes(points, mine), _boxes(others, theirs, more)
    large = _joined(boxes)
    step = max(1, BLOCKS.together // mine.shape[1])
    for first in range(0, len(mine), step):
        tick()
        rows, here = mine[first : first + step], own[:, :, first : first + step]
        whole = np.stack([here[:, 0].min(axis=1), here[:, 1].max(axis=1)], axis=1)[..., None]
        near = np.flatnonzero(_within(whole, large, far)[0])
        near = (near[:, None] * BLOCKS.joined + np.arange(BLOCKS.joined)).ravel()
        near = near[near < len(theirs)]
        near = near[_within(whole, boxes[:, :, near], far)[0]]
        least, most = _apart(here, boxes[:, :, near], far)
        one = theirs[near[most.argmin(axis=1)]]
        limit = _farthest(points[rows], others[one], more[one], far)
        for some, own_rows in zip(_below(least, limit[:, None]), rows, strict=True):
            among = theirs[near[some]].ravel()
            among.sort()
            found[own_rows] = among[score(own_rows, among).argmin(axis=1)]
    return found


def _joined(boxes: Reals) -> Reals:
    """Boxes (D,2,B) of boxes that follow each other, so many of these in one; the last may hold
    fewer.
    """
    begins = np.arange(0, boxes.shape[2], BLOCKS.joined)
    return np.stack(
        [
            np.minimum.reduceat(boxes[:, 0], begins, axis=1),
            np.maximum.reduceat(boxes[:, 1], begins, axis=1),
        ],
        axis=1,
    )


def _farthest(points: Reals, others: Reals, more: Reals, far: Callable[[Reals], Reals]) -> Reals:
    """The largest of the smallest scores (A,) that points have with some others: no point's
    smallest one among all is larger.

    Args:
        points: (A,S,D)
        others: (A,S,D), others for each A
        more: (A,S), of their scores
        far: as of `nearest`
    """
    squares = np.zeros((*points.shape[:2], others.shape[1]))
    for axis in range(points.shape[2]):
        way = points[:, :, None, axis] - others[:, None, :, axis]
        squares += way * way
    scores = far(squares) + more[:, None]
    return np.asarray(scores.min(axis=2).max(axis=1))


def _boxes(points: Reals, blocks: Places, *more: Reals) -> Reals:
    """Lowest and highest coordinates (D,2,B) of points (N,3) in blocks (B,S); with `more` (N,) of
    each point as one more.
    """
    columns = [np.ascontiguousarray(some[blocks.T]) for some in (*points.T, *more)]
    return np.array([[column.min(axis=0), column.max(axis=0)] for column in columns])


def _within(mine: Reals, theirs: Reals, far: Callable[[Reals], Reals]) -> NDArray[np.bool_]:
    """Which of their blocks may hold what has the smallest score with a point of each of mine,
    flags (A,B). Arguments as those of `_apart`.
    """
    least, most = _apart(mine, theirs, far)
    return _below(least, most.min(axis=1, keepdims=True))


def _below(least: Reals, limit: Reals) -> NDArray[np.bool_]:
    """Which scores (A,B) are no larger than a limit (A,1), as far as rounding tells."""
    return np.asarray(least <= limit + BLOCKS.slack * np.abs(limit))


def _apart(mine: Reals, theirs: Reals, far: Callable[[Reals], Reals]) -> tuple[Reals, Reals]:
    """The least score (A,B) that points of two blocks may have, and the largest that the best of
    theirs has.

    Args:
        mine: `_boxes` (D,2,A)
        theirs: `_boxes` (D+1,2,B) of those that are chosen from, with `more` of their scores
        far: as of `nearest`
    """
    least, most = np.zeros((2, mine.shape[2], theirs.shape[2]))
    for own, their in zip(mine, theirs[:-1], strict=True):
        above = their[0] - own[1, :, None]
        below = own[0, :, None] - their[1]
        across = np.minimum(above, below)  # the farthest that two points can lie apart, negative
        across *= across
        most += across
        gap = np.maximum(above, below, out=above)
        np.maximum(gap, 0, out=gap)
        gap *= gap
        least += gap
    return np.asarray(far(least) + theirs[-1, 0]), np.asarray(far(most) + theirs[-1, 1])


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
        longest = np.ptp(columns, axis=2).argmax(axis=0)
        along = columns[longest, np.arange(len(places))]
        order = np.argpartition(along, places.shape[1] // 2, axis=1)
        places = np.take_along_axis(places, order, axis=1).reshape(2 * len(places), -1)
    return places


def pieces(rows: int, columns: int) -> Iterator[slice]:
    """Rows of a table in pieces that a core's cache holds."""
    step = max(1, BLOCKS.scores_at_once // max(columns, 1))
    for first in range(0, rows, step):
        yield slice(first, first + step)
