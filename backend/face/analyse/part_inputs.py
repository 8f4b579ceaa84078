# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers by which each loose part of a head is described to the network of kinds.py: where it
lies, how large, thin and open it is, how it lies to the skin, to the eyes and to the mouth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import Ints, edges_of, nearest, squared
from ..geometry.normals import corners_of, crossed
from ..params.analyse import FACE_SPACE, KINDS, PART_INPUTS

Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]


def in_face_space(points: Floats) -> Reals:
    """Squared distances (N,) of points (N,3), canonical, from the middle of the ellipsoid in which
    a face may move; 1 on its surface.
    """
    middle = np.array([0, FACE_SPACE.face_y, FACE_SPACE.face_z], np.float32)
    half = [FACE_SPACE.face_wide, FACE_SPACE.face_high, FACE_SPACE.face_deep]
    return np.asarray(squared((points - middle) / np.array(half, np.float32)))


def _from_skull(points: NDArray[Any]) -> NDArray[Any]:
    """Places (N,3) of points, canonical, from the middle of the ellipsoid about where a skull lies,
    in its half axes.
    """
    middle = np.array([0, FACE_SPACE.skull_y, FACE_SPACE.skull_z], np.float32)
    half = [FACE_SPACE.skull_wide, FACE_SPACE.skull_high, FACE_SPACE.skull_deep]
    return np.asarray((points - middle) / np.array(half, np.float32))


@dataclass(frozen=True)
class _Parts:
    """The vertices of the described parts, part by part: order (N,) of vertices, starts (P,), count
    (P,).
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    count: NDArray[np.intp]

    def mean(self, values: NDArray[Any]) -> Reals:
        """Of values (V,...) per vertex, for each part (P,...)."""
        summed = np.add.reduceat(values[self.order].astype(np.float64), self.starts, axis=0)
        return np.asarray(summed / self.count.reshape(-1, *[1] * (values.ndim - 1)))

    def low(self, values: NDArray[Any]) -> Reals:
        """The least of values (V,...) for each part (P,...)."""
        return np.asarray(np.minimum.reduceat(values[self.order], self.starts, axis=0), np.float64)

    def high(self, values: NDArray[Any]) -> Reals:
        """The greatest of values (V,...) for each part (P,...)."""
        return np.asarray(np.maximum.reduceat(values[self.order], self.starts, axis=0), np.float64)


def described(
    vertices: Floats, triangles: Ints, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]
) -> tuple[Ints, Floats]:
    """The numbers (N,) of the parts that come near the face, and what is said of each, float32
    (N,D).

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        parts: int32 (V,), labels of the loose ones
        skin: bool (V,), of the part that carries the landmarks
        landmarks: name -> (3,), canonical
    """
    near = in_face_space(vertices) < 1
    sizes = np.bincount(parts) if len(parts) else np.zeros(0, np.intp)
    which = np.flatnonzero(np.bincount(parts, near, len(sizes)) > 0)
    if not len(which) or not skin.any():
        return np.zeros(0, np.int32), np.zeros((0, 0), np.float32)
    if len(which) > KINDS.parts_most:
        largest = np.argsort(-sizes[which], kind="stable")[: KINDS.parts_most]
        which = np.sort(which[largest])
    place = np.full(len(sizes), -1)
    place[which] = np.arange(len(which))
    own = np.flatnonzero(place[parts] >= 0)
    order = own[np.argsort(place[parts[own]], kind="stable")]
    some = _Parts(order, np.concatenate([[0], np.cumsum(sizes[which])[:-1]]), sizes[which])
    columns = [
        *_place(vertices, near, some, landmarks),
        *_form(vertices, some),
        *_sheet(vertices, triangles, place[parts], some),
        *_beside(vertices, skin, some, landmarks),
        *_others(vertices, skin, some),
    ]
    return which.astype(np.int32), np.stack(columns, axis=1).astype(np.float32)


def _place(v: Floats, near: Flags, some: _Parts, at: Mapping[str, Floats]) -> list[Reals]:
    """Where parts lie, with their own side turned to the left."""
    low, high, mean = some.low(v), some.high(v), some.mean(v)
    right = mean[:, 0] < 0
    first, last = np.where(right, -high[:, 0], low[:, 0]), np.where(right, -low[:, 0], high[:, 0])
    skull = np.sqrt(squared(_from_skull(v)))
    eye, half, high_eye = _eye(at)
    lips = (at["lip_upper"] + at["lip_lower"]) / 2
    mouth = float(np.linalg.norm(at["mouth_left"] - at["mouth_right"])) / 2
    mouth = max(mouth, PART_INPUTS.least_mouth)
    left, right_brow = (at[f"brow_inner_{s}"] + at[f"brow_outer_{s}"] for s in ("left", "right"))
    brow = (left + right_brow) / 2 / 2
    aside = np.stack([np.abs(v[:, 0]), v[:, 1], v[:, 2]], axis=1)
    from_eye = (aside - eye) / np.array([half, high_eye, half], np.float32)
    opening = (np.abs(from_eye[:, 0]) < 1) & (np.abs(from_eye[:, 1]) < 1)
    from_lips = (v - lips) / mouth
    columns = [
        np.abs(mean[:, 0]),
        mean[:, 1],
        mean[:, 2],
        first,
        last,
        low[:, 1],
        high[:, 1],
        low[:, 2],
        high[:, 2],
    ]
    columns += [some.mean(near), some.low(skull), some.mean(skull), some.high(skull)]
    far = PART_INPUTS.from_feature
    columns += list(some.mean(np.clip(from_eye, -far, far)).T)
    columns += [
        some.mean(opening),
        some.mean(opening & (from_eye[:, 2] > 0)),
        some.mean(opening & (from_eye[:, 2] <= 0)),
    ]
    columns += [np.sqrt(some.low(squared(from_eye))), some.high(-np.abs(from_eye[:, 1]))]
    columns += list(some.mean(np.clip(from_lips, -far, far) * np.array([0, 1, 1])).T[1:]) + [
        np.sqrt(some.low(squared(from_lips)))
    ]
    columns += [
        some.mean(v[:, 1] > brow[1]),
        some.mean(v[:, 1] < at["chin"][1]),
        some.mean(v[:, 2] < PART_INPUTS.behind),
        some.mean(np.abs(v[:, 1] - brow[1]) < PART_INPUTS.brow_level),
    ]
    columns += [some.mean((aside[:, 2] > eye[2]) & (v[:, 1] < brow[1]) & (v[:, 1] > lips[1]))]
    return [np.asarray(c, np.float64) for c in columns]


def _eye(at: Mapping[str, Floats]) -> tuple[Floats, float, float]:
    """The middle (3,) of both eyes, turned to the left, half the width of an eye and half the
    height.
    """
    middles, half, high = [], [], []
    for side in SIDES:
        corners = at[f"eye_inner_{side}"], at[f"eye_outer_{side}"]
        lids = at[f"lid_upper_{side}"], at[f"lid_lower_{side}"]
        middle = np.mean([*corners, *lids], axis=0)
        middles.append(np.array([abs(middle[0]), middle[1], middle[2]], np.float32))
        half.append(float(np.linalg.norm(corners[0] - corners[1])) / 2)
        high.append(float(np.linalg.norm(lids[0] - lids[1])) / 2)
    return (
        np.mean(middles, axis=0, dtype=np.float32),
        max(float(np.mean(half)), PART_INPUTS.least_eye),
        max(float(np.mean(high)), PART_INPUTS.least_eye),
    )


def _form(v: Floats, some: _Parts) -> list[Reals]:
    """How large, thin and round parts are, and which way they stand."""
    mean = some.mean(v)
    away = v[some.order].astype(np.float64) - np.repeat(mean, some.count, axis=0)
    spread = (
        np.add.reduceat(away[:, :, None] * away[:, None, :], some.starts, axis=0)
        / some.count[:, None, None]
    )
    values, axes = np.linalg.eigh(spread + 1e-10 * np.eye(3))
    size = np.sqrt(np.maximum(values, 1e-10))[:, ::-1]
    longest, shortest = np.abs(axes[:, :, 2]), np.abs(axes[:, :, 0])
    low, high = some.low(v), some.high(v)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, PART_INPUTS.least_half)
    far = np.linalg.norm(v[some.order] - np.repeat(centre, some.count, axis=0), axis=1)
    radius = np.add.reduceat(far, some.starts) / some.count
    uneven = np.sqrt(
        np.maximum(np.add.reduceat(far**2, some.starts) / some.count - radius**2, 0)
    ) / np.maximum(radius, 1e-6)
    columns = [
        *np.log(size).T,
        np.log(size[:, 1] / size[:, 0]),
        np.log(size[:, 2] / size[:, 1]),
        *np.log(half).T,
        *longest.T,
        *shortest.T,
    ]
    return [*columns, uneven, half.min(axis=1) / half.max(axis=1), np.log(some.count)]


def _sheet(v: Floats, triangles: Ints, place: NDArray[np.intp], some: _Parts) -> list[Reals]:
    """How open the surface is, how it is turned and how large. place (V,): of each vertex's part
    among the described ones, or -1.
    """
    count = len(some.count)
    mine = triangles[place[triangles[:, 0]] >= 0]
    owner = place[mine[:, 0]]
    facing = crossed(*corners_of(v, mine)).T / 2
    area = np.sqrt(squared(facing))
    total = np.maximum(np.bincount(owner, area, count), 1e-9)
    turned = (
        np.stack([np.bincount(owner, facing[:, axis], count) for axis in range(3)], axis=1)
        / total[:, None]
    )
    out = _from_skull(v[mine].mean(axis=1))
    outward = (facing * out).sum(axis=1) / np.maximum(np.sqrt(squared(out)), 1e-6)
    edges = edges_of(mine) if len(mine) else np.zeros((0, 2), np.int32)
    per_edge = np.bincount(place[edges[:, 0]], minlength=count) if len(edges) else np.zeros(count)
    faces = np.bincount(owner, minlength=count)
    open_share = np.clip(
        (2 * per_edge - 3 * faces) / np.maximum(per_edge, 1), 0, 1
    )  # an inner edge has two triangles
    extent = np.maximum(
        np.ptp(np.stack([some.low(v), some.high(v)]), axis=0), PART_INPUTS.least_extent
    )
    boxed = np.sort(extent, axis=1)
    return [
        np.log(total),
        np.log(total / (boxed[:, 1] * boxed[:, 2])),
        np.linalg.norm(turned, axis=1),
        turned[:, 2],
        turned[:, 1],
        np.bincount(owner, outward, count) / total,
        open_share,
        faces / some.count,
    ]


def _beside(v: Floats, skin: Flags, some: _Parts, at: Mapping[str, Floats]) -> list[Reals]:
    """How parts lie to the skin: how far, before or behind it, and whether they reach to the marks
    of a face.
    """
    step = np.maximum(some.count // PART_INPUTS.sampled, 1)
    sampled = np.minimum((some.count + step - 1) // step, PART_INPUTS.sampled)
    inside = np.arange(sampled.sum()) - np.repeat(np.cumsum(sampled) - sampled, sampled)
    chosen = some.order[np.repeat(some.starts, sampled) + inside * np.repeat(step, sampled)]
    starts = np.cumsum(sampled) - sampled
    face = np.flatnonzero(skin & (in_face_space(v) < 1))
    if not len(face):
        face = np.flatnonzero(skin)
    face = face[:: max(1, len(face) // PART_INPUTS.skin_sampled)]
    away = v[chosen] - v[face[nearest(v[chosen], v[face])]]
    far, before = np.sqrt(squared(away)), away[:, 2]

    def mean(values: NDArray[Any]) -> Reals:
        return np.asarray(np.add.reduceat(values.astype(np.float64), starts) / sampled)

    seen, level = _before_skin(v[chosen], v[face])
    shadow = [
        mean(seen),
        mean(level),
        mean(seen & (level > PART_INPUTS.before)),
        mean(seen & (level < PART_INPUTS.inside)),
        np.asarray(np.maximum.reduceat(level, starts)),
    ]
    marks = [at["nose_tip"], at["chin"]]
    reach = [np.sqrt(some.low(squared(v - mark))) for mark in marks]
    return [
        mean(np.minimum(far, PART_INPUTS.far_mean)),
        np.asarray(np.minimum.reduceat(far, starts), np.float64),
        np.asarray(np.maximum.reduceat(np.minimum(far, PART_INPUTS.far_most), starts), np.float64),
        mean(np.clip(before, -PART_INPUTS.far_mean, PART_INPUTS.far_mean)),
        mean(far < PART_INPUTS.close),
        mean(far < PART_INPUTS.closer),
        *shadow,
        *reach,
    ]


def _before_skin(points: Floats, skin: Floats) -> tuple[Flags, NDArray[Any]]:
    """Whether points (N,3) are in the view of the skin (S,3) from the front, and how far before it
    each is (N,), 0 where it is not in view.
    """
    reach, fine = PART_INPUTS.grid_reach, PART_INPUTS.grid_fine
    last = PART_INPUTS.grid_cells - 1
    grid = np.full((last + 1, last + 1), -np.inf)  # how far out the skin is
    cell = np.clip(((skin[:, :2] + reach) * fine).astype(int), 0, last)
    np.maximum.at(grid, (cell[:, 0], cell[:, 1]), skin[:, 2])
    own = np.clip(((points[:, :2] + reach) * fine).astype(int), 0, last)
    level = points[:, 2] - grid[own[:, 0], own[:, 1]]
    seen = np.isfinite(level) & (np.abs(points[:, :2]) < reach).all(axis=1)
    level, most = np.nan_to_num(level, posinf=0, neginf=0), PART_INPUTS.level_most
    return seen, np.where(seen, np.clip(level, -most, most), 0)


def _others(v: Floats, skin: Flags, some: _Parts) -> list[Reals]:
    """What other parts there are: one's mirror image, many of one kind, the skin itself."""
    low, high = some.low(v), some.high(v)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, PART_INPUTS.least_extent)
    mirrored = centre * [-1, 1, 1]
    apart = np.abs(centre[:, None] - mirrored[None]).max(axis=2) + np.abs(
        half[:, None] - half[None]
    ).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    twin = (apart < PART_INPUTS.twin).any(axis=1)
    size = np.linalg.norm(half, axis=1)
    alike = np.abs(np.log(size[:, None] / size[None])) < np.log(PART_INPUTS.alike)
    alike &= np.abs(np.log(some.count[:, None] / some.count[None])) < np.log(PART_INPUTS.alike)
    is_skin = some.mean(skin)
    whole = max(float(np.count_nonzero(skin)), 1.0)
    largest = size.max()
    return [
        twin.astype(np.float64),
        np.abs(centre[:, 0]) / half[:, 0],
        np.log(alike.sum(axis=1)),
        np.full(len(size), np.log(len(size))),
        (is_skin > 0.5).astype(np.float64),
        np.log(some.count / whole),
        np.log(size / largest),
    ]
