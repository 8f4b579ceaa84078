# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend never chooses what is loaded: a model or a table that a file names is not touched before
the user says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import chosen, commands, inspection, session
from blendshape_auto_generator.blendshape_addon.process import launch
from blendshape_auto_generator.blendshape_addon.ui import panels
from fixtures import models

from backend.face.shapes.shape_sets import load_sets

from .conftest import add_figure
from .test_panels import draw

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*blend relative"
)  # what a file holds, not what Blender 4.5 would write
ELSEWHERE = [
    r"\\host\share\evil.onnx",
    "////host/share/evil.onnx",
    r"\\?\UNC\host\share\evil.onnx",
    "/dev/zero",
    "a\nb",
]


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    chosen.forget()
    inspection.forget()
    session.clear_status()
    yield
    chosen.forget()
    inspection.forget()
    session.clear_status()


@pytest.fixture
def preferences() -> Iterator[Any]:
    """The extension's preferences, as they are when Blender has enabled it."""
    addon = bpy.context.preferences.addons.new()
    addon.module = session.ROOT_PACKAGE
    yield addon.preferences
    bpy.context.preferences.addons.remove(addon)


@pytest.fixture
def own(preferences: Any, tiny: Path) -> Path:
    """The user's own model, which is that of the preferences."""
    preferences.model = str(tiny)
    return tiny


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """A folder with a .blend, and beside it a model and a table that the .blend names."""
    folder = tmp_path / "from a stranger"
    folder.mkdir()
    models.pair(folder, "strange", list(load_sets()["arkit"].shapes))
    (folder / "table.json").write_text(json.dumps({"Grin": {"mouthSmileLeft": 1.0}}))
    return save(folder / "avatar.blend", model="//strange.decoder.onnx", table="//table.json")


def save(path: Path, **named: str) -> Path:
    """A file with the figure whose scene names these; then nothing is open, and nothing chosen."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    add_figure()
    for name, value in named.items():
        setattr(bpy.context.scene.blendshapes, name, value)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    chosen.forget()
    return path


def load(path: Path) -> Any:
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    ob = bpy.data.objects["Body"]
    bpy.context.view_layer.objects.active = ob
    return ob


@contextlib.contextmanager
def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the files of a folder that any process opens or reads (Linux), or that this one asks
    about, and paths that the child is sent.
    """
    seen: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "open", "readlink"):
            patch.setattr(os, name, _noting(getattr(os, name), folder, seen))
        send = session.backend.send

        def sent(kind: str, fields: Any, *more: Any, **named: Any) -> int:
            text = json.dumps(dict(fields), default=str)
            seen.extend(f"sent {word}" for word in ("strange", "host", "zero") if word in text)
            return int(send(kind, fields, *more, **named))

        patch.setattr(session.backend, "send", sent)
        with _inotify(folder, seen):
            yield seen


def _noting(function: Any, folder: Path, seen: list[str]) -> Any:
    def noted(path: Any, *given: Any, **named: Any) -> Any:
        if isinstance(path, str | os.PathLike) and (
            "host" in os.fspath(path) or (str(folder) in os.fspath(path) and "." in Path(path).name)
        ):
            seen.append(f"{function.__name__} {Path(path).name}")
        return function(path, *given, **named)

    return noted


@contextlib.contextmanager
def _inotify(folder: Path, seen: list[str]) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert (
        handle >= 0 and libc.inotify_add_watch(handle, os.fsencode(folder), 0x1 | 0x20) >= 0
    )  # read, opened
    try:
        yield
        with contextlib.suppress(BlockingIOError):
            data = os.read(handle, 1 << 16)
            while data:
                _watch, _mask, _cookie, length = struct.unpack_from("iIII", data)
                name = data[16 : 16 + length].rstrip(b"\0").decode()
                seen.extend([f"opened {name}"] if name else [])
                data = data[16 + length :]
    finally:
        os.close(handle)


def use(**answer: str) -> set[str]:
    return set(bpy.ops.blendshapes.use_named(**answer))


def test_the_watch_sees_a_look_an_opened_file_and_what_the_child_does(
    strangers: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    load(strangers)
    with watched(strangers.parent, monkeypatch) as seen:
        Path(strangers.parent / "table.json").exists()
    assert seen == ["stat table.json"]
    bpy.context.scene.blendshapes.model = "//strange.decoder.onnx"
    with watched(strangers.parent, monkeypatch) as seen:
        bpy.ops.blendshapes.inspect()
    assert "sent strange" in seen
    if sys.platform == "linux":
        assert {"opened strange.decoder.onnx", "opened strange.encoder.onnx"} <= set(seen)


def test_what_a_file_names_is_not_touched_and_its_use_is_asked_for(
    strangers: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(strangers)
    with watched(strangers.parent, monkeypatch) as seen:
        told = draw()
        assert bpy.ops.blendshapes.inspect() == {"FINISHED"}
        told += draw()
        assert bpy.ops.blendshapes.generate(sets={"vrm0"}) == {"FINISHED"}
        assert bpy.ops.blendshapes.update() == {"FINISHED"}
        assert bpy.ops.blendshapes.live_start() == {"FINISHED"}
        assert bpy.ops.blendshapes.live_end() == {"FINISHED"}
    assert seen == []
    one_line = told.replace("\n", "")
    assert "This file names the model" in told and "This file names the table" in told
    assert (
        "avatar.blend" not in told
        and "strange.decoder.onnx" in one_line
        and "from a stranger" in told.replace("\n", " ")
    )
    assert "blendshapes.use_named" in told and "blendshapes.forget_named" in told
    assert "tiny on" in told and "strange on" not in told, (
        "the model of the preferences looked for the face"
    )
    assert "model=" not in told and "table=" not in told, (
        "Blender itself looks at the disk for what is drawn as a path"
    )


def test_a_run_without_them_says_so(strangers: Path, own: Path) -> None:
    ob = load(strangers)
    assert bpy.ops.blendshapes.generate(sets={"vrm0"}) == {"FINISHED"}
    assert "Grin" not in ob.data.shape_keys.key_blocks
    warnings = " ".join(session.status.warnings)
    assert "The model" in warnings and "The table" in warnings and "Use It" in warnings
    with pytest.raises(RuntimeError, match=r"Nothing to generate.*table\.json"):
        bpy.ops.blendshapes.generate(sets=set())


def test_after_the_button_they_are_used(strangers: Path, own: Path) -> None:
    ob = load(strangers)
    for named in chosen.asked(bpy.context.scene):
        assert use(kind=named.kind, path=named.path) == {"FINISHED"}
    assert chosen.asked(bpy.context.scene) == []
    assert bpy.ops.blendshapes.inspect() == {"FINISHED"}
    told = draw()
    assert (
        "strange on" in told
        and "This file names" not in told
        and "model=//strange.decoder.onnx" in told
    )
    assert bpy.ops.blendshapes.generate(sets={"vrm0"}) == {"FINISHED"}
    assert "Grin" in ob.data.shape_keys.key_blocks and "Use It" not in " ".join(
        session.status.warnings
    )


def test_leaving_it_out_takes_it_out_of_the_scene(strangers: Path) -> None:
    load(strangers)
    for kind in ("model", "table"):
        assert bpy.ops.blendshapes.forget_named(kind=kind) == {"FINISHED"}
    assert (
        chosen.asked(bpy.context.scene) == []
        and bpy.context.scene.blendshapes.model == ""
        and "This file names" not in draw()
    )


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_path_to_another_computer_or_a_device_has_no_button(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    load(save(tmp_path / "avatar.blend", model=path, table=path))
    with watched(tmp_path, monkeypatch) as seen:
        told = draw().replace("\n", " ")
        assert bpy.ops.blendshapes.inspect() == {"FINISHED"}
        for named in chosen.asked(bpy.context.scene):
            assert named.problem and use(kind=named.kind, path=named.path) == {"CANCELLED"}
    assert seen == [] and "It cannot be used" in told and "blendshapes.use_named" not in told
    assert len(chosen.asked(bpy.context.scene)) == 2


def test_a_path_of_any_length_is_drawn_in_little(tmp_path: Path) -> None:
    load(save(tmp_path / "avatar.blend", model="/" + "x" * 100_000))
    assert len(draw()) < 5000 and chosen.asked(bpy.context.scene)[0].problem


def test_another_computers_table_is_refused_also_when_it_was_chosen(body: Any) -> None:
    bpy.context.scene.blendshapes.table = r"\\host\share\table.json"
    with pytest.raises(RuntimeError, match="another computer"):
        bpy.ops.blendshapes.generate(sets=set())
    assert session.status.error is not None and session.status.error.code == "input_missing"


def test_another_computers_model_is_refused_also_when_it_was_chosen(body: Any) -> None:
    bpy.context.scene.blendshapes.model = r"\\host\share\model.onnx"
    with pytest.raises(RuntimeError, match="another computer"):
        bpy.ops.blendshapes.inspect()


def test_only_the_path_that_was_shown_is_used(strangers: Path) -> None:
    load(strangers)
    assert use(kind="model", path="/another.onnx") == {"CANCELLED"}
    assert use(kind="table", path=chosen.asked(bpy.context.scene)[0].path) == {"CANCELLED"}, (
        "a model was not chosen as a table"
    )
    assert len(chosen.asked(bpy.context.scene)) == 2


def test_what_the_user_writes_is_chosen_and_nothing_else(body: Any, tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.blendshapes.model = "/mine.onnx"
    assert chosen.asked(scene) == [] and chosen.model(bpy.context) == "/mine.onnx"
    scene.blendshapes.model = ""
    assert chosen.model(bpy.context) == ""


def test_a_name_out_of_the_users_folder_is_asked_for_too(tmp_path: Path) -> None:
    load(save(tmp_path / "avatar.blend", model="face-1.1"))
    assert [(named.path, named.problem) for named in chosen.asked(bpy.context.scene)] == [
        ("face-1.1", "")
    ]


def test_loading_copying_linking_and_appending_choose_nothing(strangers: Path) -> None:
    load(strangers)
    bpy.ops.scene.new(type="FULL_COPY")
    assert len(chosen.asked(bpy.context.scene)) == 2, "a copied scene"
    for link in (True, False):
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        with bpy.data.libraries.load(str(strangers), link=link) as (there, here):
            here.scenes = there.scenes
        scene = here.scenes[0]
        asked = chosen.asked(scene)
        assert len(asked) == 2 and not any(chosen.of_scene(scene, kind) for kind in chosen.KINDS)
        if link:
            assert asked[0].path == str(strangers.parent / "strange.decoder.onnx"), (
                "relative to the file that it comes from"
            )
    bpy.ops.wm.open_mainfile(filepath=str(strangers))
    bpy.ops.wm.revert_mainfile()
    assert len(chosen.asked(bpy.context.scene)) == 2


def test_an_undo_brings_back_a_question_not_an_answer(strangers: Path) -> None:
    load(strangers)
    bpy.ops.ed.undo_push(message="as loaded")
    bpy.context.scene.blendshapes.model = "/mine.onnx"
    bpy.ops.ed.undo_push(message="chosen")
    bpy.ops.ed.undo()
    assert (
        bpy.context.scene.blendshapes.model == "//strange.decoder.onnx"
        and chosen.model(bpy.context) == ""
    )
    bpy.ops.ed.redo()
    assert chosen.model(bpy.context) == "/mine.onnx"


def test_the_same_relative_path_of_another_file_is_another_path(
    strangers: Path, tmp_path: Path
) -> None:
    load(strangers)
    bpy.context.scene.blendshapes.model = "//strange.decoder.onnx"
    assert chosen.of_scene(bpy.context.scene, "model")
    load(save_keeping(tmp_path / "other.blend", "//strange.decoder.onnx"))
    assert [named.kind for named in chosen.asked(bpy.context.scene)] == ["model"]


def save_keeping(path: Path, model: str) -> Path:
    """As `save`, with what was chosen before."""
    kept = set(chosen._chosen)
    save(path, model=model)
    chosen._chosen.update(kept)
    return path


def test_the_batch_command_goes_by_its_arguments_alone(
    strangers: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "report.json"
    for out, inputs in (("files", [str(strangers)]), ("opened", [])):
        if not inputs:
            load(strangers)
        with watched(strangers.parent, monkeypatch) as seen:
            arguments = [
                *inputs,
                "--set",
                "vrm0",
                "--model",
                str(tiny),
                "--out",
                str(tmp_path / out),
                "--report",
                str(report),
            ]
            assert commands.main(arguments, "test") == 0
        assert not [entry for entry in seen if "avatar.blend" not in entry]
        row = json.loads(report.read_text())["files"][0]
        assert row["model"] == "tiny" and "Grin" not in row["keys"]["added"]


def test_a_model_of_the_preferences_is_the_users_in_every_file(own: Path, strangers: Path) -> None:
    load(strangers)
    assert chosen.model(bpy.context) == str(own)
    assert bpy.ops.blendshapes.inspect() == {"FINISHED"} and "tiny on" in draw(
        panels.BLENDSHAPES_PT_generate
    )


def test_a_path_of_the_preferences_is_never_relative_to_the_open_file(
    preferences: Any, strangers: Path, tmp_path: Path
) -> None:
    load(strangers)
    for name in ("model", "python"):
        setattr(preferences, name, "//mine")
        assert getattr(preferences, name) == str(strangers.parent / "mine")
    load(save(tmp_path / "other.blend"))
    assert (
        preferences.python
        == chosen.of_preferences(bpy.context).replace("model", "python")
        == str(strangers.parent / "mine")
    )


@pytest.mark.parametrize(
    "path", ["python3", "./python3", "//python3", r"\\host\share\python.exe", r"\\.\pipe\python"]
)
def test_a_python_is_named_by_its_whole_path_on_this_computer(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AddonError) as caught:
        launch.plan(tmp_path, tmp_path / "log" / "x.log", launch.Settings(python=path))
    assert caught.value.code == "child_start"
