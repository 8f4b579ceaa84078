# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns about an axis, and the rigid motion that is nearest to what points do."""

from __future__ import annotations

import numpy as np

from .frame import Floats


def turned(points: Floats, centre: Floats, axis: int, degrees: float) -> Floats:
    """Offsets (P,3) of points that turn about a coordinate axis through a centre.

    Args:
        points: float (P,3)
        centre: float (3,)
        axis: 0 to 2
        degrees: by which they turn
    """
    angle, i, j = np.radians(degrees), (axis + 1) % 3, (axis + 2) % 3
    away, offsets = points - centre, np.zeros_like(points)
    offsets[:, i] = away[:, i] * (np.cos(angle) - 1) - away[:, j] * np.sin(angle)
    offsets[:, j] = away[:, i] * np.sin(angle) + away[:, j] * (np.cos(angle) - 1)
    return offsets


def rigid(points: Floats, offsets: Floats) -> Floats:
    """The rigid motions nearest to offsets, as offsets (N,P,3). Kabsch, Acta Cryst. A32 (1976).

    Args:
        points: float32 (P,3)
        offsets: float32 (N,P,3)
    """
    away = points - points.mean(axis=0)
    middle = offsets.mean(axis=1, keepdims=True)
    moved = away + offsets - middle
    u, _s, v = np.linalg.svd(np.einsum("pi,npj->nij", away, moved).astype(np.float64))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    return np.asarray(away @ (u @ v) - away + middle, np.float32)
