# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/strips.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Strips:
    """How lashes ride along a lid's edge."""

    turned: float = number(
        60.0,
        "degrees",
        0,
        90,
        "a lash turns with its edge by no more; an estimate, not fitted",
    )
    evened: int = number(
        2,
        "times",
        0,
        20,
        "an edge is averaged with its neighbours before it says how a lash turns; an estimate, not"
        " fitted",
    )


STRIPS = Strips()
