# SPDX-License-Identifier: GPL-3.0-or-later
"""Test Face: shapes in a row and recordings on the timeline leave nothing behind; a recording that
is kept is an action; live tracking moves the face and gives it back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon import registration
from blendshape_auto_generator.blendshape_addon.blender_io import key_export
from blendshape_auto_generator.blendshape_addon.job import held, playing, preview, recorded
from fixtures.scenes import activate, add

ARKIT = ("jawOpen", "mouthClose", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "browInnerUp")
HEADER = "Timecode,BlendShapeCount,JawOpen,EyeBlinkLeft,Whiskers,HeadYaw"


@pytest.fixture
def face() -> Any:
    """A mesh with some of ARKit's keys and one of the user's, which move different vertices."""
    count = len(ARKIT) + 1
    ob = add("Face", [(x, y, 0) for x in range(count) for y in (0, 1)], [(0, 1, 2), (1, 3, 2)])
    ob.shape_key_add(name="Basis", from_mix=False)
    for number, name in enumerate((*ARKIT, "Mine")):
        key = ob.shape_key_add(name=name, from_mix=False)
        key.value = 0.0
        key.data[2 * number].co.z = 1.0
    activate(ob)
    bpy.context.scene.frame_set(7)
    return ob


def value(ob: Any, name: str) -> float:
    return float(ob.data.shape_keys.key_blocks[name].value)


def seen(ob: Any) -> Any:
    """Heights of the evaluated vertices."""
    evaluated = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty((len(evaluated.data.vertices), 3), np.float32)
    evaluated.data.vertices.foreach_get("co", points.reshape(-1))
    return points[:, 2]


def state(ob: Any) -> Any:
    """All that a test of the face might leave."""
    scene, key = bpy.context.scene, ob.data.shape_keys
    blocks = [(k.name, k.value, k.mute, k.slider_min, k.slider_max) for k in key.key_blocks]
    animation = key.animation_data
    curves = (
        []
        if animation is None
        else [
            (c.data_path, c.mute) for some in key_export.curves_of_action(animation) for c in some
        ]
        + [(c.data_path, c.mute) for c in animation.drivers]
    )
    return (
        blocks,
        curves,
        None if animation is None else (animation.action, animation.use_nla),
        (scene.frame_current, scene.frame_subframe, scene.frame_start, scene.frame_end),
        (
            scene.sync_mode,
            scene.use_preview_range,
            scene.frame_preview_start,
            scene.frame_preview_end,
        ),
        scene.get(playing.KEPT),
        key.get(held.KEPT),
        ob.show_only_shape_key,
        [action.name for action in bpy.data.actions],
        [ob.name for ob in bpy.data.objects],
        list(map(str, bpy.app.handlers.frame_change_pre)),
        seen(ob).tolist(),
    )


def animate(ob: Any) -> None:
    block = ob.data.shape_keys.key_blocks["jawOpen"]
    for frame, height in ((1, 0.0), (10, 0.5)):
        block.value = height
        block.keyframe_insert("value", frame=frame)
    bpy.context.scene.frame_set(5)


def drive(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.25"
    bpy.context.view_layer.update()


def pin(ob: Any) -> None:
    ob.show_only_shape_key, ob.active_shape_key_index = True, 3


def own_range(ob: Any) -> None:
    scene = bpy.context.scene
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 300, 400
    scene.frame_set(320, subframe=0.5)
    scene.sync_mode = "AUDIO_SYNC"


def own_values(ob: Any) -> None:
    keys = ob.data.shape_keys.key_blocks
    keys["Mine"].value, keys["jawOpen"].value, keys["mouthClose"].mute = 0.7, 0.3, True
    keys["browInnerUp"].slider_max = 0.4


HOW = pytest.mark.parametrize(
    "how",
    [lambda ob: None, animate, drive, pin, own_range, own_values],
    ids=lambda how: how.__name__,
)


def recording_file(folder: Path, rows: int = 60) -> Path:
    """A recording of two seconds: the jaw opens steadily, an eye blinks in the middle."""
    path = folder / "Take 1.csv"
    lines = [
        f"10:00:{number // 30:02}:{number % 30:02}.000,4,{number / (rows - 1):.4f},"
        f"{1.0 if number == rows // 2 else 0.0},0.5,0.1"
        for number in range(rows)
    ]
    path.write_text("\n".join((HEADER, *lines)), encoding="utf-8")
    return path


@HOW
@pytest.mark.parametrize("what", ["play_shapes", "play_sample"])
def test_what_was_played_leaves_nothing(face: Any, how: Any, what: str) -> None:
    how(face)
    before = state(face)
    assert getattr(bpy.ops.blendshapes, what)() == {"FINISHED"}
    scene = bpy.context.scene
    assert scene.use_preview_range and scene.frame_preview_end > scene.frame_preview_start
    moved = set()
    for frame in range(scene.frame_preview_start, scene.frame_preview_end + 1, 2):
        scene.frame_set(frame)
        moved |= {k.name for k in face.data.shape_keys.key_blocks[1:] if k.value > 0.3}
    assert moved >= {"jawOpen", "eyeBlinkLeft", "mouthSmileLeft", "browInnerUp"}
    assert bpy.ops.blendshapes.test_stop() == {"FINISHED"}
    assert state(face) == before


def test_shapes_are_seen_one_after_the_other(face: Any) -> None:
    bpy.ops.blendshapes.play_shapes()
    scene = bpy.context.scene
    shown: list[list[str]] = []
    for frame in range(scene.frame_preview_start, scene.frame_preview_end):
        scene.frame_set(frame)
        high = [k.name for k in face.data.shape_keys.key_blocks[1:] if k.value > 0.99]
        if high and (not shown or shown[-1] != high):
            assert playing.shape_now(scene) in high
            shown.append(high)
    assert shown == [
        ["jawOpen"],
        ["jawOpen", "mouthClose"],  # which is only seen on an open jaw
        ["eyeBlinkLeft"],
        ["eyeBlinkRight"],
        ["mouthSmileLeft"],
        ["browInnerUp"],
        ["Mine"],
    ]
    playing.stop()


def test_a_recording_moves_the_mesh_and_may_be_kept(face: Any, tmp_path: Path) -> None:
    path = recording_file(tmp_path)
    assert bpy.ops.blendshapes.play_recording(filepath=str(path)) == {"FINISHED"}
    scene = bpy.context.scene
    scene.frame_set(scene.frame_start + round(1.0 * playing.rate_of(scene)))
    assert value(face, "jawOpen") == pytest.approx(30 / 59, abs=0.01)
    assert seen(face)[0] == pytest.approx(value(face, "jawOpen"), abs=1e-5)
    assert bpy.ops.blendshapes.keep_recording() == {"FINISHED"}
    assert (
        playing.current() is None and scene.frame_current == 7 and scene.get(playing.KEPT) is None
    )
    action = face.data.shape_keys.animation_data.action
    assert action.name == "Take 1"
    scene.frame_set(scene.frame_start + round(1.0 * playing.rate_of(scene)))
    assert value(face, "jawOpen") == pytest.approx(30 / 59, abs=0.01)


@pytest.mark.parametrize("fps", [24, 30, 60, 12])
def test_an_imported_recording_has_the_scenes_frame_rate(
    face: Any, tmp_path: Path, fps: int
) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start = fps, 11
    before = bpy.data.actions.new("Old")
    face.data.shape_keys.animation_data_create().action = before
    assert bpy.ops.blendshapes.import_recording(filepath=str(recording_file(tmp_path))) == {
        "FINISHED"
    }
    animation = face.data.shape_keys.animation_data
    curves = {c.data_path: c for some in key_export.curves_of_action(animation) for c in some}
    assert (
        set(curves) == {f'key_blocks["{name}"].value' for name in ("jawOpen", "eyeBlinkLeft")}
        and before.use_fake_user
    )
    jaw = curves['key_blocks["jawOpen"].value']
    for seconds in (0.0, 0.5, 1.5):
        assert jaw.evaluate(11 + seconds * fps) == pytest.approx(seconds * 30 / 59, abs=0.01)
    blink = curves['key_blocks["eyeBlinkLeft"].value']
    assert len(blink.keyframe_points) < 10
    assert {point.interpolation for point in blink.keyframe_points} == {"LINEAR"}


def test_an_import_is_undone_in_one_step(face: Any, tmp_path: Path) -> None:
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.blendshapes.import_recording(filepath=str(recording_file(tmp_path)))
    bpy.ops.ed.undo_push(message="import")
    assert [action.name for action in bpy.data.actions] == ["Take 1"]
    bpy.ops.ed.undo()
    assert not bpy.data.actions


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", ""),
        ("a.csv", "hello"),
        ("a.csv", HEADER),
        ("a.csv", f"{HEADER}\n10:00:00:00,4,x,0,0,0\n10:00:00:01,4,0,0,0,0"),
        ("a.csv", f"{HEADER}\n10:00:00:00,4,0,0,0\n10:00:00:01,4,0,0,0,0"),
        ("a.csv", f"{HEADER}\n10:00,4,0,0,0,0\n10:01,4,0,0,0,0"),
        ("a.txt", "info,1\nk,0,0"),
        ("a.txt", "bs,jawOpen\nk,0,1,2"),
    ],
)
def test_a_bad_file_is_refused_with_what_to_do(
    face: Any, tmp_path: Path, name: str, text: str
) -> None:
    path, before = tmp_path / name, state(face)
    path.write_text(text, encoding="utf-8")
    for operator in (bpy.ops.blendshapes.play_recording, bpy.ops.blendshapes.import_recording):
        with pytest.raises(RuntimeError, match="Export it again"):
            operator(filepath=str(path))
    assert state(face) == before and playing.current() is None


def test_a_recording_that_moves_nothing_is_refused(face: Any, tmp_path: Path) -> None:
    path, before = tmp_path / "a.txt", state(face)
    path.write_text("bs,tail,ears\n" + "".join(f"k,{t},{'0,' * 10}1,1\n" for t in (0, 40)))
    with pytest.raises(RuntimeError, match="ARKit"):
        bpy.ops.blendshapes.play_recording(filepath=str(path))
    assert state(face) == before


def test_face_cap_names_are_understood(face: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    rows = "".join(f"k,{t},{'0,' * 10}{t / 1000},0.5\n" for t in range(0, 1001, 100))
    path.write_text(f"info,Face Cap,1\nbs,mouthSmile_L,browInnerUp\n{rows}")
    assert bpy.ops.blendshapes.play_recording(filepath=str(path)) == {"FINISHED"}
    scene = bpy.context.scene
    scene.frame_set(scene.frame_preview_end)
    assert value(face, "mouthSmileLeft") == pytest.approx(1.0) and value(face, "browInnerUp") == 0.5
    playing.stop()


def test_a_file_saved_while_it_plays_is_as_before(face: Any, tmp_path: Path) -> None:
    own_values(face)
    before, path = state(face), tmp_path / "a.blend"
    bpy.ops.blendshapes.play_sample()
    bpy.context.scene.frame_set(60)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    assert playing.current() is None and state(face) == before
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert state(bpy.data.objects["Face"]) == before


def test_a_file_of_a_crash_is_put_back_when_it_is_opened(face: Any, tmp_path: Path) -> None:
    own_values(face)
    own_range(face)
    before, path = state(face), tmp_path / "a.blend"
    bpy.ops.blendshapes.play_sample()
    bpy.context.scene.frame_set(60)
    handlers = [bpy.app.handlers.save_pre.pop(0) for _ in range(len(bpy.app.handlers.save_pre))]
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)  # as a crash saves: without handlers
    bpy.app.handlers.save_pre.extend(handlers)
    playing.stop()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert state(bpy.data.objects["Face"]) == before


@pytest.mark.parametrize("text", ["x", "[]", "[1]", "[1e400,0,0,0,0,0]", "[null,0,0,0,0,0]", "{}"])
def test_a_file_may_say_anything(face: Any, text: str) -> None:
    before = state(face)
    bpy.context.scene[playing.KEPT] = text
    registration._sweep()
    assert state(face) == before


def test_an_undo_while_it_plays_puts_all_back(face: Any) -> None:
    bpy.ops.ed.undo_push(message="before")
    before = state(face)
    bpy.ops.blendshapes.play_sample()
    bpy.context.scene.frame_set(60)
    bpy.ops.ed.undo_push(message="something else")
    bpy.ops.ed.undo()
    assert playing.current() is None and state(bpy.data.objects["Face"]) == before
    bpy.ops.ed.redo()
    again = bpy.data.objects["Face"]
    assert value(again, "jawOpen") == 0.0 and again.data.shape_keys.get(held.KEPT) is None
    assert bpy.context.scene.frame_current == 7


def test_one_show_ends_the_other(face: Any) -> None:
    before = state(face)
    bpy.ops.blendshapes.play_sample()
    bpy.context.window_manager.blendshapes.key = 1
    assert preview.shown() == "jawOpen" and playing.current() is None
    bpy.ops.blendshapes.play_shapes()
    assert preview.shown() == "" and playing.current() is not None
    bpy.ops.blendshapes.vrchat_check()
    assert playing.current() is None and state(face) == before


def test_the_face_may_be_removed_while_it_plays(face: Any) -> None:
    bpy.ops.blendshapes.play_sample()
    bpy.data.objects.remove(face)
    bpy.context.scene.frame_set(30)
    assert bpy.app.timers.is_registered(playing.stop)
    playing.stop()
    bpy.app.timers.unregister(playing.stop)
    assert bpy.context.scene.frame_current == 7 and bpy.context.scene.get(playing.KEPT) is None


def test_the_sample_drives_what_arkit_has() -> None:
    sample = recorded.sample()
    assert 5 < sample.seconds < 20 and len(sample.names) == 52
    assert sample.values.max() <= 1 and (sample.values.max(axis=0) > 0.3).sum() > 20


def test_what_is_kept_with_the_scene_is_json(face: Any) -> None:
    bpy.ops.blendshapes.play_shapes()
    assert json.loads(bpy.context.scene[playing.KEPT])[0] == 7
    playing.stop()
