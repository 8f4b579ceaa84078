# SPDX-License-Identifier: GPL-3.0-or-later
"""Modelled heads with hair of many kinds, worn things, bodies and decals, every part labelled: what
`scripts/train/kinds.py` learns from. Canonical frame.

Hair lies on the head that is there: directions from the middle of the skull say how far out its
skin is. The numbers are this project's own modelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from backend.face.analyse.kinds import CLASSES
from backend.face.geometry.mesh import connected_parts

from . import drawn_parts, stylised
from .anatomy import OPENINGS, PARTS, Anatomy
from .hair import _ellipsoid, locks
from .modelled import overlay, sample
from .rig import Floats, Ints

Reals = NDArray[np.float64]

MIDDLE = np.array([0.0, 0.0, -0.9])  # of the skull, from which directions are seen
CLASS_OF = {
    "skin": "skin",
    "eye": "eye",
    "white": "eye",
    "iris": "eye",
    "lash": "lash",
    "lower_lash": "lash",
    "crease": "lash",
    "brow": "brow",
    "teeth_upper": "teeth",
    "teeth_lower": "teeth",
    "tongue": "tongue",
    "hair": "hair",
}


@dataclass
class Dressed:
    """A head while it grows. vertices (V,3), triangles (T,3), label (V,) of CLASSES."""

    vertices: list[Floats] = field(default_factory=list)
    triangles: list[Ints] = field(default_factory=list)
    label: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(
        self, vertices: Reals | Floats, triangles: NDArray[np.signedinteger[Any]], label: str | Ints
    ) -> None:
        """Add vertices (N,3) and triangles (M,3) of one class, or with a class for each vertex."""
        self.vertices.append(np.asarray(vertices, np.float32))
        self.triangles.append(np.asarray(triangles + self.count, np.int32))
        self.label.append(
            np.full(len(vertices), CLASSES.index(label), np.int32)
            if isinstance(label, str)
            else label
        )
        self.count += len(vertices)

    def arrays(self) -> tuple[Floats, Ints, Ints]:
        """Vertices, triangles and labels in one piece each."""
        return (
            np.concatenate(self.vertices),
            np.concatenate(self.triangles),
            np.concatenate(self.label),
        )


class Scalp:
    """How far out the skin of a head is in a direction from the middle of its skull."""

    def __init__(self, skin: Floats) -> None:
        away = skin - MIDDLE
        far = np.linalg.norm(away, axis=1)
        kept = (skin[:, 1] > -1.8) & (far > 0.2)
        self.far = far[kept]
        self.tree = cKDTree(away[kept] / far[kept, None])

    def points(self, azimuth: Reals, elevation: Reals, lift: Reals | float) -> Reals:
        """Points (...,3) that lie `lift` out of the skin; azimuth 0 is the front, positive the
        left; radians.
        """
        ways = np.stack(
            [
                np.sin(azimuth) * np.cos(elevation),
                np.sin(elevation),
                np.cos(azimuth) * np.cos(elevation),
            ],
            axis=-1,
        )
        flat = ways.reshape(-1, 3)
        _away, near = self.tree.query(flat, k=6)
        far = self.far[near].max(axis=1).reshape(ways.shape[:-1])
        return np.asarray(MIDDLE + ways * (far + lift)[..., None])


def _ribbons(
    scalp: Scalp,
    rng: np.random.Generator,
    azimuth: Reals,
    top: Reals,
    bottom: Reals,
    *,
    welded: bool,
) -> tuple[Reals, NDArray[np.int64]]:
    """Locks that lie on the head from elevation `top` down to `bottom`, each (N,), at their
    azimuth: cards, bent cards or solid ones; welded: joined at their roots.
    """
    count, steps = len(azimuth), int(rng.integers(4, 10))
    s = np.linspace(0, 1, steps)
    drift = rng.normal(0, rng.uniform(0.02, 0.25), count)[:, None] * s**1.5
    path_a = azimuth[:, None] + drift
    path_e = top[:, None] + (bottom - top)[:, None] * s
    lift = (
        rng.uniform(0.02, 0.18)
        + rng.uniform(0.0, 0.12) * np.sin(np.pi * s)
        + rng.uniform(0.0, 0.06, count)[:, None]
    )
    middle = scalp.points(path_a, path_e, lift)
    along = np.gradient(middle, axis=1)
    out = middle - MIDDLE
    out /= np.linalg.norm(out, axis=2, keepdims=True)
    aside = np.cross(along, out)
    aside /= np.linalg.norm(aside, axis=2, keepdims=True) + 1e-9
    width = rng.uniform(0.05, rng.uniform(0.08, 0.4), count)
    taper = (1 - s ** rng.uniform(1.5, 5)) * (1 - rng.uniform(0, 0.5) * (1 - s)) + 0.02
    half = (width[:, None] * taper)[..., None]
    kind = rng.integers(0, 4)
    if kind == 0:
        rings = [middle - aside * half, middle + aside * half]
    elif kind == 1:
        rings = [middle - aside * half, middle + out * half * 0.3, middle + aside * half]
    else:
        thick = half * rng.uniform(0.15, 0.7)
        rings = [
            middle - aside * half,
            middle + out * thick,
            middle + aside * half,
            middle - out * thick * rng.uniform(0, 1),
        ]
    rows = np.stack(rings, axis=2)  # (N,S,C,3)
    wide = rows.shape[2]
    index = np.arange(count * steps * wide).reshape(count, steps, wide)
    ends = wide if kind >= 2 else wide - 1
    pieces = []
    for c in range(ends):
        a, a2 = index[:, :-1, c], index[:, :-1, (c + 1) % wide]
        b, b2 = index[:, 1:, c], index[:, 1:, (c + 1) % wide]
        pieces += [
            np.stack([a, b, a2], -1).reshape(-1, 3),
            np.stack([a2, b, b2], -1).reshape(-1, 3),
        ]
    if welded and count > 1:
        one, other = index[:-1, 0, -1], index[1:, 0, 0]
        pieces.append(np.stack([one, other, index[1:, 0, min(1, wide - 1)]], -1))
    return rows.reshape(-1, 3), np.concatenate(pieces)


def _fringe(scalp: Scalp, rng: np.random.Generator, brow: float) -> tuple[Reals, NDArray[np.int64]]:
    """Locks on the forehead, down to above the brows, the eyes or below them."""
    count = int(rng.integers(1, rng.choice([4, 9, 20])))
    reach = rng.uniform(0.3, 1.25)
    azimuth = np.sort(rng.uniform(-reach, reach, count))
    if rng.random() < 0.3:
        azimuth = azimuth + rng.choice([-1, 1]) * rng.uniform(0.1, 0.5)
    top = rng.uniform(0.7, 1.4, count)
    low = np.arctan2(brow + rng.uniform(-0.75, 0.45), 0.9)
    bottom = (
        low
        + rng.normal(0, rng.uniform(0.02, 0.15), count)
        - rng.uniform(0, 0.4) * np.abs(azimuth) ** 2
    )
    return _ribbons(
        scalp, rng, azimuth, top, np.minimum(bottom, top - 0.15), welded=rng.random() < 0.5
    )


def _curtain(scalp: Scalp, rng: np.random.Generator) -> tuple[Reals, NDArray[np.int64]]:
    """Locks at the sides and the back."""
    count = int(rng.integers(2, rng.choice([6, 16, 40])))
    azimuth = np.sort(rng.choice([-1, 1], count) * rng.uniform(rng.uniform(0.5, 1.4), np.pi, count))
    top = rng.uniform(0.5, 1.45, count)
    bottom = rng.uniform(-1.2, 0.1) + rng.normal(0, 0.15, count)
    return _ribbons(
        scalp, rng, azimuth, top, np.minimum(bottom, top - 0.15), welded=rng.random() < 0.5
    )


def _helmet(scalp: Scalp, rng: np.random.Generator, brow: float) -> tuple[Reals, NDArray[np.int64]]:
    """A shell of hair whose lower edge is jagged on the forehead and lies lower at the sides and
    the back, one or two sheets.
    """
    around, rows = int(rng.integers(16, 64)), int(rng.integers(5, 14))
    azimuth = np.linspace(-np.pi, np.pi, around, endpoint=False)
    front = np.arctan2(brow + rng.uniform(-0.5, 0.7), 0.9)
    teeth = rng.uniform(0, 0.3) * np.abs(np.sin(azimuth * rng.integers(2, 9) + rng.uniform(0, 3)))
    side = rng.uniform(-1.1, 0.2)
    open_front = rng.uniform(0.5, 1.2)
    share = 1 / (1 + np.exp(-(np.abs(azimuth) - open_front) * rng.uniform(4, 14)))
    edge = front * (1 - share) + side * share - teeth
    s = np.linspace(0, 1, rows)[:, None]
    elevation = 1.5 + (edge - 1.5) * s
    lift = rng.uniform(0.02, 0.3) + rng.uniform(0, 0.1) * np.sin(azimuth * rng.integers(1, 12)) * s
    outer = scalp.points(
        np.broadcast_to(azimuth, elevation.shape), elevation, np.broadcast_to(lift, elevation.shape)
    )
    sheets = [outer]
    if rng.random() < 0.4:
        sheets.append(MIDDLE + (outer[::-1] - MIDDLE) * 0.97)
    rows_all = np.concatenate(sheets)
    return drawn_parts.sheet(rows_all, closed=True)


def _long(scalp: Scalp, rng: np.random.Generator) -> tuple[Reals, NDArray[np.int64]]:
    """Tails and locks that hang down beside the face or behind it."""
    count, steps = int(rng.integers(1, 9)), int(rng.integers(4, 12))
    azimuth = rng.choice([-1, 1], count) * rng.uniform(rng.uniform(0.5, 2.0), np.pi, count)
    root = scalp.points(azimuth, rng.uniform(-0.2, 1.1, count), rng.uniform(0.02, 0.3))
    s = np.linspace(0, 1, steps)[None, :, None]
    fall = np.array([0, -1, 0]) * rng.uniform(1, 5, count)[:, None, None]
    out = (root - MIDDLE)[:, None] * np.array([1, 0, 1]) * rng.uniform(0, 0.6, count)[:, None, None]
    middle = root[:, None] + fall * s + out * np.sqrt(s)
    wide = rng.uniform(0.05, 0.35, count)[:, None, None] * (
        np.sin(np.pi * np.clip(s, 0.15, 0.98)) + 0.02
    )
    turn = np.linspace(0, 2 * np.pi, 5, endpoint=False)
    rows = [
        middle + wide * (np.array([1, 0, 0]) * np.cos(t) + np.array([0, 0, 1]) * np.sin(t))
        for t in turn
    ]
    pieces, triangles, start = [], [], 0
    for k in range(count):
        v, t = drawn_parts.sheet(np.stack([r[k] for r in rows], axis=1), closed=True)
        pieces.append(v)
        triangles.append(t + start)
        start += len(v)
    return np.concatenate(pieces), np.concatenate(triangles)


def _joined(pieces: list[tuple[Reals, NDArray[np.int64]]]) -> tuple[Reals, NDArray[np.int64]]:
    """Several pieces as one that hangs together: each is joined to the first by a triangle at its
    first vertex.
    """
    starts = np.cumsum([0, *(len(v) for v, _ in pieces)])
    triangles = [t + s for (_, t), s in zip(pieces, starts, strict=False)]
    triangles.append(
        np.stack([np.zeros(len(pieces) - 1), starts[1:-1], starts[1:-1] + 1], axis=1).astype(
            np.int64
        )
    )
    return np.concatenate([v for v, _ in pieces]), np.concatenate(triangles)


def _linked(vertices: Reals, triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """More triangles, so that all of a lock's heap hangs together."""
    part = connected_parts(len(vertices), triangles.astype(np.int32))
    _, first = np.unique(part, return_index=True)
    return np.concatenate([triangles, np.stack([first[:-1], first[1:], first[1:]], axis=1)])


def add_hair(head: Dressed, scalp: Scalp, rng: np.random.Generator, brow: float) -> None:
    """One of many kinds of hair, as one part, some, or many."""
    pieces: list[tuple[Reals, NDArray[np.int64]]] = []
    if rng.random() < 0.75:
        pieces += [_fringe(scalp, rng, brow) for _ in range(rng.integers(1, 4))]
    if rng.random() < 0.6:
        pieces += [_curtain(scalp, rng) for _ in range(rng.integers(1, 3))]
    if rng.random() < 0.45:
        pieces.append(_helmet(scalp, rng, brow))
    if rng.random() < 0.4:
        pieces.append(_long(scalp, rng))
    if rng.random() < 0.2 or not pieces:
        hanging, more = locks(rng)
        pieces.append((hanging.astype(np.float64), more.astype(np.int64)))
    kind = rng.random()
    if kind < 0.4:
        pieces = [(v, _linked(v, t)) if rng.random() < 0.5 else (v, t) for v, t in pieces]
    elif kind < 0.7:
        v, t = _joined(pieces)
        pieces = [(v, _linked(v, t))]
    if rng.random() < 0.15:
        pieces = [(v * [-1, 1, 1], t[:, ::-1]) for v, t in pieces]
    for v, t in pieces:
        head.add(v, t, "hair")


def _ring(
    centre: Reals, radii: tuple[float, float], thick: float, around: int, solid: int
) -> tuple[Reals, NDArray[np.int64]]:
    """A tube around an ellipse that faces +Z."""
    turn = np.arange(around) * 2 * np.pi / around
    small = np.arange(solid) * 2 * np.pi / solid
    radius = np.stack([np.cos(turn) * radii[0], np.sin(turn) * radii[1], 0 * turn], axis=1)
    out = radius / np.linalg.norm(radius, axis=1, keepdims=True)
    rows = radius[None] + thick * (
        np.cos(small)[:, None, None] * out + np.sin(small)[:, None, None] * np.array([0, 0, 1.0])
    )
    rows = np.concatenate([rows, rows[:1]])
    return drawn_parts.sheet(rows + centre, closed=True)


def add_worn(head: Dressed, body: Anatomy, scalp: Scalp, rng: np.random.Generator) -> None:
    """Glasses, patches, masks, hats, headphones, bands, ornaments, horns: one to three of them."""
    at, v = body.landmarks, body.vertices
    skin = (body.part == PARTS.index("skin")) & (v[:, 2] > -0.6)
    front = float(v[skin & (np.abs(v[:, 1]) < 0.3), 2].max())
    eye = np.abs((at["eye_inner_left"] + at["eye_outer_left"]) / 2).astype(np.float64)
    wide = float(np.linalg.norm(at["eye_inner_left"] - at["eye_outer_left"])) / 2
    kinds = (
        "glasses",
        "patch",
        "mask",
        "hat",
        "phones",
        "band",
        "ornament",
        "horns",
        "earring",
        "mic",
    )
    for kind in rng.choice(kinds, rng.integers(1, 4), replace=False):
        if kind == "glasses":
            z, size = (
                front + rng.uniform(0.05, 0.3),
                (wide * rng.uniform(1.0, 1.5), wide * rng.uniform(0.7, 1.5)),
            )
            pieces = []
            for sign in (1, -1):
                centre = np.array([sign * eye[0], eye[1] + rng.uniform(-0.1, 0.05), z])
                pieces.append(
                    _ring(
                        centre,
                        size,
                        rng.uniform(0.01, 0.05),
                        int(rng.integers(8, 28)),
                        int(rng.integers(3, 7)),
                    )
                )
                if rng.random() < 0.6:
                    lens = drawn_parts.disc(
                        centre, size, rng.uniform(0, 0.05), 3, int(rng.integers(8, 24))
                    )
                    if rng.random() < 0.5:
                        head.add(*lens, "worn")
                    else:
                        pieces.append(lens)
                temple = (
                    np.linspace(0, 1, 5)[:, None]
                    * np.array([sign * rng.uniform(0.1, 0.3), 0.05, -1.4])
                    + centre
                    + [sign * size[0], 0, 0]
                )
                pieces.append(
                    drawn_parts.sheet(
                        np.stack(
                            [temple, temple + [0, 0.04, 0], temple + [0.02 * sign, 0.02, 0]], axis=0
                        )
                    )
                )
            joined = _joined(pieces)
            if rng.random() < 0.6:
                head.add(*joined, "worn")
            else:
                for piece in pieces:
                    head.add(*piece, "worn")
        elif kind == "patch":
            sign = rng.choice([-1, 1])
            disc = drawn_parts.disc(
                np.array([sign * eye[0], eye[1], front + rng.uniform(-0.05, 0.15)]),
                (wide * 1.3, wide * 1.3),
                0.05,
                4,
                16,
            )
            if rng.random() < 0.5:
                a = np.linspace(-np.pi, np.pi, 32, endpoint=False)
                strap = np.stack(
                    [scalp.points(a, 0.1 + 0.3 * sign * np.sin(a) + d, 0.04) for d in (0, 0.05)]
                )
                head.add(*_joined([disc, drawn_parts.sheet(strap, closed=True)]), "worn")
            else:
                head.add(*disc, "worn")
        elif kind == "mask":
            lips = (at["lip_upper"] + at["lip_lower"]) / 2
            some = (
                skin
                & (np.abs(v[:, 0]) < rng.uniform(0.5, 1.0))
                & (v[:, 1] < lips[1] + rng.uniform(0.2, 0.45))
                & (v[:, 1] > lips[1] - 0.6)
            )
            a, e = np.meshgrid(np.linspace(-0.7, 0.7, 12), np.linspace(-0.15, -0.9, 8))
            if some.any():
                head.add(*drawn_parts.sheet(scalp.points(a, e, rng.uniform(0.03, 0.2))), "worn")
        elif kind == "hat":
            low = rng.uniform(0.4, 1.2)
            crown, t = _ellipsoid(
                20,
                28,
                np.array([0, low + 0.3, -1.0]),
                rng.uniform([1.2, 0.5, 1.2], [1.9, 1.3, 1.9]),
            )
            t = t[(crown[t][:, :, 1] > low).all(axis=1)]
            turn, radius = np.meshgrid(
                np.linspace(-np.pi, np.pi, 32, endpoint=False), [1.2, rng.uniform(1.4, 2.6)]
            )
            brim = np.stack(
                [
                    radius * np.sin(turn),
                    np.full_like(turn, low) - rng.uniform(0, 0.3) * (radius - 1.2),
                    radius * np.cos(turn) - 1.0,
                ],
                -1,
            )
            used = np.unique(t)
            index = np.full(len(crown), -1)
            index[used] = np.arange(len(used))
            head.add(crown[used], index[t], "worn")
            if rng.random() < 0.6:
                head.add(*drawn_parts.sheet(brim, closed=True), "worn")
        elif kind == "phones":
            for sign in (1, -1):
                head.add(
                    *_ellipsoid(
                        10,
                        14,
                        np.array([sign * rng.uniform(1.1, 1.4), -0.05, -1.0]),
                        rng.uniform([0.12, 0.25, 0.25], [0.3, 0.6, 0.6]),
                    ),
                    "worn",
                )
            turn = np.linspace(0, np.pi, 20)
            arc = np.stack(
                [
                    np.stack([1.35 * np.cos(turn), 1.6 * np.sin(turn), -1.0 + d + 0 * turn], -1)
                    for d in (-0.15, 0.15)
                ]
            )
            head.add(*drawn_parts.sheet(arc), "worn")
        elif kind == "band":
            a = np.linspace(-np.pi, np.pi, 40, endpoint=False)
            e = rng.uniform(0.3, 1.0) * np.cos(a) + rng.uniform(-0.2, 0.3)
            head.add(
                *drawn_parts.sheet(
                    np.stack(
                        [scalp.points(a, e + d, rng.uniform(0.03, 0.2)) for d in (0, 0.08, 0.16)]
                    ),
                    closed=True,
                ),
                "worn",
            )
        elif kind == "ornament":
            for _ in range(rng.integers(1, 4)):
                centre = scalp.points(
                    rng.uniform(-1.8, 1.8, 1), rng.uniform(0.15, 1.3, 1), rng.uniform(0.1, 0.4)
                )[0]
                head.add(
                    *_ellipsoid(
                        int(rng.integers(4, 10)),
                        int(rng.integers(5, 12)),
                        centre,
                        rng.uniform([0.05] * 3, [0.35] * 3),
                    ),
                    "worn",
                )
        elif kind == "horns":
            horn = rng.uniform([0.12, 0.3, 0.08], [0.45, 1.1, 0.35])
            x, y = rng.uniform(0.4, 1.0), rng.uniform(1.2, 2.0)
            for sign in (1, -1):
                head.add(*_ellipsoid(10, 12, np.array([sign * x, y, -0.9]), horn), "worn")
        elif kind == "earring":
            small, drop = rng.uniform(0.03, 0.15), rng.uniform(0.3, 0.7)
            for sign in (1, -1) if rng.random() < 0.8 else (1,):
                centre = np.array([sign * rng.uniform(1.0, 1.3), -drop, -0.9])
                head.add(
                    *_ellipsoid(6, 8, centre, np.array([small, small * rng.uniform(1, 3), small])),
                    "worn",
                )
        else:
            sign = rng.choice([-1, 1])
            ends = np.array([sign * 1.1, -0.3, -0.8]), np.array([sign * 0.3, -0.95, front + 0.2])
            path = ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, 6)[:, None]
            stick = drawn_parts.sheet(np.stack([path, path + [0, 0.03, 0], path + [0, 0, 0.03]]))
            bulb = _ellipsoid(6, 8, ends[1], np.array([0.1, 0.06, 0.06]))
            head.add(*_joined([stick, bulb]), "worn")  # type: ignore[list-item]


def add_decals(
    head: Dressed, body: Anatomy, triangles: Ints, scalp: Scalp, rng: np.random.Generator
) -> None:
    """Blushes and shades, marks, tears, beards: what lies on the skin and goes where it goes."""
    if rng.random() < 0.25:
        v, t, _ = overlay(body, triangles, rng)
        if len(t) > 3:
            head.add(v, t, "decal")
    if rng.random() < 0.2:  # blushes and lines on the cheeks
        centre, count = (
            np.array([rng.uniform(0.35, 0.8), rng.uniform(-0.7, -0.3)]),
            int(rng.integers(1, 4)),
        )
        for k in range(count):
            a, e = np.arctan2(centre[0] + 0.1 * k, 0.95), np.arctan2(centre[1], 0.95)
            wide, high = rng.uniform(0.02, 0.25), rng.uniform(0.03, 0.2)
            grid = np.meshgrid(np.linspace(-wide, wide, 4), np.linspace(-high, high, 4))
            for sign in (1, -1):
                head.add(
                    *drawn_parts.sheet(
                        scalp.points(sign * (a + grid[0]), e + grid[1], rng.uniform(0.005, 0.03))
                    ),
                    "decal",
                )
    if rng.random() < 0.12:  # a beard or a moustache on the skin
        low, high = (-1.15, -0.75) if rng.random() < 0.6 else (-0.72, -0.6)
        wide = rng.uniform(0.2, 0.9)
        a, e = np.meshgrid(np.linspace(-wide, wide, 14), np.linspace(high, low, 6))
        head.add(*drawn_parts.sheet(scalp.points(a, e, rng.uniform(0.02, 0.12))), "decal")
        if rng.random() < 0.5:
            n = int(rng.integers(4, 20))
            head.add(
                *_ribbons(
                    scalp,
                    rng,
                    rng.uniform(-wide, wide, n),
                    rng.uniform(-0.8, -0.6, n),
                    rng.uniform(-1.3, -1.0, n),
                    welded=True,
                ),
                "decal",
            )


def add_lids(head: Dressed, body: Anatomy, rng: np.random.Generator) -> None:
    """Lids that are shells of their own before the eyes, as cartoon and blocky heads have them:
    they close as lashes do.
    """
    at = body.landmarks
    eye = np.abs((at["eye_inner_left"] + at["eye_outer_left"]) / 2).astype(np.float64)
    wide = float(np.linalg.norm(at["eye_inner_left"] - at["eye_outer_left"])) / 2
    high = float(np.linalg.norm(at["lid_upper_left"] - at["lid_lower_left"])) / 2
    rows, around = int(rng.integers(3, 9)), int(rng.integers(5, 18))
    start, full = rng.uniform(-0.2, 0.7), rng.uniform(1.05, 1.5)
    turn, up = np.meshgrid(np.linspace(-1.5, 1.5, around), np.linspace(start, 1.4, rows))
    size = np.array([wide * full, high * full * rng.uniform(1.0, 1.5), rng.uniform(0.1, 0.35)])
    shell = np.stack([np.sin(turn) * np.cos(up), np.sin(up), np.cos(turn) * np.cos(up)], -1) * size
    shell = shell + [eye[0], eye[1] - rng.uniform(0, 0.3) * high, eye[2] - rng.uniform(0.0, 0.15)]
    for sign in (1, -1):
        v, t = drawn_parts.sheet(shell * [sign, 1, 1])
        if rng.random() < 0.5:
            v, t = np.concatenate([v, v * [1, 1, 0.97]]), np.concatenate([t, t[:, ::-1] + len(v)])
        head.add(v, t, "lash")


def add_body(head: Dressed, rng: np.random.Generator) -> None:
    """Neck, trunk, arms, a collar."""
    low, wide = -rng.uniform(2.0, 3.2), rng.uniform(1.2, 2.4)
    if rng.random() < 0.7:
        head.add(
            *_ellipsoid(
                24,
                24,
                np.array([0, low, -1.1]),
                np.array([0.5, 1.2, 0.5]) * rng.uniform(0.7, 1.3, 3),
            ),
            "body",
        )
    head.add(
        *_ellipsoid(32, 32, np.array([0, low - 2.6, -1.1]), np.array([wide, 2.4, 0.8])), "body"
    )
    if rng.random() < 0.5:
        for side in (-1, 1):
            head.add(
                *_ellipsoid(
                    24,
                    16,
                    np.array([side * (wide + 0.4), low - 2.8, -1.1]),
                    np.array([0.4, 2.4, 0.4]),
                ),
                "body",
            )
    if rng.random() < 0.5:
        size = np.array([0.9, rng.uniform(0.15, 0.5), 0.9]) * rng.uniform(0.8, 1.3)
        head.add(
            *_ellipsoid(12, 32, np.array([0, low + rng.uniform(0.2, 0.9), -1.0]), size), "body"
        )


def dressed(rng: np.random.Generator) -> tuple[Floats, Ints, Ints, dict[str, Floats]]:
    """Vertices (V,3), triangles (T,3), classes (V,) and landmarks of a modelled head with all that
    surrounds it, each there or not.
    """
    sketched = rng.random() < 0.12
    if rng.random() < 0.75 or sketched:
        body, triangles = stylised.head(rng, sketched)
    else:
        body, triangles = sample(rng)
    names = [PARTS[k].removesuffix("_left").removesuffix("_right") for k in range(len(PARTS))]
    label = np.array([CLASSES.index(CLASS_OF[name]) for name in names], np.int32)[body.part]
    if body.habits.decal:
        label[np.isin(label, [CLASSES.index("eye")])] = CLASSES.index("flat")
    vertices = body.vertices.copy()
    skin = body.part == PARTS.index("skin")
    if sketched:  # the drawn mouth is called skin, but lies before it as a part of its own
        part = connected_parts(len(vertices), triangles)
        main = np.bincount(part[skin]).argmax()
        label[skin & (part != main)] = CLASSES.index("flat")
        skin = skin & (part == main)
    if rng.random() < 0.3:  # the inside of the mouth as a part of its own
        bag = (body.opening == OPENINGS.index("mouth")) & (body.ring <= -2)
        triangles = triangles[bag[triangles].all(axis=1) | ~bag[triangles].any(axis=1)]
        label[bag] = CLASSES.index("mouth")
        vertices[bag, 2] -= 0.002
    own_hair = label == CLASSES.index("hair")
    if own_hair.any() and rng.random() < 0.7:
        triangles = triangles[~own_hair[triangles].any(axis=1)]
    head = Dressed()
    head.add(vertices, triangles, label)
    scalp = Scalp(vertices[skin & (body.ring >= -0.5)])
    brow = float(
        np.mean(
            [
                body.landmarks[f"brow_{n}_{s}"][1]
                for n in ("inner", "outer")
                for s in ("left", "right")
            ]
        )
    )
    if rng.random() < 0.9:
        add_hair(head, scalp, rng, brow)
    if rng.random() < 0.45:
        add_worn(head, body, scalp, rng)
    if rng.random() < 0.15:
        add_lids(head, body, rng)
    add_decals(head, body, triangles, scalp, rng)
    if rng.random() < 0.6:
        first = head.count
        add_body(head, rng)
        if rng.random() < 0.4:  # the face hangs together with a body, as most whole avatars' do
            lowest = int(np.where(skin, vertices[:, 1], np.inf).argmin())
            head.triangles.append(np.array([[lowest, first, first + 1]], np.int32))
    v, t, label = head.arrays()
    used = np.zeros(len(v), bool)
    used[t] = True
    index = np.cumsum(used) - 1
    return v[used], np.ascontiguousarray(index[t], np.int32), label[used], body.landmarks
