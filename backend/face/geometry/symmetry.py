# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane in which a face mirrors, from its points alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..params.geometry import BLOCKS, PLANE
from .mesh import AXIS_PLACES, Floats, bounds, nearest

AROUND = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3), axis=-1).reshape(-1, 3)


def mirror_plane(points: Floats, normals: Floats) -> tuple[NDArray[np.float64], float, float]:
    """Normal (3,), offset and share of the mirror plane near x = 0: normal . p = offset. share is
    the part of the probes that find a partner: near 1 for a symmetric face.

    Iterated closest points with a reflection, point to plane (Chen and Medioni 1992): each round
    pairs mirrored points with their nearest neighbours and solves for the plane to first order.

    Args:
        points: float64 (P,3), best first
        normals: float (P,3), unit
    """
    cloud, facing = (
        points[: PLANE.points].astype(np.float64),
        normals[: PLANE.points].astype(np.float64),
    )
    probes = cloud[: PLANE.probes]
    among = cloud.astype(np.float32)
    normal, offset, share = np.array([1.0, 0, 0]), 0.0, 0.0
    partner, settled = np.full(len(probes), -1), False
    for _ in range(PLANE.rounds):
        mirrored = probes - 2 * (probes @ normal - offset)[:, None] * normal
        if (
            not settled
        ):  # once all find the same partners again, only the plane moves, and less and less
            before, partner = partner, nearest(mirrored.astype(np.float32), among)
            settled = np.array_equal(before, partner)
        gap, toward = cloud[partner] - mirrored, facing[partner]
        far = np.linalg.norm(gap, axis=1)
        share = float((far < PLANE.close).mean())
        near = far < PLANE.near
        if near.sum() < PLANE.fewest:
            break
        # gap = -2 [(a y + b z - d) along x, and (a, b) x across], to first order in the corrections
        # a, b, d
        (x, y, z), (nx, ny, nz) = probes[near].T, toward[near].T
        rows = -2 * np.stack([y * nx + x * ny, z * nx + x * nz, -nx], axis=1)
        weight = 1 / (PLANE.softening + far[near])
        a, b, d = np.linalg.lstsq(
            rows * weight[:, None], (gap[near] * toward[near]).sum(axis=1) * weight, rcond=None
        )[0]
        turned = normal + np.array([0, a, b])
        length = float(np.linalg.norm(turned))
        normal, offset = turned / length, float((offset + d) / length)
        if max(abs(a), abs(b), abs(d)) < PLANE.settled:
            break
    return normal, offset, share


def settled_plane(
    points: Floats, probes: Floats, normal: NDArray[np.float64], offset: float
) -> tuple[NDArray[np.float64], float]:
    """A mirror plane, normal (3,) . p = offset, moved to the one in which the mesh mirrors but for
    rounding, where there is such a one: `mirror_plane` looks at few points, whose partners need not
    be among them, and so lies a little beside it.

    Args:
        points: float32 (P,3), all there are
        probes: float32 (Q,3), some of them, whose partners are looked for
        normal: (3,), near x
        offset: of the plane
    """
    first = normal, offset
    cloud, mine = points.astype(np.float64), probes.astype(np.float64)
    for near in _narrowing():
        mirrored = mine - 2 * (mine @ normal - offset)[:, None] * normal
        places, some = mirrored.astype(np.float32), np.arange(len(points))
        if len(points) * len(places) > BLOCKS.table:  # what lies farther away is no partner
            some = _within(points, places, 2 * near)
            if not len(some):
                return first
        partner = cloud[some[nearest(places, points[some])]]
        paired = np.abs(partner - mirrored).max(axis=1) < near
        if paired.mean() < PLANE.paired:
            return first
        # the middle between partners lies in the plane, and the way between them along its normal
        middle, way = (mine + partner)[paired] / 2, (partner - mine)[paired]
        way *= np.sign(way @ normal)[:, None]
        along = way.sum(axis=0)
        length = float(np.linalg.norm(along))
        if length < near * len(way):  # all of it lies in the plane
            return first
        normal = along / length
        offset = float((middle @ normal).mean())
    return normal, offset


def _within(points: Floats, places: Floats, reach: float) -> NDArray[np.intp]:
    """Which of some points (P,3) may lie within reach of any of some places (Q,3): all that do, and
    what is in the same cells of a grid.
    """
    low = bounds(places)[0] - 2 * reach
    cell, touched = (np.floor((some - low) / reach).astype(np.int64) for some in (points, places))
    near = (cell >= 0).all(axis=1) & (cell <= bounds(touched)[1] + 1).all(axis=1)
    numbers = np.unique((touched[:, None] + AROUND).reshape(-1, 3) @ AXIS_PLACES)
    mine = np.flatnonzero(near)
    return mine[np.isin(cell[mine] @ AXIS_PLACES, numbers)]


def _narrowing() -> Iterator[float]:
    """How near partners are in each round: some pairs are wrong, so the plane of a round lies
    beside the mesh's by less than its own `near`, but not by as little as is exact.
    """
    near = PLANE.beside
    while near > PLANE.exact:
        yield near
        near *= PLANE.narrowed
    yield PLANE.exact
