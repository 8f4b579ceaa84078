# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the landmarks, in the order in which a latent carries them. Left is the character's
left.
"""

from __future__ import annotations

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
