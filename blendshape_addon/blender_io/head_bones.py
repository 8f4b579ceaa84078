# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognising the bones of a head by their names in the naming habits of common avatars."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Names after `simplify`. Sources: VRoid/VRM (J_Bip_C_Head, J_Adj_L_FaceEye), Mixamo
# (mixamorig:Head), MMD (頭, 左目, 首, あご), Unreal, 3ds Max Biped (Bip01 Head), Source engine
# (ValveBiped.Bip01_Head1), Rigify (DEF-head), Character Creator (CC_Base_Head, CC_Base_L_Eye),
# Unity.
HEAD = frozenset({"head", "head1", "頭", "facehead"})
NECK = frozenset({"neck", "neck1", "neck01", "necktwist01", "首"})
JAW = frozenset({"jaw", "jawroot", "chin", "lowerjaw", "顎", "あご", "下顎"})
EYE = frozenset({"eye", "faceeye", "eyeball", "目", "瞳"})
_PREFIX = re.compile(
    r"^(?:.*[:|])?(?:valvebiped[._ ])?(?:bip\d*[ _.]|j_(?:bip|adj|sec)_|cc_base_|def[-_ ]|org[-_"
    r" ]|b[-_ ]|c_|mixamorig_?)?(?:c_)?",
    re.IGNORECASE,
)
_SIDES = {"l": "left", "left": "left", "左": "left", "r": "right", "right": "right", "右": "right"}


def simplify(name: str) -> tuple[str, str | None]:
    """(core, side) of a bone's name: lower-case without rig prefixes, separators and side; side is
    "left", "right" or None.
    """
    rest = _PREFIX.sub("", name.strip(), count=1)
    words = [
        word.lower()
        for word in re.split(r"[\s._\-]+|(?<=[a-z])(?=[A-Z])|(?<=[左右])|(?=[左右])", rest)
        if word
    ]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    core = "".join(word for word in words if word not in _SIDES)
    return core, sides[0] if len(sides) == 1 else None


def role(name: str) -> str | None:
    """`head`, `neck`, `jaw`, `left_eye` or `right_eye` if the name says so, else None."""
    core, side = simplify(name)
    if core in EYE and side is not None:
        return f"{side}_eye"
    if side is None:
        for known, names in (("head", HEAD), ("neck", NECK), ("jaw", JAW)):
            if core in names:
                return known
    return None


def sides(names: Iterable[str]) -> dict[str, list[str]]:
    """`left_side` and `right_side` -> the names of bones that there are on both sides; nothing
    where there are none.
    """
    pairs: dict[str, dict[str, str]] = {}
    for name in names:
        core, side = simplify(name)
        if side is not None:
            pairs.setdefault(core, {}).setdefault(side, name)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return {f"{side}_side": [pair[side] for pair in both] for side in ("left", "right") if both}


def roles(names: Iterable[str], preferred: Mapping[str, str]) -> dict[str, str]:
    """role -> bone name. preferred: roles that the rig itself states (VRM's humanoid). Of several
    of one role the first counts.
    """
    names = list(names)
    found = {wanted: name for wanted, name in preferred.items() if name in names}
    for name in names:
        wanted = role(name)
        if wanted is not None:
            found.setdefault(wanted, name)
    return found
