# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools for one shape: its strength, its other side, back to what was generated, sculpted; the keys
are made as the extension makes them, the child is only asked where a shape is made anew.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import generated, remembered, tuned
from blendshape_auto_generator.blendshape_addon.blender_io.key_writer import Shape, write_keys
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_arrays import base_coordinates
from blendshape_auto_generator.blendshape_addon.blender_io.naming import other_side
from blendshape_auto_generator.blendshape_addon.job import preview, sculpting, session
from blendshape_auto_generator.blendshape_addon.job.outcome import Pose
from blendshape_auto_generator.blendshape_addon.ops import look_operators, shape_operators
from numpy.typing import NDArray

from .conftest import add_mesh
from .test_panels import draw

Floats = NDArray[np.float32]
LEFT, RIGHT, BOTH = "eyeBlinkLeft", "eyeBlinkRight", "jawOpen"
WIDE = 9


def grid() -> tuple[Floats, NDArray[np.int32]]:
    """A bent sheet that is symmetric about X = 0: vertices (V,3), triangles (T,3)."""
    axis = np.linspace(-1, 1, WIDE, dtype=np.float32)
    x, z = np.meshgrid(axis, axis)
    vertices = np.stack([x, -0.3 * x**2, z], axis=2).reshape(-1, 3)
    at = np.arange(WIDE * WIDE).reshape(WIDE, WIDE)
    one = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:]], axis=2).reshape(-1, 3)
    other = np.stack([at[:-1, :-1], at[1:, 1:], at[1:, :-1]], axis=2).reshape(-1, 3)
    return vertices.astype(np.float32), np.concatenate([one, other]).astype(np.int32)


def bump(vertices: Floats, x: float) -> Floats:
    """Offsets (V,3) around a place on the sheet."""
    near = np.exp(-8 * ((vertices[:, 0] - x) ** 2 + (vertices[:, 2] - 0.5) ** 2))
    near[near < 0.05] = 0
    return (near[:, None] * np.array([0.1 * np.sign(x), -0.2, 0.05])).astype(np.float32)


@pytest.fixture
def face() -> Any:
    """The sheet with three generated keys."""
    vertices, triangles = grid()
    ob = add_mesh("Face", vertices, triangles)
    made = {LEFT: bump(vertices, 0.5), RIGHT: bump(vertices, -0.5), BOTH: bump(vertices, 0.01)}
    everything = np.arange(len(vertices), dtype=np.int32)
    write_keys(ob, everything, [Shape(name, offsets) for name, offsets in made.items()])
    told = {name: remembered.Told("added", 1.0, "", 0.2) for name in made}
    remembered.remember(ob, "stamp", told)
    return ob


def offsets(ob: Any, name: str) -> Floats:
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.shape_keys.key_blocks[name].points.foreach_get("co", points.reshape(-1))
    return points - base_coordinates(ob)


def edit(ob: Any, name: str, row: int, by: float) -> None:
    ob.data.shape_keys.key_blocks[name].points[row].co.z += by


def ours(ob: Any) -> set[str]:
    return generated.made_by_us(ob, base_coordinates(ob))


def strength(name: str, factor: float) -> set[str]:
    return set(bpy.ops.blendshapes.shape_strength(key_name=name, strength=factor))


def test_a_strength_is_of_what_was_generated_however_often_it_is_set(face: Any) -> None:
    before = offsets(face, LEFT)
    for factor in (0.5, 0.0, 2.0, 1.5):
        assert strength(LEFT, factor) == {"FINISHED"}
        np.testing.assert_allclose(offsets(face, LEFT), factor * before, atol=1e-6)
        assert ours(face) == {LEFT, RIGHT, BOTH} and tuned.strength_of(face, LEFT) == factor
    assert strength(LEFT, 1.0) == {"FINISHED"}
    np.testing.assert_allclose(offsets(face, LEFT), before, atol=1e-6)
    assert tuned.strengths(face) == {}
    np.testing.assert_allclose(offsets(face, RIGHT), bump(grid()[0], -0.5), atol=1e-6)


def test_a_strength_leaves_what_was_edited_by_hand(face: Any) -> None:
    before = offsets(face, LEFT)
    strength(LEFT, 0.5)
    edit(face, LEFT, 3, 0.4)
    assert ours(face) == {RIGHT, BOTH}
    assert strength(LEFT, 2.0) == {"FINISHED"}
    expected = 2 * before
    expected[3, 2] += 0.4
    np.testing.assert_allclose(offsets(face, LEFT), expected, atol=1e-6)
    assert ours(face) == {RIGHT, BOTH}, "it is still the user's"


def test_a_strength_is_refused_where_nobody_knows_what_was_generated(face: Any) -> None:
    edit(face, LEFT, 3, 0.4)
    before = offsets(face, LEFT)
    with pytest.raises(RuntimeError, match="It is not known what"):
        strength(LEFT, 0.5)
    np.testing.assert_array_equal(offsets(face, LEFT), before)


def test_a_strength_of_a_turned_mesh_is_of_the_turned_shape(face: Any) -> None:
    strength(LEFT, 0.5)
    half = offsets(face, LEFT)
    face.rotation_euler = (0.3, 0.2, 0.1)
    bpy.ops.object.transform_apply(location=False, rotation=True, scale=False)
    turned = offsets(face, LEFT)
    assert np.abs(turned - half).max() > 1e-3
    assert strength(LEFT, 1.0) == {"FINISHED"}
    np.testing.assert_allclose(offsets(face, LEFT), 2 * turned, atol=1e-5)


def test_a_key_that_was_renamed_keeps_its_strength(face: Any) -> None:
    before = offsets(face, LEFT)
    strength(LEFT, 0.5)
    face.data.shape_keys.key_blocks[LEFT].name = "Mine"
    face.active_shape_key_index = face.data.shape_keys.key_blocks.find("Mine")
    key = tuned.Tuned(face, "Mine")
    assert key.strength == 0.5 and key.intact
    np.testing.assert_allclose(key.made, before, atol=1e-6)


def test_a_key_alone_tells_what_all_keys_together_would(
    face: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a look at the others where nothing has happened to the mesh; else with one."""
    real, asked = tuned.ownership, []
    monkeypatch.setattr(tuned, "ownership", lambda ob, base: asked.append(ob) or real(ob, base))
    assert tuned.Tuned(face, LEFT).intact and not asked
    assert strength(LEFT, 0.5) == {"FINISHED"} and not asked and ours(face) == {LEFT, RIGHT, BOTH}
    edit(face, LEFT, 20, 0.01)
    assert not tuned.Tuned(face, LEFT).intact and len(asked) == 1
    assert tuned.Tuned(face, RIGHT).intact and len(asked) == 1
    for block in face.data.shape_keys.key_blocks:
        block.points[0].co.x += 0.01
    assert tuned.Tuned(face, RIGHT).intact and len(asked) == 2, "the basis and all keys moved"


def test_generating_anew_goes_by_the_strength(face: Any) -> None:
    strength(LEFT, 0.5)
    made, everything = bump(grid()[0], 0.4), np.arange(WIDE * WIDE, dtype=np.int32)
    own = tuned.strengths(face)[generated.attribute_of(LEFT)]
    write_keys(face, everything, [Shape(LEFT, made, own)])
    np.testing.assert_allclose(offsets(face, LEFT), made / 2, atol=1e-6)
    assert ours(face) == {LEFT, RIGHT, BOTH}
    strength(LEFT, 1.0)
    np.testing.assert_allclose(offsets(face, LEFT), made, atol=1e-6)


def test_the_size_in_the_list_follows_the_strength(face: Any) -> None:
    strength(LEFT, 0.5)
    assert remembered.record_of(face).rows[LEFT].size == pytest.approx(0.1)
    assert remembered.record_of(face).stamp == "stamp", "it is still the run's"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("eyeBlinkLeft", "eyeBlinkRight"),
        ("jawRight", "jawLeft"),
        ("EyeBlink_L", "EyeBlink_R"),
        ("brow.R", "brow.L"),
        ("blinkLeft", "blinkRight"),
        ("ウィンク", "ウィンク右"),
        ("ウィンク右", "ウィンク"),
        ("jawOpen", ""),
        ("eyeBlinkRight", ""),
    ],
)
def test_the_name_of_the_other_side(name: str, other: str) -> None:
    assert other_side(name, {name, other, "Basis"} - {""}) == other


def test_mirroring_takes_the_other_side_with_what_was_edited(face: Any) -> None:
    edit(face, RIGHT, 2 * WIDE + 1, 0.3)
    assert set(bpy.ops.blendshapes.shape_mirror(key_name=LEFT)) == {"FINISHED"}
    sheet = offsets(face, RIGHT).reshape(WIDE, WIDE, 3)[:, ::-1] * np.array([-1, 1, 1])
    np.testing.assert_allclose(offsets(face, LEFT), sheet.reshape(-1, 3), atol=1e-5)
    assert ours(face) == {BOTH}, "it is the user's from now on, as the other side is"
    assert remembered.record_of(face).rows[LEFT].note == remembered.EDITED


def test_mirroring_a_part_of_its_own_takes_the_part_of_the_other_side(face: Any) -> None:
    vertices, triangles = grid()
    parts = []
    for name, side, x in ((LEFT, "L", 0.5), (RIGHT, "R", -0.5)):
        part = add_mesh(f"Lash.{side}", vertices * 0.2, triangles)
        part.location, part.parent = (x, -0.1, 0.5), face
        write_keys(
            part,
            np.arange(len(vertices), dtype=np.int32),
            [Shape(name, bump(vertices, x) * (1 if side == "L" else 3))],
        )
        parts.append(part)
    bpy.context.view_layer.objects.active = face
    bpy.context.view_layer.update()
    bpy.ops.blendshapes.shape_mirror(key_name=LEFT)
    sheet = offsets(parts[1], RIGHT).reshape(WIDE, WIDE, 3)[:, ::-1] * np.array([-1, 1, 1])
    np.testing.assert_allclose(offsets(parts[0], LEFT), sheet.reshape(-1, 3), atol=1e-4)


def test_a_shape_of_both_sides_is_not_mirrored(face: Any) -> None:
    with pytest.raises(RuntimeError, match="no key on the other side"):
        bpy.ops.blendshapes.shape_mirror(key_name=BOTH)


def test_reset_takes_strength_and_edits_back(face: Any) -> None:
    before = offsets(face, LEFT)
    strength(LEFT, 1.5)
    edit(face, LEFT, 3, 0.4)
    assert set(bpy.ops.blendshapes.shape_reset(key_name=LEFT)) == {"FINISHED"}
    np.testing.assert_allclose(offsets(face, LEFT), before, atol=1e-6)
    assert ours(face) == {LEFT, RIGHT, BOTH} and tuned.strengths(face) == {}


def test_reset_takes_a_mirrored_shape_back(face: Any) -> None:
    before = offsets(face, LEFT)
    edit(face, RIGHT, 2 * WIDE + 1, 0.3)
    bpy.ops.blendshapes.shape_mirror(key_name=LEFT)
    bpy.ops.blendshapes.shape_reset(key_name=LEFT)
    np.testing.assert_allclose(offsets(face, LEFT), before, atol=1e-6)
    assert remembered.record_of(face).rows[LEFT].note == ""


def test_one_undo_takes_a_tool_back(face: Any) -> None:
    bpy.ops.ed.undo_push(message="before")
    before = offsets(face, LEFT)
    bpy.ops.blendshapes.shape_strength(key_name=LEFT, strength=2.0)
    bpy.ops.ed.undo_push(message="strength")
    bpy.ops.ed.undo()
    ob = bpy.context.object
    np.testing.assert_array_equal(offsets(ob, LEFT), before)
    assert tuned.strengths(ob) == {} and ours(ob) == {LEFT, RIGHT, BOTH}
    for cls in shape_operators.CLASSES:
        assert "UNDO" in cls.bl_options


def test_nothing_is_left_of_the_tools_when_the_keys_are_removed(face: Any) -> None:
    strength(LEFT, 2.0)
    assert set(bpy.ops.blendshapes.remove()) == {"FINISHED"}
    assert [a.name for a in face.data.attributes if "blendshape" in a.name] == []
    key = face.data.shape_keys
    assert key is None or [name for name in dict(key.items()) if "blendshape" in name] == []


def test_a_locked_key_is_left_alone(face: Any) -> None:
    block = face.data.shape_keys.key_blocks[LEFT]
    if not hasattr(block, "lock_shape"):
        pytest.skip("this Blender locks no keys")
    block.lock_shape = True
    with pytest.raises(RuntimeError, match="is locked"):
        strength(LEFT, 2.0)


def test_sculpting_shows_the_key_alone_and_goes_back_with_one_click(face: Any) -> None:
    face.active_shape_key_index = 3
    assert set(bpy.ops.blendshapes.sculpt_shape(key_name=LEFT)) == {"FINISHED"}
    assert face.mode == "SCULPT" and face.active_shape_key.name == LEFT
    assert face.show_only_shape_key and sculpting.sculpted(face) == LEFT
    assert "Finish Sculpting" in draw() or "sculpt_done" in draw()
    assert set(bpy.ops.blendshapes.sculpt_done()) == {"FINISHED"}
    assert face.mode == "OBJECT" and face.active_shape_key_index == 3
    assert not face.show_only_shape_key and sculpting.sculpted(face) == ""
    assert ours(face) == {LEFT, RIGHT, BOTH}, "nothing was sculpted"


def test_what_was_sculpted_is_kept_and_can_be_taken_back(face: Any) -> None:
    before = offsets(face, LEFT)
    bpy.ops.blendshapes.sculpt_shape(key_name=LEFT)
    bpy.ops.object.mode_set(mode="OBJECT")
    edit(face, LEFT, 3, 0.4)
    bpy.ops.blendshapes.sculpt_done()
    assert ours(face) == {RIGHT, BOTH}
    assert remembered.record_of(face).rows[LEFT].note == remembered.EDITED
    bpy.ops.blendshapes.shape_reset(key_name=LEFT)
    np.testing.assert_allclose(offsets(face, LEFT), before, atol=1e-6)


def test_before_and_after_while_a_key_is_held(face: Any) -> None:
    block = face.data.shape_keys.key_blocks[LEFT]
    block.value = 0.25
    assert not look_operators.BLENDSHAPES_OT_before_after.poll(bpy.context)
    preview.start(face, LEFT)
    assert look_operators.BLENDSHAPES_OT_before_after.poll(bpy.context) and block.value == 1.0
    held: Any = SimpleNamespace(
        cancel=lambda context: look_operators.BLENDSHAPES_OT_before_after.cancel(held, context)
    )
    manager = SimpleNamespace(modal_handler_add=lambda operator: None)
    context: Any = SimpleNamespace(window_manager=manager)
    press: Any = SimpleNamespace(type=look_operators.HELD, value="PRESS")
    operator = look_operators.BLENDSHAPES_OT_before_after
    assert operator.invoke(held, context, press) == {"RUNNING_MODAL"}
    assert block.value == 0.25
    move: Any = SimpleNamespace(type="MOUSEMOVE", value="NOTHING")
    assert operator.modal(held, context, move) == {"RUNNING_MODAL"} and block.value == 0.25
    release: Any = SimpleNamespace(type=look_operators.HELD, value="RELEASE")
    assert operator.modal(held, context, release) == {"FINISHED"} and block.value == 1.0
    preview.stop()
    assert block.value == 0.25


def test_a_pose_that_does_not_hold_is_shown_with_both_keys(face: Any) -> None:
    session.status.end(face, "made")
    words = "Check eyeBlinkLeft + eyeBlinkRight: combined movement is 166% of one side."
    session.status.poses = [Pose("both sides of eyeBlink", (LEFT, RIGHT), 1.66, words)]
    session.status.warnings = [words]
    told = " ".join(draw().split())
    assert told.count("combined movement is 166% of one side") == 1 and "show_pose" in told
    assert set(bpy.ops.blendshapes.show_pose(number=0)) == {"FINISHED"}
    blocks = face.data.shape_keys.key_blocks
    assert blocks[LEFT].value == blocks[RIGHT].value == 1.0 and blocks[BOTH].value == 0.0
    preview.stop()
    assert blocks[LEFT].value == blocks[RIGHT].value == 0.0
    face.shape_key_remove(blocks[RIGHT])
    with pytest.raises(RuntimeError, match="not there any more"):
        bpy.ops.blendshapes.show_pose(number=0)


def test_the_tools_are_drawn_for_the_shape_that_is_shown(face: Any) -> None:
    assert "shape_strength" not in draw()
    preview.start(face, LEFT)
    told = draw()
    tools = ("shape_strength", "shape_mirror", "shape_reset", "shape_regenerate", "sculpt_shape")
    assert all(name in told for name in tools)
    strength(LEFT, 0.5)
    assert preview.shown() == LEFT, "it is shown again after the tool"
    assert "Strength 0.50" in draw()
    preview.stop()


def test_one_shape_is_made_anew_and_the_others_stay(body: Any, tiny: Path) -> None:
    assert set(bpy.ops.blendshapes.generate(model=str(tiny), sets={"arkit"})) == {"FINISHED"}
    names = [name for name in ("jawOpen", "mouthFunnel", "jawForward") if offsets(body, name).any()]
    one, other = names[0], names[1]
    before = {name: offsets(body, name) for name in (one, other)}
    strength(one, 2.0)
    for name in (one, other):
        edit(body, name, 700, 0.01)
    edited = offsets(body, other)
    bpy.ops.blendshapes.shape_regenerate(model=str(tiny), key_name=one)
    np.testing.assert_allclose(offsets(body, one), 2 * before[one], atol=1e-6)
    np.testing.assert_array_equal(offsets(body, other), edited)
    edit(body, one, 700, 0.01)
    bpy.ops.blendshapes.shape_regenerate(model=str(tiny), key_name=other)
    np.testing.assert_allclose(offsets(body, other), before[other], atol=1e-6)
    edit(body, other, 700, 0.01)
    bpy.ops.blendshapes.shape_reset(model=str(tiny), key_name=other)
    np.testing.assert_allclose(offsets(body, other), before[other], atol=1e-6)
    assert len(body.data.shape_keys.key_blocks) == 53
