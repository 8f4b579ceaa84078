# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes that are strange in several ways at once: whatever a file may hold, nothing is called an
internal error, and a failure changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.job import inspection, session
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .conftest import add_figure

Strange = Callable[[Any], None]


def part(body: Any, name: str = "Eyes") -> Any:
    """A small object in the head, related to the figure."""
    at = np.array(body.data.vertices[600].co)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(
        (at + 0.02 * np.random.default_rng(1).normal(size=(12, 3))).tolist(),
        [],
        [(i, i + 1, i + 2) for i in range(10)],
    )
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(ob)
    ob.parent = body.parent
    return ob


def key(ob: Any, name: str = "Own") -> Any:
    if ob.data.shape_keys is None:
        ob.shape_key_add(name="Basis")
    return ob.shape_key_add(name=name)


def no_faces(body: Any) -> None:
    body.data.clear_geometry()


def only_edges(body: Any) -> None:
    body.data.clear_geometry()
    body.data.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])


def flat(body: Any) -> None:
    body.scale = (1, 0, 1)


def nothing_left(body: Any) -> None:
    body.scale = (0, 0, 0)


def huge(body: Any) -> None:
    body.scale = (1e30, 1e30, 1e30)


def not_a_number(body: Any) -> None:
    body.data.vertices[3].co = (float("nan"), float("inf"), 0)


def key_not_a_number(body: Any) -> None:
    block = key(body)
    block.points[0].co = (float("nan"),) * 3
    block.value = 1.0


def unused_key_not_a_number(body: Any) -> None:
    key(body, "Unused").points[5].co = (float("inf"),) * 3


def only_a_basis(body: Any) -> None:
    body.shape_key_add(name="")


def key_of_a_gone_group(body: Any) -> None:
    block = key(body)
    block.vertex_group, block.value = "there is none", 1.0


def key_relative_to_itself(body: Any) -> None:
    block = key(body)
    block.relative_key, block.value = block, 1.0


def absolute(body: Any) -> None:
    key(body)
    body.data.shape_keys.use_relative = False


def pinned(body: Any) -> None:
    key(body)
    body.show_only_shape_key, body.active_shape_key_index = True, 1


def armature_without_object(body: Any) -> None:
    body.modifiers.new("Nothing", "ARMATURE")


def modifiers_without_objects(body: Any) -> None:
    for kind in (
        "LATTICE",
        "CURVE",
        "HOOK",
        "SHRINKWRAP",
        "SURFACE_DEFORM",
        "MESH_DEFORM",
        "NODES",
        "DATA_TRANSFER",
        "BOOLEAN",
        "CAST",
        "WARP",
    ):
        body.modifiers.new(kind, kind)


def everything_masked(body: Any) -> None:
    body.modifiers.new("Mask", "MASK").vertex_group = "Hips"


def simulated(body: Any) -> None:
    body.modifiers.new("Cloth", "CLOTH")
    body.modifiers.new("Build", "BUILD")


def parts_strange(body: Any) -> None:
    part(body, "Eyes").scale = (0, 0, 0)
    part(body, "Teeth").data.vertices[0].co = (float("nan"),) * 3
    part(body, "Tongue").data.clear_geometry()
    part(body, "Brows").data.from_pydata([], [], [])


def part_absolute(body: Any) -> None:
    other = part(body, "Lashes")
    key(other)
    other.data.shape_keys.use_relative = False


def parts_that_share(body: Any) -> None:
    first, second = part(body, "EyeL"), part(body, "EyeR")
    second.data = first.data


def part_in_edit_mode(body: Any) -> None:
    other = part(body)
    bpy.context.view_layer.objects.active = other
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.view_layer.objects.active = body


def part_in_another_scene(body: Any) -> None:
    other = part(body)
    bpy.context.scene.collection.objects.unlink(other)
    bpy.data.scenes.new("Other").collection.objects.link(other)


def child_of_itself_by_constraint(body: Any) -> None:
    body.constraints.new("CHILD_OF").target = body


def no_bones(body: Any) -> None:
    body.parent.data = bpy.data.armatures.new("Empty")


def records_of_another_kind(body: Any) -> None:
    key(body)
    keys = body.data.shape_keys
    keys["blendshape_auto_generator"] = 7
    keys["blendshape_auto_generator_request"] = [1, 2]


def records_that_are_wrong(body: Any) -> None:
    key(body, "jawOpen")
    body.data.shape_keys["blendshape_auto_generator"] = {"jawOpen": [1.0, 2.0], "gone": "text"}


def landmarks_elsewhere(body: Any) -> None:
    for name in ("chin", "nose_tip", "unknown"):
        mark = body.blendshapes.landmarks.add()
        mark.name, mark.place, mark.corrected = name, (1e30, float("nan"), 0), True


def sculpted(body: Any) -> None:
    bpy.ops.object.mode_set(mode="SCULPT")


def edited(body: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")


def hidden(body: Any) -> None:
    body.hide_viewport = True


def long_names(body: Any) -> None:
    body.name = "\U0001f600{names}%s" * 4
    key(body, "{0}{names}%d").value = 1.0


def mirrored_by_itself(body: Any) -> None:
    body.modifiers.new("Mirror", "MIRROR").mirror_object = body


def mirrored_by_nothing(body: Any) -> None:
    modifier = body.modifiers.new("Mirror", "MIRROR")
    modifier.use_axis = (False, False, False)
    flat_one = bpy.data.objects.new("Flat", None)
    bpy.context.scene.collection.objects.link(flat_one)
    flat_one.scale = (0, 0, 0)
    body.modifiers.new("Mirror2", "MIRROR").mirror_object = flat_one


STRANGE: list[Strange] = [
    *(
        no_faces,
        only_edges,
        flat,
        nothing_left,
        huge,
        not_a_number,
        key_not_a_number,
        unused_key_not_a_number,
        only_a_basis,
        key_of_a_gone_group,
    ),
    *(
        key_relative_to_itself,
        absolute,
        pinned,
        armature_without_object,
        modifiers_without_objects,
        everything_masked,
        simulated,
        parts_strange,
    ),
    *(
        part_absolute,
        parts_that_share,
        part_in_edit_mode,
        part_in_another_scene,
        child_of_itself_by_constraint,
        no_bones,
        records_of_another_kind,
    ),
    *(
        records_that_are_wrong,
        landmarks_elsewhere,
        sculpted,
        edited,
        hidden,
        long_names,
        mirrored_by_itself,
        mirrored_by_nothing,
    ),
]


def tried(tiny: Path, strange: list[Strange]) -> None:
    """Make a scene strange, look, generate, update and remove; every error has a cause."""
    inspection.forget()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    body = add_figure()
    for change in strange:
        try:
            change(body)
        except (
            RuntimeError,
            TypeError,
            IndexError,
            AttributeError,
        ):  # the scene cannot be made stranger that way
            continue
    bpy.context.view_layer.update()
    bpy.context.scene.blendshapes.model = str(tiny)
    told = []
    for run in (
        bpy.ops.blendshapes.inspect,
        bpy.ops.blendshapes.generate,
        bpy.ops.blendshapes.update,
        bpy.ops.blendshapes.remove,
    ):
        try:
            if run.poll():
                run()
        except RuntimeError as problem:
            told.append(str(problem))
        if session.status.error is not None:
            assert session.status.error.code not in ("internal", "protocol"), (
                session.status.error.message,
                session.status.trace,
            )
    assert not any("Something unexpected" in line or "Traceback" in line for line in told), told


@pytest.mark.parametrize("change", STRANGE, ids=lambda change: change.__name__)
def test_no_strange_scene_is_an_internal_error(tiny: Path, change: Strange) -> None:
    tried(tiny, [change])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None
)
@example([edited, hidden])
@example([no_faces, sculpted, hidden])
@given(st.lists(st.sampled_from(STRANGE), min_size=2, max_size=4, unique=True))
def test_nor_is_one_that_is_strange_in_several_ways(tiny: Path, strange: list[Strange]) -> None:
    tried(tiny, strange)
