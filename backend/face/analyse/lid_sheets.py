# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets of a lid's skin that lie on each other without being joined, as the fold over an upper lid
and the lid below it; and faces so large that they pass through an eye though their corners do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, all_corners
from ..params.analyse import SHEETS
from .openings import Opening
from .surface import Flags, Surface


def slits(surface: Surface, opening: Opening, skin: Flags, above: Floats) -> NDArray[np.intp]:
    """Pairs (P,2) of vertices on open borders of the skin over an upper lid that lie on each other
    at rest: no hole may open between them.

    Args:
        surface: the face's
        opening: of the eye
        skin: flags (F,), of the lids
        above: float32 (F,), how far above the upper edge vertices are, in the opening's heights
    """
    none = np.empty((0, 2), np.intp)
    local = opening.local
    window = skin & (above > SHEETS.above_from) & (above < SHEETS.above_to)
    window &= np.abs(local[:, 0]) < SHEETS.aside
    faces = surface.triangles[window[surface.triangles].any(axis=1)]
    faces = faces[all_corners(opening.skin, faces)]
    rims = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    if not len(rims):
        return none
    _one, first, count = np.unique(
        np.sort(surface.group[rims], axis=1), axis=0, return_index=True, return_counts=True
    )
    alone = rims[first[count == 1]]
    alone = alone[window[alone].all(axis=1)]
    border = np.unique(alone)
    if not 2 <= len(border) <= SHEETS.most:
        return none
    at = local[border] * (opening.unit / opening.unit[1])
    far = np.linalg.norm(at[:, None] - at, axis=2)
    one, other = np.nonzero(far < SHEETS.slit)
    # the next vertices along a border are farther away than what lies across a slit
    start, end = np.searchsorted(border, alone).T
    long = np.zeros(len(border), np.float32)
    for corner in (start, end):
        np.maximum.at(long, corner, far[start, end])
    across = far[one, other] < SHEETS.narrow * np.minimum(long[one], long[other])
    groups = surface.group[border]
    apart = across & (groups[one] != groups[other])
    return np.asarray(np.stack([border[one[apart]], border[other[apart]]], axis=1))


def sewn(group: Ints, lash: Flags, skin: Flags) -> NDArray[np.intp]:
    """Pairs (P,2) of vertices of lashes and of the skin in one place, either way around.

    Args:
        group: int32 (F,), vertices in one place share one
        lash: flags (F,)
        skin: flags (F,), of the lids
    """
    one = np.flatnonzero(lash & np.isin(group, group[skin]))
    other = np.flatnonzero(skin & np.isin(group, group[one]))
    rows, columns = np.nonzero(group[one, None] == group[other])
    pairs = np.stack([one[rows], other[columns]], axis=1)
    return np.asarray(np.concatenate([pairs, pairs[:, ::-1]]))


def together(pairs: NDArray[np.intp], values: Floats) -> None:
    """Let vertices of pairs, in place, take the mean of their values.

    Args:
        pairs: int (P,2), of `slits`
        values: float32 (F,) or (F,N)
    """
    if not len(pairs):
        return
    some, place = np.unique(pairs, return_inverse=True)
    one, other = place.reshape(pairs.shape).T
    own = values[some].astype(np.float64)
    total, count = own.copy(), np.ones(len(some))
    np.add.at(total, one, own[other])
    np.add.at(count, one, 1)
    values[some] = total / (count if own.ndim == 1 else count[:, None])


def coarse(triangles: Ints, some: Flags, opening: Opening) -> Ints:
    """Faces (C,3) near an eye that have a side longer than so much of its height.

    Args:
        triangles: int32 (T,3)
        some: flags (F,), of which they are
        opening: of the eye
    """
    local = opening.local
    near = some & (np.abs(local[:, 0]) < SHEETS.aside) & (np.abs(local[:, 1]) < SHEETS.above_to)
    faces = triangles[all_corners(near, triangles)]
    corners = local[faces] * (opening.unit / opening.unit[1])
    rims = corners - corners[:, [1, 2, 0]]
    return np.asarray(faces[np.sqrt((rims**2).sum(axis=2)).max(axis=1) > SHEETS.coarse])
