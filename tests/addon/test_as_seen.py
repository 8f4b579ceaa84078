# SPDX-License-Identifier: GPL-3.0-or-later
"""The head as it is seen: whatever a scene does with it, the same face gets the same shapes, and
what is hidden is let be.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import bmesh
import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io import as_seen, expressions
from blendshape_auto_generator.blendshape_addon.blender_io.modes import object_mode
from fixtures import scenes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mathutils import Matrix

KEYS = (
    "eyeBlinkLeft",
    "jawOpen",
    "mouthSmileRight",
    "eyeLookUpLeft",
    "eyeLookInRight",
    "tongueOut",
)
CLOSE = 0.01  # of the eye's height, by which shapes of the same face may differ
Movements = dict[tuple[str, str], scenes.Floats]


@cache
def plain(parts: tuple[str, ...], names: tuple[str, ...] = KEYS) -> Movements:
    """What keys move in a scene with nothing but the head."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    found = scenes.add_head(parts)
    scenes.generate(found["Face"])
    return scenes.movements(found, names)


def fresh(parts: tuple[str, ...] = ()) -> dict[str, Any]:
    """The same scene without keys."""
    plain(parts)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return scenes.add_head(parts)


def worst(objects: dict[str, Any], parts: tuple[str, ...], turn: Matrix | None = None) -> float:
    """The largest difference from the plain scene's movements, turned, in heights of the eye."""
    matrix = np.eye(3) if turn is None else np.array(turn)[:3, :3]
    got = scenes.movements(objects, KEYS)
    return (
        max(float(np.abs(got[name] - want @ matrix.T).max()) for name, want in plain(parts).items())
        / scenes.eye_height()
    )


# what a scene may do with the head; the face that is seen stays the same but for a turn
def slide(objects: dict[str, Any], value: float) -> None:
    """The stored face is another; a key of the user's own, at a value, makes it the face that is
    seen.
    """
    face = objects["Face"]
    right = scenes.coordinates(face)
    other = np.asarray(right * np.array([0.9, 1.0, 1.15], np.float32))
    face.data.vertices.foreach_set("co", other.reshape(-1))
    face.shape_key_add(name="Basis", from_mix=False)
    key = face.shape_key_add(name="Slimmer", from_mix=False)
    key.points.foreach_set("co", (other + (right - other) / np.float32(value)).reshape(-1))
    key.value = value


def distract(objects: dict[str, Any]) -> None:
    """Keys that are not seen, muted or at 0, and an expression that is."""
    face = objects["Face"]
    if face.data.shape_keys is None:
        face.shape_key_add(name="Basis", from_mix=False)
    for name, value, mute in (("Huge", 1.0, True), ("Flat", 0.0, False), ("まばたき", 1.0, False)):
        key = face.shape_key_add(name=name, from_mix=False)
        key.points.foreach_set("co", (scenes.coordinates(face) * np.float32(1.4)).reshape(-1))
        key.value, key.mute = value, mute


def place(objects: dict[str, Any], matrix: Matrix) -> None:
    """Every mesh is stored in other axes, and its object puts it where it was."""
    for ob in objects.values():
        ob.data.transform(matrix.inverted())
        if matrix.determinant() < 0:
            ob.data.flip_normals()  # as Blender shows it, a mirrored object is not inside out
        ob.matrix_world = matrix


def pose(objects: dict[str, Any]) -> None:
    """Skinned to a head's bone, parts parented to it, and the head turned; `rest` ends that."""
    rig = scenes.add_rig()
    scenes.skin(objects["Face"], rig)
    for name, ob in objects.items():
        if name != "Face":
            scenes.hang(ob, rig)
    rig.pose.bones["Head"].rotation_mode = "XYZ"
    rig.pose.bones["Head"].rotation_euler = (0.3, 0.5, 0.2)
    bpy.context.view_layer.update()


def put_away(objects: dict[str, Any], how: str) -> list[Any]:
    """Larger copies of everything, hidden."""
    shelf = bpy.data.collections.new("Old")
    bpy.context.scene.collection.children.link(shelf)
    copies = []
    for ob in objects.values():
        copy = ob.copy()
        copy.data = ob.data.copy()
        copy.data.transform(Matrix.Scale(1.06, 4))
        shelf.objects.link(copy)
        copies.append(copy)
    layer = bpy.context.view_layer.layer_collection.children["Old"]
    layer.exclude, layer.hide_viewport, shelf.hide_viewport = (
        how == "excluded",
        how == "eye of the collection",
        how == "monitor of the collection",
    )
    for copy in copies:
        copy.hide_viewport = how == "monitor"
        if how == "eye":
            copy.hide_set(True)
    return copies


def rest() -> None:
    """The armature rests, pins and modes end."""
    objects: list[Any] = list(bpy.data.objects)
    for ob in objects:
        if ob.type == "ARMATURE":
            ob.pose.bones["Head"].rotation_euler = (0, 0, 0)
        if ob.type == "MESH" and ob.data.shape_keys is not None:
            for key in ob.data.shape_keys.key_blocks:
                key.value = 0.0 if key.name == "まばたき" else key.value


PARTS = st.sampled_from([(), scenes.SPLIT])
HIDDEN = ("eye", "monitor", "excluded", "eye of the collection", "monitor of the collection")
MATRICES = st.sampled_from(
    [
        Matrix.Identity(4),
        scenes.turned(90, "X") @ Matrix.Scale(0.01, 4),
        Matrix.Diagonal((1.3, 0.8, 1.1, 1.0)),
        Matrix.Diagonal((-1.0, 1.0, 1.0, 1.0)),
        scenes.turned(-90, "X") @ Matrix.Diagonal((1.0, -2.0, 2.0, 1.0)),
    ]
)


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    parts=PARTS,
    slider=st.sampled_from([0.0, 0.5, 1.0]),
    noise=st.booleans(),
    matrix=MATRICES,
    turn=st.sampled_from([0, 40, 180]),
    posed=st.booleans(),
    hidden=st.sampled_from(["", *HIDDEN]),
    mode=st.sampled_from(["OBJECT", "EDIT", "SCULPT"]),
    inside_out=st.booleans(),
)
def test_random_scenes_of_the_same_face_get_the_same_shapes(
    parts: tuple[str, ...],
    slider: float,
    noise: bool,
    matrix: Matrix,
    turn: int,
    posed: bool,
    hidden: str,
    mode: Any,
    inside_out: bool,
) -> None:
    objects = fresh(parts)
    copies = put_away(objects, hidden) if hidden else []
    place(objects, matrix)
    if inside_out:
        objects["Face"].data.flip_normals()
    around = scenes.turned(turn)
    for ob in objects.values():
        ob.matrix_world = around @ ob.matrix_world
    if slider:
        slide(objects, slider)
    if noise:
        distract(objects)
    if posed:
        pose(objects)
    last = list(objects.values())[-1]
    scenes.activate(last)
    bpy.ops.object.mode_set(mode=mode)
    bpy.context.scene.tool_settings.lock_object_mode = False
    scenes.generate(objects["Face"])
    assert last.mode == mode
    assert not any(copy.data.shape_keys for copy in copies)
    scenes.activate(last)
    bpy.ops.object.mode_set(mode="OBJECT")
    rest()
    # the expression was laid aside while the face was read, and is at 0 again; a slider stays
    assert worst(objects, parts, around) < CLOSE


def test_modifiers_that_deform_are_seen_and_undone_in_what_is_stored() -> None:
    def stretched(objects: dict[str, Any]) -> Any:
        lattice: Any = bpy.data.objects.new("Lattice", bpy.data.lattices.new("Lattice"))
        bpy.context.scene.collection.objects.link(lattice)
        lattice.location = (0, 0, 0.15)
        for point in lattice.data.points:
            point.co_deform = (
                point.co_deform[0] * 0.9,
                point.co_deform[1],
                point.co_deform[2] * 1.2,
            )
        face = objects["Face"]
        face.modifiers.new("Stretch", "LATTICE").object = lattice
        return face

    face = stretched(fresh())
    right = scenes.seen(face)
    scenes.generate(face)
    found = scenes.movements({"Face": face}, KEYS)
    bare = fresh()["Face"]
    bare.data.vertices.foreach_set("co", right.reshape(-1))
    bare.data.update()
    scenes.generate(bare)
    for name, want in scenes.movements({"Face": bare}, KEYS).items():
        assert np.abs(found[name] - want).max() < CLOSE * scenes.eye_height(), name


def test_a_modifier_that_changes_the_number_of_vertices_is_named() -> None:
    face = fresh()["Face"]
    tree: Any = bpy.data.node_groups.new("Doubled", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    finer = tree.nodes.new("GeometryNodeSubdivideMesh")
    tree.links.new(start.outputs[0], finer.inputs[0])
    tree.links.new(finer.outputs[0], end.inputs[0])
    face.modifiers.new("Finer", "NODES").node_group = tree
    warnings = scenes.generate(face)
    assert any("'Finer'" in line and "number of vertices" in line for line in warnings)
    assert len(face.data.shape_keys.key_blocks) == 53


@pytest.mark.parametrize("kind", ["pinned", "driven", "in a group", "on another key"])
def test_a_slider_is_seen_however_it_is_set(kind: str) -> None:
    objects = fresh()
    slide(objects, 1.0)
    face = objects["Face"]
    keys = face.data.shape_keys.key_blocks
    right = scenes.seen(face)
    if kind == "pinned":
        keys["Slimmer"].value = 0.0
        face.show_only_shape_key, face.active_shape_key_index = True, 1
    elif kind == "driven":
        face["slim"] = 1.0
        keys["Slimmer"].value = 0.0
        driver = keys["Slimmer"].driver_add("value").driver
        driver.type = "SUM"
        driver.variables.new().targets[0].id = face
        driver.variables[0].targets[0].data_path = '["slim"]'
    elif kind == "in a group":
        face.vertex_groups.new(name="Some").add(list(range(0, len(right), 2)), 0.5, "REPLACE")
        keys["Slimmer"].vertex_group = "Some"
        right = scenes.seen(face)
    else:
        middle = face.shape_key_add(name="Middle", from_mix=False)
        middle.value = 0.0
        keys["Slimmer"].relative_key = middle
    bpy.context.view_layer.update()
    right = scenes.seen(face)
    np.testing.assert_allclose(as_seen.see(face).vertices, right, atol=1e-6)


def test_an_expression_that_is_not_at_rest_is_told_and_left_out() -> None:
    face = fresh()["Face"]
    distract({"Face": face})
    warnings = scenes.generate(face)
    assert any("'まばたき'" in line and "not at 0" in line for line in warnings)
    assert not any("Huge" in line or "Flat" in line for line in warnings)


def test_keys_that_were_made_before_are_no_part_of_the_face_that_is_read() -> None:
    objects = fresh()
    scenes.generate(objects["Face"])
    for name in ("eyeBlinkLeft", "jawOpen"):
        objects["Face"].data.shape_keys.key_blocks[name].value = 1.0
    assert not scenes.generate(objects["Face"])
    for name in ("eyeBlinkLeft", "jawOpen"):
        objects["Face"].data.shape_keys.key_blocks[name].value = 0.0
    assert worst(objects, ()) < 1e-4


def test_parts_without_parents_are_found_by_where_they_lie() -> None:
    objects = fresh(scenes.SPLIT)
    stranger = scenes.add("EyeOfAnother", scenes.head().vertices[:300] + np.float32(2), [(0, 1, 2)])
    scenes.generate(objects["Face"])
    assert all(ob.data.shape_keys is not None for ob in objects.values())
    assert stranger.data.shape_keys is None


def one_mesh(objects: dict[str, Any], left: str, right: str, how: str) -> Any:
    """Both sides of a part are one mesh now, by a linked copy or by a modifier; the object that
    holds it.
    """
    one, other = objects[left], objects[right]
    if how == "copy":
        middle = scenes.coordinates(one).mean(axis=0)
        one.data.transform(Matrix.Translation(-middle.astype(float)))
        one.location = middle
        other.data = one.data
        other.location = middle * (-1, 1, 1)
    elif how == "turned copy":
        other.data = one.data
        other.scale = (-1, 1, 1)
    else:
        bpy.data.objects.remove(objects.pop(right))
        one.modifiers.new("Twin", "MIRROR").use_mirror_merge = False
    bpy.context.view_layer.update()
    return one


def trim(ob: Any) -> None:
    """Take away vertices that are part of no face."""
    mesh = bmesh.new()
    mesh.from_mesh(ob.data)
    bmesh.ops.delete(
        mesh, geom=[vertex for vertex in mesh.verts if not vertex.link_faces], context="VERTS"
    )
    mesh.to_mesh(ob.data)
    mesh.free()


def shown_by(ob: Any, *names: str) -> scenes.Floats:
    """How an object's vertices are seen to move with these keys at 1 at once, float32 (V,3)."""
    keys = ob.data.shape_keys.key_blocks
    rest = scenes.seen(ob)
    for name in names:
        keys[name].value = 1.0
    moved = scenes.seen(ob) - rest
    for name in names:
        keys[name].value = 0.0
    return np.asarray(moved, np.float32)


@pytest.mark.parametrize("how", ["copy", "turned copy", "mirror"])
def test_eyes_that_are_one_mesh_turn_once_when_both_turn_and_halfway_alone(how: str) -> None:
    want = float(plain(("eye",), ("eyeLookUpLeft",))["EyeL", "eyeLookUpLeft"][:, 2].max())
    objects = fresh(("eye",))
    left = one_mesh(objects, "EyeL", "EyeR", how)
    warnings = scenes.generate(objects["Face"])
    assert len(warnings) == 1 and "'EyeL'" in warnings[0] and "halfway" in warnings[0]
    assert ("single-user" in warnings[0]) == (how != "mirror")
    for ob in [left, *(other for name, other in objects.items() if name == "EyeR")]:
        both, alone = shown_by(ob, "eyeLookUpLeft", "eyeLookUpRight"), shown_by(ob, "eyeLookUpLeft")
        for half in np.array_split(both[:, 2], 2 if how == "mirror" else 1):
            assert half.max() == pytest.approx(want, rel=0.1)
        np.testing.assert_allclose(alone, both / 2, atol=0.1 * want)


def test_a_linked_copy_looks_aside_as_the_eye_it_is_of() -> None:
    want = float(plain(("eye",), ("eyeLookOutLeft",))["EyeL", "eyeLookOutLeft"][:, 0].max())
    objects = fresh(("eye",))
    one_mesh(objects, "EyeL", "EyeR", "copy")
    scenes.generate(objects["Face"])
    for name in ("EyeL", "EyeR"):
        assert shown_by(objects[name], "eyeLookOutLeft", "eyeLookInRight")[
            :, 0
        ].max() == pytest.approx(want, rel=0.15)


@pytest.mark.parametrize("how", ["turned copy", "mirror"])
def test_lashes_that_are_one_mesh_follow_a_blink_of_both_eyes_once(how: str) -> None:
    want = float(plain(("lash",), ("eyeBlinkLeft",))["lash", "eyeBlinkLeft"][:, 2].min())
    objects = fresh(("lash",))
    lash = objects.pop("lash")
    left = [polygon.vertices[:] for polygon in lash.data.polygons if polygon.center.x > 0]
    for name in ("LashL", "LashR"):
        objects[name] = scenes.add(name, scenes.coordinates(lash), left)
        trim(objects[name])
    bpy.data.objects.remove(lash)
    one_mesh(objects, "LashL", "LashR", how)
    scenes.generate(objects["Face"])
    assert shown_by(objects["LashL"], "eyeBlinkLeft", "eyeBlinkRight")[:, 2].min() == pytest.approx(
        want, rel=0.1
    )


def test_keys_of_one_mesh_are_made_right_once_it_is_single_user() -> None:
    want = plain(("eye",), ("eyeLookUpLeft",))["EyeL", "eyeLookUpLeft"]
    objects = fresh(("eye",))
    one_mesh(objects, "EyeL", "EyeR", "turned copy")
    assert scenes.generate(objects["Face"])
    assert bpy.ops.blendshapes.parts_single_user() == {"FINISHED"}
    assert not scenes.generate(objects["Face"])
    np.testing.assert_allclose(
        shown_by(objects["EyeL"], "eyeLookUpLeft"), want, atol=0.1 * float(np.abs(want).max())
    )
    assert not scenes.offsets(objects["EyeR"])["eyeLookUpLeft"].any()


def test_teeth_that_are_one_mesh_in_two_places_get_the_keys_that_fit_both() -> None:
    objects = fresh(("teeth",))
    teeth = objects["teeth"]
    twin = teeth.copy()
    bpy.context.scene.collection.objects.link(twin)
    assert not any("halfway" in line for line in scenes.generate(objects["Face"]))
    assert np.abs(scenes.offsets(teeth)["jawOpen"]).max() > 0.005


def test_modes_of_all_objects_come_back() -> None:
    objects = fresh(("eye", "teeth"))
    face, left, right, teeth = (objects[name] for name in ("Face", "EyeL", "EyeR", "teeth"))
    scenes.activate(left)
    right.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.scene.tool_settings.lock_object_mode = False
    bpy.context.view_layer.objects.active = teeth
    bpy.ops.object.mode_set(mode="SCULPT")
    with object_mode(face, left, right, teeth):
        assert {ob.mode for ob in objects.values()} == {"OBJECT"}
    assert [ob.mode for ob in (face, left, right, teeth)] == ["OBJECT", "EDIT", "EDIT", "SCULPT"]
    assert (
        bpy.context.view_layer.objects.active == teeth
        and left.select_get()
        and right.select_get()
        and not teeth.select_get()
    )


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("$md-eyes-bigger", False),
        ("Body_Slim", False),
        ("Big breasts", False),
        ("eyeBlink_L", True),
        ("Face.M_F00_000_00_Fcl_ALL_Joy", True),
        ("vrc.lowerlid_left", True),
        ("まばたき", True),
    ],
)
def test_expressions_are_told_from_traits_by_their_names(name: str, expression: bool) -> None:
    assert expressions.is_expression(name) is expression
