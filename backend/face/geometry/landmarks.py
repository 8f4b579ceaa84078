# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the landmarks, in the order in which a latent carries them. Left is the character's
left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDES = ("left", "right")
EYE = ("eye_inner", "eye_outer", "lid_upper", "lid_lower")
BROW = ("brow_inner", "brow_outer")
NAMES: tuple[str, ...] = (
    *(f"{name}_{side}" for side in SIDES for name in (*EYE, *BROW)),
    "mouth_left",
    "mouth_right",
    "lip_upper",
    "lip_lower",
    "nose_tip",
    "chin",
)


def mirrored(name: str) -> str:
    """The same landmark, shape or part on the other side of the face; names without a side stay."""
    for one, other in (("left", "right"), ("Left", "Right")):
        if name.endswith(one):
            return name.removesuffix(one) + other
        if name.endswith(other):
            return name.removesuffix(other) + one
    return name


def eye_wider_open(
    names: Sequence[str], landmarks: NDArray[np.floating[Any]], alike: float
) -> tuple[str, ...]:
    """Names of the eye's landmarks whose lids are farther apart, where the other eye's are less
    than `alike` of that: it is closed, or winks. None where both are alike.

    Args:
        names: of the landmarks
        landmarks: float (L,3)
        alike: share, from which on both eyes are
    """
    at = dict(zip(names, landmarks, strict=True))
    if not set(NAMES) <= at.keys():
        return ()
    high = {s: float(np.linalg.norm(at[f"lid_upper_{s}"] - at[f"lid_lower_{s}"])) for s in SIDES}
    narrow, wide = sorted(SIDES, key=high.__getitem__)
    return tuple(f"{n}_{wide}" for n in EYE) if high[narrow] < alike * high[wide] else ()
