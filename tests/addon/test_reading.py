# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights are read in steps, and are those that are read at once."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_arrays import group_entries
from blendshape_auto_generator.blendshape_addon.job import reading
from blendshape_auto_generator.blendshape_addon.job.options import Options
from blendshape_auto_generator.blendshape_addon.job.reading import Reading
from fixtures import scenes


@pytest.fixture
def face(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The sample head with eyes of their own and weights; few vertices and no time at a step."""
    monkeypatch.setattr(reading, "CHUNK", 700)
    monkeypatch.setattr(reading, "STEP_SECONDS", 1e-9)
    objects = scenes.add_head(("eye",))
    for ob in objects.values():
        ob.parent = objects["Face"] if ob != objects["Face"] else None
        for number, name in enumerate(("Head", "Jaw", "Neck")):
            some = list(range(number, len(ob.data.vertices), number + 1))
            ob.vertex_groups.new(name=name).add(some, 0.25 * (number + 1), "REPLACE")
    bpy.context.view_layer.update()
    return objects["Face"]


def read(work: Reading) -> int:
    """Read on to the end; how many steps that took."""
    steps = 0
    while not work.finished:
        work.step()
        steps += 1
    return steps


def test_it_is_the_same_as_at_once_for_the_face_and_its_parts(face: Any) -> None:
    work = Reading(face, Options((), None))
    assert read(work) > 10
    assert len(work.entries) == 3
    for ob in bpy.context.scene.objects:
        found, expected = work.entries[int(ob.session_uid)], group_entries(ob)
        assert found.count == expected.count
        for name in ("vertices", "groups", "weights"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_what_changes_meanwhile_is_left_to_where_it_is_gathered(face: Any) -> None:
    work = Reading(face, Options((), None))
    work.step()
    face.data.vertices.add(1)
    read(work)
    assert int(face.session_uid) not in work.entries and len(work.entries) == 2


def test_what_is_removed_meanwhile_is_passed_over(face: Any) -> None:
    work = Reading(face, Options((), None))
    work.step()
    bpy.data.objects.remove(bpy.data.objects["EyeL"])
    read(work)
    assert len(work.entries) == 2


def test_edit_mode_is_left_to_where_it_is_gathered(face: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    work = Reading(face, Options((), None))
    read(work)
    bpy.ops.object.mode_set(mode="OBJECT")
    assert int(face.session_uid) not in work.entries
