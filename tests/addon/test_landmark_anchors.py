# SPDX-License-Identifier: GPL-3.0-or-later
"""Placed landmarks stay where they were put on the face, whatever is done to the object and its
mesh, or are dropped with a word.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import landmark_store
from blendshape_auto_generator.blendshape_addon.blender_io.avatar import gather_avatar
from blendshape_auto_generator.blendshape_addon.blender_io.landmark_store import (
    corrected_landmarks,
    found_landmarks,
    told_lost,
)
from fixtures.scenes import activate, add, coordinates, eye_height, generate, head, offsets
from mathutils import Matrix


@pytest.fixture
def face() -> Any:
    """The sample head with all its landmarks placed by the user, though no child was asked."""
    ob = add("Face", head().vertices, head().polygons)
    activate(ob)
    places = {name: tuple(map(float, place)) for name, place in head().landmarks.items()}
    landmark_store.put(ob, places, landmark_store.seen_surface(ob), True)
    return ob


def sent(ob: Any) -> dict[str, Any]:
    """What the child is told, and in the world."""
    mesh, _targets = gather_avatar(ob)
    return {name: np.array(place) for name, place in mesh.landmarks.items()}


def expect(ob: Any, places: dict[str, Any], within: float = 1e-4) -> None:
    there = corrected_landmarks(ob)
    assert set(there) == set(places)
    for name, place in places.items():
        assert np.linalg.norm(np.subtract(there[name], place)) < within, name
        assert np.linalg.norm(np.subtract(sent(ob)[name], place)) < within, name


def edit(ob: Any, *steps: Any) -> None:
    activate(ob)
    bpy.ops.object.mode_set(mode="EDIT")
    for step in steps:
        step()
    bpy.ops.object.mode_set(mode="OBJECT")


def select(ob: Any, wanted: Any) -> None:
    """These vertices and nothing else."""
    ob.data.polygons.foreach_set("select", np.zeros(len(ob.data.polygons), bool))
    ob.data.edges.foreach_set("select", np.zeros(len(ob.data.edges), bool))
    ob.data.vertices.foreach_set("select", wanted)


def moved(places: dict[str, Any], matrix: Any) -> dict[str, Any]:
    return {
        name: np.array(matrix @ Matrix.Translation(place).to_translation())
        for name, place in places.items()
    }


TRANSFORMS = {
    "scale and turn": Matrix.Scale(0.01, 4) @ Matrix.Rotation(1.3, 4, "X"),
    "uneven": Matrix.Rotation(0.2, 4, "Z") @ Matrix.Diagonal((1.2, 0.8, 1.1, 1.0)),
    "mirrored": Matrix.Diagonal((-1.0, 1.0, 1.0, 1.0)),
    "moved": Matrix.Translation((3.0, -2.0, 1.0)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_applied_transforms(face: Any, name: str) -> None:
    before = found_landmarks(face)
    face.matrix_world = TRANSFORMS[name]
    activate(face)
    bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    expect(face, moved(before, TRANSFORMS[name]), 1e-3 if name == "uneven" else 1e-4)


def test_a_moved_origin_and_transformed_data(face: Any) -> None:
    before = found_landmarks(face)
    bpy.context.scene.cursor.location = (0.1, 0.2, -0.3)
    activate(face)
    bpy.ops.object.origin_set(type="ORIGIN_CURSOR")
    expect(face, {name: np.subtract(place, (0.1, 0.2, -0.3)) for name, place in before.items()})
    face.data.transform(Matrix.Rotation(-1.5, 4, "X") @ Matrix.Scale(100, 4))
    expect(
        face,
        moved(
            {n: np.subtract(p, (0.1, 0.2, -0.3)) for n, p in before.items()},
            Matrix.Rotation(-1.5, 4, "X") @ Matrix.Scale(100, 4),
        ),
        1e-2,
    )


def test_sculpted_with_keys_and_by_a_slider(face: Any) -> None:
    """The chin is pulled down: on the mesh, on the basis below a key, and by a key of the user's
    own.
    """
    before, chin = found_landmarks(face), found_landmarks(face)["chin"]
    points = coordinates(face)
    pull = np.clip(1 - np.linalg.norm(points - chin, axis=1) / 0.03, 0, 1)[:, None] * np.array(
        (0, 0, -0.01), np.float32
    )
    face.data.vertices.foreach_set("co", (points + pull).reshape(-1))
    assert found_landmarks(face)["chin"][2] < chin[2] - 0.005
    assert found_landmarks(face)["eye_inner_left"] == pytest.approx(
        before["eye_inner_left"], abs=1e-5
    )
    face.shape_key_add(name="Basis")
    key = face.shape_key_add(name="Long Chin")
    key.points.foreach_set("co", (points + 3 * pull).reshape(-1))
    lower = found_landmarks(face)["chin"][2]
    key.value = 1.0
    assert found_landmarks(face)["chin"][2] < lower - 0.01
    assert np.allclose(sent(face)["chin"], found_landmarks(face)["chin"], atol=1e-5)


def test_more_vertices_and_fewer(face: Any) -> None:
    """Subdivided, with a box added, with the neck deleted, with a scarf joined to it."""
    before = found_landmarks(face)
    edit(face, lambda: bpy.ops.mesh.select_all(action="SELECT"), bpy.ops.mesh.subdivide)
    expect(face, before)
    edit(face, lambda: bpy.ops.mesh.primitive_cube_add(size=0.1, location=(1, 1, 1)))
    expect(face, before)
    low = coordinates(face)[:, 2] < min(place[2] for place in before.values()) - 0.01
    select(face, low)
    edit(face, lambda: bpy.ops.mesh.delete(type="VERT"))
    assert low.any()
    expect(face, before)
    other = add("Scarf", head().vertices + (2, 0, 0), head().polygons)
    activate(face)
    other.select_set(True)
    bpy.ops.object.join()
    expect(face, before)


def test_merged_vertices(face: Any) -> None:
    """What held landmarks is merged away after the mesh was turned: the others tell where they have
    gone.
    """
    before = found_landmarks(face)
    mouth = before["mouth_left"]
    turn = Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(10, 4)
    face.data.transform(turn)
    there = (
        np.linalg.norm(
            coordinates(face) - np.array(turn @ Matrix.Translation(mouth).to_translation()), axis=1
        )
        < 0.08
    )
    select(face, there)
    edit(face, lambda: bpy.ops.mesh.remove_doubles(threshold=0.05))
    expect(face, moved(before, turn), 0.02)


def test_vertices_that_are_gone_with_the_place(face: Any) -> None:
    before = found_landmarks(face)
    below = coordinates(face)[:, 2] < before["lip_upper"][2] + 0.02
    select(face, below)
    edit(face, lambda: bpy.ops.mesh.delete(type="VERT"))
    assert "Chin" in told_lost(face)[0].words and "place them anew" in told_lost(face)[0].words
    assert {"chin", "lip_lower"}.isdisjoint(
        corrected_landmarks(face)
    ) and "eye_inner_left" in corrected_landmarks(face)
    assert told_lost(face)[0] in gather_avatar(face)[0].findings


def test_a_mesh_that_lost_everything_has_none(face: Any, recwarn: pytest.WarningsRecorder) -> None:
    assert found_landmarks(face)
    face.data.clear_geometry()
    assert found_landmarks(face) == {} and not [str(one.message) for one in recwarn]


def test_a_remeshed_and_turned_head_forgets_them(face: Any) -> None:
    face.data.transform(Matrix.Rotation(1.5, 4, "X"))
    fresh = bpy.data.meshes.new("Fresh")
    fresh.from_pydata(
        coordinates(face).tolist(), [], [list(map(int, polygon)) for polygon in head().polygons]
    )
    face.data = fresh
    assert not corrected_landmarks(face) and "13 more" in told_lost(face)[0].words


def test_a_duplicate_and_one_joined_into_it_keep_to_their_own(face: Any) -> None:
    before = found_landmarks(face)
    copy = face.copy()
    copy.data = face.data.copy()
    bpy.context.scene.collection.objects.link(copy)
    copy.data.transform(Matrix.Translation((1, 0, 0)))
    expect(copy, {name: np.add(place, (1, 0, 0)) for name, place in before.items()})
    expect(face, before)
    activate(face)
    copy.select_set(True)
    bpy.ops.object.join()
    expect(face, before)


def test_shown_where_the_pose_puts_the_face(face: Any) -> None:
    before = found_landmarks(face)
    twist = face.modifiers.new("Turn", "SIMPLE_DEFORM")
    twist.deform_method, twist.deform_axis, twist.angle = "BEND", "Z", 0.3
    bpy.context.view_layer.update()
    evaluated = face.evaluated_get(bpy.context.evaluated_depsgraph_get())
    shown = found_landmarks(face, landmark_store.shown_vertices(face))
    assert max(np.linalg.norm(np.subtract(shown[name], before[name])) for name in before) > 0.005
    for place in shown.values():
        hit, near, *_rest = evaluated.closest_point_on_mesh(place)
        assert hit and (near - Matrix.Translation(place).to_translation()).length < 2e-3
    assert np.allclose(sent(face)["chin"], shown["chin"], atol=1e-5)


@pytest.mark.parametrize(("size", "kept"), [(1.0, True), (100.0, False)])
def test_landmarks_of_old_files(face: Any, size: float, kept: bool) -> None:
    """Which have only a place: it is believed where it can be one of this mesh."""
    before = found_landmarks(face)
    for mark in face.blendshapes.landmarks:
        mark.place = tuple(np.multiply(mark.place, size))  # which lets go of what held it
        assert not mark.anchor[0]
    if kept:
        expect(face, before)
        assert not told_lost(face)
    else:
        assert not corrected_landmarks(face) and "placed landmarks" in told_lost(face)[0].words


def test_saved_and_opened(face: Any, tmp_path: Path) -> None:
    before = found_landmarks(face)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "face.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "face.blend"))
    ob = bpy.data.objects["Face"]
    ob.data.transform(Matrix.Scale(3, 4))
    expect(ob, {name: np.multiply(place, 3) for name, place in before.items()}, 1e-3)


def test_generating_after_transforms_are_applied() -> None:
    """An object as FBX brings it: a landmark is corrected, transforms are applied, shapes are made
    again.
    """
    ob = add("Face", head().vertices, head().polygons)
    ob.data.transform(Matrix.Rotation(-np.pi / 2, 4, "X") @ Matrix.Scale(100, 4))
    ob.rotation_euler, ob.scale = (np.pi / 2, 0, 0), (0.01,) * 3
    generate(ob)
    assert bpy.ops.blendshapes.place_landmark(
        landmark="mouth_left", place=found_landmarks(ob)["mouth_left"]
    ) == {"FINISHED"}
    bpy.ops.blendshapes.remove()
    ob.shape_key_clear()
    place = np.array(
        ob.matrix_world @ Matrix.Translation(found_landmarks(ob)["mouth_left"]).to_translation()
    )
    bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    warnings = generate(ob)
    assert not [line for line in warnings if "landmark" in line.lower()]
    assert found_landmarks(ob)["mouth_left"] == pytest.approx(place, abs=1e-4)
    assert tuple(ob.blendshapes.landmarks["mouth_left"].place) == pytest.approx(place, abs=1e-4)
    marks, at = head().landmarks, coordinates(ob)
    lid = int(np.linalg.norm(at - marks["lid_upper_left"], axis=1).argmin())
    assert offsets(ob)["eyeBlinkLeft"][lid][2] < -0.5 * eye_height()


def test_a_lost_landmark_is_told_when_keys_are_made(face: Any) -> None:
    fresh = bpy.data.meshes.new("Fresh")
    fresh.from_pydata(
        head().vertices.tolist(), [], [list(map(int, polygon)) for polygon in head().polygons]
    )
    face.data = fresh
    assert any("placed landmarks" in line for line in generate(face))
    assert not corrected_landmarks(face) and len(found_landmarks(face)) == 18
    assert not any("placed landmarks" in line for line in generate(face)), (
        "they are forgotten by then"
    )
    assert (
        importlib.import_module(
            "blendshape_auto_generator.blendshape_addon.blender_io.anchors"
        ).ATTRIBUTE
        in face.data.attributes
    )
