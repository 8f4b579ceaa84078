# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of hair in the manner of anime avatars: tapered, loose pieces around a skull, fringes before the face. Canonical frame."""

from __future__ import annotations

import numpy as np

from .sources import Floats, Ints

SKULL_CENTRE, SKULL_RADII = np.array([0.0, 0.1, -1.0]), np.array([1.25, 1.35, 1.25])
SEGMENTS = 8


def locks(rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Vertices (V,3) and triangles (T,3) of 6 to 60 locks that hang from random roots and stay outside the skull."""
    count = int(rng.integers(6, 60))
    radii = SKULL_RADII * np.exp(rng.normal(0, 0.08, 3))
    root = rng.normal(size=(count, 3)) * [1, 0.6, 1] + [0, 0.9, rng.uniform(-0.3, 0.4)]
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    length = rng.uniform(0.5, rng.uniform(1.0, 4.0), count)
    width = rng.uniform(0.05, rng.uniform(0.1, 0.4), count)
    heading = root * [1, 0.2, 1] + rng.normal(0, 0.25, (count, 3))
    gravity = rng.uniform(0.15, 0.6)
    path, directions = [root], [heading / np.linalg.norm(heading, axis=1, keepdims=True)]
    for _ in range(SEGMENTS):
        heading = directions[-1] * 0.75 + np.array([0, -gravity, 0]) + rng.normal(0, 0.05, (count, 3))
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
    taper = (np.sin(np.linspace(0.6, np.pi, SEGMENTS + 1)) + 0.02)[None, :, None] * width[:, None, None]
    rings = np.stack([middle - aside * taper, middle + out * taper * 0.35, middle + aside * taper], axis=2)  # (N,S,3 corners,3)
    index = np.arange(rings[..., 0].size).reshape(rings.shape[:3])
    a, b = index[:, :-1], index[:, 1:]
    a2, b2 = np.roll(a, -1, axis=2), np.roll(b, -1, axis=2)
    triangles = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, a2), (a2, b, b2))])
    return np.ascontiguousarray(rings.reshape(-1, 3), np.float32), np.ascontiguousarray(triangles, np.int32)
