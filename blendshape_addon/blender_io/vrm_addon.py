# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions in the data of the VRM add-on, which it keeps on the armature.

https://github.com/saturday06/VRM-Addon-for-Blender. Nothing of it is imported: where it is enabled,
armatures have `vrm_addon_extension`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import addon_utils
import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import keys_of, mesh_of
from ..vrm.expressions import CLIPS, NEW, OLD, OVERRIDES, Bound, Expression, titled
from ..vrm.patch import with_overrides
from .expression_plan import planned
from .mesh_arrays import base_coordinates
from .mesh_io import find_armature

Floats = NDArray[np.float32]

LOOKS = {"bones": ("Bone", "bone"), "keys": ("BlendShape", "expression")}  # of VRM 0.x and 1.0
_OLD = "0.0"
_PACKAGE = "io_scene_vrm"


def data_of(face: bpy.types.Object) -> Any:
    """What the VRM add-on keeps of the avatar; None without an armature, or without the add-on."""
    armature = find_armature(face)
    return None if armature is None else getattr(armature.data, "vrm_addon_extension", None)


def enabled() -> bool:
    """Whether the VRM add-on is there."""
    return hasattr(bpy.types.Armature, "vrm_addon_extension")


def enable_package() -> bool:
    """Enable the VRM add-on for this run where it is installed as a package beside Blender as a
    module (PyPI's bpy-vrm-format), which has no preferences to enable it in. Returns whether it is
    enabled.
    """
    if not enabled() and importlib.util.find_spec(_PACKAGE) is not None:
        addon_utils.enable(_PACKAGE, default_set=True)  # without preferences it fails at materials
    return enabled()


def bind(face: bpy.types.Object, look: str) -> Bound:
    """Bind expressions to the keys of all meshes that hang on the face's armature; what does
    something else already is kept. The face's armature has the add-on's data. look: one of LOOKS,
    or another to leave it as it is.
    """
    data = data_of(face)
    armature = find_armature(face)
    meshes = [
        ob
        for ob in bpy.context.scene.objects
        if ob.type == "MESH" and mesh_of(ob).shape_keys and find_armature(ob) == armature
    ]
    version = OLD if data.spec_version == _OLD else NEW
    moved = {ob.name: dict(_offsets(ob)) for ob in meshes}
    moves: dict[str, bool] = {}
    for held in moved.values():
        for key, offsets in held.items():
            moves[key] = moves.get(key, False) or bool(offsets.any())
    wanted: Sequence[Expression] = planned(version, moves)
    if version == NEW:
        wanted = with_overrides(wanted, lambda key: _whole(key, moved))
    names: dict[bool, list[str]] = {True: [], False: []}
    with _values_kept(meshes):
        for one in wanted:
            binds = [
                (name, key, weight)
                for key, weight in one.keys.items()
                for name, held in moved.items()
                if key in held and (held[key].any() or not moves[key])
            ]
            made = (_bind_old if version == OLD else _bind_new)(data, one, binds)
            names[made].append(one.name)
        if look in LOOKS:
            old, new = LOOKS[look]
            if version == OLD:
                data.vrm0.first_person.look_at_type_name = old
            else:
                data.vrm1.look_at.type = new
    return Bound(tuple(names[True]), tuple(names[False]))


def _offsets(ob: bpy.types.Object) -> Iterator[tuple[str, Floats]]:
    """Of each key, how far it moves the vertices, float32 (V,3)."""
    base = base_coordinates(ob)
    for block in keys_of(ob).key_blocks[1:]:
        points = np.empty_like(base)
        block.points.foreach_get("co", points.reshape(-1))
        yield block.name, points - base


def _whole(key: str, moved: dict[str, dict[str, Floats]]) -> Floats:
    """How far a key moves the vertices of all meshes, float32 (N,3)."""
    return np.vstack(
        [held.get(key, np.zeros_like(next(iter(held.values())))) for held in moved.values() if held]
    )


@contextlib.contextmanager
def _values_kept(meshes: list[bpy.types.Object]) -> Iterator[None]:
    """The keys' values stay: the add-on shows its expressions, all at 0, when one is changed."""
    before = [(block, block.value) for ob in meshes for block in keys_of(ob).key_blocks[1:]]
    try:
        yield
    finally:
        for block, value in before:
            if block.value != value:
                block.value = value


def _bind_old(data: Any, one: Expression, binds: list[tuple[str, str, float]]) -> bool:
    groups = data.vrm0.blend_shape_master.blend_shape_groups
    preset = one.old or "unknown"
    same = [
        group
        for group in groups
        if group.preset_name == preset and (one.old or group.name.casefold() == one.name.casefold())
    ]
    if any(len(group.binds) or len(group.material_values) for group in same):
        return any(
            _same(binds, ((own.mesh, own.index, own.weight) for own in group.binds))
            for group in same
        )
    group = same[0] if same else groups.add()
    if not same:
        group.name = CLIPS.get(preset, preset.capitalize()) if one.old else titled(one.name)
        group.preset_name = preset
    for mesh, key, weight in binds:
        made = group.binds.add()
        made.mesh.mesh_object_name, made.index, made.weight = mesh, key, weight
    return True


def _bind_new(data: Any, one: Expression, binds: list[tuple[str, str, float]]) -> bool:
    expressions = data.vrm1.expressions
    if one.custom:
        wanted = one.name.casefold()
        held = next(
            (own for own in expressions.custom if own.custom_name.casefold() == wanted), None
        )
    else:
        held = getattr(expressions.preset, _snake(one.name))
    if held is not None and any(
        len(own)
        for own in (
            held.morph_target_binds,
            held.material_color_binds,
            held.texture_transform_binds,
        )
    ):
        own_binds = held.morph_target_binds
        return _same(binds, ((own.node, own.index, own.weight) for own in own_binds))
    if held is None:
        held = expressions.custom.add()
        held.custom_name = titled(one.name)
    for mesh, key, weight in binds:
        made = held.morph_target_binds.add()
        made.node.mesh_object_name, made.index, made.weight = mesh, key, weight
    for name in OVERRIDES:
        if name in one.overrides:
            setattr(held, _snake(name), one.overrides[name])
    return True


def _same(wanted: list[tuple[str, str, float]], there: Iterable[tuple[Any, str, float]]) -> bool:
    """Whether what is bound already is what is wanted. there: mesh, key, weight."""
    return {(mesh, key, round(weight, 3)) for mesh, key, weight in wanted} == {
        (mesh.mesh_object_name, key, round(weight, 3)) for mesh, key, weight in there
    }


def _snake(name: str) -> str:
    """blinkLeft as blink_left."""
    return re.sub(r"([A-Z])", r"_\1", name).lower()
