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

operators = importlib.import_module(
    "blendshape_auto_generator.blendshape_addon.ops.sheet_operators"
)
sheet = importlib.import_module("blendshape_auto_generator.blendshape_addon.job.sheet")
sheet_head = importlib.import_module("blendshape_auto_generator.blendshape_addon.job.sheet_head")


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


def rest_of(ob: Any) -> Any:
    """The vertices of an object as they are drawn."""
    return sheet_head.head_of(ob)[0][0].rest


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
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "avatar_others.png",
        "avatar_vrchat.png",
    ]
    assert blocks() == before
    picture = pixels(tmp_path / "avatar_vrchat.png")
    assert picture.shape[:2] == (
        round(sheet.TILE * 2 * (1 + sheet.LABEL)),
        sheet.TILE * sheet.COLUMNS,
    ), "16 tiles in two rows"
    tile = picture[-sheet.TILE :, : sheet.TILE, :3]
    assert tile.std() > 0.02, "there is something to see"


def test_the_keys_of_a_set_are_on_its_sheet(face: Any) -> None:
    assert operators.sheets_of(face) == {
        "vrchat": list(operators.known_sets()["vrchat"]),
        "others": ["Fang"],
    }


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
    height = np.ptp(rest_of(face), axis=0)
    face.rotation_euler = (0, 0, 0)
    bpy.context.view_layer.update()
    assert np.allclose(height, np.ptp(rest_of(face), axis=0)[[0, 2, 1]], atol=1e-5)


@pytest.mark.parametrize("turn", [(0, 0, 180), (0, 0, 77), (90, 0, 0), (-90, 0, 30), (180, 0, 0)])
def test_the_face_is_shown_from_the_front_wherever_it_looks(
    turn: tuple[float, float, float],
) -> None:
    from fixtures import scenes

    straight = scenes.add_head()["Face"]
    scenes.generate(straight, sets={"vrchat"})
    expected = rest_of(straight)
    bpy.data.objects.remove(straight)
    turned = scenes.add_head()["Face"]
    turned.rotation_euler = tuple(np.radians(turn))
    scenes.generate(turned, sets={"vrchat"})
    found = rest_of(turned)
    assert np.abs(found - expected).max() < 0.01 * np.ptp(expected)


def test_without_landmarks_the_face_is_shown_as_it_stands(face: Any) -> None:
    np.testing.assert_array_equal(sheet_head.facing(face), np.eye(3))


def test_nodes_are_known_by_their_types_whatever_their_names(face: Any, tmp_path: Path) -> None:
    material = textured("赤い布", (0.9, 0.05, 0.05), named=False)
    face.data.materials.append(material)
    sheet.render_sheet(face, tmp_path / "sheet.png", names=["vrc.v_aa"], tile=64)
    red, green, blue = np.moveaxis(pixels(tmp_path / "sheet.png")[..., :3], 2, 0)
    assert ((red > 0.6) & (green < 0.35) & (blue < 0.35)).mean() > 0.05, (
        "the material's own picture"
    )


def test_lost_pictures_are_clay_and_no_magenta(face: Any, tmp_path: Path) -> None:
    material = textured("Cloth", (1, 1, 1))
    lost = bpy.data.images.new("Lost", 4, 4)
    lost.source, lost.filepath = "FILE", str(tmp_path / "nowhere.png")
    next(node for node in material.node_tree.nodes if node.type == "TEX_IMAGE").image = lost
    face.data.materials.append(material)
    sheet.render_sheet(face, tmp_path / "sheet.png", names=["vrc.v_aa"], tile=64)
    picture = pixels(tmp_path / "sheet.png")[..., :3]
    red, green, blue = np.moveaxis(picture, 2, 0)
    assert (
        not ((red > 0.7) & (blue > 0.7) & (green < 0.3)).any()
        and picture.reshape(-1, 3).std(axis=0).max() > 0.02
    )


def textured(name: str, colour: tuple[float, float, float], named: bool = True) -> Any:
    """A material with a picture of one colour. named: its nodes have Blender's English names."""
    image: Any = bpy.data.images.new(name, 4, 4)
    image.pixels = [*colour, 1.0] * 16
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    nodes = material.node_tree.nodes
    picture = nodes.new("ShaderNodeTexImage")
    picture.image = image
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(picture.outputs["Color"], shader.inputs["Base Color"])
    for number, node in enumerate(() if named else nodes):
        node.name = f"ノード {number}"
    return material


def test_the_whole_head_and_its_other_objects_are_shown(tmp_path: Path) -> None:
    from fixtures import scenes

    objects = scenes.add_head(("teeth", "lash"))
    face = objects["Face"]
    for name in ("teeth", "lash"):
        objects[name].parent = face
    scenes.generate(face, sets={"vrchat"})
    pieces, frame = sheet_head.head_of(face)
    assert len(pieces) == 3
    rest = pieces[0].rest
    top = rest[np.abs(rest[:, 2] - rest[:, 2].max()) < 1e-6]
    assert frame.holds(top).all(), "the top of the skull"
    objects["lash"].hide_set(True)
    assert len(sheet_head.head_of(face)[0]) == 2, "what is hidden is not shown"


def test_loose_parts() -> None:
    corners, totals = np.array([0, 1, 2, 2, 3, 0, 4, 5, 6], np.int32), np.array([3, 3, 3], np.int32)
    assert sheet_head.loose_parts(corners, totals, 8).tolist() == [0, 0, 0, 0, 4, 4, 4, 7]


def test_a_key_that_moves_one_vertex_still_shows_a_head(body: Any) -> None:
    add_key(body, "Dot", 0, 1)
    frame = sheet_head.head_of(body)[1]
    assert frame.size > 0.1, "metres"
