# SPDX-License-Identifier: GPL-3.0-or-later
"""A face whose keys follow values for a while: held on its object and its parts, put back after."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from ..blender_io.avatar_objects import find
from ..errors import AddonError
from ..typed import mesh_of
from . import held


class Driven:
    """The keys of a face and its parts. keys: their names, those of the face first."""

    def __init__(self, ob: bpy.types.Object) -> None:
        """Raises AddonError `usage` where the face has no keys that may be set."""
        objects: dict[str, bpy.types.Object] = {}
        for each in held.face_objects(ob):
            key = mesh_of(each).shape_keys
            if key is not None and key.library is None and mesh_of(each).is_editable:
                objects.setdefault(key.name_full, each)
        if mesh_of(ob).shape_keys is None or ob not in objects.values():
            raise AddonError(
                "usage", f"{ob.name!r} has no shape keys to move.", "Generate shape keys first."
            )
        self.name = ob.name
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
            held.set_values(ob, values)
        return True

    def rest(self) -> None:
        """Put the keys back; `show` holds them again."""
        self._held.clear()
        held.put_back()

    def objects(self) -> list[bpy.types.Object]:
        """Those that are still there, the face first."""
        return [ob for identity in self._objects if (ob := find(identity)) is not None]
