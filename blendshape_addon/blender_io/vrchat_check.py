# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps an avatar's face from working in VRChat: from plain data to findings. Imports no bpy.

Limits are those of VRChat's creator documentation, "Performance Ranks" and "Avatar Size Limits",
read in November 2026. Names of visemes and why each must move something: "Animator Parameters"
there, and the SDK's lip sync, which takes 15 different shapes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .vrchat_avatar import Avatar, Floats, State
from .vrchat_names import MEANT, TRACKED, check_names, check_numbered, check_spelling, known_names
from .vrchat_shapes import check_blinks, check_size, check_visemes
from .vrchat_words import PLATFORMS, Finding, Names, Sentence, say

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
SMALLEST = 2e-4  # of vrc.v_aa goes into a silence that moves nothing, as CATS does it


def _farthest(offsets: Floats) -> Floats:
    """(V,): the largest of the three numbers of each offset (V,3). A maximum along rows so short
    would take five times as long.
    """
    x, y, z = np.abs(offsets).T
    return np.asarray(np.maximum(np.maximum(x, y), z))


def check(avatar: Avatar) -> list[Finding]:
    """All findings, in the order in which a user would deal with them."""
    moving = {name: _farthest(offsets) for name, offsets in avatar.offsets.items()}
    return [
        *_seen(avatar),
        _mesh_name(avatar),
        *_parts(avatar),
        *_kept_back(avatar),
        *check_spelling(avatar),
        *check_numbered(avatar),
        *check_names(avatar, moving),
        *check_visemes(avatar, moving),
        *_bones(avatar),
        *_triangles(avatar),
        *check_size(avatar, moving),
        *check_blinks(avatar),
        *_export(avatar),
    ]


def _seen(avatar: Avatar) -> list[Finding]:
    """What of the avatar an export would leave out or double."""
    found = []
    if avatar.hidden:
        found.append(
            Finding("hidden", "error", (say("hidden", name=repr(avatar.name)),), "show_mesh")
        )
    away = [other.name for other in avatar.others if other.hidden]
    if away:
        found.append(Finding("hidden_parts", "note", (say("hidden_parts", names=Names(away)),)))
    twins = [other.name for other in avatar.others if other.same_mesh and not other.hidden]
    if twins:
        told = say(
            "same_mesh",
            names=Names([repr(avatar.name), *map(repr, twins)], all_=True),
            count=1 + len(twins),
        )
        found.append(Finding("same_mesh", "warning", (told,), "", tuple(twins)))
    if len(avatar.armatures) > 1:
        told = say("armatures", count=len(avatar.armatures), names=Names(list(avatar.armatures)))
        found.append(Finding("armatures", "warning", (told,)))
    return found


def _mesh_name(avatar: Avatar) -> Finding:
    if avatar.name == MESH:
        return Finding("mesh_name", "ok", (say("mesh_name_right", body=MESH),))
    known = known_names(avatar)
    body = next((other for other in avatar.others if other.name == MESH and not other.hidden), None)
    if body is not None and len(known & body.keys.keys()) > len(known & avatar.offsets.keys()):
        return Finding(
            "mesh_name",
            "warning",
            (say("mesh_name_other", body=repr(MESH), count=len(body.keys)),),
        )
    told = [say("mesh_name", name=repr(avatar.name), body=repr(MESH))]
    if MESH in avatar.objects:
        told.append(say("mesh_name_taken", name=f"{MESH}_2"))
    return Finding("mesh_name", "warning", tuple(told), "rename_mesh")


def _parts(avatar: Avatar) -> list[Finding]:
    """Keys on other objects, which no template animates. Keys that are no expressions, such as
    those of clothes, are none of its business.
    """
    known = known_names(avatar) | avatar.offsets.keys()
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
                (say("second_face", names=Names(faces)),),
                "",
                tuple(faces),
            )
        )
    if parts:
        shown = [
            say("part", name=name, count=len(apart[name]), names=Names(apart[name], 2))
            for name in parts
        ]
        found.append(
            Finding(
                "parts",
                "warning",
                (say("parts", body=MESH, names=Names(shown)),),
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
        found.append(Finding("absolute", "error", (say("absolute"),), "make_relative"))
    if avatar.pinned:
        found.append(Finding("pinned", "warning", (say("pinned", name=avatar.pinned),), "unpin"))
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
            found.append(Finding(code, level, (say(code, names=Names(names)),), fix, tuple(names)))
    return found


def _bones(avatar: Avatar) -> list[Finding]:
    if avatar.bones is None:
        return [Finding("bones", "warning", (say("bones_none"),))]
    missing = [say(role) for role in ("head", "left_eye", "right_eye") if role not in avatar.bones]
    found = []
    if missing:
        found.append(
            Finding(
                "bones",
                "warning",
                (say("bones_missing", names=Names(missing, all_=True)),),
                "add_eye_bones" if "head" in avatar.bones else "",
            )
        )
    else:
        found.append(Finding("bones", "ok", (say("bones"),)))
    if "jaw" not in avatar.bones:
        found.append(Finding("jaw_bone", "note", (say("jaw_bone"),)))
    return found


def rank(triangles: int, platform: str) -> str:
    """VRChat's performance rank for a number of triangles."""
    return next((name for name, most in RANKS[platform] if triangles <= most), "Very Poor")


def _triangles(avatar: Avatar) -> list[Finding]:
    ranks = {platform: rank(avatar.triangles, platform) for platform in RANKS}
    shown = Names(
        [
            say("rank", rank=name, platform=say(PLATFORMS[platform]))
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
    return [Finding("triangles", level, (say("triangles", count=avatar.triangles, ranks=shown),))]


def _export(avatar: Avatar) -> list[Finding]:
    found = []
    set_ = [name for name, state in avatar.states.items() if state.value and not state.muted]
    free = tuple(name for name in set_ if not avatar.states[name].driven)
    if set_:
        found.append(
            Finding(
                "values",
                "note",
                (say("values", names=Names(set_)),),
                "reset_values" if free else "",
                free,
            )
        )
    apart = [other for other in avatar.others if not other.hidden and not other.same_mesh]
    elsewhere = [
        say("of", name=name, object=other.name) for other in apart for name in other.values
    ]
    if elsewhere:
        found.append(
            Finding("values_parts", "note", (say("values_parts", names=Names(elsewhere)),))
        )
    modifiers: list[str | Sentence] = list(avatar.modifiers)
    modifiers += [
        say("of", name=name, object=other.name)
        for other in avatar.others
        if not other.hidden
        for name in other.modifiers
    ]
    if modifiers:
        found.append(Finding("modifiers", "warning", (say("modifiers", names=Names(modifiers)),)))
    return found
