# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets: what is on them, and that the file is as it was afterwards."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from .test_vrchat_operators import add_key

operators = importlib.import_module("blendshape_auto_generator.blendshape_addon.sheet_operators")
sheet = importlib.import_module("blendshape_auto_generator.blendshape_addon.sheet")


def blocks() -> dict[str, list[str]]:
    """Names of all data-blocks of the kinds that a sheet makes."""
    kinds = ("scenes", "objects", "meshes", "curves", "materials", "lights", "cameras", "worlds")
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def pixels(path: Path) -> Any:
    """The picture, float32 (height, width, 4)."""
    image: Any = bpy.data.images.load(str(path))
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    shape = (image.size[1], image.size[0], 4)
    bpy.data.images.remove(image)
    return flat.reshape(shape)


@pytest.fixture
def face(body: Any) -> Any:
    """The figure with the visemes and a key of its own."""
    for number, name in enumerate((*operators.known_sets()["vrchat"], "Fang")):
        add_key(body, name, number)
    return body


def test_one_picture_for_each_set_and_nothing_left_behind(face: Any, tmp_path: Path) -> None:
    bpy.data.materials.new("Spare")  # unused, and the user's own
    before = blocks()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "avatar.blend"))
    assert bpy.ops.blendshapes.contact_sheet() == {"FINISHED"}
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["avatar_others.png", "avatar_vrchat.png"]
    assert blocks() == before
    picture = pixels(tmp_path / "avatar_vrchat.png")
    assert picture.shape[:2] == (round(sheet.TILE * 2 * (1 + sheet.LABEL)), sheet.TILE * sheet.COLUMNS), "16 tiles in two rows"
    tile = picture[-sheet.TILE :, : sheet.TILE, :3]
    assert tile.std() > 0.02, "there is something to see"


def test_the_keys_of_a_set_are_on_its_sheet(face: Any) -> None:
    assert operators.sheets_of(face) == {"vrchat": list(operators.known_sets()["vrchat"]), "others": ["Fang"]}


def test_the_command(face: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(tmp_path / "sheets"), "--set", "others", "--stem", "mine"]
    assert operators.run_command(arguments) == 0
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == ["mine_others.png"]
    assert "mine_others.png" in capsys.readouterr().out
    assert operators.run_command([*arguments, "--object", "Nobody"]) == 2
    assert operators.run_command(["--out", str(tmp_path), "--set", "arkit"]) == 2
    assert "no shape keys" in capsys.readouterr().err


def test_a_turned_object_is_shown_as_it_stands(face: Any) -> None:
    face.parent = None
    face.rotation_euler = (np.pi / 2, 0, 0)
    bpy.context.view_layer.update()
    height = np.ptp(sheet.shapes_of(face)["Neutral"], axis=0)
    face.rotation_euler = (0, 0, 0)
    bpy.context.view_layer.update()
    assert np.allclose(height, np.ptp(sheet.shapes_of(face)["Neutral"], axis=0)[[0, 2, 1]], atol=1e-5)


@pytest.mark.parametrize("turn", [(0, 0, 180), (0, 0, 77), (90, 0, 0), (-90, 0, 30), (180, 0, 0)])
def test_the_face_is_shown_from_the_front_wherever_it_looks(turn: tuple[float, float, float]) -> None:
    from fixtures import scenes

    straight = scenes.add_head()["Face"]
    scenes.generate(straight, sets={"vrchat"})
    expected = sheet.shapes_of(straight)["Neutral"]
    bpy.data.objects.remove(straight)
    turned = scenes.add_head()["Face"]
    turned.rotation_euler = tuple(np.radians(turn))
    scenes.generate(turned, sets={"vrchat"})
    found = sheet.shapes_of(turned)["Neutral"]
    assert np.abs(found - expected).max() < 0.01 * np.ptp(expected)


def test_without_landmarks_the_face_is_shown_as_it_stands(face: Any) -> None:
    np.testing.assert_array_equal(sheet.facing(face), np.eye(3))
