# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and objects as they should not be, in a Blender of its own; prints REPORT and JSON. python
strange_files.py MODEL FOLDER
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import bpy  # noqa: E402
import numpy as np  # noqa: E402
from fixtures.meshes import figure  # noqa: E402

from scripts.generate import ALIAS, load_extension  # noqa: E402

extension = load_extension()
extension.register()
session = importlib.import_module(f"{ALIAS}.blendshape_addon.job.session")
importing = importlib.import_module(f"{ALIAS}.blendshape_addon.blender_io.importing")
scene_files = importlib.import_module(f"{ALIAS}.blendshape_addon.blender_io.scene_files")
AddonError = importlib.import_module(f"{ALIAS}.blendshape_addon.errors").AddonError
MODEL, FOLDER = sys.argv[1], Path(sys.argv[2])
LONG = "名" * 100  # 300 bytes


def add_figure(name: str = "Body") -> bpy.types.Object:
    shape = figure()
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(shape.vertices.tolist(), [], shape.triangles.tolist())
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    assert shape.head_weights is not None
    ob.vertex_groups.new(name="Head").add(
        np.flatnonzero(shape.head_weights).tolist(), 1.0, "REPLACE"
    )
    return ob


def fresh() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def click() -> str:
    """FINISHED, or the sentence that the user reads."""
    try:
        return "".join(bpy.ops.blendshapes.generate(sets={"arkit"}, model=MODEL))
    except RuntimeError as error:
        return str(error).strip().splitlines()[-1]


def files_cut_short() -> dict[str, Any]:
    """Read each file at a dozen lengths and with bytes turned over; what came of it, and the
    slowest.
    """
    fresh()
    add_figure()
    whole = {suffix: FOLDER / f"whole{suffix}" for suffix in (".blend", ".glb", ".fbx", ".obj")}
    bpy.ops.wm.save_as_mainfile(filepath=str(whole[".blend"]), copy=True, compress=False)
    for name in ("io_scene_fbx", "io_scene_gltf2"):
        importing.with_addon(name)
    bpy.ops.export_scene.gltf(filepath=str(whole[".glb"]), export_format="GLB")
    bpy.ops.export_scene.fbx(filepath=str(whole[".fbx"]))
    bpy.ops.wm.obj_export(filepath=str(whole[".obj"]))
    (FOLDER / "whole.vrm").write_bytes(whole[".glb"].read_bytes())
    dice = random.Random(4)  # noqa: S311  (the same files in every run)
    told: dict[str, int] = {}
    unknown, slowest = [], 0.0
    for path in sorted(FOLDER.glob("whole.*")):
        data = path.read_bytes()
        cases = [data[: len(data) * part // 8] for part in range(8)]
        cases += [data[:-1], b"", b"\0" * 4096]
        if path.suffix in (".glb", ".vrm", ".obj", ".fbx"):
            for _ in range(4):
                other = bytearray(data)
                for _ in range(8):
                    other[dice.randrange(len(other))] = dice.randrange(256)
                cases.append(bytes(other))
        for number, case in enumerate(cases):
            broken = FOLDER / f"broken{path.suffix}"
            broken.write_bytes(case)
            began = time.perf_counter()
            try:
                scene_files.read_scene(broken)
                code = "read"
            except AddonError as error:
                code = error.code
            except Exception as error:
                code = "unknown"
                unknown.append(f"{path.suffix} {number}: {type(error).__name__}: {error}")
            slowest = max(slowest, time.perf_counter() - began)
            told[code] = told.get(code, 0) + 1
    return {"told": told, "unknown": unknown, "slowest": slowest}


def names() -> dict[str, str]:
    """Objects, groups and keys with names of all kinds."""
    found = {}
    for name in (
        "名前の長いメッシュ",
        "🦊🐾",
        "a/b\\c:d*e?",
        "  ",
        "%s{0}$(x)`x`",
        LONG,
        "'; DROP TABLE",
        "\u202eevil",
        "x" * 300,
    ):
        fresh()
        ob = add_figure(name)
        ob.shape_key_add(name="Basis")
        ob.shape_key_add(name=name)
        ob.vertex_groups.new(name=name)
        before = len(ob.data.shape_keys.key_blocks)
        found[name] = click() if before == 2 else "?"
        if len(ob.data.shape_keys.key_blocks) != before + 52:
            found[name] += f" {len(ob.data.shape_keys.key_blocks)} keys"
    return found


def soup() -> dict[str, Any]:
    """A thousand keys of the user's, some muted, locked, relative to others; all are as before."""
    fresh()
    ob = add_figure()
    ob.shape_key_add(name="Basis")
    for number in range(1000):
        key = ob.shape_key_add(name=f"Key {number}", from_mix=False)
        key.mute = number % 3 == 0
        key.value = 0.5
        key.relative_key = ob.data.shape_keys.key_blocks[number // 2]
    blocks = ob.data.shape_keys.key_blocks
    before = [(key.name, key.mute, key.value, key.relative_key.name) for key in blocks]
    result = click()
    after = [(key.name, key.mute, key.value, key.relative_key.name) for key in blocks][
        : len(before)
    ]
    return {"result": result, "unchanged": before == after, "keys": len(blocks)}


def tiny_objects() -> dict[str, str]:
    """Meshes of next to nothing."""
    found = {}
    shapes = {
        "nothing": ([], []),
        "a point": ([(0, 0, 0)], []),
        "a triangle": ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)]),
        "points": ([(i, 0, 0) for i in range(9)], []),
    }
    for name, (vertices, faces) in shapes.items():
        fresh()
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(vertices, [], faces)
        ob = bpy.data.objects.new(name, mesh)
        bpy.context.collection.objects.link(ob)
        bpy.context.view_layer.objects.active = ob
        found[name] = click()
        assert ob.data.shape_keys is None
    return found


def main() -> None:
    report = {"names": names(), "soup": soup(), "tiny": tiny_objects(), "files": files_cut_short()}
    extension.unregister()
    print("REPORT" + json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
