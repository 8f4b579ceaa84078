# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones of head and eyes that are turned for a look, and put back exactly as they were.

How they were is kept with the armature's object for that time, so that an undo to that time, or a
file of a crash, is put back as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Matrix, Quaternion
from numpy.typing import NDArray

from ..typed import keys_of, mesh_of
from .key_export import curves_of_action
from .mesh_arrays import base_coordinates, group_weights
from .mesh_io import bones_of
from .naming import folded

KEPT = "blendshape_auto_generator_turned"  # custom property of the armature's object meanwhile
ROLES = ("head", "left_eye", "right_eye")
TURNS_EYE = 0.2  # of the farthest way of a look, which half an eyeball's vertices go: keys turn it
# Keys of an eye that looks to its nose, folded: of ARKit and Unified Expressions, SRanipal, VRM
_INWARDS = {
    "left": ("eyelookinleft", "eyeleftright", "lookright"),
    "right": ("eyelookinright", "eyerightleft", "lookleft"),
}
_ROTATIONS = ("rotation_quaternion", "rotation_euler", "rotation_axis_angle")

Doubles = NDArray[np.float64]


def free_bones(armature: bpy.types.Object, objects: Sequence[bpy.types.Object]) -> dict[str, str]:
    """Role -> name of the bones that may be turned: those that nothing else turns, and of the eyes
    those whose eyeballs no eyeLook key turns. objects: the face and its parts.
    """
    if armature.library is not None or armature.override_library is not None:
        return {}
    pose: Any = armature.pose
    found = {}
    for role, name in bones_of(armature).items():
        bone = pose.bones.get(name)
        if role not in ROLES or bone is None or _set_elsewhere(armature, bone):
            continue
        if role == "head" or not _keys_turn(objects, name, role.removesuffix("_eye")):
            found[role] = name
    return found


def turn(
    armature: bpy.types.Object, bones: Mapping[str, str], turns: Mapping[str, Quaternion]
) -> None:
    """Turn bones from how they were before. bones: role -> name. turns: role -> in the armature's
    space.
    """
    pose: Any = armature.pose
    before = _held(armature, bones.values())
    for role, way in turns.items():
        bone = pose.bones.get(bones.get(role, ""))
        if bone is None:
            continue
        rest = bone.bone.matrix_local.to_quaternion()
        wanted = rest.inverted() @ way @ rest @ before[bone.name]
        if bone.rotation_quaternion != wanted:
            bone.rotation_quaternion = wanted


def put_back() -> None:
    """Put the bones of all armatures back as their objects say that they were."""
    for ob in bpy.data.objects:
        if ob.library is None and ob.get(KEPT) is not None:
            text = ob.get(KEPT)
            del ob[KEPT]
            for name, mode, *rotations in _read(text):
                bone = ob.pose.bones.get(name) if ob.pose is not None else None
                if bone is not None:
                    bone.rotation_mode = mode
                    for rotation, numbers in zip(_ROTATIONS, rotations, strict=True):
                        setattr(bone, rotation, numbers)


def to_armature(armature: bpy.types.Object, axes: Doubles) -> Quaternion:
    """From the face's axes to the armature's space. axes: float64 (3,3), whose rows are the face's
    left, back and up in the world.
    """
    face = Matrix(axes.T.tolist()).to_quaternion()
    return armature.matrix_world.to_quaternion().inverted() @ face


def _held(armature: bpy.types.Object, names: Iterable[str]) -> dict[str, Quaternion]:
    """The bones' own rotations, from before they were turned; they are kept, and the bones ready to
    be turned, from now on.
    """
    pose: Any = armature.pose
    text = armature.get(KEPT)
    if text is None:
        kept = []
        for name in names:
            bone = pose.bones.get(name)
            if bone is not None:
                kept.append(
                    [name, bone.rotation_mode, *(list(getattr(bone, r)) for r in _ROTATIONS)]
                )
                bone.rotation_mode = "QUATERNION"
        text = armature[KEPT] = json.dumps(kept)
    return {name: _own(mode, *rotations) for name, mode, *rotations in _read(text)}


def _own(mode: str, quaternion: Any, euler: Any, axis_angle: Any) -> Quaternion:
    if mode == "QUATERNION":
        return Quaternion(quaternion)
    if mode == "AXIS_ANGLE":
        return Quaternion(axis_angle[1:], axis_angle[0])
    order: Any = mode
    return Euler(euler, order).to_quaternion()


def _read(text: Any) -> list[list[Any]]:
    """What is kept; a file may say anything, and that is left out."""
    try:
        rows = [row for row in json.loads(text) if _is_row(row)]
    except (TypeError, ValueError, RecursionError):
        return []
    return rows


def _is_row(row: Any) -> bool:
    modes = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
    return (
        isinstance(row, list)
        and len(row) == 2 + len(_ROTATIONS)
        and isinstance(row[0], str)
        and row[1] in modes
        and [len(numbers) for numbers in row[2:]] == [4, 3, 4]
        and all(isinstance(number, int | float) for numbers in row[2:] for number in numbers)
    )


def _set_elsewhere(armature: bpy.types.Object, bone: bpy.types.PoseBone) -> bool:
    """Whether an action, a driver or a constraint says how the bone is turned."""
    if any(not constraint.mute and constraint.influence for constraint in bone.constraints):
        return True
    animation = armature.animation_data
    if animation is None:
        return False
    start = f"{bone.path_from_id()}.rotation"
    curves = [*animation.drivers]
    for some in curves_of_action(animation):
        curves += some
    return any(curve.data_path.startswith(start) and not curve.mute for curve in curves)


def _keys_turn(objects: Sequence[bpy.types.Object], bone: str, side: str) -> bool:
    """Whether the side's eyeLook keys turn what hangs on an eye's bone."""
    way, farthest = [np.zeros(0)], 0.0
    for ob in objects:
        if mesh_of(ob).shape_keys is None:
            continue
        blocks = [key for key in keys_of(ob).key_blocks if folded(key.name) in _INWARDS[side]]
        if not blocks:
            continue
        points = np.empty((len(blocks), len(mesh_of(ob).vertices), 3), np.float32)
        for block, each in zip(blocks, points, strict=True):
            block.points.foreach_get("co", each.reshape(-1))
        length = np.linalg.norm(points - base_coordinates(ob), axis=2).max(axis=0)
        farthest = max(farthest, float(length.max(initial=0.0)))
        group = ob.vertex_groups.get(bone)
        if ob.parent_type == "BONE" and ob.parent_bone == bone:
            way.append(length)
        elif group is not None:
            way.append(length[group_weights(ob, {group.index}) > 0.5])
    lengths = np.concatenate(way)
    return bool(len(lengths) and farthest and np.median(lengths) > TURNS_EYE * farthest)
