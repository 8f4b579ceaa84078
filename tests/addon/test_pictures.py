# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the small pictures of shapes, and that a file is not touched by them. That they are
drawn, is seen in a window: tests/gui.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.job import picture_head, pictures, sheet_looks
from fixtures import scenes

KEY = "jawOpen"


def result(steps: Generator[None, None, Any]) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def gathered(ob: Any) -> Any:
    """The face as it is drawn."""
    return result(picture_head.gathered(int(ob.session_uid)))


def blocks() -> dict[str, list[str]]:
    """Names of all data-blocks."""
    return {
        kind: sorted(block.name_full for block in getattr(bpy.data, kind))
        for kind in dir(bpy.data)
        if isinstance(getattr(bpy.data, kind), bpy.types.bpy_prop_collection)
    }


@pytest.fixture
def objects() -> dict[str, Any]:
    """The sample head, eyes and teeth of their own, with keys."""
    found = scenes.add_head(("eye", "teeth"))
    scenes.generate(found["Face"], sets={"arkit"})
    return found


def test_the_face_and_its_parts_are_on_it_and_a_key_moves_them(objects: dict[str, Any]) -> None:
    before = blocks()
    head = gathered(objects["Face"])
    assert {ob.name for ob in head.there()} == set(objects)
    rest, moved = head.posed("no such key"), head.posed(KEY)
    assert rest.shape == moved.shape and np.isfinite(moved).all()
    assert (moved - rest)[:, 2].min() < -0.1 * head.side, "the chin goes down"
    assert np.abs(rest[:, 0]).max() < picture_head.AROUND * head.side, "cut around the face"
    assert blocks() == before


def test_a_key_at_a_value_is_drawn_as_any_other(objects: dict[str, Any]) -> None:
    expected = gathered(objects["Face"]).posed("eyeBlinkLeft")
    objects["Face"].data.shape_keys.key_blocks[KEY].value = 1.0
    bpy.context.view_layer.update()
    assert np.array_equal(gathered(objects["Face"]).posed("eyeBlinkLeft"), expected)


def test_a_key_that_gives_the_face_its_form_is_seen(objects: dict[str, Any]) -> None:
    before = gathered(objects["Face"]).posed(KEY)
    slim = objects["Face"].shape_key_add(name="Slim", from_mix=False)
    for point in slim.points:
        point.co.x *= 0.8
    slim.value = 1.0
    assert np.abs(gathered(objects["Face"]).posed(KEY) - before).max() > 0.01


@pytest.mark.parametrize("turn", [(0, 0, 180), (90, 0, 0), (30, 20, 10)])
def test_the_face_is_seen_from_the_front_wherever_it_looks(
    objects: dict[str, Any], turn: tuple[float, float, float]
) -> None:
    expected = gathered(objects["Face"]).posed(KEY)
    for ob in objects.values():
        ob.rotation_euler = tuple(np.radians(turn))
    bpy.context.view_layer.update()
    found = gathered(objects["Face"]).posed(KEY)
    assert np.abs(found - expected).max() < 0.01 * np.ptp(expected)


def test_what_hangs_on_a_posed_bone_is_where_it_rests(objects: dict[str, Any]) -> None:
    expected = gathered(objects["Face"]).posed(KEY)
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("Head")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 0.2)
    bpy.ops.object.mode_set(mode="OBJECT")
    for ob in objects.values():
        world = ob.matrix_world.copy()
        ob.parent, ob.parent_type, ob.parent_bone = rig, "BONE", "Head"
        bpy.context.view_layer.update()
        ob.matrix_world = world
    rig.pose.bones["Head"].rotation_mode = "XYZ"
    rig.pose.bones["Head"].rotation_euler = (0.5, 0.3, 0)
    bpy.context.view_layer.update()
    found = gathered(objects["Face"]).posed(KEY)
    assert np.abs(found - expected).max() < 1e-4


def test_a_mirrored_object_shows_its_front(objects: dict[str, Any]) -> None:
    for ob in objects.values():
        ob.scale = (-1, 1, 1)
    bpy.context.view_layer.update()
    head = gathered(objects["Face"])
    points = head.posed("")
    normals = head.normals(points)
    towards = points[:, 1] < np.quantile(points[:, 1], 0.2)
    assert (normals[towards, 1] < 0).mean() > 0.6, "what is nearest looks at the viewer"


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT"])
def test_nothing_is_read_in_a_mode_that_holds_the_keys(objects: dict[str, Any], mode: Any) -> None:
    head = gathered(objects["Face"])
    bpy.ops.object.mode_set(mode=mode)
    with pytest.raises(LookupError):
        head.posed(KEY)
    with pytest.raises(LookupError):
        gathered(objects["Face"])
    bpy.ops.object.mode_set(mode="OBJECT")


def test_what_is_gone_or_another_is_told(objects: dict[str, Any]) -> None:
    head = gathered(objects["Face"])
    objects["EyeL"].data.vertices.add(1)
    with pytest.raises(LookupError):
        head.posed(KEY)
    head = gathered(objects["Face"])
    bpy.data.objects.remove(objects["EyeR"])
    with pytest.raises(LookupError):
        head.posed(KEY)
    identity = int(objects["Face"].session_uid)
    bpy.data.objects.remove(objects["Face"])
    with pytest.raises(LookupError):
        result(picture_head.gathered(identity))


def test_without_landmarks_or_with_too_much_there_is_no_picture(
    objects: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_head, "MOST_TRIANGLES", 100)
    assert gathered(objects["Face"]) is None
    monkeypatch.setattr(picture_head, "MOST_VERTICES", 100)
    assert gathered(objects["Face"]) is None
    monkeypatch.undo()
    objects["Face"].blendshapes.landmarks.clear()
    assert gathered(objects["Face"]) is None


def test_faces_are_split_into_triangles() -> None:
    assert picture_head.fans(np.array([3, 5])).tolist() == [
        [0, 1, 2],
        [3, 4, 5],
        [3, 5, 6],
        [3, 6, 7],
    ]


def test_without_a_window_nothing_is_asked_for(objects: dict[str, Any]) -> None:
    assert pictures.of(objects["Face"], KEY) == 0
    assert not pictures.busy()


def test_a_change_of_meshes_or_materials_counts(objects: dict[str, Any]) -> None:
    def age() -> int:
        return int(pictures._state.age)

    before = age()
    bpy.context.scene.frame_set(2)
    assert age() == before, "time alone changes nothing"
    objects["Face"].data.shape_keys.key_blocks[KEY].points[0].co.z += 1
    objects["Face"].data.update()
    bpy.context.view_layer.update()
    assert age() > before


def test_a_decal_is_left_out_and_the_rest_is_clay() -> None:
    blush, skin = (bpy.data.materials.new(name) for name in ("Blush", "Skin"))
    assert sheet_looks.surface(sheet_looks.Look(), 0, blush) is None
    seen = sheet_looks.surface(sheet_looks.Look(), 0, skin)
    assert seen is not None and seen[1] == sheet_looks.CLAY_SHADE
