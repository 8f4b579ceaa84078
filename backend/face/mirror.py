# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertex is which one's mirror image, and shapes made exact mirror images where a mesh is symmetric."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .frame import Floats
from .landmarks import mirrored
from .symmetry import mirror_plane

FACE_CENTRE, FACE_RADIUS = (0.0, -0.5, -0.1), 1.2  # canonical: where a face is symmetric whatever the hair does
NEAR, CLOSE = 0.02, 0.004  # canonical units within which partners are sought at first, and once the plane is known from them
PAIRED = 0.9  # share of the face's vertices with a partner from which on its mesh is symmetric
FEW = 100  # vertices of a face below which nothing is said
AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def partners(points: Floats, normals: Floats, normal: NDArray[np.float64], offset: float, tolerance: float) -> NDArray[np.intp]:
    """Index (P,) of the point nearest to each one's mirror image in the plane normal . p = offset; -1 where none is within the tolerance.

    points, normals (P,3). Looked up in a grid of cells as wide as the tolerance. Of several in one place, as on closed lips, the one that
    faces the mirrored way is taken; one that faces the opposite way never is.
    """
    if not len(points):
        return np.empty(0, np.intp)
    exact = points.astype(np.float64)
    image = exact - 2 * (exact @ normal - offset)[:, None] * normal
    facing = normals - 2 * (normals @ normal)[:, None] * normal
    low = np.minimum(exact.min(axis=0), image.min(axis=0))
    cell, wanted = (np.floor((p - low) / tolerance).astype(np.int64) + 1 for p in (exact, image))
    factors = np.cumprod([1, *(np.maximum(cell.max(axis=0), wanted.max(axis=0))[:2] + 2)])
    keys = cell @ factors
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    best, distance = np.full(len(points), -1, np.intp), np.full(len(points), np.inf)
    for shift in AROUND:
        start = np.searchsorted(sorted_keys, (wanted + shift) @ factors)
        stop = np.searchsorted(sorted_keys, (wanted + shift) @ factors, side="right")
        for turn in range(int((stop - start).max(initial=0))):
            mine = np.flatnonzero(start + turn < stop)
            other = order[start[mine] + turn]
            far = np.linalg.norm(exact[other] - image[mine], axis=1)
            alike = (normals[other] * facing[mine]).sum(axis=1)
            score = np.where((far < tolerance) & (alike > -0.2), far + tolerance * (1 - alike), np.inf)
            nearer = score < distance[mine]
            best[mine[nearer]], distance[mine[nearer]] = other[nearer], score[nearer]
    return best


def symmetric_partners(points: Floats, normals: Floats) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
    """Each point's partner (P,), -1 for none, and the normal (3,) of the mirror plane, near x = 0, of a face that is symmetric; else None.

    points, normals (P,3), canonical. The plane is found from the face's points alone, then from the pairs that it gives.
    """
    near = np.flatnonzero(((points - np.array(FACE_CENTRE, np.float32)) ** 2).sum(axis=1) < FACE_RADIUS**2)
    if len(near) < FEW:
        return None
    mixed = np.random.default_rng(0).permutation(near)
    normal, offset, _share = mirror_plane(points[mixed], normals[mixed])
    for _ in range(2):
        partner = partners(points[near], normals[near], normal, offset, NEAR)
        one = np.flatnonzero(partner >= 0)
        across = (points[near[one]] - points[near[partner[one]]]).astype(np.float64)
        across = across[np.abs(across @ normal) > NEAR]
        if len(across) < FEW / 2:
            return None
        across *= np.sign(across @ normal)[:, None]
        normal = across.sum(axis=0) / np.linalg.norm(across.sum(axis=0))
        offset = float(np.median((points[near[one]] + points[near[partner[one]]]) @ normal) / 2)
    found = partners(points, normals, normal, offset, CLOSE)
    return (found, normal) if (found[near] >= 0).mean() > PAIRED else None


def alike(points: Floats, normals: Floats, shapes: Mapping[str, Floats]) -> dict[str, Floats]:
    """Shapes, name -> offsets (P,3), of which left and right ones are mirror images and the others symmetric, where the face is. canonical."""
    found = symmetric_partners(points, normals)
    if found is None:
        return dict(shapes)
    partner, normal = found[0], found[1].astype(np.float32)
    here = np.flatnonzero(partner >= 0)
    there = partner[here]
    after = {}
    for name, offsets in shapes.items():
        image = shapes.get(mirrored(name), offsets)[there]
        after[name] = offsets.copy()
        after[name][here] = (offsets[here] + image - 2 * (image @ normal)[:, None] * normal) / 2
    return after
