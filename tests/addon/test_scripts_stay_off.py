# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend file that brings scripts: a text block that registers itself, a handler, a driver.
Whatever opens it here runs none of them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import scene_files
from blendshape_auto_generator.blendshape_addon.job import commands
from blendshape_auto_generator.blendshape_addon.ops import sheet_operators

from scripts.batch.pool import blender_command

from .conftest import add_figure

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import bpy
from pathlib import Path
def leave(name):
    (Path({folder!r}) / name).write_text("")
    return 0.0
leave("text")
bpy.app.handlers.load_post.append(lambda *_: leave("handler"))
bpy.app.handlers.depsgraph_update_post.append(lambda *_: leave("update"))
bpy.app.driver_namespace["leave"] = leave
"""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder in which the scripts leave a file each."""
    (tmp_path / "left").mkdir()
    return tmp_path / "left"


@pytest.fixture
def hostile(tmp_path: Path, left: Path) -> Iterator[Path]:
    """The file, with a key to draw."""
    ob = add_figure()
    ob.shape_key_add(name="Basis")
    key = ob.shape_key_add(name="vrc.v_aa", from_mix=False)
    key.points[0].co.x += 0.1
    driver = key.driver_add("value").driver
    driver.type, driver.expression = "SCRIPTED", "leave('driver')"
    other = ob.driver_add("location", 0).driver
    other.type = "SCRIPTED"
    other.expression = f"__import__('pathlib').Path({str(left / 'import')!r}).write_text('') * 0"
    text = bpy.data.texts.new("startup.py")
    text.from_string(SCRIPT.format(folder=str(left)))
    text.use_module = True
    path = tmp_path / "figure.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    for entry in left.iterdir():
        entry.unlink()
    lists: Any = bpy.app.handlers.load_post, bpy.app.handlers.depsgraph_update_post
    kept = [list(handlers) for handlers in lists]
    yield path
    for handlers, before in zip(lists, kept, strict=True):
        handlers[:] = before
    bpy.app.driver_namespace.pop("leave", None)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def test_the_file_would_do_it_if_it_were_let(hostile: Path, left: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(hostile), use_scripts=True)
    bpy.context.view_layer.update()
    assert (left / "text").exists()


def test_reading_a_scene_runs_nothing(hostile: Path, left: Path) -> None:
    scene_files.read_scene(hostile)
    bpy.context.view_layer.update()
    assert list(left.iterdir()) == [] and "Body" in bpy.data.objects


def test_the_command_runs_nothing(hostile: Path, left: Path, tmp_path: Path, tiny: Path) -> None:
    assert (
        commands.run_command(
            [
                str(hostile),
                "--set",
                "vrchat",
                "--model",
                str(tiny),
                "--out",
                str(tmp_path / "out"),
                "--export",
                "glb",
            ]
        )
        == 0
    )
    assert list(left.iterdir()) == [] and (tmp_path / "out" / "figure.glb").is_file()


@pytest.mark.parametrize("script", ["generate.py", "contact_sheet.py"])
def test_the_scripts_run_nothing(
    hostile: Path, left: Path, tmp_path: Path, tiny: Path, script: str
) -> None:
    more = ["--set", "vrchat", "--model", str(tiny), "--out", str(tmp_path / "out"), "--sheets"]
    words: list[str] = [str(tmp_path / "sheet.png")] if script == "contact_sheet.py" else more
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), str(hostile), *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(left.iterdir()) == [] and (
        (tmp_path / "sheet.png").is_file() or (tmp_path / "out" / "figure.blend").is_file()
    )


def test_other_blenders_are_told_before_they_open_a_file() -> None:
    copy = Path("/tmp/copy.blend")
    for line in (
        sheet_operators.sheet_command("blender", copy, Path("/out"), "Body", "stem"),
        blender_command("/usr/bin/blender"),
    ):
        files = [line.index(word) for word in (str(copy), "--python", "--command") if word in line]
        for option in ("--disable-autoexec", "--offline-mode"):
            assert line.index(option) < min(files), line


def test_the_sheets_blender_knows_an_extension_that_was_just_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = "bl_ext.user_default.blendshape_auto_generator"
    monkeypatch.setattr(sheet_operators.session, "ROOT_PACKAGE", package)
    line = sheet_operators.sheet_command("blender", Path("/copy.blend"), Path("/out"), "Body", "s")
    at = line.index("--addons")
    assert line[at + 1] == package and at < line.index(str(Path("/copy.blend")))


@pytest.mark.parametrize(
    "name", ["-face", ";x", "--help", "--", "-", "a, b", "one\ntwo", "顔", '"', "%s"]
)
def test_the_sheets_blender_gets_any_name_whole(
    monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    line = sheet_operators.sheet_command("blender", tmp_path / "copy.blend", tmp_path, name, name)
    seen: list[Any] = []
    monkeypatch.setattr(
        sheet_operators,
        "write_sheets",
        lambda ob, folder, stem, wanted, done: seen.append((ob.name, folder, stem)) or [],
    )
    ob = add_figure(armature=False)
    ob.shape_key_add(name="Basis")
    ob.name = name
    assert sheet_operators.run_command(line[line.index(sheet_operators.COMMAND) + 1 :]) == 0
    assert seen == [(name, tmp_path, name)]
