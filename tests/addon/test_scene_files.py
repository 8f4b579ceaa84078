# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene files: what a stranger's file brings is not run, and outputs take their names only when
they are on the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import scene_files


def test_scripts_in_a_file_are_not_run(tmp_path: Path, box: Any) -> None:
    path = tmp_path / "theirs.blend"
    text = bpy.data.texts.new("theirs.py")
    text.write("import bpy\nbpy.app.driver_namespace['ran_theirs'] = True\n")
    text.use_module = True  # Blender's Register: run as the file opens, where scripts are allowed
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)

    def ran(open_it: Callable[[], object]) -> bool:
        bpy.app.driver_namespace.pop("ran_theirs", None)
        open_it()
        return bool(bpy.app.driver_namespace.pop("ran_theirs", False))

    assert not ran(lambda: scene_files.read_scene(path))
    assert "Box" in bpy.data.objects and "theirs.py" in bpy.data.texts, "the file was opened"
    assert ran(lambda: bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=True)), (
        "it would run where scripts are allowed"
    )
    assert not ran(lambda: scene_files.read_scene(path)), (
        "also after a file whose scripts were allowed"
    )


WAYS: dict[str, Callable[[Path], object]] = {
    "scene.blend": lambda path: scene_files.write_scene(path, False, None),
    "scene.glb": scene_files.export_scene,
    "report.json": lambda path: scene_files.write_text(path, "{}"),
}


@pytest.mark.parametrize("name", WAYS)
def test_an_output_is_on_the_disk_before_it_takes_its_name(
    name: str, tmp_path: Path, box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / name
    target.write_text("the one before")
    settled: list[tuple[int, int]] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        assert target.read_text() == "the one before", (
            "a power cut now would leave the old file whole"
        )
        status = os.fstat(descriptor)
        settled.append((status.st_ino, status.st_size))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    WAYS[name](target)
    written = target.stat()
    assert settled[-1:] == [(written.st_ino, written.st_size)], (
        "all of it, and of the file that has the name now"
    )


def test_of_a_scene_and_its_export_both_are_settled_or_neither_is_there(
    tmp_path: Path, box: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        settled.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    scene, export = tmp_path / "scene.blend", tmp_path / "scene.glb"
    seconds = scene_files.write_scene(scene, False, export)
    assert {scene.stat().st_ino, export.stat().st_ino} <= set(settled) and set(seconds) == {
        "save",
        "export",
        "settle",
    }
