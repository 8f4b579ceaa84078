# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps an avatar's face from working in VRChat: from plain data to findings. Imports no bpy.

Limits are those of VRChat's creator documentation, "Performance Ranks" and "Avatar Size Limits", read in November 2026. Names of visemes and
why each must move something: "Animator Parameters" there, and the SDK's lip sync, which takes 15 different shapes.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .naming import ALIASES, folded

Floats = NDArray[np.float32]

MESH = "Body"
# Most triangles of a rank; more than the last is Very Poor
RANKS = {
    "PC": (("Excellent", 32_000), ("Good", 70_000)),
    "Android and iOS": (("Excellent", 7_500), ("Good", 10_000), ("Medium", 15_000), ("Poor", 20_000)),
}
DOWNLOAD_MB = {"PC": 200, "Android and iOS": 10}
UNITY_BYTES = 40  # of one vertex in one blend shape: its index, and what place, normal and tangent change by
COMPRESSED = 16  # of these the index and the place, which is what can be compressed here to see how well that goes
DUST = 1e-6  # of the avatar's largest extent: nobody sees a movement as small as this
SAME = 1e-5  # of a shape's largest movement: two shapes that differ by less are one
CLOSED = 1.1  # how far lids may go, 1 being closed
LIDS = 0.5  # of a blink's largest movement: what counts as the lids
SMALLEST = 2e-4  # of vrc.v_aa goes into a silence that moves nothing, as CATS does it
MEANT = 0.5  # of a set's names must be there, however spelled, before the set counts as meant: a rig of vowels and blinks has a few of ARKit's, too
TRACKED = {"arkit": "ARKit", "unified": "Unified Expressions"}  # sets whose names face tracking templates animate
PAIRS = (("eyeBlink", 0.9, "eyeSquint", 1.0), ("eyeBlink", 0.9, "mouthSmile", 1.0))  # what face tracking drives together
SIDES = ("Left", "Right")
_NUMBER = re.compile(r"^(.+)\.\d{3}$")


@dataclass(frozen=True)
class State:
    """How a key stands. group: the vertex group that masks it; relative: the key that it is relative to, "" for the basis; low, high: its slider's
    range; driven: by a driver or an animation."""

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
    """Another mesh of the avatar. keys: name -> whether it moves anything. hidden: it is not seen, so no export has it. values: keys that are not at
    0. same_mesh: it shares the mesh that is looked at."""

    name: str
    keys: Mapping[str, bool] = field(default_factory=dict)
    hidden: bool = False
    values: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    same_mesh: bool = False


@dataclass(frozen=True)
class Avatar:
    """What is looked at. offsets: float32 (V,3) of each key but the reference, by name, in the order of the keys.

    sets: exact key names of each known set. bones: roles that the armature has, None without an armature. objects: names of all other
    objects. triangles: of all meshes of the avatar as they are exported. extent: the avatar's largest, in the unit of the offsets. states: of the
    keys; others: the avatar's other meshes; armatures: names of all that exported meshes hang on; hidden: the mesh is not seen; absolute: its keys
    are; pinned: the only key that is shown, or "".
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
class Finding:
    """level: `ok`, `note`, `warning` or `error`. fix: what `vrchat_operators` can do about it, "" for nothing; on: the keys concerned."""

    code: str
    level: str
    text: str
    fix: str = ""
    on: tuple[str, ...] = ()


def check(avatar: Avatar) -> list[Finding]:
    """All findings, in the order in which a user would deal with them."""
    moving = {name: np.abs(offsets).max(axis=1, initial=0.0) for name, offsets in avatar.offsets.items()}
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
        found.append(Finding("hidden", "error", f"{avatar.name!r} is hidden, so it is not exported", "show_mesh"))
    away = [other.name for other in avatar.others if other.hidden]
    if away:
        found.append(Finding("hidden_parts", "note", f"Hidden, so neither looked at nor exported: {_some(away)}"))
    twins = [other.name for other in avatar.others if other.same_mesh and not other.hidden]
    if twins:
        text = f"{_and([repr(avatar.name), *map(repr, twins)])} are one mesh: it is exported {1 + len(twins)} times, each time with all keys"
        found.append(Finding("same_mesh", "warning", text, "", tuple(twins)))
    if len(avatar.armatures) > 1:
        hung = f"What is exported hangs on {len(avatar.armatures)} armatures ({_some(list(avatar.armatures))})"
        text = f"{hung}, and VRChat takes one: hide what is another avatar"
        found.append(Finding("armatures", "warning", text))
    return found


def _mesh_name(avatar: Avatar) -> Finding:
    if avatar.name == MESH:
        return Finding("mesh_name", "ok", f"The mesh is called {MESH}")
    known = _known(avatar)
    body = next((other for other in avatar.others if other.name == MESH and not other.hidden), None)
    if body is not None and len(known & body.keys.keys()) > len(known & avatar.offsets.keys()):
        return Finding("mesh_name", "warning", f"{MESH!r} is another mesh of this avatar, with {len(body.keys)} keys: select that one and check it")
    text = f"The mesh is called {avatar.name!r}; face tracking templates and MMD worlds look for {MESH!r}, spelled just so"
    if MESH in avatar.objects:
        text += f". The object that has this name now becomes {MESH}_2"
    return Finding("mesh_name", "warning", text, "rename_mesh")


def _known(avatar: Avatar) -> set[str]:
    return {name for names in avatar.sets.values() for name in names}


def _parts(avatar: Avatar) -> list[Finding]:
    """Keys on other objects, which no template animates. Keys that are no expressions, such as those of clothes, are none of its business."""
    known = _known(avatar) | avatar.offsets.keys()
    apart = {
        other.name: names
        for other in avatar.others
        if not other.hidden and not other.same_mesh and (names := [name for name, moves in other.keys.items() if moves and name in known])
    }
    faces = [name for name, names in apart.items() if _is_face(names, avatar)]
    parts = [name for name in apart if name not in faces]
    found = []
    if faces:
        text = f"A second face with keys of its own is exported, too: {_some(faces)}. If it is an old copy, hide it"
        found.append(Finding("second_face", "warning", text, "", tuple(faces)))
    if parts:
        told = [f"{name} ({len(apart[name])}: {_some(apart[name], 2)})" for name in parts]
        text = f"VRChat's templates animate {MESH} alone; nothing moves the keys of {_some(told)}. Join them into it, or animate them yourself"
        found.append(Finding("parts", "warning", text, "join_parts", tuple(parts)))
    return found


def _is_face(names: Sequence[str], avatar: Avatar) -> bool:
    """Whether keys that move something are those of a whole face: a part moves with some of a set only."""
    return any(len(set(avatar.sets.get(set_, ())) & set(names)) >= MEANT * len(avatar.sets[set_]) for set_ in TRACKED if set_ in avatar.sets)


def _kept_back(avatar: Avatar) -> list[Finding]:
    """What keeps keys from arriving as they are seen."""
    states = {name: avatar.states.get(name, State()) for name in avatar.offsets}
    found = []
    if avatar.absolute:
        found.append(Finding("absolute", "error", "The shape keys are absolute: Unity knows relative ones only", "make_relative"))
    if avatar.pinned:
        text = f"Only {avatar.pinned} is shown (the pin in the list of shape keys), so nothing of the others is seen"
        found.append(Finding("pinned", "warning", text, "unpin"))
    for code, text, fix, names in (
        ("muted", "Most exporters leave out keys that are muted", "unmute_keys", [n for n, state in states.items() if state.muted]),
        ("masked", "Files know no vertex groups of keys; to be baked in", "bake_keys", [n for n, state in states.items() if state.group]),
        ("relative", "Relative to another key than the basis; to be baked", "bake_keys", [n for n, state in states.items() if state.relative]),
        (
            "range",
            "The slider does not go from 0 to 1, as Unity's does",
            "widen_range",
            [n for n, state in states.items() if state.low > 0 or state.high < 1],
        ),
    ):
        if names:
            found.append(Finding(code, "warning", f"{text}: {_some(names)}", fix, tuple(names)))
    for code, text, names in (
        ("locked", "Locked, so no update changes them", [name for name, state in states.items() if state.locked]),
        ("driven", "Drivers and animation set them in Blender, and no file has drivers", [name for name, state in states.items() if state.driven]),
    ):
        if names:
            found.append(Finding(code, "note", f"{text}: {_some(names)}", "", tuple(names)))
    return found


def intended_sets(avatar: Avatar) -> list[str]:
    """Names of the sets that the avatar has, however spelled: most of their keys are there, the one with the largest part of them first.

    Keys that are spelled just as a set with a larger part has them do not speak for another one, too.
    """

    def part(set_: str, keys: Collection[str]) -> float:
        there = {folded(name) for name in keys}
        return sum(name in avatar.offsets or folded(name) in there for name in avatar.sets[set_]) / max(len(avatar.sets[set_]), 1)

    chosen: list[str] = []
    for set_ in sorted(avatar.sets, key=lambda set_: -part(set_, avatar.offsets)):
        taken = {name for other in chosen for name in avatar.sets[other]}
        if part(set_, avatar.offsets.keys() - taken) >= MEANT:
            chosen.append(set_)
    return chosen


def wrong_names(avatar: Avatar) -> dict[str, str]:
    """Key -> the exact name that it should have, for keys that differ from it only in case, separators or the way to write a side.

    What is right in one of the avatar's sets is right: JawOpen is Unified Expressions' own, but wrong where ARKit's are meant. Jaw_Open is
    SRanipal's.
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
    text = f"Names must be spelled just so: {_some([f'{name} should be {right}' for name, right in wrong.items()])}"
    return [Finding("name_case", "warning", text, "rename_keys", tuple(wrong))]


def _names(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    """How many names of face tracking's sets are there exactly, and which keys the check knows nothing about."""
    found = []
    wrong = set(wrong_names(avatar).values())
    for set_ in intended_sets(avatar):
        if set_ not in TRACKED:
            continue
        names = avatar.sets[set_]
        exact = [name for name in names if name in avatar.offsets]
        text = f"{len(exact)} of {len(names)} names of {TRACKED[set_]} are there exactly"
        misspelled = [name for name in names if name in wrong]
        missing = [name for name in names if name not in avatar.offsets and name not in wrong]
        still = [name for name in exact if not moving[name].max(initial=0.0) > 0]
        if misspelled:
            text += f"; {len(misspelled)} are spelled otherwise"
        if missing:
            text += f"; {len(missing)} are missing: {_some(missing)}"
        if still:
            elsewhere = {name for other in avatar.others if not other.hidden for name, moves in other.keys.items() if moves}
            text += f"; {len(still)} move nothing" + (" on this mesh" if elsewhere.intersection(still) else "") + f": {_some(still)}"
        fix = "rename_keys" if misspelled else "make_missing" if missing else ""
        level = "warning" if misspelled or missing else "note" if still else "ok"
        found.append(Finding(f"names_{set_}", level, text, fix, tuple(misspelled or missing)))
    if avatar.offsets and not found:
        best = max(TRACKED, key=lambda set_: sum(name in avatar.offsets for name in avatar.sets.get(set_, ())))
        names = avatar.sets.get(best, ())
        have = sum(name in avatar.offsets for name in names)
        text = f"For face tracking {have} of {len(names)} names of {TRACKED[best]} are there"
        found.append(Finding("names", "note", text))
    unknown = [name for name in avatar.offsets if name not in _known(avatar) and name not in ALIASES.values() and name not in wrong_names(avatar)]
    unknown = [name for name in unknown if _NUMBER.match(name) is None]
    if unknown:
        text = f"{len(unknown)} keys have names of no standard, so nothing is said about them: {_some(unknown)}"
        found.append(Finding("unknown", "note", text))
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
        found.append(Finding("duplicates", "warning", f"Copies that nothing uses: {_some(spare)}", "remove_keys", tuple(spare)))
    exact = {folded(name): name for name in avatar.offsets if name in known}
    twice = [name for name in avatar.offsets if name not in known and name not in ALIASES.values() and folded(name) in exact]
    twice = [name for name in twice if _same(avatar.offsets[name], avatar.offsets[exact[folded(name)]])]
    if twice:
        text = f"{len(twice)} keys are others in another spelling, which templates do not ask for: {_some(twice)}"
        found.append(Finding("twice", "note", text, "remove_keys", tuple(twice)))
    if unclear:
        found.append(Finding("numbered", "warning", f"Nothing looks for names with a number: {_some(unclear)}; rename or remove them"))
    return found


def _visemes(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    by_case = {name.casefold(): name for name in avatar.offsets}
    visemes = avatar.sets["vrchat"]
    have = {name: by_case[name.casefold()] for name in visemes if name.casefold() in by_case}
    missing = [name for name in visemes if name not in have]
    if len(missing) == len(visemes):
        return [Finding("visemes", "error", f"There are no visemes (vrc.v_aa and {len(visemes) - 1} others): lips will not move", "make_visemes")]
    found = []
    if missing:
        text = f"{len(missing)} of {len(visemes)} visemes are missing ({_some(missing)}), and lip sync needs all of them"
        found.append(Finding("visemes", "error", text, "make_visemes", tuple(missing)))
    empty = [key for key in have.values() if not moving[key].max(initial=0.0) > 0]
    if empty:
        text = f"Unity drops shapes that move nothing: {_some(empty)}"
        found.append(Finding("visemes_empty", "error", text, "fill_visemes", tuple(empty)))
    alike = []
    keys = [key for key in have.values() if key not in empty]
    for number, first in enumerate(keys):
        alike += [f"{first} and {second}" for second in keys[number + 1 :] if _same(avatar.offsets[first], avatar.offsets[second])]
    if alike:
        found.append(Finding("visemes_alike", "warning", f"Visemes that are the same: {_some(alike)}; generate them, or shape one of them"))
    if not found:
        found.append(Finding("visemes", "ok", f"All {len(visemes)} visemes are there, move something and differ"))
    for sdk, template in ALIASES.items():
        if sdk in have and template not in avatar.offsets:
            text = f"Face tracking templates that animate visemes say {template} for {sdk}"
            found.append(Finding("viseme_alias", "note", text, "add_alias", (have[sdk],)))
    return found


def _bones(avatar: Avatar) -> list[Finding]:
    if avatar.bones is None:
        return [Finding("bones", "warning", "There is no armature: VRChat wants a humanoid with at least hips, spine, chest, neck and head")]
    missing = [role.replace("_", " ") for role in ("head", "left_eye", "right_eye") if role not in avatar.bones]
    found = []
    if missing:
        found.append(Finding("bones", "warning", f"No bone was recognised for {_and(missing)}; without eye bones eyes do not follow"))
    else:
        found.append(Finding("bones", "ok", "Head and eye bones are there"))
    if "jaw" not in avatar.bones:
        text = "There is no jaw bone. With visemes none is needed, but see that Unity's humanoid mapping has not taken hair for it"
        found.append(Finding("jaw_bone", "note", text))
    return found


def rank(triangles: int, platform: str) -> str:
    """VRChat's performance rank for a number of triangles."""
    return next((name for name, most in RANKS[platform] if triangles <= most), "Very Poor")


def _triangles(avatar: Avatar) -> list[Finding]:
    ranks = {platform: rank(avatar.triangles, platform) for platform in RANKS}
    text = f"{avatar.triangles:,} triangles: " + ", ".join(f"{name} on {platform}" for platform, name in ranks.items())
    return [Finding("triangles", "warning" if ranks["PC"] == "Very Poor" else "ok", text)]


def _size(avatar: Avatar, moving: Mapping[str, Floats]) -> list[Finding]:
    if not avatar.offsets:
        return []
    pairs = sum(int((way > 0).sum()) for way in moving.values())
    everything = sum(len(way) for way in moving.values())
    raw = pairs * UNITY_BYTES / 1e6
    download = raw * _compressibility(avatar.offsets)
    share = 100 * pairs / max(everything, 1)
    text = f"{len(avatar.offsets)} shapes move {share:.0f} % of all vertices: {raw:.1f} MB in Unity, about {download:.1f} MB of download"
    small = [platform for platform, most in DOWNLOAD_MB.items() if download > most / 2]
    if small:
        text += f", a good part of what {_and(small)} allow"
    found = [Finding("size", "warning" if small else "ok", text)]
    limit = np.float32(DUST * avatar.extent)
    dusty = {name: int(((way > 0) & (way <= limit)).sum()) for name, way in moving.items() if way.max(initial=0.0) > limit}
    dust = sum(dusty.values())
    if dust > pairs // 20:
        text = f"{dust:,} movements are too small to be seen and cost {dust * UNITY_BYTES / 1e6:.1f} MB"
        found.append(Finding("dust", "warning", text, "clean_keys", tuple(name for name, count in dusty.items() if count)))
    return found


def _compressibility(offsets: Mapping[str, Floats], sample: int = 4) -> float:
    """Compressed by uncompressed size of some of the shapes as Unity stores them: Unity's asset bundles are compressed with LZMA."""
    chosen = list(offsets.values())[:: max(1, len(offsets) // sample)][:sample]
    data = b""
    for points in chosen:
        rows = np.flatnonzero(points.any(axis=1)).astype(np.int32)
        data += rows.tobytes() + np.ascontiguousarray(points[rows]).tobytes()
    return len(lzma.compress(data, preset=0)) / len(data) if data else 0.0


def lid_travel(blink: Floats, blink_value: float, other: Floats, value: float) -> float:
    """How far lids go when both shapes are driven at once, along the way of the blink: 1 is where the blink alone closes them."""
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
                text = f"{first} with {second} closes the lid to {100 * travel:.0f} %: it goes through the other one"
                found.append(Finding("blink_conflict", "warning", text, "", (first, second)))
            else:
                fine += 1
    if fine and not found:
        return [Finding("blink_conflict", "ok", "Lids stay within their way when a blink meets a squint or a smile")]
    return found


def _export(avatar: Avatar) -> list[Finding]:
    found = []
    set_ = [name for name, state in avatar.states.items() if state.value and not state.muted]
    free = tuple(name for name in set_ if not avatar.states[name].driven)
    if set_:
        text = f"Not at 0, so Unity shows the face with them: {_some(set_)}"
        found.append(Finding("values", "note", text, "reset_values" if free else "", free))
    elsewhere = [f"{name} of {other.name}" for other in avatar.others if not other.hidden and not other.same_mesh for name in other.values]
    if elsewhere:
        found.append(Finding("values_parts", "note", f"Not at 0 on other objects: {_some(elsewhere)}"))
    modifiers = list(avatar.modifiers)
    modifiers += [f"{name} of {other.name}" for other in avatar.others if not other.hidden for name in other.modifiers]
    if modifiers:
        text = f"With shape keys these modifiers are not exported: {_some(modifiers)}"
        found.append(Finding("modifiers", "warning", text))
    return found


def _same(first: Floats, second: Floats) -> bool:
    largest = float(np.abs(first).max(initial=0.0))
    return float(np.abs(first - second).max(initial=0.0)) <= SAME * largest


def _some(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
