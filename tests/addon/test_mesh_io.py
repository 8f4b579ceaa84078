# SPDX-License-Identifier: GPL-3.0-or-later
"""From Blender objects to arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.mesh_io import check_editable, gather
from blendshape_auto_generator.blendshape_addon.blender_io.modes import object_mode
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job.checked import scene_findings
from fixtures.meshes import figure


def test_the_figure_arrives_as_it_was_made(body: Any) -> None:
    mesh, expected = gather(body), figure()
    np.testing.assert_array_equal(mesh.vertices, expected.vertices)
    assert {tuple(sorted(t)) for t in mesh.triangles.tolist()} == {
        tuple(sorted(t)) for t in expected.triangles.tolist()
    }
    assert (
        mesh.vertices.dtype == np.float32
        and mesh.triangles.dtype == np.int32
        and mesh.vertices.flags.c_contiguous
    )
    assert mesh.mask is None and mesh.findings == () and mesh.up == (0.0, 0.0, 1.0)


def test_weights_of_the_head_bone_and_those_below_it(body: Any) -> None:
    weights = gather(body).head_weights
    assert weights is not None and weights.dtype == np.float32
    np.testing.assert_allclose(weights[:100], 0.75)
    assert (weights[100:768] == 1).all() and (weights[768:] == 0).all()


def test_sums_of_weights_end_at_one(body: Any) -> None:
    body.vertex_groups["J_Bip_C_Head"].add(list(range(100)), 0.5, "REPLACE")
    weights = gather(body).head_weights
    assert weights is not None and weights.max() == 1.0


def test_bones_that_do_not_deform_do_not_count(body: Any) -> None:
    body.parent.data.bones["J_Adj_L_FaceEye"].use_deform = False
    weights = gather(body).head_weights
    assert weights is not None and (weights[:100] == 0).all() and (weights[100:768] == 1).all()


def test_without_an_armature_a_group_called_like_a_head_counts(body: Any) -> None:
    body.modifiers.clear()
    body.parent = None
    mesh = gather(body)
    assert (
        mesh.head_weights is not None
        and (mesh.head_weights[100:768] == 1).all()
        and (mesh.head_weights[:100] == 0).all()
    )
    assert mesh.bones == {}
    body.vertex_groups["J_Bip_C_Head"].name = "Torso"
    assert gather(body).head_weights is None


def test_bones_are_in_object_space_wherever_the_object_is(body: Any) -> None:
    before = gather(body)
    assert set(before.bones) == {"head", "left_eye", "right_eye", "left_side", "right_side"}
    np.testing.assert_allclose(before.bones["left_eye"], (0.03, -0.09, 1.62), atol=1e-6)
    np.testing.assert_allclose(before.bones["left_side"], (0.03, -0.09, 1.62), atol=1e-6)
    body.parent.matrix_world = body.matrix_world.LocRotScale(
        (50, 3, -2), body.rotation_euler.to_matrix().to_quaternion(), (0.01, 0.01, 0.01)
    )
    body.parent.rotation_euler = (1.0, 0.5, 2.0)
    after = gather(body)
    for name, point in before.bones.items():
        np.testing.assert_allclose(after.bones[name], point, atol=1e-3)
    assert after.up is not None and abs(np.linalg.norm(after.up) - 1) < 1e-6


def test_up_follows_the_objects_turn(box: Any) -> None:
    box.rotation_euler = (np.pi / 2, 0, 0)
    np.testing.assert_allclose(gather(box).up, (0, 1, 0), atol=1e-6)
    box.scale = (1, 1, 0)
    assert gather(box).up is None


def test_the_reference_key_counts_not_the_meshs_own_positions(box: Any) -> None:
    box.shape_key_add(name="Basis")
    moved = np.arange(24, dtype=np.float32)
    box.data.shape_keys.reference_key.points.foreach_set("co", moved)
    np.testing.assert_array_equal(gather(box).vertices.ravel(), moved)


def test_masks(body: Any) -> None:
    body.vertex_groups.new(name="Face").add([5, 6], 0.5, "REPLACE")
    mask = gather(body, group="Face").mask
    assert mask is not None and np.flatnonzero(mask).tolist() == [5, 6] and mask[5] == 0.5
    selected = np.zeros(1536, bool)
    selected[7] = True
    body.data.vertices.foreach_set("select", selected)
    chosen = gather(body, use_selection=True).mask
    assert chosen is not None and np.flatnonzero(chosen).tolist() == [7]
    body.data.vertices.foreach_set("select", ~selected & selected)
    for arguments, code in (
        ({"group": "Nose"}, "unknown_group"),
        ({"use_selection": True}, "usage"),
    ):
        with pytest.raises(AddonError) as caught:
            gather(body, **arguments)
        assert caught.value.code == code
    with pytest.raises(AddonError, match="Hips"):
        gather(body, group="Nose")


def test_the_vrm_addons_mapping_is_used(body: Any) -> None:
    # The structure of the VRM add-on's properties, as far as the mapping goes
    def group(**fields: Any) -> Any:
        cls = type(
            "Vrm" + "".join(fields).title().replace("_", ""),
            (bpy.types.PropertyGroup,),
            {"__annotations__": fields},
        )
        bpy.utils.register_class(cls)
        return cls

    pointer = bpy.props.PointerProperty
    node = group(bone_name=bpy.props.StringProperty())
    bone = group(node=pointer(type=node))
    bones = group(head=pointer(type=bone), left_eye=pointer(type=bone))
    humanoid = group(human_bones=pointer(type=bones))
    vrm1 = group(humanoid=pointer(type=humanoid))
    extension = group(vrm1=pointer(type=vrm1))
    bpy.types.Armature.vrm_addon_extension = pointer(type=extension)
    try:
        body.parent.data.vrm_addon_extension.vrm1.humanoid.human_bones.head.node.bone_name = "Hips"
        assert gather(body).bones["head"] == pytest.approx((0, 0, 0.9))
    finally:
        del bpy.types.Armature.vrm_addon_extension
        for cls in (extension, vrm1, humanoid, bones, bone, node):
            bpy.utils.unregister_class(cls)


def test_what_the_user_should_know_is_said(box: Any) -> None:
    box.modifiers.new("Halves", "MIRROR")
    box.scale = (-1, 1, 1)
    other = box.copy()
    codes = [finding.code for finding in scene_findings(box)]
    assert codes == ["mesh_shared", "mirrored"]
    bpy.data.objects.remove(other)
    box.modifiers.clear()
    box.scale = (1, -1, 2)
    assert scene_findings(box) == [] and gather(box).findings == ()  # it is read as it is seen


def test_what_is_no_mesh_is_refused() -> None:
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    for ob in (None, camera):
        with pytest.raises(AddonError) as caught:
            check_editable(ob)
        assert caught.value.code == "not_a_mesh"


@pytest.mark.parametrize("override", [False, True])
def test_linked_meshes_are_refused(saved: Path, tmp_path: Path, override: bool) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(saved), link=True) as (_, to):
        to.objects = ["Body"]
    ob = bpy.data.objects["Body"]
    bpy.context.collection.objects.link(ob)
    if override:
        ob = ob.override_create(remap_local_usages=True)
        ob.data.override_create(remap_local_usages=True)
    with pytest.raises(AddonError) as caught:
        check_editable(ob)
    assert caught.value.code == "linked_data"


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "WEIGHT_PAINT"])
def test_modes_are_left_and_restored(body: Any, mode: str) -> None:
    operators: Any = bpy.ops
    operators.object.mode_set(mode=mode)
    with object_mode(body):
        assert body.mode == "OBJECT" and len(gather(body).vertices) == 1536
    assert body.mode == mode
    with pytest.raises(ZeroDivisionError), object_mode(body):
        _ = 1 / 0
    assert body.mode == mode


def test_an_empty_mesh_is_passed_on() -> None:
    ob = bpy.data.objects.new("Nothing", bpy.data.meshes.new("Nothing"))
    bpy.context.collection.objects.link(ob)
    mesh = gather(ob)
    assert mesh.vertices.shape == (0, 3) and mesh.triangles.shape == (0, 3)
