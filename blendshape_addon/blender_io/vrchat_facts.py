# SPDX-License-Identifier: GPL-3.0-or-later
"""What the VRChat check looks at, gathered from an avatar's objects."""

from __future__ import annotations

import bpy
import numpy as np

from ..typed import armature_of, keys_of, mesh_of
from . import head_bones, key_export
from .as_seen import offset_of, visible
from .landmark_store import found_landmarks
from .mesh_arrays import base_coordinates
from .mesh_io import find_armature
from .parts import avatar_meshes
from .standards import standards
from .vrchat_avatar import Avatar, Floats, Other, State


def facts(ob: bpy.types.Object) -> Avatar:
    """What the check looks at, of a mesh object in object mode and the avatar that it belongs
    to.
    """
    base = base_coordinates(ob)
    key = mesh_of(ob).shape_keys
    others = avatar_meshes(ob, found_landmarks(ob))
    seen = [other for other in (ob, *others) if visible(other)]
    exported = key_export.visible_meshes()
    armatures = list(
        dict.fromkeys(
            armature for other in exported if (armature := find_armature(other)) is not None
        )
    )
    armature = find_armature(ob)
    bones = (
        None
        if armature is None
        else frozenset(head_bones.roles([bone.name for bone in armature_of(armature).bones], {}))
    )
    pinned = (
        ob.active_shape_key.name
        if key is not None and ob.show_only_shape_key and ob.active_shape_key is not None
        else ""
    )
    return Avatar(
        name=ob.name,
        offsets=_offsets(ob),
        sets=standards(),
        bones=bones,
        objects=frozenset(other.name for other in bpy.data.objects if other != ob),
        triangles=_triangles(seen),
        extent=float((base.max(axis=0) - base.min(axis=0)).max()) if len(base) else 1.0,
        states=_states(ob),
        modifiers=_lost_modifiers(ob),
        others=tuple(_other(other, ob) for other in others),
        armatures=tuple(armature.name for armature in armatures),
        hidden=not visible(ob),
        absolute=key is not None and not key.use_relative,
        pinned=pinned,
    )


def _offsets(ob: bpy.types.Object) -> dict[str, Floats]:
    """float32 (V,3) of each key but the reference: what it adds at 1, as far as its vertex group
    lets it.
    """
    if mesh_of(ob).shape_keys is None:
        return {}
    base, key = base_coordinates(ob), keys_of(ob)
    return {
        block.name: offset_of(ob, block, base).astype(np.float32)
        for block in key.key_blocks
        if block != key.reference_key
    }


def _states(ob: bpy.types.Object) -> dict[str, State]:
    if mesh_of(ob).shape_keys is None:
        return {}
    key, driven = keys_of(ob), key_export.set_by_curves(ob)
    return {
        block.name: State(
            value=block.value,
            muted=block.mute,
            locked=getattr(block, "lock_shape", False),
            group=block.vertex_group if key_export.is_masked(ob, block) else "",
            relative=block.relative_key.name if key_export.is_relative(key, block) else "",
            low=block.slider_min,
            high=block.slider_max,
            driven=block.name in driven,
        )
        for block in key.key_blocks
        if block != key.reference_key
    }


def _other(other: bpy.types.Object, ob: bpy.types.Object) -> Other:
    same_mesh = mesh_of(other) == mesh_of(ob)
    keys = (
        {}
        if same_mesh
        else {name: bool(offsets.any()) for name, offsets in _offsets(other).items()}
    )
    values = tuple(
        name for name, state in _states(other).items() if state.value and not state.muted
    )
    return Other(
        other.name,
        keys,
        hidden=not visible(other),
        values=values,
        modifiers=_lost_modifiers(other),
        same_mesh=same_mesh,
    )


def _lost_modifiers(ob: bpy.types.Object) -> tuple[str, ...]:
    shown = [
        modifier for modifier in ob.modifiers if modifier.show_viewport or modifier.show_render
    ]
    return tuple(modifier.name for modifier in shown if modifier.type not in key_export.EXPORTED)


def _triangles(meshes: list[bpy.types.Object]) -> int:
    """Of meshes as they are seen, modifiers included."""
    graph = bpy.context.evaluated_depsgraph_get()
    count = 0
    for other in meshes:
        evaluated = other.evaluated_get(graph)
        mesh = evaluated.to_mesh()
        mesh.calc_loop_triangles()
        count += len(mesh.loop_triangles)
        evaluated.to_mesh_clear()
    return count
