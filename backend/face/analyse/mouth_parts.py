# SPDX-License-Identifier: GPL-3.0-or-later
"""Teeth and tongues: what lies inside the mouth and is stiff when the jaw opens. Canonical frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints
from ..geometry.motion import rigid
from .eyeballs import _boxes

TEETH_SIZE = 0.65  # half extents up to which a part inside the mouth may be a body
TEETH_REACH = (0.35, 0.45)  # aside and up or down from the lips
TONGUE = (0.12, 0.6)  # movement at tongueOut from which on a part is a tongue, and the share of the farthest mover's
TWINS, ABOVE = 0.15, 0.02  # share of their extent by which rows of teeth that were made alike differ, and canonical units between them at least
PIECE, MOST = 8, 64  # vertices of a piece of a part from which on it may be teeth, and pieces beyond which they are no rows
STIFF, SOFT = 0.12, 0.35  # share of a part's movement at jawOpen that no rigid motion explains, up to which it is a body: of teeth, of a tongue


def _over(vertices: Floats, rows: list[NDArray[np.intp]]) -> NDArray[np.bool_]:
    """Which rows of teeth (N,N) lie over which others that were made alike: upper and lower ones."""
    low, high = (np.array([edge(vertices[mine], axis=0) for mine in rows]).reshape(-1, 3) for edge in (np.min, np.max))
    count, size, middle = np.array([len(mine) for mine in rows]), high - low, (low + high) / 2
    apart = middle[:, None] - middle
    alike = (np.abs(size[:, None] - size) < TWINS * size.max(axis=1)[:, None, None]).all(axis=2) & (count[:, None] == count)
    return np.asarray(alike & (np.abs(apart[:, :, 0]) < TWINS * size[:, :1]) & (apart[:, :, 1] > ABOVE) & (apart[:, :, 1] < TEETH_REACH[1]))


def _inside(
    vertices: Floats, parts: Floats, pieces: Ints, lips: Floats, jaw: Floats, tongue: Floats
) -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    """The vertices of what is stiff at jawOpen inside the mouth: teeth, tongues, and teeth that lie on each other and so are parts together."""
    boxes, owner = _boxes(parts)
    inside = (np.abs(boxes[:, 0] - lips[0]) < TEETH_REACH[0]) & (np.abs(boxes[:, 1] - lips[1]) < TEETH_REACH[1]) & (boxes[:, 2] < lips[2])
    small = [np.flatnonzero(owner == number) for number in np.flatnonzero(inside & (boxes[:, 3:].max(axis=1) < TEETH_SIZE))]
    out = [float(np.linalg.norm(tongue[mine], axis=1).max()) for mine in small]
    teeth: list[NDArray[np.intp]] = []
    tongues: list[NDArray[np.intp]] = []
    drawn: list[NDArray[np.intp]] = []
    for mine, far in zip(small, out, strict=True):
        is_tongue = far >= max(TONGUE[0], TONGUE[1] * max(out))
        if len(mine) >= 4 and _bent(vertices[mine], jaw[mine]) <= (SOFT if is_tongue else STIFF):
            (tongues if is_tongue else teeth).append(mine)
        elif not is_tongue:
            numbers, size = np.unique(pieces[mine], return_counts=True)
            large = numbers[(size >= PIECE) & (size < len(mine))]
            own = [mine[pieces[mine] == number] for number in large] if len(large) <= MOST else []
            rows = bool(_over(vertices, own).any())
            drawn += [one for one in own if rows or _bent(vertices[one], jaw[one]) <= STIFF]
    return teeth, tongues, drawn


def _bent(points: Floats, moved: Floats) -> float:
    """Share of the movement (P,3) of points (P,3) that no rigid motion explains."""
    return float(np.square(moved - rigid(points, moved[None])[0]).sum() / max(float(np.square(moved).sum()), 1e-12))
