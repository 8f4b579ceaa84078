# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh stores, as arrays: coordinates of the reference key, triangles, and weights of vertex
groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import mesh_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
CHUNK = 1000  # vertices that are read at a time: Python tidies up less than with all at once
_ENTRY = np.dtype([("vertex", np.int32), ("group", np.int32), ("weight", np.float32)])


def base_coordinates(ob: bpy.types.Object) -> Floats:
    """float32 (V,3): the reference key's points, or the mesh's own; these can differ. In edit mode,
    as they were last taken over.

    Raises AddonError `keys_broken`, where a script has changed the mesh and not its keys.
    """
    mesh = mesh_of(ob)
    if mesh.shape_keys is not None and any(
        len(block.points) != len(mesh.vertices) for block in mesh.shape_keys.key_blocks
    ):
        message = f"The shape keys of {ob.name!r} have another number of points than the mesh."
        raise AddonError(
            "keys_broken",
            message,
            "Enter and leave Edit Mode; if that does not help, remove the shape keys.",
        )
    vertices = np.empty((len(mesh.vertices), 3), np.float32)
    if mesh.shape_keys is not None:
        mesh.shape_keys.reference_key.points.foreach_get("co", vertices.reshape(-1))
    elif len(vertices):
        mesh.vertices.foreach_get("co", vertices.reshape(-1))
    return vertices


def triangles_of(mesh: bpy.types.Mesh) -> Ints:
    """int32 (T,3): the faces in triangles, as Blender splits them."""
    mesh.calc_loop_triangles()
    triangles = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
    return triangles


@dataclass(frozen=True)
class Entries:
    """All weights of a mesh' vertices in vertex groups: vertices, groups int32 (E,), weights
    float32 (E,). count: V, of all vertices.
    """

    vertices: Ints
    groups: Ints
    weights: Floats
    count: int

    def summed(self, groups: set[int]) -> Floats:
        """float32 (V,): each vertex's weights in the vertex groups of the given indices, summed."""
        mine = np.isin(self.groups, list(groups))
        return np.bincount(self.vertices[mine], self.weights[mine], self.count).astype(np.float32)


def group_entries(ob: bpy.types.Object) -> Entries:
    """What vertex groups an object's vertices are in."""
    count = len(mesh_of(ob).vertices)
    some = [entries_of(ob, start, start + CHUNK) for start in range(0, count, CHUNK)]
    return joined_entries(some, count)


def entries_of(ob: bpy.types.Object, start: int, end: int) -> NDArray[np.void]:
    """The same of some vertices, (E,) of `vertex`, `group` and `weight`. Blender gives no bulk
    access to weights; to ask a vertex whether it has some takes half as long as to go through none.
    """
    if not ob.vertex_groups:
        return np.empty(0, _ENTRY)
    groups = [vertex.groups for vertex in mesh_of(ob).vertices[start:end]]
    counts = list(map(len, groups))
    entries = list(chain.from_iterable(compress(groups, counts)))
    found = np.empty(len(entries), _ENTRY)
    found["vertex"] = np.repeat(np.arange(start, start + len(counts), dtype=np.int32), counts)
    found["group"] = [entry.group for entry in entries]
    found["weight"] = [entry.weight for entry in entries]
    return found


def joined_entries(found: Sequence[NDArray[np.void]], count: int) -> Entries:
    """What `entries_of` gave for all `count` vertices, one after the other."""
    whole = np.concatenate(found) if found else np.empty(0, _ENTRY)
    index, group, weight = (
        np.ascontiguousarray(whole[name]) for name in ("vertex", "group", "weight")
    )
    return Entries(index, group, weight, count)


def group_weights(ob: bpy.types.Object, groups: set[int]) -> Floats:
    """float32 (V,): each vertex's weights in the vertex groups of the given indices, summed."""
    vertices = mesh_of(ob).vertices
    entries = [
        (vertex.index, entry.weight)
        for vertex in vertices
        for entry in vertex.groups
        if entry.group in groups
    ]
    if not entries:
        return np.zeros(len(vertices), np.float32)
    index, weight = zip(*entries, strict=True)
    return np.bincount(np.array(index), np.array(weight), len(vertices)).astype(np.float32)
