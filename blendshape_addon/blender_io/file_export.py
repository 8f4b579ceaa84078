# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen, as a file for where it goes: format, scale, normals, and what is left out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..errors import AddonError
from ..typed import as_its_type
from . import export_check, key_export, vrm_addon
from .avatar_objects import selected
from .importing import with_addon
from .mesh_io import find_armature
from .modes import object_mode


@dataclass(frozen=True)
class Kind:
    """Where a file goes. ending: of its name. normals: keys have normals of their own, which
    double the file; toon shading looks better without.
    """

    name: str
    label: str
    description: str
    ending: str
    normals: bool = False


BY_NAME = "name"  # the kind that the file's ending says
KINDS = (
    Kind(
        "unity", "Unity (VRChat, ChilloutVR)", ".fbx at scale 1, checked for VRChat before", ".fbx"
    ),
    Kind("vrm", "VRM (VSeeFace, Warudo)", ".vrm, which the VRM add-on for Blender writes", ".vrm"),
    Kind("resonite", "Resonite", ".glb in metres", ".glb"),
    Kind("gltf", "glTF (Web, Godot)", ".glb in metres, with normals of keys", ".glb", normals=True),
)


def kind_of(name: str, path: Path) -> Kind:
    """The kind of that name, or that the file's ending says: else the first."""
    ending = path.suffix.lower()
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        found = next((kind for kind in KINDS if kind.ending == ending), KINDS[0])
    return found


def write(
    path: Path, objects: Sequence[bpy.types.Object], animation: bool, kind: Kind
) -> list[export_check.Wanted]:
    """Export what is seen with its shape keys, which applied modifiers would drop; an armature is
    exported as a skin all the same. Returns what the file is to hold.

    path: of the kind's ending. objects: these alone; without, everything. animation: with actions.
    Raises AddonError `usage`, `output_unwritable`, and RuntimeError for what
    Blender's exporters say.
    """
    with (
        armatures_shown(),
        object_mode(*key_export.visible_meshes()),
        key_export.as_files_hold_them(),
        selected(objects) if objects else contextlib.nullcontext(),
    ):
        meshes = [ob for ob in key_export.visible_meshes() if not objects or ob in objects]
        wanted = export_check.wanted(meshes)
        if kind.ending == ".glb":
            _write_gltf(path, bool(objects), animation, kind.normals)
        elif kind.ending == ".vrm":
            _write_vrm(path, meshes, bool(objects))
        else:
            _write_fbx(path, bool(objects), animation)
        return wanted


def _write_gltf(path: Path, only: bool, animation: bool, normals: bool) -> None:
    with_addon("io_scene_gltf2")
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_visible=True,
        use_selection=only,
        export_animations=animation,
        export_morph=True,
        export_morph_normal=normals,
        export_apply=False,
    )


def _write_fbx(path: Path, only: bool, animation: bool) -> None:
    """For Unity scales are in the file's unit (FBX All), so that objects have the scale 1 there;
    transforms are not applied, which Blender's exporter does wrong where there are bones.
    """
    with_addon("io_scene_fbx")
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_visible=True,
        use_selection=only,
        bake_anim=animation,
        use_mesh_modifiers=False,
        add_leaf_bones=False,
        apply_scale_options="FBX_SCALE_ALL",
        object_types={"ARMATURE", "MESH", "EMPTY"},
        mesh_smooth_type="OFF",  # normals say it, custom ones too
    )


def check_vrm(objects: Sequence[bpy.types.Object]) -> bpy.types.Object:
    """The armature of an avatar that the VRM add-on can write. Raises AddonError
    `usage`.
    """
    if not vrm_addon.enabled():
        raise AddonError(
            "usage",
            "The VRM add-on for Blender, which writes .vrm, is not enabled.",
            "Get VRM format in Blender's preferences under Get Extensions, or export .glb.",
        )
    armatures = [find_armature(ob) for ob in objects]
    found = next((armature for armature in armatures if armature is not None), None)
    if found is None:
        raise AddonError(
            "usage", "A .vrm has a skeleton, and this avatar has none.", "Export .glb instead."
        )
    return found


def _write_vrm(path: Path, meshes: Sequence[bpy.types.Object], only: bool) -> None:
    armature = check_vrm(meshes)
    operators: Any = bpy.ops  # the add-on registers its own
    done = operators.export_scene.vrm(
        filepath=str(path),
        armature_object_name=armature.name,
        export_only_selections=only,
        ignore_warning=True,
    )
    if done != {"FINISHED"} or not path.is_file():
        raise AddonError(
            "output_unwritable",
            "The VRM add-on wrote no file.",
            "Its own export, File > Export > VRM, says what the avatar lacks.",
        )


@contextlib.contextmanager
def armatures_shown() -> Iterator[None]:
    """What meshes that are seen hang on, armatures and parents, is seen as well for the time
    inside: riggers hide them, and an avatar needs them.
    """
    bpy.context.view_layer.update()
    needed: dict[str, bpy.types.Object] = {}
    for ob in bpy.context.scene.objects:
        if ob.type == "MESH" and ob.visible_get():
            todo = [
                ob.parent,
                *(
                    as_its_type(modifier).object
                    for modifier in ob.modifiers
                    if modifier.type == "ARMATURE"
                ),
            ]
            while todo:
                other = todo.pop()
                if other is not None and other.name_full not in needed:
                    needed[other.name_full] = other
                    todo.append(other.parent)
    hidden = [ob for ob in needed.values() if not ob.visible_get() and ob.type != "MESH"]
    before = [
        (ob, ob.hide_viewport, ob.name in bpy.context.view_layer.objects and ob.hide_get())
        for ob in hidden
    ]
    shelf = bpy.data.collections.new("Shown for the export")
    try:
        bpy.context.scene.collection.children.link(shelf)
        for ob in hidden:
            shelf.objects.link(ob)  # its own collections may be hidden
            ob.hide_viewport = False
        bpy.context.view_layer.update()
        for ob in hidden:
            ob.hide_set(False)
        bpy.context.view_layer.update()
        yield
    finally:
        for ob, monitor, eye in before:
            ob.hide_viewport = monitor
            ob.hide_set(eye)
        bpy.data.collections.remove(shelf)
        bpy.context.view_layer.update()
