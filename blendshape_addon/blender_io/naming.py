# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of keys: as the standard has them, or as the rig that is already there spells them. Strings
in, strings out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

_CAMEL = re.compile(r"[a-z]+[A-Z][A-Za-z]*")
STYLES = ("auto", "standard", "pascal", "suffix")
# Spellings of rigs beside the standard's: a capital first, and what comes before the side's letter
_SPELLINGS = {
    "pascal": (True, ""),
    "suffix": (False, "_"),
    "suffix.": (False, "."),
    "suffix-": (False, "-"),
    "pascal suffix": (True, "_"),
    "pascal suffix.": (True, "."),
    "pascal suffix-": (True, "-"),
}
MAJORITY = (
    1 / 3
    # of a set's names must be there in a spelling before the others are spelled alike: a few keys
    # of one's own are no rig
)
ALIASES = {
    "vrc.v_e": "vrc.v_ee"
}  # what the SDK calls it, and what the common face tracking template's clips ask for

_BOTH_SIDES = (("Left", "Right"), ("Right", "Left"), ("left", "right"), ("right", "left"))
_SIDE_ENDINGS = (
    *(
        pair
        for mark in "_.-"
        for one, other in (("L", "R"), ("l", "r"))
        for pair in ((mark + one, mark + other), (mark + other, mark + one))
    ),
    *(("左", "右"), ("右", "左"), ("右", "")),
)


def styled(name: str, style: str) -> str:
    """A name such as eyeBlinkLeft in another spelling: EyeBlinkLeft (pascal), eyeBlink_L (suffix);
    vrc.v_aa has but one.
    """
    capital, separator = _SPELLINGS.get(style, (False, ""))
    side = (
        next((side for side in ("Left", "Right") if name.endswith(side) and name != side), "")
        if separator
        else ""
    )
    if capital and _CAMEL.fullmatch(name):
        name = name[:1].upper() + name[1:]
    return f"{name.removesuffix(side)}{separator}{side[0]}" if side else name


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """What is left of a name when case, separators, the width of letters and the way to write a
    side do not count.
    """
    name = unicodedata.normalize("NFKC", name)
    for ending, side in (
        ("_L", "left"),
        ("_R", "right"),
        (".L", "left"),
        (".R", "right"),
        ("-L", "left"),
        ("-R", "right"),
    ):
        if name.upper().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)] + side
    return "".join(letter for letter in name.casefold() if letter not in "_-. ")


def style_of(existing: Collection[str], wanted: Sequence[str], foreign: Collection[str]) -> str:
    """The spelling of the rig that is there: the standard's, unless a third of the wanted names are
    there in another and fewer in the standard's.

    Names that another standard spells just so (`foreign`) count for that third, but they alone say
    nothing: JawOpen is Unified Expressions' own.
    """
    present, others = set(existing), set(foreign) - set(wanted)
    best, most = "standard", 0
    for style in _SPELLINGS:
        changed = {name: styled(name, style) for name in wanted if styled(name, style) != name}
        telling = set(changed.values()) - others
        hits = len(telling & present)
        enough = hits >= MAJORITY * len(telling) and len(
            set(changed.values()) & present
        ) >= MAJORITY * len(wanted)
        if hits > most and enough and hits > len(changed.keys() & present):
            best, most = style, hits
    return best


def names_for(
    wanted: Sequence[str], style: str, existing: Sequence[str], foreign: Collection[str]
) -> dict[str, str]:
    """Wanted name -> the name that its key gets. existing: names of the keys that are there;
    foreign: exact names of other standards.

    With the style `auto` the rig's own spelling is taken: its style for all names, and any key that
    differs from a wanted name in case, separators or the way to write a side is that name's key.
    """
    if style != "auto":
        return {name: styled(name, style) for name in wanted}
    chosen = style_of(existing, wanted, foreign)
    taken = {*wanted, *foreign}
    spelled: dict[str, str] = {}
    for name in existing:
        if name not in taken:
            spelled.setdefault(folded(name), name)
    present = set(existing)
    result: dict[str, str] = {}
    for name in wanted:
        own = styled(name, chosen)
        result[name] = (
            name
            if name in present
            else own
            if own in present and own not in foreign
            else spelled.get(folded(name), own)
        )
    return result


def aliases_of(names: Mapping[str, str]) -> dict[str, str]:
    """Wanted name -> a second name under which the same shape is asked for, for those that have
    one.
    """
    return {name: ALIASES[name] for name in names if name in ALIASES}


def other_side(name: str, existing: Collection[str]) -> str:
    """The name of the same shape on the other side of the face, in whatever spelling, of those that
    are there; nothing for a shape of both sides.
    """
    candidates = (
        [name.replace(one, other) for one, other in _BOTH_SIDES if one in name]
        + [name[: -len(one)] + other for one, other in _SIDE_ENDINGS if name.endswith(one)]
        + [name + "右"]
    )  # of MMD's winks only the right one is called by its side
    return next((found for found in candidates if found != name and found in existing), "")
