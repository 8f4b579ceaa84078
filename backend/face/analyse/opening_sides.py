# SPDX-License-Identifier: GPL-3.0-or-later
"""On which side of an opening a vertex lies, told by the surface: upper from lower lip and lid,
where positions nearly coincide.

Along the surface a lip is close to its own side of the face and far from the other, because the way
there leads around the corner of the mouth. So the two distances from a point above and one below
the opening tell the sides apart, however thin the slit. Once the sides are known, every vertex next
to an opening has an opposite one on its other side: where a lid has to go, whatever the shape of
the eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import (
    Ints,
    adjacency,
    all_corners,
    edges_of,
    loose_parts,
    nearest,
    squared,
    weld,
)
from ..geometry.ticks import tick
from ..params.analyse import OPENING_SIDES
from .face_skin import face_skin


def lip_lid_side(
    vertices: Floats,
    triangles: Ints,
    landmarks: Mapping[str, NDArray[np.floating[Any]]],
    skin: NDArray[np.bool_] | None = None,
    *,
    eyes: bool = True,
) -> Floats:
    """Side float32 (V,2) of each vertex: of the mouth's opening and of the nearer eye's, 1 above,
    -1 below, 0 in between or unknown.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        landmarks: name -> (3,), canonical
        skin: bool (V,), of `face_skin`, where it is known already
        eyes: the eyes' are asked for, too; else all of theirs are 0
    """
    found = np.zeros((len(vertices), 2), np.float32)
    at = {name: np.asarray(place, np.float32) for name, place in landmarks.items()}
    skin = face_skin(vertices, loose_parts(vertices, triangles), at) if skin is None else skin
    lips = (at["lip_upper"] + at["lip_lower"]) / 2
    openings = [
        (
            lips,
            OPENING_SIDES.mouth_reach,
            (at["lip_upper"] + at["nose_tip"]) / 2,
            (at["lip_lower"] + at["chin"]) / 2,
        )
    ]
    for name in SIDES if eyes else ():
        upper, lower = at[f"lid_upper_{name}"], at[f"lid_lower_{name}"]
        brow = (at[f"brow_inner_{name}"] + at[f"brow_outer_{name}"]) / 2
        openings.append(
            ((upper + lower) / 2, OPENING_SIDES.eye_reach, brow, lower - (brow - upper))
        )
    (near, side), *of_eyes = _openings(vertices, triangles, skin, openings)
    found[near, 0] = np.nan_to_num(side)
    for (near, side), sign in zip(of_eyes, (1, -1), strict=False):
        side = _spread(vertices[near], side)
        mine = sign * (vertices[near, 0] - at["nose_tip"][0]) >= 0
        found[near[mine], 1] = side[mine]
    return found


def opposites(
    vertices: Floats,
    triangles: Ints,
    landmarks: Mapping[str, NDArray[np.floating[Any]]],
    side: Floats,
    skin: NDArray[np.bool_] | None = None,
) -> Ints:
    """The nearest vertex on the other side of the mouth's and of the nearer eye's opening, int32
    (V,2), -1 where there is none. Only skin that faces out can be opposite: no bag, no socket.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        landmarks: name -> (3,), canonical
        side: float32 (V,2), of `lip_lid_side` for the same vertices
        skin: bool (V,), of `face_skin`, where it is known already
    """
    at = {name: np.asarray(place, np.float32) for name, place in landmarks.items()}
    found = np.full((len(vertices), 2), -1, np.int32)
    skin = face_skin(vertices, loose_parts(vertices, triangles), at) if skin is None else skin
    corners = [at[f"mouth_{s}"] for s in SIDES]
    found[:, 0] = _opposite(
        vertices,
        side[:, 0],
        skin,
        (*corners, at["lip_upper"], at["lip_lower"]),
        OPENING_SIDES.mouth_reach,
    )
    for name, sign in zip(SIDES, (1, -1), strict=True) if side[:, 1].any() else ():
        around = [at[f"{mark}_{name}"] for mark in ("eye_inner", "eye_outer")]
        lids = at[f"lid_upper_{name}"], at[f"lid_lower_{name}"]
        other = _opposite(vertices, side[:, 1], skin, (*around, *lids), OPENING_SIDES.eye_reach)
        mine = sign * (vertices[:, 0] - at["nose_tip"][0]) >= 0
        found[mine, 1] = other[mine]
    return found


def _opposite(
    vertices: Floats,
    side: Floats,
    skin: NDArray[np.bool_],
    marks: tuple[Floats, ...],
    reach: float,
) -> Ints:
    """The nearest vertex on the other side of one opening (V,), -1 where there is none.

    Args:
        vertices: float32 (V,3), canonical
        side: float32 (V,), of this opening
        skin: flags (V,)
        marks: both corners and the upper and lower middle of the opening, each (3,)
        reach: canonical units around the opening in which is looked
    """
    *corners, upper, lower = marks
    centre = (upper + lower) / 2
    half = max(float(np.linalg.norm(corners[0] - corners[1])) / 2, 1e-6)
    aside = (vertices[:, 0] - centre[0]) / half
    slope = (corners[1][2] - corners[0][2]) / (corners[1][0] - corners[0][0] + 1e-9)
    ends = (corners[0][2] + corners[1][2]) / 2
    surface = ends + slope * half * aside + (centre[2] - ends) * np.clip(1 - aside**2, -1, 1)
    front = vertices[:, 2] > surface - OPENING_SIDES.behind * half
    near = (side != 0) & (squared(vertices - centre) < reach * reach)
    found = np.full(len(vertices), -1, np.int32)
    for sign in (1, -1):
        wanted = np.flatnonzero(near & (sign * side > 0))
        other = np.flatnonzero(near & skin & front & (sign * side < -OPENING_SIDES.clear))
        if len(other):
            found[wanted] = other[nearest(vertices[wanted], vertices[other], _preferred)]
    return found


def _preferred(points: Floats) -> Floats:
    """What is added to the squared distances of points (N,3), so that which of two equally near
    ones is taken does not hang on the last bits.
    """
    p = OPENING_SIDES
    by_place = np.array([p.tie_x, p.tie_y, p.tie_z, p.tie_aside], np.float32)
    return np.asarray(points @ by_place[:3] + np.abs(points[:, 0]) * by_place[3])


def opposite_edge(vertices: Floats, opposite: Ints, side: Floats) -> Floats:
    """Offsets float32 (V,6) from each vertex to its opposite ones: across the mouth, across the
    eye; zero where there is none.

    Args:
        vertices: float32 (V,3), canonical
        opposite: int32 (V,2), of `opposites`
        side: float32 (V,2); offsets fade where it is near 0, at the corners, so that a vertex that
            changes sides does not jump
    """
    sure = np.clip(np.abs(side) / OPENING_SIDES.fade, 0, 1)
    across = [
        np.where(
            opposite[:, k : k + 1] >= 0,
            (vertices[opposite[:, k]] - vertices) * sure[:, k : k + 1],
            0,
        )
        for k in (0, 1)
    ]
    return np.ascontiguousarray(np.concatenate(across, axis=1), np.float32)


def _openings(
    vertices: Floats,
    triangles: Ints,
    skin: NDArray[np.bool_],
    openings: list[tuple[Floats, float, Floats, Floats]],
) -> list[tuple[NDArray[np.intp], Floats]]:
    """Of each opening the vertices (N,) around it and their side (N,), NaN where no path leads from
    the seeds.

    openings: the middle (3,), how far paths are sought around it, and the seeds, points (3,) above
    and below.
    """
    every, graphs, starts, lengths = [], [], [], []
    count = 0
    for centre, reach, *seeds in openings:
        inside = triangles[all_corners(squared(vertices - centre) < reach * reach, triangles)]
        seen = np.zeros(len(vertices), bool)
        seen[inside] = True
        used = np.flatnonzero(seen)
        points, own = vertices[used], np.flatnonzero(skin[used])
        group = weld(points) if len(used) else np.empty(0, np.int32)
        every.append((used, group + count))
        if len(own) >= OPENING_SIDES.fewest:
            graphs.append(group[(np.cumsum(seen, dtype=np.int32) - 1)[inside]] + np.int32(count))
            starts.append(
                [count + group[own[squared(points[own] - seed).argmin()]] for seed in seeds]
            )
        places = np.empty((int(group.max(initial=-1)) + 1, 3), np.float32)
        places[group] = points
        lengths.append(places)
        count += len(places)
    if not graphs:
        return [(used, np.full(len(used), np.nan, np.float32)) for used, _ in every]
    above, below = _distances(np.concatenate(lengths), np.concatenate(graphs), np.array(starts).T)
    with np.errstate(invalid="ignore"):
        side = np.where(
            np.isfinite(above + below), (below - above) / np.maximum(above + below, 1e-6), np.nan
        ).astype(np.float32)
    return [(used, side[group]) for used, group in every]


def _distances(points: Floats, triangles: Ints, seeds: NDArray[np.intp]) -> Floats:
    """Length (S,V) of the shortest way along edges from the nearest of each row's seeds (S,N);
    infinite where there is none. The rows go on side by side: what a step costs hardly depends on
    how much it does. Those farther out wait for the nearest, or their ways would be found too long
    and then again.
    """
    start, begins, joined = adjacency(edges_of(triangles))
    rows, size = len(seeds), len(points)
    count, begin = np.zeros((2, size), np.int64)
    count[joined] = np.diff(begins, append=len(start))
    begin[joined] = begins
    length = np.sqrt(squared(points[start] - points[np.repeat(joined, count[joined])]))
    distance = np.full(rows * size, np.inf, np.float32)
    front = (seeds + np.arange(rows)[:, None] * size).ravel()
    distance[front] = 0
    changed = np.zeros(len(distance), bool)
    ahead = OPENING_SIDES.ahead * float(length.mean()) if len(length) else 0.0
    while len(front):
        tick()
        away = distance[front]
        near = away <= away.min() + ahead
        waiting, front = front[~near], front[near]
        own = front % size
        many = count[own]
        edge = np.arange(many.sum()) + np.repeat(begin[own] - np.cumsum(many) + many, many)
        end, reached = (
            start[edge] + np.repeat(front - own, many),
            np.repeat(distance[front], many) + length[edge],
        )
        nearer = reached < distance[end]
        end, reached = end[nearer], reached[nearer]
        np.minimum.at(distance, end, reached)
        changed[end] = changed[waiting] = True
        front = np.flatnonzero(changed)
        changed[front] = False
    return distance.reshape(rows, size)


def _spread(points: Floats, side: Floats) -> Floats:
    """The sides (V,) with unknown ones, of lashes and other parts that are not joined to the skin,
    taken from the nearest known vertex.
    """
    side, known = side.copy(), np.isfinite(side)
    source, wanted = np.flatnonzero(known), np.flatnonzero(~known)
    if len(source):
        side[wanted] = side[source[nearest(points[wanted], points[source], _preferred)]]
    return np.nan_to_num(side).astype(np.float32)
