# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/brows.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Brows:
    """How brows that are strips stay before the skin."""

    level: float = number(
        0.08,
        "canonical units",
        0.01,
        0.5,
        "the skin behind a strip is levelled over it; an estimate, not fitted",
    )
    around: float = number(
        0.3,
        "canonical units",
        0.05,
        1,
        "skin so far around a strip is looked at; an estimate, not fitted",
    )
    deep: float = number(
        1.0,
        "canonical units",
        0.1,
        3,
        "skin so far behind a strip is what it floats before; an estimate, not fitted",
    )
    steep: float = number(
        0.6,
        "share of the strip's rise",
        0,
        2,
        "a strip is led out by no more: no forehead is steeper; an estimate, not fitted",
    )
    sinks: float = number(
        0.3,
        "share of the skin's slide under it",
        0,
        1,
        "a strip sinks so far at a blink; an estimate, not fitted",
    )
    cell: float = number(
        0.01,
        "canonical units",
        0.001,
        0.1,
        "on dense skin, what lies closer together is levelled as one: an eighth of `level`; on a"
        " drawn forehead that changes the level by 0.03 % of an eye's height at most",
    )
    faintest: float = number(
        -75,
        "natural logarithm of a weight",
        -80,
        -30,
        "of skin far from a point: a float32 of a sum of weights near 1 does not see it, and below"
        " -87 numbers lose digits and processors time",
    )
    few: int = number(
        8,
        "vertices of skin",
        1,
        100,
        "with fewer, nothing is behind a strip; an estimate, not fitted",
    )


BROWS = Brows()
