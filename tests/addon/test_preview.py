# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview of a key: seen whatever holds the key elsewhere, or a word why not, and everything as
before afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import key_export
from blendshape_auto_generator.blendshape_addon.job import held, preview
from fixtures.scenes import activate, add, add_head, seen

RAISED = 0.01


def add_key(ob: Any, name: str, rows: slice = slice(None), up: float = RAISED) -> Any:
    """A key that moves these vertices up."""
    if ob.data.shape_keys is None:
        ob.shape_key_add(name="Basis", from_mix=False)
    key = ob.shape_key_add(name=name, from_mix=False)
    key.value = 0.0
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    key.points.foreach_get("co", points.reshape(-1))
    points[rows, 2] += up
    key.points.foreach_set("co", points.reshape(-1))
    return key


@pytest.fixture
def face() -> Any:
    """A mesh object with keys, listed as results."""
    ob = add("Face", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)], [(0, 1, 2), (1, 3, 2)])
    for number, name in enumerate(("jawOpen", "mouthClose", "Mine")):
        add_key(ob, name, up=RAISED * (1 + number))
    activate(ob)
    return ob


def click(name: str) -> None:
    bpy.context.window_manager.blendshapes.key = bpy.context.object.data.shape_keys.key_blocks.find(
        name
    )


def state(ob: Any) -> Any:
    """All that a preview might change."""
    key = ob.data.shape_keys
    blocks = [
        (k.name, k.value, k.mute, k.slider_min, k.slider_max, k.vertex_group, k.relative_key.name)
        for k in key.key_blocks
    ]
    animation = key.animation_data
    curves = (
        [] if animation is None else [(curve.data_path, curve.mute) for curve in animation.drivers]
    )
    if animation is not None:
        curves += [
            (curve.data_path, curve.mute)
            for some in key_export.curves_of_action(animation)
            for curve in some
        ]
    return (
        blocks,
        curves,
        animation is not None and animation.use_nla,
        ob.show_only_shape_key,
        ob.active_shape_key_index,
        ob.mode,
    )


def pin(ob: Any) -> None:
    ob.show_only_shape_key, ob.active_shape_key_index = True, len(ob.data.shape_keys.key_blocks) - 1


def drive(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.25"
    bpy.context.view_layer.update()


def drive_mute(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["jawOpen"].driver_add("mute").driver.expression = "1"
    bpy.context.view_layer.update()


def animate(ob: Any) -> None:
    key = ob.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (10, 0.5)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    bpy.context.scene.frame_set(5)


def strip(ob: Any) -> None:
    animate(ob)
    animation = ob.data.shape_keys.animation_data
    animation.nla_tracks.new().strips.new("Strip", 1, animation.action)
    animation.action = None
    bpy.context.scene.frame_set(6)


def mute(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["jawOpen"].mute = True


def narrow(ob: Any) -> None:
    key = ob.data.shape_keys.key_blocks["jawOpen"]
    key.slider_min, key.slider_max, key.value = -0.5, 0.3, 0.2


def everything(ob: Any) -> None:
    narrow(ob)
    pin(ob)
    mute(ob)
    drive(ob)


HOLDS = [pin, drive, drive_mute, animate, strip, mute, narrow, everything]


@pytest.mark.parametrize("hold", HOLDS)
def test_a_key_is_seen_whatever_holds_it_and_everything_is_put_back(
    face: Any, hold: Callable[[Any], None]
) -> None:
    rest = seen(face)
    hold(face)
    before, looked = state(face), seen(face)
    click("jawOpen")
    assert preview.shown() == "jawOpen" and preview.why() == ""
    np.testing.assert_allclose(seen(face) - rest, np.tile([0, 0, RAISED], (4, 1)), atol=1e-6)
    click("jawOpen")
    assert preview.shown() == "" and state(face) == before
    np.testing.assert_allclose(seen(face), looked, atol=1e-6)


@pytest.mark.parametrize("hold", HOLDS)
def test_another_click_and_a_saved_file_put_back_too(
    face: Any, hold: Callable[[Any], None], tmp_path: Any
) -> None:
    hold(face)
    before = state(face)
    click("mouthClose")
    assert face.data.shape_keys.key_blocks["jawOpen"].value == 1, "it acts on an open jaw"
    click("Mine")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shown.blend"))
    assert preview.shown() == "" and state(face) == before


def test_frames_that_go_on_do_not_take_the_key_away(face: Any) -> None:
    rest = seen(face)
    animate(face)
    click("jawOpen")
    bpy.context.scene.frame_set(9)
    np.testing.assert_allclose((seen(face) - rest)[:, 2], RAISED, atol=1e-6)
    preview.stop()
    bpy.context.scene.frame_set(10)
    np.testing.assert_allclose((seen(face) - rest)[:, 2], RAISED / 2, atol=1e-6)


def test_what_was_renamed_or_copied_meanwhile_is_put_back(face: Any) -> None:
    everything(face)
    value = face.data.shape_keys.key_blocks["jawOpen"].value
    click("jawOpen")
    twin = face.copy()
    twin.data = face.data.copy()
    bpy.context.scene.collection.objects.link(twin)
    face.data.shape_keys.key_blocks["jawOpen"].name = "Jaw"
    face.name = "Renamed"
    preview.stop()
    for ob, name in ((face, "Jaw"), (twin, "jawOpen")):
        block = ob.data.shape_keys.key_blocks[name]
        assert (block.value, block.mute, block.slider_max) == (
            value,
            True,
            pytest.approx(0.3),
        ) and ob.show_only_shape_key
        assert (
            not any(curve.mute for curve in ob.data.shape_keys.animation_data.drivers)
            and held.KEPT not in ob.data.shape_keys
        )


def edit(ob: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")


def sculpt(ob: Any) -> None:
    bpy.ops.object.mode_set(mode="SCULPT")


def absolute(ob: Any) -> None:
    ob.data.shape_keys.use_relative = False


def hide(ob: Any) -> None:
    ob.hide_set(True)


def empty(ob: Any) -> None:
    key = ob.data.shape_keys.key_blocks["jawOpen"]
    points = np.empty(3 * len(ob.data.vertices), np.float32)
    ob.data.shape_keys.reference_key.points.foreach_get("co", points)
    key.points.foreach_set("co", points)


def masked(ob: Any) -> None:
    ob.vertex_groups.new(name="None")
    ob.data.shape_keys.key_blocks["jawOpen"].vertex_group = "None"


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        (edit, "Edit or Sculpt Mode"),
        (sculpt, "Edit or Sculpt Mode"),
        (absolute, "absolute"),
        (hide, "Face is hidden"),
        (empty, "moves nothing"),
        (masked, "moves nothing"),
    ],
)
def test_what_cannot_be_seen_is_said_and_nothing_changes(
    face: Any, stop: Callable[[Any], None], words: str
) -> None:
    stop(face)
    before = state(face)
    click("jawOpen")
    assert words in preview.why() and preview.shown() == "" and state(face) == before
    bpy.ops.object.mode_set(mode="OBJECT") if face.mode != "OBJECT" else None
    preview.stop()
    assert preview.why() == "" and not bpy.ops.blendshapes.stop_preview.poll()


def test_a_key_that_is_gone_is_said(face: Any) -> None:
    preview.start(face, "Gone")
    assert preview.why() == "Face has no key Gone any more"
    other = add("Other", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    activate(other)
    preview.start(other, "jawOpen")
    assert preview.why() == "Other has no key jawOpen any more"


def test_the_objects_are_those_that_generate_moves() -> None:
    """Lashes without a parent are found by their name, hidden ones and those of another head are
    not.
    """
    found = add_head(("lash", "teeth"))
    face, lash, teeth = found["Face"], found["lash"], found["teeth"]
    old = add("Old", [(5, 0, 0), (6, 0, 0), (5, 1, 0)], [(0, 1, 2)])
    for ob in (face, lash, teeth, old):
        add_key(ob, "jawOpen")
    for ob in (lash, teeth):
        ob.parent = face
    mute(lash)
    pin(lash)
    teeth.hide_set(True)
    activate(face)
    before, rest = [state(ob) for ob in (face, lash, teeth, old)], seen(lash)
    click("jawOpen")
    assert [ob.data.shape_keys.key_blocks["jawOpen"].value for ob in (face, lash, teeth, old)] == [
        1,
        1,
        0,
        0,
    ]
    np.testing.assert_allclose((seen(lash) - rest)[:, 2], RAISED, atol=1e-6)
    preview.stop()
    assert [state(ob) for ob in (face, lash, teeth, old)] == before


def test_parts_that_share_a_mesh_are_put_back_as_they_were() -> None:
    face = add_head(("eye",))["Face"]
    eye, other = bpy.data.objects["EyeL"], bpy.data.objects["EyeR"]
    other.data = eye.data
    for ob in (face, eye):
        add_key(ob, "jawOpen")
    for ob in (eye, other):
        ob.parent = face
        pin(ob)
    mute(eye)
    activate(face)
    before, rest = [state(ob) for ob in (face, eye, other)], seen(other)
    click("jawOpen")
    np.testing.assert_allclose((seen(other) - rest)[:, 2], RAISED, atol=1e-6)
    preview.stop()
    assert [state(ob) for ob in (face, eye, other)] == before


def test_a_shared_mesh_is_put_back_once(face: Any) -> None:
    twin = face.copy()
    bpy.context.scene.collection.objects.link(twin)
    twin.parent = face
    narrow(face)
    before = state(face)
    click("jawOpen")
    assert face.data.shape_keys.key_blocks["jawOpen"].value == 1
    preview.stop()
    assert state(face) == before


@pytest.mark.parametrize("hold", HOLDS)
def test_an_undo_into_the_time_of_the_show_puts_back_too(
    face: Any, hold: Callable[[Any], None]
) -> None:
    hold(face)
    before = state(face)
    bpy.ops.ed.undo_push(message="before")
    click("jawOpen")
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="while it is shown")
    preview.stop()
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="afterwards")
    bpy.ops.ed.undo()
    assert state(bpy.data.objects["Face"]) == before and preview.shown() == ""


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "7",
        '[{"name": 3}]',
        (
            '[{"name": "jawOpen", "index": 1, "path": "", "value": "x", "low": 0, "high": 1,'
            ' "mute": 0, "curves": [], "pinned": []}]'
        ),
    ],
)
def test_what_a_file_says_of_a_show_is_not_believed(face: Any, text: str, tmp_path: Any) -> None:
    face.data.shape_keys[held.KEPT] = text
    before = state(face)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "odd.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "odd.blend"))
    again: Any = bpy.data.objects["Face"]
    assert state(again) == before and held.KEPT not in again.data.shape_keys


def test_a_show_that_a_crash_left_is_put_back(face: Any, tmp_path: Any) -> None:
    everything(face)
    before = state(face)
    click("jawOpen")
    preview.forget()  # a crash: nothing is put back
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "left.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "left.blend"))
    assert state(bpy.data.objects["Face"]) == before
