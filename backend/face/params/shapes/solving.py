# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of goals and their weights: `shapes/goals.py` and `shapes/solving.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Solving:
    """How the weights of keys with a goal are found on a head (`shapes/solving.py`)."""

    loose: float = number(
        0.7,
        "weight",
        0.05,
        5,
        "a weight so far from its start counts as much as a goal that is missed by its tolerance;"
        " an estimate, not fitted",
    )
    step: float = number(
        0.05,
        "weight",
        0.005,
        0.3,
        "over which the slope of a figure is read: figures are quantiles and have bends; an"
        " estimate, not fitted",
    )
    rounds: int = number(
        4,
        "linear problems",
        1,
        20,
        "solved one after the other: figures are nearly linear, more rounds change them by less"
        " than 0.005",
    )
    sweeps: int = number(
        25, "times over all weights", 1, 200, "at most, for one linear problem; not fitted"
    )
    alike: float = number(
        1e-6,
        "tolerances, squared",
        0,
        1e-3,
        "by which two costs differ at most that count as one: by rounding ONNX Runtime 1.19 and"
        " 1.31 ended with weights that are 3e-5 apart",
    )
    enough: float = number(
        1e-3,
        "weight",
        1e-5,
        0.05,
        "a sweep that changes every weight by less ends the linear problem; an estimate, not"
        " fitted",
    )
    size_least: float = number(
        0.4,
        "factor on the weights to start from",
        0.1,
        1,
        "all are scaled as one first, which keeps the set's direction; an estimate, not fitted",
    )
    size_most: float = number(
        2.0,
        "factor on the weights to start from",
        1,
        5,
        "all are scaled as one first, which keeps the set's direction; an estimate, not fitted",
    )
    counted: float = number(
        0.01,
        "share of a kind of head",
        0,
        0.2,
        "what only a kind is asked for that the head is of by less does not count; an estimate,"
        " not fitted",
    )


@dataclass(frozen=True)
class Goal:
    """What keys with a goal are asked for (`shapes/goals.py`)."""

    drawn_from: float = number(
        0.36,
        "height of the eyes' openings in widths of the mouth",
        0.1,
        0.45,
        "up to which a head is not drawn: 76 heads of ICT-FaceKit, MakeHuman, Vitruvian and Antonia"
        " have 0.15 to 0.36",
    )
    drawn_to: float = number(
        0.50,
        "height of the eyes' openings in widths of the mouth",
        0.4,
        1,
        "from which on a head is drawn: drawn heads of training, by 4 makers, have 0.55 to 2.4;"
        " jeeliz_lama and pm_crimsom lie between",
    )
    bold: float = number(
        1.33,
        "factor on the mouth's figures",
        1,
        2,
        "of the boldest style: makers' upper quartile of how far lips part beside their median and"
        " lower one, square roots of their ratios: aa 1.33, ih 1.67, ou 1.33, ee 1.26, oh 1.52 (25"
        " to 30 drawn heads). How far lids close is no matter of style",
    )
    told_from: float = number(
        0.1,
        "widths of the mouth",
        0,
        0.5,
        "a goal that parts the lips by less is not told when it is missed; an estimate, not fitted",
    )
    told_below: float = number(
        0.5,
        "share of the parting asked for",
        0,
        1,
        "a goal of which less is reached is told as missed; an estimate, not fitted",
    )


SOLVING = Solving()
GOAL = Goal()
