# SPDX-License-Identifier: GPL-3.0-or-later
"""An exported file is read back: what it holds otherwise is told, and what is right is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import (
    export_check,
    export_read,
    scene_files,
)
from fixtures.scenes import activate, add

SUFFIX = pytest.mark.parametrize("suffix", [".fbx", ".glb"])
ROWS = 8


@pytest.fixture
def avatar() -> Any:
    """A mesh with a seam (two vertices at one place that move apart), keys in no order of the
    alphabet, custom normals, below a turned armature of another scale.
    """
    x, y = np.meshgrid(np.arange(ROWS), np.arange(ROWS))
    vertices = np.stack([x.ravel(), 0.1 * np.sin(x + y).ravel(), y.ravel()], axis=1).tolist()
    faces = [
        [r * ROWS + c, r * ROWS + c + 1, (r + 1) * ROWS + c + 1, (r + 1) * ROWS + c]
        for r in range(ROWS - 1)
        for c in range(ROWS - 1)
    ]
    below = len(vertices) + ROWS
    vertices += [*vertices[:ROWS], *([x, y, -1.0] for x, y, _z in vertices[:ROWS])]  # the seam
    faces += [[below + c, below + c + 1, below - ROWS + c + 1, below - ROWS + c] for c in range(7)]
    ob = add("Body", vertices, faces)
    for name, moves in (("mouthClose", slice(0, 8)), ("jawOpen", slice(60, 72)), ("Aa", slice(20))):
        if ob.data.shape_keys is None:
            ob.shape_key_add(name="Basis", from_mix=False)
        block = ob.shape_key_add(name=name, from_mix=False)
        block.value = 0.0
        for number, point in list(enumerate(block.points))[moves]:
            point.co.z += 0.01 * (1 + number)
    ob.data.normals_split_custom_set_from_vertices([(0.6, -0.8, 0.0)] * len(vertices))
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.scene.collection.objects.link(rig)
    activate(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("Head")
    bone.tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    ob.vertex_groups.new(name="Head").add(list(range(len(vertices))), 1.0, "REPLACE")
    ob.parent = rig
    ob.modifiers.new("Armature", "ARMATURE").object = rig
    activate(ob)
    return ob


def place(ob: Any) -> None:
    ob.location, ob.rotation_euler, ob.scale = (1, 2, 3), (0.1, 0.2, 0.3), (2, 2, 2)


def place_rig(ob: Any) -> None:
    ob.parent.scale, ob.parent.rotation_euler = (0.01,) * 3, (0.5, 0, 0)


def at_values(ob: Any) -> None:
    ob.data.shape_keys.key_blocks["jawOpen"].value = 0.5


@SUFFIX
@pytest.mark.parametrize(
    "how", [lambda ob: None, at_values, place, place_rig], ids=lambda how: how.__name__
)
def test_what_is_right_is_not_told(
    avatar: Any, how: Callable[[Any], None], suffix: str, tmp_path: Path
) -> None:
    how(avatar)
    path = tmp_path / f"avatar{suffix}"
    assert scene_files.export_scene(path, [avatar, avatar.parent]) == []
    (read,) = export_read.of_file(path)
    assert (read.name, read.names) == ("Body", ("mouthClose", "jawOpen", "Aa"))


@SUFFIX
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ob: setattr(ob.data.shape_keys.key_blocks["jawOpen"], "name", "JawOpen"), "lacks"),
        (lambda ob: ob.shape_key_add(name="New"), "lacks keys in the file: New"),
        (lambda ob: setattr(ob, "name", "Other"), "Not in the file: Other"),
        (lambda ob: move(ob, 71, 0.001), "move otherwise in the file: jawOpen"),
        (lambda ob: move(ob, 3, 0.5), "move otherwise in the file: jawOpen"),
        (lambda ob: move(ob, 71, 0.0005), ""),  # less than 0.1 %
        (lambda ob: reorder(ob), "another order"),
    ],
)
def test_what_is_otherwise_in_the_file_is_told(
    avatar: Any, change: Callable[[Any], Any], words: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"avatar{suffix}"
    scene_files.export_scene(path)
    change(avatar)
    told = export_check.differences(path, export_check.wanted([avatar]))
    assert words in " ".join(told) and bool(told) == bool(words)


def move(ob: Any, vertex: int, by: float) -> None:
    ob.data.shape_keys.key_blocks["jawOpen"].points[vertex].co.x += by


def reorder(ob: Any) -> None:
    ob.active_shape_key_index = 1
    bpy.ops.object.shape_key_move(type="DOWN")


@SUFFIX
def test_what_is_not_the_avatars_is_told(avatar: Any, suffix: str, tmp_path: Path) -> None:
    add("Stage", [(9, 0, 0), (8, 0, 0), (9, 1, 0)], [(0, 1, 2)])
    path = tmp_path / f"avatar{suffix}"
    assert scene_files.export_scene(path) == []  # all that is seen was wanted
    told = export_check.differences(path, export_check.wanted([avatar]))
    assert told == ["In the file, and not of the avatar: Stage"]


@SUFFIX
def test_normals_scale_and_bones_arrive(avatar: Any, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"avatar{suffix}"
    scene_files.export_scene(path, [avatar, avatar.parent])
    scene_files.read_scene(path)
    back: Any = bpy.data.objects["Body"]
    turn = np.array(back.matrix_world)[:3, :3]
    normals = np.array([list(corner.normal) for corner in back.data.loops]) @ turn.T
    # Blender keeps custom normals in 16 bits
    assert normals == pytest.approx(np.tile([0.6, -0.8, 0.0], (len(normals), 1)), abs=5e-3)
    objects: list[Any] = list(bpy.data.objects)
    assert {tuple(np.round(ob.scale, 4)) for ob in objects} == {(1.0, 1.0, 1.0)}
    assert set(bpy.data.objects["Rig"].data.bones.keys()) >= {"Head"}


def test_an_export_checks_before_and_says_what_was_read_back(avatar: Any, tmp_path: Path) -> None:
    path = tmp_path / "avatar.fbx"
    assert bpy.ops.blendshapes.export(filepath=str(path)) == {"FINISHED"}
    assert [ob.name for ob in bpy.data.objects if ob.type == "MESH"] == ["Body"]
    assert len(bpy.data.meshes) == 1 and len(bpy.data.shape_keys) == 1, "nothing was imported"
