# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyeballs: parts that are balls, or the front of one, behind the lids. Parts are known by their
boxes. Canonical frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import distinct_rows

# spread of the distances to the centre, as part of their mean, up to which a part is a ball
ROUND = 0.08
EVEN = 0.85  # shortest by longest side of a ball's box
DOME, ASIDE = (
    0.3,
    0.3,
    # the same along the depth where only the front of a ball is modelled, and how far its middle
    # then lies aside
)
EYE_SIZE = (
    0.08,
    0.95,
)  # half extents that an eyeball may have: those of cartoon heads meet in the middle
EYE_REACH = (
    0.6,
    1.1,
    # how far an eyeball's centre may lie from the middle of the lids: canonical units, or of its
    # own radii
)
SHELL = 1.2  # radii around a ball's centre in which iris, cornea and pupil turn along


def eyeballs(
    vertices: Floats, parts: Floats, landmarks: Mapping[str, Floats]
) -> dict[str, tuple[NDArray[np.intp], Floats]]:
    """Side -> vertices and centre (3,) of the eyeball there, with what lies in its shell. vertices
    (F,3), parts (F,6).
    """
    found = {}
    boxes, owner = boxes_of(parts)
    for side in SIDES:
        middle = (landmarks[f"lid_upper_{side}"] + landmarks[f"lid_lower_{side}"]) / 2
        for number, box in enumerate(boxes):
            size = float(box[3:].max())
            near = (
                np.linalg.norm(box[:3] - middle) < max(EYE_REACH[0], EYE_REACH[1] * size)
                and box[2] < middle[2]
            )
            if (
                not near
                or not EYE_SIZE[0] < size < EYE_SIZE[1]
                or box[3:5].min() < EVEN * size
                or box[5] < DOME * size
            ):
                continue
            centre = box[:3] if box[5] > EVEN * size else _middle_of_dome(vertices[owner == number])
            far = np.linalg.norm(vertices[owner == number] - centre, axis=1)
            bowl = (
                centre[2] > box[2] + 1e-6
                or far.mean() > size / EVEN
                or np.linalg.norm(centre[:2] - box[:2]) > ASIDE * size
            )
            if bowl or far.std() > ROUND * far.mean():
                continue
            reach = SHELL * far.mean()
            away = np.linalg.norm(boxes[:, :3] - centre, axis=1)
            inside = np.flatnonzero((away < reach) & (boxes[:, 3:].max(axis=1) < reach))
            shell = [k for k in inside if _farthest(vertices[owner == k], centre) < reach]
            found[side] = (np.flatnonzero(np.isin(owner, [number, *shell])), centre)
    return found


def _middle_of_dome(points: Floats) -> Floats:
    """The centre (3,) of the sphere nearest to points (P,3), by least squares: |p|^2 = 2 c . p +
    r^2 - |c|^2 is linear in c.
    """
    p = points.astype(np.float64)
    rows = np.concatenate([2 * p, np.ones((len(p), 1))], axis=1)
    return np.asarray(np.linalg.lstsq(rows, (p**2).sum(axis=1), rcond=None)[0][:3], np.float32)


def _farthest(points: Floats, centre: Floats) -> float:
    """How far the points (P,3) of a part lie from a centre (3,), all but the farthest tenth."""
    return float(np.quantile(np.linalg.norm(points - centre, axis=1), 0.9))


def boxes_of(parts: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The boxes (B,6) of the parts that occur, and which of them is each vertex's (F,)."""
    return distinct_rows(parts)
