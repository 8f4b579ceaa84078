# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold on the final mesh whatever the model says: borders, smooth skin, and exact zeros where nothing should move."""

from __future__ import annotations

import numpy as np

from .frame import Floats
from .locate import Face
from .smoothing import smoothed

STILL = 0.002  # canonical units, about 0.1 mm on a person: movement below is the model's noise and becomes an exact zero
SHARE = 0.02  # of a shape's largest movement: bounds STILL, so that a shape that is meant to be tiny survives
MOVING = 3.0  # times STILL: movement above is kept as it is


def apply(face: Face, offsets: Floats) -> Floats:
    """Offsets float32 (N,F,3), canonical, with the rules applied."""
    return quieted(smoothed(offsets * face.freedom[None, :, None], face.around))


def quieted(offsets: Floats) -> Floats:
    """Offsets (N,F,3) with small movement faded to exact zeros: sparse keys are what avatars pay download size for."""
    far = np.linalg.norm(offsets, axis=2, keepdims=True)
    still = np.minimum(STILL, SHARE * far.max(axis=1, keepdims=True, initial=0)) + np.float32(1e-12)
    t = np.clip((far / still - 1) / (MOVING - 1), 0, 1)
    return np.ascontiguousarray(offsets * (t * t * (3 - 2 * t)), np.float32)
