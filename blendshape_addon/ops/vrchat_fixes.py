# SPDX-License-Identifier: GPL-3.0-or-later
"""What mends a finding of the VRChat check, by the name of its fix. Each says in a sentence what it
did, in the language of the interface.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from ..blender_io import eye_bones, joining, key_export, remembered, tuned, vrchat_check
from ..blender_io.as_seen import visible
from ..blender_io.generated import call_anew
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.naming import ALIASES
from ..blender_io.parts import avatar_meshes
from ..blender_io.vrchat_facts import facts
from ..blender_io.vrchat_names import wrong_names
from ..blender_io.vrchat_shapes import DUST
from ..blender_io.vrchat_words import Finding
from ..errors import AddonError
from ..job import held, session
from ..translations import tr
from ..typed import keys_of, mesh_of, own_operators

AT_ONCE = frozenset({"rename_keys", "bake_keys"})  # what mends all findings that offer it
MAKING = frozenset({"make_visemes", "make_missing"})  # what generates, which takes seconds
ASKED_FOR = frozenset({"add_eye_bones"})  # what is done by its own button alone: it changes the rig


def mend(ob: bpy.types.Object, finding: Finding) -> str:
    """Do what the finding's fix says; a sentence about it. Object mode, editable mesh."""
    return _MENDERS[finding.fix](ob, finding)


def _rename_mesh(ob: bpy.types.Object, finding: Finding) -> str:
    other = bpy.data.objects.get(vrchat_check.MESH)
    if other is not None and other != ob:
        other.name = f"{vrchat_check.MESH}_2"
    before, ob.name = ob.name, vrchat_check.MESH
    return tr("{before} is now called {now}").format(before=before, now=ob.name)


def _rename_keys(ob: bpy.types.Object, finding: Finding) -> str:
    names = wrong_names(facts(ob))
    for other in (ob, *avatar_meshes(ob, found_landmarks(ob))):
        if mesh_of(other).shape_keys is None or not mesh_of(other).is_editable:
            continue
        blocks = keys_of(other).key_blocks
        here = {
            name: right for name, right in names.items() if name in blocks and right not in blocks
        }
        for name, right in here.items():
            blocks[name].name = right  # drivers and animation follow
        call_anew(other, here)  # what was generated stays so
        tuned.call_anew(other, here)
        remembered.call_anew(other, here)
    return tr("{count} keys renamed").format(count=len(names))


def _remove_keys(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        ob.shape_key_remove(keys_of(ob).key_blocks[name])
    return tr("{count} copies removed").format(count=len(finding.on))


def set_of(finding: Finding) -> str:
    """The set that a finding of MAKING asks for."""
    return "vrchat" if finding.fix == "make_visemes" else finding.code.removeprefix("names_")


def _make(ob: bpy.types.Object, finding: Finding) -> str:
    own_operators().generate("EXEC_DEFAULT", sets={set_of(finding)})
    return session.status.result


def _fill_visemes(ob: bpy.types.Object, finding: Finding) -> str:
    """Each gets a trace of the widest open viseme, and each another amount, so that they differ."""
    keys, base = keys_of(ob).key_blocks, base_coordinates(ob)
    by_case = {key.name.casefold(): key for key in keys}
    source = by_case.get("vrc.v_aa") or by_case.get("jawopen")
    if source is None or source.name in finding.on:
        raise AddonError(
            "usage",
            tr("There is no vrc.v_aa or jawOpen that moves."),
            tr("Generate the visemes."),
        )
    points = np.empty_like(base)
    source.points.foreach_get("co", points.reshape(-1))
    for number, name in enumerate(finding.on, 1):
        trace = base + np.float32(vrchat_check.SMALLEST * number) * (points - base)
        keys[name].points.foreach_set("co", np.ascontiguousarray(trace).reshape(-1))
    mesh_of(ob).update()
    return tr("{count} visemes move a little now").format(count=len(finding.on))


def _add_alias(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        source = keys_of(ob).key_blocks[name]
        points = np.empty(3 * len(mesh_of(ob).vertices), np.float32)
        source.points.foreach_get("co", points)
        key = ob.shape_key_add(name=ALIASES[name.casefold()], from_mix=False)
        key.value, key.relative_key, key.vertex_group = (
            0.0,
            source.relative_key,
            source.vertex_group,
        )
        key.points.foreach_set("co", points)
    return tr("{count} keys added").format(count=len(finding.on))


def _clean_keys(ob: bpy.types.Object, finding: Finding) -> str:
    base = base_coordinates(ob)
    limit = np.float32(DUST * (base.max(axis=0) - base.min(axis=0)).max())
    cleaned = 0
    for name in finding.on:
        key = keys_of(ob).key_blocks[name]
        points = np.empty_like(base)
        key.points.foreach_get("co", points.reshape(-1))
        still = np.abs(points - base).max(axis=1) <= limit
        cleaned += int((points[still] != base[still]).any(axis=1).sum())
        points[still] = base[still]
        key.points.foreach_set("co", points.reshape(-1))
    mesh_of(ob).update()
    return tr("{count} invisible movements set to zero").format(count=f"{cleaned:,}")


def _join_parts(ob: bpy.types.Object, finding: Finding) -> str:
    joined, left = joining.join(ob, [bpy.data.objects[name] for name in finding.on])
    if not joined:
        raise AddonError(
            "usage",
            tr("Nothing was joined; {reasons}.").format(reasons="; ".join(left)),
            tr("Mend that first, or join the parts by hand."),
        )
    told = tr("{count} parts are now in {name}").format(count=len(joined), name=ob.name)
    return "; ".join([told, *left])


def _unmute_keys(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        block = keys_of(ob).key_blocks[name]
        block.value, block.mute = 0.0, False  # the face looks as before
    return tr("{count} keys unmuted").format(count=len(finding.on))


def _bake_keys(ob: bpy.types.Object, finding: Finding) -> str:
    return tr("{count} keys baked").format(count=len(key_export.bake(ob)))


def _make_relative(ob: bpy.types.Object, finding: Finding) -> str:
    keys_of(ob).use_relative = True
    return tr("The keys are relative now")


def _widen_range(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        block = keys_of(ob).key_blocks[name]
        block.slider_min, block.slider_max = min(block.slider_min, 0.0), max(block.slider_max, 1.0)
    return tr("{count} sliders go from 0 to 1").format(count=len(finding.on))


def _unpin(ob: bpy.types.Object, finding: Finding) -> str:
    ob.show_only_shape_key = False
    return tr("All keys are shown")


def _show_mesh(ob: bpy.types.Object, finding: Finding) -> str:
    if ob.name in bpy.context.view_layer.objects:
        ob.hide_viewport = False
        ob.hide_set(False)
        bpy.context.view_layer.update()
    if not visible(ob):
        raise AddonError(
            "usage",
            tr("{name} is in a collection that is hidden, or outside the local view.").format(
                name=repr(ob.name)
            ),
            tr("Show that first."),
        )
    return tr("{name} is shown").format(name=ob.name)


def _reset_values(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        keys_of(ob).key_blocks[name].value = 0.0
    return tr("{count} values set to 0").format(count=len(finding.on))


def _add_eye_bones(ob: bpy.types.Object, finding: Finding) -> str:
    names = eye_bones.add_eye_bones(held.face_objects(ob))
    told = tr("Added the bones {names}; Regenerate, so that looks move only the lids")
    return told.format(names=", ".join(names))


_MENDERS: dict[str, Callable[[bpy.types.Object, Finding], str]] = {
    "rename_mesh": _rename_mesh,
    "rename_keys": _rename_keys,
    "remove_keys": _remove_keys,
    "make_visemes": _make,
    "fill_visemes": _fill_visemes,
    "add_alias": _add_alias,
    "clean_keys": _clean_keys,
    "reset_values": _reset_values,
    "join_parts": _join_parts,
    "unmute_keys": _unmute_keys,
    "bake_keys": _bake_keys,
    "make_relative": _make_relative,
    "widen_range": _widen_range,
    "unpin": _unpin,
    "show_mesh": _show_mesh,
    "make_missing": _make,
    "add_eye_bones": _add_eye_bones,
}
