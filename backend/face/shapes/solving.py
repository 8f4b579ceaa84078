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
from .figures import Places
from .goals import Figures, Goal, drawn

Doubles = NDArray[np.float64]


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
class _Problems:
    """N goals over L levers and M figures.

    Args:
        start, low, high: (N,L), weights to start from, and their bounds
        used: bool (N,L), levers whose weight is looked for
        aim: (N,M), what figures are to be
        rate: (N,M), 1 over their tolerance, 0 where a goal does not ask for one
        columns: (N,), of the figures, see figures.LEFT
    """

    start: Doubles
    low: Doubles
    high: Doubles
    used: NDArray[np.bool_]
    aim: Doubles
    rate: Doubles
    columns: NDArray[np.intp]


@dataclass(frozen=True)
class _Measure:
    """Reads figures of mixtures.

    Args:
        places: of the rows that levers are known at
        moved: (L,R,3), what levers do to these
        names: of the M figures that are asked for
    """

    places: Places
    moved: Doubles
    names: Sequence[str]

    def of(self, weights: Doubles, columns: NDArray[np.intp]) -> Doubles:
        """Figures (N,M) of shapes mixed from levers with weights (N,L). columns (N,): of the
        figures.
        """
        shapes = np.tensordot(weights, self.moved, 1).astype(np.float32)
        found = figures.figures(self.places, list(shapes))
        read = [found[name][np.arange(len(weights)), columns] for name in self.names]
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
    measure = _Measure(near_places, np.tensordot(turned, near, 1), asked)
    problems = _problems(goals, list(zip(starts, fixed, strict=True)), levers, bounds)
    aim, rate = _aims(goals, share, asked)
    problems = _scaled(replace(problems, aim=aim, rate=rate), measure)
    weights = np.clip(problems.start, problems.low, problems.high)
    for _ in range(SOLVING.rounds):
        weights = _round(weights, problems, measure)
    values = [
        [
            {asked[m]: float(of[g, m]) for m in np.flatnonzero(problems.rate[g] > 0)}
            for g in range(len(goals))
        ]
        for of in (problems.aim, measure.of(weights, problems.columns))
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


def _problems(
    goals: Sequence[Goal],
    weights: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
    levers: Sequence[str],
    bounds: Mapping[str, tuple[float, float]],
) -> _Problems:
    """The problems' levers; no figure yet. weights: of each goal, to start from and fixed."""
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
    columns = np.array([goal.column for goal in goals])
    return _Problems(start, low, high, used=used, aim=start, rate=start, columns=columns)


def _aims(goals: Sequence[Goal], share: float, asked: Sequence[str]) -> tuple[Doubles, Doubles]:
    """What N goals ask of M figures on a head that is drawn by a share: `aim` and `rate` (N,M)."""
    aim, rate = (np.zeros((len(goals), len(asked))) for _ in range(2))
    for g, goal in enumerate(goals):
        for figure, (value, tolerance) in _mixed(goal, share).items():
            at = asked.index(figure)
            aim[g, at], rate[g, at] = value, 1 / tolerance
    return aim, rate


def _scaled(problems: _Problems, measure: _Measure) -> _Problems:
    """The problems with the weights to start from scaled as one to the size that is asked for."""
    start, used, rate = problems.start, problems.used, problems.rate
    now = measure.of(start, problems.columns)
    still = measure.of(np.where(used, 0, start), problems.columns)
    power = (((now - still) * rate) ** 2).sum(axis=1)
    size = (((problems.aim - still) * (now - still)) * rate**2).sum(axis=1)
    size = np.clip(size / np.maximum(power, 1e-9), SOLVING.size_least, SOLVING.size_most)
    return replace(problems, start=start * np.where(used, np.where(power > 0, size, 1)[:, None], 1))


def _round(weights: Doubles, problems: _Problems, measure: _Measure) -> Doubles:
    """Weights (N,L) that solve the linear problems about weights (N,L)."""
    goal_of, lever_of = np.nonzero(problems.used)
    count, columns, step = len(weights), problems.columns, SOLVING.step
    above = weights[goal_of, lever_of] + step > problems.high[goal_of, lever_of]
    steps = np.where(above, -step, step)
    beside = weights[goal_of]
    beside[np.arange(len(goal_of)), lever_of] += steps
    found = measure.of(
        np.concatenate([weights, beside]), np.concatenate([columns, columns[goal_of]])
    )
    now, slopes = found[:count], np.zeros((count, len(measure.names), weights.shape[1]))
    slopes[goal_of, :, lever_of] = (found[count:] - now[goal_of]) / steps[:, None]
    rate = problems.rate
    return _nearest(slopes * rate[:, :, None], (problems.aim - now) * rate, weights, problems)


def _nearest(slopes: Doubles, missing: Doubles, weights: Doubles, problems: _Problems) -> Doubles:
    """Weights that bring linear problems nearest to what is missing and stay near to their start:
    one weight after the other, for all problems at once.

    Args:
        slopes: (N,M,L), in tolerances
        missing: (N,M), in tolerances
        weights: (N,L), to begin with
        problems: N of them, which say bounds and start

    Returns:
        Weights (N,L).
    """
    start, low, high = problems.start, problems.low, problems.high
    free = high > low
    most = int(free.sum(axis=1).max(initial=0))
    own = np.argsort(~free, axis=1, kind="stable")[
        :, :most
    ]  # each goal uses a few of all levers; those that are left over stay as they are

    def of(values: Doubles) -> Doubles:
        return np.asarray(np.take_along_axis(values, own, axis=1))

    mine, bottom, top = np.take_along_axis(slopes, own[:, None], axis=2), of(low), of(high)
    square = np.einsum("gml,gmk->glk", mine, mine)
    square[:, np.arange(most), np.arange(most)] += SOLVING.loose**-2
    now = of(weights)
    left = np.einsum("gml,gm->gl", mine, missing) - (now - of(start)) * SOLVING.loose**-2
    for _ in range(SOLVING.sweeps):
        largest = 0.0
        for k in range(most):
            step = (
                np.clip(now[:, k] + left[:, k] / square[:, k, k], bottom[:, k], top[:, k])
                - now[:, k]
            )
            left -= square[:, :, k] * step[:, None]
            now[:, k] += step
            largest = max(largest, float(np.abs(step).max(initial=0)))
        if largest < SOLVING.enough:
            break
    found = weights.copy()
    np.put_along_axis(found, own, now, axis=1)
    return found


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
