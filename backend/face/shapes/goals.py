# SPDX-License-Identifier: GPL-3.0-or-later
"""Vowels, visemes and emotions by function: what each is to do to a face, and the weights with
which the head's own shapes do it.

A vowel is not so much of a jaw, but lips that part so far and a mouth that is so wide. Makers' jaws
and lips differ, so fixed weights make another vowel of every head. A goal says in figures, see
figures.py, what a key is for, and a small bounded least squares finds the weights: as near to the
goal as the head's own shapes reach, and among those the nearest to the weights to start from. Goals
are data, in goals.json beside this file. Keys without a goal, and users' own tables, keep their
weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ...values import is_number
from ..analyse.rest import Finding
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..params.shapes import GOAL, SOLVING
from . import figures
from .figures import Places
from .shape_sets import Table, read_table_json

Doubles = NDArray[np.float64]
Figures = Mapping[str, tuple[float, float]]

DATA = Path(__file__).with_name("goals.json")
# figures that the style makes smaller or greater
STYLED = (
    "open",
    "wide",
    "narrow",
    "out",
    "up",
    "down",
    "fwd",
    "lip_up",
    "lip_down",
    "lip_rise",
    "lip_fwd",
)


@dataclass(frozen=True)
class Goal:
    """What a key is for. drawn, other: figure -> (value, tolerance) on drawn heads and on others.
    start: lever -> weight to start from; fixed: lever -> weight that stays; levers: others that may
    be used. A lever is a condition, or its name without the side for both sides. column: of the
    figures, see figures.LEFT. sealed: the lips stay together.
    """

    name: str
    drawn: Figures
    other: Figures
    start: Mapping[str, float]
    start_other: Mapping[str, float]
    fixed: Mapping[str, float]
    fixed_other: Mapping[str, float]
    levers: tuple[str, ...] = ()
    column: int = figures.BOTH
    sealed: bool = False


@dataclass(frozen=True)
class Goals:
    """bounds: lever -> its least and greatest weight. of: set -> key -> goal."""

    bounds: Mapping[str, tuple[float, float]]
    of: Mapping[str, Mapping[str, Goal]]


@dataclass(frozen=True)
class Aim:
    """A key with a goal. strong: names of conditions -> factors (K,) that the user puts on their
    weights.
    """

    key: str
    goal: Goal
    strong: Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class Solution:
    """weights float32 (N,K) of N goals over the conditions; wanted, reached: per goal figure ->
    value.
    """

    weights: Floats
    wanted: list[dict[str, float]]
    reached: list[dict[str, float]]


def load_goals(path: Path = DATA) -> Goals:
    """The shipped goals. Raises BackendError `table_invalid` if the file is not as it must be."""
    data = read_table_json(path.read_text(encoding="utf-8"))
    try:
        if not isinstance(data, dict):
            raise TypeError("no object")
        bounds = {
            str(lever): (_number(low), _number(high))
            for lever, (low, high) in data["bounds"].items()
        }
        tolerances = {str(name): _number(value) for name, value in data["tolerances"].items()}
        goals = {
            name: _goal(name, entry, tolerances, bounds) for name, entry in data["goals"].items()
        }
        of = {
            str(set_name): {str(key): goals[name] for key, name in keys.items()}
            for set_name, keys in data["keys"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BackendError(
            "table_invalid",
            f"{path.name} is not as it must be: {error}.",
            "Reinstall the extension.",
        ) from error
    return Goals(bounds, of)


def _goal(
    name: str,
    entry: Mapping[str, Any],
    tolerances: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
) -> Goal:
    def read(kind: str) -> dict[str, tuple[float, float]]:
        found = entry.get(kind, entry["drawn"])
        pairs = {
            figure: value if isinstance(value, list) else (value, tolerances[figure])
            for figure, value in found.items()
        }
        return {
            figure: (_number(value), _number(tolerance))
            for figure, (value, tolerance) in pairs.items()
        }

    def weights(field: str, kind: str) -> dict[str, float]:
        return {
            lever: _number(weight)
            for lever, weight in entry.get(f"{field}_{kind}", entry.get(field, {})).items()
        }

    sides = {"left": figures.LEFT, "right": figures.RIGHT}
    goal = Goal(
        name,
        drawn=read("drawn"),
        other=read("other"),
        start=weights("start", "drawn"),
        start_other=weights("start", "other"),
        fixed=weights("fixed", "drawn"),
        fixed_other=weights("fixed", "other"),
        levers=tuple(entry.get("levers", ())),
        column=sides.get(entry.get("side", ""), figures.BOTH),
        sealed=bool(entry.get("sealed", False)),
    )
    missing = {*goal.drawn, *goal.other} - set(figures.NAMES) | {
        *goal.start,
        *goal.start_other,
        *goal.levers,
    } - bounds.keys()
    if missing:
        raise ValueError(f"{name} asks for {', '.join(sorted(missing))}")
    return goal


def styled(goal: Goal, style: float) -> Goal:
    """The goal in a style from -1, subtle, over 0, as makers mostly have it, to 1, bold."""

    def sized(figures: Figures) -> dict[str, tuple[float, float]]:
        return {
            name: (value * GOAL.bold**style if name in STYLED else value, tolerance)
            for name, (value, tolerance) in figures.items()
        }

    return replace(goal, drawn=sized(goal.drawn), other=sized(goal.other)) if style else goal


def levers_of(goals: Iterable[Goal]) -> set[str]:
    """All levers that goals use, on any head."""
    return {
        lever
        for goal in goals
        for part in (goal.start, goal.start_other, goal.fixed, goal.fixed_other, goal.levers)
        for lever in part
    }


def _number(value: object) -> float:
    if not is_number(value):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def wanted(
    tables: Mapping[str, Table], strong: Callable[[Sequence[str]], Floats]
) -> dict[int, Aim]:
    """Row of all tables' keys, one after the other -> what it is for. tables: by the name of the
    set; a user's own is no set and has no goals.
    """
    keys = [(name, key) for name, table in tables.items() for key in table]
    return {
        row: Aim(key, GOALS.of[name][key], strong)
        for row, (name, key) in enumerate(keys)
        if key in GOALS.of.get(name, {})
    }


def drawn(places: Places) -> float:
    """How much a head is drawn, 0 to 1, by how tall its eyes are beside its mouth."""
    t = (float(np.mean(places.tall)) / places.width - GOAL.drawn_from) / (
        GOAL.drawn_to - GOAL.drawn_from
    )
    return float(np.clip(t, 0, 1))


def solved(
    places: Places,
    basis: Sequence[Floats],
    names: Sequence[str],
    goals: Sequence[Goal],
    bounds: Mapping[str, tuple[float, float]],
    free: Floats | None = None,
) -> Solution:
    """The weights of goals over conditions, by `names`, with offsets, basis, K of (F,3). free (F,):
    share of them that is left on the head.

    The kind of head decides what is asked for: between drawn and others goals are mixed, what
    starts and what is fixed is of the nearer kind.
    """
    share = drawn(places)
    near = np.stack([shape[places.rows] for shape in basis]).astype(np.float64)
    if free is not None:
        near *= free[places.rows, None]
    there = replace(places, rows=np.arange(len(places.rows)))
    starts = [goal.start if share >= 0.5 else goal.start_other for goal in goals]
    fixed = [goal.fixed if share >= 0.5 else goal.fixed_other for goal in goals]
    parts = {
        lever: _parts(lever, names)
        for one in (*starts, *fixed, *(dict.fromkeys(goal.levers, 0.0) for goal in goals))
        for lever in one
    }
    levers = [lever for lever, own in parts.items() if own]
    turned = np.zeros((len(levers), len(names)))
    for row, lever in enumerate(levers):
        turned[row, parts[lever]] = 1
    moved = np.tensordot(turned, near, 1)
    asked = list(dict.fromkeys(figure for goal in goals for figure in (*goal.drawn, *goal.other)))
    count, many = len(goals), len(levers)
    start, low, high = (np.zeros((count, many)) for _ in range(3))
    used = np.zeros((count, many), bool)
    aim, rate = np.zeros((count, len(asked))), np.zeros((count, len(asked)))
    for g, goal in enumerate(goals):
        for lever, weight in (
            *starts[g].items(),
            *((lever, 0.0) for lever in goal.levers if lever not in starts[g]),
        ):
            if lever in levers and lever not in fixed[g]:
                at = levers.index(lever)
                start[g, at], used[g, at] = weight, True
                low[g, at], high[g, at] = bounds[lever]
        for lever, weight in fixed[g].items():
            if lever in levers:
                start[g, levers.index(lever)] = low[g, levers.index(lever)] = high[
                    g, levers.index(lever)
                ] = weight
        for figure, (value, tolerance) in _mixed(goal, share).items():
            aim[g, asked.index(figure)], rate[g, asked.index(figure)] = value, 1 / tolerance
    columns = np.array([goal.column for goal in goals])

    def measured(weights: Doubles, column: NDArray[np.intp]) -> Doubles:
        """The figures asked for (N,M) of shapes mixed from levers (N,L)."""
        found = figures.figures(there, list(np.tensordot(weights, moved, 1).astype(np.float32)))
        read = [found[name][np.arange(len(weights)), column] for name in asked]
        return np.stack(read, axis=1).astype(np.float64) if read else np.zeros((len(weights), 0))

    now, still = measured(start, columns), measured(np.where(used, 0, start), columns)
    power = (((now - still) * rate) ** 2).sum(axis=1)
    size = (((aim - still) * (now - still)) * rate**2).sum(axis=1) / np.maximum(power, 1e-9)
    start *= np.where(
        used,
        np.where(power > 0, np.clip(size, SOLVING.size_least, SOLVING.size_most), 1)[:, None],
        1,
    )
    weights = np.clip(start, low, high)
    goal_of, lever_of = np.nonzero(used)
    each = np.arange(len(goal_of))
    for _ in range(SOLVING.rounds):
        steps = np.where(
            weights[goal_of, lever_of] + SOLVING.step > high[goal_of, lever_of],
            -SOLVING.step,
            SOLVING.step,
        )
        beside = weights[goal_of]
        beside[each, lever_of] += steps
        found = measured(
            np.concatenate([weights, beside]), np.concatenate([columns, columns[goal_of]])
        )
        now, slopes = found[:count], np.zeros((count, len(asked), many))
        slopes[goal_of, :, lever_of] = (found[count:] - now[goal_of]) / steps[:, None]
        weights = _nearest(slopes * rate[:, :, None], (aim - now) * rate, weights, start, low, high)
    now = measured(weights, columns)
    told = [rate[g] > 0 for g in range(count)]
    values = [
        [{asked[m]: float(of[g, m]) for m in np.flatnonzero(told[g])} for g in range(count)]
        for of in (aim, now)
    ]
    return Solution(np.ascontiguousarray(weights @ turned, np.float32), values[0], values[1])


def _nearest(
    slopes: Doubles, missing: Doubles, weights: Doubles, start: Doubles, low: Doubles, high: Doubles
) -> Doubles:
    """Weights (G,L) within low and high that bring G linear problems nearest to what is missing
    (G,M), in tolerances, and stay near to their start: one weight after the other, for all problems
    at once. slopes (G,M,L).
    """
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


GOALS = load_goals()
