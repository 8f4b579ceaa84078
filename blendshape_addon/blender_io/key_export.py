# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape keys as a file can hold them: whole offsets from one basis. What files cannot hold is baked
for the export, or for good, and what is lost is told.

Exporters leave out muted keys and absolute ones, ignore vertex groups, and take a key that is
relative to another for one that is relative to the basis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import keys_of, mesh_of
from .as_seen import offset_of, visible
from .mesh_arrays import base_coordinates

Floats = NDArray[np.float32]

EXPORTED = frozenset({"ARMATURE"})  # modifiers that arrive in a file beside shape keys: as a skin
_SHOWN = 4  # names in a sentence


@dataclass
class _Before:
    """An object's keys as they were. points: of those that are baked; states: mute, value, vertex
    group, relative key of all that are changed; curves: what set muted keys, and is held back.
    """

    ob: bpy.types.Object
    relative: bool
    points: dict[str, Floats] = field(default_factory=dict)
    states: dict[str, tuple[bool, float, str, str]] = field(default_factory=dict)
    curves: list[Any] = field(default_factory=list)


def visible_meshes() -> list[bpy.types.Object]:
    """The mesh objects that an export writes."""
    bpy.context.view_layer.update()
    return [ob for ob in bpy.context.scene.objects if ob.type == "MESH" and visible(ob)]


def to_be_baked(ob: bpy.types.Object) -> list[str]:
    """Names of the keys that a vertex group masks or that are relative to another key than the
    basis.
    """
    key = mesh_of(ob).shape_keys
    if key is None:
        return []
    return [
        block.name
        for block in key.key_blocks
        if block != key.reference_key and (is_masked(ob, block) or is_relative(key, block))
    ]


def is_masked(ob: bpy.types.Object, block: bpy.types.ShapeKey) -> bool:
    """Whether a vertex group says where the key acts; a group that is not there masks nothing."""
    return bool(block.vertex_group) and block.vertex_group in ob.vertex_groups


def is_relative(key: bpy.types.Key, block: bpy.types.ShapeKey) -> bool:
    """Whether the key is relative to another than the basis, or to itself, so that it shows
    nothing.
    """
    return block.relative_key != key.reference_key


def bake(ob: bpy.types.Object) -> list[str]:
    """Write the offsets that are seen into the keys that a vertex group masks or that are relative
    to another; their names. Object mode.

    The face looks the same with any values. A key that is relative to itself shows nothing, and
    what it holds at 1 from then on; it gets 0.
    """
    names = to_be_baked(ob)
    if not names:
        return []
    key, base = keys_of(ob), base_coordinates(ob)
    themselves = [
        name for name in names if key.key_blocks[name].relative_key == key.key_blocks[name]
    ]
    for name in themselves:
        key.key_blocks[name].value, key.key_blocks[name].relative_key = 0.0, key.reference_key
    baked = {
        name: base + offset_of(ob, key.key_blocks[name], base) for name in names
    }  # all of them first: they refer to each other
    for name, points in baked.items():
        block = key.key_blocks[name]
        block.points.foreach_set("co", np.ascontiguousarray(points, np.float32).reshape(-1))
        block.vertex_group, block.relative_key = "", key.reference_key
    mesh_of(ob).update()
    return names


@contextmanager
def as_files_hold_them() -> Iterator[None]:
    """For the time inside, keys of the meshes that are seen are such that exporters write what is
    seen: muted ones at 0, masks and relations baked, none absolute. Afterwards, also after a
    failure, all is exactly as before. Object mode.
    """
    before: list[_Before] = []
    done: set[str] = set()
    try:
        for ob in visible_meshes():
            key = mesh_of(ob).shape_keys
            if key is not None and key.name_full not in done and mesh_of(ob).is_editable:
                done.add(key.name_full)
                before.append(_Before(ob, key.use_relative))
                _prepare(before[-1])
        yield
    finally:
        for was in before:
            _put_back(was)


def _prepare(before: _Before) -> None:
    ob, key = before.ob, keys_of(before.ob)
    baked = to_be_baked(ob)
    for block in key.key_blocks:
        if block != key.reference_key and (block.mute or block.name in baked):
            before.states[block.name] = (
                block.mute,
                block.value,
                block.vertex_group,
                block.relative_key.name,
            )
        if block.name in baked:
            before.points[block.name] = np.empty((len(block.points), 3), np.float32)
            block.points.foreach_get("co", before.points[block.name].reshape(-1))
    if not key.use_relative:
        key.use_relative = True
    bake(ob)
    for name, (muted, *_) in before.states.items():
        if muted:
            block = key.key_blocks[name]
            for _driver, curve in curves_of(key, block):
                if not curve.mute:
                    before.curves.append(curve)
                    curve.mute = True
            block.mute, block.value = False, 0.0


def _put_back(before: _Before) -> None:
    key = keys_of(before.ob)
    for name, points in before.points.items():
        key.key_blocks[name].points.foreach_set("co", points.reshape(-1))
    for name, (muted, value, group, relative) in before.states.items():
        block = key.key_blocks[name]
        block.mute, block.value, block.vertex_group, block.relative_key = (
            muted,
            value,
            group,
            key.key_blocks[relative],
        )
    if key.use_relative != before.relative:
        key.use_relative = before.relative
    for curve in before.curves:
        curve.mute = False
    if before.points:
        mesh_of(before.ob).update()


def lost(meshes: Iterable[bpy.types.Object] | None = None) -> list[str]:
    """What a file of the meshes that are seen will not have, in sentences."""
    seen = list(visible_meshes() if meshes is None else meshes)
    told = []
    modifiers = [
        f"{modifier.name!r} of {ob.name!r}"
        for ob in seen
        for modifier in ob.modifiers
        if modifier.show_viewport and modifier.type not in EXPORTED
    ]
    if modifiers:
        told.append(
            f"Modifiers are not exported, since with them shape keys are lost: {some(modifiers)}."
        )
    with_drivers = [ob.name for ob in seen if driven(ob)]
    if with_drivers:
        told.append(f"Drivers of shape keys are not exported: those of {some(with_drivers)}.")
    pinned = [
        ob.name for ob in seen if ob.show_only_shape_key and mesh_of(ob).shape_keys is not None
    ]
    if pinned:
        told.append(
            f"The file has the values of all keys, not the pinned key alone: {some(pinned)}."
        )
    linked = [
        ob.name for ob in seen if not mesh_of(ob).is_editable and (to_be_baked(ob) or _muted(ob))
    ]
    if linked:
        told.append(
            "Meshes of other files are exported without their muted keys and without masks:"
            f" {some(linked)}."
        )
    hidden = [
        ob.name
        for ob in bpy.context.scene.objects
        if ob.type == "MESH" and mesh_of(ob).shape_keys is not None and not visible(ob)
    ]
    if hidden:
        told.append(f"Hidden, so not exported: {some(hidden)}.")
    return told


def exported(meshes: Iterable[bpy.types.Object]) -> str:
    """What is in a file of these meshes."""
    counts = [
        (ob.name, len(keys_of(ob).key_blocks) - 1)
        for ob in meshes
        if mesh_of(ob).shape_keys is not None
    ]
    return ", ".join(f"{name} with {count} shape keys" for name, count in counts[:_SHOWN]) + (
        f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    )


def driven(ob: bpy.types.Object) -> list[str]:
    """Names of the keys whose values a driver sets."""
    key = mesh_of(ob).shape_keys
    if key is None or key.animation_data is None:
        return []
    paths = {curve.data_path for curve in key.animation_data.drivers}
    return [block.name for block in key.key_blocks if block.path_from_id("value") in paths]


def set_by_curves(ob: bpy.types.Object) -> set[str]:
    """Names of the keys whose values a driver or the action sets."""
    key = mesh_of(ob).shape_keys
    if key is None or key.animation_data is None:
        return set()
    paths = {
        curve.data_path
        for curves in (key.animation_data.drivers, *curves_of_action(key.animation_data))
        for curve in curves
    }
    return {block.name for block in key.key_blocks if block.path_from_id("value") in paths}


def curves_of(key: bpy.types.Key, block: bpy.types.ShapeKey) -> Iterator[tuple[bool, Any]]:
    """Whether it is a driver, and the curve, of all that set the key's value or mute it."""
    animation = key.animation_data
    if animation is None:
        return
    paths = {block.path_from_id(name) for name in ("value", "mute", "slider_min", "slider_max")}
    for curve in animation.drivers:
        if curve.data_path in paths:
            yield True, curve
    action: Any = animation.action
    if action is None or not action.is_editable:
        return
    for curves in curves_of_action(animation):
        for curve in curves:
            if curve.data_path in paths:
                yield False, curve


def curves_of_action(animation: bpy.types.AnimData) -> Iterator[Any]:
    """Collections of the curves of an action, which from Blender 4.4 on lie in layers for the slots
    that use it.
    """
    action: Any = animation.action
    if action is None:
        return
    slot = getattr(animation, "action_slot", None)
    if not hasattr(action, "layers") or slot is None:
        yield getattr(action, "fcurves", ())
        return
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None:
                yield bag.fcurves


def _muted(ob: bpy.types.Object) -> list[str]:
    key = mesh_of(ob).shape_keys
    return (
        []
        if key is None
        else [block.name for block in key.key_blocks if block.mute and block != key.reference_key]
    )


def some(names: list[str]) -> str:
    """The first few of some names, and how many more there are."""
    return ", ".join(names[:_SHOWN]) + (
        f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    )
