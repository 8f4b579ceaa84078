# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair of the drawn head: a cap, a fringe, side locks, a bob, and a bow. Canonical frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from .drawn_style import Reals
from .rig import Floats

Indices = NDArray[np.int64]
MIDDLE = np.array([0.0, 0.12, -1.02])  # of the skull
RADII = np.array([1.37, 1.56, 1.42])  # of the cap
STEPS, SIDES = 26, 10  # of a lock, along it and around it
SHINE, SHINE_WIDTH = 0.66, 0.03  # elevation and half width of the light ring, radians


def on_cap(azimuth: Reals, elevation: Reals, lift: Reals | float) -> Reals:
    """Points (...,3) on the cap; azimuth 0 is the front, positive the left; radians. lift: how far
    out of it, canonical units.
    """
    way = np.stack(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation) + 0 * azimuth,
            np.cos(azimuth) * np.cos(elevation),
        ],
        axis=-1,
    )
    return np.asarray(MIDDLE + way * (RADII + np.asarray(lift)[..., None]))


def lock(points: Reals, width: float, thick: float, tip: float = 1.6) -> tuple[Reals, Indices]:
    """A lock along control points (P,3), smooth, pointed at its end.

    width, thick: of its half section, canonical units. tip: how late it gets narrow.
    """
    s = np.linspace(0, 1, STEPS)
    middle = _curve(points, s)
    along = np.gradient(middle, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    out = middle - MIDDLE
    out -= (out * along).sum(axis=1, keepdims=True) * along
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    aside = np.cross(along, out)
    taper = (1 - s**tip * 0.985) * (0.72 + 0.5 * np.sin(np.pi * np.clip(s * 1.15, 0, 1)))
    turn = np.arange(SIDES) * 2 * np.pi / SIDES
    rows = (
        middle[:, None]
        + (width * taper)[:, None, None] * np.cos(turn)[:, None] * aside[:, None]
        + (thick * taper)[:, None, None] * np.sin(turn)[:, None] * out[:, None]
    )
    return _tube(rows)


def _curve(points: Reals, s: Reals) -> Reals:
    """A smooth curve through points (P,3), at s (N,) from 0 to 1."""
    knots = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return np.asarray(PchipInterpolator(knots / knots[-1], points)(s))


def _tube(rows: Reals) -> tuple[Reals, Indices]:
    """Vertices and triangles of a tube (R,C,3), whose first row ends in a cap."""
    count, wide = rows.shape[:2]
    index = np.arange(count * wide).reshape(count, wide)
    a, b = index[:-1], index[1:]
    a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    walls = [np.stack(t, -1).reshape(-1, 3) for t in ((a, b2, b), (a, a2, b2))]
    fans = [
        np.stack([0 * index[0, 1:-1] + index[k, 0], *ends], -1)
        for k, ends in ((0, (index[0, 2:], index[0, 1:-1])), (-1, (index[-1, 1:-1], index[-1, 2:])))
    ]
    return rows.reshape(-1, 3), np.concatenate([*walls, *fans])


def cap() -> tuple[Reals, Indices]:
    """The shell of hair on the skull, open before the face."""
    azimuth = np.linspace(-np.pi, np.pi, 72, endpoint=False)
    open_front = 1 / (1 + np.exp((np.abs(azimuth) - 1.15) * 9))
    edge = 0.72 * open_front - 0.85 * (1 - open_front)
    s = np.linspace(0, 1, 22)[:, None]
    elevation = np.pi / 2 - 0.02 + (edge - np.pi / 2) * s
    outer = on_cap(np.broadcast_to(azimuth, elevation.shape), elevation, 0 * elevation)
    inner = MIDDLE + (outer[::-1] - MIDDLE) * 0.94
    rows = np.concatenate([outer, inner])
    count, wide = rows.shape[:2]
    index = np.arange(count * wide).reshape(count, wide)
    a, b = index[:-1], index[1:]
    a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    both = [np.stack(t, -1).reshape(-1, 3) for t in ((a, b, b2), (a, b2, a2))]
    return rows.reshape(-1, 3), np.concatenate(both)


def fringe() -> Iterator[tuple[Reals, Indices]]:
    """Locks on the forehead: azimuth of root and tip, height of the tip, half width, lift."""
    for root, tip, low, wide, lift in (
        (-0.62, -0.76, 0.02, 0.20, 0.10),
        (0.66, 0.78, 0.00, 0.20, 0.10),
        (-0.40, -0.48, 0.30, 0.20, 0.05),
        (0.44, 0.46, 0.28, 0.20, 0.06),
        (-0.12, -0.20, 0.20, 0.19, 0.11),
        (0.18, 0.14, 0.32, 0.18, 0.07),
    ):
        azimuth = np.array([root * 0.4, root * 0.85, (root + tip) / 2, tip])
        points = on_cap(azimuth, np.array([1.36, 1.05, 0.72, 0.3]), np.array([-0.1, lift, lift, 0]))
        points[-1] = [np.sin(tip) * 1.26, low, -1.0 + 1.30 * np.cos(tip)]
        yield lock(points, wide, 0.07, 4.5)


def side_locks() -> Iterator[tuple[Reals, Indices]]:
    """Long locks before the ears, and the bob behind them: azimuth, height of the tip, half width,
    lift, how far the tip turns in.
    """
    for sign in (1, -1):
        for azimuth, low, wide, lift, inward in (
            (3.05, -1.62, 0.40, 0.02, 0.72),
            (2.55, -1.66, 0.36, 0.05, 0.74),
            (2.10, -1.58, 0.36, 0.02, 0.76),
            (1.70, -1.64, 0.32, 0.06, 0.74),
            (1.35, -1.52, 0.27, 0.02, 0.74),
            (1.02, -1.30, 0.20, 0.06, 0.80),
        ):
            a = sign * azimuth * np.array([0.9, 0.97, 1.0, 1.0])
            up = np.array([1.2, 0.7, 0.2, -0.35])
            points = on_cap(a, up, np.array([-0.1, lift, lift + 0.03, lift + 0.06]))
            tip, belly = points[-1].copy(), points[-1].copy()
            tip[1], belly[1] = low, points[-1][1] * 0.45 + low * 0.55
            tip[[0, 2]] = MIDDLE[[0, 2]] + (tip[[0, 2]] - MIDDLE[[0, 2]]) * inward
            yield lock(np.concatenate([points, [belly, tip]]), wide, 0.09, 5.0)


def extras() -> Iterator[tuple[Reals, Indices]]:
    """A curl that stands up at the crown."""
    top = MIDDLE + np.array([0.0, RADII[1] - 0.02, 0.1])
    points = top + np.array([[0, 0, 0], [0.10, 0.30, 0.05], [0.38, 0.42, 0.15], [0.62, 0.22, 0.22]])
    yield lock(points, 0.07, 0.04, 2.0)


def ribbon() -> Iterator[tuple[Reals, Indices]]:
    """A bow on the left of the head."""
    centre = on_cap(np.array(0.72), np.array(0.72), 0.27)
    out = (centre - MIDDLE) / np.linalg.norm(centre - MIDDLE)
    aside = np.cross([0, 1, 0], out)
    aside /= np.linalg.norm(aside)
    up = np.cross(out, aside)
    for sign in (1, -1):
        path = [0 * aside, sign * 0.20 * aside + 0.05 * up, sign * 0.48 * aside + 0.09 * up]
        widths = np.array([0.06, 0.17, 0.26])
        rows = np.stack(
            [
                centre + step + w * (np.cos(t) * up + 0.30 * np.sin(t) * out)
                for step, w in zip(path, widths, strict=True)
                for t in np.arange(12) * 2 * np.pi / 12 * sign
            ]
        ).reshape(3, 12, 3)
        yield _tube(rows)
    knot = np.stack(
        [
            centre + h * up + 0.10 * (np.cos(t) * aside + np.sin(t) * out) * w
            for h, w in ((-0.075, 0.5), (-0.03, 1.0), (0.03, 1.0), (0.075, 0.5))
            for t in np.arange(12) * 2 * np.pi / 12
        ]
    ).reshape(4, 12, 3)
    yield _tube(knot)


def pieces() -> Iterator[tuple[Reals, Indices, str]]:
    """All of it: vertices (V,3), triangles (T,3) and the material of each piece."""
    yield *cap(), "hair"
    for make in (fringe, side_locks, extras):
        for vertices, triangles in make():
            yield vertices, triangles, "hair"
    for vertices, triangles in ribbon():
        yield vertices, triangles, "ribbon"


def shine(vertices: Reals | Floats) -> Reals:
    """How far inside the light ring around the hair vertices (V,3) are: (V,), above 0 inside."""
    away = (vertices - MIDDLE) / RADII
    azimuth = np.arctan2(away[:, 0], away[:, 2])
    elevation = np.arcsin(np.clip(away[:, 1] / np.linalg.norm(away, axis=1), -1, 1))
    jag = 0.05 * np.abs(np.mod(azimuth * 5, 2) - 1)
    return np.asarray(1 - np.abs(elevation - SHINE - jag) / (SHINE_WIDTH + jag))
