# SPDX-License-Identifier: GPL-3.0-or-later
"""Lashes ride a closing lid as a strip: each vertex goes with the nearest point of the lid's edge,
and turns as the edge does there. So a lash keeps its width, also beside a tall eye whose edge
stands upright at rest and lies when closed. In the opening's units.
"""

from __future__ import annotations

import numpy as np

from ..analyse.lids import Lid
from ..geometry.frame import Floats
from ..params.correct import STRIPS


def along(lid: Lid, moved: Floats, ride: Floats) -> Floats:
    """What lashes do when their edge moves.

    Args:
        lid: of the eye
        moved: float32 (C,3), what the upper edge does in each column
        ride: float32 (F,), above 0 for what rides

    Returns:
        Offsets float32 (F,3), 0 for what does not ride.
    """
    opening, out = lid.opening, np.zeros_like(lid.opening.local)
    some = np.flatnonzero(ride > 0)
    if not len(some):
        return out
    flat = opening.unit[:2] / opening.unit[1]
    upper, lower, ends = opening.upper.points, opening.lower.points, [0, -1]
    rest, shut = upper[:, :2] * flat, (upper + moved)[:, :2] * flat
    turns = _turns(rest, shut)
    # the side of an eye between its edges' ends closes to the end of their line
    low, last = lower[ends, :2] * flat, moved[ends, 2:]
    rest, shut = _ended(low, rest), _ended(shut[ends], shut)
    here = opening.local[some, :2] * flat
    place = _nearest(here, rest)
    columns = np.arange(len(rest))

    def at(values: Floats) -> Floats:
        return np.stack([np.interp(place, columns, column) for column in values.T], axis=1)

    turn = np.interp(place, columns, np.pad(turns, 1, mode="edge"))
    away = here - at(rest)
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.stack([away[:, 0] * cos - away[:, 1] * sin, away[:, 0] * sin + away[:, 1] * cos], 1)
    out[some, :2] = (at(shut) + turned - here) / flat
    out[some, 2] = at(_ended(last, moved[:, 2:]))[:, 0]
    return np.asarray(out, np.float32)


def _ended(ends: Floats, line: Floats) -> Floats:
    """A line (C,N) with a first and a last point more, ends (2,N)."""
    return np.concatenate([ends[:1], line, ends[1:]])


def _nearest(points: Floats, line: Floats) -> Floats:
    """Where on a line (C,2) the nearest place to points (N,2) is, 0 to C - 1."""
    start, way = line[:-1], np.diff(line, axis=0)
    length = np.maximum((way**2).sum(axis=1), 1e-12)
    out = points[:, None] - start
    share = np.clip((out * way).sum(axis=2) / length, 0, 1)
    far = ((out - share[:, :, None] * way) ** 2).sum(axis=2)
    piece = far.argmin(axis=1)
    return np.asarray(piece + share[np.arange(len(points)), piece], np.float32)


def _turns(rest: Floats, shut: Floats) -> Floats:
    """By how much an edge turns (C,) from one line (C,2) to another, in radians."""
    one, other = (np.gradient(_even(line), axis=0) for line in (rest, shut))
    turn = np.arctan2(other[:, 1], other[:, 0]) - np.arctan2(one[:, 1], one[:, 0])
    most = np.radians(STRIPS.turned)
    return np.asarray(np.clip((turn + np.pi) % (2 * np.pi) - np.pi, -most, most))


def _even(line: Floats) -> Floats:
    """A line (C,2) without ripples: some times the mean of three neighbours."""
    for _ in range(STRIPS.evened):
        padded = np.pad(line, ((1, 1), (0, 0)), mode="reflect", reflect_type="odd")
        line = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return line
