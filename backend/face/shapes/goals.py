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

from ...errors import BackendError
from ...values import is_number
from ..geometry.frame import Floats
from ..params.shapes import GOAL
from . import figures
from .figures import Places
from .shape_sets import Table, read_table_json

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
    """What a key is for. A lever is a condition, or its name without the side for both sides.

    Args:
        name: in goals.json
        drawn, other: figure -> (value, tolerance) on drawn heads and on others
        start, start_other: lever -> weight to start from, on drawn heads and on others
        fixed, fixed_other: lever -> weight that stays
        levers: others that may be used
        column: of the figures, see figures.LEFT
        sealed: the lips stay together
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
    """All goals.

    Args:
        bounds: lever -> its least and greatest weight
        of: set -> key -> goal
    """

    bounds: Mapping[str, tuple[float, float]]
    of: Mapping[str, Mapping[str, Goal]]


@dataclass(frozen=True)
class Aim:
    """A key with a goal.

    Args:
        key: its name
        goal: what it is for
        strong: names of conditions -> factors (K,) that the user puts on their weights
    """

    key: str
    goal: Goal
    strong: Callable[[Sequence[str]], Floats]


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

    columns = {"left": figures.LEFT, "right": figures.RIGHT}
    goal = Goal(
        name,
        drawn=read("drawn"),
        other=read("other"),
        start=weights("start", "drawn"),
        start_other=weights("start", "other"),
        fixed=weights("fixed", "drawn"),
        fixed_other=weights("fixed", "other"),
        levers=tuple(entry.get("levers", ())),
        column=columns.get(entry.get("side", ""), figures.BOTH),
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
    """Row of all tables' keys, one after the other -> what it is for.

    Args:
        tables: by the name of the set; a user's own is no set and has no goals
        strong: names of conditions -> factors (K,) on them
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


GOALS = load_goals()
