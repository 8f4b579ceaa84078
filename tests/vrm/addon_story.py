# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender of its own, for test_vrm_addon.py: an avatar that the VRM add-on imports, keys
that are generated with a way to bind, and the file that the VRM add-on exports.

python addon_story.py FOLDER_OF_THE_ADD_ON IN.vrm OUT.vrm MODEL.onnx WAY SEEN.json
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), sys.argv[1]]

import bpy  # noqa: E402

from scripts.generate import load_extension  # noqa: E402


def main(source: str, target: str, model: str, way: str, seen: str) -> None:
    """Import, generate twice, export; what was seen."""
    import addon_utils  # which is there when bpy is

    # a bare register() fails: the add-on asks for its preferences
    assert addon_utils.enable("io_scene_vrm", default_set=True, persistent=True) is not None
    load_extension().register()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert bpy.ops.import_scene.vrm(filepath=source) == {"FINISHED"}
    face: Any = bpy.data.objects["Face"]
    bpy.context.view_layer.objects.active = face
    own = face.data.shape_keys.key_blocks[1]
    own.value = 0.25
    asked = {"sets": {"arkit", "vrm1"}, "model": model, "vrm": way}
    assert bpy.ops.blendshapes.generate(**asked) == {"FINISHED"}
    session: Any = importlib.import_module("blendshape_auto_generator.blendshape_addon.job.session")
    first = list(session.status.warnings)
    value = face.data.shape_keys.key_blocks[1].value
    assert bpy.ops.blendshapes.generate(**asked) == {"FINISHED"}
    session.backend.stop()
    told = {
        "first": first,
        "second": list(session.status.warnings),
        "value": value,
        "keys": len(face.data.shape_keys.key_blocks) - 1,
    }
    armature = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    done = bpy.ops.export_scene.vrm(filepath=target, armature_object_name=armature.name)
    assert done == {"FINISHED"}, done
    told["read_back"] = export_by_destination(target)
    Path(seen).write_text(json.dumps(told), encoding="utf-8")


def export_by_destination(target: str) -> dict[str, list[str]]:
    """What differs in the .vrm that our export makes, with something beside the avatar, and what is
    in it.
    """
    from blendshape_auto_generator.blendshape_addon.blender_io import scene_files
    from blendshape_auto_generator.blendshape_addon.blender_io.avatar_objects import avatar_objects
    from blendshape_auto_generator.blendshape_addon.blender_io.export_read import of_file

    face: Any = bpy.data.objects["Face"]
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Stage", face.data.copy()))
    path = Path(target).with_name("ours")
    done = bpy.ops.blendshapes.export(filepath=str(path), kind="vrm")
    assert done == {"FINISHED"}, done
    again = Path(target).with_name("again.vrm")
    return {
        "differ": scene_files.export_scene(again, avatar_objects(face), kind="vrm"),
        "objects": sorted(shaped.name for shaped in of_file(path.with_suffix(".vrm"))),
        "files": sorted(each.name for each in path.parent.glob("ours*")),
    }


if __name__ == "__main__":
    main(*sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)  # taken down by Python, Blender hangs with that add-on's handlers
