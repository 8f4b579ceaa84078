# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Blender object to arrays: coordinates, triangles, weight to the head, the user's mask,
bones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import armature_of, mesh_of
from . import evidence, head_bones
from .as_seen import see, shown_axes
from .findings import Finding
from .mesh_arrays import Entries, group_entries, triangles_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class AvatarArrays:
    """An object's mesh in object space; the fields of `AvatarMesh` in docs/design/architecture.md,
    and what the user should know.

    vertices: float32 (V,3), as they are seen. triangles: int32 (T,3). head_weights, mask: float32
    (V,) or None. roles: int32 (V,) or None, see parts.ROLES. bones: role -> rest position.
    landmarks: those that the user placed. evidence: materials, bones, groups and objects with their
    names. back: of as_seen.Seen; it does not travel.
    """

    vertices: Floats
    triangles: Ints
    head_weights: Floats | None = None
    mask: Floats | None = None
    bones: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    up: tuple[float, float, float] | None = None
    findings: tuple[Finding, ...] = ()
    roles: Ints | None = None
    landmarks: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    evidence: evidence.Evidence = field(default_factory=evidence.Evidence)
    back: Floats | None = None

    def arrays(self) -> dict[str, Floats | Ints]:
        """The arrays that travel."""
        names = ("vertices", "triangles", "head_weights", "mask", "roles")
        return {
            **{name: getattr(self, name) for name in names if getattr(self, name) is not None},
            **self.evidence.arrays,
        }

    def fields(self) -> dict[str, Any]:
        """The header's fields that describe the mesh; points that are no numbers are left out."""
        bones, landmarks = (
            {name: list(point) for name, point in points.items() if np.isfinite(point).all()}
            for points in (self.bones, self.landmarks)
        )
        up = None if self.up is None else list(self.up)
        return {
            "bones": bones,
            "landmarks": landmarks,
            "up": up,
            "evidence": self.evidence.fields(),
        }


def check_editable(ob: bpy.types.Object | None) -> bpy.types.Object:
    """The object, if shape keys can be added to it. Raises AddonError: `not_a_mesh`,
    `linked_data`.
    """
    if ob is None or ob.type != "MESH":
        what = "Nothing is selected" if ob is None else f"{ob.name!r} is no mesh"
        raise AddonError(
            "not_a_mesh", f"{what}.", "Choose the mesh object that holds the avatar's face."
        )
    mesh = mesh_of(ob)
    if not mesh.is_editable or mesh.library is not None or mesh.override_library is not None:
        # Blender would take the keys and lose them on saving
        message = f"The mesh of {ob.name!r} is linked from another file."
        raise AddonError(
            "linked_data",
            message,
            "Make it local (Object > Relations > Make Local > All), or work in the file that it"
            " comes from.",
        )
    return ob


def gather(
    ob: bpy.types.Object,
    group: str = "",
    use_selection: bool = False,
    entries: Entries | None = None,
) -> AvatarArrays:
    """Read an editable mesh object as it is seen, in its own space; in object mode, inside
    `as_seen.at_rest`. group: the vertex group that the face is inside of; use_selection: the
    selected vertices. entries: its weights, where they were read before.

    Raises AddonError: `unknown_group`, `usage` (nothing selected). Coordinates are passed on as
    they are; the child checks them.
    """
    bpy.context.view_layer.update()  # matrices of objects that a script has just moved
    seen, axes = see(ob), shown_axes(ob)
    armature = find_armature(ob)
    if entries is None or entries.count != len(mesh_of(ob).vertices):
        entries = group_entries(ob)
    bones = bones_of(armature)
    to_object = None if armature is None else _from(armature, ob)
    return AvatarArrays(
        vertices=seen.vertices,
        triangles=_triangles(mesh_of(ob), np.asarray(seen.vertices @ axes.T, np.float32)),
        head_weights=_head_weights(ob, entries, armature, bones),
        mask=_mask(ob, entries, group, use_selection),
        bones=_positions(armature, bones, to_object),
        up=_up(ob),
        findings=seen.findings,
        evidence=evidence.read(ob, entries, armature, to_object, group),
        back=seen.back,
    )


def _triangles(mesh: bpy.types.Mesh, vertices: Floats) -> Ints:
    """int32 (T,3): the mesh's faces in triangles, split as Blender splits them when its vertices
    are at `vertices` (V,3).
    """
    stored = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", stored.reshape(-1))
    if np.array_equal(stored, vertices):
        return triangles_of(mesh)
    shape = bpy.data.meshes.new("As seen")  # a quad that is stretched may be split the other way
    try:
        corners = np.empty(len(mesh.loops), np.int32)
        mesh.loops.foreach_get("vertex_index", corners)
        starts = np.empty(len(mesh.polygons), np.int32)
        mesh.polygons.foreach_get("loop_start", starts)
        shape.vertices.add(len(vertices))
        shape.vertices.foreach_set("co", np.ascontiguousarray(vertices).reshape(-1))
        shape.loops.add(len(corners))
        shape.loops.foreach_set("vertex_index", corners)
        shape.polygons.add(len(starts))
        shape.polygons.foreach_set("loop_start", starts)
        shape.update(calc_edges=True)
        return triangles_of(shape)
    finally:
        bpy.data.meshes.remove(shape)


def space_between(other: bpy.types.Object, ob: bpy.types.Object) -> NDArray[np.float64] | None:
    """The matrix float64 (4,4) from one object's space to another's; None if either is scaled to
    nothing.
    """
    inverse = _inverse(ob.matrix_world)
    if inverse is None or _inverse(other.matrix_world) is None:
        return None
    return np.array(inverse @ other.matrix_world, np.float64)


def find_armature(ob: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that deforms the object: of its modifier, else its parent."""
    for modifier in ob.modifiers:
        if isinstance(modifier, bpy.types.ArmatureModifier) and modifier.object is not None:
            return modifier.object
    return ob.parent if ob.parent is not None and ob.parent.type == "ARMATURE" else None


def bones_of(armature: bpy.types.Object | None) -> dict[str, str]:
    """role -> bone name; deforming bones are looked at first."""
    if armature is None:
        return {}
    bones = sorted(armature_of(armature).bones, key=lambda bone: not bone.use_deform)
    return head_bones.roles([bone.name for bone in bones], _vrm_humanoid(armature))


def _vrm_humanoid(armature: bpy.types.Object) -> dict[str, str]:
    """role -> bone name as the VRM add-on's humanoid mapping states it, empty without that
    add-on.
    """
    extension = getattr(armature.data, "vrm_addon_extension", None)
    if extension is None:
        return {}
    wanted = {
        "head": "head",
        "neck": "neck",
        "jaw": "jaw",
        "leftEye": "left_eye",
        "rightEye": "right_eye",
    }
    found: dict[str, str] = {}
    for bone in getattr(
        getattr(getattr(extension, "vrm0", None), "humanoid", None), "human_bones", ()
    ):
        if bone.bone in wanted:
            found[wanted[bone.bone]] = bone.node.bone_name
    of_vrm1 = getattr(
        getattr(getattr(extension, "vrm1", None), "humanoid", None), "human_bones", None
    )
    for name in ("head", "neck", "jaw", "left_eye", "right_eye"):
        bone_name = getattr(getattr(getattr(of_vrm1, name, None), "node", None), "bone_name", "")
        if bone_name:
            found[name] = bone_name
    return found


def _head_weights(
    ob: bpy.types.Object,
    entries: Entries,
    armature: bpy.types.Object | None,
    bones: Mapping[str, str],
) -> Floats | None:
    """Weight (V,) to the head's bone and all bones below it, 0 to 1; None if nothing is known."""
    indices = {group.name: group.index for group in ob.vertex_groups}
    if armature is not None and "head" in bones:
        head = armature_of(armature).bones[bones["head"]]
        names = [bone.name for bone in (head, *head.children_recursive) if bone.use_deform]
    else:
        names = [name for name in indices if head_bones.role(name) == "head"][:1]
    groups = {indices[name] for name in names if name in indices}
    if not groups:
        return None
    weights = np.clip(entries.summed(groups), 0.0, 1.0)
    return weights if weights.any() else None


def _mask(ob: bpy.types.Object, entries: Entries, group: str, use_selection: bool) -> Floats | None:
    if group:
        found = ob.vertex_groups.get(group)
        if found is None:
            known = ", ".join(known.name for known in ob.vertex_groups[:20]) or "none"
            raise AddonError(
                "unknown_group",
                f"{ob.name!r} has no vertex group {group!r}.",
                f"Its groups: {known}.",
            )
        return entries.summed({found.index})
    if use_selection:
        selected = np.empty(len(mesh_of(ob).vertices), bool)
        mesh_of(ob).vertices.foreach_get("select", selected)
        if not selected.any():
            raise AddonError(
                "usage",
                f"No vertex of {ob.name!r} is selected.",
                "Select the face in edit mode, or switch the option off.",
            )
        return selected.astype(np.float32)
    return None


def _positions(
    armature: bpy.types.Object | None, bones: Mapping[str, str], to_object: Matrix | None
) -> dict[str, tuple[float, float, float]]:
    """Rest positions of the bones' heads in object space, and the middles of those on either
    side.
    """
    if armature is None or to_object is None:
        return {}
    known = armature_of(armature).bones
    found = {role: to_object @ known[name].head_local for role, name in bones.items()}
    for role, names in head_bones.sides(known.keys()).items():
        places = [known[name].head_local for name in names]
        found[role] = to_object @ (sum(places, Vector()) / len(places))
    return {role: _tuple(place) for role, place in found.items()}


def _from(armature: bpy.types.Object, ob: bpy.types.Object) -> Matrix | None:
    """The matrix from an armature's space to an object's; None for an object that is scaled to
    nothing.
    """
    inverse = _inverse(ob.matrix_world)
    return None if inverse is None else inverse @ armature.matrix_world


def _up(ob: bpy.types.Object) -> tuple[float, float, float] | None:
    """The world's up as a unit vector in object space; None for a flattened object."""
    inverse = _inverse(ob.matrix_world)
    if inverse is None:
        return None
    up = inverse.to_3x3() @ Vector((0.0, 0.0, 1.0))
    return _tuple(up.normalized()) if 0 < up.length < np.inf else None


def _inverse(matrix: Matrix) -> Matrix | None:
    try:
        return matrix.inverted()
    except ValueError:  # an object that is scaled to nothing
        return None


def _tuple(vector: Vector) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])
