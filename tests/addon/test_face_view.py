# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D view at the face: what is in the middle and how large, and that it is given back unless it
was moved.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.job import face_view
from mathutils import Quaternion, Vector

EYES = {
    f"eye_{end}_{side}": (sign * x, 0.0, 1.6)
    for side, sign in (("left", 1), ("right", -1))
    for end, x in (("inner", 0.015), ("outer", 0.045))
}
AT = {name: np.array(place) for name, place in {**EYES, "chin": (0.0, 0.0, 1.5)}.items()}
ROOM = face_view.Room(1600, 900, 60, 300, 50.0)


class Region:
    """A view's own data, as Blender has it."""

    def __init__(self) -> None:
        self.view_location, self.view_rotation, self.view_distance = (
            Vector((1, 2, 3)),
            Quaternion((1, 0, 0, 0)),
            10.0,
        )
        self.view_perspective = "ORTHO"

    def as_pointer(self) -> int:
        return id(self)


def pixels(view: face_view.View, room: face_view.Room, place: Any) -> tuple[float, float]:
    """Where an orthographic view has a place, in pixels from the region's middle."""
    away = Quaternion(view.turn).inverted() @ (Vector(tuple(place)) - Vector(view.middle))
    scale = max(room.width, room.height) / (view.distance * face_view.SENSOR / room.lens)
    return away.x * scale, away.y * scale


@pytest.mark.parametrize("degrees", [0, 90, 200])
def test_the_face_is_seen_from_its_front_in_the_middle_of_what_is_free(degrees: float) -> None:
    turn = Quaternion((0, 0, 1), np.radians(degrees)).to_matrix()
    at = {name: np.array(turn @ Vector(place.tolist())) for name, place in AT.items()}
    view = face_view.view_of(at, ROOM, "ORTHO")
    assert view is not None and view.perspective == "ORTHO"
    free = (ROOM.left - ROOM.right) / 2
    left, right, chin = (
        pixels(view, ROOM, at[name]) for name in ("eye_outer_left", "eye_outer_right", "chin")
    )
    assert left[0] - free == pytest.approx(free - right[0], abs=0.5) and left[0] > right[0], (
        "the character's left is on the right"
    )
    assert left[1] == pytest.approx(right[1], abs=0.5) and left[1] > 0 > chin[1]
    height = left[1] - chin[1]
    assert height * face_view.FACE == pytest.approx(face_view.FILLED * ROOM.height, rel=0.01)
    assert (Quaternion(view.turn) @ Vector((0, 0, 1))).dot(turn @ Vector((0, -1, 0))) > 0.99, (
        "and it is looked at from where it looks"
    )


def test_a_camera_is_left_and_a_narrow_view_is_filled_by_its_width() -> None:
    narrow = face_view.Room(400, 900, 0, 0, 50.0)
    view = face_view.view_of(AT, narrow, "CAMERA")
    assert view is not None and view.perspective == "PERSP"
    high = pixels(view, narrow, AT["eye_outer_left"])[1] - pixels(view, narrow, AT["chin"])[1]
    assert high * face_view.FACE == pytest.approx(face_view.FILLED * narrow.width, rel=0.01)


@pytest.mark.parametrize("missing", ["chin", "eye_inner_left"])
def test_without_landmarks_nothing_is_shown(missing: str) -> None:
    assert (
        face_view.view_of(
            {name: place for name, place in AT.items() if name != missing}, ROOM, "PERSP"
        )
        is None
    )
    assert face_view.view_of({name: np.zeros(3) for name in AT}, ROOM, "PERSP") is None


def test_a_view_is_given_back_as_it_was() -> None:
    region = Region()
    before, view = face_view.read(region), face_view.view_of(AT, ROOM, "ORTHO")
    face_view.set_view(region, view)
    face_view.set_view(
        region, face_view.view_of({name: place + 0.01 for name, place in AT.items()}, ROOM, "ORTHO")
    )
    assert not face_view.read(region).like(before)
    face_view.put_back(region)
    assert face_view.read(region) == before
    face_view.put_back(region)
    assert face_view.read(region) == before


@pytest.mark.parametrize(
    "moved",
    [
        {"view_distance": 3.0},
        {"view_location": Vector((0, 0, 0))},
        {"view_perspective": "PERSP"},
        {"view_rotation": Quaternion((0, 1, 0, 0))},
    ],
)
def test_a_view_that_was_moved_stays(moved: dict[str, Any]) -> None:
    region = Region()
    face_view.set_view(region, face_view.view_of(AT, ROOM, "ORTHO"))
    for name, value in moved.items():
        setattr(region, name, value)
    now = face_view.read(region)
    face_view.put_back(region)
    assert face_view.read(region) == now


def test_a_view_that_was_moved_is_what_is_given_back_after_the_next_show() -> None:
    region = Region()
    face_view.set_view(region, face_view.view_of(AT, ROOM, "ORTHO"))
    region.view_distance = 3.0
    now = face_view.read(region)
    face_view.set_view(region, face_view.view_of(AT, ROOM, "ORTHO"))
    face_view.put_back(region)
    assert face_view.read(region) == now


def test_without_a_window_nothing_happens(body: Any) -> None:
    context: Any = SimpleNamespace(preferences=bpy.context.preferences, area=None, window=None)
    face_view.show(context, body, dict.fromkeys(AT, (0.0, 0.0, 0.0)))
    face_view.show_posed(context, body)
