# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before an upper lid though it is one with the skin: lashes, liners and folds that
grow out of the lid's edge. Another face of the skin lies behind each of their vertices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, all_corners, connected_parts, edges_of
from ..params.analyse import EYE_PARTS, LASHES, STANDING
from .openings import Opening
from .surface import Flags, Surface


def standing(surface: Surface, opening: Opening, above: Floats, upper: Floats) -> Flags:
    """Which vertices of the skin stand before it, from an upper lid's edge on.

    Args:
        surface: the face's surface
        opening: of the eye
        above: float32 (F,), how far above the upper edge vertices are, in the opening's heights
        upper: float32 (F,3), the upper edge's point at each vertex, in the opening's units

    Returns:
        Flags (F,). What hangs before the eye from elsewhere, as a fringe does, is none of it.
    """
    found = np.zeros(len(above), bool)
    local, out = opening.local, opening.local[:, 2] - upper[:, 2]
    window = (
        opening.skin
        & (np.abs(local[:, 0]) < STANDING.aside)
        & (above > -STANDING.below)
        & (above < STANDING.reach)
        & (out > -STANDING.far)
    )
    some = np.flatnonzero(window & (out > STANDING.least))
    faces = surface.triangles[:0]
    if len(some):
        near = window[surface.triangles].any(axis=1) & all_corners(opening.skin, surface.triangles)
        faces = surface.triangles[near]
        faces = faces[_seen(local[faces])]
    if not len(faces):
        return found
    some = some[np.argsort(local[some, 0], kind="stable")]
    behind = np.concatenate(
        [
            _behind(some[first : first + STANDING.at_once], faces, opening, surface)
            for first in range(0, len(some), STANDING.at_once)
        ]
    )
    stands = behind > STANDING.least
    found[some[stands]] = True
    hangs = np.zeros(len(found), bool)
    hangs[some[stands & ((behind > STANDING.most) | (above[some] > STANDING.high))]] = True
    return _pieces(_whole(found, hangs, surface), surface, opening, above)


def _seen(corners: Floats) -> Flags:
    """Which faces (T,3,3) are seen from the front, by the way they are wound."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(across[:, 2] > STANDING.facing * np.linalg.norm(across, axis=1))


def _behind(some: NDArray[np.intp], faces: Ints, opening: Opening, surface: Surface) -> Floats:
    """How far (N,) some vertices stand before the nearest face (T,3) behind them that is not their
    own; 0 where there is none. Beside the opening the face's own sheet stands before that sheet
    alone: before rims and whites that are sewn to it lies every corner of an eye.
    """
    group, main, local = surface.group, surface.skins[1], opening.local
    first_column, last_column = opening.columns[[0, -1]]
    beside = (local[some, 0] < first_column) | (local[some, 0] > last_column)
    x, y, z = local[some].T[..., None]
    low, high = local[faces, 0].min(axis=1), local[faces, 0].max(axis=1)
    faces = faces[(low <= x.max()) & (high >= x.min())]
    if not len(faces):
        return np.zeros(len(some), np.float32)
    a, b, c = (local[faces[:, corner]].T for corner in range(3))
    twice = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1])
    twice = np.where(np.abs(twice) < 1e-9, np.inf, twice)
    first = ((b[1] - c[1]) * (x - c[0]) + (c[0] - b[0]) * (y - c[1])) / twice
    second = ((c[1] - a[1]) * (x - c[0]) + (a[0] - c[0]) * (y - c[1])) / twice
    third = 1 - first - second
    before = z - (first * a[2] + second * b[2] + third * c[2])
    covers = (first >= 0) & (second >= 0) & (third >= 0) & np.isfinite(twice)
    row, face = np.nonzero(covers & (before > STANDING.least) & (before < STANDING.far))
    others = (group[faces[face]] != group[some[row], None]).all(axis=1)
    others &= main[faces[face, 0]] | ~(main[some] & beside)[row]
    found = np.full(len(some), np.inf)
    np.minimum.at(found, row[others], before[row[others], face[others]])
    return np.where(np.isfinite(found), found, 0).astype(np.float32)


def _whole(found: Flags, hangs: Flags, surface: Surface) -> Flags:
    """Of what was found (F,) the pieces of a few vertices and more, none of which hangs (F,)."""
    edges = edges_of(surface.triangles[all_corners(found, surface.triangles)])
    if not len(edges):
        return np.zeros_like(found)
    part = connected_parts(len(found), np.concatenate([edges, edges[:, :1]], axis=1))
    wrong = np.bincount(part[found]) < STANDING.few
    wrong[part[hangs]] = True
    return np.asarray(found & ~wrong[np.where(found, part, part[found][0])])


def _pieces(found: Flags, surface: Surface, opening: Opening, above: Floats) -> Flags:
    """What was found (F,) with the rest of pieces that are sewn to the skin, of which so much was
    found that they are lashes: at the sides of an eye no skin lies behind their tips.
    """
    own = opening.skin & ~surface.skins[1]
    if not (found & own).any():
        return found
    count = int(surface.pieces.max()) + 1
    aside = np.abs(opening.local[:, 0])
    beyond = (above > STANDING.high) | (aside > LASHES.flap_aside)
    hangs = (above < -STANDING.below) & (aside < EYE_PARTS.fills_aside)
    stood, whole, astray = (
        np.bincount(surface.pieces[some], minlength=count)
        for some in (found & own, own, own & (beyond | hangs))
    )
    lash = (stood > STANDING.share * whole) & (astray == 0)
    return np.asarray(found | own & lash[surface.pieces])


def reach_of(stands: Flags, opening: Opening, above: Floats) -> Floats:
    """How far above the edge (F,) what stands (F,) before the lid reaches in each vertex's column,
    in the opening's heights; 0 where nothing stands.

    Args:
        stands: of `standing`
        opening: of the eye
        above: float32 (F,), how far above the upper edge vertices are
    """
    mine = np.flatnonzero(stands)
    if not len(mine):
        return np.zeros_like(above)
    beside = np.abs(opening.local[mine, 0] - opening.columns[:, None])
    reach = np.where(beside < STANDING.beside, np.maximum(above[mine], 0), 0).max(axis=1)
    return np.asarray(np.interp(opening.local[:, 0], opening.columns, reach), np.float32)
