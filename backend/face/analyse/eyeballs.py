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
from ..params.analyse import EYEBALLS


def eyeballs(
    vertices: Floats, parts: Floats, landmarks: Mapping[str, Floats]
) -> dict[str, tuple[NDArray[np.intp], Floats]]:
    """Side -> vertices and centre (3,) of the eyeball there, with what lies in its shell.

    Args:
        vertices: float32 (F,3), canonical
        parts: float32 (F,6), boxes
        landmarks: name -> (3,), canonical
    """
    found = {}
    boxes, owner = boxes_of(parts)
    for side in SIDES:
        middle = (landmarks[f"lid_upper_{side}"] + landmarks[f"lid_lower_{side}"]) / 2
        for number, box in enumerate(boxes):
            size = float(box[3:].max())
            near = (
                np.linalg.norm(box[:3] - middle) < max(EYEBALLS.reach, EYEBALLS.reach_radii * size)
                and box[2] < middle[2]
            )
            if (
                not near
                or not EYEBALLS.size_from < size < EYEBALLS.size_to
                or box[3:5].min() < EYEBALLS.even * size
                or box[5] < EYEBALLS.dome * size
            ):
                continue
            centre = (
                box[:3]
                if box[5] > EYEBALLS.even * size
                else _middle_of_dome(vertices[owner == number])
            )
            far = np.linalg.norm(vertices[owner == number] - centre, axis=1)
            bowl = (
                centre[2] > box[2] + 1e-6
                or far.mean() > size / EYEBALLS.even
                or np.linalg.norm(centre[:2] - box[:2]) > EYEBALLS.dome_aside * size
            )
            if bowl or far.std() > EYEBALLS.round * far.mean():
                continue
            reach = EYEBALLS.shell * far.mean()
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
    """How far the points (P,3) of a part lie from a centre (3,), all but the farthest few."""
    return float(np.quantile(np.linalg.norm(points - centre, axis=1), EYEBALLS.most_of_part))


def boxes_of(parts: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The boxes (B,6) of the parts that occur, and which of them is each vertex's (F,)."""
    return distinct_rows(parts)
