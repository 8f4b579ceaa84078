# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns of head and eyes from packets and recordings, in the face's own axes."""

from __future__ import annotations

import math

import pytest
from blendshape_auto_generator.blendshape_addon.tracking import packets, recordings, turns
from blendshape_auto_generator.blendshape_addon.tracking.names import Routes
from fixtures.tracking import bone, bundle, message, vrchat
from hypothesis import given
from hypothesis import strategies as st

AHEAD, UP = (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)
LOOKS = ["eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeLookDownLeft", "eyeLookInRight"]
SMALL = st.floats(-1.2, 1.2)


def turned(turn: turns.Turn, way: tuple[float, float, float]) -> tuple[float, ...]:
    w, x, y, z = turn
    _zero, *found = turns.product(turns.product(turn, (0.0, *way)), (w, -x, -y, -z))
    return tuple(found)


def state(turning: bool = True, keys: list[str] = LOOKS) -> packets.State:
    return packets.State(Routes(keys), turning)


def head_of(packet: bytes) -> turns.Turn:
    told = state()
    assert told.take(packet) == packets.TAKEN
    found: turns.Turn = told.pose()["head"]
    return found


def test_ifacialmocap_counts_degrees_about_arkits_axes() -> None:
    assert turned(head_of(b"=head#0,30,0,0,0,0|"), AHEAD)[0] == pytest.approx(0.5)  # its left
    assert turned(head_of(b"head#30,0,0,0,0,0|"), AHEAD)[2] == pytest.approx(-0.5)  # down
    assert turned(head_of(b"=head#0,0,30|"), UP)[0] == pytest.approx(-0.5)  # to its right


def test_ifacialmocaps_own_example_has_eyes_that_agree_with_its_shapes() -> None:
    told = state()  # from its site: eyeLookDown_L 17, eyeLookIn_L 4, eyeLookIn_R 6
    told.take(b"rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|")
    found = told.values()
    assert found["eyeLookDownLeft"] == pytest.approx(0.17, abs=0.01)
    assert found["eyeLookInLeft"] == pytest.approx(0.04, abs=0.01)
    assert found["eyeLookInRight"] == pytest.approx(0.06, abs=0.015)
    assert found["eyeLookOutLeft"] == found["eyeLookUpLeft"] == 0.0


def test_vmc_has_unitys_quaternions() -> None:
    sine, cosine = math.sin(math.radians(15)), math.cos(math.radians(15))
    assert turned(head_of(bone("Head", (0, sine, 0, cosine))), AHEAD)[0] == pytest.approx(-0.5)
    assert turned(head_of(bone("Head", (sine, 0, 0, cosine))), AHEAD)[2] == pytest.approx(-0.5)
    assert turned(head_of(bone("Head", (0, 0, sine, cosine))), UP)[0] == pytest.approx(0.5)
    both = bundle(bone("Neck", (0, sine, 0, cosine)), bone("Head", (0, sine, 0, cosine)))
    assert turned(head_of(both), AHEAD)[1] == pytest.approx(-0.5)  # 60 degrees


@given(left=SMALL, down=SMALL)
def test_a_look_and_its_shapes_are_one(left: float, down: float) -> None:
    turn = turns.of_angles(left * turns.FULL_LOOK, down * turns.FULL_LOOK)
    for side in turns.SIDES:
        shapes = turns.looks(side, turn)
        assert turns.pose(shapes, {})[f"{side}_eye"] == pytest.approx(turn, abs=1e-6)
        out = left if side == "left" else -left
        assert shapes[f"eyelookout{side}"] == pytest.approx(max(out, 0), abs=1e-6)
        assert shapes[f"eyelookup{side}"] == pytest.approx(max(-down, 0), abs=1e-6)


def test_vrchats_eyes_turn_by_their_looks_also_without_keys() -> None:
    told = state(keys=["jawOpen"])
    assert told.take(vrchat({"EyeLeftX": 0.5})) == packets.TAKEN  # to its right
    assert not told.values()
    assert turned(told.pose()["left_eye"], AHEAD)[0] == pytest.approx(
        -math.sin(turns.FULL_LOOK / 2)
    )


def test_shapes_that_are_sent_go_before_the_turns_of_eyes() -> None:
    told = state()
    told.take(b"eyeLookIn_L-50|leftEye#0,20,0|")
    assert told.values() == {"eyeLookInLeft": 0.5}


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        (b"=head#1,2|", packets.BAD),
        (b"=head#1,2,x|", packets.BAD),
        (b"=head#1,2,nan|", packets.BAD),
        (b"leftEye#|", packets.BAD),
        (b"=head#1,2,3,4,5,6,7|", packets.BAD),
        (b"hat#x|", packets.FOREIGN),
        (bone("Hips", (0, 0, 0, 1)), packets.FOREIGN),
        (bone("Head"), packets.FOREIGN),
        (message("/VMC/Ext/Bone/Pos", ",s", b"Head\0\0\0\0"), packets.BAD),
        (message("/VMC/Ext/Bone/Pos", ","), packets.FOREIGN),
    ],
)
def test_wrong_turns_change_nothing(packet: bytes, kind: str) -> None:
    told = state()
    told.take(b"=head#0,30,0,0,0,0|")
    before = told.pose()
    assert told.take(packet) == kind and told.pose() == before


def test_turns_that_nobody_asked_for_are_left() -> None:
    told = state(turning=False)
    assert told.take(bone("Head", (0, 0, 0, 1))) == packets.FOREIGN
    told.take(b"leftEye#0,20,0|eyeLookUp_L-50|")
    assert told.pose() == {} and told.values() == {"eyeLookUpLeft": 0.5}


def test_live_link_faces_head_is_in_radians() -> None:
    rows = ["Timecode,BlendShapeCount,JawOpen,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw"]
    rows += [f"10:00:0{second}:00.0,61,0,{second * 0.2},0,0,0" for second in (0, 1, 2)]
    recording = recordings.read("Take", "\n".join(rows).encode())
    assert recording.names == ("JawOpen",)
    way = turned(recording.turns_at(1.5)["head"], AHEAD)
    assert way == pytest.approx((-math.sin(0.3), -math.cos(0.3), 0.0))
    assert turned(recording.turns_at(9)["head"], AHEAD)[0] == pytest.approx(-math.sin(0.4))


def test_a_recording_without_a_head_turns_none() -> None:
    rows = "Timecode,BlendShapeCount,JawOpen\n10:00:00:00,1,0\n10:00:01:00,1,1"
    assert recordings.read("Take", rows.encode()).turns_at(0.5) == {}
