# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing one key at full value on the face for a look, and putting values back exactly as they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import bpy

from .typed import Returned, keys_of, mesh_of, of_window

if TYPE_CHECKING:
    from .properties import BlendShapesWindow

COMPANIONS = {"mouthClose": "jawOpen", "MouthClosed": "JawOpen", "MouthClose": "JawOpen"}  # which acts on an open jaw only


@dataclass
class _Shown:
    """values: (object's session identity, key) -> value before."""

    name: str = ""
    values: dict[tuple[int, str], float] = field(default_factory=dict)


_shown = _Shown()


def shown() -> str:
    """The name of the key that is shown, or ``."""
    return _shown.name


def start(ob: bpy.types.Object, name: str) -> None:
    """Show the key on every object of the scene on which the face's object and its parts have it; what was shown before rests again."""
    stop()
    _shown.name = name
    armature = _root(ob)
    for other in bpy.context.scene.objects:
        if other.type != "MESH" or mesh_of(other).shape_keys is None or (other != ob and _root(other) != armature):
            continue
        for key_name in (name, COMPANIONS.get(name, "")):
            block = keys_of(other).key_blocks.get(key_name)
            if block is not None and block != keys_of(other).reference_key:
                _shown.values[(int(other.session_uid), key_name)] = block.value
                block.value = 1.0


def stop() -> None:
    """Put all values back."""
    objects = {int(ob.session_uid): ob for ob in bpy.data.objects}
    for (identity, name), value in _shown.values.items():
        ob = objects.get(identity)
        key = mesh_of(ob).shape_keys if ob is not None and ob.type == "MESH" else None
        if key is not None and name in key.key_blocks:
            key.key_blocks[name].value = value
    _shown.name = ""
    _shown.values.clear()


def forget() -> None:
    """The objects are gone: another file is opened."""
    _shown.name = ""
    _shown.values.clear()


def show(window: BlendShapesWindow, context: bpy.types.Context) -> None:
    """A row of the results was clicked: show its key, or end the show when it is the one that is shown."""
    ob = context.object
    if ob is None or ob.type != "MESH" or not 0 <= window.result < len(window.results):
        stop()
        return
    name = window.results[window.result].name
    stop() if name == _shown.name else start(ob, name)


def _root(ob: bpy.types.Object) -> bpy.types.Object:
    for modifier in ob.modifiers:
        if isinstance(modifier, bpy.types.ArmatureModifier) and modifier.object is not None:
            ob = modifier.object
            break
    while ob.parent is not None:
        ob = ob.parent
    return ob


class BLENDSHAPES_OT_stop_preview(bpy.types.Operator):
    """Put the values of all keys back as they were before the preview"""

    bl_idname = "blendshapes.stop_preview"
    bl_label = "Stop Preview"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a preview."""
        return bool(_shown.values)

    def execute(self, context: bpy.types.Context) -> Returned:
        """Stop."""
        stop()
        of_window(context)["result"] = -1
        return {"FINISHED"}
