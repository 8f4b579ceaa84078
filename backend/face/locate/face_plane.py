# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane in which a face mirrors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Doubles, Floats, Frame
from ..geometry.mesh import nearest
from ..geometry.mirror import in_symmetric_region
from ..geometry.symmetry import mirror_plane, settled_plane
from ..params.geometry import PLANE
from ..params.locate import TRUST
from .points import PointCloud

Plane = tuple[Doubles, float, float]  # normal (3,), offset and share of a plane, see symmetry.py


class FacePlane:
    """The mirror plane of a face in a cloud of points, and in the mesh's vertices (V,3), where it
    is wanted to their last digit: such a plane is the mesh's own whatever the frame, and is looked
    for once.
    """

    def __init__(self, cloud: PointCloud, vertices: Floats | None = None) -> None:
        self.cloud, self.vertices = cloud, vertices
        self._own: Plane | None = None  # in object space

    @property
    def is_own(self) -> bool:
        """Whether it is known to the mesh's last digit."""
        return self._own is not None

    def rough(self, frame: Frame) -> Plane:
        """The plane in a frame, from few points; its share is 0 where there are too few."""
        columns = frame.columns(self.cloud.positions)
        near = np.flatnonzero(in_symmetric_region(columns.T))
        if len(near) < TRUST.fewest:
            return np.array([1.0, 0, 0]), 0.0, 0.0
        if len(near) > PLANE.points:
            first = np.argpartition(-self.cloud.priority[near], PLANE.points)[: PLANE.points]
            near = near[first]
        near = near[np.argsort(-self.cloud.priority[near], kind="stable")]
        return mirror_plane(columns[:, near].T, frame.turn_to_canonical(self.cloud.normals[near]))

    def exact(self, frame: Frame, least: float) -> Plane:
        """The plane in a frame, to the mesh's last digit where it has one and the share is at least
        `least`.
        """
        if self._own is not None:
            normal, offset, share = self._own
            place = (offset - float(normal @ frame.origin)) / frame.scale
            return frame.rotation.astype(np.float64) @ normal, place, share
        normal, offset, share = self.rough(frame)
        if share < least:
            return normal, offset, share
        settled = self._settled(frame, normal, offset)
        if settled is None:
            return normal, offset, share
        normal, offset = settled
        own = normal @ frame.rotation
        self._own = own, offset * frame.scale + float(own @ frame.origin), share
        return normal, offset, share

    def _settled(
        self, frame: Frame, normal: Doubles, offset: float
    ) -> tuple[Doubles, float] | None:
        """The plane in a frame, normal (3,) and offset, to the mesh's last digit; None where it has
        none.
        """
        if self.vertices is None:
            return None
        cloud, points = (frame.columns(p).T for p in (self.cloud.positions, self.vertices))
        seen, near = (np.flatnonzero(in_symmetric_region(p)) for p in (cloud, points))
        if min(len(seen), len(near)) < TRUST.fewest:
            return None
        count = min(PLANE.settling, len(seen))
        chosen = seen[np.argpartition(-self.cloud.priority[seen], count - 1)[:count]]
        points = np.ascontiguousarray(points[near])
        # of the surface, whatever the numbering of its vertices
        probes = points[np.unique(nearest(np.ascontiguousarray(cloud[chosen]), points))]
        across = probes - 2 * (probes @ normal - offset)[:, None] * normal
        around = points[near_any(points, across, PLANE.around)]
        settled = settled_plane(around, probes, normal, offset) if len(around) else (normal, offset)
        return None if settled[0] is normal else settled


def near_any(points: Floats, others: Floats | Doubles, reach: float) -> NDArray[np.bool_]:
    """Which of some points may be partners of others, as flags (N,): all that are no farther than
    `reach` along each axis, and few beside.

    Args:
        points: float (N,3)
        others: float (M,3)
        reach: in their unit
    """
    low = np.minimum(points.min(axis=0), others.min(axis=0)) - 2 * reach
    cells = ((points - low) / reach).astype(np.int32)
    theirs = ((others - low) / reach).astype(np.int32)
    size = np.maximum(cells.max(axis=0), theirs.max(axis=0)) + 2
    marked = np.zeros(size, bool)
    for step in np.ndindex(3, 3, 3):
        x, y, z = (theirs + step - 1).T
        marked[x, y, z] = True
    x, y, z = cells.T
    return np.asarray(marked[x, y, z])
