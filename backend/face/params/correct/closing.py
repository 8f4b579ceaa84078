# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/closing.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Closing:
    """How lids close, narrow and lie before the eye. Heights are those of the eye's opening."""

    narrow: float = number(
        0.27,
        "share of the opening",
        0.05,
        0.6,
        "a squint or a smile closes no more: makers' lower lids rise by it at a squint, at the"
        " median (13 heads, drawn or not)",
    )
    lower_rise: float = number(
        0.25,
        "share of the opening",
        0,
        0.6,
        "the lower lid rises by no more at a blink; an estimate, not fitted",
    )
    lap: float = number(
        0.1,
        "share of the opening",
        0,
        0.4,
        "a model's lids may lap by so much at a blink on heads like those that it has learnt from;"
        " an estimate, not fitted",
    )
    gain_least: float = number(
        1.0,
        "factor on a blink",
        0.5,
        1.2,
        "the least by which the whole blink is scaled before its edge is corrected; an estimate,"
        " not fitted",
    )
    gain_most: float = number(
        1.6,
        "factor on a blink",
        1.2,
        4,
        "the most by which the whole blink is scaled before its edge is corrected: scaling bends"
        " the lid less; an estimate, not fitted",
    )
    deep: float = number(
        0.12,
        "heights",
        0.02,
        0.5,
        "a lid is led in or out by no more in one pass: at the corners an edge may end deep inside;"
        " an estimate, not fitted",
    )
    stroke: int = number(
        4,
        "degree of a polynomial",
        1,
        8,
        "of what is added along an edge: a lid's edge has no ripples, however its layers are read;"
        " an estimate, not fitted",
    )
    median_columns: int = number(
        5,
        "columns of the opening, an odd number",
        1,
        11,
        "an edge is read as the median of so many, since values jump between layers of skin; an"
        " estimate, not fitted",
    )
    evened: int = number(
        4,
        "times",
        0,
        20,
        "an edge is averaged with its neighbours, so that the model's error from vertex to vertex"
        " is not led on; an estimate, not fitted",
    )
    passes: int = number(
        2,
        "times",
        1,
        6,
        "the correction is repeated: what it moves is not moved fully everywhere along the edge; an"
        " estimate, not fitted",
    )
    fold: float = number(
        0.02,
        "heights",
        0,
        0.1,
        "a closed upper lid lies so far before the lower one; an estimate, not fitted",
    )
    slope: float = number(
        0.6,
        "heights per height",
        0.1,
        3,
        "an eye's front falls off by it between its vertices; an estimate, not fitted",
    )
    of_cell: int = number(
        64,
        "vertices of an eye",
        2,
        1 << 12,
        "lie in a cell, of which those well below the cone on the foremost one are not looked at on"
        " dense eyes: changes the time, not the result; an estimate, not fitted",
    )
    bulge: float = number(
        0.6,
        "heights",
        0.1,
        2,
        "an eye may stand out so far before its lids and still be covered; an estimate, not fitted",
    )
    covering: float = number(
        0.3,
        "share of the upper lid's movement",
        0.05,
        0.9,
        "skin that takes a greater part in it is led out before the eye; an estimate, not fitted",
    )
    inside: float = number(
        0.3,
        "heights",
        0.05,
        1,
        "skin that lies deeper behind the edge is the lid's inside and is not led out; an estimate,"
        " not fitted",
    )
    droop: float = number(
        40.0,
        "degrees",
        0,
        90,
        "lashes that point outwards turn down by it at a blink; an estimate; without it 5 of "
        "21 heads change (docs/reference/rules.md)",
    )
    at_once: int = number(
        64,
        "vertices",
        1,
        4096,
        "compared with an eye at once, as many as a core's cache holds: changes the time, not the"
        " result; an estimate, not fitted",
    )


CLOSING = Closing()
