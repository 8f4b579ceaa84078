# SPDX-License-Identifier: GPL-3.0-or-later
"""The head as it is seen: the one place that decides which objects count, where their vertices are,
and how an offset gets back to the mesh.

What is seen is the mesh with the user's own keys at their values and with the modifiers that only
deform it, where the object's transform puts it, the armature at rest. What is stored is the
reference key. Keys are written to what is stored and act on what is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import armature_of, as_its_type, keys_of, mesh_of, positions_of
from .expressions import is_expression
from .findings import Finding, listed
from .generated import count, made_by_us
from .mesh_arrays import base_coordinates, group_weights

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

PREVIEW = "BlendShapes preview (not kept)"  # the key by which live conditions are shown
# Modifiers that keep the number of vertices. NODES may or may not: it is tried.
DEFORMING = frozenset(
    {
        "CAST",
        "CORRECTIVE_SMOOTH",
        "CURVE",
        "DISPLACE",
        "HOOK",
        "LAPLACIANDEFORM",
        "LAPLACIANSMOOTH",
        "LATTICE",
        "MESH_CACHE",
        "MESH_DEFORM",
    }
    | {
        "MESH_SEQUENCE_CACHE",
        "NODES",
        "SHRINKWRAP",
        "SIMPLE_DEFORM",
        "SMOOTH",
        "SURFACE_DEFORM",
        "VOLUME_DISPLACE",
        "WARP",
        "WAVE",
    }
)
FOLLOWING = frozenset(
    {"SURFACE_DEFORM", "MESH_DEFORM"}
)  # take the place of the object's own keys: it moves with what it is bound to
# of the mesh's extent: how far vertices are moved to see what the modifiers make of an offset
STEP = 1e-3
SAME = 1e-3  # an offset that modifiers change by no more than this share of it is left as it is
# of an offset must be left by the modifiers in every direction, or it cannot be undone and is left
# as it is
WEAKEST = 0.2
# how far a bone's matrix may be from its rest, in its own units, without counting as posed
POSED = 1e-5
EVEN = 1e-4  # how far an object's scale may differ between directions and count as uniform


@dataclass(frozen=True)
class Seen:
    """A mesh object's vertices as they are seen, in the object's own space, armature at rest.

    vertices: float32 (V,3). back: float32 (V,3,3), from an offset as seen to the offset to be
    stored, None where they are the same. findings: what could not be read as it is seen.
    """

    vertices: Floats
    back: Floats | None = None
    findings: tuple[Finding, ...] = ()


def visible(ob: bpy.types.Object, face: bpy.types.Object | None = None) -> bool:
    """Whether an object is seen: by its eye, its monitor, its collections, and local view where the
    face's object is in one.
    """
    local = [space for space in _local_views() if face is not None and face.local_view_get(space)]
    return ob.visible_get() and all(ob.local_view_get(space) for space in local)


def _local_views() -> list[bpy.types.SpaceView3D]:
    """The 3D views that show a few objects only."""
    manager = bpy.context.window_manager
    areas = [
        area
        for window in (manager.windows if manager else ())
        for area in window.screen.areas
        if area.type == "VIEW_3D"
    ]
    spaces = [area.spaces.active for area in areas]
    return [
        space
        for space in spaces
        if isinstance(space, bpy.types.SpaceView3D) and space.local_view is not None
    ]


@contextmanager
def at_rest() -> Iterator[None]:
    """All armatures of the scene in their rest position for the time inside; what hangs on a bone
    is then where it was bound.
    """
    posed = [
        armature_of(ob)
        for ob in bpy.context.scene.objects
        if ob.type == "ARMATURE" and _is_posed(ob)
    ]
    armatures = list({data.name_full: data for data in posed}.values())
    if not armatures:
        yield
        return
    for armature in armatures:
        armature.pose_position = "REST"
    bpy.context.view_layer.update()
    try:
        yield
    finally:
        for armature in armatures:
            armature.pose_position = "POSE"
        bpy.context.view_layer.update()


def _is_posed(ob: bpy.types.Object) -> bool:
    if armature_of(ob).pose_position != "POSE" or ob.pose is None:
        return False
    return any(
        np.abs(np.array(bone.matrix) - np.array(bone.bone.matrix_local)).max() > POSED
        for bone in ob.pose.bones
    )


def see(ob: bpy.types.Object) -> Seen:
    """The object's vertices as they are seen. Object mode; inside `at_rest` where there are
    modifiers.
    """
    vertices, findings = with_keys(ob)
    names = deforming(ob)
    if not names or not len(vertices):
        return Seen(vertices, None, tuple(findings))
    deformed = _deformed(ob, vertices, names)
    if deformed is None:
        findings.append(
            Finding("more_vertices", {"object": repr(ob.name), "names": listed(names)}, (ob.name,))
        )
        return Seen(vertices, None, tuple(findings))
    step = STEP * float(np.ptp(vertices, axis=0).max())
    if not step > 0:
        return Seen(deformed, None, tuple(findings))
    columns = [_deformed(ob, vertices + step * axis, names) for axis in np.eye(3, dtype=np.float32)]
    if any(column is None for column in columns):
        return Seen(deformed, None, tuple(findings))
    forth = np.stack(
        [(column.astype(np.float64) - deformed) / step for column in columns if column is not None],
        axis=2,
    )
    return Seen(deformed, _inverse(forth), tuple(findings))


def with_keys(ob: bpy.types.Object) -> tuple[Floats, list[Finding]]:
    """The vertices float32 (V,3) with the user's own keys at their values, as Blender mixes them,
    and what the user should know.

    Keys that are expressions, and those that the add-on made, count as 0: they act on the face that
    is looked for.
    """
    base, key = base_coordinates(ob), mesh_of(ob).shape_keys
    weights = {} if key is None else _weights(ob)
    if not weights:
        return base, []
    set_aside, told = _set_aside(ob, weights, base)
    mixed = base.astype(np.float64)
    for name, weight in weights.items():
        if key is not None and name not in set_aside:
            mixed += offset_of(ob, key.key_blocks[name], base) * weight
    findings = []
    if told:
        findings.append(Finding("expressions_shown", {"names": listed(told)}, (ob.name,)))
    return mixed.astype(np.float32), findings


def expressions_shown(ob: bpy.types.Object) -> list[str]:
    """Names of the user's own keys that are expressions, are not at 0, and that the face is read
    without.
    """
    weights = {} if mesh_of(ob).shape_keys is None else _weights(ob)
    return _set_aside(ob, weights, base_coordinates(ob))[1] if weights else []


def _set_aside(
    ob: bpy.types.Object, weights: Mapping[str, float], base: Floats
) -> tuple[list[str], list[str]]:
    """Of the keys that show: those that count as 0, and which of these the add-on did not make."""
    ours = made_by_us(ob, base) if count(ob) else set()
    aside = [name for name in weights if name in ours or name == PREVIEW or is_expression(name)]
    return aside, [name for name in aside if name not in ours and name != PREVIEW]


def _weights(ob: bpy.types.Object) -> dict[str, float]:
    """Key -> how much of it shows, for those that show: values as they are now, or the pinned key
    alone.
    """
    key = keys_of(ob)
    if ob.show_only_shape_key:
        pinned = ob.active_shape_key
        return (
            {}
            if pinned is None or pinned.mute or pinned == key.reference_key
            else {pinned.name: 1.0}
        )
    return {
        block.name: block.value
        for block in key.key_blocks
        if block.value and not block.mute and block != key.reference_key
    }


def offset_of(ob: bpy.types.Object, block: bpy.types.ShapeKey, base: Floats) -> Doubles:
    """What a key adds at a value of 1, (V,3): to its own relative key, as far as its vertex group
    lets it.
    """
    points, relative = np.empty_like(base), np.empty_like(base)
    block.points.foreach_get("co", points.reshape(-1))
    block.relative_key.points.foreach_get("co", relative.reshape(-1))
    offset = points.astype(np.float64) - relative
    group = ob.vertex_groups.get(block.vertex_group) if block.vertex_group else None
    return offset if group is None else offset * group_weights(ob, {group.index})[:, None]


def deforming(ob: bpy.types.Object) -> list[str]:
    """Names of the modifiers that are shown and move vertices, without the armature's and those
    that the object follows another mesh by.
    """
    return [
        modifier.name
        for modifier in ob.modifiers
        if modifier.show_viewport and modifier.type in DEFORMING - FOLLOWING and _ready(modifier)
    ]


def follows(ob: bpy.types.Object) -> bool:
    """Whether a modifier makes the object follow another mesh, so that keys of its own would show
    nothing.
    """
    return any(
        modifier.show_viewport and modifier.type in FOLLOWING and as_its_type(modifier).is_bound
        for modifier in ob.modifiers
    )


def _ready(modifier: bpy.types.Modifier) -> bool:
    """Whether a modifier does anything; most that need an object or a group do nothing without."""
    own = as_its_type(modifier)
    if modifier.type == "NODES":
        return own.node_group is not None
    if modifier.type in ("LATTICE", "CURVE", "HOOK"):
        return own.object is not None
    if modifier.type == "SHRINKWRAP":
        return own.target is not None
    return True


def _deformed(ob: bpy.types.Object, vertices: Floats, names: Sequence[str]) -> Floats | None:
    """Where the named modifiers move vertices (V,3), or None where they change their number. A copy
    of the object is evaluated, not the object.
    """
    mesh = mesh_of(ob).copy()
    copy = ob.copy()
    try:
        copy.data = mesh
        if mesh.shape_keys is not None:
            copy.shape_key_clear()
        for modifier in [modifier for modifier in copy.modifiers if modifier.name not in names]:
            copy.modifiers.remove(modifier)
        positions_of(mesh).foreach_set(
            "vector", np.ascontiguousarray(vertices, np.float32).reshape(-1)
        )
        mesh.update()
        copy.hide_viewport = False
        bpy.context.scene.collection.objects.link(copy)
        bpy.context.view_layer.update()
        evaluated = copy.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found = mesh_of(evaluated)
        if len(found.vertices) != len(vertices):
            return None
        moved = np.empty((len(vertices), 3), np.float32)
        positions_of(found).foreach_get("vector", moved.reshape(-1))
        return moved
    finally:
        bpy.data.objects.remove(copy)
        bpy.data.meshes.remove(mesh)


def _inverse(forth: Doubles) -> Floats | None:
    """The inverses (V,3,3) of what modifiers do to offsets (V,3,3), identity where that cannot be
    undone; None if they do nothing to them.
    """
    eye = np.eye(3)
    changed = np.abs(forth - eye).max(axis=(1, 2)) > SAME
    if not changed.any():
        return None
    back = np.tile(eye, (len(forth), 1, 1))
    found = forth[changed]
    sound = np.isfinite(found).all(axis=(1, 2))
    found[~sound] = eye
    sound &= np.linalg.svd(found, compute_uv=False)[:, -1] > WEAKEST
    found[~sound] = eye
    back[changed] = np.linalg.inv(found)
    return np.ascontiguousarray(back, np.float32)


def shown_axes(ob: bpy.types.Object) -> Doubles:
    """float64 (3,3): from the object's space to the same axes as they are seen, without turn and
    size: the identity for a uniform scale, else with the object's stretching and mirroring. The
    polar decomposition of its matrix, with the mirroring left in.
    """
    matrix = np.array(ob.matrix_world.to_3x3(), np.float64)
    size = abs(np.linalg.det(matrix)) ** (1 / 3)
    if not size > 0 or not np.isfinite(size):
        return np.eye(3)
    left, scales, right = np.linalg.svd(matrix / size)
    if scales[-1] < 1e-6:
        return np.eye(3)
    if scales[0] <= (1 + EVEN) * scales[-1] and np.linalg.det(matrix) > 0:
        return np.eye(3)
    turn = left @ right
    if np.linalg.det(turn) < 0:
        turn = turn @ np.diag(
            [-1.0, 1.0, 1.0]
        )  # mirrored along the object's X, as Blender's own Mirror does
    return np.asarray(turn.T @ matrix / size)
