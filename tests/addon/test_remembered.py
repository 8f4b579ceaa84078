# SPDX-License-Identifier: GPL-3.0-or-later
"""Results belong to the mesh: they are right after undo, saving and loading, on copies, in other
scenes, and never of another object.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import generated, remembered
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import preview, session
from fixtures import scenes

from .conftest import add_figure
from .test_panels import draw as drawn

VISEMES = 15


def draw() -> str:
    """All that the panels say, in one line."""
    return drawn().replace("\n", " ")


@pytest.fixture
def made(body: Any, tiny: Path) -> Any:
    """The figure with visemes."""
    bpy.ops.ed.undo_push(message="Before")
    assert bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"}) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Generate")
    return body


def test_each_key_is_recorded_with_how_far_it_moves(made: Any) -> None:
    rows = remembered.record_of(made).rows
    assert len(rows) == VISEMES == len(remembered.listed(made)) and {
        told.state for told in rows.values()
    } == {"added"}
    key = made.data.shape_keys.key_blocks["vrc.v_aa"]
    rest = made.data.shape_keys.reference_key
    far = max((a.co - b.co).length for a, b in zip(key.points, rest.points, strict=True))
    assert rows["vrc.v_aa"].size == pytest.approx(far, rel=1e-3) and far > 0


def test_after_an_undo_nothing_is_listed_nor_told_and_a_redo_brings_it_back(made: Any) -> None:
    assert "vrc.v_aa" in draw() and "Added 15 shape keys" in draw()
    bpy.ops.ed.undo()
    assert "vrc.v_aa" not in draw() and "Added 15 shape keys" not in draw()
    bpy.ops.ed.redo()
    assert "vrc.v_aa" in draw() and "Added 15 shape keys" in draw()


def test_after_saving_and_loading_they_are_listed_and_shown(made: Any, tmp_path: Path) -> None:
    before = remembered.record_of(made)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "made.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made.blend"))
    ob = bpy.context.object
    assert remembered.record_of(ob) == before and "vrc.v_aa" in draw()
    bpy.context.window_manager.blendshapes.key = ob.data.shape_keys.key_blocks.find("vrc.v_aa")
    assert preview.shown() == "vrc.v_aa" and ob.data.shape_keys.key_blocks["vrc.v_aa"].value == 1


def test_a_script_sees_what_the_last_run_made_and_shows_one(made: Any) -> None:
    listed = bpy.context.window_manager.blendshapes
    row = next(row for row in listed.results if row.name == "vrc.v_aa")
    assert (row.state, row.note) == (
        "added",
        remembered.record_of(made).rows["vrc.v_aa"].note,
    ) and 0 < row.confidence <= 1
    listed.result = [row.name for row in listed.results].index("vrc.v_aa")
    assert made.data.shape_keys.key_blocks["vrc.v_aa"].value == 1 and preview.shown() == "vrc.v_aa"
    listed.result = -1
    assert made.data.shape_keys.key_blocks["vrc.v_aa"].value == 0 and not preview.shown()


def test_another_object_has_its_own(made: Any) -> None:
    other = add_figure(armature=False)
    assert "vrc.v_aa" not in draw() and "Added 15 shape keys" not in draw()
    assert not bpy.ops.blendshapes.remove.poll() and not bpy.ops.blendshapes.update.poll()
    other.data = made.data.copy()
    assert "vrc.v_aa" in draw() and "Added 15 shape keys" not in draw(), (
        "a copy has the keys, and no run"
    )
    bpy.context.view_layer.objects.active = made
    assert "Added 15 shape keys" in draw()


def test_in_another_scene_it_is_the_same(made: Any) -> None:
    scene = bpy.data.scenes.new("Other")
    bpy.context.window.scene = scene
    assert "Added 15 shape keys" not in draw()
    scene.collection.objects.link(made)
    bpy.context.view_layer.objects.active = made
    assert "vrc.v_aa" in draw() and "Added 15 shape keys" in draw()


def test_an_error_is_of_its_object_and_goes_with_a_run_that_succeeds(made: Any, tiny: Path) -> None:
    error = AddonError("usage", "That cannot be.", "Do this.")
    session.status.end(made, str(error), error)
    assert "That cannot be." in draw()
    other = add_figure(armature=False)
    assert "That cannot be." not in draw()
    bpy.context.view_layer.objects.active = made
    assert "That cannot be." in draw() and other is not None
    assert bpy.ops.blendshapes.update(model=str(tiny)) == {"FINISHED"}
    assert "That cannot be." not in draw() and "Updated 15 shape keys" in draw()


def test_a_key_that_was_made_by_hand_is_listed_as_kept_and_ones_own_are_not(
    body: Any, tiny: Path
) -> None:
    body.shape_key_add(name="Basis")
    for name in ("vrc.v_aa", "Mine"):
        body.shape_key_add(name=name, from_mix=False).points[0].co.z += 0.1
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"vrchat"}, overwrite=False)
    assert remembered.record_of(body).rows[
        "vrc.v_aa"
    ].state == "kept" and "Mine" not in remembered.listed(body)
    assert len(remembered.listed(body)) == VISEMES


def test_a_renamed_and_a_deleted_key_are_told_after_the_next_run(made: Any, tiny: Path) -> None:
    blocks = made.data.shape_keys.key_blocks
    blocks["vrc.v_aa"].name = "Ah"
    made.shape_key_remove(blocks["vrc.v_oh"])
    bpy.ops.blendshapes.update(model=str(tiny))
    assert {"Ah"} <= remembered.listed(made) and not {
        "vrc.v_aa",
        "vrc.v_oh",
    } & remembered.record_of(made).rows.keys()


def test_removing_leaves_nothing_of_it(made: Any) -> None:
    assert bpy.ops.blendshapes.remove() == {"FINISHED"}
    assert generated.RESULTS not in made.data.shape_keys and remembered.listed(made) == set()
    assert not bpy.ops.blendshapes.remove.poll()


@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "[]",
        '{"stamp": 1}',
        '{"stamp": "", "rows": {"vrc.v_aa": 3}}',
        '{"stamp": "", "rows": {"vrc.v_aa": [1, 2, 3, 4]}}',
        7,
    ],
)
def test_a_tampered_record_is_left_out(made: Any, wrong: Any) -> None:
    made.data.shape_keys[generated.RESULTS] = wrong
    assert (
        remembered.record_of(made).rows == {}
        and len(remembered.listed(made)) == VISEMES
        and "vrc.v_aa" in draw()
    )


def test_parts_count_for_how_far_a_shape_goes() -> None:
    objects = scenes.add_head(("tongue",))
    objects["tongue"].parent = objects["Face"]
    scenes.generate(objects["Face"])
    assert remembered.record_of(objects["Face"]).rows["tongueOut"].size > 0
