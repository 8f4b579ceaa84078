# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own presets of a destination, written and read as Blender does with all presets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.ui import presets

from .test_panels import draw


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this user's presets are."""
    place = tmp_path / "presets" / presets.FOLDER

    def resource(kind: str, path: str = "", create: bool = False) -> str:
        place.mkdir(parents=True, exist_ok=True)
        return str(tmp_path / path)

    monkeypatch.setattr(bpy.utils, "user_resource", resource)
    monkeypatch.setattr(bpy.utils, "preset_paths", lambda name: [str(place)])
    yield place
    presets.BLENDSHAPES_MT_presets.bl_label = "Presets"  # it goes by the one that was chosen


def test_a_preset_brings_sets_strengths_and_naming_back(folder: Path) -> None:
    scene: Any = bpy.context.scene.blendshapes
    scene.sets, scene.jaw, scene.naming = {"mmd", "vrm1"}, 1.25, "suffix"
    assert set(bpy.ops.blendshapes.preset_add(name="My worlds")) == {"FINISHED"}
    (file,) = folder.glob("*.py")
    scene.sets, scene.jaw, scene.naming = {"arkit"}, 1.0, "auto"
    bpy.ops.script.execute_preset(filepath=str(file), menu_idname="BLENDSHAPES_MT_presets")
    assert set(scene.sets) == {"mmd", "vrm1"} and scene.jaw == 1.25 and scene.naming == "suffix"


def test_a_preset_holds_no_path(folder: Path) -> None:
    scene: Any = bpy.context.scene.blendshapes
    scene.model, scene.table = "/home/somebody/model.onnx", "/home/somebody/table.json"
    bpy.ops.blendshapes.preset_add(name="Plain")
    (file,) = folder.glob("*.py")
    assert "somebody" not in file.read_text(encoding="utf-8")


def test_the_panel_offers_them_beside_the_destination() -> None:
    assert "BLENDSHAPES_MT_presets" in draw()
