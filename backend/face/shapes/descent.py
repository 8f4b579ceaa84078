# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that bring figures near to what goals ask for, within bounds and near to where they
start: linear problems, one after the other, and at the end the best weights that were seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..params.shapes import SOLVING

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]
# weights (R,L) for goals (R,), by their row, -> figures (R,M)
Measured = Callable[[Doubles, Rows], Doubles]


@dataclass(frozen=True)
class Problem:
    """N goals, M figures and L levers.

    Args:
        aim: float64 (N,M), what figures shall be
        rate: float64 (N,M), what being off by 1 counts; 0 where a goal says nothing
        start: float64 (N,L), the weights to start from
        low: float64 (N,L), the least weights
        high: float64 (N,L), the greatest weights; as the least where a weight is fixed
        used: flags (N,L) of weights that a goal may choose
    """

    aim: Doubles
    rate: Doubles
    start: Doubles
    low: Doubles
    high: Doubles
    used: NDArray[np.bool_]

    def cost(self, weights: Doubles, figures: Doubles, start: Doubles) -> Doubles:
        """What weights with their figures cost (N,): what is missing, and how far they are from
        their start, both in tolerances, squared.

        Args:
            weights: float64 (N,L)
            figures: float64 (N,M)
            start: float64 (N,L)
        """
        missing = (((figures - self.aim) * self.rate) ** 2).sum(axis=1)
        return np.asarray(missing + (((weights - start) / SOLVING.loose) ** 2).sum(axis=1))


@dataclass
class _Best:
    """The weights (N,L) that cost least (N,) of those seen, and their figures (N,M). first: what
    those cost (N,) that were seen first.
    """

    weights: Doubles
    figures: Doubles
    cost: Doubles
    first: Doubles

    def see(self, weights: Doubles, figures: Doubles, cost: Doubles) -> None:
        """Take over where others cost less, or as good as the same and less than the first: of such
        the later ones are taken, for which of them costs less by a hair is rounding.

        Args:
            weights: float64 (N,L)
            figures: float64 (N,M)
            cost: float64 (N,)
        """
        less = (cost <= self.cost + SOLVING.alike) & (cost < self.first)
        self.weights = np.where(less[:, None], weights, self.weights)
        self.figures = np.where(less[:, None], figures, self.figures)
        self.cost = np.where(less, cost, self.cost)


def best(problem: Problem, measured: Measured) -> tuple[Doubles, Doubles]:
    """The best weights float64 (N,L) that are seen, and their figures (N,M).

    Figures are nearly linear in weights on a face, so that each linear problem's answer is taken
    nearly whole. Where they are not, a whole step may make it worse, and the next one take it back:
    so a step goes only as far as a parabola through what it costs here, there and at first
    promises, and what ends it is never worse than what it started from. A step that promises next
    to nothing is taken whole: how far to go would be rounding.

    Args:
        problem: what is asked for
        measured: the figures of weights on the head
    """
    every = np.arange(len(problem.start))
    start = _sized(problem, measured, every)
    weights = np.clip(start, problem.low, problem.high)
    figures = measured(weights, every)
    cost = problem.cost(weights, figures, start)
    seen = _Best(weights, figures, cost, first=cost)
    for _ in range(SOLVING.rounds):
        figures, slopes = _slopes(problem, measured, weights)
        cost = problem.cost(weights, figures, start)
        seen.see(weights, figures, cost)
        missing = (problem.aim - figures) * problem.rate
        slopes *= problem.rate[:, :, None]
        towards = _nearest(slopes, missing, weights, start, problem) - weights
        beyond = measured(weights + towards, every)
        after = problem.cost(weights + towards, beyond, start)
        seen.see(weights + towards, beyond, after)
        steep = -2 * np.einsum("gm,gml,gl->g", missing, slopes, towards)
        steep += 2 * ((weights - start) * towards).sum(axis=1) / SOLVING.loose**2
        bend = after - cost - steep
        whole = (bend <= np.maximum(-steep, 0) / 2) | (-steep <= SOLVING.alike)
        share = np.where(whole, 1, np.maximum(-steep, 0) / np.where(whole, 1, 2 * bend))
        weights = weights + share[:, None] * towards
    figures = measured(weights, every)
    seen.see(weights, figures, problem.cost(weights, figures, start))
    return seen.weights, seen.figures


def _sized(problem: Problem, measured: Measured, every: Rows) -> Doubles:
    """The weights to start from (N,L), all that a goal may choose scaled as one, which keeps their
    direction.
    """
    start, used = problem.start, problem.used
    now, still = measured(start, every), measured(np.where(used, 0, start), every)
    rate = problem.rate
    power = (((now - still) * rate) ** 2).sum(axis=1)
    size = (((problem.aim - still) * (now - still)) * rate**2).sum(axis=1) / np.maximum(power, 1e-9)
    size = np.where(power > 0, np.clip(size, SOLVING.size_least, SOLVING.size_most), 1)
    return np.asarray(start * np.where(used, size[:, None], 1))


def _slopes(problem: Problem, measured: Measured, weights: Doubles) -> tuple[Doubles, Doubles]:
    """The figures (N,M) of weights (N,L), and how they change with each weight (N,M,L)."""
    count, many = weights.shape
    goal_of, lever_of = np.nonzero(problem.used)
    current = weights[goal_of, lever_of]
    inwards = current + SOLVING.step > problem.high[goal_of, lever_of]
    steps = np.where(inwards, -SOLVING.step, SOLVING.step)
    beside = weights[goal_of]
    beside[np.arange(len(goal_of)), lever_of] += steps
    found = measured(np.concatenate([weights, beside]), np.concatenate([np.arange(count), goal_of]))
    now, slopes = found[:count], np.zeros((count, found.shape[1], many))
    slopes[goal_of, :, lever_of] = (found[count:] - now[goal_of]) / steps[:, None]
    return now, slopes


def _nearest(
    slopes: Doubles, missing: Doubles, weights: Doubles, start: Doubles, problem: Problem
) -> Doubles:
    """Weights that bring linear problems nearest to what is missing and stay near to their start:
    one weight after the other, for all problems at once.

    Args:
        slopes: (N,M,L), in tolerances
        missing: (N,M), in tolerances
        weights: (N,L), to begin with
        start: (N,L), sized
        problem: what says bounds

    Returns:
        Weights (N,L).
    """
    low, high = problem.low, problem.high
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
