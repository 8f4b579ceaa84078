# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check and its fixes on real objects, and exports read back."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import key_export, scene_files
from blendshape_auto_generator.blendshape_addon.blender_io.generated import made_by_us
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_arrays import base_coordinates
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from fixtures import scenes
from mathutils import kdtree
from numpy.typing import NDArray

from .conftest import add_figure, add_mesh

operators = importlib.import_module(
    "blendshape_auto_generator.blendshape_addon.ops.vrchat_operators"
)
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
    points[rng.permutation(len(points))[:count]] += (
        rng.normal(size=(count, 3)).astype(np.float32) * 0.01
    )
    key.points.foreach_set("co", points.reshape(-1))


@pytest.fixture
def face(body: Any) -> Any:
    """The figure, called otherwise, with all visemes and some of ARKit's keys."""
    body.name = "Face"
    for number, name in enumerate(
        (*operators.known_sets()["vrchat"], "vrc.v_ee", *operators.known_sets()["arkit"])
    ):
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
    copy.points.foreach_set(
        "co",
        np.array(
            [point.co for point in face.data.shape_keys.key_blocks["jawOpen"].points], np.float32
        ).ravel(),
    )
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
    (bpy.ops.import_scene.fbx if suffix == ".fbx" else bpy.ops.import_scene.gltf)(
        filepath=str(path)
    )
    back = next(ob for ob in bpy.data.objects if ob.type == "MESH" and ob.data.shape_keys)
    assert back.name == "Face"
    after = offsets_of(back)
    assert list(after) == list(before)
    scale = back.matrix_world.to_scale()[0]
    for name, offsets in before.items():
        largest, again = (
            np.linalg.norm(offsets, axis=1).max(),
            np.linalg.norm(after[name], axis=1).max() * scale,
        )
        assert again == pytest.approx(largest, rel=1e-3), name
    rig = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    assert bones <= set(rig.data.bones.keys())


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("suffix", [".glb", ".fbx"])
def test_an_export_leaves_out_what_is_not_the_avatars(
    alone: bool, suffix: str, body: Any, tmp_path: Path
) -> None:
    lamp = bpy.data.objects.new("Stage", bpy.data.meshes["Body"].copy())
    bpy.context.collection.objects.link(lamp)
    lamp.location.x = 9.0
    body.shape_key_add(name="Basis")
    body.shape_key_add(name="jawOpen").points[0].co.z += 0.1
    selected = [ob for ob in bpy.context.view_layer.objects if ob.select_get()]
    path = tmp_path / f"avatar{suffix}"
    assert bpy.ops.blendshapes.export(filepath=str(path), only_avatar=alone) == {"FINISHED"}
    assert [ob for ob in bpy.context.view_layer.objects if ob.select_get()] == selected
    assert bpy.context.object == body
    scene_files.read_scene(path)
    names = {ob.name for ob in bpy.data.objects}
    assert {"Body", "Rig"} <= names and ("Stage" in names) != alone


def test_a_failed_export_is_told_and_leaves_nothing(body: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.blendshapes.export(filepath=str(tmp_path / "missing" / "avatar.fbx"))
    assert not list(tmp_path.iterdir())


def test_without_an_armature() -> None:
    assert "bones" in codes(add_figure(armature=False))


def head(*names: str) -> dict[str, Any]:
    """The sample head in parts on a rig; lash, teeth and eyes with keys of their own, as the
    generator makes them, the face with all of these.
    """
    rig = scenes.add_rig()
    objects = scenes.add_head(("lash", "teeth", "eye"))
    for ob in objects.values():
        scenes.skin(ob, rig)
    for number, name in enumerate(names):
        for ob in objects.values():
            add_key(ob, name, number, 12)
    objects["Face"].name = "Body"
    scenes.activate(objects["Face"])
    return objects


def seen_at(objects: dict[str, Any], name: str | None) -> Floats:
    """Where all vertices of all objects are seen with a key at 1, sorted: joining changes their
    order.
    """
    blocks = [
        ob.data.shape_keys.key_blocks[name]
        for ob in objects.values()
        if name and ob.data.shape_keys and name in ob.data.shape_keys.key_blocks
    ]
    for block in blocks:
        block.value = 1.0
    points = np.concatenate([scenes.seen(ob) for ob in objects.values()])
    for block in blocks:
        block.value = 0.0
    return points


def alike(first: Floats, second: Floats) -> bool:
    """Whether two clouds of points are one, whatever their order."""
    tree = kdtree.KDTree(len(first))
    for index, point in enumerate(first):
        tree.insert(point, index)
    tree.balance()
    return len(first) == len(second) and max(tree.find(point)[2] for point in second) < 1e-5


def plain(objects: dict[str, Any]) -> None:
    """As it is."""


def other_basis(objects: dict[str, Any]) -> None:
    for name in ("lash", "teeth"):
        objects[name].data.shape_keys.reference_key.name = "\u57fa\u6e96"


def on_a_bone(objects: dict[str, Any]) -> None:
    teeth = objects["teeth"]
    teeth.modifiers.clear()
    teeth.vertex_groups.clear()
    teeth.parent = None
    scenes.hang(teeth, bpy.data.objects["Rig"])
    bpy.data.objects["Rig"].pose.bones["Head"].rotation_mode = "XYZ"
    bpy.data.objects["Rig"].pose.bones["Head"].rotation_euler.x = 0.4


def masked_part(objects: dict[str, Any]) -> None:
    lash = objects["lash"]
    lash.vertex_groups.new(name="Some").add(list(range(10)), 1.0, "REPLACE")
    lash.data.shape_keys.key_blocks["jawOpen"].vertex_group = "Some"


def mirrored_part(objects: dict[str, Any]) -> None:
    for corner in objects["EyeL"].data.vertices:
        corner.co.x = -corner.co.x
    for block in objects["EyeL"].data.shape_keys.key_blocks:
        for point in block.points:
            point.co.x = -point.co.x
    objects["EyeL"].data.flip_normals()
    objects["EyeL"].scale.x = -1


def in_edit_mode(objects: dict[str, Any]) -> None:
    scenes.activate(objects["lash"])
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.view_layer.objects.active = objects["Face"]


@pytest.mark.parametrize(
    "how", [plain, other_basis, on_a_bone, masked_part, mirrored_part, in_edit_mode]
)
def test_parts_are_joined_and_look_as_before_at_every_key(how: Any) -> None:
    objects = head("jawOpen", "eyeBlinkLeft")
    how(objects)
    assert "parts" in codes(objects["Face"])
    in_edit = objects["lash"].mode == "EDIT"
    before = (
        {}
        if in_edit
        else {name: seen_at(objects, name) for name in (None, "jawOpen", "eyeBlinkLeft")}
    )
    normals = outwards(objects)
    assert fix("parts") == {"FINISHED"}
    assert {ob.name for ob in bpy.data.objects if ob.type == "MESH"} == {
        "Body"
    } and "parts" not in codes(bpy.context.object)
    joined = {"Face": bpy.context.object}
    assert [block.name for block in joined["Face"].data.shape_keys.key_blocks] == [
        "Basis",
        "jawOpen",
        "eyeBlinkLeft",
    ]
    for name, points in before.items():
        assert alike(points, seen_at(joined, name)), name
    assert outwards(joined) == pytest.approx(normals, rel=1e-3), "no face is turned inside out"


def outwards(objects: dict[str, Any]) -> float:
    """Twice the volume of all objects, by the faces' winding, in the world."""
    total = 0.0
    for ob in objects.values():
        mesh, matrix = ob.data, np.array(ob.matrix_world)
        mesh.calc_loop_triangles()
        points = scenes.coordinates(ob) @ matrix[:3, :3].T + matrix[:3, 3]
        corners = points[np.array([list(t.vertices) for t in mesh.loop_triangles])]
        volume = float(np.linalg.det(corners).sum())
        total += volume if ob.matrix_world.determinant() > 0 else -volume
    return total


def test_what_was_generated_stays_the_add_on_s_own_when_parts_are_joined_and_keys_renamed() -> None:
    objects = scenes.add_head(("lash", "eye"))
    for ob in objects.values():
        ob.parent = None if ob.name == "Face" else objects["Face"]
    objects["Face"].name = "Body"
    scenes.generate(objects["Face"], naming="suffix")
    fix("parts")
    assert len([ob for ob in bpy.data.objects if ob.type == "MESH"]) == 1
    fix("name_case")
    face = bpy.context.object
    ours = made_by_us(face, base_coordinates(face))
    assert (
        ours
        == set(operators.known_sets()["arkit"])
        == {block.name for block in face.data.shape_keys.key_blocks[1:]}
    )


def test_what_cannot_be_joined_is_left_and_said() -> None:
    objects = head("jawOpen")
    objects["lash"].modifiers.new("Mirror", "MIRROR")
    other = scenes.add_rig()
    objects["teeth"].modifiers["Armature"].object = other
    objects["teeth"].blendshapes.part = "TEETH"
    scenes.activate(objects["Face"])
    finding = next(found for found in operators.look(objects["Face"]) if found.code == "parts")
    told = operators.mend(objects["Face"], finding)
    assert (
        "2 parts are now in Body" in told
        and "lash was left: it has the modifier 'Mirror'" in told
        and "teeth was left: it hangs on" in told
    )
    assert {ob.name for ob in bpy.data.objects if ob.type == "MESH"} == {"Body", "lash", "teeth"}


def test_where_nothing_can_be_joined_it_is_an_error() -> None:
    objects = head("jawOpen")
    for name in ("lash", "teeth", "EyeL", "EyeR"):
        objects[name].modifiers.new("Mirror", "MIRROR")
    with pytest.raises(
        RuntimeError, match=r"Nothing was joined; .*lash was left: it has the modifier 'Mirror'"
    ):
        fix("parts")
    assert len([ob for ob in bpy.data.objects if ob.type == "MESH"]) == 5


def test_joining_is_one_undo() -> None:
    head("jawOpen")
    bpy.ops.ed.undo_push(message="before")
    fix("parts")
    bpy.ops.ed.undo_push(message="joined")
    bpy.ops.ed.undo()
    assert {ob.name for ob in bpy.data.objects if ob.type == "MESH"} == {
        "Body",
        "lash",
        "teeth",
        "EyeL",
        "EyeR",
    }


def test_parts_without_a_parent_are_looked_at_before_anything_is_generated() -> None:
    objects = scenes.add_head(("lash", "teeth"))
    for number, ob in enumerate(objects.values()):
        add_key(ob, "jawOpen", number, 12)
    away = scenes.add("Away", scenes.coordinates(objects["lash"]) + 5, [(0, 1, 2)])
    add_key(away, "jawOpen", 1, 12)
    scenes.activate(objects["Face"])
    assert next(found.on for found in operators.look(objects["Face"]) if found.code == "parts") == (
        "lash",
        "teeth",
    )


def test_keys_of_other_objects_are_renamed_with_the_face_s(face: Any) -> None:
    lash = add_mesh("Lash", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    lash.parent = face.parent
    add_key(lash, "jaw_Open", 1, 3)
    face.data.shape_keys.key_blocks["jawOpen"].name = "jaw_Open"
    bpy.context.view_layer.objects.active = face
    fix("name_case")
    assert (
        "jawOpen" in face.data.shape_keys.key_blocks
        and "jawOpen" in lash.data.shape_keys.key_blocks
    )


def muted(face: Any) -> None:
    (
        face.data.shape_keys.key_blocks["jawOpen"].mute,
        face.data.shape_keys.key_blocks["jawOpen"].value,
    ) = True, 0.5


def masked(face: Any) -> None:
    face.data.shape_keys.key_blocks["jawOpen"].vertex_group = "Hips"


def relative(face: Any) -> None:
    face.data.shape_keys.key_blocks["jawOpen"].relative_key = face.data.shape_keys.key_blocks[
        "mouthLeft"
    ]


def absolute(face: Any) -> None:
    face.data.shape_keys.use_relative = False


def pinned(face: Any) -> None:
    face.show_only_shape_key = True


def narrow(face: Any) -> None:
    face.data.shape_keys.key_blocks["jawOpen"].slider_max = 0.5


def hidden(face: Any) -> None:
    face.hide_set(True)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (muted, "muted"),
        (masked, "masked"),
        (relative, "relative"),
        (absolute, "absolute"),
        (pinned, "pinned"),
        (narrow, "range"),
        (hidden, "hidden"),
    ],
)
def test_what_keeps_keys_back_is_found_and_mended(face: Any, how: Any, code: str) -> None:
    assert code not in codes(face)
    how(face)
    looked = None if code in ("absolute", "hidden") else scenes.seen(face)
    assert code in codes(face)
    assert fix(code) == {"FINISHED"}
    assert code not in codes(face)
    assert looked is None or np.array_equal(scenes.seen(face), looked), "it looks as before"


@pytest.mark.parametrize("by", ["exclude", "hide_viewport"])
def test_a_mesh_in_a_hidden_collection_is_said_and_its_fix_says_what_to_do(
    face: Any, by: str
) -> None:
    shelf = bpy.data.collections.new("Shelf")
    bpy.context.scene.collection.children.link(shelf)
    shelf.objects.link(face)
    bpy.context.scene.collection.objects.unlink(face)
    setattr(bpy.context.view_layer.layer_collection.children["Shelf"], by, True)
    bpy.context.view_layer.update()
    finding = next(found for found in operators.look(face) if found.code == "hidden")
    with pytest.raises(AddonError, match="in a collection that is hidden"):
        operators.mend(face, finding)


def test_drivers_locks_and_hidden_parts_are_said(face: Any) -> None:
    face.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.5"
    face.data.shape_keys.key_blocks["mouthLeft"].lock_shape = True
    old = add_mesh("Old", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    old.parent = face.parent
    old.hide_viewport = True
    bpy.context.view_layer.objects.active = face
    bpy.context.view_layer.update()
    assert {"driven", "locked", "hidden_parts", "values"} <= codes(face)
    assert next(found for found in operators.look(face) if found.code == "values").fix == ""


def test_two_armatures_and_twins_are_said(face: Any) -> None:
    assert not {"armatures", "same_mesh"} & codes(face)
    dress = add_mesh("Dress", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    scenes.skin(dress, scenes.add_rig())
    twin = face.copy()
    bpy.context.scene.collection.objects.link(twin)
    scenes.activate(face)
    assert {"armatures", "same_mesh"} <= codes(face)
    for ob in (dress, twin):
        ob.hide_set(True)
    assert not {"armatures", "same_mesh"} & codes(face), "what is hidden is not exported"


def test_the_export_tells_what_it_wrote_and_what_not(face: Any, tmp_path: Path) -> None:
    face.modifiers.new("Two", "SOLIDIFY")
    assert bpy.ops.blendshapes.export(filepath=str(tmp_path / "avatar.glb")) == {"FINISHED"}
    assert key_export.exported(key_export.visible_meshes()) == "Face with 68 shape keys"
    assert key_export.lost() == [
        "Modifiers are not exported, since with them shape keys are lost: 'Two' of 'Face'."
    ]
