# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks on an object: kept, placed, mirrored, sent, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import landmarks
from blendshape_auto_generator.blendshape_addon.blender_io.avatar import gather_avatar
from blendshape_auto_generator.blendshape_addon.blender_io.landmark_store import (
    corrected_landmarks,
    found_landmarks,
)
from hypothesis import given
from hypothesis import strategies as st

NUMBER = st.floats(-1, 1, allow_nan=False)


@pytest.fixture
def face(body: Any, tiny: Path) -> Any:
    bpy.context.scene.blendshapes.model = str(tiny)
    assert bpy.ops.blendshapes.edit_landmarks() == {"FINISHED"}
    return body


def test_they_are_found_and_kept_on_the_object(face: Any) -> None:
    found = found_landmarks(face)
    assert (
        len(found) == 18 and "lid_upper_left" in found and np.isfinite(list(found.values())).all()
    )
    assert not corrected_landmarks(face)


def test_generating_keeps_them_too(body: Any, tiny: Path) -> None:
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"})
    assert len(found_landmarks(body)) == 18


def test_a_placed_landmark_is_sent_and_stays_when_the_rest_is_found_again(
    face: Any, tiny: Path
) -> None:
    place = tuple(np.add(found_landmarks(face)["mouth_left"], (0.01, 0, 0.02)))
    assert bpy.ops.blendshapes.place_landmark(landmark="mouth_left", place=place, mirror=False) == {
        "FINISHED"
    }
    assert corrected_landmarks(face) == {"mouth_left": pytest.approx(place)}
    assert gather_avatar(face)[0].fields()["landmarks"]["mouth_left"] == pytest.approx(place)
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"})
    assert found_landmarks(face)["mouth_left"] == pytest.approx(place)


def test_the_other_side_follows(face: Any) -> None:
    before = found_landmarks(face)
    assert bpy.ops.blendshapes.place_landmark(
        landmark="eye_outer_right", place=(-0.07, -0.08, 1.64)
    ) == {"FINISHED"}
    after = found_landmarks(face)
    assert set(corrected_landmarks(face)) == {"eye_outer_right", "eye_outer_left"}
    assert all(after[name] == before[name] for name in before if not name.startswith("eye_outer"))
    known = {name: place for name, place in after.items() if not name.startswith("eye_outer")}
    assert landmarks.mirrored(after["eye_outer_left"], known) == pytest.approx(
        after["eye_outer_right"], abs=1e-5
    )


def test_an_unknown_landmark_is_refused(face: Any) -> None:
    with pytest.raises(RuntimeError, match="no landmark 'ear'"):
        bpy.ops.blendshapes.place_landmark(landmark="ear", place=(0, 0, 0))


def test_they_survive_save_reload_duplicate_and_append(face: Any, tmp_path: Path) -> None:
    bpy.ops.blendshapes.place_landmark(landmark="chin", place=(0, -0.09, 1.53))
    path = str(tmp_path / "face.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    ob = bpy.data.objects["Body"]
    assert (
        corrected_landmarks(ob) == {"chin": pytest.approx((0, -0.09, 1.53), abs=1e-5)}
        and len(found_landmarks(ob)) == 18
    )
    copy = ob.copy()
    assert corrected_landmarks(copy) == {"chin": pytest.approx((0, -0.09, 1.53), abs=1e-5)}
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(path) as (there, here):
        here.objects = [name for name in there.objects if name == "Body"]
    assert corrected_landmarks(bpy.data.objects["Body"]) == {
        "chin": pytest.approx((0, -0.09, 1.53), abs=1e-5)
    }


def test_forgetting_them(face: Any) -> None:
    assert bpy.ops.blendshapes.reset_landmarks() == {"FINISHED"}
    assert not found_landmarks(face) and not bpy.ops.blendshapes.reset_landmarks.poll()


@given(st.tuples(NUMBER, NUMBER, NUMBER), st.floats(0, 6.28), st.tuples(NUMBER, NUMBER, NUMBER))
def test_mirroring_twice_comes_back_and_swaps_pairs(point: Any, angle: float, shift: Any) -> None:
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    marks = {
        name: tuple(turn @ place + shift)
        for name, place in (("eye_left", (0.3, 0, 0.1)), ("eye_right", (-0.3, 0, 0.1)))
    }
    assert landmarks.mirrored(marks["eye_left"], marks) == pytest.approx(
        marks["eye_right"], abs=1e-6
    )
    once = landmarks.mirrored(point, marks)
    assert landmarks.mirrored(once, marks) == pytest.approx(point, abs=1e-6)


def test_without_pairs_there_is_no_other_side() -> None:
    assert landmarks.mirrored((1, 0, 0), {"chin": (0, 0, 0)}) is None
    assert landmarks.mirrored((1, 0, 0), {"eye_left": (0, 0, 0), "eye_right": (0, 0, 0)}) is None
