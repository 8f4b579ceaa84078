# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaving edit, sculpt and paint modes of several objects for a while, and going back to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy

from ..errors import AddonError
from ..typed import Mode

MODES = {
    "EDIT": "Edit Mode",
    "SCULPT": "Sculpt Mode",
    "WEIGHT_PAINT": "Weight Paint",
    "VERTEX_PAINT": "Vertex Paint",
    "TEXTURE_PAINT": "Texture Paint",
}


@contextmanager
def object_mode(*objects: bpy.types.Object) -> Iterator[None]:
    """All the objects in object mode for the time inside; then modes, selection, active object and
    what is hidden are as before, of what is still there. Raises AddonError `hidden_object` for one
    that cannot leave its mode.
    """
    others = [(ob, ob.mode) for ob in dict.fromkeys(objects) if ob.mode != "OBJECT"]
    if not others:
        yield
        return
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, [ob for ob in layer.objects if ob.select_get()]
    hidden = [(ob, ob.hide_get(), ob.hide_viewport) for ob, _mode in others if not ob.visible_get()]
    for ob, _eye, _monitor in hidden:  # Blender changes no mode of what is hidden
        ob.hide_viewport = False
        ob.hide_set(False)
    editing = [ob for ob in layer.objects if ob.mode == "EDIT"]  # they leave and enter it together
    for ob, mode in others:
        if not ob.visible_get():
            raise AddonError(
                "hidden_object",
                f"{ob.name} is hidden while it is in {MODES.get(mode, mode)}.",
                "Show its collection and try again.",
            )
        if ob.mode != "OBJECT":
            _set(ob, "OBJECT")
    try:
        yield
    finally:
        others = [(ob, mode) for ob, mode in others if _is_there(ob)]
        if any(mode == "EDIT" for _ob, mode in others):
            editing = [ob for ob in editing if _is_there(ob)]
            _select(editing)
            _set(editing[0], "EDIT")
        for ob, mode in others:
            if mode != "EDIT":
                _set(ob, mode)
        for ob, eye, monitor in hidden:
            if _is_there(ob):
                ob.hide_set(eye)
                ob.hide_viewport = monitor
        _select(ob for ob in selected if _is_there(ob))
        layer.objects.active = active if active is None or _is_there(active) else None


def _is_there(ob: bpy.types.Object) -> bool:
    """Whether an object was not removed or joined into another."""
    try:
        return bool(ob.name)
    except ReferenceError:
        return False


def _set(ob: bpy.types.Object, mode: Mode) -> None:
    bpy.context.view_layer.objects.active = ob
    bpy.ops.object.mode_set(mode=mode)


def _select(objects: Iterable[bpy.types.Object]) -> None:
    wanted = list(objects)
    for ob in list(bpy.context.view_layer.objects):
        ob.select_set(ob in wanted)
