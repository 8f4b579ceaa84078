# SPDX-License-Identifier: GPL-3.0-or-later
"""Eye bones where an avatar has none: asked for, in the eyes, with the eyeballs' weights."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import eye_bones
from blendshape_auto_generator.blendshape_addon.ops import vrchat_operators as operators
from fixtures.scenes import EYES, activate, add_head, head

from scripts.samples.head_skin import MATERIALS


def eyeball(side: int) -> Any:
    """Numbers of the vertices of an eye of the sample head. side: 1 for the left, -1."""
    whole = head()
    found = {
        int(index)
        for polygon, number in zip(whole.polygons, whole.material, strict=True)
        if MATERIALS[int(number)] in EYES and whole.vertices[polygon].mean(axis=0)[0] * side > 0
        for index in polygon
    }
    return np.array(sorted(found))


def rig_of(face: Any, *others: Any) -> Any:
    """An armature with a head, which deforms all of them."""
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    rig.location, rig.scale = (0.1, 0.2, 0.3), (2, 2, 2)
    bpy.context.view_layer.update()
    activate(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("Head")
    bone.tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    for ob in (face, *others):
        ob.vertex_groups.new(name="Head").add(range(len(ob.data.vertices)), 1.0, "REPLACE")
        ob.modifiers.new("Armature", "ARMATURE").object = rig
    activate(face)
    return rig


def add_looks(ob: Any, rows: dict[str, Any]) -> None:
    """The looks inwards, and what else follows a little: everything within 3 cm of the eye."""
    ob.shape_key_add(name="Basis", from_mix=False)
    places = np.array([vertex.co for vertex in ob.data.vertices])
    for side, eye in rows.items():
        block = ob.shape_key_add(name=f"eyeLookIn{side}", from_mix=False)
        block.value = 0.0
        if not len(eye):
            continue
        near = np.linalg.norm(places - places[eye].mean(axis=0), axis=1) < 0.03
        for number in np.flatnonzero(near):
            block.points[number].co.x += 0.001
        for number in eye:
            block.points[number].co.x += 0.01


@pytest.fixture
def face() -> Any:
    """The sample head in one object, skinned to a head bone that is not where the object is."""
    ob = add_head()["Face"]
    # Face holds the vertices that its polygons use, in their order, which for one object is all
    add_looks(ob, {"Left": eyeball(1), "Right": eyeball(-1)})
    rig_of(ob)
    return ob


def codes(ob: Any) -> set[str]:
    return {finding.code for finding in operators.look(ob) if finding.level == "warning"}


def weights(ob: Any, group: str) -> Any:
    index = ob.vertex_groups[group].index
    return {
        vertex.index
        for vertex in ob.data.vertices
        for entry in vertex.groups
        if entry.group == index and entry.weight == 1.0
    }


def test_bones_stand_in_the_eyes_and_hold_them_alone(face: Any) -> None:
    assert "bones" in codes(face)
    assert bpy.ops.blendshapes.vrchat_fix(code="bones") == {"FINISHED"}
    assert "bones" not in codes(face)
    rig = face.modifiers["Armature"].object
    places = np.array([face.matrix_world @ vertex.co for vertex in face.data.vertices])
    for name, side in (("LeftEye", 1), ("RightEye", -1)):
        bone, eye = rig.data.bones[name], eyeball(side)
        assert bone.parent.name == "Head" and bone.use_deform and not bone.use_connect
        centre = np.array(rig.matrix_world @ bone.head_local)
        box = places[eye]
        assert (box.min(axis=0) < centre).all() and (centre < box.max(axis=0)).all()
        up = rig.matrix_world @ bone.tail_local - rig.matrix_world @ bone.head_local
        assert up.normalized().z == pytest.approx(1.0)
        assert weights(face, name) == set(eye.tolist())
        assert not weights(face, "Head") & set(eye.tolist())
    assert bpy.context.object == face and face.mode == rig.mode == "OBJECT"


def test_one_undo_takes_the_bones_back(face: Any) -> None:
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.blendshapes.vrchat_fix(code="bones")
    bpy.ops.ed.undo_push(message="bones")
    bpy.ops.ed.undo()
    again = bpy.data.objects["Face"]
    assert [bone.name for bone in bpy.data.armatures["Rig"].bones] == ["Head"]
    assert [group.name for group in again.vertex_groups] == ["Head"]
    assert len(weights(again, "Head")) == len(again.data.vertices)


def test_fix_all_adds_no_bones(face: Any) -> None:
    bpy.ops.blendshapes.vrchat_fix()
    assert [bone.name for bone in bpy.data.armatures["Rig"].bones] == ["Head"]


def test_eyes_that_are_objects_hang_on_their_bones() -> None:
    objects = add_head(("eye",))
    face, left, right = objects["Face"], objects["EyeL"], objects["EyeR"]
    add_looks(face, {"Left": np.array([], int), "Right": np.array([], int)})
    add_looks(left, {"Left": np.arange(len(left.data.vertices))})
    add_looks(right, {"Right": np.arange(len(right.data.vertices))})
    rig = rig_of(face, left)
    right.parent, right.parent_type, right.parent_bone = rig, "BONE", "Head"
    bpy.context.view_layer.update()
    before = right.matrix_world.copy()
    assert bpy.ops.blendshapes.vrchat_fix(code="bones") == {"FINISHED"}
    assert len(weights(left, "LeftEye")) == len(left.data.vertices)
    assert right.parent_bone == "RightEye"
    bpy.context.view_layer.update()
    assert np.array(right.matrix_world) == pytest.approx(np.array(before), abs=1e-5)


def test_without_looks_nothing_is_changed(face: Any) -> None:
    for block in list(face.data.shape_keys.key_blocks)[1:]:
        face.shape_key_remove(block)
    with pytest.raises(RuntimeError, match="Generate the ARKit set first"):
        bpy.ops.blendshapes.vrchat_fix(code="bones")
    assert [bone.name for bone in bpy.data.armatures["Rig"].bones] == ["Head"]
    assert [group.name for group in face.vertex_groups] == ["Head"]


@pytest.mark.parametrize("back", [True, False])
def test_the_centre_is_that_of_the_ball_also_where_its_back_is_missing(back: bool) -> None:
    turns = np.linspace(0, 2 * np.pi, 40)
    heights = np.linspace(-0.95, 0.95, 21)
    around = [
        (np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z)
        for z in heights
        for turn in turns
    ]
    places = 0.012 * np.array([place for place in around if back or place[1] <= 0.0]) + 0.5
    centre, half = eye_bones._centre(places)
    assert centre == pytest.approx([0.5] * 3, abs=1e-3) and half == pytest.approx(0.012, rel=0.1)
