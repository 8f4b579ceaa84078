# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh stores, as arrays: coordinates of the reference key and weights of vertex groups."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from .typed import mesh_of

Floats = NDArray[np.float32]


def base_coordinates(ob: bpy.types.Object) -> Floats:
    """float32 (V,3): the reference key's points, or the mesh's own; these can differ. In edit mode, as they were last taken over."""
    mesh = mesh_of(ob)
    vertices = np.empty((len(mesh.vertices), 3), np.float32)
    if mesh.shape_keys is not None:
        mesh.shape_keys.reference_key.points.foreach_get("co", vertices.reshape(-1))
    elif len(vertices):
        mesh.vertices.foreach_get("co", vertices.reshape(-1))
    return vertices


def group_weights(ob: bpy.types.Object, groups: set[int]) -> Floats:
    """float32 (V,): each vertex's weights in the vertex groups of the given indices, summed."""
    vertices = mesh_of(ob).vertices
    # Blender gives no bulk access to weights, so the entries are flattened by one generator and summed by numpy
    entries = [(vertex.index, entry.weight) for vertex in vertices for entry in vertex.groups if entry.group in groups]
    if not entries:
        return np.zeros(len(vertices), np.float32)
    index, weight = zip(*entries, strict=True)
    return np.bincount(np.array(index), np.array(weight), len(vertices)).astype(np.float32)
