# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a scene before keys are made, each with one button, and when the add-on looks
again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.job import inspection, session
from blendshape_auto_generator.blendshape_addon.ops import run as run_operators
from fixtures import scenes

from .test_panels import draw
from .test_strange_scenes import key, part


@pytest.fixture(autouse=True)
def unseen() -> Iterator[None]:
    inspection.forget()
    session.clear_status()
    yield
    inspection.forget()
    session.clear_status()


def codes(tiny: Path) -> list[str]:
    """Of what is found about the scene; the figure of the tests has no eyes."""
    bpy.context.scene.blendshapes.model = str(tiny)
    assert bpy.ops.blendshapes.inspect() == {"FINISHED"}
    assert inspection._current is not None
    return [finding.code for finding in inspection._current.findings if finding.code != "no_eyes"]


def test_expressions_that_show_are_set_to_0_with_one_click(body: Any, tiny: Path) -> None:
    blink, own = key(body, "Fcl_EYE_Close"), key(body, "Bigger eyes")
    blink.points[5].co.z += 0.01
    blink.value = own.value = 1.0
    assert codes(tiny) == ["expressions_shown"]
    told = draw()
    assert (
        told.replace("\n", " ").count("not at 0") == 1
        and "'Fcl_EYE_Close'" in told
        and "blendshapes.expressions_to_zero" in told
    )
    assert bpy.ops.blendshapes.expressions_to_zero() == {"FINISHED"}
    assert blink.value == 0 and own.value == 1.0 and codes(tiny) == []
    assert bpy.ops.blendshapes.expressions_to_zero() == {"CANCELLED"}


def test_a_pinned_expression_is_let_go(body: Any, tiny: Path) -> None:
    key(body, "vrc.v_aa")
    body.show_only_shape_key, body.active_shape_key_index = True, 1
    assert codes(tiny) == ["expressions_shown"]
    assert (
        bpy.ops.blendshapes.expressions_to_zero() == {"FINISHED"} and not body.show_only_shape_key
    )


def test_an_expression_that_a_driver_holds_is_told(body: Any, capsys: Any) -> None:
    key(body, "jawOpen")
    body.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.5"
    bpy.context.view_layer.update()
    bpy.ops.blendshapes.expressions_to_zero()
    assert "driver" in capsys.readouterr().out


def test_an_expression_of_a_part_counts_as_well(body: Any, tiny: Path) -> None:
    other = part(body, "Lashes")
    key(other, "まばたき").value = 0.5
    assert codes(tiny) == ["expressions_shown"]
    assert bpy.ops.blendshapes.expressions_to_zero() == {"FINISHED"} and codes(tiny) == []


def test_parts_that_share_a_mesh_are_made_single_user(body: Any, tiny: Path) -> None:
    first, second = part(body, "EyeL"), part(body, "EyeR")
    second.data = first.data
    assert codes(tiny) == ["parts_share_mesh"] and "blendshapes.parts_single_user" in draw()
    assert bpy.ops.blendshapes.parts_single_user() == {"FINISHED"}
    assert first.data != second.data and codes(tiny) == []


def test_a_part_mirrored_by_a_modifier_is_applied(body: Any, tiny: Path) -> None:
    eyes = part(body)
    eyes.modifiers.new("Mirror", "MIRROR")
    assert codes(tiny) == ["part_mirrored"] and "blendshapes.apply_mirror" in draw()
    assert bpy.ops.blendshapes.apply_mirror() == {"FINISHED"}
    assert len(eyes.data.vertices) == 24 and not eyes.modifiers and codes(tiny) == []
    assert bpy.context.object == body


def test_a_mirrored_part_with_keys_is_said_to_need_them_removed(body: Any, tiny: Path) -> None:
    eyes = part(body)
    eyes.modifiers.new("Mirror", "MIRROR")
    key(eyes)
    assert codes(tiny) == ["part_mirrored_keys"] and "blendshapes.apply_mirror" not in draw()
    with pytest.raises(RuntimeError, match="Remove the keys first"):
        bpy.ops.blendshapes.apply_mirror()


def test_absolute_keys_are_made_relative_on_face_and_parts(body: Any, tiny: Path) -> None:
    for ob in (body, part(body)):
        key(ob)
        ob.data.shape_keys.use_relative = False
    assert (
        codes(tiny) == ["absolute_keys", "absolute_keys"]
        and draw().count("blendshapes.relative_keys") == 1
    )
    assert bpy.ops.blendshapes.relative_keys() == {"FINISHED"} and codes(tiny) == []


def test_a_part_of_another_file_is_named(body: Any, tiny: Path, tmp_path: Path) -> None:
    eyes = part(body)
    bpy.data.libraries.write(str(tmp_path / "eyes.blend"), {eyes.data})
    with bpy.data.libraries.load(str(tmp_path / "eyes.blend"), link=True) as (theirs, ours):
        ours.meshes = theirs.meshes
    eyes.data = ours.meshes[0]
    assert codes(tiny) == ["part_not_editable"] and "'Eyes'" in draw()


def test_what_follows_another_mesh_is_told_and_nothing_is_wrong(body: Any, tiny: Path) -> None:
    other = part(body, "Lashes")
    modifier = other.modifiers.new("Follow", "SURFACE_DEFORM")
    modifier.target = body
    scenes.activate(other)
    bpy.ops.object.surfacedeform_bind(modifier="Follow")
    scenes.activate(body)
    assert codes(tiny) == (["part_follows"] if modifier.is_bound else [])


def own_value(body: Any) -> None:
    body.data.shape_keys.key_blocks["Bigger eyes"].value = 0.7


def expression(body: Any) -> None:
    body.data.shape_keys.key_blocks["jawOpen"].value = 0.2


def pin(body: Any) -> None:
    body.show_only_shape_key = True


def relative(body: Any) -> None:
    body.data.shape_keys.use_relative = False


def stretched(body: Any) -> None:
    body.scale = (1, 1, 1.5)


def mirrored(body: Any) -> None:
    body.scale = (-1, 1, 1)


def part_hidden(body: Any) -> None:
    bpy.data.objects["Eyes"].hide_set(True)


def part_moved(body: Any) -> None:
    bpy.data.objects["Eyes"].location.x = 0.1


def part_shared(body: Any) -> None:
    bpy.data.objects.new("Copy", bpy.data.objects["Eyes"].data)


def modifier(body: Any) -> None:
    body.modifiers.new("Lattice", "LATTICE")


def modifier_of_a_part(body: Any) -> None:
    bpy.data.objects["Eyes"].modifiers.new("Mirror", "MIRROR")


def edit_mode(body: Any) -> None:
    bpy.ops.object.mode_set(mode="EDIT")


CHANGES: list[Callable[[Any], None]] = [
    *(
        own_value,
        expression,
        pin,
        relative,
        stretched,
        mirrored,
        part_hidden,
        part_moved,
        part_shared,
        modifier,
        modifier_of_a_part,
        edit_mode,
    )
]


def scene_with_parts(body: Any) -> None:
    part(body)
    key(body, "Bigger eyes")
    key(body, "jawOpen")
    body.active_shape_key_index = 1
    bpy.context.view_layer.update()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_it_looks_again_when_something_changes_the_answer(
    body: Any, tiny: Path, change: Callable[[Any], None]
) -> None:
    scene_with_parts(body)
    codes(tiny)
    assert inspection.look(bpy.context) is not None
    change(body)
    bpy.context.view_layer.update()
    assert inspection.look(bpy.context) is None
    bpy.ops.object.mode_set(mode="OBJECT")


def posed(body: Any) -> None:
    body.parent.pose.bones["J_Bip_C_Head"].rotation_mode = "XYZ"
    body.parent.pose.bones["J_Bip_C_Head"].rotation_euler = (0.3, 0.2, 0)


def walking(body: Any) -> None:
    body.parent.location = (3, 0, 0)


def stronger_expression(body: Any) -> None:
    body.data.shape_keys.key_blocks["jawOpen"].value = 0.9


@pytest.mark.parametrize(
    "change", [posed, walking, stronger_expression], ids=lambda change: change.__name__
)
def test_it_does_not_look_again_for_what_changes_nothing(
    body: Any, tiny: Path, change: Callable[[Any], None]
) -> None:
    scene_with_parts(body)
    body.data.shape_keys.key_blocks["jawOpen"].value = 0.3
    codes(tiny)
    change(body)
    bpy.context.view_layer.update()
    assert inspection.look(bpy.context) is not None


def test_while_an_animation_plays_it_does_not_look_again(body: Any, tiny: Path) -> None:
    scene_with_parts(body)
    codes(tiny)
    own_value(body)
    playing = SimpleNamespace(
        screen=SimpleNamespace(is_animation_playing=True), object=bpy.context.object
    )
    assert inspection.look(playing) is inspection._current is not None


def test_a_click_before_the_look_finds_parts_by_place(tiny: Path) -> None:
    objects = scenes.add_head(scenes.SPLIT)
    face = objects["Face"]
    for number, ob in enumerate(each for name, each in objects.items() if name != "Face"):
        ob.name = f"Object.{number}"
    ran: list[Any] = []
    run: Any = SimpleNamespace(
        _chosen=lambda context: run_operators.Options(sets=("arkit",)),
        _prepare=lambda: None,
        _wait=lambda context: {"RUNNING_MODAL"},
        _failed=lambda problem: ran.append(problem) or {"CANCELLED"},
        _end=lambda context: None,
        _step=lambda context, messages: run_operators.Run._step(run, context, messages),
        _read=lambda: run_operators.Run._read(run),
        _job=lambda face, marks: run_operators.Run._job(run, face, marks),
        _done=lambda context, outcome: ran.append(outcome) or {"FINISHED"},
    )
    assert run_operators.Run._start(run, bpy.context) == {"RUNNING_MODAL"}
    for _ in range(6000):
        if run_operators.Run._tick(run, bpy.context) != {"RUNNING_MODAL"}:
            break
        time.sleep(0.02)
    (outcome,) = ran
    assert not isinstance(outcome, Exception) and len(outcome.parts) >= 5
    eyes = [ob for name, ob in objects.items() if name.startswith("Eye")]
    assert all(
        np.any([block.name.startswith("eyeLook") for block in ob.data.shape_keys.key_blocks])
        for ob in eyes
    )
    assert face.data.shape_keys is not None
