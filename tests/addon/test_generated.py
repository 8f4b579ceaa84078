# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on made stays its own, whatever is done to the mesh; what somebody edited is his.
Blender's own operators do it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import asked, generated
from blendshape_auto_generator.blendshape_addon.blender_io.key_writer import (
    Shape,
    remove_keys,
    write_keys,
)
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_arrays import base_coordinates
from blendshape_auto_generator.blendshape_addon.blender_io.old_record import (
    OLD_RECORD,
    old_record,
    sums_of,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

NAMES = [f"k{number}" for number in range(8)]
Do = Callable[[], Any]


def ball(
    name: str = "Ball",
    seed: int = 0,
    place: tuple[float, float, float] = (0, 0, 0),
    keys: int = 8,
    segments: int = 20,
) -> Any:
    """A ball with generated keys, each of which moves a part of it in a direction of its own, and
    one key of the user's.
    """
    bpy.ops.mesh.primitive_uv_sphere_add(
        segments=segments, ring_count=segments // 2, location=place
    )
    ob = bpy.context.object
    ob.name, chance, base = name, np.random.default_rng(seed), base_coordinates(ob)
    shapes = []
    for number in range(keys):
        near = np.exp(-((base - base[chance.integers(len(base))]) ** 2).sum(axis=1) / 0.5)
        near[near < 0.05] = 0
        offsets = near[:, None] * chance.normal(size=3) * 0.2 * (1 + 0.3 * base)
        shapes.append(Shape(f"k{number}", offsets.astype(np.float32)))
    write_keys(ob, np.arange(len(base), dtype=np.int32), shapes)
    mine = ob.shape_key_add(name="Mine", from_mix=False)
    mine.points[3].co.x += 0.25
    return ob


def points(ob: Any, name: str) -> NDArray[Any]:
    found = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.shape_keys.key_blocks[name].points.foreach_get("co", found.reshape(-1))
    return found


def ours(ob: Any) -> set[str]:
    return generated.made_by_us(ob, base_coordinates(ob))


def names(ob: Any) -> list[str]:
    return [block.name for block in ob.data.shape_keys.key_blocks]


def edit(key: str, do: Do, which: Callable[[Any], bool] | None = None) -> None:
    """In edit mode, a key active, vertices selected: all, or those for which it is true."""
    ob = bpy.context.object
    ob.active_shape_key_index = names(ob).index(key)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT" if which is None else "DESELECT")
    if which is not None:
        bpy.ops.object.mode_set(mode="OBJECT")
        for vertex in ob.data.vertices:
            vertex.select = which(vertex.co)
        bpy.ops.object.mode_set(mode="EDIT")
    do()
    bpy.ops.object.mode_set(mode="OBJECT")


def above(height: float) -> Callable[[Any], bool]:
    return lambda place: place.z > height


M: Any = bpy.ops.mesh
TOPOLOGY: dict[str, tuple[Do, Callable[[Any], bool] | None]] = {
    "delete": (lambda: M.delete(type="VERT"), above(0.5)),
    "subdivide": (lambda: M.subdivide(number_cuts=1), None),
    "subdivide a part": (lambda: M.subdivide(number_cuts=2), above(0.2)),
    "subdivide smoothly": (lambda: M.subdivide(number_cuts=1, smoothness=1), None),
    "subdivide fractally": (lambda: M.subdivide(number_cuts=1, fractal=1), None),
    "merge by distance": (lambda: M.remove_doubles(threshold=0.2), None),
    "merge at centre": (lambda: M.merge(type="CENTER"), above(0.8)),
    "collapse": (lambda: M.merge(type="COLLAPSE"), above(0.8)),
    "decimate": (lambda: M.decimate(ratio=0.5), None),
    "un-subdivide": (lambda: M.unsubdivide(), None),
    "dissolve": (lambda: M.dissolve_verts(), above(0.6)),
    "limited dissolve": (lambda: M.dissolve_limited(angle_limit=0.3), None),
    "triangulate": (lambda: M.quads_convert_to_tris(), None),
    "poke": (lambda: M.poke(), None),
    "extrude": (
        lambda: M.extrude_region_move(TRANSFORM_OT_translate={"value": (0, 0, 0.3)}),
        above(0.5),
    ),
    "inset": (lambda: M.inset(thickness=0.02), above(0.3)),
    "bevel": (lambda: M.bevel(offset=0.02), above(0.3)),
    "bisect": (lambda: M.bisect(plane_co=(0, 0, 0.1), plane_no=(0.2, 0.3, 0.9)), None),
    "split": (lambda: M.split(), above(0.3)),
    "split edges": (lambda: M.edge_split(), None),
    "duplicate": (lambda: M.duplicate_move(TRANSFORM_OT_translate={"value": (3, 0, 0)}), None),
    "add a cube": (lambda: M.primitive_cube_add(location=(3, 3, 3)), None),
    "sort": (lambda: M.sort_elements(type="RANDOMIZE", elements={"VERT"}), None),
    "symmetrise": (lambda: M.symmetrize(direction="NEGATIVE_X"), None),
    "solidify": (lambda: M.solidify(thickness=0.05), None),
    "spin": (lambda: M.spin(steps=4, angle=1.5, center=(2, 0, 0), axis=(0, 0, 1)), above(0.9)),
    "smooth the basis": (lambda: M.vertices_smooth(factor=0.5), None),
    "sculpt the basis": (lambda: bpy.ops.transform.shrink_fatten(value=0.1), above(0.3)),
    "move the basis": (lambda: bpy.ops.transform.translate(value=(1, 2, 3)), None),
    "turn the basis": (lambda: bpy.ops.transform.rotate(value=0.5, orient_axis="X"), None),
    "mirror the basis": (
        lambda: bpy.ops.transform.mirror(constraint_axis=(True, False, False)),
        None,
    ),
}
FEWER = (
    "delete",
    "dissolve",
    "merge at centre",
    "collapse",
    "un-subdivide",
    "merge by distance",
    "decimate",
    "limited dissolve",
)
PLACED: dict[str, dict[str, tuple[float, float, float]]] = {
    "turned": {"rotation_euler": (0.3, 0.4, 0.5)},
    "scaled": {"scale": (0.01, 0.01, 0.01)},
    "stretched": {"scale": (1, 2, 3)},
    "mirrored": {"scale": (-1, 1, 1)},
    "all at once": {"rotation_euler": (0.3, 0.4, 0.5), "scale": (-2, 3, 1), "location": (4, 5, 6)},
}


def place(ob: Any, how: str) -> None:
    for what, value in PLACED[how].items():
        setattr(ob, what, value)


def slightly(ob: Any, name: str, amount: float = 1e-3) -> None:
    """Move one vertex that is left of a key by hand."""
    changed = points(ob, name)
    moving = np.flatnonzero(np.abs(changed - base_coordinates(ob)).max(axis=1) > 0)
    changed[moving[len(moving) // 2]] += [amount, amount / 2, 0]
    ob.data.shape_keys.key_blocks[name].points.foreach_set("co", changed.reshape(-1))


@pytest.mark.parametrize("edited", ["", "k3"])
@pytest.mark.parametrize("how", TOPOLOGY)
def test_the_mesh_is_edited(how: str, edited: str) -> None:
    ob = ball()
    if edited:
        slightly(ob, edited, 0.05)
        ob.data.update()
    edit("Basis", *TOPOLOGY[how])
    lost = edited and "k3" in ours(
        ob
    )  # where the vertices that were edited are gone, nothing is left of the edit
    assert ours(ob) == set(NAMES) - ({edited} if not lost else set())
    assert not lost or how in FEWER
    if not edited:
        slightly(ob, "k5")
        assert ours(ob) == set(NAMES) - {"k5"}, "an edit afterwards is seen, too"
    assert remove_keys(ob) == sorted(set(NAMES) - {edited or "k5"} | ({"k3"} if lost else set()))


@pytest.mark.parametrize(
    "how", [how for how in TOPOLOGY if how != "subdivide fractally"]
)  # by hand, one key looks just so
def test_a_key_alone_on_a_mesh_that_is_edited(how: str) -> None:
    ob = ball(keys=1)
    edit("Basis", *TOPOLOGY[how])
    assert ours(ob) == {"k0"}
    slightly(ob, "k0", 0.01)
    assert ours(ob) == set()


@pytest.mark.parametrize("how", PLACED)
def test_transforms_are_applied(how: str) -> None:
    ob = ball()
    slightly(ob, "k1", 0.01)
    place(ob, how)
    bpy.ops.object.transform_apply()
    assert ours(ob) == set(NAMES) - {"k1"}
    slightly(ob, "k2", 1e-2 * float(np.abs(points(ob, "k2") - base_coordinates(ob)).max()))
    assert ours(ob) == set(NAMES) - {"k1", "k2"}
    bpy.ops.object.transform_apply()
    edit("Basis", *TOPOLOGY["subdivide a part"])
    assert ours(ob) == set(NAMES) - {"k1", "k2"}


def test_a_transform_of_a_single_key_by_hand_is_no_transform_of_the_mesh() -> None:
    ob = ball(keys=1)
    ob.scale = (2, 2, 2)
    bpy.ops.object.transform_apply()
    assert ours(ob) == {"k0"}
    base = base_coordinates(ob)
    ob.data.shape_keys.key_blocks["k0"].points.foreach_set(
        "co", (base + 1.5 * (points(ob, "k0") - base)).reshape(-1)
    )
    assert ours(ob) == set()


@pytest.mark.parametrize("how", ["", *PLACED])
def test_parts_are_joined_and_separated(how: str) -> None:
    ob, part, plain = ball(), ball("Part", 1, (3, 0, 0), 4, 12), ball("Plain", 2, (0, 4, 0))
    remove_keys(plain)
    for other, placed in ((part, how), (plain, "turned")):
        if placed:
            place(other, placed)
    slightly(part, "k2", 0.01)
    asked.remember_request(ob, ("arkit",), None)
    bpy.ops.object.select_all(action="SELECT")
    bpy.context.view_layer.objects.active = ob
    bpy.ops.object.join()
    assert ours(ob) == set(NAMES) - {"k2"} and asked.request_of(ob)[0] == ("arkit",)
    edit("Basis", lambda: M.separate(type="LOOSE"))
    kept = {len(other.data.vertices): ours(other) for other in bpy.data.objects}
    assert sorted(kept) == [62, 182] and kept[62] == set(NAMES) - {"k2"}
    for other in bpy.data.objects:
        made = ours(other)
        assert made >= set(NAMES) - {"k2"} and remove_keys(other) == sorted(made)


def test_two_heads_of_one_are_joined() -> None:
    ob = ball()
    bpy.ops.object.duplicate()
    copy = bpy.context.object
    copy.location, copy.rotation_euler, copy.scale = (3, 0, 0), (0, 0.5, 1), (-1, 1, 1)
    slightly(copy, "k6", 0.01)
    assert ours(ob) == set(NAMES) and ours(copy) == set(NAMES) - {"k6"}
    ob.select_set(True)
    bpy.ops.object.join()
    assert ours(copy) == set(NAMES) - {"k6"}


def test_joined_into_a_mesh_without_keys() -> None:
    ob = ball()
    bpy.ops.mesh.primitive_cube_add(location=(5, 0, 0))
    ob.select_set(True)
    bpy.ops.object.join()
    cube = bpy.context.object
    assert ours(cube) == set(NAMES) and generated.count(cube) == 8 and remove_keys(cube) == NAMES


@pytest.mark.parametrize(
    "do",
    [
        lambda: bpy.ops.transform.translate(value=(0, 0, 0.01)),
        lambda: bpy.ops.transform.rotate(value=0.1, orient_axis="X"),
        lambda: bpy.ops.transform.resize(value=(1.1, 1.1, 1.1)),
        lambda: M.vertices_smooth(factor=0.5),
        lambda: M.blend_from_shape(shape="k5", blend=0.5, add=False),
        lambda: M.blend_from_shape(shape="Basis", blend=0.2, add=False),
        lambda: M.blend_from_shape(shape="Mine", blend=0.2, add=True),
        lambda: bpy.ops.transform.shrink_fatten(value=0.01),
    ],
)
@pytest.mark.parametrize("before", ["", "subdivide", "merge by distance", "scaled"])
def test_a_key_is_edited_in_edit_mode(do: Do, before: str) -> None:
    ob = ball()
    if before in PLACED:
        place(ob, before)
        bpy.ops.object.transform_apply()
    elif before:
        edit("Basis", *TOPOLOGY[before])
    edit("k2", do)
    assert ours(ob) == set(NAMES) - {"k2"}


def test_a_key_is_mirrored_or_mixed() -> None:
    ob = ball()
    ob.active_shape_key_index = names(ob).index("k4")
    bpy.ops.object.shape_key_mirror()
    assert ours(ob) == set(NAMES) - {"k4"}
    ob.data.shape_keys.key_blocks["k0"].value = 1
    bpy.ops.object.shape_key_add(from_mix=True)
    assert len(names(ob)) == 11 and ours(ob) == set(NAMES) - {"k4"}, "a copy is the user's"


def test_keys_are_deleted_reordered_and_locked() -> None:
    ob = ball()
    ob.active_shape_key_index = names(ob).index("k4")
    bpy.ops.object.shape_key_move(type="TOP")
    bpy.ops.object.shape_key_remove()
    ob.data.shape_keys.key_blocks["k5"].lock_shape = True
    assert ours(ob) == set(NAMES) - {"k4", "k5"}
    assert remove_keys(ob) == sorted(set(NAMES) - {"k4", "k5"}) and generated.count(ob) == 1
    ob.data.shape_keys.key_blocks["k5"].lock_shape = False
    assert ours(ob) == {"k5"}, "unlocked again"


@pytest.mark.parametrize("then", ["", "subdivide smoothly", "scaled", "turned"])
def test_renamed_keys(then: str) -> None:
    ob = ball()
    ob.name, ob.data.name = "Other", "Another"
    blocks = ob.data.shape_keys.key_blocks
    blocks["k1"].name = "Smile"
    for before, after in (("k2", "x"), ("k3", "k2"), ("x", "k3")):
        blocks[before].name = after
    if then in PLACED:
        place(ob, then)
        bpy.ops.object.transform_apply()
    elif then:
        edit("Basis", *TOPOLOGY[then])
    assert ours(ob) == set(NAMES) - {"k1"} | {"Smile"}
    offsets = np.zeros((len(ob.data.vertices), 3), np.float32)
    offsets[:5] = 0.125
    written = write_keys(
        ob,
        np.arange(len(offsets), dtype=np.int32),
        [Shape("k1", offsets), Shape("k2", 2 * offsets), Shape("k3", 3 * offsets)],
    )
    assert written.updated == ["k1", "k2", "k3"] and written.renamed == {
        "k1": "Smile",
        "k2": "k3",
        "k3": "k2",
    }
    assert len(names(ob)) == 10 and ours(ob) == set(NAMES) - {"k1"} | {"Smile"}
    assert [
        round(float(np.abs(points(ob, name) - base_coordinates(ob)).max()), 3)
        for name in ("Smile", "k3", "k2")
    ] == [0.125, 0.25, 0.375]
    assert "Smile" in remove_keys(ob) and names(ob) == ["Basis", "Mine"]


def test_a_name_that_a_key_was_given_is_asked_for() -> None:
    ob = ball()
    ob.data.shape_keys.key_blocks["k0"].name = "vrc.v_aa"
    move = np.full((1, 3), 0.5, np.float32)
    indices = np.array([4], np.int32)
    assert write_keys(ob, indices, [Shape("k0", move), Shape("vrc.v_aa", 2 * move)]).kept == [
        "vrc.v_aa"
    ], "it is another shape's key"
    assert write_keys(ob, indices, [Shape("vrc.v_aa", 2 * move)]).updated == ["vrc.v_aa"], (
        "from now on it is that shape's"
    )
    assert write_keys(ob, indices, [Shape("k0", move)]).added == ["k0"]


def test_a_copy_and_the_edited_key_are_both_the_users() -> None:
    ob = ball()
    ob.data.shape_keys.key_blocks["k1"].value = 1
    bpy.ops.object.shape_key_add(from_mix=True)
    bpy.context.object.active_shape_key.name = "k1 as it was"
    slightly(ob, "k1")
    assert ours(ob) == set(NAMES) - {"k1"}
    assert names(ob)[-1] == "k1 as it was" and remove_keys(ob) == sorted(set(NAMES) - {"k1"})


def test_nothing_is_left_behind() -> None:
    ob = ball()
    asked.remember_request(ob, ("arkit",), None)
    active = ob.data.attributes.active_index
    before = {one.name for one in ob.data.attributes if not one.name.startswith(generated.MARK)}
    assert all(
        ob.data.attributes[name].is_internal for name in [*generated.marks(ob), generated.REST]
    ), "hidden from lists"
    ob.shape_key_remove(ob.data.shape_keys.key_blocks["k7"])
    slightly(ob, "k6")
    write_keys(ob, np.array([1], np.int32), [Shape("k0", np.ones((1, 3), np.float32))])
    assert len(generated.marks(ob)) == 6, "nothing of keys that were deleted or are the user's"
    remove_keys(ob)
    assert set(ob.data.attributes.keys()) == before and ob.data.attributes.active_index == active
    assert not set(ob.data.shape_keys.keys()) and names(ob) == ["Basis", "k6", "Mine"]


def test_basis_moved_by_a_script_while_the_keys_stay() -> None:
    ob = ball()
    moved = base_coordinates(ob)
    moved[moved[:, 2] > 0] *= 1.125
    ob.data.shape_keys.reference_key.points.foreach_set("co", moved.reshape(-1))
    assert ours(ob) == set(NAMES)
    slightly(ob, "k1", 0.01)
    assert ours(ob) == set(NAMES) - {"k1"}


def test_saved_appended_and_linked_then_local(tmp_path: Path) -> None:
    ob = ball()
    edit("Basis", *TOPOLOGY["subdivide"])
    slightly(ob, "k1")
    path = str(tmp_path / "ball.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    for link in (False, True):
        with bpy.data.libraries.load(path, link=link) as (_there, here):
            here.objects = ["Ball"]
        found = here.objects[0]
        assert ours(found) == set(NAMES) - {"k1"}
        if link:
            found.make_local()
            found.data.make_local()
            bpy.context.collection.objects.link(found)
            assert remove_keys(found) == sorted(set(NAMES) - {"k1"})


def test_a_file_with_the_record_of_an_early_version() -> None:
    ob = ball()
    base, key = base_coordinates(ob), ob.data.shape_keys
    sums = sums_of(np.stack([points(ob, name) - base for name in NAMES]))
    for name in [*generated.marks(ob), generated.REST]:
        generated.forget(ob, name)
    key[OLD_RECORD] = {name: row.tolist() for name, row in zip(NAMES, sums, strict=True)}
    slightly(ob, "k1")
    assert ours(ob) == set(NAMES) - {"k1"} and generated.count(ob) == 8
    key[OLD_RECORD]["k2"], key[OLD_RECORD]["k3"] = "text", [1.0]
    assert set(old_record(ob)) == set(NAMES) - {"k2", "k3"}
    write_keys(ob, np.array([1], np.int32), [Shape("k0", np.ones((1, 3), np.float32))])
    assert OLD_RECORD not in key and len(generated.marks(ob)) == 5, (
        "all that are ours are kept in the new way"
    )
    edit("Basis", *TOPOLOGY["delete"])
    assert remove_keys(ob) == ["k0", "k4", "k5", "k6", "k7"]


@pytest.mark.parametrize("kind", ["glb", "fbx", "ply", "usda"])
def test_exported_files_hold_nothing_of_the_record(kind: str, tmp_path: Path) -> None:
    ball()
    path = tmp_path / f"ball.{kind}"
    export: Any = {
        "glb": lambda: bpy.ops.export_scene.gltf(
            filepath=str(path), export_attributes=True, export_extras=True
        ),
        "fbx": lambda: bpy.ops.export_scene.fbx(filepath=str(path), use_custom_props=True),
        "ply": lambda: bpy.ops.wm.ply_export(filepath=str(path), export_attributes=True),
        "usda": lambda: bpy.ops.wm.usd_export(filepath=str(path)),
    }[kind]
    assert export() == {"FINISHED"} and b"blendshapes_" not in path.read_bytes()


def test_keys_that_are_called_otherwise_by_the_add_on() -> None:
    ob = ball()
    ob.data.shape_keys.key_blocks["k1"].name = "other"
    generated.call_anew(ob, {"k1": "other"})
    assert ours(ob) == set(NAMES) - {"k1"} | {"other"}
    assert write_keys(
        ob, np.array([1], np.int32), [Shape("k1", np.ones((1, 3), np.float32))]
    ).added == ["k1"]


def test_undo_takes_the_record_along() -> None:
    ob = ball()
    bpy.ops.ed.undo_push(message="made")
    remove_keys(ob)
    bpy.ops.ed.undo_push(message="removed")
    bpy.ops.ed.undo()
    assert ours(bpy.data.objects["Ball"]) == set(NAMES)


STEPS = [*TOPOLOGY, *PLACED]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=60,
    deadline=None,
    derandomize=True,
)
@given(
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=4, unique=True),
    st.sampled_from(["", *NAMES]),
    st.integers(0, 4),
    st.integers(0, 5),
)
def test_whatever_was_done_the_edited_key_is_the_users_and_no_other(
    steps: list[str], edited: str, when: int, seed: int
) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    ob = ball(seed=seed)
    done = [*steps[:when], "", *steps[when:]]
    touched = ""
    for number, step in enumerate(done):
        if step in PLACED:
            place(ob, step)
            bpy.ops.object.transform_apply()
        elif step:
            if len(ob.data.vertices) < 5000:
                edit("Basis", *TOPOLOGY[step])
            assume(len(ob.data.vertices) >= 50)  # merged at a scale of 1 %, all is one vertex
        elif edited and np.abs(points(ob, edited) - base_coordinates(ob)).max() > 1e-3:
            factor = 1.25  # all that the key moves, so that something of it is left
            base = base_coordinates(ob)
            ob.data.shape_keys.key_blocks[edited].points.foreach_set(
                "co", (base + factor * (points(ob, edited) - base)).reshape(-1)
            )
            touched = edited
        if (
            number == len(done) - 1
            and touched
            and not np.abs(points(ob, touched) - base_coordinates(ob)).max() > 1e-6
        ):
            touched = ""
    assert ours(ob) == set(NAMES) - {touched}
