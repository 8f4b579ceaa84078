# SPDX-License-Identifier: GPL-3.0-or-later
"""The export by where the file goes: one choice says its format, scale and normals."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import file_export, vrm_addon
from blendshape_auto_generator.blendshape_addon.ops.export_operator import BLENDSHAPES_OT_export
from blendshape_auto_generator.blendshape_addon.vrm.glb import objects, parse
from fixtures.scenes import activate, add


@pytest.fixture
def face() -> Any:
    ob = add("Body", [(x, y, 0) for x in range(4) for y in (0, 1)], [(0, 1, 2), (1, 3, 2)])
    ob.shape_key_add(name="Basis", from_mix=False)
    ob.shape_key_add(name="jawOpen", from_mix=False).points[0].co.z = 1.0
    activate(ob)
    return ob


@pytest.mark.parametrize(
    ("kind", "name", "written"),
    [
        ("unity", "avatar", "avatar.fbx"),
        ("unity", "avatar.glb", "avatar.fbx"),
        ("resonite", "my.avatar", "my.avatar.glb"),
        ("gltf", "avatar.FBX", "avatar.glb"),
        ("name", "avatar", "avatar.fbx"),
        ("name", "avatar.GLB", "avatar.GLB"),
    ],
)
def test_the_choice_says_the_format(
    face: Any, kind: str, name: str, written: str, tmp_path: Path
) -> None:
    done = bpy.ops.blendshapes.export(filepath=str(tmp_path / name), kind=kind)
    assert done == {"FINISHED"} and [file.name for file in tmp_path.iterdir()] == [written]


@pytest.mark.parametrize("kind", ["resonite", "gltf"])
def test_keys_have_normals_where_they_are_wanted(face: Any, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "avatar.glb"
    assert bpy.ops.blendshapes.export(filepath=str(path), kind=kind) == {"FINISHED"}
    (mesh,) = objects(parse(path.read_bytes()).content, "meshes")
    (target,) = mesh["primitives"][0]["targets"]
    assert ("NORMAL" in target) == (kind == "gltf")


def test_a_vrm_needs_the_vrm_addon(face: Any, tmp_path: Path) -> None:
    assert not vrm_addon.enabled()
    for options in ({"kind": "vrm"}, {}):
        with pytest.raises(RuntimeError, match=r"VRM add-on for Blender, which writes \.vrm"):
            bpy.ops.blendshapes.export(filepath=str(tmp_path / "avatar.vrm"), **options)
    assert not list(tmp_path.iterdir())


def test_the_dialog_names_the_file_as_the_choice_asks() -> None:
    operator: Any = BLENDSHAPES_OT_export
    asked: Any = SimpleNamespace(filepath="/a/avatar.blend.fbx", kind="resonite")
    asked._named = lambda path: operator._named(asked, path)
    assert operator.check(asked, bpy.context) and asked.filepath == "/a/avatar.blend.glb"
    assert not operator.check(asked, bpy.context)


def test_each_kind_is_offered_once() -> None:
    names = [kind.name for kind in file_export.KINDS]
    assert len(set(names)) == len(names) and file_export.BY_NAME not in names
