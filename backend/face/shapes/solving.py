# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights with which a head's own shapes come nearest to goals: a bounded least squares of few
unknowns, for all goals at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..analyse.rest import Finding
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..params.shapes import GOAL, SOLVING
from . import figures
from .descent import Doubles, Problem, Rows, best
from .figures import Places
from .goals import Figures, Goal, drawn

PARTING = ("open", "lip_up", "lip_down")  # figures of how far the lips part


@dataclass(frozen=True)
class Solution:
    """What was found for N goals.

    Args:
        weights: float32 (N,K), over the conditions
        wanted: of each goal, figure -> value
        reached: the same, as measured on the head
    """

    weights: Floats
    wanted: list[dict[str, float]]
    reached: list[dict[str, float]]


@dataclass(frozen=True)
class _Measure:
    """Reads figures of mixtures.

    Args:
        places: of the rows that levers are known at
        moved: (L,R,3), what levers do to these
        names: of the M figures that are asked for
        columns: (N,), of the goals' figures, see figures.LEFT
    """

    places: Places
    moved: Doubles
    names: Sequence[str]
    columns: Rows

    def of(self, weights: Doubles, goals: Rows) -> Doubles:
        """Figures (R,M) of shapes mixed from levers.

        Args:
            weights: float64 (R,L)
            goals: int (R,), which goal each row is of
        """
        shapes = np.tensordot(weights, self.moved, 1).astype(np.float32)
        found = figures.figures(self.places, list(shapes))
        read = [found[name][np.arange(len(weights)), self.columns[goals]] for name in self.names]
        return np.stack(read, axis=1).astype(np.float64) if read else np.zeros((len(weights), 0))


def solved(
    places: Places,
    basis: Sequence[Floats],
    names: Sequence[str],
    goals: Sequence[Goal],
    *,
    bounds: Mapping[str, tuple[float, float]],
    movement_mask: Floats | None = None,
) -> Solution:
    """The weights of goals over conditions.

    The kind of head decides what is asked for: between drawn and others goals are mixed, what
    starts and what is fixed is of the nearer kind.

    Args:
        places: where figures are read
        basis: K offsets float32 (F,3), canonical
        names: of the K conditions
        goals: N of them
        bounds: lever -> its least and greatest weight
        movement_mask: (F,), share of the offsets that is left on the head
    """
    share = drawn(places)
    starts = [goal.start if share >= 0.5 else goal.start_other for goal in goals]
    fixed = [goal.fixed if share >= 0.5 else goal.fixed_other for goal in goals]
    turned, levers = _levers((*starts, *fixed), goals, names)
    near = np.stack([shape[places.rows] for shape in basis]).astype(np.float64)
    if movement_mask is not None:
        near *= movement_mask[places.rows, None]
    asked = list(dict.fromkeys(figure for goal in goals for figure in (*goal.drawn, *goal.other)))
    near_places = replace(places, rows=np.arange(len(places.rows)))
    columns = np.array([goal.column for goal in goals])
    measure = _Measure(near_places, np.tensordot(turned, near, 1), asked, columns)
    room = figures.parted(places), figures.stretched(places, share)
    aim, rate = _aims(goals, share, asked, *room)
    ranges = _ranges(goals, list(zip(starts, fixed, strict=True)), levers, bounds)
    weights, reached = best(Problem(aim, rate, *ranges), measure.of)
    values = [
        [
            {asked[m]: float(of[g, m]) for m in np.flatnonzero(rate[g] > 0)}
            for g in range(len(goals))
        ]
        for of in (aim, reached)
    ]
    return Solution(np.ascontiguousarray(weights @ turned, np.float32), values[0], values[1])


def _levers(
    weights: Sequence[Mapping[str, float]], goals: Sequence[Goal], names: Sequence[str]
) -> tuple[Doubles, list[str]]:
    """Which conditions levers move, (L,K) of 0 and 1, and the names of the levers that move any."""
    parts = {
        lever: _parts(lever, names)
        for one in (*weights, *(dict.fromkeys(goal.levers, 0.0) for goal in goals))
        for lever in one
    }
    levers = [lever for lever, own in parts.items() if own]
    turned = np.zeros((len(levers), len(names)))
    for row, lever in enumerate(levers):
        turned[row, parts[lever]] = 1
    return turned, levers


def _ranges(
    goals: Sequence[Goal],
    weights: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
    levers: Sequence[str],
    bounds: Mapping[str, tuple[float, float]],
) -> tuple[Doubles, Doubles, Doubles, NDArray[np.bool_]]:
    """Of each goal's levers (N,L) the weights to start from, the least, the greatest, and whether
    it may choose. weights: of each goal, to start from and fixed.
    """
    shape = len(goals), len(levers)
    start, low, high = (np.zeros(shape) for _ in range(3))
    used = np.zeros(shape, bool)
    for g, (goal, (starts, fixed)) in enumerate(zip(goals, weights, strict=True)):
        others = {lever: 0.0 for lever in goal.levers if lever not in starts}
        for lever, weight in (*starts.items(), *others.items()):
            if lever in levers and lever not in fixed:
                at = levers.index(lever)
                start[g, at], used[g, at] = weight, True
                low[g, at], high[g, at] = bounds[lever]
        for lever, weight in fixed.items():
            if lever in levers:
                at = levers.index(lever)
                start[g, at] = low[g, at] = high[g, at] = weight
    return start, low, high, used


def _aims(
    goals: Sequence[Goal], share: float, asked: Sequence[str], most: float, stretched: float
) -> tuple[Doubles, Doubles]:
    """What N goals ask of M figures on a head that is drawn by a share: `aim` and `rate` (N,M).
    most: W, that its lips part by; a goal of more is asked for as far, and its lips' ways with it.
    stretched: factor on how far lips part.
    """
    aim, rate = (np.zeros((len(goals), len(asked))) for _ in range(2))
    for g, goal in enumerate(goals):
        mixed = _mixed(goal, share)
        less = min(stretched, most / max(mixed["open"][0], 1e-6)) if "open" in mixed else 1.0
        for figure, (value, tolerance) in mixed.items():
            at = asked.index(figure)
            aim[g, at] = value * (less if figure in PARTING else 1)
            rate[g, at] = 1 / tolerance
    return aim, rate


def _mixed(goal: Goal, share: float) -> Figures:
    """What is asked for on a head that is drawn by a share; what only one kind of heads is asked
    for counts as much less on those between.
    """
    found = {}
    for figure in dict.fromkeys((*goal.drawn, *goal.other)):
        one, other = goal.drawn.get(figure), goal.other.get(figure)
        if one and other:
            found[figure] = (share * one[0] + (1 - share) * other[0], one[1])
        else:
            (value, tolerance), part = (one, share) if one else (other, 1 - share)  # type: ignore[misc]
            if part > SOLVING.counted:
                found[figure] = (value, tolerance / part)
    return found


def _parts(lever: str, names: Sequence[str]) -> list[int]:
    """The conditions that a lever moves: itself, or those of both sides; none where the model has
    them not.
    """
    own = [lever] if lever in names else [f"{lever}{side.title()}" for side in SIDES]
    return [names.index(name) for name in own] if set(own) <= set(names) else []


def missed(keys: Sequence[str], solution: Solution) -> list[Finding]:
    """What to tell where lips part far less on this mesh than a goal asks for. keys (N,): of the
    goals.
    """
    short = [
        (key, wanted["open"], reached["open"])
        for key, wanted, reached in zip(keys, solution.wanted, solution.reached, strict=True)
        if wanted.get("open", 0) >= GOAL.told_from
        and reached["open"] < GOAL.told_below * wanted["open"]
    ]
    if not short:
        return []
    key, goal, own = max(short, key=lambda one: one[1] - one[2])
    words = (
        f"The lips part too little for {', '.join(each[0] for each in short)}: for {key} by"
        f" {max(own, 0):.2f} of the mouth's width instead of {goal:.2f}. The mesh, or the landmarks"
        " of the mouth, allow no more."
    )
    return [Finding("goals_missed", words, tuple(each[0] for each in short))]
