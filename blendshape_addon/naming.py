# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of keys: as the standard has them, or as the rig that is already there spells them. Strings in, strings out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

_CAMEL = re.compile(r"[a-z]+[A-Z][A-Za-z]*")
STYLES = ("auto", "standard", "pascal", "suffix")
ALIASES = {"vrc.v_e": "vrc.v_ee"}  # what the SDK calls it, and what the common face tracking template's clips ask for


def styled(name: str, style: str) -> str:
    """A name such as eyeBlinkLeft in another spelling: EyeBlinkLeft (pascal), eyeBlink_L (suffix); vrc.v_aa has but one."""
    if style == "pascal" and _CAMEL.fullmatch(name):
        return name[:1].upper() + name[1:]
    if style == "suffix":
        for side in ("Left", "Right"):
            if name.endswith(side) and name != side:
                return f"{name.removesuffix(side)}_{side[0]}"
    return name


def folded(name: str) -> str:
    """What is left of a name when case, separators and the way to write a side do not count."""
    for ending, side in (("_L", "left"), ("_R", "right"), (".L", "left"), (".R", "right"), ("-L", "left"), ("-R", "right")):
        if name.upper().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)] + side
    return "".join(letter for letter in name.casefold() if letter not in "_-. ")


def style_of(existing: Collection[str], wanted: Sequence[str], foreign: Collection[str]) -> str:
    """The spelling in which most of the wanted names are there already; `standard` where none is.

    Names that another standard spells just so (`foreign`) say nothing: JawOpen is Unified Expressions' own.
    """
    present, others = set(existing), set(foreign) - set(wanted)

    def hits(style: str) -> int:
        names = {styled(name, style) for name in wanted}
        changed = names - set(wanted) if style != "standard" else names
        return len((changed & present) - others)

    return max(("standard", "pascal", "suffix"), key=hits)


def names_for(wanted: Sequence[str], style: str, existing: Sequence[str], foreign: Collection[str]) -> dict[str, str]:
    """Wanted name -> the name that its key gets. existing: names of the keys that are there; foreign: exact names of other standards.

    With the style `auto` the rig's own spelling is taken: its style for all names, and any key that differs from a wanted name in case,
    separators or the way to write a side is that name's key.
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
        result[name] = name if name in present else own if own in present and own not in foreign else spelled.get(folded(name), own)
    return result


def aliases_of(names: Mapping[str, str]) -> dict[str, str]:
    """Wanted name -> a second name under which the same shape is asked for, for those that have one."""
    return {name: ALIASES[name] for name in names if name in ALIASES}
