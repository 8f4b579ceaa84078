# SPDX-License-Identifier: GPL-3.0-or-later
"""What several parts need: numbers from strangers' JSON, three floats as one."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np

WAY = np.dtype("V12")  # three floats as one: they are copied two or three times as fast


def is_number(value: object) -> TypeGuard[int | float]:
    """True for a finite number that a float can hold; true and false are none."""
    try:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        )
    except OverflowError:  # an integer of hundreds of digits
        return False
