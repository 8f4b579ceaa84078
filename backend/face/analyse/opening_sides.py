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
from dataclasses import dataclass
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


@dataclass(frozen=True)
class _Sought:
    """An opening whose sides are sought. centre (3,): its middle. reach: how far from it ways are
    sought, canonical. above, below: float32 (K,3), from where the sides are told. jaw: what is
    below is no inside of the mouth.
    """

    centre: Floats
    reach: float
    above: Floats
    below: Floats
    jaw: bool = False


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
    openings = [_mouth(at), *(_eye(at, name) for name in SIDES if eyes)]
    (near, side), *of_eyes = _openings(vertices, triangles, skin, openings)
    found[near, 0] = np.nan_to_num(side)
    for (near, side), sign in zip(of_eyes, (1, -1), strict=False):
        side = _spread(vertices[near], side)
        mine = sign * (vertices[near, 0] - at["nose_tip"][0]) >= 0
        found[near[mine], 1] = side[mine]
    return found


def _mouth(at: Mapping[str, Floats]) -> _Sought:
    """The mouth, by landmarks (3,). Its sides are told from half the way to the nose and to the
    chin; where the chin is much nearer, from as far above as below, and from a row of places:
    around the corners of the mouth the way is short, and the upper lip would lie on the chin's
    side.
    """
    p, (upper, lower) = OPENING_SIDES, (at["lip_upper"], at["lip_lower"])
    up, down = (at["nose_tip"] - upper) / 2, (at["chin"] - lower) / 2
    ratio = float(np.linalg.norm(up)) / max(float(np.linalg.norm(down)), 1e-6)
    low = float(np.clip((ratio - p.low_from) / (p.low_to - p.low_from), 0, 1))
    above = upper + np.float32(1 - low + low / max(ratio, 1.0)) * up
    aside = np.float32(low * p.row / 2) * (at["mouth_left"] - at["mouth_right"])
    row = np.stack([above, above + aside, above - aside]) if low > 0 else above[None]
    below = np.repeat((lower + down)[None], len(row), axis=0)
    return _Sought((upper + lower) / 2, p.mouth_reach, row, below, jaw=True)


def _eye(at: Mapping[str, Floats], name: str) -> _Sought:
    """The eye of a side, by landmarks (3,)."""
    upper, lower = at[f"lid_upper_{name}"], at[f"lid_lower_{name}"]
    brow = (at[f"brow_inner_{name}"] + at[f"brow_outer_{name}"]) / 2
    below = lower - (brow - upper)
    return _Sought((upper + lower) / 2, OPENING_SIDES.eye_reach, brow[None], below[None])


def opposites(
    vertices: Floats,
    triangles: Ints,
    landmarks: Mapping[str, NDArray[np.floating[Any]]],
    side: Floats,
    skin: NDArray[np.bool_] | None = None,
    *,
    some: NDArray[np.bool_] | None = None,
) -> Ints:
    """The nearest vertex on the other side of the mouth's and of the nearer eye's opening, int32
    (V,2), -1 where there is none. Only skin that faces out can be opposite: no bag, no socket.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        landmarks: name -> (3,), canonical
        side: float32 (V,2), of `lip_lid_side` for the same vertices
        skin: bool (V,), of `face_skin`, where it is known already
        some: bool (V,), whose opposite ones are asked for; of all without it
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
        some=some,
    )
    for name, sign in zip(SIDES, (1, -1), strict=True) if side[:, 1].any() else ():
        around = [at[f"{mark}_{name}"] for mark in ("eye_inner", "eye_outer")]
        lids = at[f"lid_upper_{name}"], at[f"lid_lower_{name}"]
        reach = OPENING_SIDES.eye_reach
        other = _opposite(vertices, side[:, 1], skin, (*around, *lids), reach, some=some)
        mine = sign * (vertices[:, 0] - at["nose_tip"][0]) >= 0
        found[mine, 1] = other[mine]
    return found


def _opposite(
    vertices: Floats,
    side: Floats,
    skin: NDArray[np.bool_],
    marks: tuple[Floats, ...],
    reach: float,
    *,
    some: NDArray[np.bool_] | None,
) -> Ints:
    """The nearest vertex on the other side of one opening (V,), -1 where there is none.

    Args:
        vertices: float32 (V,3), canonical
        side: float32 (V,), of this opening
        skin: flags (V,)
        marks: both corners and the upper and lower middle of the opening, each (3,)
        reach: canonical units around the opening in which is looked
        some: flags (V,), whose opposite ones are asked for; of all without it
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
    asked = near if some is None else near & some
    for sign in (1, -1):
        wanted = np.flatnonzero(asked & (sign * side > 0))
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
    vertices: Floats, triangles: Ints, skin: NDArray[np.bool_], openings: list[_Sought]
) -> list[tuple[NDArray[np.intp], Floats]]:
    """Of each opening the vertices (N,) around it and their side (N,), NaN where no path leads from
    the places from which it is told.
    """
    every, graphs, lengths = [], [], []
    starts: list[tuple[int, int]] = []
    count = 0
    for sought in openings:
        reach = sought.reach * sought.reach
        inside = triangles[all_corners(squared(vertices - sought.centre) < reach, triangles)]
        seen = np.zeros(len(vertices), bool)
        seen[inside] = True
        used = np.flatnonzero(seen)
        points, own = vertices[used], np.flatnonzero(skin[used])
        group = weld(points) if len(used) else np.empty(0, np.int32)
        every.append((used, group + count))
        places = np.empty((int(group.max(initial=-1)) + 1, 3), np.float32)
        places[group] = points
        if len(own) >= OPENING_SIDES.fewest:
            graph, own = group[(np.cumsum(seen, dtype=np.int32) - 1)[inside]], group[own]
            graphs.append(graph + np.int32(count))
            above, below = (
                [count + own[squared(places[own] - place).argmin()] for place in some]
                for some in (sought.above, sought.below)
            )
            if sought.jaw:
                below = [count + _outside(places, graph, own, sought.below[0])] * len(above)
            starts.extend(zip(above, below, strict=True))
        lengths.append(places)
        count += len(places)
    if not graphs:
        return [(used, np.full(len(used), np.nan, np.float32)) for used, _ in every]
    from_above, from_below = _distances(
        np.concatenate(lengths), np.concatenate(graphs), np.array(starts).T
    )
    with np.errstate(invalid="ignore"):
        both = from_above + from_below
        side = np.where(
            np.isfinite(both), (from_below - from_above) / np.maximum(both, 1e-6), np.nan
        ).astype(np.float32)
    return [(used, side[group]) for used, group in every]


def _outside(points: Floats, triangles: Ints, own: Ints, place: Floats) -> int:
    """Which of some points (own: (S,), of points (N,3)) is nearest to a place (3,) below a mouth
    and looks ahead or down: from the floor of the mouth both lips are about equally far. triangles:
    int (T,3).
    """
    order = own[np.argsort(squared(points[own] - place), kind="stable")]
    for point in order[: OPENING_SIDES.outside]:
        a, b, c = points[triangles[(triangles == point).any(axis=1)]].transpose(1, 0, 2)
        _x, up, ahead = np.cross(b - a, c - a).sum(axis=0)
        if ahead > up:
            return int(point)
    return int(order[0])


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
