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
from ..params.analyse import INSIDE_MOUTH, TONGUE_SHAPE
from .eyeballs import boxes_of


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
    alike = (
        np.abs(size[:, None] - size) < INSIDE_MOUTH.twins * size.max(axis=1)[:, None, None]
    ).all(axis=2) & (count[:, None] == count)
    return np.asarray(
        alike
        & (np.abs(apart[:, :, 0]) < INSIDE_MOUTH.twins * size[:, :1])
        & (apart[:, :, 1] > INSIDE_MOUTH.above)
        & (apart[:, :, 1] < INSIDE_MOUTH.reach_up)
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


def _small(parts: Floats, lips: Floats, strips: NDArray[np.bool_] | None) -> list[NDArray[np.intp]]:
    """Numbers (N,) of the vertices of each loose part that is small and lies in the mouth. parts
    (F,6): boxes. lips (3,): the middle between them. strips: flags (F,), mouths before the skin.
    """
    boxes, owner = boxes_of(parts)
    inside = (
        (np.abs(boxes[:, 0] - lips[0]) < INSIDE_MOUTH.reach_aside)
        & (np.abs(boxes[:, 1] - lips[1]) < INSIDE_MOUTH.reach_up)
        & (boxes[:, 2] < lips[2])
    )
    if strips is not None:
        inside[owner[strips]] = False
    return [
        np.flatnonzero(owner == number)
        for number in np.flatnonzero(inside & (boxes[:, 3:].max(axis=1) < INSIDE_MOUTH.size))
    ]


def mouth_parts(
    vertices: Floats,
    parts: Floats,
    pieces: Ints,
    lips: Floats,
    *,
    jaw: Floats,
    tongue: Floats,
    strips: NDArray[np.bool_] | None = None,
) -> MouthParts:
    """Find teeth and tongues.

    Args:
        vertices: float32 (F,3), canonical
        parts: float32 (F,6), boxes of loose parts
        pieces: (F,), what hangs together without welding
        lips: float32 (3,), the middle between them
        jaw: float32 (F,3), the shape jawOpen, by which teeth are found
        tongue: float32 (F,3), the shape tongueOut, which tells a tongue
        strips: bool (F,), mouths before the skin, which are none of these
    """
    small = _small(parts, lips, strips)
    out = [float(np.linalg.norm(tongue[mine], axis=1).max()) for mine in small]
    teeth: list[NDArray[np.intp]] = []
    tongues: list[NDArray[np.intp]] = []
    drawn: list[NDArray[np.intp]] = []
    for mine, far in zip(small, out, strict=True):
        is_tongue = far >= max(INSIDE_MOUTH.tongue_moves, INSIDE_MOUTH.tongue_share * max(out))
        if len(mine) >= INSIDE_MOUTH.fewest and _bent(vertices[mine], jaw[mine]) <= (
            INSIDE_MOUTH.soft if is_tongue else INSIDE_MOUTH.stiff
        ):
            (tongues if is_tongue else teeth).append(mine)
        elif not is_tongue:
            numbers, size = np.unique(pieces[mine], return_counts=True)
            large = numbers[(size >= INSIDE_MOUTH.piece_fewest) & (size < len(mine))]
            own = (
                [mine[pieces[mine] == number] for number in large]
                if len(large) <= INSIDE_MOUTH.pieces_most
                else []
            )
            rows = bool(_over(vertices, own).any())
            drawn += [
                one for one in own if rows or _bent(vertices[one], jaw[one]) <= INSIDE_MOUTH.stiff
            ]
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
    *,
    inside: NDArray[np.bool_],
    half: float,
) -> NDArray[np.bool_]:
    """Find the part inside the mouth that runs back along its middle, of several the one that
    tongueOut moves most: rows of teeth do not, their arches are hollow unless there is a palate.

    Args:
        out: float32 (F,3), the shape tongueOut
        vertices: float32 (F,3), canonical
        across: float32 (F,), half widths from the mouth's middle
        owner: (F,), loose parts
        inside: flags (F,), what may be in the mouth
        half: the mouth's half width, canonical

    Returns:
        Flags (F,), all False where there is none.
    """
    found, most = np.zeros(len(across), bool), 0.0
    for part in np.unique(owner[inside]):
        mine = (owner == part) & inside
        x, z = across[mine], vertices[mine, 2]
        wide, long = float(np.ptp(x)), float(np.ptp(z))
        middle = np.abs(x - (x.max() + x.min()) / 2) < TONGUE_SHAPE.middle * wide
        if (
            abs(x.max() + x.min()) < TONGUE_SHAPE.aside
            and wide > TONGUE_SHAPE.wide
            and middle.sum() > TONGUE_SHAPE.middle_fewest
            and np.ptp(z[middle]) > TONGUE_SHAPE.filled * long
            and long > TONGUE_SHAPE.long * half
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
