# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of what lies in the mouth or is one: `analyse/mouth_parts.py`, `flat_features.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class InsideMouth:
    """Teeth and tongues by where they lie and how they move (`analyse/mouth_parts.py`)."""

    size: float = number(
        0.65,
        "canonical units, half the longest side",
        0.1,
        2,
        "of a part inside the mouth at most; an estimate, not fitted",
    )
    reach_aside: float = number(
        0.35,
        "canonical units from the lips' middle",
        0.05,
        1,
        "within which the part's middle lies, to the side; an estimate, not fitted",
    )
    reach_up: float = number(
        0.45, "canonical units", 0.1, 1, "the same up and down; an estimate, not fitted"
    )
    tongue_moves: float = number(
        0.12,
        "canonical units",
        0.02,
        0.5,
        "at tongueOut at least, for a part to be a tongue; an estimate, not fitted",
    )
    tongue_share: float = number(
        0.6,
        "share of the farthest mover's movement at tongueOut",
        0.2,
        1,
        "of a tongue at least; an estimate, not fitted",
    )
    twins: float = number(
        0.15,
        "share of their extent",
        0.02,
        0.5,
        "by which rows of teeth that were made alike differ at most; an estimate, not fitted",
    )
    above: float = number(
        0.02,
        "canonical units",
        0.001,
        0.2,
        "between the middles of upper and lower rows at least; an estimate, not fitted",
    )
    fewest: int = number(
        4, "vertices", 3, 50, "of a part that is teeth or a tongue; an estimate, not fitted"
    )
    piece_fewest: int = number(
        8,
        "vertices",
        3,
        100,
        "of a piece of a part from which on it may be teeth; an estimate, not fitted",
    )
    pieces_most: int = number(
        64, "pieces", 4, 1000, "beyond which they are no rows of teeth; an estimate, not fitted"
    )
    stiff: float = number(
        0.12,
        "share of the movement at jawOpen that no rigid motion explains",
        0.01,
        0.5,
        "of teeth at most; an estimate, not fitted",
    )
    soft: float = number(
        0.35,
        "share of the movement at jawOpen that no rigid motion explains",
        0.05,
        0.9,
        "of a tongue at most; an estimate, not fitted",
    )


@dataclass(frozen=True)
class TongueShape:
    """A tongue by its form, whatever moves it (`analyse/mouth_parts.py`)."""

    middle: float = number(
        0.15,
        "widths of the part from its middle line",
        0.02,
        0.5,
        "within which its middle is; an estimate, not fitted",
    )
    middle_fewest: int = number(
        3, "vertices", 1, 50, "the middle has more; an estimate, not fitted"
    )
    aside: float = number(
        0.5,
        "half widths of the mouth",
        0.1,
        2,
        "by which both ends of a tongue may be uneven, in sum; an estimate, not fitted",
    )
    wide: float = number(
        0.4, "half widths of the mouth", 0.1, 1.5, "a tongue is wider; an estimate, not fitted"
    )
    filled: float = number(
        0.75,
        "share of its length",
        0.3,
        1,
        "that its middle runs over: the arch of a row of teeth is hollow; an estimate, not fitted",
    )
    long: float = number(
        0.2, "half widths of the mouth", 0.05, 1, "a tongue is longer; an estimate, not fitted"
    )


@dataclass(frozen=True)
class FlatMouths:
    """Mouths that are closed strips before the skin (`analyse/flat_features.py`)."""

    wide_from: float = number(
        0.5,
        "half widths of the found mouth",
        0.1,
        1,
        "half a strip is wider; an estimate, not fitted",
    )
    wide_to: float = number(
        2.5,
        "half widths of the found mouth",
        1,
        6,
        "half a strip is narrower; an estimate, not fitted",
    )
    aside: float = number(
        0.5,
        "half widths of the found mouth",
        0.1,
        2,
        "that a strip's middle lies from the lips' at most; an estimate, not fitted",
    )
    thin: float = number(
        0.25,
        "half widths of the found mouth",
        0.05,
        0.8,
        "half a strip is lower: it is closed; an estimate, not fitted",
    )
    bent: float = number(
        0.8,
        "half widths of the found mouth",
        0.2,
        2,
        "half the height of a strip that is thin but bent up or down, at most; an estimate, not"
        " fitted",
    )
    slices: int = number(
        8, "slices across", 2, 100, "in which such a strip is thin; an estimate, not fitted"
    )


INSIDE_MOUTH = InsideMouth()
TONGUE_SHAPE = TongueShape()
FLAT_MOUTHS = FlatMouths()
