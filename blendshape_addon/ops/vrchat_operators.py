# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check inside Blender: gathers an avatar's facts, shows the findings, mends what can be
mended, exports.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import bpy
import numpy as np
from bpy_extras.io_utils import ExportHelper

from ..blender_io import head_bones, joining, key_export, remembered, scene_files, vrchat_check
from ..blender_io.as_seen import offset_of, visible
from ..blender_io.generated import call_anew
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.mesh_io import check_editable, find_armature
from ..blender_io.modes import object_mode
from ..blender_io.naming import ALIASES
from ..blender_io.parts import avatar_meshes
from ..blender_io.vrchat_check import Avatar, Finding, Floats, Other, State
from ..errors import AddonError
from ..job import live, preview, session
from ..translations import tr
from ..typed import Returned, active_object, armature_of, keys_of, mesh_of, own_operators
from .operators import OfMesh

_AT_ONCE = frozenset({"rename_keys", "bake_keys"})  # what mends all findings that offer it

_findings: list[Finding] = []
_checked: list[int] = []  # identity of the object that the findings are about


@functools.cache
def known_sets() -> dict[str, tuple[str, ...]]:
    """Key names of the shipped sets by the sets' names, from the data file that the child reads,
    too.
    """
    data = json.loads(
        (session.ROOT / "backend" / "face" / "shapes" / "shape_sets.json").read_text(
            encoding="utf-8"
        )
    )
    return {name: tuple(entry["shapes"]) for name, entry in data["sets"].items()}


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
        sets=known_sets(),
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
    return Other(other.name, keys, not visible(other), values, _lost_modifiers(other), same_mesh)


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


def put_previews_away() -> None:
    """Nothing that is only shown is checked or exported."""
    preview.stop()
    now = live.current()
    if now is not None:
        now.rest()


def look(ob: bpy.types.Object) -> list[Finding]:
    """Check the object and remember the findings for the panel."""
    put_previews_away()
    with object_mode(check_editable(ob)):
        _findings[:] = vrchat_check.check(facts(ob))
    _checked[:] = [ob.session_uid]
    return list(_findings)


def findings_of(ob: bpy.types.Object) -> list[Finding]:
    """What the last check found, where it was about this object."""
    return list(_findings) if _checked == [ob.session_uid] else []


def forget() -> None:
    """Another file is opened."""
    _findings.clear()
    _checked.clear()


def mend(ob: bpy.types.Object, finding: Finding) -> str:
    """Do what the finding's fix says; a sentence about it. Object mode, editable mesh."""
    mender = _MENDERS[finding.fix]
    return mender(ob, finding)


def _rename_mesh(ob: bpy.types.Object, finding: Finding) -> str:
    other = bpy.data.objects.get(vrchat_check.MESH)
    if other is not None and other != ob:
        other.name = f"{vrchat_check.MESH}_2"
    before, ob.name = ob.name, vrchat_check.MESH
    return f"{before} is now called {ob.name}"


def _rename_keys(ob: bpy.types.Object, finding: Finding) -> str:
    names = vrchat_check.wrong_names(facts(ob))
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
        remembered.call_anew(other, here)
    return f"{len(names)} keys renamed"


def _remove_keys(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        ob.shape_key_remove(keys_of(ob).key_blocks[name])
    return f"{len(finding.on)} copies removed"


def _make_visemes(ob: bpy.types.Object, finding: Finding) -> str:
    own_operators().generate("EXEC_DEFAULT", sets={"vrchat"})
    return session.status.result


def _fill_visemes(ob: bpy.types.Object, finding: Finding) -> str:
    """Each gets a trace of the widest open viseme, and each another amount, so that they differ."""
    keys, base = keys_of(ob).key_blocks, base_coordinates(ob)
    by_case = {key.name.casefold(): key for key in keys}
    source = by_case.get("vrc.v_aa") or by_case.get("jawopen")
    if source is None or source.name in finding.on:
        raise AddonError(
            "usage", "There is no vrc.v_aa or jawOpen that moves.", "Generate the visemes."
        )
    points = np.empty_like(base)
    source.points.foreach_get("co", points.reshape(-1))
    for number, name in enumerate(finding.on, 1):
        trace = base + np.float32(vrchat_check.SMALLEST * number) * (points - base)
        keys[name].points.foreach_set("co", np.ascontiguousarray(trace).reshape(-1))
    mesh_of(ob).update()
    return f"{len(finding.on)} visemes move a little now"


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
    return f"{len(finding.on)} keys added"


def _clean_keys(ob: bpy.types.Object, finding: Finding) -> str:
    base = base_coordinates(ob)
    limit = np.float32(vrchat_check.DUST * (base.max(axis=0) - base.min(axis=0)).max())
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
    return f"{cleaned:,} invisible movements set to zero"


def _join_parts(ob: bpy.types.Object, finding: Finding) -> str:
    joined, left = joining.join(ob, [bpy.data.objects[name] for name in finding.on])
    if not joined:
        raise AddonError(
            "usage",
            f"Nothing was joined; {'; '.join(left)}.",
            "Mend that first, or join the parts by hand.",
        )
    return "; ".join([f"{len(joined)} parts are now in {ob.name}", *left])


def _unmute_keys(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        block = keys_of(ob).key_blocks[name]
        block.value, block.mute = 0.0, False  # the face looks as before
    return f"{len(finding.on)} keys unmuted"


def _bake_keys(ob: bpy.types.Object, finding: Finding) -> str:
    return f"{len(key_export.bake(ob))} keys baked"


def _make_relative(ob: bpy.types.Object, finding: Finding) -> str:
    keys_of(ob).use_relative = True
    return "The keys are relative now"


def _widen_range(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        block = keys_of(ob).key_blocks[name]
        block.slider_min, block.slider_max = min(block.slider_min, 0.0), max(block.slider_max, 1.0)
    return f"{len(finding.on)} sliders go from 0 to 1"


def _unpin(ob: bpy.types.Object, finding: Finding) -> str:
    ob.show_only_shape_key = False
    return "All keys are shown"


def _show_mesh(ob: bpy.types.Object, finding: Finding) -> str:
    if ob.name in bpy.context.view_layer.objects:
        ob.hide_viewport = False
        ob.hide_set(False)
        bpy.context.view_layer.update()
    if not visible(ob):
        raise AddonError(
            "usage",
            f"{ob.name!r} is in a collection that is hidden, or outside the local view.",
            "Show that first.",
        )
    return f"{ob.name} is shown"


def _make_missing(ob: bpy.types.Object, finding: Finding) -> str:
    own_operators().generate("EXEC_DEFAULT", sets={finding.code.removeprefix("names_")})
    return session.status.result


def _reset_values(ob: bpy.types.Object, finding: Finding) -> str:
    for name in finding.on:
        keys_of(ob).key_blocks[name].value = 0.0
    return f"{len(finding.on)} values set to 0"


_MENDERS: dict[str, Callable[[bpy.types.Object, Finding], str]] = {
    "rename_mesh": _rename_mesh,
    "rename_keys": _rename_keys,
    "remove_keys": _remove_keys,
    "make_visemes": _make_visemes,
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
    "make_missing": _make_missing,
}


class BLENDSHAPES_OT_vrchat_check(OfMesh, bpy.types.Operator):
    """Look for what would keep this avatar's face from working in VRChat; changes nothing"""

    bl_idname = "blendshapes.vrchat_check"
    bl_label = "Check for VRChat"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Check."""
        try:
            findings = look(active_object(context))
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        problems = [finding for finding in findings if finding.level in ("warning", "error")]
        for finding in problems:
            self.report({"WARNING"}, finding.said(tr))
        notes = sum(finding.level == "note" for finding in findings)
        told = (
            f"{len(problems)} issues found"
            if problems
            else "Nothing was found that keeps the face from working in VRChat"
        )
        self.report({"INFO"}, f"{told}, {notes} to know" if notes else told)
        return {"FINISHED"}


class BLENDSHAPES_OT_vrchat_fix(OfMesh, bpy.types.Operator):
    """Fix this issue, or every fixable one; one undo takes it back"""

    bl_idname = "blendshapes.vrchat_fix"
    bl_label = "Fix"
    bl_options = {"REGISTER", "UNDO"}

    code: Annotated[
        str,
        bpy.props.StringProperty(
            name="Finding",
            description="Which issue to fix; empty: all of them",
            options={"SKIP_SAVE"},
        ),
    ]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Check anew, so that what was undone meanwhile is not mended twice; mend; check again."""
        ob, done = active_object(context), []
        try:
            mended: set[str] = set()
            for finding in look(ob):
                if not finding.fix or (finding.fix in _AT_ONCE and finding.fix in mended):
                    continue
                if self.code == finding.code if self.code else finding.level != "note":
                    mended.add(finding.fix)
                    with object_mode(ob):
                        done.append(mend(ob, finding))
            look(ob)
        except (AddonError, RuntimeError) as error:
            self.report({"ERROR"}, str(error))
            return {"FINISHED"} if done else {"CANCELLED"}
        self.report({"INFO"}, "; ".join(done) or "There was nothing to fix")
        return {"FINISHED"} if done else {"CANCELLED"}


class BLENDSHAPES_OT_export(OfMesh, bpy.types.Operator, ExportHelper):  # type: ignore[misc]  # the stubs do not know what ExportHelper returns
    """Export the avatar for Unity or as glTF, so that all shape keys arrive"""

    bl_idname = "blendshapes.export"
    bl_label = "Export FBX/glTF..."
    bl_options = {"REGISTER"}

    filename_ext = ".fbx"
    check_extension = None  # both types are taken
    filter_glob: Annotated[str, bpy.props.StringProperty(default="*.fbx;*.glb", options={"HIDDEN"})]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Export."""
        own: Any = self  # `filepath` comes from ExportHelper
        path = Path(bpy.path.abspath(own.filepath))
        if path.suffix.lower() not in (".fbx", ".glb"):
            path = path.with_name(f"{path.name}.fbx")
        put_previews_away()
        try:
            scene_files.export_scene(path)
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        for sentence in key_export.lost():
            self.report({"WARNING"}, sentence)
        self.report(
            {"INFO"},
            f"{path} written:"
            f" {key_export.exported(key_export.visible_meshes()) or 'no shape keys'}",
        )
        return {"FINISHED"}


CLASSES = (
    BLENDSHAPES_OT_vrchat_check,
    BLENDSHAPES_OT_vrchat_fix,
    BLENDSHAPES_OT_export,
)
