# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/bent_strips.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class BentStrips:
    """Mouths that are strips bent up or down."""

    bent: float = number(
        0.5,
        "half widths of the mouth",
        0.1,
        2,
        "that the middle of a strip lies over or under the line between its ends from which on its"
        " rims are told along the bend; an estimate, not fitted",
    )
    places: int = number(
        9,
        "places from end to end",
        3,
        50,
        "where the middle of the strip is read; an estimate, not fitted",
    )
    near: float = number(
        0.3,
        "half lengths of the strip",
        0.05,
        1,
        "vertices so near to a place count for the middle there; an estimate, not fitted",
    )


BENT_STRIPS = BentStrips()
