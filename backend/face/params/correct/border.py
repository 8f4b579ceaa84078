# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/border.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Border:
    """Where shapes fade towards the rest of the body (`correct/border.py`)."""

    still: float = number(
        0.002,
        "canonical units (about 0.1 mm on a person)",
        0,
        0.02,
        "movement below it is taken for the model's noise; an estimate, not fitted",
    )
    share: float = number(
        0.02,
        "share of a shape's largest movement",
        0,
        0.2,
        "bounds `still`, so that a shape that is meant to be tiny survives; an estimate, not"
        " fitted",
    )
    moving: float = number(
        3.0, "times `still`", 1.1, 10, "movement above it is kept as it is; an estimate, not fitted"
    )


BORDER = Border()
