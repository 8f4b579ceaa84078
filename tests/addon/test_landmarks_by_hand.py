# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks placed by hand, by scripts and by clicks in order, where no face is found; and what is
refused.
"""

from __future__ import annotations

import importlib
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import landmarks
from blendshape_auto_generator.blendshape_addon.blender_io.landmark_store import (
    corrected_landmarks,
    found_landmarks,
)
from blendshape_auto_generator.blendshape_addon.ops import landmark_hand
from fixtures.scenes import activate, add, head, offsets
from mathutils import Matrix

# Blender's monkey, on its left side and in the middle
SUZANNE = {
    "eye_inner_left": (0.195, -0.758, 0.227),
    "eye_outer_left": (0.555, -0.672, 0.25),
    "lid_upper_left": (0.336, -0.75, 0.406),
    "lid_lower_left": (0.375, -0.727, 0.086),
    "mouth_left": (0.328, -0.598, -0.70),
    "lip_upper": (0.0, -0.734, -0.766),
    "lip_lower": (0.0, -0.688, -0.875),
    "nose_tip": (0.0, -0.828, -0.203),
    "chin": (0.0, -0.578, -0.984),
    "brow_inner_left": (0.177, -0.807, 0.496),
    "brow_outer_left": (0.611, -0.612, 0.524),
}
LACKING = {"tongueOut"}  # she has no tongue


def suzanne(**options: Any) -> Any:
    bpy.ops.mesh.primitive_monkey_add(**options)
    return bpy.context.object


def other(name: str) -> str:
    return name.replace("_left", "_right")


def place(ob: Any, name: str, at: Any, mirror: bool = True) -> None:
    activate(ob)
    assert bpy.ops.blendshapes.place_landmark(landmark=name, place=at, mirror=mirror) == {
        "FINISHED"
    }


def check_shapes(ob: Any, turn: Any = None) -> None:
    """52 keys that move what they are named for, in a space that `turn` brings back to the monkey's
    own.
    """
    made = {
        name: shape @ (np.eye(3) if turn is None else turn)
        for name, shape in offsets(ob).items()
        if name != "Basis"
    }
    assert len(made) == 52
    size = {name: float(np.abs(shape).max()) for name, shape in made.items()}
    assert not [name for name, most in size.items() if most < 0.005 and name not in LACKING]
    points = np.array([vertex.co for vertex in ob.data.vertices]) @ (
        np.eye(3) if turn is None else turn
    )
    at = {
        name: int(np.linalg.norm(points - place, axis=1).argmin())
        for name, place in {**SUZANNE, "right": (-0.336, -0.75, 0.406)}.items()
    }
    assert (
        made["eyeBlinkLeft"][at["lid_upper_left"]][2] < -0.2
        and made["eyeBlinkRight"][at["right"]][2] < -0.2
    )
    assert np.abs(made["eyeBlinkLeft"][at["right"]]).max() < 0.01
    assert (
        made["jawOpen"][at["lip_lower"]][2] < -0.15
        and abs(made["jawOpen"][at["lip_upper"]][2]) < 0.05
    )
    twin = [int(np.linalg.norm(points - point * (-1, 1, 1), axis=1).argmin()) for point in points]
    for name in ("eyeBlink", "mouthSmile", "browDown"):
        left, right = made[f"{name}Left"], made[f"{name}Right"]
        assert np.abs(left - right[twin] * (-1, 1, 1)).max() < 0.1 * np.abs(left).max(), name


def test_suzanne_gets_her_keys_from_landmarks_by_script() -> None:
    ob = suzanne()
    with pytest.raises(RuntimeError, match="No face detected"):
        bpy.ops.blendshapes.generate(sets={"arkit"})
    for name, at in SUZANNE.items():
        place(ob, name, at)
    assert len(corrected_landmarks(ob)) == 18
    assert found_landmarks(ob)["mouth_right"] == pytest.approx((-0.328, -0.598, -0.70), abs=1e-4)
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    check_shapes(ob)


def test_a_vertex_group_is_a_stronger_word_than_the_search() -> None:
    """A face that would not be believed is taken inside the group, with a warning; what is no face
    at all is not.
    """
    ob = suzanne()
    ob.vertex_groups.new(name="Face").add(
        [vertex.index for vertex in ob.data.vertices if vertex.co.y < -0.3], 1.0, "REPLACE"
    )
    outside = np.array([vertex.co.y >= -0.3 for vertex in ob.data.vertices])
    assert bpy.ops.blendshapes.generate(sets={"arkit"}, group="Face") == {"FINISHED"}
    made = offsets(ob)
    assert len(made) == 53 and max(np.abs(shape[outside]).max() for shape in made.values()) == 0
    status = importlib.import_module(
        "blendshape_auto_generator.blendshape_addon.job.session"
    ).status
    assert any("because you said that it is there" in line for line in status.warnings)
    bpy.ops.mesh.primitive_uv_sphere_add()
    ball = bpy.context.object
    ball.vertex_groups.new(name="Face").add(list(range(len(ball.data.vertices))), 1.0, "REPLACE")
    with pytest.raises(RuntimeError, match="No face detected"):
        bpy.ops.blendshapes.generate(sets={"arkit"}, group="Face")


def clicked(ob: Any, wanted: Any = None) -> landmark_hand.Clicks:
    """Clicks as the operator asks for them; wanted: where they are, by name."""
    activate(ob)
    clicks = landmark_hand.Clicks(ob)
    places = (
        {**SUZANNE, **{other(name): (-x, y, z) for name, (x, y, z) in SUZANNE.items()}}
        if wanted is None
        else wanted
    )
    for _ in range(18):
        if clicks.next in places:
            name = clicks.next
            assert clicks.add(ob, places[name]) == "", name
    return clicks


def test_clicks_on_one_side_are_enough_where_the_mesh_is_symmetric() -> None:
    ob = suzanne()
    clicks = clicked(ob)
    assert len(clicks.given) == 12 and not clicks.next
    assert clicks.finish(ob) == []
    assert len(corrected_landmarks(ob)) == 18
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    check_shapes(ob)


def test_clicks_hit_what_is_in_front() -> None:
    """Seen from the front, her eyes bulge before their lids, and a hand is a few hundredths off."""
    ob, rng = suzanne(), np.random.default_rng(1)
    both = {**SUZANNE, **{other(name): (-x, y, z) for name, (x, y, z) in SUZANNE.items()}}
    hits = {}
    for name, (x, _y, z) in both.items():
        trembled = np.array((x, -5, z)) + rng.normal(0, 0.008, 3)
        hit, hits[name], *_rest = ob.ray_cast(trembled, (0, 1, 0))
        assert hit or name == "chin", name
        hits[name] = tuple(hits[name]) if hit else SUZANNE["chin"]
    clicks = clicked(ob, hits)
    assert len(clicks.given) == 12
    clicks.finish(ob)
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    check_shapes(ob)


@pytest.mark.parametrize("kind", ["turned", "beside another", "lopsided"])
def test_clicks_on_other_monkeys(kind: str) -> None:
    """Turned data, a second head in the same mesh, and a mesh that is not symmetric, for which both
    sides are asked.
    """
    ob = suzanne()
    turn = np.eye(3)
    both = {**SUZANNE, **{other(name): (-x, y, z) for name, (x, y, z) in SUZANNE.items()}}
    if kind == "turned":
        matrix = Matrix.Rotation(1.1, 4, "Z") @ Matrix.Rotation(0.4, 4, "X")
        ob.data.transform(matrix)
        turn = np.array(matrix.to_3x3())
    elif kind == "beside another":
        beside = suzanne(location=(3, 0, 0))
        activate(ob)
        beside.select_set(True)
        bpy.ops.object.join()
    else:
        rng = np.random.default_rng(0)
        for vertex in ob.data.vertices:
            vertex.co = np.array(vertex.co) + rng.normal(0, 0.03, 3) * (vertex.co.x > 0.6)
            vertex.co.x += 0.2 * (vertex.co.x > 0.65)
            vertex.co.z += 0.15 * (vertex.co.x < -0.05 and vertex.co.z < 0)
    if kind == "turned":
        both = {name: tuple(turn @ np.array(at)) for name, at in both.items()}
    ob.data.update()
    clicks = clicked(ob, both)
    assert len(clicks.given) == (18 if kind == "lopsided" else 12) or kind == "turned"
    clicks.finish(ob)
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    if kind == "turned":
        check_shapes(ob, turn)
    if kind == "beside another":
        moved = np.max([np.abs(shape).max(axis=1) for shape in offsets(ob).values()], axis=0)
        there = np.array([vertex.co.x for vertex in ob.data.vertices])
        assert moved[there > 1.5].max() == 0 and moved[there < 1.5].max() > 0.2
    made = offsets(ob)
    assert len(made) == 53 and np.abs(made["eyeBlinkLeft"]).max() > 0.2


def test_what_a_face_needs_is_enough_and_the_rest_is_estimated() -> None:
    ob = suzanne()
    needed = {
        name: SUZANNE[name]
        for name in (
            "eye_inner_left",
            "eye_outer_left",
            "lid_upper_left",
            "lid_lower_left",
            "mouth_left",
        )
    }
    for name, at in needed.items():
        place(ob, name, at)
    estimated = {mark.name for mark in ob.blendshapes.landmarks if mark.estimated}
    assert estimated == {
        "lip_upper",
        "lip_lower",
        "nose_tip",
        "chin",
        *(f"brow_{i}_{s}" for i in ("inner", "outer") for s in ("left", "right")),
    }
    for name in ("nose_tip", "chin", "lip_upper"):
        assert np.linalg.norm(np.subtract(found_landmarks(ob)[name], SUZANNE[name])) < 0.35, name
    place(ob, "chin", SUZANNE["chin"])
    assert (
        not ob.blendshapes.landmarks["chin"].estimated
        and ob.blendshapes.landmarks["nose_tip"].estimated
    )
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    assert np.abs(offsets(ob)["eyeBlinkLeft"]).max() > 0.2


def test_backspace_takes_the_last_one_back_and_a_wrong_click_is_not_taken() -> None:
    ob = suzanne()
    clicks = landmark_hand.Clicks(ob)
    assert clicks.next == "eye_inner_left" and not clicks.enough()
    assert "not on the head" in clicks.add(ob, (0, -30, 0)) and clicks.next == "eye_inner_left"
    clicks.add(ob, SUZANNE["eye_inner_left"])
    clicks.undo()
    assert clicks.next == "eye_inner_left"
    clicks = clicked(ob)
    clicks.undo()
    assert clicks.next == "brow_outer_left" and clicks.enough()


@pytest.mark.parametrize(
    ("name", "at", "words"),
    [
        ("chin", (0.0, -0.5, 5.0), "Chin is not on the head"),
        ("mouth_left", (-0.05, -0.09, 0.02), "Mouth left is on the other side"),
        ("eye_outer_right", (0.05, -0.08, 0.1), "Eye outer right is on the other side"),
        ("lip_upper", "below lip_lower", "Lip upper is below lip lower"),
        ("lid_lower_left", "above lid_upper_left", "Lid upper left is below lid lower left"),
        ("eye_inner_left", "outside eye_outer_left", "Eye inner left is farther from the middle"),
    ],
)
def test_marks_that_cannot_be_right_are_refused(name: str, at: Any, words: str) -> None:
    marks = {mark: np.array(place) for mark, place in head().landmarks.items()}
    ob = add("Face", head().vertices, head().polygons)
    activate(ob)
    assert bpy.ops.blendshapes.edit_landmarks() == {"FINISHED"}
    before = found_landmarks(ob)
    if isinstance(at, str):
        where, mark = at.split()
        at = (
            marks[mark]
            + {"below": (0, 0, -0.012), "above": (0, 0, 0.012), "outside": (0.012, 0.01, 0)}[where]
        )
    elif name == "mouth_left":
        at = marks["mouth_right"] * (0.7, 1, 1)
    elif name == "eye_outer_right":
        at = marks["eye_inner_left"]
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.blendshapes.place_landmark(landmark=name, place=tuple(at), mirror=False)
    assert found_landmarks(ob) == before and not corrected_landmarks(ob)


def test_all_marks_exchanged_are_refused() -> None:
    ob = suzanne()
    with pytest.raises(RuntimeError, match="Left and right are exchanged"):
        for name, (x, y, z) in SUZANNE.items():
            place(ob, name, (-x, y, z))


def test_a_mesh_is_asked_for_one_side_only_where_it_is_symmetric() -> None:
    ob = suzanne()
    left, right = SUZANNE["eye_inner_left"], (-0.2, -0.75, 0.23)
    surface = landmark_hand.Clicks(ob).surface
    plane = landmarks.plane_of_face(surface, left, right)
    assert (
        plane is not None
        and np.allclose(np.abs(plane[1]), (1, 0, 0))
        and abs(plane[0] @ plane[1]) < 1e-6
    )
    for vertex in ob.data.vertices:
        vertex.co.z += 0.4 * vertex.co.x**2 * (vertex.co.x > 0)
    assert landmarks.plane_of_face(landmark_hand.Clicks(ob).surface, left, right) is None
