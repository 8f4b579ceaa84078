# SPDX-License-Identifier: GPL-3.0-or-later
"""Which expressions of a VRM are made of which keys. Strings in, strings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..vrm.expressions import OLD, Expression
from .naming import folded
from .standards import recipes, standards

# Presets of VRM 1.0 and what VRM 0.x calls them; it has none for a surprise.
PRESETS = {
    "happy": "joy",
    "angry": "angry",
    "sad": "sorrow",
    "relaxed": "fun",
    "surprised": "",
    "aa": "a",
    "ih": "i",
    "ou": "u",
    "ee": "e",
    "oh": "o",
    "blink": "blink",
    "blinkLeft": "blink_l",
    "blinkRight": "blink_r",
    "lookUp": "lookup",
    "lookDown": "lookdown",
    "lookLeft": "lookleft",
    "lookRight": "lookright",
}
# where there are VRChat's vowels and no others
_VISEMES = {
    "aa": "vrc.v_aa",
    "ih": "vrc.v_ih",
    "ou": "vrc.v_ou",
    "ee": "vrc.v_e",
    "oh": "vrc.v_oh",
}


def planned(version: str, names: Mapping[str, bool]) -> list[Expression]:
    """The presets, as far as there are keys for them that move something, and one of its own for
    each of ARKit's shapes that there is a key for: apps count those. version: OLD or NEW; names: of
    the keys that there are, with whether they move anything.
    """
    spelled: dict[str, str] = {}
    for name in names:
        spelled.setdefault(folded(name), name)

    def key_of(wanted: str) -> str:
        return wanted if wanted in names else spelled.get(folded(wanted), "")

    found = []
    for preset, old in PRESETS.items():
        for recipe in _candidates(preset, old, version):
            keys = {key_of(name): weight for name, weight in recipe.items()}
            if all(names.get(key) for key in keys):
                found.append(Expression(preset, old, False, keys))
                break
    for shape in standards()["arkit"]:
        key = key_of(shape)
        if key:
            found.append(Expression(shape, "", True, {key: 1.0}))
    return found


def _candidates(preset: str, old: str, version: str) -> Iterator[Mapping[str, float]]:
    """Keys that a preset may be made of, the best first."""
    own = [preset, old] if version != OLD else [old, preset]
    yield from ({name: 1.0} for name in own if name)
    if preset in _VISEMES:
        yield {_VISEMES[preset]: 1.0}
    yield recipes("vrm1")[preset]
