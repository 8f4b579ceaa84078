# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/behind_chin.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class BehindChin:
    """How teeth and tongues are kept behind the skin of the chin."""

    aside: float = number(
        2.5,
        "half widths of the mouth",
        1,
        6,
        "from its middle, where the skin is looked at; an estimate, not fitted",
    )
    steps: int = number(
        21,
        "shares of the way, from all of it to none",
        2,
        101,
        "that are tried; an estimate, not fitted",
    )
    directions: int = number(
        17,
        "directions from aside over down to the other side",
        3,
        181,
        "in which the outermost points of teeth are looked at; an estimate, not fitted",
    )
    ahead: float = number(
        1.0,
        "share of the way down or aside",
        0,
        5,
        "by which half of these directions lean ahead; an estimate, not fitted",
    )


BEHIND_CHIN = BehindChin()
