# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaving edit, sculpt and paint modes of several objects for a while, and going back to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy

from .typed import Mode


@contextmanager
def object_mode(*objects: bpy.types.Object) -> Iterator[None]:
    """All the objects in object mode for the time inside; then modes, selection and active object are as before, of what is still there."""
    others = [(ob, ob.mode) for ob in dict.fromkeys(objects) if ob.mode != "OBJECT"]
    if not others:
        yield
        return
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, [ob for ob in layer.objects if ob.select_get()]
    editing = [ob for ob in layer.objects if ob.mode == "EDIT"]  # they leave and enter it together
    for ob, _mode in others:
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
