# SPDX-License-Identifier: GPL-3.0-or-later
"""Placing landmarks: one and its partner on the other side, what is refused, and what is told from
those that are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from ..errors import AddonError
from ..shared_marks import marks
from ..typed import of_object
from .anchors import Point, Surface
from .as_seen import shown_axes
from .landmark_store import found_landmarks, put

Doubles = NDArray[np.float64]
Plane = tuple[Doubles, Doubles]  # a point of it (3,) and its unit normal (3,)

# What is joined by lines in the overlay, so that one sees what belongs together
LINES = tuple(
    pair
    for side in ("left", "right")
    for pair in (
        (f"eye_inner_{side}", f"lid_upper_{side}"),
        (f"lid_upper_{side}", f"eye_outer_{side}"),
        (f"eye_outer_{side}", f"lid_lower_{side}"),
        (f"lid_lower_{side}", f"eye_inner_{side}"),
        (f"brow_inner_{side}", f"brow_outer_{side}"),
        (f"mouth_{side}", "lip_upper"),
        (f"mouth_{side}", "lip_lower"),
    )
)
SAMPLE = 200  # vertices by which a mesh's symmetry is judged
SYMMETRIC = 0.7  # share of them that must have a partner: hair and clothes may differ
PARTNER = (
    0.01  # of what is looked at, in size: how far from its mirrored place a vertex' partner may be
)
ALONG = np.cos(
    np.radians(10)
)  # a pair that lies along an axis of the object but for the hand's trembling
SHIFT = 0.15  # of the pair's distance: how far from its middle the mirror plane is looked for
AROUND = 4.0  # times the pair's distance: how far the face reaches
FAR_ENOUGH = (
    0.005  # of the mesh's extent: from where on a landmark's distance is worth a second look
)
REFUSED_FIX = "Put it on its place on the face, or reset the landmarks and begin anew."


def title(name: str) -> str:
    """A landmark's name in words: `Lid upper left`."""
    return marks.title(name)


def partner(name: str) -> str | None:
    """The same landmark on the other side of the face; None for one in the middle."""
    for one, other in (("_left", "_right"), ("_right", "_left")):
        if name.endswith(one):
            return name.removesuffix(one) + other
    return None


def plane_of_pairs(landmarks: Mapping[str, Point]) -> Plane | None:
    """The face's own middle plane, which the pairs of landmarks tell; None with no pairs apart."""
    pairs = [
        (np.array(landmarks[name], np.float64), np.array(landmarks[other], np.float64))
        for name, other in _pairs(landmarks)
    ]
    if not pairs:
        return None
    across = np.sum([left - right for left, right in pairs], axis=0)
    length = float(np.linalg.norm(across))
    if length < 1e-12:
        return None
    return np.mean([(left + right) / 2 for left, right in pairs], axis=0), across / length


def mirrored(place: Point, landmarks: Mapping[str, Point]) -> Point | None:
    """The point on the other side of the middle plane of pairs of landmarks; None with no pairs
    apart.
    """
    plane = plane_of_pairs(landmarks)
    return None if plane is None else reflected(place, plane)


def reflected(place: Point, plane: Plane) -> Point:
    """The point on the other side of a plane."""
    point = np.array(place, np.float64)
    point = point - 2 * float((point - plane[0]) @ plane[1]) * plane[1]
    return float(point[0]), float(point[1]), float(point[2])


def own_plane(surface: Surface) -> Plane | None:
    """The object's own middle, across its X, where the mesh is symmetric about it."""
    plane = np.zeros(3), np.array([1.0, 0.0, 0.0])
    return plane if _symmetric(surface.vertices.astype(np.float64), plane) >= SYMMETRIC else None


def plane_of_face(surface: Surface, left: Point, right: Point) -> Plane | None:
    """The plane about which the mesh is symmetric around a pair of points, which a hand has placed;
    None where it is not.
    """
    one, other = np.array(left, np.float64), np.array(right, np.float64)
    apart = float(np.linalg.norm(one - other))
    if apart <= 0:
        return None
    normal, middle = (one - other) / apart, (one + other) / 2
    axis = int(np.abs(normal).argmax())
    if abs(normal[axis]) >= ALONG:
        normal = np.eye(3)[axis] * np.sign(normal[axis])
    vertices = surface.vertices.astype(np.float64)
    near = vertices[np.linalg.norm(vertices - middle, axis=1) < AROUND * apart]
    shifts = [
        float(-middle @ normal),
        *(share * apart for share in np.linspace(-SHIFT, SHIFT, 31)),
    ]  # the object's own middle first
    planes = [(middle + shift * normal, normal) for shift in shifts if abs(shift) <= SHIFT * apart]
    shares = [_symmetric(near, plane) for plane in planes]
    best = int(np.argmax(shares))
    return planes[best] if shares[best] >= SYMMETRIC else None


def _symmetric(vertices: Doubles, plane: Plane) -> float:
    """Share of vertices (V,3) that have a partner on the other side of a plane."""
    if len(vertices) < 2:
        return 0.0
    room = PARTNER * float(np.ptp(vertices, axis=0).max())
    away = (vertices - plane[0]) @ plane[1]
    apart = np.flatnonzero(np.abs(away) > room)
    some = apart[:: max(len(apart) // SAMPLE, 1)]
    if not len(some):
        return 0.0
    twins = (vertices[some] - 2 * away[some, None] * plane[1]).astype(np.float32)
    there = vertices.astype(np.float32)
    return float(np.mean([((there - twin) ** 2).sum(axis=1).min() <= room**2 for twin in twins]))


def place(
    ob: bpy.types.Object, name: str, point: Point, mirror: bool, surface: Surface
) -> list[str]:
    """Put a landmark on a place on a surface of the object's mesh, and its partner on the mirrored
    place; the names of those that moved.

    Raises KeyError for an unknown name, AddonError `mesh_invalid` for a place that cannot be right;
    then nothing has moved.
    """
    known = found_landmarks(ob, surface.vertices)
    if name not in known and name not in marks.NAMES:
        raise KeyError(name)
    moved, other = {name: point}, partner(name)
    if mirror and other is not None:
        # the plane is told by the other pairs, so that it does not move with the hand
        plane = plane_of_pairs(
            {mark: at for mark, at in known.items() if mark not in (name, other)}
        )
        plane = own_plane(surface) if plane is None else plane
        if plane is not None:
            moved[other] = reflected(point, plane)
    check(ob, known, moved, surface)
    put(ob, moved, surface, True)
    return list(moved)


def check(
    ob: bpy.types.Object, known: Mapping[str, Point], moved: Mapping[str, Point], surface: Surface
) -> None:
    """Raise AddonError `mesh_invalid` where landmarks that are moved cannot be right beside the
    known ones.
    """
    sentence = refusal(ob, known, moved, surface)
    if sentence:
        raise AddonError("mesh_invalid", sentence, REFUSED_FIX)


def refusal(
    ob: bpy.types.Object, known: Mapping[str, Point], moved: Mapping[str, Point], surface: Surface
) -> str:
    """What is wrong with landmarks that are moved, beside those that are known, in a sentence, or
    nothing.
    """
    axes = shown_axes(ob)
    extent = float(np.ptp(surface.vertices, axis=0).max()) if len(surface.vertices) else 0.0
    away = marks.distances(
        surface.vertices, surface.triangles, {name: np.array(at) for name, at in moved.items()}
    )
    for name, distance in away.items():  # what modifiers add is surface, too
        if distance > FAR_ENOUGH * extent:
            found, nearest, *_rest = ob.closest_point_on_mesh(
                moved[name], depsgraph=bpy.context.evaluated_depsgraph_get()
            )
            away[name] = (
                min(distance, (nearest - Vector(moved[name])).length) if found else distance
            )
    believed = {
        mark.name for mark in of_object(ob).landmarks if mark.corrected and not mark.estimated
    } | set(moved)
    points = {name: axes @ np.array(at, np.float64) for name, at in {**known, **moved}.items()}
    return marks.fault(points, set(moved), away, extent, believed)


def complete(ob: bpy.types.Object, surface: Surface) -> list[str]:
    """Estimate the landmarks that are not there, or were estimated before, from those that were
    placed, where these are enough; their names.

    Where the face was found, all are there, and nothing is estimated.
    """
    known = found_landmarks(ob, surface.vertices)
    kept = of_object(ob).landmarks
    placed = {
        name: at for name, at in known.items() if kept[name].corrected and not kept[name].estimated
    }
    wanted = [name for name in marks.NAMES if name not in known or kept[name].estimated]
    if not wanted or not set(marks.NEEDED) <= placed.keys():
        return []
    given = {name: at for name, at in known.items() if name not in wanted}
    places = estimates(ob, given, surface)
    put(ob, places, surface, True, places)
    return list(places)


def estimates(
    ob: bpy.types.Object, given: Mapping[str, Point], surface: Surface
) -> dict[str, Point]:
    """Where the landmarks that are not given may be, on the surface. All of NEEDED must be
    given.
    """
    points = {name: np.array(at, np.float64) for name, at in given.items()}
    outwards = (
        -1.0 if np.linalg.det(shown_axes(ob)) < 0 else 1.0
    )  # mirrored, a face's frame looks the other way
    guess, way, scale = (
        marks.estimated(points, outwards),
        marks.way_in(points, outwards),
        marks.size(points),
    )
    tree: Any = BVHTree.FromPolygons(surface.vertices.tolist(), surface.triangles.tolist())
    found = {}
    for name, at in guess.items():
        hit = None
        if partner(name) is None:
            hit = tree.ray_cast(
                Vector((at - way * scale).tolist()), Vector(way.tolist()), 2 * scale
            )[0]
        if hit is None:
            hit = tree.find_nearest(Vector(at.tolist()))[0]
        found[name] = (
            (float(at[0]), float(at[1]), float(at[2])) if hit is None else (hit.x, hit.y, hit.z)
        )
    return found


def _pairs(landmarks: Mapping[str, Point]) -> list[tuple[str, str]]:
    return [
        (name, name.removesuffix("_left") + "_right")
        for name in landmarks
        if name.endswith("_left") and partner(name) in landmarks
    ]
