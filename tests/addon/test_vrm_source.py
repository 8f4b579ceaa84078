# SPDX-License-Identifier: GPL-3.0-or-later
"""A .vrm that Blender imports, with keys that were made there: the file that is written moves as
Blender's mesh does, whatever the importer did to vertices and axes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import scene_files
from blendshape_auto_generator.blendshape_addon.blender_io.vrm_source import VrmSource
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import session
from fixtures.meshes import figure
from fixtures.vrm_file import OWN_KEY, build

VERSIONS = pytest.mark.parametrize("old", [False, True], ids=["1.0", "0.x"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "avatar.vrm")


def write(path: Path, old: bool = False) -> Path:
    mesh = figure(8, 12)
    path.write_bytes(build(mesh.vertices, mesh.triangles, old, normals=True))
    return path


def keys_of(ob: Any) -> dict[str, Any]:
    """Offsets of each key, float32 (V,3)."""
    found = {}
    for block in ob.data.shape_keys.key_blocks:
        points = np.empty((len(block.points), 3), np.float32)
        block.points.foreach_get("co", points.reshape(-1))
        found[block.name] = points
    return {name: points - found["Basis"] for name, points in found.items() if name != "Basis"}


def add_keys(ob: Any, *names: str) -> None:
    """Keys that move one half, each vertex its own way."""
    ways = np.random.default_rng(5).normal(0, 0.01, (len(ob.data.vertices), 3))
    for number, name in enumerate(names):
        if ob.data.shape_keys is None:
            ob.shape_key_add(name="Basis")
        block = ob.shape_key_add(name=name, from_mix=False)
        for vertex, way in zip(block.points, ways, strict=True):
            if vertex.co.x > 0:
                vertex.co += bpy_vector(way * (number + 1))


def bpy_vector(values: Any) -> Any:
    from mathutils import Vector

    return Vector(values.tolist())


@VERSIONS
def test_keys_made_in_blender_come_back_from_the_file(tmp_path: Path, old: bool) -> None:
    path = write(tmp_path / "avatar.vrm", old)
    source = VrmSource(path)
    scene_files.read_scene(path, source)
    face, body = bpy.data.objects["Face"], bpy.data.objects["Body"]
    add_keys(face, "jawOpen", "smile")
    add_keys(body, "jawOpen")
    wanted = {"Face": keys_of(face), "Body": keys_of(body)}
    data, bound = source.written({"Face": ["jawOpen", "smile"], "Body": ["jawOpen"]})
    (tmp_path / "again.vrm").write_bytes(data)
    scene_files.read_scene(tmp_path / "again.vrm")
    for name, keys in wanted.items():
        found = keys_of(bpy.data.objects[name])
        assert list(found) == list(keys)
        for key in keys:
            assert np.abs(found[key] - keys[key]).max() < 1e-6 and keys[key].any()
    assert bound.made == ("jawOpen",) and bound.kept == ("aa",)


def test_the_axes_of_the_file_are_not_those_of_blender(path: Path) -> None:
    """So that the test above is one: a rotation alone would not bring the vertices back."""
    source = VrmSource(path)
    scene_files.read_scene(path, source)
    axes = source._meshes[bpy.data.objects["Face"].data.name].axes
    assert np.abs(axes - axes[0]).max() < 1e-4 and np.abs(axes[0] - np.eye(3)).max() > 0.5


def test_the_import_is_the_same_with_numbers(path: Path) -> None:
    def seen() -> dict[str, Any]:
        found = {}
        for ob in bpy.data.objects:
            if ob.type == "MESH":
                points = np.empty((len(ob.data.vertices), 3), np.float32)
                ob.data.vertices.foreach_get("co", points.reshape(-1))
                keys = [] if ob.data.shape_keys is None else list(keys_of(ob))
                attributes = sorted(one.name for one in ob.data.attributes)
                found[ob.name] = (points.tolist(), keys, attributes)
        return found

    scene_files.read_scene(path)
    before = seen()
    scene_files.read_scene(path, VrmSource(path))
    assert seen() == before and before["Body"][1] == [] and before["Face"][1] == [OWN_KEY]


def test_an_own_key_that_was_written_again_takes_its_place(path: Path) -> None:
    source = VrmSource(path)
    scene_files.read_scene(path, source)
    face = bpy.data.objects["Face"]
    face.data.shape_keys.key_blocks[OWN_KEY].points[0].co.x += 0.5
    wanted = keys_of(face)[OWN_KEY]
    data, _bound = source.written({"Face": [OWN_KEY]})
    path.write_bytes(data)
    scene_files.read_scene(path)
    found = keys_of(bpy.data.objects["Face"])
    assert list(found) == [OWN_KEY] and np.abs(found[OWN_KEY] - wanted).max() < 1e-6


def test_a_mesh_that_lost_vertices_is_told(path: Path) -> None:
    source = VrmSource(path)
    scene_files.read_scene(path, source)
    face = bpy.data.objects["Face"]
    add_keys(face, "jawOpen")
    held = source._meshes[face.data.name]
    held.vertex[:2] = held.vertex[1::-1]  # in another order is no trouble
    assert source.written({"Face": ["jawOpen"]})
    held.vertex[0] = held.vertex[1]  # one twice, and one not at all
    with pytest.raises(AddonError, match="other vertices") as told:
        source.written({"Face": ["jawOpen"]})
    assert told.value.code == "vrm_unmatched"


def test_two_objects_of_one_mesh_cannot_both_have_keys(path: Path) -> None:
    source = VrmSource(path)
    scene_files.read_scene(path, source)
    face = bpy.data.objects["Face"]
    add_keys(face, "jawOpen")
    twin = face.copy()
    twin.data = face.data.copy()
    bpy.context.collection.objects.link(twin)
    source._meshes[twin.data.name] = source._meshes[face.data.name]
    with pytest.raises(AddonError, match="one mesh of the file") as told:
        source.written({face.name: ["jawOpen"], twin.name: ["jawOpen"]})
    assert told.value.code == "vrm_unmatched"


def test_only_a_vrm_becomes_a_vrm(tmp_path: Path) -> None:
    with pytest.raises(AddonError) as told:
        VrmSource(tmp_path / "avatar.glb")
    assert told.value.code == "vrm_needed"


def test_without_the_vrm_add_on_one_sentence_says_so(body: Any, tiny: Path) -> None:
    asked = {"model": str(tiny), "sets": {"vrm1"}, "vrm": "bind"}
    assert bpy.ops.blendshapes.generate(**asked) == {"FINISHED"}
    told = [line for line in session.status.warnings if "VRM add-on" in line]
    assert told == ["The VRM add-on for Blender is not enabled, so no expressions were bound."]
    assert bpy.ops.blendshapes.generate(**{**asked, "vrm": "off"}) == {"FINISHED"}
    assert not [line for line in session.status.warnings if "VRM add-on" in line]
