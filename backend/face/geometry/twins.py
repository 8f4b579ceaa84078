# SPDX-License-Identifier: GPL-3.0-or-later
"""Vertices that a model need not look at, because what it sees of them is what it sees of another,
or that one's mirror image: both halves of a symmetric face, and vertices that were split for UVs.

The halves of a mesh whose vertices mirror are made alike also where its triangles do not: quads are
cut along the same diagonal on both sides. So shapes hang less on how a mesh was cut. What is seen
of an opening may differ much by that; whether it is the cut or an eye that is closed beside an open
one, all vertices around the opening tell together: where it is the cut, all lie as mirror images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...values import Twins
from ..params.geometry import LIKENESS
from .landmarks import NAMES, mirrored
from .mesh import Floats
from .ticks import tick

Places = NDArray[np.intp]
ACROSS = (-1, 1, 1)  # a point or a way in the mirror
# of what a decoder sees of a vertex: vertices, normals, centre and extent of the part, sides, ways
MIRROR = np.array((*ACROSS, *ACROSS, *ACROSS, 1, 1, 1, 1, 1, *ACROSS, *ACROSS), np.float32)
WIDTHS = (3, 3, 6, 2, 6)
_, NORMAL, _, SIDE, WAY = (
    slice(int(end) - width, int(end)) for width, end in zip(WIDTHS, np.cumsum(WIDTHS), strict=True)
)
# the columns of side and way of the mouth, and those of the eyes
OPENINGS = (
    (SIDE.start, slice(WAY.start, WAY.start + 3)),
    (SIDE.start + 1, slice(WAY.start + 3, WAY.stop)),
)


def twins_of(seen: Sequence[Floats], landmarks: Floats) -> Twins | None:
    """Which vertices a decoder need look at. None where the face is not symmetric or hardly any has
    a twin.

    Args:
        seen: what it sees of each vertex: vertices (F,3), normals (F,3), parts (F,6),
            lip_lid_side (F,2), opposite_edge (F,6), canonical
        landmarks: (L,3), canonical, in the order of landmarks.NAMES
    """
    other = [NAMES.index(mirrored(name)) for name in NAMES]
    if len(landmarks) != len(NAMES):
        return None
    if np.abs(landmarks[other] * np.array(ACROSS, np.float32) - landmarks).max() > LIKENESS.within:
        return None
    rows = np.concatenate(seen, axis=1)
    # mirror images and copies have the same of it
    place = np.abs(rows[:, 0]) + rows[:, 1] * np.float32(np.e) + rows[:, 2] * np.float32(np.pi)
    order = np.argsort(place, kind="stable")
    first = _first(rows, place, order)
    first_ones = order[first[order] == order]
    partner = _partners(rows, place, first_ones, _allowed())
    left = first_ones[partner[first_ones] < 0]
    if any(alike := _openings_alike(rows, place, first_ones, left)):
        partner[left] = _partners(rows, place, left, _allowed(alike))[left]
    own = np.flatnonzero(partner > np.arange(len(rows)))
    if 2 * len(own) < LIKENESS.fewest * len(rows):
        return None
    copies = np.flatnonzero(first != np.arange(len(rows)))
    alone = np.sort(first_ones[partner[first_ones] < 0])
    return Twins(own, partner[own], alone, copies, first[copies])


def evened(seen: Sequence[Floats], twins: Twins) -> tuple[Floats, ...]:
    """What a model sees of vertices, with twins exact mirror images of each other, the mean of
    both, and copies as what they are copies of.

    Args:
        seen: as `twins_of` takes it, each (F,...)
        twins: of the face
    """
    tick()
    rows = np.concatenate(seen, axis=1)
    left, right = twins.left, twins.right
    mean = (rows[left] + rows[right] * MIRROR) / 2
    facing = mean[:, NORMAL]
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), np.float32(1e-6))
    rows[right], rows[left] = mean * MIRROR, mean
    rows[twins.copies] = rows[twins.of]
    return tuple(
        np.ascontiguousarray(some) for some in np.split(rows, np.cumsum(WIDTHS)[:-1], axis=1)
    )


def needed(twins: Twins | None, asked: NDArray[np.bool_]) -> Twins:
    """Which vertices a decoder need look at where only those of some are asked for.

    Args:
        twins: of the face, if it has any
        asked: flags (F,)
    """
    if twins is None:
        nothing = np.empty(0, np.intp)
        return Twins(nothing, nothing, np.flatnonzero(asked), nothing, nothing)
    asked, copies = asked.copy(), asked[twins.copies]
    asked[twins.of[copies]] = True
    pairs = asked[twins.left] | asked[twins.right]
    return Twins(
        twins.left[pairs],
        twins.right[pairs],
        twins.alone[asked[twins.alone]],
        twins.copies[copies],
        twins.of[copies],
    )


def _close(place: Floats, order: Places, step: int, far: float) -> tuple[Places, Places]:
    """Vertices and those `step` behind them in an order by place, which are no more than `far`
    apart.
    """
    tick()
    one, two = order[: len(order) - step], order[step:]
    near = place[two] - place[one] <= far
    return one[near], two[near]


def _first(rows: Floats, place: Floats, order: Places) -> Places:
    """For each vertex (F,) the first one with the same row (F,20), or itself."""
    first = np.arange(len(rows))
    for step in range(1, LIKENESS.reach):
        one, two = _close(place, order, step, 0)
        same = (rows[one] == rows[two]).all(axis=1)
        first[two[same]] = one[same]
    while not np.array_equal(first, first[first]):
        first = first[first]
    return first


def _allowed(alike: Sequence[bool] = (False, False)) -> Floats:
    """By how much rows (20,) of mirror images may differ. alike: whether the halves of the mouth
    and of the eyes do mirror, so that what is seen of them differs by how the mesh was cut.
    """
    p, same = LIKENESS, LIKENESS.within
    allowed = np.repeat((same, p.normals, same, p.lip_lid_side, p.opposite_edge), WIDTHS)
    for (side, way), mirrors in zip(OPENINGS, alike, strict=True):
        if mirrors:
            allowed[side], allowed[way] = p.cut_lip_lid_side, p.cut_opposite_edge
    return np.asarray(allowed, np.float32)


def _openings_alike(rows: Floats, place: Floats, order: Places, left: Places) -> list[bool]:
    """Whether the mouth's halves are mirror images, and both eyes: whether hardly any of the
    vertices around lacks one.

    Args:
        rows: float32 (F,20), what is seen of each
        place: float32 (F,)
        order: (O,), vertices by place
        left: (L,), those that have no partner yet
    """
    anything = np.full(rows.shape[1], np.inf, np.float32)
    anything[:3] = LIKENESS.within
    lone = left[_partners(rows, place, left, anything, any_lip=True)[left] < 0]
    lone = lone[np.abs(rows[lone, 0]) > LIKENESS.within]
    most = 1 - LIKENESS.mirrored
    return [
        bool((rows[lone, side] != 0).sum() <= most * (rows[order, side] != 0).sum())
        for side, _ in OPENINGS
    ]


def _partners(
    rows: Floats, place: Floats, order: Places, allowed: Floats, *, any_lip: bool = False
) -> Places:
    """For each vertex (F,) of those in order, by place, the one whose row (F,20) is its own in the
    mirror, -1 where there is none.

    Args:
        rows: float32 (F,20), what is seen of each
        place: float32 (F,)
        order: (O,), vertices by place
        allowed: float32 (20,), by so much rows may differ
        any_lip: also one that lies on the other lip or lid, in one place where these are closed
    """
    partner = np.full(len(rows), -1)
    for step in range(1, LIKENESS.reach):
        one, two = _close(place, order, step, 2 * np.e * LIKENESS.within)
        new = (partner[one] < 0) & (partner[two] < 0)
        new &= np.abs(rows[one, 0]) > LIKENESS.within  # of which side others are, rounding tells
        one, two = one[new], two[new]
        alike = (np.abs(rows[one] * MIRROR - rows[two]) <= allowed).all(axis=1)
        one, two = one[alike], two[alike]
        if not any_lip:
            same = ~_across(rows[one, SIDE], rows[two, SIDE])
            one, two = one[same], two[same]
        partner[one] = two
        partner[two] = one
        wrong = partner[partner[one]] != one  # of three in one place
        partner[one[wrong]] = -1
    lost = np.flatnonzero((partner >= 0) & (partner[partner] != np.arange(len(rows))))
    partner[lost] = -1
    return partner


def _across(one: Floats, two: Floats) -> NDArray[np.bool_]:
    """Which pairs (N,) lie on both sides of an opening, not just about its corner. one, two (N,2):
    their sides.
    """
    apart = np.abs(one - two) > LIKENESS.lip_lid_side
    return np.asarray((apart & (one * two < 0)).any(axis=1))
