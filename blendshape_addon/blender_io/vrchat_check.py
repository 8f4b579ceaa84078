# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps an avatar's face from working in VRChat: from plain data to findings. Imports no bpy.

Limits are those of VRChat's creator documentation, "Performance Ranks" and "Avatar Size Limits",
read in November 2026. Names of visemes and why each must move something: "Animator Parameters"
there, and the SDK's lip sync, which takes 15 different shapes.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .naming import ALIASES, folded

Floats = NDArray[np.float32]

MESH = "Body"
# Most triangles of a rank; more than the last is Very Poor
RANKS = {
    "PC": (("Excellent", 32_000), ("Good", 70_000)),
    "Android and iOS": (
        ("Excellent", 7_500),
        ("Good", 10_000),
        ("Medium", 15_000),
        ("Poor", 20_000),
    ),
}
DOWNLOAD_MB = {"PC": 200, "Android and iOS": 10}
UNITY_BYTES = (
    40  # of one vertex in one blend shape: its index, and what place, normal and tangent change by
)
# of these the index and the place, which is what can be compressed here to see how well that goes
COMPRESSED = 16
DUST = 1e-6  # of the avatar's largest extent: nobody sees a movement as small as this
SAME = 1e-5  # of a shape's largest movement: two shapes that differ by less are one
CLOSED = 1.1  # how far lids may go, 1 being closed
LIDS = 0.5  # of a blink's largest movement: what counts as the lids
SMALLEST = 2e-4  # of vrc.v_aa goes into a silence that moves nothing, as CATS does it
# of a set's names must be there, however spelled, before the set counts as meant: a rig of vowels
# and blinks has a few of ARKit's, too
MEANT = 0.5
TRACKED = {
    "arkit": "ARKit",
    "unified": "Unified Expressions",
}  # sets whose names face tracking templates animate
PAIRS = (
    ("eyeBlink", 0.9, "eyeSquint", 1.0),
    ("eyeBlink", 0.9, "mouthSmile", 1.0),
)  # what face tracking drives together
SIDES = ("Left", "Right")
_NUMBER = re.compile(r"^(.+)\.\d{3}$")


# What is said, by what it is about; fields are filled in, so that it can be translated. What begins
# with a comma, a semicolon or a full stop goes on.
WORDS: dict[str, str] = {
    "hidden": "{name} is hidden, so it is not exported",
    "hidden_parts": "Hidden, so neither looked at nor exported: {names}",
    "same_mesh": "{names} are one mesh: it is exported {count} times, each time with all keys",
    "armatures": (
        "What is exported hangs on {count} armatures ({names}), and VRChat takes one: hide what is"
        " another avatar"
    ),
    "mesh_name_right": "The mesh is called {body}",
    "mesh_name_other": (
        "{body} is another mesh of this avatar, with {count} keys: select that one and check it"
    ),
    "mesh_name": (
        "The mesh is called {name}; face tracking templates and MMD worlds look for {body}, spelled"
        " just so"
    ),
    "mesh_name_taken": ". The object that has this name now becomes {name}",
    "second_face": (
        "A second face with keys of its own is exported, too: {names}. If it is an old copy,"
        " hide it"
    ),
    "parts": (
        "VRChat's templates animate {body} alone; nothing moves the keys of {names}. Join them into"
        " it, or animate them yourself"
    ),
    "absolute": "The shape keys are absolute: Unity knows relative ones only",
    "pinned": (
        "Only {name} is shown (the pin in the list of shape keys), so nothing of the others is seen"
    ),
    "muted": "Most exporters leave out keys that are muted: {names}",
    "masked": "Files know no vertex groups of keys; to be baked in: {names}",
    "relative": "Relative to another key than the basis; to be baked: {names}",
    "range": "The slider does not go from 0 to 1, as Unity's does: {names}",
    "locked": "Locked, so no update changes them: {names}",
    "driven": "Drivers and animation set them in Blender, and no file has drivers: {names}",
    "name_case": "Names must be spelled just so: {names}",
    "names": "{count} of {all} names of {set} are there exactly",
    "names_otherwise": "; {count} are spelled otherwise",
    "names_missing": "; {count} are missing: {names}",
    "names_still": "; {count} move nothing: {names}",
    "names_still_here": "; {count} move nothing on this mesh: {names}",
    "names_few": "For face tracking {count} of {all} names of {set} are there",
    "unknown": "{count} keys have names of no standard, so nothing is said about them: {names}",
    "duplicates": "Copies that nothing uses: {names}",
    "twice": "{count} keys are others in another spelling, which templates do not ask for: {names}",
    "numbered": "Nothing looks for names with a number: {names}; rename or remove them",
    "visemes": "All {count} visemes present and distinct",
    "visemes_none": "There are no visemes (vrc.v_aa and {count} others): lips will not move",
    "visemes_missing": (
        "{count} of {all} visemes are missing ({names}), and lip sync needs all of them"
    ),
    "visemes_empty": "Unity drops shapes that move nothing: {names}",
    "visemes_alike": "Visemes that are the same: {names}; generate them, or shape one of them",
    "viseme_alias": "Face tracking templates that animate visemes say {name} for {usual}",
    "bones": "Head and eye bones are there",
    "bones_none": (
        "There is no armature: VRChat wants a humanoid with at least hips, spine, chest, neck and"
        " head"
    ),
    "bones_missing": "No bone was recognised for {names}; without eye bones eyes do not follow",
    "head": "head",
    "left_eye": "left eye",
    "right_eye": "right eye",
    "jaw_bone": (
        "There is no jaw bone. With visemes none is needed, but check that Unity has not"
        " auto-assigned a hair bone as Jaw"
    ),
    "triangles": "{count} triangles: {ranks}",
    "size": (
        "{count} shapes move {share} % of all vertices: {raw} MB in Unity, about {download} MB of"
        " download"
    ),
    "size_large": ", a good part of what {names} allow",
    "dust": "{count} movements are too small to be seen and cost {cost} MB",
    "blink_conflict": (
        "{first} with {second} closes the lid to {share} %: it goes through the other one"
    ),
    "blink_fine": "Eyelids close correctly with squint and smile",
    "values": "Not at 0, so Unity shows the face with them: {names}",
    "values_parts": "Not at 0 on other objects: {names}",
    "part": "{name} ({count}: {names})",
    "name_right": "{name} should be {right}",
    "pair": "{names}",
    "rank": "{rank} on {platform}",
    "pc": "PC",
    "mobile": "Android and iOS",
    "of": "{name} of {object}",
    "modifiers": "With shape keys these modifiers are not exported: {names}",
}
PLATFORMS = {"PC": "pc", "Android and iOS": "mobile"}
LISTS = ("{first} and {last}", "{shown} and {count} more")  # how names follow each other


@dataclass(frozen=True)
class State:
    """How a key stands. group: the vertex group that masks it; relative: the key that it is
    relative to, "" for the basis; low, high: its slider's range; driven: by a driver or an
    animation.
    """

    value: float = 0.0
    muted: bool = False
    locked: bool = False
    group: str = ""
    relative: str = ""
    low: float = 0.0
    high: float = 1.0
    driven: bool = False


@dataclass(frozen=True)
class Other:
    """Another mesh of the avatar. keys: name -> whether it moves anything. hidden: it is not seen,
    so no export has it. values: keys that are not at
    0. same_mesh: it shares the mesh that is looked at.
    """

    name: str
    keys: Mapping[str, bool] = field(default_factory=dict)
    hidden: bool = False
    values: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    same_mesh: bool = False


@dataclass(frozen=True)
class Avatar:
    """What is looked at. offsets: float32 (V,3) of each key but the reference, by name, in the
    order of the keys.

    sets: exact key names of each known set. bones: roles that the armature has, None without an
    armature. objects: names of all other objects. triangles: of all meshes of the avatar as they
    are exported. extent: the avatar's largest, in the unit of the offsets. states: of the keys;
    others: the avatar's other meshes; armatures: names of all that exported meshes hang on; hidden:
    the mesh is not seen; absolute: its keys are; pinned: the only key that is shown, or "".
    """

    name: str
    offsets: Mapping[str, Floats]
    sets: Mapping[str, Sequence[str]]
    bones: frozenset[str] | None = None
    objects: frozenset[str] = frozenset()
    triangles: int = 0
    extent: float = 1.0
    states: Mapping[str, State] = field(default_factory=dict)
    modifiers: tuple[str, ...] = ()
    others: tuple[Other, ...] = ()
    armatures: tuple[str, ...] = ()
    hidden: bool = False
    absolute: bool = False
    pinned: str = ""


@dataclass(frozen=True)
class Names:
    """Names in a sentence: the first few of a list, or with `all_` every one, the last after an
    "and".
    """

    names: Sequence[str | Sentence]
    most: int = 4
    all_: bool = False

    def said(self, translate: Callable[[str], str] = str) -> str:
        """In the language that `translate` translates to."""
        shown = [name if isinstance(name, str) else name.said(translate) for name in self.names]
        if self.all_ and len(shown) > 1:
            return translate("{first} and {last}").format(
                first=", ".join(shown[:-1]), last=shown[-1]
            )
        more = 0 if self.all_ else len(shown) - self.most
        listed = ", ".join(shown[: len(shown) - max(more, 0)])
        return (
            translate("{shown} and {count} more").format(shown=listed, count=more)
            if more > 0
            else listed
        )


@dataclass(frozen=True)
class Sentence:
    """One of WORDS with what is filled in: numbers as they are shown, or names."""

    words: str
    values: Mapping[str, str | Names | Sentence] = field(default_factory=dict)

    def said(self, translate: Callable[[str], str] = str) -> str:
        """In the language that `translate` translates to."""
        values = {
            name: value if isinstance(value, str) else value.said(translate)
            for name, value in self.values.items()
        }
        return translate(WORDS[self.words]).format(**values)


@dataclass(frozen=True)
class Finding:
    """level: `ok`, `note`, `warning` or `error`. sentences: of WORDS, one after the other. fix:
    what `vrchat_operators` can do about it, "" for nothing; on: the keys concerned.
    """

    code: str
    level: str
    sentences: tuple[Sentence, ...]
    fix: str = ""
    on: tuple[str, ...] = ()

    def said(self, translate: Callable[[str], str] = str) -> str:
        """What is so, in the language that `translate` translates to."""
        return "".join(sentence.said(translate) for sentence in self.sentences)

    @property
    def text(self) -> str:
        """In English."""
        return self.said()


def _say(words: str, **values: str | int | Names | Sentence) -> Sentence:
    return Sentence(
        words,
        {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()},
    )


def check(avatar: Avatar) -> list[Finding]:
    """All findings, in the order in which a user would deal with them."""
    moving = {
        name: np.abs(offsets).max(axis=1, initial=0.0) for name, offsets in avatar.offsets.items()
    }
    return [
        *_seen(avatar),
        _mesh_name(avatar),
        *_parts(avatar),
        *_kept_back(avatar),
        *_spelling(avatar),
        *_numbered(avatar),
        *_names(avatar, moving),
        *_visemes(avatar, moving),
        *_bones(avatar),
        *_triangles(avatar),
        *_size(avatar, moving),
        *_blinks(avatar),
        *_export(avatar),
    ]


def _seen(avatar: Avatar) -> list[Finding]:
    """What of the avatar an export would leave out or double."""
    found = []
    if avatar.hidden:
        found.append(
            Finding("hidden", "error", (_say("hidden", name=repr(avatar.name)),), "show_mesh")
        )
    away = [other.name for other in avatar.others if other.hidden]
    if away:
        found.append(Finding("hidden_parts", "note", (_say("hidden_parts", names=Names(away)),)))
    twins = [other.name for other in avatar.others if other.same_mesh and not other.hidden]
    if twins:
        told = _say(
            "same_mesh",
            names=Names([repr(avatar.name), *map(repr, twins)], all_=True),
            count=1 + len(twins),
        )
        found.append(Finding("same_mesh", "warning", (told,), "", tuple(twins)))
    if len(avatar.armatures) > 1:
        told = _say("armatures", count=len(avatar.armatures), names=Names(list(avatar.armatures)))
        found.append(Finding("armatures", "warning", (told,)))
    return found


def _mesh_name(avatar: Avatar) -> Finding:
    if avatar.name == MESH:
        return Finding("mesh_name", "ok", (_say("mesh_name_right", body=MESH),))
    known = _known(avatar)
    body = next((other for other in avatar.others if other.name == MESH and not other.hidden), None)
    if body is not None and len(known & body.keys.keys()) > len(known & avatar.offsets.keys()):
        return Finding(
            "mesh_name",
            "warning",
            (_say("mesh_name_other", body=repr(MESH), count=len(body.keys)),),
        )
    told = [_say("mesh_name", name=repr(avatar.name), body=repr(MESH))]
    if MESH in avatar.objects:
        told.append(_say("mesh_name_taken", name=f"{MESH}_2"))
    return Finding("mesh_name", "warning", tuple(told), "rename_mesh")


def _known(avatar: Avatar) -> set[str]:
    return {name for names in avatar.sets.values() for name in names}


def _parts(avatar: Avatar) -> list[Finding]:
    """Keys on other objects, which no template animates. Keys that are no expressions, such as
    those of clothes, are none of its business.
    """
    known = _known(avatar) | avatar.offsets.keys()
    apart = {
        other.name: names
        for other in avatar.others
        if not other.hidden
        and not other.same_mesh
        and (names := [name for name, moves in other.keys.items() if moves and name in known])
    }
    faces = [name for name, names in apart.items() if _is_face(names, avatar)]
    parts = [name for name in apart if name not in faces]
    found = []
    if faces:
        found.append(
            Finding(
                "second_face",
                "warning",
                (_say("second_face", names=Names(faces)),),
                "",
                tuple(faces),
            )
        )
    if parts:
        shown = [
            _say("part", name=name, count=len(apart[name]), names=Names(apart[name], 2))
            for name in parts
        ]
        found.append(
            Finding(
                "parts",
                "warning",
                (_say("parts", body=MESH, names=Names(shown)),),
                "join_parts",
                tuple(parts),
            )
        )
    return found


def _is_face(names: Sequence[str], avatar: Avatar) -> bool:
    """Whether keys that move something are those of a whole face: a part moves with some of a set
    only.
    """
    return any(
        len(set(avatar.sets.get(set_, ())) & set(names)) >= MEANT * len(avatar.sets[set_])
        for set_ in TRACKED
        if set_ in avatar.sets
    )


def _kept_back(avatar: Avatar) -> list[Finding]:
    """What keeps keys from arriving as they are seen."""
    states = {name: avatar.states.get(name, State()) for name in avatar.offsets}
    found = []
    if avatar.absolute:
        found.append(Finding("absolute", "error", (_say("absolute"),), "make_relative"))
    if avatar.pinned:
        found.append(Finding("pinned", "warning", (_say("pinned", name=avatar.pinned),), "unpin"))
    for code, level, fix, names in (
        (
            "muted",
            "warning",
            "unmute_keys",
            [name for name, state in states.items() if state.muted],
        ),
        ("masked", "warning", "bake_keys", [name for name, state in states.items() if state.group]),
        (
            "relative",
            "warning",
            "bake_keys",
            [name for name, state in states.items() if state.relative],
        ),
        (
            "range",
            "warning",
            "widen_range",
            [name for name, state in states.items() if state.low > 0 or state.high < 1],
        ),
        ("locked", "note", "", [name for name, state in states.items() if state.locked]),
        ("driven", "note", "", [name for name, state in states.items() if state.driven]),
    ):
        if names:
            found.append(Finding(code, level, (_say(code, names=Names(names)),), fix, tuple(names)))
    return found


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
    present, known = set(avatar.offsets), _known(avatar)
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


def _spelling(avatar: Avatar) -> list[Finding]:
    wrong = wrong_names(avatar)
    if not wrong:
        return []
    told = _say(
        "name_case",
        names=Names([_say("name_right", name=name, right=right) for name, right in wrong.items()]),
    )
    return [Finding("name_case", "warning", (told,), "rename_keys", tuple(wrong))]


def _names(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
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
        told = [_say("names", count=len(exact), all=len(names), set=TRACKED[set_])]
        misspelled = [name for name in names if name in wrong]
        missing = [name for name in names if name not in avatar.offsets and name not in wrong]
        still = [name for name in exact if not moving[name].max(initial=0.0) > 0]
        if misspelled:
            told.append(_say("names_otherwise", count=len(misspelled)))
        if missing:
            told.append(_say("names_missing", count=len(missing), names=Names(missing)))
        if still:
            elsewhere = {
                name
                for other in avatar.others
                if not other.hidden
                for name, moves in other.keys.items()
                if moves
            }
            words = "names_still_here" if elsewhere.intersection(still) else "names_still"
            told.append(_say(words, count=len(still), names=Names(still)))
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
                "names", "note", (_say("names_few", count=have, all=len(names), set=TRACKED[best]),)
            )
        )
    unknown = [
        name
        for name in avatar.offsets
        if name not in _known(avatar)
        and name not in ALIASES.values()
        and name not in wrong_names(avatar)
    ]
    unknown = [name for name in unknown if _NUMBER.match(name) is None]
    if unknown:
        found.append(
            Finding("unknown", "note", (_say("unknown", count=len(unknown), names=Names(unknown)),))
        )
    return found


def _numbered(avatar: Avatar) -> list[Finding]:
    """Keys such as jawOpen.001, which Blender makes of a second key of the same name."""
    known = _known(avatar)
    spare: list[str] = []
    unclear: list[str] = []
    for name, offsets in avatar.offsets.items():
        match = _NUMBER.match(name)
        if match is None or match[1] not in known:
            continue
        other = avatar.offsets.get(match[1])
        (spare if other is not None and _same(offsets, other) else unclear).append(name)
    found = []
    if spare:
        found.append(
            Finding(
                "duplicates",
                "warning",
                (_say("duplicates", names=Names(spare)),),
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
        name for name in twice if _same(avatar.offsets[name], avatar.offsets[exact[folded(name)]])
    ]
    if twice:
        found.append(
            Finding(
                "twice",
                "note",
                (_say("twice", count=len(twice), names=Names(twice)),),
                "remove_keys",
                tuple(twice),
            )
        )
    if unclear:
        found.append(Finding("numbered", "warning", (_say("numbered", names=Names(unclear)),)))
    return found


def _visemes(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    by_case = {name.casefold(): name for name in avatar.offsets}
    visemes = avatar.sets["vrchat"]
    have = {name: by_case[name.casefold()] for name in visemes if name.casefold() in by_case}
    missing = [name for name in visemes if name not in have]
    if len(missing) == len(visemes):
        return [
            Finding(
                "visemes", "error", (_say("visemes_none", count=len(visemes) - 1),), "make_visemes"
            )
        ]
    found = []
    if missing:
        told = _say("visemes_missing", count=len(missing), all=len(visemes), names=Names(missing))
        found.append(Finding("visemes", "error", (told,), "make_visemes", tuple(missing)))
    empty = [key for key in have.values() if not moving[key].max(initial=0.0) > 0]
    if empty:
        found.append(
            Finding(
                "visemes_empty",
                "error",
                (_say("visemes_empty", names=Names(empty)),),
                "fill_visemes",
                tuple(empty),
            )
        )
    alike = []
    keys = [key for key in have.values() if key not in empty]
    for number, first in enumerate(keys):
        same = [
            second
            for second in keys[number + 1 :]
            if _same(avatar.offsets[first], avatar.offsets[second])
        ]
        alike += [_say("pair", names=Names([first, second], all_=True)) for second in same]
    if alike:
        found.append(
            Finding("visemes_alike", "warning", (_say("visemes_alike", names=Names(alike)),))
        )
    if not found:
        found.append(Finding("visemes", "ok", (_say("visemes", count=len(visemes)),)))
    for sdk, template in ALIASES.items():
        if sdk in have and template not in avatar.offsets:
            found.append(
                Finding(
                    "viseme_alias",
                    "note",
                    (_say("viseme_alias", name=template, usual=sdk),),
                    "add_alias",
                    (have[sdk],),
                )
            )
    return found


def _bones(avatar: Avatar) -> list[Finding]:
    if avatar.bones is None:
        return [Finding("bones", "warning", (_say("bones_none"),))]
    missing = [_say(role) for role in ("head", "left_eye", "right_eye") if role not in avatar.bones]
    found = []
    if missing:
        found.append(
            Finding("bones", "warning", (_say("bones_missing", names=Names(missing, all_=True)),))
        )
    else:
        found.append(Finding("bones", "ok", (_say("bones"),)))
    if "jaw" not in avatar.bones:
        found.append(Finding("jaw_bone", "note", (_say("jaw_bone"),)))
    return found


def rank(triangles: int, platform: str) -> str:
    """VRChat's performance rank for a number of triangles."""
    return next((name for name, most in RANKS[platform] if triangles <= most), "Very Poor")


def _triangles(avatar: Avatar) -> list[Finding]:
    ranks = {platform: rank(avatar.triangles, platform) for platform in RANKS}
    shown = Names(
        [
            _say("rank", rank=name, platform=_say(PLATFORMS[platform]))
            for platform, name in ranks.items()
        ]
    )
    level = (
        "warning"
        if ranks["PC"] == "Very Poor"
        else "note"
        if "Very Poor" in ranks.values()
        else "ok"
    )
    return [Finding("triangles", level, (_say("triangles", count=avatar.triangles, ranks=shown),))]


def _size(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    if not avatar.offsets:
        return []
    pairs = sum(int((way > 0).sum()) for way in moving.values())
    everything = sum(len(way) for way in moving.values())
    raw = pairs * UNITY_BYTES / 1e6
    download = raw * _compressibility(avatar.offsets)
    share = 100 * pairs / max(everything, 1)
    told = [
        _say(
            "size",
            count=len(avatar.offsets),
            share=f"{share:.0f}",
            raw=f"{raw:.1f}",
            download=f"{download:.1f}",
        )
    ]
    small = [platform for platform, most in DOWNLOAD_MB.items() if download > most / 2]
    if small:
        told.append(
            _say("size_large", names=Names([_say(PLATFORMS[name]) for name in small], all_=True))
        )
    found = [Finding("size", "warning" if small else "ok", tuple(told))]
    limit = np.float32(DUST * avatar.extent)
    dusty = {
        name: int(((way > 0) & (way <= limit)).sum())
        for name, way in moving.items()
        if way.max(initial=0.0) > limit
    }
    dust = sum(dusty.values())
    if dust > pairs // 20:
        cost = _say("dust", count=dust, cost=f"{dust * UNITY_BYTES / 1e6:.1f}")
        found.append(
            Finding(
                "dust",
                "warning",
                (cost,),
                "clean_keys",
                tuple(name for name, count in dusty.items() if count),
            )
        )
    return found


def _compressibility(offsets: Mapping[str, Floats], sample: int = 4) -> float:
    """Compressed by uncompressed size of some of the shapes as Unity stores them: Unity's asset
    bundles are compressed with LZMA.
    """
    chosen = list(offsets.values())[:: max(1, len(offsets) // sample)][:sample]
    data = b""
    for points in chosen:
        rows = np.flatnonzero(points.any(axis=1)).astype(np.int32)
        data += rows.tobytes() + np.ascontiguousarray(points[rows]).tobytes()
    return len(lzma.compress(data, preset=0)) / len(data) if data else 0.0


def lid_travel(blink: Floats, blink_value: float, other: Floats, value: float) -> float:
    """How far lids go when both shapes are driven at once, along the way of the blink: 1 is where
    the blink alone closes them.
    """
    length = np.linalg.norm(blink, axis=1)
    lids = length > LIDS * length.max(initial=0.0)
    if not lids.any():
        return 0.0
    way = blink[lids]
    together = np.float32(blink_value) * way + np.float32(value) * other[lids]
    return float((together * way).sum() / (way * way).sum())


def _blinks(avatar: Avatar) -> list[Finding]:
    found, fine = [], 0
    for blink, blink_value, other, value in PAIRS:
        for side in SIDES:
            first, second = blink + side, other + side
            if first not in avatar.offsets or second not in avatar.offsets:
                continue
            travel = lid_travel(avatar.offsets[first], blink_value, avatar.offsets[second], value)
            if travel > CLOSED:
                told = _say(
                    "blink_conflict", first=first, second=second, share=f"{100 * travel:.0f}"
                )
                found.append(Finding("blink_conflict", "warning", (told,), "", (first, second)))
            else:
                fine += 1
    if fine and not found:
        return [Finding("blink_conflict", "ok", (_say("blink_fine"),))]
    return found


def _export(avatar: Avatar) -> list[Finding]:
    found = []
    set_ = [name for name, state in avatar.states.items() if state.value and not state.muted]
    free = tuple(name for name in set_ if not avatar.states[name].driven)
    if set_:
        found.append(
            Finding(
                "values",
                "note",
                (_say("values", names=Names(set_)),),
                "reset_values" if free else "",
                free,
            )
        )
    apart = [other for other in avatar.others if not other.hidden and not other.same_mesh]
    elsewhere = [
        _say("of", name=name, object=other.name) for other in apart for name in other.values
    ]
    if elsewhere:
        found.append(
            Finding("values_parts", "note", (_say("values_parts", names=Names(elsewhere)),))
        )
    modifiers: list[str | Sentence] = list(avatar.modifiers)
    modifiers += [
        _say("of", name=name, object=other.name)
        for other in avatar.others
        if not other.hidden
        for name in other.modifiers
    ]
    if modifiers:
        found.append(Finding("modifiers", "warning", (_say("modifiers", names=Names(modifiers)),)))
    return found


def _same(first: Floats, second: Floats) -> bool:
    largest = float(np.abs(first).max(initial=0.0))
    return float(np.abs(first - second).max(initial=0.0)) <= SAME * largest
