# SPDX-License-Identifier: GPL-3.0-or-later
"""What surrounds a face: locks of hair in the manner of anime avatars, caps of hair, bodies,
clothes, hats. Canonical frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rig import Floats, Ints

SKULL_CENTRE, SKULL_RADII = np.array([0.0, 0.1, -1.0]), np.array([1.25, 1.35, 1.25])
SEGMENTS = 8

Piece = tuple[Floats, Ints]  # vertices (N,3), triangles (M,3)


def locks(rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Vertices (V,3) and triangles (T,3) of 6 to 150 locks that hang from random roots and stay
    outside the skull.
    """
    count = int(rng.integers(6, rng.choice([40, 150])))
    radii = SKULL_RADII * np.exp(rng.normal(0, 0.08, 3))
    root = rng.normal(size=(count, 3)) * [1, 0.6, 1] + [0, 0.9, rng.uniform(-0.3, 0.4)]
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    length = rng.uniform(0.5, rng.uniform(1.0, 4.0), count)
    width = rng.uniform(0.05, rng.uniform(0.1, 0.4), count)
    heading = root * [1, 0.2, 1] + rng.normal(0, 0.25, (count, 3))
    gravity = rng.uniform(0.15, 0.6)
    path, directions = [root], [heading / np.linalg.norm(heading, axis=1, keepdims=True)]
    for _ in range(SEGMENTS):
        heading = (
            directions[-1] * 0.75 + np.array([0, -gravity, 0]) + rng.normal(0, 0.05, (count, 3))
        )
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        step = path[-1] + heading * (length / SEGMENTS)[:, None] / radii.mean()
        far = np.linalg.norm(step, axis=1, keepdims=True)
        path.append(step * np.maximum(1, 1.02 / np.maximum(far, 1e-6)))
        directions.append(heading)
    middle = np.stack(path, axis=1) * radii + SKULL_CENTRE  # (N,S,3)
    along = np.gradient(middle, axis=1)
    out = middle - SKULL_CENTRE
    aside = np.cross(along, out)
    aside /= np.linalg.norm(aside, axis=2, keepdims=True) + 1e-9
    out /= np.linalg.norm(out, axis=2, keepdims=True) + 1e-9
    taper = (np.sin(np.linspace(0.6, np.pi, SEGMENTS + 1)) + 0.02)[None, :, None] * width[
        :, None, None
    ]
    rings = np.stack(
        [middle - aside * taper, middle + out * taper * 0.35, middle + aside * taper], axis=2
    )  # (N,S,3 corners,3)
    index = np.arange(rings[..., 0].size).reshape(rings.shape[:3])
    a, b = index[:, :-1], index[:, 1:]
    a2, b2 = np.roll(a, -1, axis=2), np.roll(b, -1, axis=2)
    triangles = np.concatenate(
        [np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, a2), (a2, b, b2))]
    )
    return np.ascontiguousarray(rings.reshape(-1, 3), np.float32), np.ascontiguousarray(
        triangles, np.int32
    )


def _cap(rng: np.random.Generator) -> Piece:
    """Short hair: the back and top of an ellipsoid around the skull."""
    cut = rng.uniform(-0.5, 0.3)
    vertices, triangles = ellipsoid(
        40, 48, SKULL_CENTRE + [0, 0.1, -0.1], SKULL_RADII * rng.uniform(1.0, 1.2, 3)
    )
    level = vertices @ np.array([0, 1, -rng.uniform(0.5, 2.0)]) - SKULL_CENTRE @ np.array(
        [0, 1, -1.0]
    )
    return vertices, triangles[(level > cut)[triangles].all(axis=1)]


def _body(rng: np.random.Generator) -> list[Piece]:
    """Neck, trunk, arms, and now and then a collar or a scarf."""
    low, wide = -rng.uniform(2.2, 3.2), rng.uniform(1.2, 2.4)
    neck = np.array([0.5, 1.2, 0.5]) * rng.uniform(0.7, 1.3, 3)
    pieces = [
        ellipsoid(24, 24, np.array([0, low, -1.1]), neck),
        ellipsoid(32, 32, np.array([0, low - 2.6, -1.1]), np.array([wide, 2.4, 0.8])),
    ]
    for side in (-1, 1):
        arm = np.array([side * (wide + 0.4), low - 2.8, -1.1])
        pieces.append(ellipsoid(24, 16, arm, np.array([0.4, 2.4, 0.4])))
    if rng.random() < 0.5:
        size = np.array([0.9, rng.uniform(0.15, 0.5), 0.9]) * rng.uniform(0.8, 1.3)
        pieces.append(ellipsoid(12, 32, np.array([0, low + 0.2, -1.0]), size))
    return pieces


def _hat(rng: np.random.Generator) -> Piece:
    """A hat or a hood."""
    centre = np.array([0, rng.uniform(1.0, 1.8), -1.0])
    return ellipsoid(24, 32, centre, rng.uniform([1.2, 0.3, 1.2], [2.0, 1.0, 2.0]))


def _ears(rng: np.random.Generator) -> list[Piece]:
    """Ears of an animal, or horns."""
    return [
        ellipsoid(
            12,
            12,
            np.array([side * 0.8, 1.6, -1.0]),
            rng.uniform([0.15, 0.4, 0.1], [0.4, 0.9, 0.3]),
        )
        for side in (-1, 1)
    ]


def surroundings(rng: np.random.Generator) -> Piece:
    """Vertices and triangles of hair, a cap of hair, a body, a collar, a hat and ears, each drawn
    or left out.
    """
    pieces = []
    if rng.random() < 0.75:
        pieces.append(locks(rng))
    if rng.random() < 0.6:
        pieces.append(_cap(rng))
    if rng.random() < 0.75:
        pieces += _body(rng)
    if rng.random() < 0.25:
        pieces.append(_hat(rng))
    if rng.random() < 0.3:
        pieces += _ears(rng)
    if not pieces:
        pieces.append(locks(rng))
    starts = np.cumsum([0, *(len(v) for v, _ in pieces)])
    triangles = [t + s for (_, t), s in zip(pieces, starts, strict=False)]
    return (
        np.ascontiguousarray(np.concatenate([v for v, _ in pieces]), np.float32),
        np.ascontiguousarray(np.concatenate(triangles), np.int32),
    )


def ellipsoid(
    rows: int, columns: int, centre: NDArray[np.floating[Any]], radii: NDArray[np.floating[Any]]
) -> tuple[Floats, Ints]:
    polar, around = np.meshgrid(
        np.linspace(0.05, np.pi - 0.05, rows),
        np.arange(columns) * 2 * np.pi / columns,
        indexing="ij",
    )
    unit = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1
    ).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1], np.roll(index, -1, axis=1)[:-1]
    c, d = index[1:], np.roll(index, -1, axis=1)[1:]
    triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    return np.asarray(unit * radii + centre, np.float32), triangles.astype(np.int32)
