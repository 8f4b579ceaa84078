# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of an avatar move with the face, and what each is: by what the user says, by names,
else by where it lies on the face.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import mesh_of, of_object
from . import as_seen, mesh_io

ROLES = (
    "auto",
    "face",
    "eyes",
    "lashes",
    "brows",
    "teeth",
    "tongue",
)  # the numbers that travel, docs/design/architecture.md
NONE = "none"
# In this order: an eyelash is no eye
_WORDS = (
    ("lashes", ("lash", "matsuge", "まつげ", "まつ毛", "睫")),
    ("brows", ("brow", "mayu", "眉", "まゆ")),
    ("teeth", ("teeth", "tooth", "denture", "gums", "歯")),
    ("tongue", ("tongue", "舌", "ベロ")),
    ("eyes", ("eye", "iris", "pupil", "cornea", "sclera", "hitomi", "目", "瞳", "眼")),
)
_NOT = ("glass", "patch", "shadow", "wear", "眼鏡", "メガネ")  # eyeglasses, eye patch
MOST = 0.8  # share of an object's vertices that must lie where a part is
# of the distance between the outer corners of the eyes, by which brows rise over their landmarks
BROW = 0.12
REACH = 1.4  # eye distances around the middle of the face in which everything is part of it


@dataclass(frozen=True)
class Part:
    """An object beside the face's own. role: one of ROLES or `none`, for what does not move. why:
    `user`, `name`, `place`, `modifier` (it follows another mesh by itself) or ``.
    """

    ob: bpy.types.Object
    role: str
    why: str


def role_by_name(name: str) -> str | None:
    """The role that a name speaks of, in English or Japanese."""
    lower = name.casefold()
    if any(word in lower for word in _NOT):
        return None
    for role, words in _WORDS:
        if any(
            word in lower
            if not word.isascii()
            else re.search(rf"(?<![a-z]){word}|{word}(?:e?s)?(?![a-z])", lower)
            for word in words
        ):
            return role
    return None


def avatar_parts(
    ob: bpy.types.Object, landmarks: Mapping[str, tuple[float, float, float]]
) -> list[Part]:
    """The other mesh objects of the avatar that `ob` is of. landmarks: of the face in `ob`'s space,
    empty if none are known yet: then where an object lies says nothing, and its part has no
    `why`.
    """
    with as_seen.at_rest():
        return [_part(other, ob, landmarks, related) for other, related in _others(ob)]


def out_of_reach(
    ob: bpy.types.Object, landmarks: Mapping[str, tuple[float, float, float]]
) -> list[Part]:
    """Objects that would be parts of the avatar that `ob` is of, if keys could be added to them.
    landmarks: as of `avatar_parts`.
    """
    others = [
        (other, related) for other, related in _others(ob, False) if not as_seen.follows(other)
    ]
    if not others:
        return []
    with as_seen.at_rest():
        return moving([_part(other, ob, landmarks, related) for other, related in others])


def moving(parts: list[Part]) -> list[Part]:
    """Those that move with the face."""
    return [part for part in parts if part.role != NONE]


def avatar_meshes(
    ob: bpy.types.Object, landmarks: Mapping[str, tuple[float, float, float]]
) -> list[bpy.types.Object]:
    """All other mesh objects of the avatar, those that do not move with the face and those that are
    hidden, too. landmarks: as in `avatar_parts`; while none are known, an object with keys that
    lies on the face counts.
    """
    found = [
        other
        for other in bpy.context.scene.objects
        if other != ob
        and other.type == "MESH"
        and (mesh_of(other) == mesh_of(ob) or _related(other, ob))
    ]
    lying = [
        other
        for other, related in _others(ob)
        if not related and not landmarks and mesh_of(other).shape_keys is not None
    ]
    return [
        *found,
        *lying,
        *(
            part.ob
            for part in moving(avatar_parts(ob, landmarks))
            if part.ob not in found and part.ob not in lying
        ),
    ]


def _others(ob: bpy.types.Object, editable: bool = True) -> list[tuple[bpy.types.Object, bool]]:
    """Editable mesh objects that are seen and may be of the same avatar, and whether armature or
    parents say so; others lie where the face is.
    """
    armature = mesh_io.find_armature(ob)
    found = []
    for other in bpy.context.scene.objects:
        if (
            other == ob
            or other.type != "MESH"
            or not mesh_of(other).vertices
            or mesh_of(other) == mesh_of(ob)
        ):
            continue
        if (
            mesh_of(other).is_editable and mesh_of(other).override_library is None
        ) != editable or not as_seen.visible(other, ob):
            continue
        own = mesh_io.find_armature(other)
        if _related(other, ob):
            found.append((other, True))
        elif (own is None or armature is None) and _inside(other, ob):
            found.append((other, False))
    return found


def _related(other: bpy.types.Object, ob: bpy.types.Object) -> bool:
    """Whether armature, parents or the user say that an object is of the avatar."""
    armature, top = mesh_io.find_armature(ob), _top(ob)
    same = (
        mesh_io.find_armature(other) == armature
        if armature is not None
        else _top(other) == top and top != ob
    )
    return same or _top(other) == ob or of_object(other).part not in ("AUTO", "NONE")


def _inside(other: bpy.types.Object, ob: bpy.types.Object) -> bool:
    """Whether the middle of an object's box lies in the box of another."""
    corners = np.array(ob.bound_box)
    matrix = np.array(ob.matrix_world.inverted_safe() @ other.matrix_world)
    middle = matrix[:3, :3] @ np.array(other.bound_box).mean(axis=0) + matrix[:3, 3]
    return bool((middle >= corners.min(axis=0)).all() and (middle <= corners.max(axis=0)).all())


def _top(ob: bpy.types.Object) -> bpy.types.Object:
    while ob.parent is not None:
        ob = ob.parent
    return ob


def _part(
    other: bpy.types.Object,
    ob: bpy.types.Object,
    landmarks: Mapping[str, tuple[float, float, float]],
    related: bool,
) -> Part:
    said = of_object(other).part
    if said != "AUTO":
        return Part(other, said.lower(), "user")
    if as_seen.follows(other):
        return Part(other, NONE, "modifier")
    named = role_by_name(other.name) or role_by_name(mesh_of(other).name)
    if named is None:
        roles = {
            role_by_name(slot.material.name)
            for slot in other.material_slots
            if slot.material is not None
        }
        named = roles.pop() if len(roles) == 1 else None
    if named is not None and related:
        return Part(other, named, "name")
    placed = _by_place(other, ob, landmarks) if landmarks else None
    if named is not None and placed:
        return Part(other, named, "name")
    return Part(other, placed or NONE, "place" if placed else "")


def _by_place(
    other: bpy.types.Object,
    ob: bpy.types.Object,
    landmarks: Mapping[str, tuple[float, float, float]],
) -> str | None:
    """`face` for what lies there, None for what is no part of it: which part it is, eyeball or
    lash, the child tells by its form.
    """
    names = {
        f"{name}_{side}"
        for side in ("left", "right")
        for name in ("eye_inner", "eye_outer", "brow_inner", "brow_outer")
    }
    if not {*names, "chin"} <= landmarks.keys():
        return None
    space, axes = mesh_io.space_between(other, ob), as_seen.shown_axes(ob)
    if space is None:
        return None
    points = (
        as_seen.with_keys(other)[0].astype(np.float64) @ space[:3, :3].T + space[:3, 3]
    ) @ axes.T
    if not np.isfinite(points).all():
        return None
    at = {name: axes @ np.array(point, np.float64) for name, point in landmarks.items()}
    eyes = [(at[f"eye_inner_{side}"] + at[f"eye_outer_{side}"]) / 2 for side in ("left", "right")]
    unit = float(np.linalg.norm(eyes[0] - eyes[1]))
    middle = (sum(eyes) / 2 + at["chin"]) / 2
    near = float((np.linalg.norm(points - middle, axis=1) < REACH * unit).mean())
    return "face" if near > MOST and _low(points, at) else None


def _low(points: NDArray[np.float64], at: Mapping[str, NDArray[np.float64]]) -> bool:
    """Whether most of it lies no higher than brows may: what does not is hair."""
    eyes = (at["eye_inner_left"] + at["eye_inner_right"]) / 2
    up = (eyes - at["chin"]) / max(float(np.linalg.norm(eyes - at["chin"])), 1e-12)
    room = BROW * float(np.linalg.norm(at["eye_outer_left"] - at["eye_outer_right"]))
    top = room + max(
        float((at[name] - at["chin"]) @ up)
        for name in ("brow_inner_left", "brow_inner_right", "brow_outer_left")
    )
    return float(((points - at["chin"]) @ up < top).mean()) > MOST
