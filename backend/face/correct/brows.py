# SPDX-License-Identifier: GPL-3.0-or-later
"""Brows that are strips before the skin: where they would sink into the skin behind them they are
led out. Canonical frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ..analyse.surface import Flags
from ..geometry.frame import Floats
from ..params.correct import BROWS

Places = NDArray[np.intp]


def ride(
    shapes: Mapping[str, Floats], vertices: Floats, strips: Mapping[str, Flags], skin: Flags
) -> None:
    """Lead the strips of shapes out to where they float as far before the skin as at rest: a brow
    that goes up follows the forehead and does not sink into it.

    Args:
        shapes: condition -> offsets float32 (F,3), canonical, changed in place
        vertices: float32 (F,3), canonical
        strips: side -> bool (F,) of its brow
        skin: bool (F,)
    """
    for mine, under in _over(vertices, strips, skin):
        at = vertices[mine]
        rest = at[:, 2] - _level(at, vertices[under])
        for offsets in shapes.values():
            if offsets[mine].any():
                moved = at + offsets[mine]
                sunk = rest - (moved[:, 2] - _level(moved, vertices[under] + offsets[under]))
                offsets[mine, 2] += np.clip(sunk, 0, BROWS.steep * np.abs(offsets[mine, 1]))


def follow(
    blinks: Iterable[Floats], vertices: Floats, strips: Mapping[str, Flags], skin: Flags
) -> None:
    """Let strips sink a little with the skin under them at blinks, in one piece, and stay before
    it: right above a large eye it slides down with the lid.

    Args:
        blinks: offsets float32 (F,3) each, canonical, changed in place
        vertices: float32 (F,3), canonical
        strips: side -> bool (F,) of its brow
        skin: bool (F,)
    """
    for mine, under in _over(vertices, strips, skin):
        at, near = vertices[mine], vertices[under]
        weights, rest = _weights(at, near), at[:, 2] - _level(at, near)
        for offsets in blinks:
            slid = (weights @ offsets[under]).mean(axis=0)
            offsets[mine] = BROWS.sinks * slid
            moved = at + offsets[mine]
            offsets[mine, 2] += np.clip(
                rest - (moved[:, 2] - _level(moved, near + offsets[under])),
                0,
                BROWS.steep * float(np.abs(slid[1])),
            )


def _over(
    vertices: Floats, strips: Mapping[str, Flags], skin: Flags
) -> Iterator[tuple[Places, Places]]:
    """The vertices of each side's strip, and those of the skin around and behind it."""
    for strip in strips.values():
        mine = np.flatnonzero(strip)
        if not len(mine):
            continue
        at = vertices[mine]
        margin = (BROWS.around, BROWS.around, BROWS.deep)
        low, high = at.min(axis=0) - margin, at.max(axis=0) + margin
        under = np.flatnonzero(skin & ((vertices > low) & (vertices < high)).all(axis=1))
        if len(under) >= BROWS.few:
            yield mine, under


def _level(points: Floats, skin: Floats) -> Floats:
    """z (N,) of the skin (S,3) before or behind points (N,3)."""
    return np.asarray(_weights(points, skin) @ skin[:, 2], np.float32)


def _weights(points: Floats, skin: Floats) -> Floats:
    """How much each vertex of the skin (S,3) is what lies before or behind points (N,3): (N,S),
    rows sum to 1.
    """
    far = (points[:, :1] - skin[:, 0]) ** 2 + (points[:, 1:2] - skin[:, 1]) ** 2
    weight = np.exp((far.min(axis=1, keepdims=True) - far) / np.float32(BROWS.level**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)
