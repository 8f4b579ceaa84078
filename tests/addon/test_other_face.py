# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the active object has no face, another that has one is offered, and chosen with a click."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.job import inspection, other_face
from fixtures.scenes import activate, add, head


@pytest.fixture(autouse=True)
def at_rest() -> Iterator[None]:
    inspection.forget()
    yield
    inspection.forget()


def cube(name: str, at: float, cuts: int = 3) -> Any:
    bpy.ops.mesh.primitive_grid_add(
        x_subdivisions=4 * cuts, y_subdivisions=4 * cuts, location=(at, 0, 0)
    )
    bpy.context.object.name = name
    return bpy.context.object


def until_done(tick: Any) -> None:
    end = time.monotonic() + 60
    while tick() is not None:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_object_with_a_face_is_offered_and_taken() -> None:
    sample = add("Waiting Head", head().vertices, head().polygons)
    cube("Floor", 5.0)
    hidden = add("Face of before", head().vertices, head().polygons)
    hidden.hide_set(True)
    body = cube("Trousers", 2.0)
    activate(body)
    assert [ob.name for ob in other_face.likely(bpy.context)] == ["Waiting Head", "Floor"], (
        "those that are seen, a face's name first"
    )
    until_done(inspection._tick)
    seen = inspection.look(bpy.context)
    assert seen is not None and seen.error is not None and seen.error.code == "no_face"
    assert other_face.suggestion(bpy.context) == "", "nothing is known yet"
    until_done(other_face.tick)
    assert other_face.suggestion(bpy.context) == "Waiting Head"
    assert bpy.ops.blendshapes.use_other(name="Waiting Head") == {"FINISHED"}
    assert bpy.context.object == sample and sample.select_get() and not body.select_get()


def test_nothing_is_offered_where_nothing_has_a_face() -> None:
    cube("Head", 5.0)
    body = cube("Body", 2.0)
    activate(body)
    until_done(inspection._tick)
    other_face.suggestion(bpy.context)
    until_done(other_face.tick)
    assert other_face.suggestion(bpy.context) == ""
    with pytest.raises(RuntimeError, match="no object 'Nobody'"):
        bpy.ops.blendshapes.use_other(name="Nobody")


def test_it_gives_way_to_what_the_user_asks_for() -> None:
    add("Face", head().vertices, head().polygons)
    body = cube("Body", 2.0)
    activate(body)
    until_done(inspection._tick)
    other_face.suggestion(bpy.context)
    other_face.tick()
    with pytest.raises(RuntimeError, match="No face detected"):
        bpy.ops.blendshapes.generate(sets={"arkit"})
    assert other_face.tick() is None, "it was stopped"
