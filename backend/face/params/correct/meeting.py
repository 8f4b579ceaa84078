# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/meeting.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Meeting:
    """Shapes of lids made for mixing, and what mixed keys may do."""

    arc: float = number(
        0.5,
        "share of the opening",
        0,
        1,
        "both lids of a lidArc go up by it: the lower one comes up to the middle, where smiling "
        "eyes close; an estimate, not fitted",
    )
    arc_flat: float = number(
        0.7,
        "share of the arc",
        0,
        1,
        "missing at the corners: these stay, so that the line bends; an estimate, not fitted",
    )
    tilt: float = number(
        0.5,
        "share of the opening",
        0,
        1,
        "the upper lid comes down by it at one corner for lidOuter and lidInner, and by nothing "
        "at the other; an estimate, not fitted",
    )
    slack: float = number(
        0.01,
        "half widths of the mouth, heights of an eye",
        0,
        0.1,
        "edges may pass each other by it: less than what is seen; an estimate, not fitted",
    )
    closed: float = number(
        0.8,
        "share of the eye's opening",
        0.3,
        1,
        "lids that close more of it must lie before the eye; an estimate, not fitted",
    )


MEETING = Meeting()
