# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check and its fixes on real objects, and exports read back."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from .conftest import add_figure, add_mesh

operators = importlib.import_module("blendshape_auto_generator.blendshape_addon.vrchat_operators")
Floats = NDArray[np.float32]


def offsets_of(ob: Any) -> dict[str, Floats]:
    """Offsets (V,3) of every key but the reference."""
    base = np.empty(3 * len(ob.data.vertices), np.float32)
    ob.data.shape_keys.reference_key.points.foreach_get("co", base)
    found = {}
    for key in ob.data.shape_keys.key_blocks[1:]:
        points = np.empty_like(base)
        key.points.foreach_get("co", points)
        found[key.name] = (points - base).reshape(-1, 3)
    return found


def add_key(ob: Any, name: str, seed: int, count: int = 40) -> None:
    """A key that moves some vertices."""
    if ob.data.shape_keys is None:
        ob.shape_key_add(name="Basis", from_mix=False)
    key = ob.shape_key_add(name=name, from_mix=False)
    key.value = 0.0
    rng = np.random.default_rng(seed)
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    key.points.foreach_get("co", points.reshape(-1))
    points[rng.permutation(len(points))[:count]] += rng.normal(size=(count, 3)).astype(np.float32) * 0.01
    key.points.foreach_set("co", points.reshape(-1))


@pytest.fixture
def face(body: Any) -> Any:
    """The figure, called otherwise, with all visemes and some of ARKit's keys."""
    body.name = "Face"
    for number, name in enumerate((*operators.known_sets()["vrchat"], "vrc.v_ee", *operators.known_sets()["arkit"])):
        add_key(body, name, number)
    return body


def codes(ob: Any) -> set[str]:
    """What is found that is not `ok`."""
    return {finding.code for finding in operators.look(ob) if finding.level != "ok"}


def fix(code: str = "") -> set[str]:
    return set(bpy.ops.blendshapes.vrchat_fix(code=code))


def test_one_click_finds_and_the_fix_renames_the_mesh(face: Any) -> None:
    assert bpy.ops.blendshapes.vrchat_check() == {"FINISHED"}
    assert codes(face) == {"mesh_name", "jaw_bone"}
    assert fix("mesh_name") == {"FINISHED"}
    assert face.name == "Body"
    assert codes(face) == {"jaw_bone"}


def test_another_body_gives_way(face: Any) -> None:
    other = add_mesh("Body", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    bpy.context.view_layer.objects.active = face
    fix("mesh_name")
    assert (face.name, other.name) == ("Body", "Body_2")


def test_wrong_case_is_corrected_and_drivers_follow(face: Any) -> None:
    face.data.shape_keys.key_blocks["jawOpen"].name = "jawopen"
    face.data.shape_keys.key_blocks["jawopen"].driver_add("value")
    assert "name_case" in codes(face)
    fix("name_case")
    assert "jawOpen" in face.data.shape_keys.key_blocks
    assert face.data.shape_keys.animation_data.drivers[0].data_path == 'key_blocks["jawOpen"].value'


def test_copies_are_removed_and_others_kept(face: Any) -> None:
    add_key(face, "Fang", 500)
    before = offsets_of(face)
    copy = face.shape_key_add(name="jawOpen.001", from_mix=False)
    copy.points.foreach_set("co", np.array([point.co for point in face.data.shape_keys.key_blocks["jawOpen"].points], np.float32).ravel())
    fix("duplicates")
    after = offsets_of(face)
    assert list(after) == list(before)
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_an_empty_silence_moves_a_little_and_nothing_else_changes(face: Any) -> None:
    reference = face.data.shape_keys.reference_key
    points = np.empty(3 * len(face.data.vertices), np.float32)
    reference.points.foreach_get("co", points)
    face.data.shape_keys.key_blocks["vrc.v_sil"].points.foreach_set("co", points)
    before = offsets_of(face)
    assert "visemes_empty" in codes(face)
    fix("visemes_empty")
    after = offsets_of(face)
    assert 0 < np.abs(after.pop("vrc.v_sil")).max() < 1e-4
    assert all(np.array_equal(points, before[name]) for name, points in after.items())
    assert "visemes_empty" not in codes(face)


def test_alias_and_values(face: Any) -> None:
    face.shape_key_remove(face.data.shape_keys.key_blocks["vrc.v_ee"])
    face.data.shape_keys.key_blocks["jawOpen"].value = 0.5
    assert {"viseme_alias", "values"} <= codes(face)
    fix("viseme_alias")
    fix("values")
    assert np.array_equal(offsets_of(face)["vrc.v_ee"], offsets_of(face)["vrc.v_e"])
    assert face.data.shape_keys.key_blocks["jawOpen"].value == 0
    assert not {"viseme_alias", "values"} & codes(face)


def test_dust_is_set_to_exact_zero(face: Any) -> None:
    key = face.data.shape_keys.key_blocks["jawOpen"]
    before = offsets_of(face)["jawOpen"]
    points = np.empty((len(face.data.vertices), 3), np.float32)
    key.points.foreach_get("co", points.reshape(-1))
    points[~before.any(axis=1), 0] += np.float32(5e-7)
    key.points.foreach_set("co", points.reshape(-1))
    assert "dust" in codes(face)
    fix("dust")
    moved = before.any(axis=1)
    assert np.array_equal(offsets_of(face)["jawOpen"][~moved], np.zeros_like(before[~moved]))
    assert np.array_equal(offsets_of(face)["jawOpen"][moved], before[moved])


def test_fix_all_and_one_undo_takes_it_back(face: Any) -> None:
    face.data.shape_keys.key_blocks["jawOpen"].name = "JAWOPEN"
    bpy.ops.ed.undo_push(message="before")
    assert fix() == {"FINISHED"}
    assert codes(bpy.context.object) == {"jaw_bone"}
    bpy.ops.ed.undo_push(message="fixed")
    bpy.ops.ed.undo()
    assert bpy.context.object.name == "Face"
    assert "JAWOPEN" in bpy.context.object.data.shape_keys.key_blocks


def test_triangles_are_those_of_the_avatar_with_its_modifiers(face: Any) -> None:
    alone = operators.facts(face).triangles
    hair = add_mesh("Hair", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    hair.parent = face.parent
    add_mesh("Table", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    bpy.context.view_layer.objects.active = face
    assert operators.facts(face).triangles == alone + 1
    hair.modifiers.new("Subsurf", "SUBSURF").levels = 1
    assert operators.facts(face).triangles == alone + 6
    assert operators.facts(hair).modifiers == ("Subsurf",)


def test_the_check_survives_a_mesh_without_anything() -> None:
    add_mesh("Empty", [], [])
    assert bpy.ops.blendshapes.vrchat_check() == {"FINISHED"}


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_an_export_keeps_every_key(suffix: str, face: Any, tmp_path: Path) -> None:
    """Every key comes back with the movement that it had, read by Blender's own importer."""
    before = offsets_of(face)
    bones = set(face.parent.data.bones.keys())
    path = tmp_path / f"avatar{suffix}"
    assert bpy.ops.blendshapes.export(filepath=str(path)) == {"FINISHED"}
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    (bpy.ops.import_scene.fbx if suffix == ".fbx" else bpy.ops.import_scene.gltf)(filepath=str(path))
    back = next(ob for ob in bpy.data.objects if ob.type == "MESH" and ob.data.shape_keys)
    assert back.name == "Face"
    after = offsets_of(back)
    assert list(after) == list(before)
    scale = back.matrix_world.to_scale()[0]
    for name, offsets in before.items():
        largest, again = np.linalg.norm(offsets, axis=1).max(), np.linalg.norm(after[name], axis=1).max() * scale
        assert again == pytest.approx(largest, rel=1e-3), name
    rig = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    assert bones <= set(rig.data.bones.keys())


def test_a_failed_export_is_told_and_leaves_nothing(body: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.blendshapes.export(filepath=str(tmp_path / "missing" / "avatar.fbx"))
    assert not list(tmp_path.iterdir())


def test_without_an_armature() -> None:
    assert "bones" in codes(add_figure(armature=False))
