# SPDX-License-Identifier: GPL-3.0-or-later
"""Teeth and tongues: what lies inside the mouth and is stiff when the jaw opens. Canonical
frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints
from ..geometry.motion import rigid
from .eyeballs import boxes_of

TEETH_SIZE = 0.65  # half extents up to which a part inside the mouth may be a body
TEETH_REACH = (0.35, 0.45)  # aside and up or down from the lips
TONGUE = (
    0.12,
    0.6,
)  # movement at tongueOut from which on a part is a tongue, and the share of the farthest mover's
TWINS, ABOVE = (
    0.15,
    0.02,
    # share of their extent by which rows of teeth that were made alike differ, and canonical units
    # between them at least
)
PIECE, MOST = (
    8,
    64,
    # vertices of a piece of a part from which on it may be teeth, and pieces beyond which they are
    # no rows
)
STIFF, SOFT = (
    0.12,
    0.35,
    # share of a part's movement at jawOpen that no rigid motion explains, up to which it is a body:
    # of teeth, of a tongue
)


def _over(vertices: Floats, rows: list[NDArray[np.intp]]) -> NDArray[np.bool_]:
    """Which rows of teeth (N,N) lie over which others that were made alike: upper and lower
    ones.
    """
    low, high = (
        np.array([edge(vertices[mine], axis=0) for mine in rows]).reshape(-1, 3)
        for edge in (np.min, np.max)
    )
    count, size, middle = np.array([len(mine) for mine in rows]), high - low, (low + high) / 2
    apart = middle[:, None] - middle
    alike = (np.abs(size[:, None] - size) < TWINS * size.max(axis=1)[:, None, None]).all(axis=2) & (
        count[:, None] == count
    )
    return np.asarray(
        alike
        & (np.abs(apart[:, :, 0]) < TWINS * size[:, :1])
        & (apart[:, :, 1] > ABOVE)
        & (apart[:, :, 1] < TEETH_REACH[1])
    )


@dataclass(frozen=True)
class MouthParts:
    """Numbers (N,) of the vertices of each piece inside the mouth that is stiff at jawOpen. rows:
    of teeth. drawn: which of them are parts together, as drawn rows that lie on each other are.
    upper: which lie over others that were made alike. tongues.
    """

    rows: tuple[NDArray[np.intp], ...]
    drawn: tuple[bool, ...]
    upper: tuple[bool, ...]
    tongues: tuple[NDArray[np.intp], ...]


def mouth_parts(
    vertices: Floats, parts: Floats, pieces: Ints, lips: Floats, jaw: Floats, tongue: Floats
) -> MouthParts:
    """Teeth and tongues. vertices (F,3), parts (F,6) boxes of loose parts; pieces (F,): what hangs
    together without welding; lips (3,): the middle between them; jaw, tongue (F,3): the shapes
    jawOpen, by which teeth are found, and tongueOut, which tells a tongue.
    """
    boxes, owner = boxes_of(parts)
    inside = (
        (np.abs(boxes[:, 0] - lips[0]) < TEETH_REACH[0])
        & (np.abs(boxes[:, 1] - lips[1]) < TEETH_REACH[1])
        & (boxes[:, 2] < lips[2])
    )
    small = [
        np.flatnonzero(owner == number)
        for number in np.flatnonzero(inside & (boxes[:, 3:].max(axis=1) < TEETH_SIZE))
    ]
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
    found = teeth + drawn
    upper = _over(vertices, found).any(axis=1)
    return MouthParts(
        tuple(found),
        (False,) * len(teeth) + (True,) * len(drawn),
        tuple(bool(one) for one in upper),
        tuple(tongues),
    )


def tongue_of(
    out: Floats,
    vertices: Floats,
    across: Floats,
    owner: Ints,
    inside: NDArray[np.bool_],
    half: float,
) -> NDArray[np.bool_]:
    """Vertices (F,) of the part inside the mouth that runs back along its middle, of several the
    one that tongueOut, out (F,3), moves most: rows of teeth do not, their arches are hollow unless
    there is a palate. across (F,): half widths from the mouth's middle; owner (F,): loose parts;
    inside (F,): what may be in the mouth; half: its half width.
    """
    found, most = np.zeros(len(across), bool), 0.0
    for part in np.unique(owner[inside]):
        mine = (owner == part) & inside
        x, z = across[mine], vertices[mine, 2]
        wide, long = float(np.ptp(x)), float(np.ptp(z))
        middle = np.abs(x - (x.max() + x.min()) / 2) < 0.15 * wide
        if (
            abs(x.max() + x.min()) < 0.5
            and wide > 0.4
            and middle.sum() > 3
            and np.ptp(z[middle]) > 0.75 * long
            and long > 0.2 * half
        ):
            moved = float(np.median(out[mine, 2]))
            found, most = (mine, moved) if moved > most else (found, most)
    return found


def _bent(points: Floats, moved: Floats) -> float:
    """Share of the movement (P,3) of points (P,3) that no rigid motion explains."""
    return float(
        np.square(moved - rigid(points, moved[None])[0]).sum()
        / max(float(np.square(moved).sum()), 1e-12)
    )
