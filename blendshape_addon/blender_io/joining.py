# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining parts of an avatar into its face's object, so that they look and move as before and their
keys are in one mesh.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..translations import tr
from ..typed import armature_of, keys_of, mesh_of
from .as_seen import at_rest
from .key_export import bake, driven
from .mesh_io import check_editable, find_armature
from .modes import object_mode


def join(face: bpy.types.Object, parts: Sequence[bpy.types.Object]) -> tuple[list[str], list[str]]:
    """Join the parts into the face's object. Names of those that were joined; sentences about each
    that was left and what is not as before.

    Raises AddonError `linked_data`.
    """
    check_editable(face)
    told, ready = [], []
    for part in parts:
        reason = _obstacle(part, face)
        if reason:
            told.append(tr("{name} was left: {reason}").format(name=part.name, reason=reason))
        else:
            ready.append(part)
    if not ready:
        return [], told
    names = [part.name for part in ready]
    told += [
        tr("{name}'s drivers of keys are gone: the face's own keys are driven as before").format(
            name=part.name
        )
        for part in ready
        if driven(part)
    ]
    with object_mode(face, *ready), at_rest():
        children = [
            (child, child.matrix_world.copy())
            for part in ready
            for child in part.children
            if child not in ready
        ]
        for part in ready:
            _prepare(part, face)
        _join(face, ready)
        for child, place in children:
            child.parent, child.parent_type = face, "OBJECT"
            child.matrix_world = place
    return names, told


def _obstacle(part: bpy.types.Object, face: bpy.types.Object) -> str:
    """Why an object cannot be joined, or ``."""
    if not mesh_of(part).is_editable or mesh_of(part).override_library is not None:
        return tr("its mesh is linked from another file")
    modifiers = [
        modifier.name
        for modifier in part.modifiers
        if modifier.type != "ARMATURE" and modifier.show_viewport
    ]
    if modifiers:
        return tr(
            "it has the modifier {name}, which would act on the whole face or be lost; apply it"
            " first"
        ).format(name=repr(modifiers[0]))
    armature = find_armature(part)
    if armature is not None and armature != find_armature(face):
        return tr("it hangs on another armature, {name}").format(name=repr(armature.name))
    key = mesh_of(part).shape_keys
    if key is not None and not key.use_relative:
        return tr("its shape keys are absolute")
    return ""


def _prepare(part: bpy.types.Object, face: bpy.types.Object) -> None:
    """Make the part's own mesh such that joining loses nothing: keys from one basis of the face's
    name, weights for the bone that it hangs on, and UVs of the face's name.
    """
    if mesh_of(part).users > 1:
        part.data = mesh_of(part).copy()
    bake(part)
    if mesh_of(part).shape_keys is not None and mesh_of(face).shape_keys is not None:
        basis = keys_of(face).reference_key.name
        other = keys_of(part).key_blocks.get(basis)
        if other is not None and other != keys_of(part).reference_key:
            other.name = f"{basis} of {part.name}"
        keys_of(part).reference_key.name = basis
    armature = find_armature(face)
    on_bone = (
        part.parent_type == "BONE"
        and part.parent is not None
        and part.parent == armature
        and part.parent_bone in armature_of(armature).bones
    )
    if on_bone and not any(modifier.type == "ARMATURE" for modifier in part.modifiers):
        group = part.vertex_groups.get(part.parent_bone) or part.vertex_groups.new(
            name=part.parent_bone
        )
        group.add(list(range(len(mesh_of(part).vertices))), 1.0, "REPLACE")
    if (face.matrix_world.determinant() < 0) != (part.matrix_world.determinant() < 0):
        mesh_of(part).flip_normals()  # mirrored against the face, its sides would be exchanged
    own, layers = mesh_of(part).uv_layers, mesh_of(face).uv_layers
    used: Any = next((layer for layer in own if layer.active_render), None)
    wanted: Any = next((layer for layer in layers if layer.active_render), None)
    if (
        used is not None
        and wanted is not None
        and used.name != wanted.name
        and wanted.name not in own
    ):
        used.name = wanted.name


def _join(face: bpy.types.Object, parts: Sequence[bpy.types.Object]) -> None:
    """Blender's own joining, with the values, the active key and the selection as they were."""
    active = face.active_shape_key_index
    before = (
        set()
        if mesh_of(face).shape_keys is None
        else {block.name for block in keys_of(face).key_blocks}
    )
    with bpy.context.temp_override(
        active_object=face,
        object=face,
        selected_objects=[face, *parts],
        selected_editable_objects=[face, *parts],
    ):
        bpy.ops.object.join()
    if mesh_of(face).shape_keys is not None:
        for block in keys_of(face).key_blocks:
            if block.name not in before and block != keys_of(face).reference_key:
                block.value, block.slider_min, block.slider_max = 0.0, 0.0, 1.0
                block.relative_key = keys_of(face).reference_key
        face.active_shape_key_index = active or 0
