# SPDX-License-Identifier: GPL-3.0-or-later
"""The smooth step from 0 to 1 that everything which fades is faded by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frame import Floats


def smoothstep(low: float | Floats, high: float | Floats, x: NDArray[np.floating[Any]]) -> Floats:
    """0 below low, 1 above high, 3 t^2 - 2 t^3 between, float32 of x's shape.

    Args:
        low: where it begins, a number or an array like x
        high: where it ends; low may exceed it
        x: float (...)
    """
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
