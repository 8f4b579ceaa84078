# SPDX-License-Identifier: GPL-3.0-or-later
"""Brows that are strips before the skin: where they would sink into the skin behind them they are
led out. Canonical frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analyse.surface import Flags
from ..geometry.blocks import pieces
from ..geometry.frame import Floats
from ..geometry.ticks import tick
from ..params.correct import BROWS
from ..params.geometry import BLOCKS

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
            tick()
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
        slides, rest = _mean_of(at, near), at[:, 2] - _level(at, near)
        for offsets in blinks:
            tick()
            slid = slides(offsets[under])
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
    if len(points) * len(skin) <= BLOCKS.table:
        return np.asarray(_weights(points, skin) @ skin[:, 2], np.float32)
    # what is levelled over `BROWS.level` hardly changes within a cell, but for a slope
    patch, cell = _patches(skin), _patches(points)
    at, middle = cell.middle, patch.middle.mean(axis=0)
    away = patch.middle - middle
    table = np.concatenate([away, away[:, :2] * away[:, 2:]], axis=1)
    level = np.empty((len(at), 3))
    for some in pieces(len(at), len(patch.middle)):
        mean = _weights(at[some], patch.middle, patch.count) @ table
        level[some, :2] = (mean[:, 3:] - mean[:, :2] * mean[:, 2:3]) * 2 / BROWS.level**2
        level[some, 2] = mean[:, 2] + middle[2]
    mine = level[cell.of]
    away = points[:, :2] - at[cell.of, :2]
    return np.asarray(mine[:, 2] + (mine[:, :2] * away).sum(axis=1), np.float32)


def _mean_of(points: Floats, skin: Floats) -> Callable[[Floats], Floats]:
    """What gives the mean (3,) of the skin's offsets (S,3) before or behind points (N,3), from
    where both are: points (N,3), skin (S,3).
    """
    if len(points) * len(skin) <= BLOCKS.table:
        weights = _weights(points, skin)
        return lambda offsets: np.asarray((weights @ offsets).mean(axis=0))
    patch, cell = _patches(skin), _patches(points)
    share = np.zeros(len(patch.middle))
    for some in pieces(len(cell.middle), len(patch.middle)):
        share += cell.count[some] @ _weights(cell.middle[some], patch.middle, patch.count)
    each = (share / patch.count / len(points))[patch.of].astype(np.float32)
    return lambda offsets: np.asarray(each @ offsets)


def _weights(points: Floats, skin: Floats, count: Floats | float = 1.0) -> Floats:
    """How much each vertex of the skin (S,3), which stands for `count` (S,), is what lies before or
    behind points (N,3): (N,S), rows sum to 1.
    """
    x, y = np.ascontiguousarray(skin[:, :2].T)
    weight, across = points[:, :1] - x, points[:, 1:2] - y
    weight *= weight
    across *= across
    weight += across
    np.subtract(weight.min(axis=1, keepdims=True), weight, out=weight)
    weight /= np.float32(BROWS.level**2)
    # what is smaller yet changes no sum, but processors take long over numbers so small
    np.maximum(weight, BROWS.faintest, out=weight)
    np.exp(weight, out=weight)
    if isinstance(count, np.ndarray):
        weight *= count
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray(weight, np.float32)


@dataclass(frozen=True)
class _Patches:
    """Points (N,3) by cells of the plane z = 0.

    Args:
        middle: float32 (C,3), the mean of each cell's points
        count: float32 (C,), how many they are
        of: the cell (N,) of each point
    """

    middle: Floats
    count: Floats
    of: Places


def _patches(points: Floats) -> _Patches:
    """Points (N,3) by cells of `BROWS.cell`."""
    cells = np.floor((points[:, :2] - points[:, :2].min(axis=0)) / BROWS.cell).astype(np.int64)
    numbers = cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1]
    _, of, count = np.unique(numbers, return_inverse=True, return_counts=True)
    sums = [np.bincount(of, points[:, axis]) for axis in range(3)]
    middle = np.stack(sums, axis=1) / count[:, None]
    return _Patches(middle.astype(np.float32), count.astype(np.float32), of)
