# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing keys: exact, all or nothing, and never over somebody's work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import generated
from blendshape_auto_generator.blendshape_addon.blender_io.key_writer import (
    Shape,
    remove_keys,
    write_keys,
)
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_arrays import base_coordinates
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

INDICES = np.array([1, 3, 6], np.int32)


def shape(name: str = "jawOpen", amount: float = 0.25) -> Shape:
    return Shape(name, np.full((3, 3), amount, np.float32))


def coordinates(ob: Any, name: str) -> NDArray[Any]:
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.shape_keys.key_blocks[name].points.foreach_get("co", points.reshape(-1))
    return points


def names(ob: Any) -> list[str]:
    return (
        []
        if ob.data.shape_keys is None
        else [block.name for block in ob.data.shape_keys.key_blocks]
    )


def test_new_keys_follow_a_basis_and_rest(box: Any) -> None:
    before = base_coordinates(box)
    written = write_keys(box, INDICES, [shape(), shape("vrc.v_aa", -1)])
    assert (
        names(box) == ["Basis", "jawOpen", "vrc.v_aa"]
        and written.added == ["jawOpen", "vrc.v_aa"]
        and not written.warnings
    )
    assert all(block.value == 0.0 for block in box.data.shape_keys.key_blocks[1:])
    moved = coordinates(box, "jawOpen") - before
    np.testing.assert_array_equal(moved[INDICES], 0.25)
    np.testing.assert_array_equal(np.delete(moved, INDICES, axis=0), 0)
    np.testing.assert_array_equal(coordinates(box, "Basis"), before)
    assert box.active_shape_key_index == 0


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(
    hnp.arrays(np.float32, (8, 3), elements=st.floats(-1e3, 1e3, width=32)),
    hnp.arrays(np.float32, (3, 3), elements=st.floats(-10, 10, width=32)),
)
def test_any_key_is_recognised_as_ours_and_still_is_elsewhere(
    box: Any, base: NDArray[Any], offsets: NDArray[Any]
) -> None:
    box.shape_key_clear()
    box.data.attributes["position"].data.foreach_set("vector", base.reshape(-1))
    write_keys(box, INDICES, [Shape("a", offsets)])
    expected = base.copy()
    expected[INDICES] += offsets
    np.testing.assert_array_equal(coordinates(box, "a"), expected)
    assert write_keys(box, INDICES, [Shape("a", offsets)]).updated == ["a"]


def test_existing_keys_drivers_and_groups_stay(box: Any) -> None:
    box.vertex_groups.new(name="mine")
    box.shape_key_add(name="Basis", from_mix=False)
    own = box.shape_key_add(name="Mine", from_mix=False)
    own.value, own.slider_max, own.vertex_group = 0.5, 2.0, "mine"
    own.driver_add("value").driver.expression = "0.25"
    before = coordinates(box, "Mine")
    write_keys(box, INDICES, [shape()])
    assert names(box) == ["Basis", "Mine", "jawOpen"]
    np.testing.assert_array_equal(coordinates(box, "Mine"), before)
    assert (
        own.slider_max == 2.0
        and own.vertex_group == "mine"
        and len(box.data.shape_keys.animation_data.drivers) == 1
    )


def test_running_again_updates_and_does_not_duplicate(box: Any) -> None:
    write_keys(box, INDICES, [shape(), shape("b")])
    box.data.shape_keys.key_blocks["jawOpen"].value = 0.75
    written = write_keys(box, INDICES[:2], [Shape("jawOpen", np.ones((2, 3), np.float32))])
    assert (
        names(box) == ["Basis", "jawOpen", "b"]
        and written.updated == ["jawOpen"]
        and not written.added
    )
    moved = coordinates(box, "jawOpen") - coordinates(box, "Basis")
    np.testing.assert_array_equal(np.flatnonzero(moved.any(axis=1)), INDICES[:2])
    assert box.data.shape_keys.key_blocks["jawOpen"].value == 0.75


def test_hand_made_and_edited_keys_are_kept_unless_allowed(box: Any) -> None:
    box.shape_key_add(name="Basis")
    box.shape_key_add(name="jawOpen", from_mix=False)
    write_keys(box, INDICES, [shape("b"), shape("c")])
    edited = coordinates(box, "b")
    edited[0, 0] += 0.001
    box.data.shape_keys.key_blocks["b"].points.foreach_set("co", edited.reshape(-1))
    box.data.shape_keys.key_blocks["c"].lock_shape = True
    shapes = [shape("jawOpen", 5), shape("b", 5), shape("c", 5), shape("d")]
    written = write_keys(box, INDICES, shapes)
    assert (
        written.kept == ["jawOpen", "b", "c"]
        and written.added == ["d"]
        and "jawOpen, b, c" in written.warnings[0]
    )
    assert written.warnings[0].startswith("Kept 3 hand-edited keys (")
    one = write_keys(box, INDICES, [shape("c", 5)]).warnings
    assert one == ["Kept 1 hand-edited key (c). Enable Replace Edited Keys to overwrite."]
    np.testing.assert_array_equal(coordinates(box, "b"), edited)
    assert write_keys(box, INDICES, shapes, overwrite=True).kept == []
    np.testing.assert_array_equal((coordinates(box, "b") - coordinates(box, "Basis"))[INDICES], 5)
    assert write_keys(box, INDICES, shapes[:2]).updated == ["jawOpen", "b"]


def test_keys_stay_ours_when_the_basis_is_sculpted_and_the_file_reopened(
    box: Any, tmp_path: Path
) -> None:
    write_keys(box, INDICES, [shape()])
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.transform.translate(value=(0.3, 0.1, -7.7))
    bpy.ops.object.mode_set(mode="OBJECT")
    assert abs(coordinates(box, "jawOpen")[0, 2] + 8.7) < 1e-5, (
        "Blender moves the keys with the basis"
    )
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "box.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "box.blend"))
    assert write_keys(bpy.data.objects["Box"], INDICES, [shape()]).updated == ["jawOpen"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Shape("nan", np.full((3, 3), np.nan, np.float32)), "mesh_not_finite"),
        (Shape("few", np.zeros((2, 3), np.float32)), "mesh_not_finite"),
        (Shape("Basis", np.zeros((3, 3), np.float32)), "reserved_name"),
        (Shape("ä" * 32, np.zeros((3, 3), np.float32)), "table_invalid"),
    ],
)
def test_nothing_is_written_if_anything_is_wrong(box: Any, wrong: Shape, code: str) -> None:
    box.shape_key_add(name="Basis")
    with pytest.raises(AddonError) as caught:
        write_keys(box, INDICES, [shape(), wrong])
    assert caught.value.code == code and names(box) == ["Basis"]


def test_indices_beyond_the_mesh_are_refused(box: Any) -> None:
    with pytest.raises(AddonError) as caught:
        write_keys(box, np.array([1, 2, 8], np.int32), [shape()])
    assert caught.value.code == "mesh_changed" and box.data.shape_keys is None


def test_absolute_keys_are_refused(box: Any) -> None:
    box.shape_key_add(name="Basis")
    box.data.shape_keys.use_relative = False
    with pytest.raises(AddonError) as caught:
        write_keys(box, INDICES, [shape()])
    assert caught.value.code == "absolute_keys"


@pytest.mark.parametrize("keys", [False, True])
@pytest.mark.parametrize("at", [0, 2, 6])
def test_a_failure_half_way_puts_everything_back(
    box: Any, monkeypatch: pytest.MonkeyPatch, keys: bool, at: int
) -> None:
    if keys:
        write_keys(box, INDICES, [shape("b", 1)])
    before = {name: coordinates(box, name) for name in names(box)}
    recorded = {name: values.tolist() for name, values in generated.kept(box).arrays.items()}
    real, calls = generated.keep, []

    def failing(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == at + 1:
            raise MemoryError
        real(*arguments)

    monkeypatch.setattr(generated, "keep", failing)
    with pytest.raises(MemoryError):
        write_keys(
            box,
            INDICES,
            [shape("a"), shape("b", 9), shape("c"), shape("d"), shape("e"), shape("f")],
        )
    assert (
        names(box) == list(before)
        and {name: values.tolist() for name, values in generated.kept(box).arrays.items()}
        == recorded
    )
    for name, points in before.items():
        np.testing.assert_array_equal(coordinates(box, name), points)
    assert box.data.shape_keys is not None or not keys


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 32])
def test_any_number_of_keys_is_recorded(box: Any, count: int) -> None:
    shapes = [shape(f"k{number}", 0.1 + number) for number in range(count)]
    assert len(write_keys(box, INDICES, shapes).added) == count
    if count:
        assert generated.made_by_us(box, base_coordinates(box)) == {shape.name for shape in shapes}
        assert len(write_keys(box, INDICES, shapes).updated) == count


def test_removing_takes_only_what_was_generated(box: Any) -> None:
    assert remove_keys(box) == []
    write_keys(box, INDICES, [shape("a"), shape("b")])
    box.shape_key_add(name="Mine", from_mix=False)
    edited = coordinates(box, "b") + 1
    box.data.shape_keys.key_blocks["b"].points.foreach_set("co", edited.reshape(-1))
    assert remove_keys(box) == ["a"] and names(box) == ["Basis", "b", "Mine"]


def test_a_tampered_record_is_ignored(box: Any) -> None:
    shapes = [shape(name) for name in "abcde"]
    write_keys(box, INDICES, shapes)
    attributes = box.data.attributes
    a, b, c, d, e = (generated.attribute_of(name) for name in "abcde")
    attributes[a].data[1].value = float("nan")
    attributes.remove(attributes[b])
    attributes.remove(attributes[c])
    attributes.new(c, "FLOAT", "EDGE")
    attributes.remove(attributes[d])
    attributes.new(d, "INT", "POINT")
    attributes.remove(attributes[generated.REST])
    attributes.new(generated.REST, "BOOLEAN", "FACE")
    written = write_keys(box, INDICES, shapes)
    assert written.kept == ["a", "b", "c", "d"] and written.updated == ["e"]
    assert set(generated.kept(box).arrays) == {e, generated.REST} and not {a, b, c, d} & set(
        attributes.keys()
    )
