# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender of its own, for test_upgrade.py: makes a file with everything the add-on keeps
in it, or looks at one in another version.

python upgrade_story.py make|look FILE.blend MODEL.onnx SEEN.json PYTHON, the one that computes
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import bpy  # noqa: E402  (after the path is there)
import numpy as np  # noqa: E402

from scripts.generate import load_extension  # noqa: E402

PLACE = (0.0, -0.09, 1.53)


def addon(name: str) -> Any:
    """A module of the add-on."""
    return importlib.import_module(f"blendshape_auto_generator.blendshape_addon.{name}")


def computing(python: str) -> Any:
    """A child of the Python that has ONNX Runtime; the bpy module of another version may have none
    beside it.
    """
    launch = addon("process.launch")
    return addon("process.backend_process").Backend(
        lambda: launch.plan(
            ROOT, addon("job.session").log_folder() / "upgrade.log", launch.Settings(python=python)
        )
    )


def make(path: str, model: str) -> None:
    """A figure with generated, edited, kept and hand-made keys, a placed landmark, a part and
    settings; saved.
    """
    from fixtures.meshes import figure

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    shape = figure()
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata(shape.vertices.tolist(), [], shape.triangles.tolist())
    ob = bpy.data.objects.new("Body", mesh)
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    assert shape.head_weights is not None
    ob.vertex_groups.new(name="Head").add(
        np.flatnonzero(shape.head_weights).tolist(), 1.0, "REPLACE"
    )
    settings = bpy.context.scene.blendshapes
    settings.model, settings.sets, settings.jaw, settings.naming, settings.alias = (
        model,
        {"vrchat"},
        0.75,
        "standard",
        True,
    )
    ob.shape_key_add(name="Basis", from_mix=False)
    mine = ob.shape_key_add(name="Mine", from_mix=False)
    mine.value = 0.25
    mine.driver_add("value").driver.expression = "0.25"
    bpy.ops.blendshapes.edit_landmarks()
    bpy.ops.blendshapes.place_landmark(landmark="chin", place=PLACE)
    bpy.ops.blendshapes.generate()
    edited = ob.data.shape_keys.key_blocks["vrc.v_oh"]
    edited.data[0].co.x += 0.5
    ob.blendshapes.part = "FACE"
    bpy.ops.wm.save_as_mainfile(filepath=path)


def look(path: str, model: str) -> None:
    """Open the file, and update what was generated."""
    bpy.ops.wm.open_mainfile(filepath=path)
    ob = bpy.data.objects["Body"]
    bpy.context.view_layer.objects.active = ob
    bpy.context.scene.blendshapes.model = model  # a model that the file names is not used by itself


def state() -> dict[str, Any]:
    """What is in the file now."""
    ob = bpy.data.objects["Body"]
    key, settings = ob.data.shape_keys, bpy.context.scene.blendshapes
    base = addon("blender_io.mesh_arrays").base_coordinates(ob)
    return {
        "version": bpy.app.version_string,
        "keys": [block.name for block in key.key_blocks],
        "values": [round(block.value, 4) for block in key.key_blocks],
        "ours": sorted(addon("blender_io.generated").made_by_us(ob, base)),
        "request": addon("blender_io.asked").request_of(ob),
        "landmarks": {
            mark.name: [round(x, 4) for x in mark.place]
            for mark in ob.blendshapes.landmarks
            if mark.corrected
        },
        "all_landmarks": len(ob.blendshapes.landmarks),
        "part": ob.blendshapes.part,
        "settings": [
            sorted(settings.sets),
            round(settings.jaw, 4),
            settings.naming,
            settings.alias,
        ],
        "drivers": len(key.animation_data.drivers) if key.animation_data else 0,
        "jaw": round(float(np.abs(moved(ob, "vrc.v_aa")).max()), 5),
        "edited": round(float(np.abs(moved(ob, "vrc.v_oh")).max()), 5),
    }


def moved(ob: Any, name: str) -> Any:
    """Offsets of a key."""
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.shape_keys.key_blocks[name].points.foreach_get("co", points.reshape(-1))
    return points - addon("blender_io.mesh_arrays").base_coordinates(ob)


def main() -> None:
    """Do what is asked, and write down what is there."""
    task, path, model, seen, python = sys.argv[1:]
    load_extension()
    root = importlib.import_module("blendshape_auto_generator")
    root.register()
    addon("job.session").backend = computing(python)
    found: dict[str, Any] = {}
    if task == "make":
        make(path, model)
        found["made"] = state()
    else:
        look(path, model)
        found["opened"] = state()
        bpy.ops.blendshapes.update()
        found["updated"] = state()
        bpy.ops.blendshapes.remove()
        found["removed"] = [
            block.name for block in bpy.data.objects["Body"].data.shape_keys.key_blocks
        ]
    addon("job.session").backend.stop()
    root.unregister()
    Path(seen).write_text(json.dumps(found), encoding="utf-8")


main()
