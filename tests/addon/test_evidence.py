# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and numbers of materials, bones, groups and objects as they are read from a scene."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.avatar import gather_avatar
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_io import gather
from blendshape_auto_generator.blendshape_addon.blender_io.parts import Part
from fixtures import scenes
from fixtures.fringe import Fringed, fringed

from backend.face.evidence.evidence import check, evidence_of
from backend.face.evidence.names import NAME_LIMITS


def material(name: str, alpha: float = 1.0) -> Any:
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    made.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = alpha
    return made


def quads(ob: Any) -> None:
    """Two quads and a triangle instead of its faces."""
    ob.data.clear_geometry()
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (2, 0, 0), (2, 1, 0), (3, 0, 0)]
    ob.data.from_pydata(corners, [], [(0, 1, 2, 3), (4, 6, 5), (1, 4, 5, 2)])


def agrees(mesh: Any) -> Any:
    """The evidence as the backend takes it."""
    found = evidence_of(mesh.fields()["evidence"], mesh.arrays())
    if found is not None:
        check(found, len(mesh.vertices), len(mesh.triangles))
    return found


def test_an_object_that_has_nothing_brings_nothing(box: Any) -> None:
    mesh = gather(box)
    assert mesh.evidence.arrays == {} and mesh.fields()["evidence"] == {} and agrees(mesh) is None
    joined, _targets = gather_avatar(box)
    assert joined.evidence.arrays == {} and joined.evidence.names == {}


def test_each_triangle_has_the_material_of_its_face(box: Any) -> None:
    quads(box)
    for made in (material("Face"), None, material("前髪", 0.5)):
        box.data.materials.append(made)
    box.data.polygons.foreach_set("material_index", [0, 2, 9])
    found = agrees(gather(box))
    assert found.materials == ("Face", "", "前髪") and found.transparent.tolist() == [0, 0, 1]
    assert found.triangle_materials.tolist() == [0, 0, 2, -1, -1]
    box.data.materials[0].surface_render_method = "BLENDED"
    assert agrees(gather(box)).transparent.tolist() == [1, 0, 1]


def test_each_vertex_has_the_bone_that_skins_it_most(body: Any) -> None:
    body.vertex_groups["J_Bip_C_Head"].add(list(range(50)), 0.8, "REPLACE")
    found = agrees(gather(body))
    assert [found.bones[number] for number in found.vertex_bones[[0, 49, 50, 100, 800]]] == [
        *["J_Bip_C_Head"] * 2,
        "J_Adj_L_FaceEye",
        "J_Bip_C_Head",
        "Hips",
    ]
    parents = {
        name: found.bones[above] if above >= 0 else ""
        for name, above in zip(found.bones, found.bone_parents, strict=True)
    }
    assert parents == {"Hips": "", "J_Bip_C_Head": "Hips", "J_Adj_L_FaceEye": "J_Bip_C_Head"}
    np.testing.assert_allclose(
        found.bone_places[found.bones.index("J_Adj_L_FaceEye")], (0.03, -0.09, 1.62), atol=1e-6
    )
    body.parent.data.bones["J_Bip_C_Head"].use_deform = False
    assert "J_Adj_L_FaceEye" in [
        agrees(gather(body)).bones[number] for number in agrees(gather(body)).vertex_bones[[0, 49]]
    ]


def test_of_other_groups_those_count_whose_names_tell_something(body: Any) -> None:
    assert agrees(gather(body)).vertex_groups is None
    for name, weight in (
        ("Fringe", 1.0),
        ("まつげ", 0.9),
        ("Softly.Hair", 0.4),
        ("Material", 1.0),
        ("mask", 1.0),
    ):
        body.vertex_groups.new(name=name).add(
            [5, 6] if name == "Fringe" else [6, 7], weight, "REPLACE"
        )
    found = agrees(gather(body))
    assert [found.groups[number] if number >= 0 else "" for number in found.vertex_groups[4:9]] == [
        "",
        "Fringe",
        "Fringe",
        "まつげ",
        "",
    ]
    assert "Fringe" not in agrees(gather(body, group="Fringe")).groups


def test_several_objects_become_one_with_names_that_they_share(body: Any, box: Any) -> None:
    for ob, names in ((body, ("Face", "Hair")), (box, ("Hair", "Glasses"))):
        for name in names:
            ob.data.materials.append(bpy.data.materials.get(name) or material(name))
    box.data.polygons.foreach_set("material_index", [1] * 4)
    box.parent, box.location = body.parent, (0, 0, 1)
    box.vertex_groups.new(name="Hips").add(range(8), 1.0, "REPLACE")
    box.modifiers.new("Armature", "ARMATURE").object = body.parent
    box.modifiers.new("Mirror", "MIRROR")
    bpy.context.view_layer.update()
    mesh, targets = gather_avatar(body, [Part(box, "face", "place")])
    found = agrees(mesh)
    assert found.materials == ("Face", "Hair", "Glasses") and found.objects == (body.name, "Box")
    assert found.bones.count("Hips") == 1 and mesh.roles is None
    start = targets[1].start
    assert (found.vertex_objects[:start] == 0).all() and (found.vertex_objects[start:] == 1).all()
    assert (
        set(found.triangle_materials[-8:].tolist()) == {2}
        and len(found.vertex_objects) == start + 16
    )
    assert {found.bones[number] for number in found.vertex_bones[start:]} == {"Hips"}
    by_user, _targets = gather_avatar(body, [Part(box, "face", "user")])
    assert by_user.roles is not None


def test_a_part_without_evidence_has_none_among_others_that_do(body: Any, box: Any) -> None:
    body.data.materials.append(material("Face"))
    found = agrees(gather_avatar(body, [Part(box, "eyes", "name")])[0])
    assert (found.triangle_materials[-4:] == -1).all() and (found.vertex_bones[-8:] == -1).all()


@pytest.mark.parametrize("count", [3, 5000])
def test_names_without_end_are_cut(box: Any, count: int) -> None:
    from blendshape_auto_generator.blendshape_addon.blender_io.evidence import LETTERS, Evidence

    own = Evidence({}, {"bones": tuple(f"{number:04}" + "髪" * 300 for number in range(count))})
    names = own.fields()["bones"]
    assert (
        len(names) == count
        and all(len(name) <= NAME_LIMITS.longest for name in names)
        and names[0].startswith("0000髪")
    )
    assert len(str(names).encode("ascii", "backslashreplace")) < 2 * LETTERS


def with_fringe(by: str) -> tuple[Any, Any]:
    """The sample head with its fringe as one mesh, or with `object` as two; the objects that hold
    face and fringe.
    """
    whole = fringed()
    if by == "object":
        bare, own = (
            scenes.add(name, *cut_out(whole, hair))
            for name, hair in (("Face", False), ("前髪", True))
        )
        own.parent = bare
        return bare, own
    ob = scenes.add("Face", whole.vertices, whole.triangles)
    hair = np.flatnonzero(whole.hair).tolist()
    if by == "material":
        for name in ("Skin", "N00_000_Hair_00_HAIR"):
            ob.data.materials.append(material(name))
        ob.data.polygons.foreach_set("material_index", whole.hair_triangles.astype(np.int32))
    if by == "bone":
        rig = scenes.add_rig()
        scenes.skin(ob, rig)
        scenes.activate(rig)
        bpy.ops.object.mode_set(mode="EDIT")
        bone = rig.data.edit_bones.new("Hair1Bang")
        bone.head, bone.tail, bone.parent = (
            (0, -0.1, 0.2),
            (0, -0.1, 0.1),
            rig.data.edit_bones["Head"],
        )
        bpy.ops.object.mode_set(mode="OBJECT")
        ob.vertex_groups["Head"].remove(hair)
        ob.vertex_groups.new(name="Hair1Bang").add(hair, 1.0, "REPLACE")
    if by == "group":
        ob.vertex_groups.new(name="Fringe").add(hair, 1.0, "REPLACE")
    return ob, ob


def cut_out(whole: Fringed, hair: bool) -> tuple[Any, Any]:
    """Vertices and triangles of the fringe or of the head alone."""
    triangles = whole.triangles[whole.hair_triangles == hair]
    used, places = np.unique(triangles, return_inverse=True)
    return whole.vertices[used], places.reshape(triangles.shape)


@pytest.mark.parametrize("by", ["nothing", "material", "bone", "group", "object"])
def test_no_hair_that_a_name_tells_moves_under_any_key(by: str) -> None:
    face, fringe = with_fringe(by)
    scenes.generate(face)
    if by == "object":  # where the face is, is known now, and the fringe lies there
        scenes.generate(face, overwrite=True)
    moved = scenes.offsets(fringe)
    some = np.ones(len(fringe.data.vertices), bool) if by == "object" else fringed().hair
    far = max((float(np.abs(offset[some]).max()) for offset in moved.values()), default=0.0)
    if by == "nothing":
        assert far > 0.002
    else:
        assert far == 0 and np.abs(scenes.offsets(face)["eyeBlinkLeft"]).max() > 0.004
