# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights that goals end with: the best that were seen, whatever a basis is like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.face.geometry.frame import Floats
from backend.face.params.shapes import SOLVING
from backend.face.shapes import descent, figures, goals, solving
from backend.face.shapes.descent import Doubles, Problem, Rows
from scripts.samples.modelled import BUILDERS, anatomy

GOALS = goals.GOALS
AIMS = [*{goal.name: goal for keys in GOALS.of.values() for goal in keys.values()}.values()]


def places(seed: int | None) -> tuple[figures.Places, list[str], int]:
    """Of a modelled head: where its figures are read, its conditions, and how many vertices."""
    head, _triangles = anatomy(None if seed is None else np.random.default_rng([7, seed]), 1.0)
    names = [name for make in BUILDERS for name in make(head)]
    return figures.places_of(head.vertices, head.landmarks), names, len(head.vertices)


PLACES = {seed: places(seed) for seed in (None, 3)}


def chance(seed: int | None, number: int, size: float) -> list[Floats]:
    """A basis of chance numbers, which opens no mouth."""
    _at, names, count = PLACES[seed]
    rng = np.random.default_rng(number)
    basis = rng.normal(0, size, (len(names), count, 3)).astype(np.float32)
    return list(basis)


def own_sizes(seed: int | None, number: int, noise: float) -> list[Floats]:
    """A modelled head's own shapes, each in a size of its own, with some noise."""
    head, _triangles = anatomy(None if seed is None else np.random.default_rng([7, seed]), 1.0)
    rng = np.random.default_rng(number)
    return [
        np.float32(rng.uniform(0.5, 1.6)) * offsets
        + rng.normal(0, noise, offsets.shape).astype(np.float32)
        for make in BUILDERS
        for offsets in make(head).values()
    ]


def costs(seed: int | None, basis: list[Floats]) -> tuple[solving.Solution, Doubles, Doubles]:
    """The solution, what it costs (N,), and what the weights that it starts from cost (N,)."""
    told: list[tuple[Doubles, Doubles]] = []
    real = descent.best

    def best(
        problem: Problem, measured: Callable[[Doubles, Rows], Doubles]
    ) -> tuple[Doubles, Doubles]:
        every = np.arange(len(problem.start))
        weights, reached = real(problem, measured)
        start = descent._sized(problem, measured, every)
        first = np.clip(start, problem.low, problem.high)
        assert (weights >= problem.low - 1e-9).all() and (weights <= problem.high + 1e-9).all()
        assert reached == pytest.approx(measured(weights, every), abs=1e-6)
        told.append(
            (
                problem.cost(weights, reached, start),
                problem.cost(first, measured(first, every), start),
            )
        )
        return weights, reached

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving, "best", best)
        solution = solving.solved(
            PLACES[seed][0], basis, PLACES[seed][1], AIMS, bounds=GOALS.bounds
        )
    ((ends, begins),) = told
    return solution, ends, begins


bases = st.tuples(
    st.sampled_from([None, 3]), st.integers(0, 2**32 - 1), st.sampled_from([1e-4, 0.01, 0.05, 0.3])
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(bases)
def test_best_is_never_worse_than_its_start(
    one: tuple[int | None, int, float],
) -> None:
    seed, number, size = one
    _solution, ends, begins = costs(seed, chance(seed, number, size))
    assert (ends <= begins * (1 + 1e-9)).all()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(bases)
def test_best_is_the_same_for_the_same_basis(one: tuple[int | None, int, float]) -> None:
    seed, number, size = one
    basis = chance(seed, number, size)
    first, ends, _begins = costs(seed, basis)
    again, same, _begins = costs(seed, [shape.copy() for shape in basis])
    assert np.array_equal(first.weights, again.weights) and np.array_equal(ends, same)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from([None, 3]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 1e-4, 0.003, 0.01]),
)
def test_best_takes_nearly_equal_shapes(seed: int | None, number: int, noise: float) -> None:
    """On chance numbers, which are no face, a goal may have two good ends, and which is found
    hangs on rounding.
    """
    basis = own_sizes(seed, number, noise)
    _solution, ends, _begins = costs(seed, basis)
    _solution, near, _begins = costs(seed, [shape * np.float32(1 + 1e-6) for shape in basis])
    assert near == pytest.approx(ends, rel=0.02, abs=0.002)


@pytest.mark.parametrize("slope", [1.0, 2.0, 4.0])
def test_best_ends_where_whole_steps_would_swing(
    slope: float,
) -> None:
    """A figure that levels off: a line along its slope leads ever farther past the goal."""
    one = np.ones((1, 1))
    problem = Problem(0 * one, 50 * one, 1.2 * one, -30 * one, 30 * one, one > 0)

    def measured(weights: Doubles, _own: Rows) -> Doubles:
        return np.asarray(np.arctan(slope * weights))

    weights, reached = descent.best(problem, measured)
    start = problem.cost(1.2 * one, measured(1.2 * one, np.arange(1)), 1.2 * one)
    assert problem.cost(weights, reached, 1.2 * one) < 0.5 * start


def test_best_solves_a_linear_problem_wholly() -> None:
    rng = np.random.default_rng(4)
    slopes, aim = rng.normal(0, 1, (6, 4)), rng.normal(0, 1, (3, 6))
    start = rng.normal(0, 0.3, (3, 4))
    problem = Problem(
        aim,
        np.full((3, 6), 5.0),
        start,
        np.full((3, 4), -50.0),
        np.full((3, 4), 50.0),
        np.ones((3, 4), bool),
    )

    def measured(weights: Doubles, _own: Rows) -> Doubles:
        return np.asarray(weights @ slopes.T)

    weights, reached = descent.best(problem, measured)
    assert reached == pytest.approx(weights @ slopes.T)
    sized = descent._sized(problem, measured, np.arange(3))
    loose = SOLVING.loose**-2
    square = 25 * slopes.T @ slopes + loose * np.eye(4)
    exact = np.linalg.solve(square, (25 * aim @ slopes + loose * sized).T).T
    assert weights == pytest.approx(exact, abs=5e-3)
