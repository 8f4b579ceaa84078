# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check of names: those of the standards, spelled as they must be. Imports no bpy."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .naming import ALIASES, folded
from .vrchat_avatar import Avatar, Floats, same_shape
from .vrchat_words import Finding, Names, say

# of a set's names must be there, however spelled, before the set counts as meant: a rig of vowels
# and blinks has a few of ARKit's, too
MEANT = 0.5
TRACKED = {
    "arkit": "ARKit",
    "unified": "Unified Expressions",
}  # sets whose names face tracking templates animate
_NUMBER = re.compile(r"^(.+)\.\d{3}$")


def known_names(avatar: Avatar) -> set[str]:
    return {name for names in avatar.sets.values() for name in names}


def intended_sets(avatar: Avatar) -> list[str]:
    """Names of the sets that the avatar has, however spelled: most of their keys are there, the one
    with the largest part of them first.

    Keys that are spelled just as a set with a larger part has them do not speak for another one,
    too.
    """

    def part(set_: str, keys: Collection[str]) -> float:
        there = {folded(name) for name in keys}
        return sum(
            name in avatar.offsets or folded(name) in there for name in avatar.sets[set_]
        ) / max(len(avatar.sets[set_]), 1)

    chosen: list[str] = []
    for set_ in sorted(avatar.sets, key=lambda set_: -part(set_, avatar.offsets)):
        taken = {name for other in chosen for name in avatar.sets[other]}
        if part(set_, avatar.offsets.keys() - taken) >= MEANT:
            chosen.append(set_)
    return chosen


def wrong_names(avatar: Avatar) -> dict[str, str]:
    """Key -> the exact name that it should have, for keys that differ from it only in case,
    separators or the way to write a side.

    What is right in one of the avatar's sets is right: JawOpen is Unified Expressions' own, but
    wrong where ARKit's are meant. Jaw_Open is SRanipal's.
    """
    present, known = set(avatar.offsets), known_names(avatar)
    sets = [avatar.sets[name] for name in intended_sets(avatar) or avatar.sets]
    exact = {name for names in sets for name in names}
    right: dict[str, str] = {}
    for names in sets:
        for name in names:
            right.setdefault(folded(name), name)
    wrong: dict[str, str] = {}
    for name in avatar.offsets:
        correct = right.get(folded(name))
        if name in exact or correct is None or correct in present or correct in wrong.values():
            continue
        if name not in known or name.casefold() == correct.casefold():
            wrong[name] = correct
    return wrong


def check_spelling(avatar: Avatar) -> list[Finding]:
    wrong = wrong_names(avatar)
    if not wrong:
        return []
    told = say(
        "name_case",
        names=Names([say("name_right", name=name, right=right) for name, right in wrong.items()]),
    )
    return [Finding("name_case", "warning", (told,), "rename_keys", tuple(wrong))]


def check_names(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    """How many names of face tracking's sets are there exactly, and which keys the check knows
    nothing about.
    """
    found = []
    wrong = set(wrong_names(avatar).values())
    for set_ in intended_sets(avatar):
        if set_ not in TRACKED:
            continue
        names = avatar.sets[set_]
        exact = [name for name in names if name in avatar.offsets]
        told = [say("names", count=len(exact), all=len(names), set=TRACKED[set_])]
        misspelled = [name for name in names if name in wrong]
        missing = [name for name in names if name not in avatar.offsets and name not in wrong]
        still = [name for name in exact if not moving[name].max(initial=0.0) > 0]
        if misspelled:
            told.append(say("names_otherwise", count=len(misspelled)))
        if missing:
            told.append(say("names_missing", count=len(missing), names=Names(missing)))
        if still:
            elsewhere = {
                name
                for other in avatar.others
                if not other.hidden
                for name, moves in other.keys.items()
                if moves
            }
            words = "names_still_here" if elsewhere.intersection(still) else "names_still"
            told.append(say(words, count=len(still), names=Names(still)))
        fix = "rename_keys" if misspelled else "make_missing" if missing else ""
        level = "warning" if misspelled or missing else "note" if still else "ok"
        found.append(
            Finding(f"names_{set_}", level, tuple(told), fix, tuple(misspelled or missing))
        )
    if avatar.offsets and not found:
        best = max(
            TRACKED,
            key=lambda set_: sum(name in avatar.offsets for name in avatar.sets.get(set_, ())),
        )
        names = avatar.sets.get(best, ())
        have = sum(name in avatar.offsets for name in names)
        found.append(
            Finding(
                "names", "note", (say("names_few", count=have, all=len(names), set=TRACKED[best]),)
            )
        )
    unknown = [
        name
        for name in avatar.offsets
        if name not in known_names(avatar)
        and name not in ALIASES.values()
        and name not in wrong_names(avatar)
    ]
    unknown = [name for name in unknown if _NUMBER.match(name) is None]
    if unknown:
        found.append(
            Finding("unknown", "note", (say("unknown", count=len(unknown), names=Names(unknown)),))
        )
    return found


def check_numbered(avatar: Avatar) -> list[Finding]:
    """Keys such as jawOpen.001, which Blender makes of a second key of the same name."""
    known = known_names(avatar)
    spare: list[str] = []
    unclear: list[str] = []
    for name, offsets in avatar.offsets.items():
        match = _NUMBER.match(name)
        if match is None or match[1] not in known:
            continue
        other = avatar.offsets.get(match[1])
        (spare if other is not None and same_shape(offsets, other) else unclear).append(name)
    found = []
    if spare:
        found.append(
            Finding(
                "duplicates",
                "warning",
                (say("duplicates", names=Names(spare)),),
                "remove_keys",
                tuple(spare),
            )
        )
    exact = {folded(name): name for name in avatar.offsets if name in known}
    twice = [
        name
        for name in avatar.offsets
        if name not in known and name not in ALIASES.values() and folded(name) in exact
    ]
    twice = [
        name
        for name in twice
        if same_shape(avatar.offsets[name], avatar.offsets[exact[folded(name)]])
    ]
    if twice:
        found.append(
            Finding(
                "twice",
                "note",
                (say("twice", count=len(twice), names=Names(twice)),),
                "remove_keys",
                tuple(twice),
            )
        )
    if unclear:
        found.append(Finding("numbered", "warning", (say("numbered", names=Names(unclear)),)))
    return found
