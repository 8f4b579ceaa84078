# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies before what, seen from ahead: how much of an eye its lids cover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Doubles, Floats
from ..geometry.mesh import Ints, all_corners
from ..params.analyse import COVERED_EYES, FACE_SKIN
from .surface import Surface


def depths(corners: Doubles, places: Doubles) -> Iterator[tuple[NDArray[np.intp], Doubles]]:
    """For each place: which triangles lie there, and how far ahead (K,) each of these is.

    Args:
        corners: float64 (T,3,3), of triangles
        places: float64 (N,2)
    """
    a, b, c = (corners[:, k, :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    whole = np.flatnonzero(np.abs(area) > 1e-12)
    a, area, depth = a[whole], area[whole], corners[whole, :, 2]
    # columns that lie by themselves are several times as fast
    (to_b_x, to_b_y), (to_c_x, to_c_y) = (
        np.ascontiguousarray((other[whole] - a).T) for other in (b, c)
    )
    a_x, a_y = np.ascontiguousarray(a.T)
    for x, y in places:
        away_x, away_y = x - a_x, y - a_y
        second = (away_x * to_c_y - away_y * to_c_x) / area
        third = (to_b_x * away_y - to_b_y * away_x) / area
        inside = np.flatnonzero((second >= 0) & (third >= 0) & (second + third <= 1))
        low = depth[inside]
        yield (
            whole[inside],
            low[:, 0]
            + second[inside] * (low[:, 1] - low[:, 0])
            + third[inside] * (low[:, 2] - low[:, 0]),
        )


def grid(middle: Floats, reach: tuple[float, float], count: tuple[int, int]) -> Doubles:
    """Places (N,2) around a middle, up to `reach` from it.

    Args:
        middle: float32 (2,)
        reach: to the side and up, in the middle's unit
        count: places in a row and in a column
    """
    x, y = (np.linspace(-far, far, number) for far, number in zip(reach, count, strict=True))
    return np.asarray(
        np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2) + middle.astype(np.float64)
    )


@dataclass(frozen=True)
class Covered:
    """Of an eye, shares of places, 0 to 1. lid: at which the skin lies as lids do and before all of
    the eye. behind: at which something of an eye is behind it. seen: at which what is behind it
    there is seen all the same, above or below.
    """

    lid: float = 0.0
    behind: float = 0.0
    seen: float = 0.0


def lids(surface: Surface, landmarks: Mapping[str, Floats], side: str) -> Covered:
    """How much of an eye its lids cover.

    The eye is its ball, where one is found, else what is neither skin nor as big as hair. Layers
    that lie on the lids, as shades and shadows do, are of the lids.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
        side: left or right
    """
    inner, outer = (
        landmarks[f"eye_{which}_{side}"].astype(np.float64) for which in ("inner", "outer")
    )
    half = float(np.linalg.norm((inner - outer)[:2])) / 2
    if half <= 0:
        return Covered()
    eye = ~surface.skins[0] & ~surface.bulky
    if side in surface.balls:
        eye = np.zeros_like(eye)
        eye[surface.balls[side][0]] = True
    middle = ((inner + outer) / 2)[:2].astype(np.float32)
    places = grid(
        middle,
        (COVERED_EYES.reach_across * half, COVERED_EYES.reach_up * half),
        (COVERED_EYES.places_across, COVERED_EYES.places_up),
    )
    pieces, before = _before_lids(surface, eye, places, _line(places[:, 0], inner, outer))
    if not pieces:
        return Covered()
    every, away = np.concatenate(pieces), np.concatenate(before)
    count = int(surface.pieces.max()) + 1
    near, hidden, all_ = (
        np.bincount(every, flags, count)
        for flags in (
            (away > 0) & (away < FACE_SKIN.layers),
            (away < 0) & (away > -COVERED_EYES.behind),
            away > -np.inf,
        )
    )
    layer = near > COVERED_EYES.layer * all_
    covered = sum(
        not ((far > 0) & ~layer[piece]).any() for piece, far in zip(pieces, before, strict=True)
    )
    behind = sum(bool(((far < 0) & (far > -COVERED_EYES.behind)).any()) for far in before)
    own = (hidden > 0) & ~layer
    tall = grid(
        middle,
        (COVERED_EYES.reach_across * half, COVERED_EYES.tall * half),
        (COVERED_EYES.places_across, COVERED_EYES.tall_rows),
    )
    seen = sum(
        bool((ahead[own[piece]] > skin).any()) for skin, piece, ahead in _stacks(surface, eye, tall)
    )
    return Covered(covered / len(places), behind / len(places), seen / len(tall))


def _before_lids(
    surface: Surface, eye: NDArray[np.bool_], places: Doubles, levels: Doubles
) -> tuple[list[Ints], list[Doubles]]:
    """Of each of places (N,2) that skin covers as lids do: the pieces (K,) of the eye, flags (F,),
    that lie there, and how far before the skin (K,). levels (N,): how far ahead the line between
    the eye's corners is.
    """
    pieces: list[Ints] = []
    before: list[Doubles] = []
    for (skin, piece, ahead), level in zip(_stacks(surface, eye, places), levels, strict=True):
        if skin >= level - COVERED_EYES.lid_depth:
            pieces.append(piece)
            before.append(ahead - skin)
    return pieces, before


def _stacks(
    surface: Surface, eye: NDArray[np.bool_], places: Doubles
) -> Iterator[tuple[float, Ints, Doubles]]:
    """For each of places (N,2): how far ahead the skin is, -inf where there is none, and the pieces
    (K,) of the eye, flags (F,), with theirs (K,).
    """
    low, high = places.min(axis=0), places.max(axis=0)
    near = np.ones(len(surface.triangles), bool)
    for axis in (0, 1):  # by columns, which is ten times as fast
        one, two, three = surface.vertices[:, axis].take(surface.triangles.T)
        near &= np.maximum(np.maximum(one, two), three) >= low[axis]
        near &= np.minimum(np.minimum(one, two), three) <= high[axis]
    triangles = surface.triangles[near]
    corners = surface.vertices[triangles].astype(np.float64)
    lid, own = all_corners(surface.skins[1], triangles), all_corners(eye, triangles)
    for which, ahead in depths(corners, places):
        mine = own[which]
        yield (
            float(ahead[lid[which]].max(initial=-np.inf)),
            surface.pieces[triangles[which[mine], 0]],
            ahead[mine],
        )


def _line(x: Doubles, inner: Doubles, outer: Doubles) -> Doubles:
    """How far ahead (N,) the line between an eye's corners (3,) is at x (N,)."""
    across = outer[0] - inner[0]
    share = np.clip((x - inner[0]) / across, 0, 1) if across else np.zeros_like(x)
    return np.asarray(inner[2] + share * (outer[2] - inner[2]))
