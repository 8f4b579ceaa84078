# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension loaded under an alias, as Blender loads it under a name of its own, and objects for
it to work on.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.generate import load_extension

bpy = pytest.importorskip("bpy", reason="the bpy module is not installed")
load_extension()

from fixtures.meshes import figure  # noqa: E402  (after the alias is there)

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session", autouse=True)
def registered() -> Iterator[None]:
    """The extension registered as Blender does it, for the whole run."""
    root = importlib.import_module("blendshape_auto_generator")
    root.register()
    yield
    root.unregister()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The add-on's child ends with the last test of the add-on: idle, it would be there in all
    later ones, and nobody would see it die.
    """
    if nextitem is None or HERE not in nextitem.path.parents:
        importlib.import_module(
            "blendshape_auto_generator.blendshape_addon.job.session"
        ).backend.stop()


@pytest.fixture(autouse=True)
def empty() -> None:
    """An empty scene for every test."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def add_mesh(name: str, vertices: Any, triangles: Any) -> Any:
    """A mesh object in the scene, active and selected."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(vertices).tolist(), [], np.asarray(triangles).tolist())
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    ob.select_set(True)
    return ob


@pytest.fixture
def box() -> Any:
    """An object of 8 vertices."""
    corners = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    return add_mesh("Box", corners, [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5)])


def add_figure(armature: bool = True) -> Any:
    """A head on a body, 1,536 vertices, skinned to an armature with Hips, Head, an eye below Head
    and a bone that is no head's.
    """
    shape = figure()
    ob = add_mesh("Body", shape.vertices, shape.triangles)
    assert shape.head_weights is not None
    head = np.flatnonzero(shape.head_weights).tolist()
    ob.vertex_groups.new(name="Hips").add(
        np.flatnonzero(shape.head_weights == 0).tolist(), 1.0, "REPLACE"
    )
    ob.vertex_groups.new(name="J_Bip_C_Head").add(head[100:], 1.0, "REPLACE")
    ob.vertex_groups.new(name="J_Adj_L_FaceEye").add(head[:100], 0.75, "REPLACE")
    if not armature:
        return ob
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = {}
    for name, parent, place in (
        ("Hips", None, (0.0, 0.0, 0.9)),
        ("J_Bip_C_Head", "Hips", (0.0, 0.0, 1.5)),
        ("J_Adj_L_FaceEye", "J_Bip_C_Head", (0.03, -0.09, 1.62)),
        ("J_Adj_R_FaceEye", "J_Bip_C_Head", (-0.03, -0.09, 1.62)),
    ):
        bone = bones[name] = rig.data.edit_bones.new(name)
        bone.head, bone.tail = place, (place[0], place[1], place[2] + 0.05)
        bone.parent = bones.get(parent or "")
    bpy.ops.object.mode_set(mode="OBJECT")
    ob.parent = rig
    ob.modifiers.new("Armature", "ARMATURE").object = rig
    bpy.context.view_layer.objects.active = ob
    return ob


@pytest.fixture
def body() -> Any:
    """The figure with its armature."""
    return add_figure()


@pytest.fixture
def saved(tmp_path: Path, body: Any) -> Path:
    """A .blend file with the figure, not compressed in any Blender."""
    path = tmp_path / "figure.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    return path
