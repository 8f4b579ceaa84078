# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's work is safe: what was there stays, what was made is known and follows undo, redo,
duplicate, append and reload.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import asked, generated, remembered
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_arrays import base_coordinates
from blendshape_auto_generator.blendshape_addon.blender_io.naming import styled
from blendshape_auto_generator.blendshape_addon.job import preview, session
from blendshape_auto_generator.blendshape_addon.ops.vrchat_operators import known_sets
from fixtures import scenes
from numpy.typing import NDArray

ARKIT = list(known_sets()["arkit"])


def names(ob: Any) -> list[str]:
    return (
        []
        if ob.data.shape_keys is None
        else [block.name for block in ob.data.shape_keys.key_blocks]
    )


def points(ob: Any, name: str) -> NDArray[Any]:
    found = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.shape_keys.key_blocks[name].points.foreach_get("co", found.reshape(-1))
    return found


def generate(model: Path, **options: Any) -> None:
    assert bpy.ops.blendshapes.generate(**{"model": str(model), "sets": {"vrchat"}, **options}) == {
        "FINISHED"
    }


@pytest.fixture
def worked_on(body: Any) -> Any:
    """A figure with a user's work on it: keys with a driver, an action and a group, custom normals,
    materials, an attribute, modifiers.
    """
    body.shape_key_add(name="Basis")
    smile = body.shape_key_add(name="Smile", from_mix=False)
    smile.points[5].co.x += 0.2
    smile.value, smile.slider_max, smile.vertex_group, smile.mute = 0.5, 2.0, "Hips", True
    smile.driver_add("value").driver.expression = "0.25"
    wink = body.shape_key_add(name="Wink", from_mix=False)
    wink.relative_key = smile
    wink.keyframe_insert("value", frame=3)
    body.data.materials.append(bpy.data.materials.new("Skin"))
    body.data.attributes.new("own", "FLOAT", "POINT").data[7].value = 3.0
    body.data.normals_split_custom_set_from_vertices([(0.0, 0.6, 0.8)] * len(body.data.vertices))
    body.modifiers.new("Subdivision", "SUBSURF").levels = 0
    body.active_shape_key_index = 1
    bpy.context.view_layer.update()  # the driver sets its value
    return body


def everything(ob: Any) -> dict[str, Any]:
    key = ob.data.shape_keys
    normals = np.empty((len(ob.data.loops), 3), np.float32)
    ob.data.corner_normals.foreach_get("vector", normals.reshape(-1))
    blocks = {
        block.name: (
            block.value,
            block.slider_max,
            block.vertex_group,
            block.mute,
            block.relative_key.name,
            points(ob, block.name).tobytes(),
        )
        for block in key.key_blocks
        if block.name in ("Basis", "Smile", "Wink")
    }
    curves = [curve.data_path for curve in _curves(key)]
    return {
        "blocks": blocks,
        "drivers": [
            (driver.data_path, driver.driver.expression) for driver in key.animation_data.drivers
        ],
        "curves": curves,
        "normals": normals.round(4).tobytes(),
        "materials": [slot.material.name for slot in ob.material_slots],
        "attribute": ob.data.attributes["own"].data[7].value,
        "modifiers": [(modifier.name, modifier.type) for modifier in ob.modifiers],
        "groups": [group.name for group in ob.vertex_groups],
        "active": ob.active_shape_key_index,
    }


def _curves(key: Any) -> Any:
    action = key.animation_data.action
    return (
        action.fcurves
        if hasattr(action, "fcurves")
        else action.layers[0].strips[0].channelbags[0].fcurves
    )


def test_a_users_work_is_untouched_by_generate_update_and_remove(
    worked_on: Any, tiny: Path
) -> None:
    before = everything(worked_on)
    generate(tiny)
    assert everything(worked_on) == before and len(names(worked_on)) == 18
    assert bpy.ops.blendshapes.update(model=str(tiny)) == {"FINISHED"}
    assert everything(worked_on) == before
    assert bpy.ops.blendshapes.remove() == {"FINISHED"}
    assert everything(worked_on) == before and names(worked_on) == ["Basis", "Smile", "Wink"]


def test_update_makes_only_what_is_there_anew(body: Any, tiny: Path) -> None:
    generate(tiny)
    body.shape_key_remove(body.data.shape_keys.key_blocks["vrc.v_oh"])
    edited = points(body, "vrc.v_ou") + 0.5
    body.data.shape_keys.key_blocks["vrc.v_ou"].points.foreach_set("co", edited.reshape(-1))
    body.data.shape_keys.key_blocks["vrc.v_ih"].name = "My i"
    renamed = points(body, "My i") - base_coordinates(body)
    full = points(body, "vrc.v_aa") - base_coordinates(body)
    assert bpy.ops.blendshapes.update(model=str(tiny), strength=0.5) == {"FINISHED"}
    assert "vrc.v_oh" not in names(body) and "vrc.v_ih" not in names(body)
    np.testing.assert_array_equal(points(body, "vrc.v_ou"), edited)
    np.testing.assert_allclose(
        points(body, "vrc.v_aa") - base_coordinates(body), full / 2, atol=1e-6
    )
    np.testing.assert_allclose(
        points(body, "My i") - base_coordinates(body), renamed / 2, atol=1e-6
    )
    assert session.status.result == "Updated 13 shape keys on Body, 1 kept"
    assert remembered.record_of(body).rows["My i"].state == "updated"


def test_update_knows_the_tables_and_conditions_too(body: Any, tiny: Path) -> None:
    generate(tiny, sets=set(), conditions="jawOpen=0.5", key_name="Ah")
    generate(tiny)
    assert asked.request_of(body) == (("vrchat",), {"Ah": {"jawOpen": 0.5}})
    assert (
        bpy.ops.blendshapes.update(model=str(tiny)) == {"FINISHED"}
        and "Updated 16 shape keys" in session.status.result
    )


def test_update_is_offered_only_where_something_was_generated(body: Any) -> None:
    assert not bpy.ops.blendshapes.update.poll()
    body.shape_key_add(name="Basis")
    assert not bpy.ops.blendshapes.update.poll()


@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "[1]",
        '{"sets": [1]}',
        '{"sets": {}, "table": 3}',
        '{"sets": ["vrchat"], "table": {"a": 1}}',
    ],
)
def test_a_tampered_request_is_ignored(body: Any, tiny: Path, wrong: str) -> None:
    generate(tiny)
    body.data.shape_keys[generated.REQUEST] = wrong
    assert asked.request_of(body) == ((), {})
    assert (
        bpy.ops.blendshapes.update(model=str(tiny)) == {"FINISHED"}
        and "Updated 15 shape keys" in session.status.result
    ), "the keys tell their set"


def test_update_asks_for_what_no_set_has(body: Any, tiny: Path) -> None:
    generate(tiny, sets=set(), conditions="jawOpen=0.5", key_name="Ah")
    del body.data.shape_keys[generated.REQUEST]
    with pytest.raises(RuntimeError, match="not known what"):
        bpy.ops.blendshapes.update(model=str(tiny))


def test_undo_and_redo(body: Any, tiny: Path) -> None:
    bpy.ops.ed.undo_push(message="before")
    generate(tiny)
    bpy.ops.ed.undo_push(message="generated")
    made = names(body)
    bpy.ops.ed.undo()
    ob = bpy.data.objects["Body"]
    assert names(ob) == [] and len(ob.blendshapes.landmarks) == 0
    bpy.ops.ed.redo()
    ob = bpy.data.objects["Body"]
    assert names(ob) == made and len(ob.blendshapes.landmarks) == 18
    assert len(generated.made_by_us(ob, base_coordinates(ob))) == 15
    assert (
        bpy.ops.blendshapes.update(model=str(tiny)) == {"FINISHED"}
        and "Updated 15 shape keys" in session.status.result
    )


def test_duplicates_are_known_and_lead_their_own_life(body: Any, tiny: Path) -> None:
    generate(tiny)
    bpy.ops.object.select_all(action="DESELECT")
    body.select_set(True)
    bpy.ops.object.duplicate()
    copy = bpy.context.object
    assert copy != body and len(generated.made_by_us(copy, base_coordinates(copy))) == 15
    assert bpy.ops.blendshapes.remove() == {"FINISHED"}
    assert names(copy) == ["Basis"] and len(names(body)) == 16


def test_reloaded_and_appended(body: Any, tiny: Path, tmp_path: Path) -> None:
    generate(tiny)
    path = str(tmp_path / "made.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(path) as (_there, here):
        here.objects = ["Body"]
    ob = bpy.data.objects["Body"]
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    assert len(generated.made_by_us(ob, base_coordinates(ob))) == 15 and asked.request_of(ob)[
        0
    ] == ("vrchat",)
    assert (
        bpy.ops.blendshapes.update(model=str(tiny)) == {"FINISHED"}
        and "Updated 15 shape keys" in session.status.result
    )


def test_settings_are_saved_with_the_file(tmp_path: Path) -> None:
    settings = bpy.context.scene.blendshapes
    settings.sets_mmd = True
    settings.sets_arkit = False
    settings.jaw, settings.naming, settings.guide, settings.alias, settings.parts = (
        0.5,
        "pascal",
        "shape",
        True,
        False,
    )
    settings.style, settings.turn_eyes = 0.75, True
    path = str(tmp_path / "settings.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.blendshapes
    assert set(settings.sets) == {"vrchat", "mmd"} and settings.sets_mmd and not settings.sets_arkit
    assert (settings.jaw, settings.naming, settings.guide, settings.alias, settings.parts) == (
        0.5,
        "pascal",
        "shape",
        True,
        False,
    )
    assert (settings.style, settings.turn_eyes) == (0.75, True)


def test_regions_and_names_from_the_operator(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"arkit"})
    full = {name: points(body, name) - base_coordinates(body) for name in names(body)}
    generate(tiny, sets={"arkit"}, jaw=0.5, brows=0.0)
    np.testing.assert_allclose(
        points(body, "jawOpen") - base_coordinates(body), full["jawOpen"] / 2, atol=2e-4
    )
    np.testing.assert_array_equal(
        points(body, "mouthPucker") - base_coordinates(body), full["mouthPucker"]
    )
    assert not (points(body, "browInnerUp") - base_coordinates(body)).any()
    assert any(
        "move nothing" in warning and "brow" in warning for warning in session.status.warnings
    )


def test_a_style_from_the_operator_moves_all_sizes(body: Any, tiny: Path) -> None:
    sizes = []
    for style in (0.0, 1.0):
        generate(tiny, sets={"arkit"}, style=style, turn_eyes=True)
        rest = base_coordinates(body)
        sizes.append(
            {
                n: float(np.abs(points(body, n) - rest).max())
                for n in ("mouthPucker", "browInnerUp", "eyeLookUpLeft")
            }
        )
    subtle, bold = sizes
    assert (
        bold["mouthPucker"] > 1.1 * subtle["mouthPucker"]
        and bold["browInnerUp"] > 1.1 * subtle["browInnerUp"]
    )
    assert bold["eyeLookUpLeft"] == subtle["eyeLookUpLeft"]


def test_a_rigs_own_spelling_is_followed(body: Any, tiny: Path) -> None:
    body.shape_key_add(name="Basis")
    for number, name in enumerate(ARKIT):
        if number % 2 == 0:
            body.shape_key_add(name=styled(name, "suffix"), from_mix=False)
    generate(tiny, sets={"arkit"})
    assert len(names(body)) == 53 and {styled(name, "suffix") for name in ARKIT} == set(
        names(body)
    ) - {"Basis"}
    assert "Added 26 shape keys" in session.status.result and "26 kept" in session.status.result


def test_two_keys_of_ones_own_do_not_name_the_others(body: Any, tiny: Path) -> None:
    body.shape_key_add(name="Basis")
    body.shape_key_add(name="mouthSmile_L", from_mix=False)
    body.shape_key_add(name="MouthPucker", from_mix=False)
    generate(tiny, sets={"arkit"})
    assert len(names(body)) == 53 and set(ARKIT) - set(names(body)) == {
        "mouthSmileLeft",
        "mouthPucker",
    }
    assert "Added 50 shape keys" in session.status.result and "2 kept" in session.status.result


def test_only_what_moves_is_told_as_made(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"arkit"}, brows=0.0, jaw=0.0)
    still = [name for name in ARKIT if not (points(body, name) - base_coordinates(body)).any()]
    assert 0 < len(still) < 52
    assert (
        f"Added {52 - len(still)} shape keys to Body, {len(still)} move nothing"
        in session.status.result
    )
    rows = remembered.record_of(body).rows
    assert [
        name for name, told in rows.items() if told.note == "moves nothing" and not told.size
    ] == still and session.status.made == 52 - len(still)


def test_parts_that_get_nothing_are_not_counted() -> None:
    objects = scenes.add_head(("tongue", "teeth"))
    for name in ("tongue", "teeth"):
        objects[name].parent = objects["Face"]
    scenes.generate(objects["Face"])
    assert "and 2 separate parts" in session.status.result
    assert 0 < len(names(objects["teeth"])) < 52
    scenes.generate(objects["Face"], jaw=0.0, tongue=0.0)
    assert "part" not in session.status.result, "their keys are there and move nothing now"
    scenes.generate(objects["Face"], jaw=0.0)
    assert "1 of 2 separate parts move" in session.status.result


def test_where_nothing_is_made_it_is_not_called_finished(body: Any, tiny: Path) -> None:
    body.shape_key_add(name="Basis")
    for name in ARKIT:
        body.shape_key_add(name=name, from_mix=False)
    assert bpy.ops.blendshapes.generate(model=str(tiny), sets={"arkit"}) == {"CANCELLED"}
    assert "52 kept" in session.status.result and session.status.made == 0


def test_the_alias_is_a_second_key(body: Any, tiny: Path) -> None:
    generate(tiny, alias=True)
    assert len(names(body)) == 17
    np.testing.assert_array_equal(points(body, "vrc.v_ee"), points(body, "vrc.v_e"))


def test_all_sets_at_once_are_different_names(body: Any, tiny: Path) -> None:
    generate(tiny, sets={"arkit", "vrchat", "vrm0", "vrm1", "unified", "sranipal", "mmd"})
    assert (
        len(set(names(body))) == len(names(body)) > 280
        and "まばたき" in names(body)
        and "Jaw_Open" in names(body)
        and "JawOpen" in names(body)
    )


def test_a_preview_puts_values_back(body: Any, tiny: Path, tmp_path: Path) -> None:
    generate(tiny, sets={"arkit"})
    keys, shown = body.data.shape_keys.key_blocks, bpy.context.window_manager.blendshapes
    keys["jawOpen"].value = 0.125
    assert len(remembered.listed(body)) == 52
    row = keys.find("mouthClose")
    shown.key = row
    assert (
        preview.shown() == "mouthClose"
        and keys["mouthClose"].value == 1
        and keys["jawOpen"].value == 1
    ), "it acts on an open jaw"
    shown.key = keys.find("eyeBlinkLeft")
    assert (
        keys["mouthClose"].value == 0
        and keys["jawOpen"].value == 0.125
        and keys["eyeBlinkLeft"].value == 1
    )
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shown.blend"))
    assert keys["eyeBlinkLeft"].value == 0 and preview.shown() == "", (
        "what is only shown is not saved"
    )
    shown.key = row
    assert bpy.ops.blendshapes.stop_preview() == {"FINISHED"} and keys["jawOpen"].value == 0.125
