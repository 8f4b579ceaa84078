# SPDX-License-Identifier: GPL-3.0-or-later
"""Avatars of several objects: what is recognised, what the user corrects, and keys on all of them
that fit together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.avatar import gather_avatar
from blendshape_auto_generator.blendshape_addon.blender_io.landmark_store import found_landmarks
from blendshape_auto_generator.blendshape_addon.blender_io.parts import (
    ROLES,
    avatar_parts,
    moving,
    role_by_name,
)
from blendshape_auto_generator.blendshape_addon.blender_io.sharing import split
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.face.correct.roles import ROLES as BACKEND_ROLES

HEAD = 768


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Eyes", "eyes"),
        ("EyeBall.L", "eyes"),
        ("Face_eyelash", "lashes"),
        ("まつげ", "lashes"),
        ("眉毛", "brows"),
        ("Eyebrows", "brows"),
        ("UpperTeeth", "teeth"),
        ("舌", "tongue"),
        ("瞳", "eyes"),
        ("Body", None),
        ("Hair", None),
        ("Glasses_eye", None),
        ("眼鏡", None),
        ("Eyepatch", None),
        ("Monkeyed", None),
    ],
)
def test_names(name: str, role: str | None) -> None:
    assert role_by_name(name) == role


def test_the_roles_that_travel_are_the_backends() -> None:
    assert ROLES == BACKEND_ROLES


def add_part(
    name: str,
    body: Any,
    place: tuple[float, float, float] = (0.03, -0.08, 1.62),
    matrix: Any = None,
) -> Any:
    """A small ball on the same armature, with the transform of its own that is given."""
    bpy.ops.mesh.primitive_uv_sphere_add(
        segments=12, ring_count=8, radius=0.012, location=(0, 0, 0)
    )
    part = bpy.context.object
    part.name = part.data.name = name
    for vertex in part.data.vertices:
        vertex.co += type(vertex.co)(place)
    if matrix is not None:
        part.matrix_world = matrix
        inverse = matrix.inverted()
        for vertex in part.data.vertices:
            vertex.co = inverse @ vertex.co
    part.modifiers.new("Armature", "ARMATURE").object = body.parent
    bpy.context.view_layer.objects.active = body
    return part


def test_parts_of_the_avatar_and_no_others(body: Any) -> None:
    eyes = add_part("Eyes", body)
    shirt = add_part("Shirt", body, (0, 0, 0.9))
    other = add_part("Teeth", body)
    other.modifiers.clear()
    found = {part.ob: part for part in avatar_parts(body, {})}
    assert found[eyes].role == "eyes" and found[eyes].why == "name" and found[shirt].role == "none"
    assert (
        found[other].role == "none" and not found[other].why
    )  # of no avatar yet: where it lies will tell
    eyes.blendshapes.part, other.blendshapes.part = "NONE", "TEETH"
    found = {part.ob: part for part in avatar_parts(body, {})}
    assert (
        found[eyes].role == "none" and found[other].role == "teeth" and found[other].why == "user"
    )
    assert [part.ob for part in moving(list(found.values()))] == [other]


def test_a_material_tells_what_a_part_is(body: Any) -> None:
    part = add_part("Mesh.003", body)
    part.data.materials.append(bpy.data.materials.new("FaceBrow"))
    assert avatar_parts(body, {})[0].role == "brows"


def test_objects_are_joined_in_the_faces_space_and_given_back(body: Any) -> None:
    from mathutils import Matrix

    matrix = Matrix.LocRotScale(
        (0.5, 2, -1), Matrix.Rotation(0.7, 3, "X").to_quaternion(), (2, 2, 2)
    )
    body.parent.matrix_world = Matrix.Translation((3, 0, 0))
    part = add_part("Eyes", body, matrix=matrix)
    bpy.context.view_layer.update()
    mesh, targets = gather_avatar(body, avatar_parts(body, {}))
    own = len(body.data.vertices)
    assert [target.name for target in targets] == ["Body", "Eyes"] and len(
        mesh.vertices
    ) == own + len(part.data.vertices)
    world = np.array(
        [
            body.matrix_world @ type(v.co)(p)
            for v, p in zip(part.data.vertices, mesh.vertices[own:].tolist(), strict=True)
        ]
    )
    np.testing.assert_allclose(
        world, [part.matrix_world @ v.co for v in part.data.vertices], atol=1e-5
    )
    assert (
        mesh.roles is not None
        and set(mesh.roles[own:]) == {ROLES.index("eyes")}
        and not mesh.roles[:own].any()
    )
    assert mesh.triangles.max() == len(mesh.vertices) - 1 and (mesh.head_weights[own:] == 1).all()
    indices = np.array([5, own + 3], np.int32)
    pushed = np.array([[[0, 0, 1], [0, 0.3, 0]]], np.float32)
    of_face, of_eye = split(targets, indices, pushed)
    (face_rows, face), (eye_rows, eye) = (
        (share.indices, share.offsets) for share in (of_face, of_eye)
    )
    assert face_rows.tolist() == [5] and eye_rows.tolist() == [3]
    np.testing.assert_array_equal(face[0, 0], (0, 0, 1))
    moved = part.matrix_world.to_3x3() @ type(part.data.vertices[0].co)(eye[0, 0].tolist())
    np.testing.assert_allclose(
        moved, body.matrix_world.to_3x3() @ type(moved)((0, 0.3, 0)), atol=1e-6
    )


def test_keys_on_all_objects_and_one_command_takes_them_back(body: Any, tiny: Path) -> None:
    bpy.context.scene.blendshapes.model = str(tiny)
    bpy.ops.blendshapes.edit_landmarks()
    marks = found_landmarks(body)
    eyes = add_part(
        "Eyes", body, tuple(np.mean([marks["eye_inner_left"], marks["eye_outer_left"]], axis=0))
    )
    assert bpy.ops.blendshapes.generate(sets={"arkit"}, turn_eyes=True) == {"FINISHED"}
    assert len(body.data.shape_keys.key_blocks) == 53 and eyes.data.shape_keys is not None
    names = [block.name for block in eyes.data.shape_keys.key_blocks][1:]
    assert names and all(name.startswith("eyeLook") for name in names), (
        "eyes look and do nothing else"
    )
    assert bpy.ops.blendshapes.remove() == {"FINISHED"}
    assert len(body.data.shape_keys.key_blocks) == len(eyes.data.shape_keys.key_blocks) == 1


def test_parts_can_be_left_alone(body: Any, tiny: Path) -> None:
    eyes = add_part("Eyes", body)
    bpy.ops.blendshapes.generate(model=str(tiny), sets={"arkit"}, parts=False)
    assert eyes.data.shape_keys is None


def half_figure(body: Any) -> Any:
    """The half of the figure on its left, with a Mirror modifier."""
    import bmesh

    mesh = bmesh.new()
    mesh.from_mesh(body.data)
    bmesh.ops.bisect_plane(
        mesh,
        geom=[*mesh.verts, *mesh.edges, *mesh.faces],
        plane_co=(0, 0, 0),
        plane_no=(1, 0, 0),
        clear_inner=True,
    )
    mesh.to_mesh(body.data)
    mesh.free()
    modifier = body.modifiers.new("Mirror", "MIRROR")
    bpy.ops.object.modifier_move_to_index(modifier="Mirror", index=0)
    return modifier


def test_half_a_face_is_completed_for_the_search(body: Any) -> None:
    half_figure(body)
    own = len(body.data.vertices)
    mesh, (target,) = gather_avatar(body)
    seam = 2 * np.abs(mesh.vertices[:own, 0]) <= 1e-3
    assert seam.any() and len(mesh.vertices) == own + (~seam).sum()
    np.testing.assert_allclose(
        mesh.vertices[own:], mesh.vertices[:own][~seam] * (-1, 1, 1), atol=1e-6
    )
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert len(mesh.vertices) == len(evaluated.vertices)
    assert target.size == own and target.copies[0].start == own


def test_a_shape_of_the_missing_side_moves_the_side_that_is_there(body: Any) -> None:
    half_figure(body)
    _mesh, targets = gather_avatar(body)
    own = targets[0].size
    vertex = int(targets[0].copies[0].source[0])
    offsets = np.array([[[0.5, 0, 1]], [[0, 0, 0]]], np.float32)
    (share,) = split(targets, np.array([own], np.int32), offsets)
    rows, moved = share.indices, share.offsets
    assert rows.tolist() == [vertex]
    np.testing.assert_allclose(moved[0, 0], (-0.5, 0, 1), atol=1e-6)
    assert not moved[1].any()


def test_the_mirror_is_applied_on_request_only_without_keys(body: Any) -> None:
    half_figure(body)
    own = len(body.data.vertices)
    body.shape_key_add(name="Basis")
    assert not bpy.ops.blendshapes.apply_mirror.poll()
    body.shape_key_clear()
    assert bpy.ops.blendshapes.apply_mirror() == {"FINISHED"}
    assert len(body.data.vertices) > own and [modifier.type for modifier in body.modifiers] == [
        "ARMATURE"
    ]
    assert not bpy.ops.blendshapes.apply_mirror.poll()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None
)
@given(st.lists(st.integers(0, 767), unique=True, min_size=1, max_size=50))
def test_what_is_split_adds_up(body: Any, rows: list[int]) -> None:
    _mesh, targets = gather_avatar(body)
    indices = np.array(sorted(rows), np.int32)
    offsets = np.random.default_rng(len(rows)).normal(size=(2, len(rows), 3)).astype(np.float32)
    (share,) = split(targets, indices, offsets)
    own, moved = share.indices, share.offsets
    np.testing.assert_array_equal(own, indices)
    np.testing.assert_array_equal(moved, offsets)


def test_where_a_part_lies_says_that_it_belongs_to_the_face(body: Any, tiny: Path) -> None:
    bpy.context.scene.blendshapes.model = str(tiny)
    bpy.ops.blendshapes.edit_landmarks()
    marks = found_landmarks(body)
    inside = add_part(
        "Mesh.001", body, tuple(np.mean([marks["lip_upper"], marks["lip_lower"]], axis=0))
    )
    outside = add_part("Mesh.002", body, (0, 0, 0.3))
    found = {part.ob: (part.role, part.why) for part in avatar_parts(body, marks)}
    assert found[inside] == ("face", "place") and found[outside] == ("none", "")
    assert avatar_parts(body, {})[0].role == "none", "without landmarks nothing is known"


def test_a_head_of_several_objects_moves_as_one(tmp_path: Path) -> None:
    """The sample head with the shipped model, in one object and separated into its pieces, which
    only their places tell.
    """
    from mathutils.kdtree import KDTree

    from scripts.samples.object import add_sample_head

    names = ("eyeBlinkLeft", "eyeLookUpLeft", "jawOpen", "browInnerUp")
    whole = add_sample_head()
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    rest, expected = _rest(whole), {name: _offsets(whole, name) for name in names}
    tree = KDTree(len(rest))
    for number, place in enumerate(rest.tolist()):
        tree.insert(place, number)
    tree.balance()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    add_sample_head()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.separate(type="LOOSE")
    bpy.ops.object.mode_set(mode="OBJECT")
    top = bpy.data.objects.new("Avatar", None)
    bpy.context.collection.objects.link(top)
    pieces = sorted(
        (ob for ob in bpy.data.objects if ob.type == "MESH"), key=lambda ob: -len(ob.data.vertices)
    )
    for ob in pieces:
        ob.parent = top
    face = bpy.context.view_layer.objects.active = pieces[0]
    assert bpy.ops.blendshapes.generate(sets={"arkit"}) == {"FINISHED"}
    moving_ = [ob for ob in pieces if ob.data.shape_keys is not None]
    assert face in moving_ and len(moving_) >= 9, (
        "eyes, lashes, brows, teeth and tongue; the hair stays"
    )
    for ob in moving_:
        there = [tree.find(place)[1] for place in _rest(ob).tolist()]
        for name in names:
            before, after = expected[name][there], _offsets(ob, name)
            if (
                np.abs(before).max() > 0.002
            ):  # metres; rows of teeth that hardly move depend on the crop that the model sees
                assert np.abs(after).max() == pytest.approx(np.abs(before).max(), rel=0.25), (
                    ob.name,
                    name,
                )


def _rest(ob: Any) -> NDArray[Any]:
    points = np.empty((len(ob.data.vertices), 3), np.float32)
    ob.data.attributes["position"].data.foreach_get("vector", points.reshape(-1))
    return points


def _offsets(ob: Any, name: str) -> NDArray[Any]:
    """Offsets of a key, zero where the object has none of that name."""
    block = ob.data.shape_keys.key_blocks.get(name)
    points = _rest(ob)
    if block is not None:
        block.points.foreach_get("co", points.reshape(-1))
    return points - _rest(ob)
