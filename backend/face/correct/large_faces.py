# SPDX-License-Identifier: GPL-3.0-or-later
"""Large faces of a closed lid lie before the eye, and not only their corners. In the opening's
units.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..analyse.lids import Lid
from ..geometry.frame import Floats
from ..params.correct import CLOSING, LARGE_FACES


def _within() -> Floats:
    """Places in a face (P,3), as shares of its corners, evenly spread."""
    parts = LARGE_FACES.parts
    steps = [
        (one, other, parts - one - other)
        for one in range(parts + 1)
        for other in range(parts + 1 - one)
    ]
    return np.array(steps, np.float32) / parts


def lifted(
    lid: Lid, at: Floats, free: Floats, front_of: Callable[[Floats, Floats], Floats]
) -> Floats:
    """How far out (F,) the corners of a closed lid's large faces have to go.

    Args:
        lid: of the eye
        at: float32 (F,3), where the closed lid is
        free: float32 (F,), above 0 for what may be led out
        front_of: points (N,3), an eye's points (E,3) -> how far out these stand there (N,)
    """
    out = np.zeros(len(at), np.float32)
    faces = lid.faces[(free[lid.faces] > 0).any(axis=1)]
    if not len(faces) or not len(lid.eye_faces):
        return out
    places, local = _within(), lid.opening.local
    points = np.matmul(places, at[faces]).reshape(-1, 3)
    eye = np.matmul(places, local[lid.eye_faces]).reshape(-1, 3)
    front = front_of(points, eye) + CLOSING.fold
    x, y, z = points.T
    columns, (upper, lower) = (
        lid.opening.columns,
        (edge.points for edge in (lid.opening.upper, lid.opening.lower)),
    )
    # only where the eye is seen at rest: beside the opening it may lie before its lids unseen
    seen = (x > columns[0]) & (x < columns[-1])
    seen &= (y < np.interp(x, columns, upper[:, 1])) & (y > np.interp(x, columns, lower[:, 1]))
    level = np.interp(x, columns, upper[:, 2])
    deep = np.where(seen & (front < level + CLOSING.bulge), front - z, 0)
    deep = np.clip(deep, 0, LARGE_FACES.deepest).reshape(len(faces), -1)
    share = places * free[faces][:, None]
    power = np.maximum((places * share).sum(axis=2), LARGE_FACES.lever)
    np.maximum.at(out, faces, (deep[:, :, None] * share / power[:, :, None]).max(axis=1))
    return out
