# SPDX-License-Identifier: GPL-3.0-or-later
"""A shape of one side of the face, carried over to the other side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import keys_of, mesh_of
from .anchors import Surface
from .landmark_store import found_landmarks
from .landmarks import Plane, own_plane, plane_of_pairs
from .mesh_arrays import base_coordinates, triangles_of
from .mesh_io import space_between

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

AROUND = 0.05  # of the size of what moves: how far around it vertices are looked at


@dataclass(frozen=True)
class _Source:
    """What moves, in the face's space: places and offsets float64 (V,3), triangles int (T,3)."""

    places: Doubles
    offsets: Doubles
    triangles: NDArray[np.int64]


def mirrored(
    face: bpy.types.Object, objects: Sequence[bpy.types.Object], name: str, other: str
) -> dict[bpy.types.Object, Floats]:
    """The key `other` on the other side of the face: object -> offsets float32 (V,3) for its key
    `name`. objects: the face and its parts; those that have the key. Object Mode.

    Raises AddonError `usage` where it is not known what is left and what is right.
    """
    plane = _plane(face)
    if plane is None:
        raise AddonError(
            "usage",
            "It is not known where the middle of this face is.",
            "Place the landmarks of both eyes.",
        )
    source = _source(face, [ob for ob in objects if _has(ob, other)], other, plane)
    found = {}
    for ob in objects:
        matrix = space_between(ob, face)
        if _has(ob, name) and matrix is not None:
            base = base_coordinates(ob).astype(np.float64)
            taken = _taken(source, base @ matrix[:3, :3].T + matrix[:3, 3])
            found[ob] = np.asarray(taken @ np.linalg.inv(matrix[:3, :3]).T, np.float32)
    return found


def _has(ob: bpy.types.Object, name: str) -> bool:
    return mesh_of(ob).shape_keys is not None and name in keys_of(ob).key_blocks


def _plane(face: bpy.types.Object) -> Plane | None:
    """The middle of the face, by its landmarks, else the middle of a mesh that is symmetric."""
    plane = plane_of_pairs(found_landmarks(face))
    if plane is None:
        plane = own_plane(Surface(base_coordinates(face), triangles_of(mesh_of(face))))
    return plane


def _source(
    face: bpy.types.Object, objects: Sequence[bpy.types.Object], name: str, plane: Plane
) -> _Source:
    """What a key moves on all objects, mirrored, with a little of what is around it."""
    places, offsets, triangles, count = [], [], [], 0
    for ob in objects:
        matrix = space_between(ob, face)
        if matrix is None:
            continue
        base = base_coordinates(ob)
        points = np.empty_like(base)
        keys_of(ob).key_blocks[name].points.foreach_get("co", points.reshape(-1))
        places.append(base @ matrix[:3, :3].T + matrix[:3, 3])
        offsets.append((points - base) @ matrix[:3, :3].T)
        triangles.append(triangles_of(mesh_of(ob)).astype(np.int64) + count)
        count += len(base)
    if not count:
        return _Source(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    normal = plane[1]
    at, moved = np.concatenate(places), np.concatenate(offsets)
    at = at - 2 * ((at - plane[0]) @ normal)[:, None] * normal
    moved = moved - 2 * (moved @ normal)[:, None] * normal
    corners = np.concatenate(triangles)
    near = _near(at, at[moved.any(axis=1)])
    return _Source(at, moved, corners[near[corners].any(axis=1)])


def _near(places: Doubles, moving: Doubles) -> NDArray[np.bool_]:
    """(V,): which places lie around those that move."""
    if not len(moving):
        return np.zeros(len(places), np.bool_)
    low, high = moving.min(axis=0), moving.max(axis=0)
    room = AROUND * float((high - low).max())
    return np.asarray(((places >= low - room) & (places <= high + room)).all(axis=1))


def _taken(source: _Source, places: Doubles) -> Doubles:
    """The offsets (V,3) at places (V,3) of what lies nearest to each."""
    found = np.zeros_like(places)
    if not len(source.triangles):
        return found
    used, corners = np.unique(source.triangles, return_inverse=True)
    corners = corners.reshape(-1, 3)
    tree: Any = BVHTree.FromPolygons(source.places[used].tolist(), corners.tolist())
    moving = source.places[source.offsets.any(axis=1)]
    rows = np.flatnonzero(_near(places, moving))
    hits = [tree.find_nearest(place)[:3:2] for place in places[rows].tolist()]
    held = np.array([at is not None for at, _number in hits], bool)
    if not held.any():
        return found
    three = used[corners[[number for at, number in hits if at is not None]]]
    on = np.array([at for at, _number in hits if at is not None], np.float64)
    shares = _shares(on, source.places[three])
    found[rows[held]] = np.einsum("ij,ijk->ik", shares, source.offsets[three])
    return found


def _shares(points: Doubles, corners: Doubles) -> Doubles:
    """(N,3): how much of each corner of a triangle, (N,3,3), is at a point on it, (N,3)."""
    first = corners[:, 0]
    ways = np.stack([corners[:, 1] - first, corners[:, 2] - first], axis=2)
    u, v = np.einsum("ijk,ik->ji", np.linalg.pinv(ways), points - first)
    shares = np.clip(np.stack([1 - u - v, u, v], axis=1), 0, 1)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
