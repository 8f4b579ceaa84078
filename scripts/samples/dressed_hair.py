# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair of many kinds on a modelled head: fringes, locks, shells and tails."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import connected_parts

from . import drawn_parts
from .dressed_parts import MIDDLE, Dressed, Reals, Scalp, joined
from .hair import locks


def ribbons(
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
    return ribbons(
        scalp, rng, azimuth, top, np.minimum(bottom, top - 0.15), welded=rng.random() < 0.5
    )


def _curtain(scalp: Scalp, rng: np.random.Generator) -> tuple[Reals, NDArray[np.int64]]:
    """Locks at the sides and the back."""
    count = int(rng.integers(2, rng.choice([6, 16, 40])))
    azimuth = np.sort(rng.choice([-1, 1], count) * rng.uniform(rng.uniform(0.5, 1.4), np.pi, count))
    top = rng.uniform(0.5, 1.45, count)
    bottom = rng.uniform(-1.2, 0.1) + rng.normal(0, 0.15, count)
    return ribbons(
        scalp, rng, azimuth, top, np.minimum(bottom, top - 0.15), welded=rng.random() < 0.5
    )


def helmet(scalp: Scalp, rng: np.random.Generator, brow: float) -> tuple[Reals, NDArray[np.int64]]:
    """A shell of hair whose lower edge is jagged on the forehead and lies lower at the sides and
    the back, one or two layers.
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
    layers = [outer]
    if rng.random() < 0.4:
        layers.append(MIDDLE + (outer[::-1] - MIDDLE) * 0.97)
    rows_all = np.concatenate(layers)
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
        pieces.append(helmet(scalp, rng, brow))
    if rng.random() < 0.4:
        pieces.append(_long(scalp, rng))
    if rng.random() < 0.2 or not pieces:
        hanging, more = locks(rng)
        pieces.append((hanging.astype(np.float64), more.astype(np.int64)))
    kind = rng.random()
    if kind < 0.4:
        pieces = [(v, _linked(v, t)) if rng.random() < 0.5 else (v, t) for v, t in pieces]
    elif kind < 0.7:
        v, t = joined(pieces)
        pieces = [(v, _linked(v, t))]
    if rng.random() < 0.15:
        pieces = [(v * [-1, 1, 1], t[:, ::-1]) for v, t in pieces]
    for v, t in pieces:
        head.add(v, t, "hair")
