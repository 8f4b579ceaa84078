# SPDX-License-Identifier: GPL-3.0-or-later
"""A face whose keys follow values for a while: held on its object and its parts, put back after. If
asked for, the bones of its head and eyes turn, too.
"""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Quaternion
from numpy.typing import NDArray

from ..blender_io import turned_bones
from ..blender_io.avatar_objects import find
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_io import find_armature
from ..errors import AddonError
from ..tracking.turns import Turn
from ..typed import mesh_of
from . import held
from .face_view import axes_of

# Of a key's movement: 0.03 mm of a jaw that opens by 3 cm. Trackers send a face at rest as noise in
# all keys, and each that is not 0 costs time
UNSEEN = 0.001


class Driven:
    """The keys of a face and its parts. keys: their names, those of the face first. turning: bones
    of head and eyes turn, too. bones: role -> name of those that do.
    """

    def __init__(self, ob: bpy.types.Object, turning: bool = False) -> None:
        """turning: bones turn, too. Raises AddonError `usage` where the face has no keys that may
        be set.
        """
        objects: dict[str, bpy.types.Object] = {}
        for each in held.face_objects(ob):
            key = mesh_of(each).shape_keys
            if key is not None and key.library is None and mesh_of(each).is_editable:
                objects.setdefault(key.name_full, each)
        if mesh_of(ob).shape_keys is None or ob not in objects.values():
            raise AddonError(
                "usage", f"{ob.name!r} has no shape keys to move.", "Generate shape keys first."
            )
        self.name, self.turning = ob.name, turning
        self.identity = int(ob.session_uid)
        self.keys = list(
            dict.fromkeys(
                block.name
                for each in objects.values()
                for block in mesh_of(each).shape_keys.key_blocks  # type: ignore[union-attr]  # these have some
                if held.block_of(each, block.name) is not None
            )
        )
        self._objects = [int(each.session_uid) for each in objects.values()]
        self._held: set[tuple[int, str]] = set()
        armature = find_armature(ob) if turning else None
        self._armature = 0 if armature is None else int(armature.session_uid)
        self.bones = (
            {} if armature is None else turned_bones.free_bones(armature, list(objects.values()))
        )
        self._to_armature = (
            Quaternion() if armature is None else turned_bones.to_armature(armature, _axes(ob))
        )

    def show(self, values: Mapping[str, float]) -> bool:
        """Set keys, which are held from now on. Returns whether the face is still there."""
        for identity in self._objects:
            ob = find(identity)
            if ob is None or ob.type != "MESH" or mesh_of(ob).shape_keys is None:
                if identity == self.identity:
                    return False
                continue
            new = [name for name in values if (identity, name) not in self._held]
            if new:
                held.hold(ob, new)
                self._held.update((identity, name) for name in new)
            held.set_values(ob, values, UNSEEN)
        return True

    def turn(self, turns: Mapping[str, Turn]) -> None:
        """Turn bones, which are held from now on. turns: role -> in the face's axes."""
        armature = find(self._armature) if self.bones and turns else None
        if armature is not None and armature.type == "ARMATURE":
            there, back = self._to_armature, self._to_armature.inverted()
            turned_bones.turn(
                armature,
                self.bones,
                {role: there @ Quaternion(way) @ back for role, way in turns.items()},
            )

    def rest(self) -> None:
        """Put the keys back; `show` holds them again."""
        self._held.clear()
        held.put_back()

    def objects(self) -> list[bpy.types.Object]:
        """Those that are still there, the face first."""
        return [ob for identity in self._objects if (ob := find(identity)) is not None]


def _axes(ob: bpy.types.Object) -> NDArray[np.float64]:
    """float64 (3,3): the face's left, back and up in the world, as the nearest of the world's axes,
    since a face leans more than its avatar does; Blender's front where they are not known.
    """
    world = np.array(ob.matrix_world)
    at = {
        name: world[:3, :3] @ np.array(place) + world[:3, 3]
        for name, place in found_landmarks(ob).items()
    }
    axes = axes_of(at)
    if axes is None:
        return np.eye(3)
    nearest = np.zeros((3, 3))
    for row in (0, 2):
        free = np.abs(axes[row]) * (np.abs(nearest).sum(axis=0) == 0)
        nearest[row, free.argmax()] = np.sign(axes[row, free.argmax()])
    nearest[1] = np.cross(nearest[2], nearest[0])
    return nearest
