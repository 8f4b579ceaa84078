# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones of head and eyes that turn with tracking, where that is asked for, and are given back."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import turned_bones
from blendshape_auto_generator.blendshape_addon.job import held, playing, receiving
from blendshape_auto_generator.blendshape_addon.tracking.recordings import Recording
from blendshape_auto_generator.blendshape_addon.ui import face_panel
from fixtures.scenes import activate, add, seen, turned

from .test_panels import draw

BONES = {"Head": (0, 0, 0), "LeftEye": (1, -1, 1), "RightEye": (-1, -1, 1)}
EYES = {"LeftEye": (1, -2, 1), "RightEye": (-1, -2, 1)}  # a vertex before each
NOSE = (0, -2, 0)


@pytest.fixture(params=[0, 90], ids=["upright", "lying"])
def face(request: pytest.FixtureRequest) -> Any:
    """A vertex before the head and one before each eye, on bones that point elsewhere than up; the
    armature lies on its back and is turned upright as an object, as some importers do.
    """
    back = turned(-request.param, "X")
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    activate(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    for number, (name, place) in enumerate(BONES.items()):
        bone = rig.data.edit_bones.new(name)
        bone.head = back @ bone.head.__class__(place)
        bone.tail = bone.head + bone.head.__class__((0.3 * number, 0.2, 1 - number))
        bone.roll = number
        bone.parent = rig.data.edit_bones["Head"] if number else None
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.matrix_world = turned(request.param, "X")
    ob = add("Face", [NOSE, *EYES.values()], [(0, 1, 2)])
    ob.modifiers.new("Armature", "ARMATURE").object = rig
    for number, name in enumerate(BONES):
        ob.vertex_groups.new(name=name).add([number], 1.0, "REPLACE")
    ob.shape_key_add(name="Basis", from_mix=False)
    for name in ("jawOpen", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookInRight", "eyeLookOutRight"):
        ob.shape_key_add(name=name, from_mix=False).value = 0.0
    rig.pose.bones["Head"].rotation_mode = "XYZ"
    activate(ob)
    return ob


@pytest.fixture
def sender(face: Any) -> Iterator[socket.socket]:
    before = state(face)
    shown = bpy.context.window_manager.blendshapes
    shown.track_turn = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((receiving.LOCAL, 0))
        shown.track_port = opened.getsockname()[1]
    assert bpy.ops.blendshapes.track_start() == {"FINISHED"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect((receiving.LOCAL, shown.track_port))
        yield opened
    if receiving.current() is not None:
        bpy.ops.blendshapes.track_stop()
    shown.property_unset("track_turn")
    assert state(bpy.data.objects["Face"]) == before


def state(face: Any) -> list[Any]:
    rig = face.modifiers["Armature"].object
    return [
        [
            [
                b.name,
                b.rotation_mode,
                [round(n, 6) for n in (*b.rotation_quaternion, *b.rotation_euler)],
            ]
            for b in rig.pose.bones
        ],
        [*rig.keys()],
        [*face.data.shape_keys.keys()],
        seen(face).round(5).tolist(),
    ]


def look(sender: socket.socket, packet: bytes) -> None:
    receiver = receiving.current()
    assert receiver is not None
    sender.send(packet)
    before = receiver.state.counts.total()
    while receiver.state.counts.total() == before:
        receiving._tick()


def test_the_head_turns_and_is_given_back(face: Any, sender: socket.socket) -> None:
    look(sender, b"jawOpen-0|=head#0,30,0,0,0,0|")
    assert seen(face)[0] == pytest.approx([1, -math.sqrt(3), 0], abs=1e-4), "to its left"
    look(sender, b"=head#30,0,0,0,0,0|")
    assert seen(face)[0] == pytest.approx([0, -math.sqrt(3), -1], abs=1e-4), "down"
    bpy.ops.blendshapes.track_stop()
    assert seen(face)[0] == pytest.approx(NOSE)


def test_eyes_turn_by_shapes_or_by_their_own_turns(face: Any, sender: socket.socket) -> None:
    look(sender, b"eyeLookOut_L-100|eyeLookIn_R-100|")
    for number, name in enumerate(BONES):
        if number:
            way = seen(face)[number] - BONES[name]
            angle = math.radians(35)
            assert way == pytest.approx([math.sin(angle), -math.cos(angle), 0], abs=1e-4)
    look(sender, b"leftEye#10,0,0|")
    assert (seen(face)[1] - BONES["LeftEye"])[2] == pytest.approx(
        -math.sin(math.radians(10)), abs=1e-4
    )


def test_a_pose_of_the_users_is_turned_from(face: Any) -> None:
    rig = face.modifiers["Armature"].object
    rig.pose.bones["Head"].rotation_euler = (0.3, 0.1, 0.2)
    bpy.context.view_layer.update()
    before = seen(face)
    receiver = receiving.start(face, receiving.LOCAL, 0, turning=True)
    assert receiver.state.take(b"=head#0,20,0,0,0,0|") == "taken"
    receiver.driven.turn(receiver.state.pose())
    matrix = np.array(turned(20, "Z"))[:3, :3]
    assert seen(face)[0] == pytest.approx(before[0] @ matrix.T, abs=1e-4)
    receiving.stop()
    assert seen(face) == pytest.approx(before, abs=1e-6)
    assert tuple(rig.pose.bones["Head"].rotation_euler) == pytest.approx((0.3, 0.1, 0.2))


@pytest.mark.parametrize("name", ["eyeLookInLeft", "EyeLookInLeft", "Eye_Left_Right", "lookRight"])
def test_eyes_that_keys_turn_have_no_bones_turned(face: Any, name: str) -> None:
    face.data.shape_keys.key_blocks["eyeLookInLeft"].name = name
    face.data.shape_keys.key_blocks[name].points[1].co.x -= 1
    receiver = receiving.start(face, receiving.LOCAL, 0, turning=True)
    assert set(receiver.driven.bones) == {"head", "right_eye"}
    receiving.stop()


def test_bones_that_something_else_turns_stay(face: Any) -> None:
    rig = face.modifiers["Armature"].object
    rig.pose.bones["Head"].constraints.new("LIMIT_ROTATION")
    rig.pose.bones["LeftEye"].driver_add("rotation_quaternion", 0)
    rig.pose.bones["RightEye"].keyframe_insert("rotation_quaternion", frame=1)
    receiver = receiving.start(face, receiving.LOCAL, 0, turning=True)
    assert receiver.driven.bones == {}
    receiving.stop()


def test_a_file_saved_meanwhile_and_an_undo_have_the_pose_from_before(
    face: Any, sender: socket.socket, tmp_path: Path
) -> None:
    bpy.ops.ed.undo_push(message="before")
    look(sender, b"=head#0,30,0,0,0,0|")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), copy=True)
    with bpy.data.libraries.load(str(tmp_path / "a.blend")) as (_source, wanted):
        wanted.objects = ["Rig"]
    saved = wanted.objects[0]
    assert saved.get(turned_bones.KEPT) is None
    assert saved.pose.bones["Head"].rotation_mode == "XYZ"
    receiving._tick()
    assert seen(face)[0][0] == pytest.approx(1, abs=1e-4), "it goes on"
    bpy.ops.ed.undo_push(message="something else")
    bpy.ops.ed.undo()
    again = bpy.data.objects["Face"]
    assert receiving.current() is not None and seen(again)[0] == pytest.approx(NOSE)
    bpy.ops.blendshapes.track_stop()


def said() -> str:
    """What the panel of the test says, in one line."""
    return draw(face_panel.BLENDSHAPES_PT_face).replace("\n", " ")


def test_the_panel_says_where_no_bone_can_turn(face: Any) -> None:
    sentence = "No bone of head or eyes is free to turn"
    shown = bpy.context.window_manager.blendshapes
    assert "track_turn=False" in said()
    shown.track_turn = True
    for free in (True, False):
        if not free:
            face.modifiers["Armature"].object = None
        bpy.ops.blendshapes.play_sample()
        assert (sentence in said()) is not free
        bpy.ops.blendshapes.test_stop()
        shown.track_port = 0
        receiver = receiving.start(face, receiving.LOCAL, 0, turning=True)
        receiver.state.take(b"jawOpen-50|")
        assert (sentence in said()) is not free
        receiver.state.counts["partial"] = 3
        assert "3 packets with bits" in said()
        receiving.stop()
    shown.property_unset("track_turn")


def test_nothing_turns_unless_asked_for(face: Any) -> None:
    receiver = receiving.start(face, receiving.LOCAL, 0)
    receiver.state.take(b"=head#0,30,0,0,0,0|eyeLookOut_L-100|")
    receiver.driven.turn(receiver.state.pose())
    assert receiver.driven.bones == {} and seen(face)[0] == pytest.approx(NOSE)
    receiving.stop()


def test_a_recording_turns_the_head_while_it_plays(face: Any) -> None:
    before = state(face)
    times, ones = np.array([0.0, 1.0]), np.ones((2, 1), np.float32)
    head = np.array([[-math.radians(30), 0, 0]] * 2)
    recording = Recording("Take", ("JawOpen",), times, ones, head=head)
    playing.start(bpy.context, face, recording, turning=True)
    assert seen(face)[0] == pytest.approx([1, -math.sqrt(3), 0], abs=1e-4)
    playing.stop()
    assert state(face) == before


@pytest.mark.parametrize("text", ["x", "5", "[[]]", '[["Head","?",[],[],[]]]', '[["Head",1]]'])
def test_what_a_file_says_of_the_pose_is_not_believed(face: Any, text: str) -> None:
    rig = face.modifiers["Armature"].object
    before = state(face)
    rig[turned_bones.KEPT] = text
    held.put_back()
    assert state(face) == before


def test_what_comes_in_moves_no_button_away_from_under_the_mouse(face: Any) -> None:
    receiver = receiving.start(face, receiving.LOCAL, 0)
    silent, button = said(), "blendshapes.track_stop"
    receiver.state.counts["partial"] = 3
    receiver.heard_at = time.monotonic()
    heard = said()
    receiving.stop()
    assert "Nothing comes in" in silent and "Nothing comes in" not in heard
    assert silent[: silent.index(button)] == heard[: heard.index(button)]
