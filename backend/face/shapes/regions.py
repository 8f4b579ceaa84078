# SPDX-License-Identifier: GPL-3.0-or-later
"""Which region of the face a condition belongs to, so that each region can be made stronger or
weaker by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ...values import is_number

Floats = NDArray[np.float32]
REGIONS = ("brows", "eyes", "cheeks", "mouth", "jaw", "tongue")
MAX_FACTOR = 10.0
# Beginnings of names, the first that fits. mouthClose undoes what jawOpen does to the lips, so it
# has to go with the jaw.
_BEGINNINGS = (
    ("brow", "brows"),
    ("eye", "eyes"),
    ("lid", "eyes"),
    ("cheek", "cheeks"),
    ("nose", "cheeks"),
    ("nasal", "cheeks"),
    ("jaw", "jaw"),
    ("mouthClose", "jaw"),
    ("tongue", "tongue"),
    ("mouth", "mouth"),
)


def region_of(condition: str) -> str | None:
    """The region of a condition by ARKit's way of naming; None for other names, which no region's
    strength changes.
    """
    return next(
        (region for beginning, region in _BEGINNINGS if condition.startswith(beginning)), None
    )


def factors(strengths: object, conditions: Sequence[str]) -> Floats:
    """Factor float32 (K,) of each condition.

    Args:
        strengths: {region: factor from 0 to 10} or None; regions that are left out stay at 1
        conditions: names of K conditions

    Raises:
        BackendError: `setting_invalid`
    """
    if strengths is None:
        return np.ones(len(conditions), np.float32)
    if not isinstance(strengths, Mapping) or not set(strengths) <= set(REGIONS):
        raise BackendError(
            "setting_invalid",
            "regions must be an object of regions and factors.",
            f"Regions are {', '.join(REGIONS)}.",
        )
    for name, factor in strengths.items():
        if not is_number(factor) or not 0 <= factor <= MAX_FACTOR:
            raise BackendError(
                "setting_invalid",
                f"The strength of {name} is {factor!r}.",
                f"Choose one from 0 to {MAX_FACTOR:g}.",
            )
    return np.array([float(strengths.get(region_of(name), 1.0)) for name in conditions], np.float32)
