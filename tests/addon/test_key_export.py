# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports hold what is seen: keys that are muted, masked by a vertex group, relative to another
key, absolute; read back again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import (
    file_export,
    key_export,
    scene_files,
)
from fixtures.scenes import activate, add
from numpy.typing import NDArray

Floats = NDArray[np.float32]
ROWS = 6


def add_key(ob: Any, name: str, move: Callable[[Floats], Floats]) -> Any:
    """A key whose points are `move` of the basis' points (V,3)."""
    if ob.data.shape_keys is None:
        ob.shape_key_add(name="Basis", from_mix=False)
    key = ob.shape_key_add(name=name, from_mix=False)
    key.value = 0.0
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.shape_keys.reference_key.points.foreach_get("co", points.reshape(-1))
    key.points.foreach_set("co", np.ascontiguousarray(move(points), np.float32).reshape(-1))
    return key


def up(points: Floats, by: float = 0.25) -> Floats:
    return points + np.array([0, 0, by], np.float32)


@pytest.fixture
def grid() -> Any:
    """A flat mesh with the keys Up, moved up, and Over, moved up and to the right."""
    x, y = np.meshgrid(np.arange(ROWS), np.arange(ROWS))
    vertices = np.stack([x.ravel() - 2.5, y.ravel(), 0 * x.ravel()], axis=1)
    faces = [
        [r * ROWS + c, r * ROWS + c + 1, (r + 1) * ROWS + c + 1, (r + 1) * ROWS + c]
        for r in range(ROWS - 1)
        for c in range(ROWS - 1)
    ]
    ob = add("Face", vertices, faces)
    add_key(ob, "Up", up)
    add_key(ob, "Over", lambda points: up(points) + np.array([0.5, 0, 0], np.float32))
    activate(ob)
    return ob


def mute(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["Up"].mute = True
    ob.data.shape_keys.key_blocks["Up"].value = 0.5


def mask(ob: Any) -> None:
    group = ob.vertex_groups.new(name="Left")
    group.add([vertex.index for vertex in ob.data.vertices if vertex.co.x > 0], 1.0, "REPLACE")
    group.add([vertex.index for vertex in ob.data.vertices if vertex.co.x < -2], 0.5, "REPLACE")
    ob.data.shape_keys.key_blocks["Over"].vertex_group = "Left"


def relate(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["Over"].relative_key = ob.data.shape_keys.key_blocks["Up"]


def relate_first(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["Up"].relative_key = ob.data.shape_keys.key_blocks["Over"]


def muted_and_driven(ob: Any) -> None:
    mute(ob)
    ob.data.shape_keys.key_blocks["Up"].driver_add("value").driver.expression = "0.75"
    bpy.context.view_layer.update()


def all_of_it(ob: Any) -> None:
    mute(ob)
    mask(ob)
    relate(ob)


def absolute(ob: Any) -> None:
    ob.data.shape_keys.use_relative = False


def in_edit_mode(ob: Any) -> None:
    mask(ob)
    bpy.ops.object.mode_set(mode="EDIT")


def expected(ob: Any) -> dict[str, Floats]:
    """Key -> (V,3), what it adds at 1 to the face as Blender shows it, with its mute off."""
    found = {}
    for block in list(ob.data.shape_keys.key_blocks)[1:]:
        points, relative = (np.empty((len(ob.data.vertices), 3), np.float32) for _ in range(2))
        block.points.foreach_get("co", points.reshape(-1))
        block.relative_key.points.foreach_get("co", relative.reshape(-1))
        weights = np.ones(len(points))
        if block.vertex_group:
            index = ob.vertex_groups[block.vertex_group].index
            weights = np.array(
                [
                    sum(entry.weight for entry in vertex.groups if entry.group == index)
                    for vertex in ob.data.vertices
                ]
            )
        found[block.name] = (points - relative) * weights[:, None]
    return found


def state(ob: Any) -> Any:
    key = ob.data.shape_keys
    blocks = []
    for block in key.key_blocks:
        points = np.empty(3 * len(ob.data.vertices), np.float32)
        block.points.foreach_get("co", points)
        blocks.append(
            (
                block.name,
                block.value,
                block.mute,
                block.vertex_group,
                block.relative_key.name,
                points.tobytes(),
            )
        )
    drivers = (
        [] if key.animation_data is None else [curve.mute for curve in key.animation_data.drivers]
    )
    return blocks, drivers, key.use_relative, ob.mode, ob.show_only_shape_key


def read_back(path: Path) -> dict[str, dict[str, Floats]]:
    """Object -> key -> world offsets (V,3) of an exported file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    (bpy.ops.import_scene.fbx if path.suffix == ".fbx" else bpy.ops.import_scene.gltf)(
        filepath=str(path)
    )
    bpy.context.view_layer.update()
    found: dict[str, dict[str, Floats]] = {}
    for ob in bpy.data.objects:
        if ob.type != "MESH":
            continue
        keys = found.setdefault(ob.name, {})
        for block in list(ob.data.shape_keys.key_blocks)[1:] if ob.data.shape_keys else []:
            points, base = (np.empty((len(ob.data.vertices), 3), np.float32) for _ in range(2))
            block.points.foreach_get("co", points.reshape(-1))
            ob.data.shape_keys.reference_key.points.foreach_get("co", base.reshape(-1))
            turn = np.array(ob.matrix_world)
            keys[block.name] = np.concatenate(
                [base @ turn[:3, :3].T + turn[:3, 3], (points - base) @ turn[:3, :3].T], axis=1
            )
    return found


def same(there: Floats, base: Floats, offsets: Floats) -> bool:
    """Whether (W,6) places and offsets of a file, whose vertices may be in another order and split,
    are those (V,3) of the scene.
    """
    nearest = np.linalg.norm(there[:, None, :3] - base[None], axis=2).argmin(axis=1)
    return bool(
        np.abs(there[:, :3] - base[nearest]).max() < 1e-4
        and np.abs(there[:, 3:] - offsets[nearest]).max() < 1e-4
    )


@pytest.mark.parametrize("suffix", [".glb", ".fbx"])
@pytest.mark.parametrize(
    "how", [mute, muted_and_driven, mask, relate, relate_first, all_of_it, absolute, in_edit_mode]
)
def test_a_file_holds_what_is_seen_and_the_scene_is_as_before(
    grid: Any, how: Callable[[Any], None], suffix: str, tmp_path: Path
) -> None:
    how(grid)
    wanted, before = expected(grid), state(grid)
    base = np.array([vertex.co for vertex in grid.data.vertices])
    path = tmp_path / f"avatar{suffix}"
    assert bpy.ops.blendshapes.export(filepath=str(path)) == {"FINISHED"}
    assert state(grid) == before
    found = read_back(path)["Face"]
    assert set(found) == {"Up", "Over"}
    assert all(same(found[name], base, wanted[name]) for name in wanted)


@pytest.mark.parametrize("how", [mute, all_of_it, absolute])
def test_after_a_failure_the_scene_is_as_before_too(
    grid: Any, how: Callable[[Any], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how(grid)
    before, during = state(grid), []

    def fails(name: str) -> None:
        during.append(state(grid))
        raise RuntimeError("Error: the exporter broke")

    monkeypatch.setattr(file_export, "with_addon", fails)
    with pytest.raises(RuntimeError, match="broke"):
        bpy.ops.blendshapes.export(filepath=str(tmp_path / "avatar.fbx"))
    assert during != [before] and state(grid) == before and not list(tmp_path.iterdir())


def test_objects_that_share_a_mesh_are_put_back_once(grid: Any, tmp_path: Path) -> None:
    twin = grid.copy()
    bpy.context.scene.collection.objects.link(twin)
    all_of_it(grid)
    before = state(grid)
    scene_files.export_scene(tmp_path / "avatar.glb")
    assert state(grid) == before


def test_what_a_file_will_not_have_is_told(grid: Any) -> None:
    assert key_export.lost() == []
    grid.modifiers.new("Two", "MIRROR")
    grid.data.shape_keys.key_blocks["Up"].driver_add("value")
    old = add("Old", [(9, 0, 0), (8, 0, 0), (9, 1, 0)], [(0, 1, 2)])
    add_key(old, "Up", up)
    old.hide_set(True)
    told = " ".join(key_export.lost())
    assert (
        "'Two' of 'Face'" in told
        and "those of Face" in told
        and "Hidden, so not exported: Old" in told
    )


def test_what_was_exported_is_told(grid: Any) -> None:
    lash = add("Lash", [(9, 0, 0), (8, 0, 0), (9, 1, 0)], [(0, 1, 2)])
    assert key_export.exported([grid, lash]) == "Face with 2 shape keys"


def test_baking_for_good_leaves_the_look_of_every_value(grid: Any) -> None:
    all_of_it(grid)
    wanted = expected(grid)
    assert set(key_export.bake(grid)) == {"Over"} and key_export.bake(grid) == []
    assert grid.data.shape_keys.key_blocks["Over"].vertex_group == ""
    assert all(
        np.allclose(offsets, wanted[name], atol=1e-6) for name, offsets in expected(grid).items()
    )


@pytest.mark.parametrize("suffix", [".glb", ".fbx"])
def test_a_muted_key_that_is_driven_does_not_show_in_the_file(
    grid: Any, suffix: str, tmp_path: Path
) -> None:
    muted_and_driven(grid)
    scene_files.export_scene(tmp_path / f"avatar{suffix}")
    read_back(tmp_path / f"avatar{suffix}")
    back = next(ob for ob in bpy.data.objects if ob.type == "MESH")
    assert [block.value for block in back.data.shape_keys.key_blocks[1:]] == [0.0, 0.0]


@pytest.mark.parametrize("suffix", [".glb", ".fbx"])
def test_a_key_that_is_relative_to_itself_arrives(grid: Any, suffix: str, tmp_path: Path) -> None:
    block = grid.data.shape_keys.key_blocks["Over"]
    wanted, base = expected(grid)["Over"], np.array([vertex.co for vertex in grid.data.vertices])
    block.relative_key, block.value = block, 0.5
    before = state(grid)
    scene_files.export_scene(tmp_path / f"avatar{suffix}")
    assert state(grid) == before
    assert same(read_back(tmp_path / f"avatar{suffix}")["Face"]["Over"], base, wanted)


def test_a_chain_of_relations_is_baked_as_it_was_seen(grid: Any) -> None:
    relate(grid)
    third = add_key(grid, "Third", lambda points: up(points, 1.0))
    third.relative_key = grid.data.shape_keys.key_blocks["Over"]
    wanted = expected(grid)
    key_export.bake(grid)
    assert all(
        np.allclose(offsets, wanted[name], atol=1e-6) for name, offsets in expected(grid).items()
    )
    assert {block.relative_key.name for block in grid.data.shape_keys.key_blocks} == {"Basis"}
