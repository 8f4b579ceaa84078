# SPDX-License-Identifier: GPL-3.0-or-later
"""All objects that an avatar consists of: what a file of it must hold, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import bpy

from .landmark_store import found_landmarks
from .mesh_io import find_armature
from .parts import avatar_meshes


def avatar_objects(face: bpy.types.Object) -> list[bpy.types.Object]:
    """The face, all meshes of the avatar, their armatures, and what they hang on."""
    found: dict[bpy.types.Object, None] = {}
    todo = [face, *avatar_meshes(face, found_landmarks(face))]
    while todo:
        ob = todo.pop()
        if ob in found:
            continue
        found[ob] = None
        armature = find_armature(ob) if ob.type == "MESH" else None
        todo += [other for other in (ob.parent, armature) if other is not None]
    return list(found)


@contextlib.contextmanager
def selected(objects: Sequence[bpy.types.Object]) -> Iterator[None]:
    """These objects selected and no others for the time inside, as far as they can be."""
    layer = bpy.context.view_layer
    before, active = [ob for ob in layer.objects if ob.select_get()], layer.objects.active
    try:
        _select(objects)
        yield
    finally:
        _select(before)
        layer.objects.active = active


def _select(objects: Sequence[bpy.types.Object]) -> None:
    for ob in list(bpy.context.view_layer.objects):
        if ob.select_get() != (ob in objects):
            ob.select_set(ob in objects)


def find(identity: int) -> bpy.types.Object | None:
    """The object of that session identity as it is now; None if it is gone."""
    return next((ob for ob in bpy.data.objects if ob.session_uid == identity), None)
