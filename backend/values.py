# SPDX-License-Identifier: GPL-3.0-or-later
"""What several parts need: numbers from strangers' JSON, three floats as one, a face's twins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

WAY = np.dtype("V12")  # three floats as one: they are copied two or three times as fast


def is_number(value: object) -> TypeGuard[int | float]:
    """True for a finite number that a float can hold; true and false are none."""
    try:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        )
    except OverflowError:  # an integer of hundreds of digits
        return False


@dataclass(frozen=True)
class Twins:
    """Which of a face's F vertices a model need look at, and for which of them once will do.

    Args:
        left: int (P,), vertices whose mirror images are, in all that the model sees of them, others
        right: int (P,), those
        alone: int (A,), vertices without such a one, and those in the mirror plane
        copies: int (C,), vertices of which the model sees what it sees of another
        of: int (C,), those; each is in one of the first three
    """

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    alone: NDArray[np.intp]
    copies: NDArray[np.intp]
    of: NDArray[np.intp]
