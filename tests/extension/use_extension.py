# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user does with the zip, in a Blender of its own: first `install` and generate, then
`again` in a new process. Prints JSON.

python use_extension.py install|again ZIP FILE.blend [OFFSETS.npz]
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy
import numpy as np

from scripts.bench import blender_profile
from scripts.samples.object import add_sample_head


def state(ob: bpy.types.Object) -> dict[str, object]:
    """Names, values and how many vertices each key moves."""
    keys = ob.data.shape_keys
    base = np.empty(len(ob.data.vertices) * 3, np.float32)
    keys.reference_key.points.foreach_get("co", base)
    moved = {}
    for key in keys.key_blocks:
        flat = np.empty_like(base)
        key.points.foreach_get("co", flat)
        moved[key.name] = int((flat != base).reshape(-1, 3).any(axis=1).sum())
    return {
        "names": [k.name for k in keys.key_blocks],
        "values": [k.value for k in keys.key_blocks],
        "moved": moved,
        "vertices": len(ob.data.vertices),
    }


def write_offsets(ob: bpy.types.Object, path: str) -> None:
    """The generated keys as names (N,) and deltas float32 (N,V,3)."""
    keys = ob.data.shape_keys.key_blocks
    points = np.empty((len(keys), len(ob.data.vertices) * 3), np.float32)
    for row, key in enumerate(keys):
        key.points.foreach_get("co", points[row])
    np.savez(
        path,
        names=[key.name for key in keys[1:]],
        deltas=(points[1:] - points[0]).reshape(len(keys) - 1, -1, 3),
    )


def hello_versions() -> dict[str, str]:
    """What the child says of itself."""
    hello = importlib.import_module(
        f"{blender_profile.EXTENSION}.blendshape_addon.job.session"
    ).backend.hello
    return {} if hello is None else dict(hello["versions"])


def main() -> None:
    task, archive, blend = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if task == "install":
        bpy.ops.wm.read_factory_settings(use_empty=True)
        blender_profile.install(archive)
        ob = add_sample_head()
    else:
        import addon_utils

        bpy.ops.wm.open_mainfile(filepath=blend)
        addon_utils.enable(blender_profile.EXTENSION, default_set=True)
        ob = bpy.data.objects["SampleHead"]
        bpy.context.view_layer.objects.active = ob
    result = bpy.ops.blendshapes.generate(sets={"arkit", "vrchat"})
    if len(sys.argv) > 4:
        write_offsets(ob, sys.argv[4])
    versions = {"blender": bpy.app.version_string, **hello_versions()}
    report = {
        "versions": versions,
        "result": list(result),
        "runtime_in_blender": "onnxruntime" in sys.modules,
        **state(ob),
    }
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    import psutil  # one of the zip's wheels: gone with the extension

    bpy.ops.preferences.addon_disable(module=blender_profile.EXTENSION)
    report["children_left"] = len(
        [c for c in psutil.Process().children(recursive=True) if c.status() != psutil.STATUS_ZOMBIE]
    )
    print("REPORT" + json.dumps(report))


if __name__ == "__main__":
    main()
