# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes faded at the head's border, with exact zeros where what is left is noise, in object
space.
"""

from __future__ import annotations

import numpy as np

from ...errors import BackendError
from ...values import WAY
from ..geometry.frame import Floats
from ..geometry.mesh import squared
from ..locate.face import Face
from ..params.correct import BORDER


def finish(face: Face, shape: Floats, weight: float, strength: float, out: Floats) -> bool:
    """Fade a shape at the head's border, with exact zeros where what is left is noise: sparse keys
    are what avatars pay download size for.

    Args:
        face: that the shape is of
        shape: float32 (F,3), canonical
        weight: factor on it
        strength: factor on what comes out
        out: float32 (F,3), object space; may be the shape itself

    Returns:
        Whether any of it moves.

    Raises:
        BackendError: `mesh_not_finite`
    """
    free = face.movement_mask * np.float32(abs(weight))
    far = np.sqrt(squared(shape))
    far *= free
    most = float(far.max(initial=0))
    still = min(BORDER.still, BORDER.share * most) + 1e-12
    rows = np.flatnonzero(far > still)  # most of a face stays where it is
    t = far[rows]
    t /= still
    t -= 1
    t /= BORDER.moving - 1
    np.clip(t, 0, 1, out=t)
    share = t * t * (3 - 2 * t) * face.movement_mask[rows]
    turn = face.frame.rotation * face.frame.scale * weight * strength
    moved = (shape.take(rows, axis=0, mode="clip") * share[:, None]) @ turn.astype(np.float32)
    if not np.isfinite(most) or not np.isfinite(moved).all():
        raise BackendError(
            "mesh_not_finite",
            "The shapes' coordinates grew too large for 32 bits.",
            "Scale the avatar down.",
        )
    out[:] = 0
    np.put(
        out.view(WAY), rows, np.ascontiguousarray(moved).view(WAY)
    )  # three times as fast as out[rows]
    return bool(moved.any())
