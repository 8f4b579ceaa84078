# SPDX-License-Identifier: GPL-3.0-or-later
"""What an object's file says beside its shape, as arrays and names: materials, the bones and vertex
groups of its vertices, which object they are of.

It only reads; the backend says what a name means, see `Evidence` in docs/design/architecture.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..shared import names as words
from ..typed import armature_of, mesh_of
from .mesh_arrays import Entries

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

# weight from which on a vertex is in a group that is no bone's: what is painted softly fades out
# below
INSIDE = 0.5
LETTERS = (
    1 << 18
    # bytes that all names together may take in a frame's header, which may have 1 MiB: those beyond
    # say nothing
)
PER_TRIANGLE = "triangle_materials"
INDICES = {
    PER_TRIANGLE: "materials",
    "vertex_bones": "bones",
    "vertex_groups": "groups",
    "vertex_objects": "objects",
}


@dataclass(frozen=True)
class Evidence:
    """arrays: by name, as in docs/design/architecture.md; names: by kind, what their numbers are
    places in. Absent ones are left out.
    """

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def fields(self) -> dict[str, list[str]]:
        """The names as they travel: cut where they are longer than the backend reads, and empty
        beyond what a header has room for.
        """
        left = LETTERS
        found: dict[str, list[str]] = {}
        for kind, names in self.names.items():
            found[kind] = []
            for name in names:
                cut = name[: words.NAME_LIMITS.longest]
                left -= len(json.dumps(cut))
                found[kind].append(cut if left > 0 else "")
        return found

    def some(self, vertices: Ints) -> Evidence:
        """The same for a copy of the mesh that has only these of its vertices, and all of its
        triangles.
        """
        per_vertex = [name for name in INDICES if name != PER_TRIANGLE and name in self.arrays]
        return replace(
            self,
            arrays={**self.arrays, **{name: self.arrays[name][vertices] for name in per_vertex}},
        )


def read(
    ob: bpy.types.Object,
    entries: Entries,
    armature: bpy.types.Object | None,
    to_object: Matrix | None,
    mask: str = "",
) -> Evidence:
    """The evidence of one mesh object. entries: of `mesh_arrays.group_entries`. to_object: from the
    armature's space to the object's, None where there is none. mask: the vertex group that says
    where the face is; it says nothing else.
    """
    arrays: dict[str, NDArray[Any]] = {}
    names: dict[str, tuple[str, ...]] = {}
    if any(slot.material is not None for slot in ob.material_slots):
        materials = [slot.material for slot in ob.material_slots]
        names["materials"] = tuple(
            "" if material is None else material.name for material in materials
        )
        arrays[PER_TRIANGLE] = _materials(mesh_of(ob), len(materials))
        arrays["transparent"] = np.array(
            [material is not None and _transparent(material) for material in materials], np.int32
        )
    bones = {} if armature is None else {bone.name: bone for bone in armature_of(armature).bones}
    deforming = {
        group.index: bones[group.name]
        for group in ob.vertex_groups
        if group.name in bones and bones[group.name].use_deform
    }
    strongest = _strongest(entries, set(deforming), 0.0)
    if (strongest >= 0).any():
        kept = _with_parents([deforming[number] for number in np.unique(strongest[strongest >= 0])])
        places = {bone.name: number for number, bone in enumerate(kept)}
        names["bones"] = tuple(places)
        arrays["vertex_bones"] = _renumbered(
            strongest,
            {
                number: places[bone.name]
                for number, bone in deforming.items()
                if bone.name in places
            },
        )
        arrays["bone_parents"] = np.array(
            [-1 if bone.parent is None else places[bone.parent.name] for bone in kept], np.int32
        )
        if to_object is not None:
            arrays["bone_places"] = np.array(
                [(to_object @ bone.head_local).to_tuple() for bone in kept], np.float32
            ).reshape(-1, 3)
    telling = {
        group.index: group.name
        for group in ob.vertex_groups
        if group.name not in bones and group.name != mask and words.kind_of(group.name, True)
    }
    most = _strongest(entries, set(telling), INSIDE)
    if (most >= 0).any():
        names["groups"] = tuple(telling.values())
        arrays["vertex_groups"] = _renumbered(
            most, {number: place for place, number in enumerate(telling)}
        )
    return Evidence(arrays, names)


def _materials(mesh: bpy.types.Mesh, slots: int) -> Ints:
    """int32 (T,): the slot of each triangle, -1 where there is none. Attributes are read a hundred
    times as fast as faces, and without one all faces have the first slot.
    """
    mesh.calc_loop_triangles()
    of_face, faces = np.zeros(len(mesh.polygons), np.int32), np.empty(0, np.int32)
    faces.resize(len(mesh.loop_triangles))
    mesh.loop_triangle_polygons.foreach_get("value", faces)
    slots_of: Any = mesh.attributes.get("material_index")
    if slots_of is not None and len(slots_of.data) == len(of_face):
        slots_of.data.foreach_get("value", of_face)
    known = np.where((of_face >= 0) & (of_face < slots), of_face, -1).astype(np.int32)
    return np.ascontiguousarray(known[faces])


def _transparent(material: bpy.types.Material) -> bool:
    """Whether a material lets light through: it is blended, or its alpha comes from a picture or is
    below 1. No picture is looked into.
    """
    if getattr(material, "surface_render_method", "") == "BLENDED":
        return True
    nodes = material.node_tree.nodes if material.node_tree is not None else ()
    alphas = [
        node.inputs["Alpha"]
        for node in nodes
        if node.type == "BSDF_PRINCIPLED" and "Alpha" in node.inputs
    ]
    return any(alpha.is_linked or getattr(alpha, "default_value", 1.0) < 1 for alpha in alphas)


def _strongest(entries: Entries, groups: set[int], least: float) -> Ints:
    """int32 (V,): which of some groups each vertex is in most, by more than `least`; -1 for
    none.
    """
    found = np.full(entries.count, -1, np.int32)
    mine = np.flatnonzero(np.isin(entries.groups, list(groups)) & (entries.weights > least))
    mine = mine[np.argsort(entries.weights[mine], kind="stable")]
    found[entries.vertices[mine]] = entries.groups[mine]  # what is assigned last counts
    return found


def _renumbered(values: Ints, places: Mapping[int, int]) -> Ints:
    """values (V,) by what takes their place; -1 for the others."""
    table = np.full(max(places, default=-1) + 2, -1, np.int32)
    table[list(places)] = list(places.values())
    return np.ascontiguousarray(table[values])  # the last one stands for -1


def _with_parents(bones: Sequence[bpy.types.Bone]) -> list[bpy.types.Bone]:
    """Bones and all that are above them, each once."""
    found = {bone.name: bone for bone in bones}
    for bone in bones:
        for above in bone.parent_recursive:
            found.setdefault(above.name, above)
    return list(found.values())


@dataclass(frozen=True)
class Piece:
    """One of several meshes that lie one after the other: its evidence, its object's name, how many
    vertices and triangles it has. space: float64 (4,4), from its space to that of all.
    """

    own: Evidence
    name: str
    vertices: int
    triangles: int
    space: NDArray[np.float64]


def joined(pieces: Sequence[Piece]) -> Evidence:
    """The evidence of all. A name that several have is one, and the first says what hangs on it."""
    tables: dict[str, dict[str, int]] = {kind: {} for kind in INDICES.values()}
    numbers: dict[str, list[Ints]] = {name: [] for name in INDICES}
    transparent: dict[int, int] = {}
    parents: dict[int, int] = {}
    places: dict[int, Floats] = {}
    several = len({piece.name for piece in pieces}) > 1
    for piece in pieces:
        names, arrays = dict(piece.own.names), dict(piece.own.arrays)
        if several:
            names["objects"], arrays["vertex_objects"] = (
                (piece.name,),
                np.zeros(piece.vertices, np.int32),
            )
        new = {
            kind: {place: _place(tables[kind], name) for place, name in enumerate(texts)}
            for kind, texts in names.items()
        }
        for index, kind in INDICES.items():
            count = piece.triangles if index == PER_TRIANGLE else piece.vertices
            given = arrays.get(index)
            numbers[index].append(
                np.full(count, -1, np.int32) if given is None else _renumbered(given, new[kind])
            )
        for place, number in new.get("materials", {}).items():
            transparent[number] = max(transparent.get(number, 0), int(arrays["transparent"][place]))
        for place, number in new.get("bones", {}).items():
            parents.setdefault(number, new["bones"].get(int(arrays["bone_parents"][place]), -1))
            if "bone_places" in arrays:
                places.setdefault(
                    number, piece.space[:3, :3] @ arrays["bone_places"][place] + piece.space[:3, 3]
                )
    found: dict[str, NDArray[Any]] = {
        index: np.concatenate(numbers[index]) for index, kind in INDICES.items() if tables[kind]
    }
    for name, values in (
        ("transparent", transparent),
        ("bone_parents", parents),
        ("bone_places", places),
    ):
        if values and len(values) == len(tables["materials" if values is transparent else "bones"]):
            found[name] = np.array(
                [values[number] for number in range(len(values))],
                np.float32 if values is places else np.int32,
            )
    return Evidence(found, {kind: tuple(table) for kind, table in tables.items() if table})


def _place(table: dict[str, int], name: str) -> int:
    """A name's place in a table that grows, -1 where that is full."""
    if name not in table and len(table) >= words.NAME_LIMITS.most:
        return -1
    return table.setdefault(name, len(table))
