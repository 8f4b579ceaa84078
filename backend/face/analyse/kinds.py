# SPDX-License-Identifier: GPL-3.0-or-later
"""What each loose part of a head is, with probabilities: skin, hair, lash, brow, eye and so on.
Learnt from heads whose parts are known.

A loose part is what hangs together after welding. It is described by a few dozen numbers in the
canonical frame (where it lies, how large, thin and open it is, how it lies to the skin, to the eyes
and to the mouth) and a small network of two hidden layers names it. Scores: kinds.json's `about`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import Ints, edges_of, nearest, part_boxes, squared
from ..geometry.normals import corners_of, crossed
from .seams import FACE, face_skin

Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]

CLASSES = (
    "skin",
    "hair",
    "lash",
    "brow",
    "eye",
    "teeth",
    "tongue",
    "mouth",
    "flat",
    "decal",
    "worn",
    "body",
)
DATA = Path(__file__).with_suffix(".json")
AROUND = (
    np.array([0, -0.4, -0.5], np.float32),
    np.array([2.0, 2.4, 1.9], np.float32),
)  # canonical: the ellipsoid in which a face may move
SKULL = (
    np.array([0.0, 0.1, -1.0], np.float32),
    np.array([1.25, 1.35, 1.25], np.float32),
)  # canonical: about where a skull lies
SAMPLE, SKIN = (
    48,
    2048,
)  # vertices of a part, and of the skin, that are looked at for how they lie to each other
MOST = 2048  # parts that are described: a mesh of more is one whose triangles do not hang together
TWIN = 0.1  # canonical units by which mirrored parts lie apart
ALIKE = 1.5  # by which parts of one kind, such as locks, differ in size
# Probability of skin or body below which the part that carries the landmarks may be hair before a
# face. Of 2,344 views of modelled heads 0.1 % had less than 0.915 for their true skin.
SURE_SKIN = 0.9
OTHERS = 3  # parts that are then tried for the skin
CLIP = 4.0  # spreads from the mean, beyond which a number says no more
# Probability of hair and worn things together from which on a part stays where it is. Over 8 heads
# by 7 makers, each maker's left out of training (scripts/train/kinds.py): 90 % of the parts that
# hang, by 3 makers, were above it, and of the others only the ears and the nose of one blocky head.
STILL = 0.5


@dataclass(frozen=True)
class Kinds:
    """parts: int32 (V,), of loose parts, by number. sure: float32 (P,C), the probability of each of
    CLASSES for each part; rows of zeros for parts that do not come near the face.
    """

    parts: Ints
    sure: Floats

    def of(self, *names: str) -> Floats:
        """The probability (V,) that a vertex is of one of the named classes."""
        return np.asarray(
            self.sure[:, [CLASSES.index(name) for name in names]].sum(axis=1)[self.parts],
            np.float32,
        )


def kinds_of(
    vertices: Floats, triangles: Ints, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]
) -> Kinds:
    """The Kinds of a head. vertices (V,3) canonical; triangles (T,3); parts (V,): loose ones; skin
    (V,): of the part that carries the landmarks. landmarks: name -> (3,), canonical.
    """
    which, rows = described(vertices, triangles, parts, skin, landmarks)
    sure = np.zeros((int(parts.max(initial=-1)) + 1, len(CLASSES)), np.float32)
    if len(which):
        sure[which] = _network().probabilities(rows)
    return Kinds(parts, sure)


@dataclass(frozen=True)
class Network:
    """mean, spread (D,): of what goes in. members: several networks, asked alike, each of layers
    with weights (N,M) and offsets (M,): on a part unlike those learnt they differ, and none is
    believed.
    """

    mean: Floats
    spread: Floats
    members: tuple[tuple[tuple[Floats, Floats], ...], ...]

    def probabilities(self, rows: Floats) -> Floats:
        """Of each class (N,C) for rows (N,D) of `described`."""
        said = np.clip((rows - self.mean) / self.spread, -CLIP, CLIP).astype(np.float32)
        return np.asarray(
            np.mean([_asked(layers, said) for layers in self.members], axis=0), np.float32
        )


def _asked(layers: tuple[tuple[Floats, Floats], ...], x: Floats) -> Floats:
    for number, (weights, offsets) in enumerate(layers):
        x = x @ weights + offsets
        if number + 1 < len(layers):
            x = np.maximum(x, 0)
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(x / x.sum(axis=1, keepdims=True), np.float32)


@cache
def _network() -> Network:
    return network_of(json.loads(DATA.read_text(encoding="utf-8")))


def network_of(data: Mapping[str, Any]) -> Network:
    """The Network of kinds.json, which scripts/train/kinds.py writes."""
    if data["classes"] != list(CLASSES):
        raise ValueError("kinds.json names other classes")
    members = tuple(
        tuple(
            (np.array(one["weights"], np.float32), np.array(one["offsets"], np.float32))
            for one in layers
        )
        for layers in data["members"]
    )
    return Network(
        np.array(data["mean"], np.float32), np.array(data["spread"], np.float32), members
    )


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
    (N,D). Arguments as of `kinds_of`.
    """
    near = squared((vertices - AROUND[0]) / AROUND[1]) < 1
    sizes = np.bincount(parts) if len(parts) else np.zeros(0, np.intp)
    which = np.flatnonzero(np.bincount(parts, near, len(sizes)) > 0)
    if not len(which) or not skin.any():
        return np.zeros(0, np.int32), np.zeros((0, 0), np.float32)
    if len(which) > MOST:
        which = np.sort(which[np.argsort(-sizes[which], kind="stable")[:MOST]])
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
    skull = np.sqrt(squared((v - SKULL[0]) / SKULL[1]))
    eye, half, high_eye = _eye(at)
    lips = (at["lip_upper"] + at["lip_lower"]) / 2
    mouth = max(float(np.linalg.norm(at["mouth_left"] - at["mouth_right"])) / 2, 1e-3)
    brow = (
        at["brow_inner_left"]
        + at["brow_outer_left"]
        + (at["brow_inner_right"] + at["brow_outer_right"])
    ) / 4
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
    columns += list(some.mean(np.clip(from_eye, -6, 6)).T)
    columns += [
        some.mean(opening),
        some.mean(opening & (from_eye[:, 2] > 0)),
        some.mean(opening & (from_eye[:, 2] <= 0)),
    ]
    columns += [np.sqrt(some.low(squared(from_eye))), some.high(-np.abs(from_eye[:, 1]))]
    columns += list(some.mean(np.clip(from_lips, -6, 6) * np.array([0, 1, 1])).T[1:]) + [
        np.sqrt(some.low(squared(from_lips)))
    ]
    columns += [
        some.mean(v[:, 1] > brow[1]),
        some.mean(v[:, 1] < at["chin"][1]),
        some.mean(v[:, 2] < -0.6),
        some.mean(np.abs(v[:, 1] - brow[1]) < 0.12),
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
        middle = (corners[0] + corners[1] + lids[0] + lids[1]) / 4
        middles.append(np.array([abs(middle[0]), middle[1], middle[2]], np.float32))
        half.append(float(np.linalg.norm(corners[0] - corners[1])) / 2)
        high.append(float(np.linalg.norm(lids[0] - lids[1])) / 2)
    return (
        np.mean(middles, axis=0, dtype=np.float32),
        max(float(np.mean(half)), 0.02),
        max(float(np.mean(high)), 0.02),
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
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-5)
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
    out = (v[mine].mean(axis=1) - SKULL[0]) / SKULL[1]
    outward = (facing * out).sum(axis=1) / np.maximum(np.sqrt(squared(out)), 1e-6)
    edges = edges_of(mine) if len(mine) else np.zeros((0, 2), np.int32)
    per_edge = np.bincount(place[edges[:, 0]], minlength=count) if len(edges) else np.zeros(count)
    faces = np.bincount(owner, minlength=count)
    open_share = np.clip(
        (2 * per_edge - 3 * faces) / np.maximum(per_edge, 1), 0, 1
    )  # an inner edge has two triangles
    extent = np.maximum(np.ptp(np.stack([some.low(v), some.high(v)]), axis=0), 1e-4)
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
    step = np.maximum(some.count // SAMPLE, 1)
    sampled = np.minimum((some.count + step - 1) // step, SAMPLE)
    inside = np.arange(sampled.sum()) - np.repeat(np.cumsum(sampled) - sampled, sampled)
    chosen = some.order[np.repeat(some.starts, sampled) + inside * np.repeat(step, sampled)]
    starts = np.cumsum(sampled) - sampled
    face = np.flatnonzero(skin & (squared((v - AROUND[0]) / AROUND[1]) < 1))
    if not len(face):
        face = np.flatnonzero(skin)
    face = face[:: max(1, len(face) // SKIN)]
    away = v[chosen] - v[face[nearest(v[chosen], v[face])]]
    far, before = np.sqrt(squared(away)), away[:, 2]

    def mean(values: NDArray[Any]) -> Reals:
        return np.asarray(np.add.reduceat(values.astype(np.float64), starts) / sampled)

    grid = np.full((64, 64), -np.inf)  # how far out the skin is, seen from the front
    cell = np.clip(((v[face][:, :2] + 2) * 16).astype(int), 0, 63)
    np.maximum.at(grid, (cell[:, 0], cell[:, 1]), v[face][:, 2])
    own = np.clip(((v[chosen][:, :2] + 2) * 16).astype(int), 0, 63)
    level = v[chosen][:, 2] - grid[own[:, 0], own[:, 1]]
    seen = np.isfinite(level) & (np.abs(v[chosen][:, :2]) < 2).all(axis=1)
    level = np.where(seen, np.clip(np.nan_to_num(level, posinf=0, neginf=0), -1, 1), 0)
    shadow = [
        mean(seen),
        mean(level),
        mean(seen & (level > 0.02)),
        mean(seen & (level < -0.05)),
        np.asarray(np.maximum.reduceat(level, starts)),
    ]
    marks = [at["nose_tip"], at["chin"]]
    reach = [np.sqrt(some.low(squared(v - mark))) for mark in marks]
    return [
        mean(np.minimum(far, 2)),
        np.asarray(np.minimum.reduceat(far, starts), np.float64),
        np.asarray(np.maximum.reduceat(np.minimum(far, 4), starts), np.float64),
        mean(np.clip(before, -2, 2)),
        mean(far < 0.05),
        mean(far < 0.15),
        *shadow,
        *reach,
    ]


def _others(v: Floats, skin: Flags, some: _Parts) -> list[Reals]:
    """What other parts there are: one's mirror image, many of one kind, the skin itself."""
    low, high = some.low(v), some.high(v)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-4)
    mirrored = centre * [-1, 1, 1]
    apart = np.abs(centre[:, None] - mirrored[None]).max(axis=2) + np.abs(
        half[:, None] - half[None]
    ).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    twin = (apart < TWIN).any(axis=1)
    size = np.linalg.norm(half, axis=1)
    alike = np.abs(np.log(size[:, None] / size[None])) < np.log(ALIKE)
    alike &= np.abs(np.log(some.count[:, None] / some.count[None])) < np.log(ALIKE)
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


def skin_and_still(
    vertices: Floats,
    triangles: Ints,
    parts: Ints,
    landmarks: Mapping[str, Floats],
    roles: Ints | None = None,
) -> tuple[Flags, Flags]:
    """The face's skin (V,), and the vertices (V,) that surely are hair or worn and so follow no lid
    and no lip: hair that hangs before a face is not taken for its skin. roles (V,): what the user
    says, which counts more. Others as of `kinds_of`.
    """
    skin = face_skin(vertices, parts, landmarks)
    kinds = kinds_of(vertices, triangles, parts, skin, landmarks)
    if skin.any() and kinds.of("skin", "body")[skin][0] < SURE_SKIN:
        large = np.zeros(len(kinds.sure), bool)
        large[parts[part_boxes(vertices, parts)[:, 3:].max(axis=1) > FACE / 2]] = True
        large[parts[skin]] = False
        likely = np.where(large, kinds.sure[:, CLASSES.index("skin")], 0)
        tried = [
            (parts == part, part)
            for part in np.argsort(-likely, kind="stable")[:OTHERS]
            if likely[part] > 0
        ]
        asked = [
            (kinds_of(vertices, triangles, parts, other, landmarks), other, part)
            for other, part in tried
        ]
        if asked:
            again, other, _part = max(
                asked, key=lambda one: float(one[0].sure[one[2], CLASSES.index("skin")])
            )
            if again.of("hair", "worn")[skin][0] > STILL:
                skin, kinds = other, again
    still = (kinds.of("hair", "worn") > STILL) & ~skin
    return skin, np.asarray(still & (True if roles is None else roles == 0))
