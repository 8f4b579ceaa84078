# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies before what, seen from ahead: how much of an eye its lids cover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Doubles, Floats
from ..geometry.mesh import all_corners
from .surface import Surface

PLACES = (9, 5)  # places across an eye and up
REACH = (0.5, 0.15)  # half widths of the eye from its middle up to which they lie: where every open eye shows
NEAR = 0.15  # canonical units behind the line between an eye's corners that its lids lie at most; what is farther in is a socket
BEHIND = 0.5  # canonical units behind closed lids within which the eye is


def depths(corners: Doubles, places: Doubles) -> Iterator[tuple[NDArray[np.intp], Doubles]]:
    """For each of places (N,2): which triangles, of corners (T,3,3), lie there, and how far ahead (K,) each of these is."""
    a, b, c = (corners[:, k, :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    kept = np.flatnonzero(np.abs(area) > 1e-12)
    a, b, c, area, depth = a[kept], b[kept], c[kept], area[kept], corners[kept, :, 2]
    for place in places:
        away = place - a
        second = (away[:, 0] * (c - a)[:, 1] - away[:, 1] * (c - a)[:, 0]) / area
        third = ((b - a)[:, 0] * away[:, 1] - (b - a)[:, 1] * away[:, 0]) / area
        inside = np.flatnonzero((second >= 0) & (third >= 0) & (second + third <= 1))
        low = depth[inside]
        yield kept[inside], low[:, 0] + second[inside] * (low[:, 1] - low[:, 0]) + third[inside] * (low[:, 2] - low[:, 0])


def grid(middle: Floats, reach: tuple[float, float], count: tuple[int, int]) -> Doubles:
    """Places (N,2) around a middle (2,), up to `reach` from it."""
    x, y = (np.linspace(-far, far, number) for far, number in zip(reach, count, strict=True))
    return np.asarray(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) + middle.astype(np.float64))


def lids(there: Surface, landmarks: Mapping[str, Floats], side: str) -> tuple[float, float]:
    """At which share of places in an eye the skin lies as lids do and before all of the eye, and at which share something of an eye is behind it.

    The eye is its ball, where one is found, else what is neither skin nor as big as hair. landmarks: name -> (3,), canonical.
    """
    inner, outer = (landmarks[f"eye_{which}_{side}"].astype(np.float64) for which in ("inner", "outer"))
    half = float(np.linalg.norm((inner - outer)[:2])) / 2
    if half <= 0:
        return 0.0, 0.0
    places = grid(((inner + outer) / 2)[:2].astype(np.float32), (REACH[0] * half, REACH[1] * half), PLACES)
    at = there.vertices[there.triangles]
    near = ((at[:, :, :2].max(axis=1) >= places.min(axis=0)) & (at[:, :, :2].min(axis=1) <= places.max(axis=0))).all(axis=1)
    triangles, corners = there.triangles[near], at[near].astype(np.float64)
    eye = ~there.skins[0] & ~there.bulky
    if side in there.balls:
        eye = np.zeros_like(eye)
        eye[there.balls[side][0]] = True
    lid, seen = all_corners(there.skins[1], triangles), all_corners(eye, triangles)
    line = _line(places[:, 0], inner, outer)
    covered = behind = 0
    for (which, ahead), level in zip(depths(corners, places), line, strict=True):
        skin = float(ahead[lid[which]].max(initial=-np.inf))
        if skin < level - NEAR:
            continue
        parts = ahead[seen[which]]
        covered += bool((parts <= skin).all())
        behind += bool(((parts < skin) & (parts > skin - BEHIND)).any())
    return covered / len(places), behind / len(places)


def _line(x: Doubles, inner: Doubles, outer: Doubles) -> Doubles:
    """How far ahead (N,) the line between an eye's corners (3,) is at x (N,)."""
    across = outer[0] - inner[0]
    share = np.clip((x - inner[0]) / across, 0, 1) if across else np.zeros_like(x)
    return np.asarray(inner[2] + share * (outer[2] - inner[2]))
