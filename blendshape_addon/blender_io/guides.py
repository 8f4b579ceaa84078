# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own vowels and blinks as a guide: how large they are, or the shapes themselves. Arrays
in, arrays out.

Roles are the five vowels and the blinks; which names they go by is from the standards (VRChat, VRM,
MMD, VRoid, ARKit, Unified).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .naming import folded

Floats = NDArray[np.float32]

NAMES: dict[str, tuple[str, ...]] = {
    "aa": ("vrc.v_aa", "aa", "a", "あ", "Fcl_MTH_A", "mouth_a", "viseme_aa", "ワ"),
    "ih": ("vrc.v_ih", "ih", "i", "い", "Fcl_MTH_I", "mouth_i", "viseme_I"),
    "ou": ("vrc.v_ou", "ou", "u", "う", "Fcl_MTH_U", "mouth_u", "viseme_U"),
    "ee": ("vrc.v_e", "vrc.v_ee", "ee", "e", "え", "Fcl_MTH_E", "mouth_e", "viseme_E"),
    "oh": ("vrc.v_oh", "oh", "o", "お", "Fcl_MTH_O", "mouth_o", "viseme_O"),
    "blink": (
        "vrc.blink",
        "blink",
        "まばたき",
        "Fcl_EYE_Close",
        "eyesClosed",
        "EyeClosed",
        "eyeBlink",
    ),
    "blinkLeft": (
        "eyeBlinkLeft",
        "blinkLeft",
        "blink_l",
        "vrc.blink_left",
        "Fcl_EYE_Close_L",
        "EyeClosedLeft",
        "Eye_Left_Blink",
        "ウィンク２",
    ),
    "blinkRight": (
        "eyeBlinkRight",
        "blinkRight",
        "blink_r",
        "vrc.blink_right",
        "Fcl_EYE_Close_R",
        "EyeClosedRight",
        "Eye_Right_Blink",
        "ｳｨﾝｸ２右",
    ),
}
VOWELS = ("aa", "ih", "ou", "ee", "oh")
JAW = ("jawOpen", 0.7)  # how much of it stands for the vowel aa where that is not made
ALIKE = 0.3  # cosine to the generated shape below which a user's key means something else
RANGE = (0.4, 2.5)
_ROLE = {folded(name): role for role, names in NAMES.items() for name in names}
_JAW_SHAPES = tuple(folded(name) for name in ("jawOpen", "mouthClose", "MouthClosed", "Jaw_Open"))


@dataclass(frozen=True)
class Guide:
    """key: the user's. factor: its size by that of the generated shape. alike: their cosine."""

    key: str
    factor: float
    alike: float


def role_of(name: str) -> str | None:
    """The vowel or blink that a key's name stands for; VRoid puts the mesh's name before its
    own.
    """
    return _ROLE.get(folded(name)) or _ROLE.get(
        folded(name[name.rfind("Fcl_") :]) if "Fcl_" in name else ""
    )


def guides(own: Mapping[str, Floats], made: Mapping[str, Floats]) -> dict[str, Guide]:
    """Role -> guide. own: the user's keys, name -> offsets (F,3); made: the generated shapes on the
    same vertices.
    """
    wanted = _made_by_role(made)
    found: dict[str, Guide] = {}
    for name, offsets in own.items():
        role = role_of(name)
        if role is None or role not in wanted or role in found:
            continue
        product, size = (
            float(np.vdot(offsets, wanted[role])),
            float(np.vdot(wanted[role], wanted[role])),
        )
        alike = product / max((size * float(np.vdot(offsets, offsets))) ** 0.5, 1e-20)
        if alike >= ALIKE and size > 0:
            found[role] = Guide(name, float(np.clip(product / size, *RANGE)), alike)
    return found


def factors(found: Mapping[str, Guide], names: Sequence[str]) -> dict[str, float]:
    """Factor of each shape: a vowel's and a blink's own; the jaw's is the vowel aa's, and other
    visemes' the mean of the vowels'.
    """
    vowels = [found[role].factor for role in VOWELS if role in found]
    lids = [found[role].factor for role in ("blink", "blinkLeft", "blinkRight") if role in found]
    result: dict[str, float] = {}
    for name in names:
        role = role_of(name)
        if role is not None and role in found:
            result[name] = found[role].factor
        elif role in VOWELS or name.startswith("vrc.v_"):
            result[name] = float(np.mean(vowels)) if vowels else 1.0
        elif role is not None:
            result[name] = float(np.mean(lids)) if lids else 1.0
        elif folded(name) in _JAW_SHAPES and "aa" in found:
            result[name] = found["aa"].factor
        else:
            result[name] = 1.0
    return result


def styles(
    found: Mapping[str, Guide], own: Mapping[str, Floats], made: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Generated names whose shape is the user's own instead: vowels, blinks, and the halves of a
    blink that the user has in one key.
    """
    result: dict[str, Floats] = {}
    halves = _halves(made)
    for name in made:
        role = role_of(name)
        if role is not None and role in found:
            result[name] = own[found[role].key]
        elif role in ("blinkLeft", "blinkRight") and "blink" in found and halves is not None:
            share = halves if role == "blinkLeft" else 1 - halves
            result[name] = np.asarray(own[found["blink"].key] * share, np.float32)
    return result


def _made_by_role(made: Mapping[str, Floats]) -> dict[str, Floats]:
    by_role: dict[str, Floats] = {}
    for name, offsets in made.items():
        role = role_of(name)
        if role is not None:
            by_role.setdefault(role, offsets)
    if "aa" not in by_role and JAW[0] in made:
        by_role["aa"] = made[JAW[0]] * np.float32(JAW[1])
    if "blink" not in by_role and {"blinkLeft", "blinkRight"} <= by_role.keys():
        by_role["blink"] = by_role["blinkLeft"] + by_role["blinkRight"]
    return by_role


def _halves(made: Mapping[str, Floats]) -> Floats | None:
    """How far a vertex belongs to the left eye (F,1), by which blink moves it more."""
    by_role = _made_by_role(made)
    if not {"blinkLeft", "blinkRight"} <= by_role.keys():
        return None
    left, right = (
        np.linalg.norm(by_role[role], axis=1, keepdims=True) for role in ("blinkLeft", "blinkRight")
    )
    return np.asarray(left / np.maximum(left + right, 1e-12), np.float32)
