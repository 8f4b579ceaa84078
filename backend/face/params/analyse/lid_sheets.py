# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/lid_sheets.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Sheets:
    """Which borders of a lid's skin belong together, and which of its faces are large."""

    slit: float = number(
        0.08,
        "eye heights",
        0.01,
        0.3,
        "apart, borders over an upper lid lie on each other; an estimate, not fitted",
    )
    above_from: float = number(
        0.05,
        "eye heights above the edge",
        0,
        0.3,
        "where they are sought: the lids' own edges part; an estimate, not fitted",
    )
    above_to: float = number(
        1.5, "eye heights above the edge", 0.5, 3, "the same; an estimate, not fitted"
    )
    aside: float = number(
        1.4, "half widths from the middle", 1, 2, "the same; an estimate, not fitted"
    )
    narrow: float = number(
        0.5,
        "length of the longest side along either border",
        0.05,
        0.9,
        "apart at most: in a fine mesh the next vertices of one border are near, too; an estimate,"
        " not fitted",
    )
    most: int = number(
        1000,
        "vertices",
        10,
        100000,
        "on borders, more of which are not compared: a mesh that is torn all over; for speed",
    )
    coarse: float = number(
        0.25,
        "eye heights",
        0.05,
        1,
        "a face with a longer side may pass through an eye that its corners lie before; an"
        " estimate, not fitted",
    )


SHEETS = Sheets()
