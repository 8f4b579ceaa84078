# SPDX-License-Identifier: GPL-3.0-or-later
"""Points that stand for a surface: what the encoder sees of a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frame import Frame
from .mesh import Floats, Ints

COUNT = 1024  # points of a crop that landmarks are read from
COARSE_COUNT = 384  # points of a crop that only asks whether a face is there
CROP_CENTRE = (0.0, -0.3, -0.3)
CROP_RADIUS = 2.2


@dataclass(frozen=True)
class PointCloud:
    """One point per triangle. positions, normals: float32 (T,3); priority: float64 (T,), a fixed draw by which a crop keeps its points.

    Each point's priority is drawn once (weighted sampling without replacement, Efraimidis and Spirakis 2006), so two crops that
    overlap keep the same points where they overlap, and results do not jump when a crop moves a little.
    """

    positions: Floats
    normals: Floats
    priority: NDArray[np.float64]


def cloud_of(vertices: Floats, triangles: Ints, seed: int = 0) -> PointCloud:
    """Centroids and normals of the triangles (T,3); a point's weight is the root of its area: small, shape-giving triangles count more
    than their area and less than their number."""
    corners = vertices.astype(np.float64)[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    normal = np.divide(normal, area[:, None], out=np.zeros_like(normal), where=area[:, None] > 0)
    draw = np.random.default_rng(seed).gumbel(size=len(triangles))
    typical = float(np.median(area)) or 1.0
    with np.errstate(divide="ignore"):
        priority = 0.5 * np.log(area / typical) + draw
    return PointCloud(corners.mean(axis=1).astype(np.float32), normal.astype(np.float32), priority)


def crop(cloud: PointCloud, frame: Frame, count: int = COUNT) -> Floats:
    """At most `count` points float32 (P,6), position and normal in the frame, of what lies in the sphere around the face."""
    positions = frame.to_canonical(cloud.positions)
    inside = np.flatnonzero(((positions - np.array(CROP_CENTRE, np.float32)) ** 2).sum(axis=1) < CROP_RADIUS**2)
    if len(inside) > count:
        inside = inside[np.argpartition(-cloud.priority[inside], count)[:count]]
    return np.concatenate([positions[inside], frame.turn_to_canonical(cloud.normals[inside])], axis=1)
