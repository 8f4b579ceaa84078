# SPDX-License-Identifier: GPL-3.0-or-later
"""Eye bones for an avatar that has none, with the eyeballs' weights: VRChat turns eyes by bones.

Eyeballs are found by the generated looks: loose parts that turn far when an eye looks inwards. Lids
and lashes, which only follow, do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import armature_of, keys_of, mesh_of
from .as_seen import offset_of
from .head_bones import roles
from .mesh_arrays import base_coordinates
from .mesh_io import find_armature
from .modes import object_mode
from .naming import folded

NAMES = {"left_eye": "LeftEye", "right_eye": "RightEye"}  # as Unity's humanoid calls them
FAR = 0.5  # of the farthest way that a look moves anything, which a part of an eye goes
SHARE = 0.3  # of its vertices that a part of an eye moves: of some eyes only the front turns
_ON_BALL = 0.1  # of a part's half width: how far half its vertices may be from the ball they are of
_ASIDE = 0.3  # of it: how far a ball's centre is from the box's middle where the back is missing

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class _Ball:
    """The part of an object that is an eye: its vertices, int64 (f,), and their places in the
    world, float64 (f,3).
    """

    ob: bpy.types.Object
    rows: Ints
    places: Doubles


def add_eye_bones(objects: Sequence[bpy.types.Object]) -> list[str]:
    """Add the eye bones that are missing, below the head's, and hang the eyeballs on them. Returns
    the bones' names. Object mode; an undo of the caller takes it back.

    objects: the face, and what else may hold its eyes. Raises AddonError: `usage`, `linked_data`,
    before anything is changed.
    """
    face = objects[0]
    armature = find_armature(face)
    if armature is None:
        raise AddonError(
            "usage", f"{face.name!r} hangs on no armature.", "Give the avatar its bones first."
        )
    if armature.library is not None or not armature_of(armature).is_editable:
        raise AddonError(
            "linked_data",
            f"The armature {armature.name!r} is linked from another file.",
            "Make it local, or add the bones in the file that it is from.",
        )
    there = roles([bone.name for bone in armature_of(armature).bones], {})
    if "head" not in there:
        raise AddonError(
            "usage",
            f"No bone of {armature.name!r} was recognised as the head.",
            "Call it Head, and try again.",
        )
    balls = {
        role: list(_balls(objects, role.removesuffix("_eye")))
        for role in NAMES
        if role not in there
    }
    _check(face, armature, balls)
    with _editing(armature):
        for role, found in balls.items():
            _add_bone(
                armature, there["head"], NAMES[role], np.concatenate([b.places for b in found])
            )
    for role, found in balls.items():
        for ball in found:
            _hang(ball, armature, NAMES[role])
    return [NAMES[role] for role in balls]


def _check(
    face: bpy.types.Object, armature: bpy.types.Object, balls: dict[str, list[_Ball]]
) -> None:
    """Raises AddonError unless each eye that is to get a bone was found, and can hang on it."""
    if not balls:
        raise AddonError("usage", "There are eye bones already.", "Nothing is to be added.")
    if not all(balls.values()):
        raise AddonError(
            "usage",
            f"No eyeball of {face.name!r} was found that turns with a look.",
            "Generate the ARKit set first; eyes that are drawn on the skin need no bones.",
        )
    sides = [ball.ob for found in balls.values() for ball in {b.ob: b for b in found}.values()]
    for ob in sides:
        if find_armature(ob) != armature or (ob.parent_type == "BONE" and sides.count(ob) > 1):
            raise AddonError(
                "usage",
                f"The eyes {ob.name!r} cannot hang on bones of {armature.name!r}.",
                "Give them an Armature modifier, or separate left and right.",
            )


def _balls(objects: Sequence[bpy.types.Object], side: str) -> Iterator[_Ball]:
    """The parts of an eye. side: left or right."""
    moved = {ob: way for ob in objects if (way := _way(ob, f"eyelookin{side}")) is not None}
    farthest = max((way.max(initial=0.0) for way in moved.values()), default=0.0)
    for ob, way in moved.items():
        labels = _parts(mesh_of(ob))
        count = np.bincount(labels)
        share = np.bincount(labels, way > 0.01 * farthest) / np.maximum(count, 1)
        most = np.zeros(len(count))
        np.maximum.at(most, labels, way)
        chosen = (most >= FAR * farthest) & (share >= SHARE) & (farthest > 0)
        rows = np.flatnonzero(chosen[labels])
        if len(rows):
            world = np.array(ob.matrix_world)
            places = base_coordinates(ob)[rows] @ world[:3, :3].T + world[:3, 3]
            yield _Ball(ob, rows, places.astype(np.float64))


def _way(ob: bpy.types.Object, name: str) -> Doubles | None:
    """How far a key moves each vertex in the world, float64 (V,); None without that key."""
    if mesh_of(ob).shape_keys is None:
        return None
    block = next((each for each in keys_of(ob).key_blocks if folded(each.name) == name), None)
    if block is None:
        return None
    turn = np.array(ob.matrix_world)[:3, :3]
    length: Doubles = np.linalg.norm(offset_of(ob, block, base_coordinates(ob)) @ turn.T, axis=1)
    return length


def _parts(mesh: bpy.types.Mesh) -> Ints:
    """The number of each vertex's loose part, int64 (V,): that of its first vertex."""
    edges = np.empty((len(mesh.edges), 2), np.int32)
    mesh.edges.foreach_get("vertices", edges.reshape(-1))
    labels: Ints = np.arange(len(mesh.vertices))
    while True:
        least = labels[edges].min(axis=1, initial=len(labels))
        before = labels.copy()
        for end in edges.T:
            np.minimum.at(labels, end, least)
        labels = labels[labels]
        if np.array_equal(labels, before):
            return labels


def _centre(places: Doubles) -> tuple[Doubles, float]:
    """The centre of an eye and half its width: the middle of its box, unless its vertices lie on a
    part of a ball whose centre is far from there.
    """
    low, high = places.min(axis=0), places.max(axis=0)
    middle, half = (low + high) / 2, float((high - low).max()) / 2
    solved = np.linalg.lstsq(
        np.column_stack([2 * places, np.ones(len(places))]), (places**2).sum(axis=1), rcond=None
    )[0]
    centre: Doubles = solved[:3]
    radius = float(np.sqrt(max(solved[3] + centre @ centre, 0.0)))
    off = np.median(np.abs(np.linalg.norm(places - centre, axis=1) - radius))
    is_ball = 0.5 * half <= radius <= 2 * half and off <= _ON_BALL * half
    far = np.linalg.norm(centre - middle) > _ASIDE * half
    return (centre if is_ball and far else middle), half


def _add_bone(armature: bpy.types.Object, head: str, name: str, places: Doubles) -> None:
    """A bone that stands upright in the eye's centre. Edit mode."""
    centre, half = _centre(places)
    back = armature.matrix_world.inverted_safe()
    bones = armature_of(armature).edit_bones
    bone = bones.new(name)
    bone.head = back @ Vector(centre.tolist())
    bone.tail = back @ Vector((centre + [0.0, 0.0, half]).tolist())
    bone.parent, bone.use_connect, bone.use_deform = bones[head], False, True


def _hang(ball: _Ball, armature: bpy.types.Object, name: str) -> None:
    """Give an eye's vertices to a bone, and take them from all others."""
    ob, rows = ball.ob, ball.rows.tolist()
    if ob.parent_type == "BONE" and ob.parent == armature:
        place = ob.matrix_world.copy()
        ob.parent_bone = name
        bpy.context.view_layer.update()
        ob.matrix_world = place
        return
    bones = armature_of(armature).bones
    for group in ob.vertex_groups:
        if group.name in bones:
            group.remove(rows)
    group = ob.vertex_groups.get(name) or ob.vertex_groups.new(name=name)
    group.add(rows, 1.0, "REPLACE")


@contextmanager
def _editing(armature: bpy.types.Object) -> Iterator[None]:
    """The armature in edit mode for the time inside; active object, selection and what is hidden
    as before afterwards.
    """
    layer = bpy.context.view_layer
    active, hidden, eye = layer.objects.active, armature.hide_viewport, armature.hide_get()
    selected = [ob for ob in layer.objects if ob.select_get()]
    with object_mode(armature):
        try:
            armature.hide_viewport = False
            armature.hide_set(False)
            for ob in selected:
                ob.select_set(False)
            layer.objects.active = armature
            bpy.ops.object.mode_set(mode="EDIT")
            yield
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")
            layer.objects.active = active
            for ob in selected:
                ob.select_set(True)
            armature.hide_viewport = hidden
            armature.hide_set(eye)
