# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid around the sample head, and the blocks of its cells that openings replace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .rig import Ints
from .surface import Reals, Surface


@dataclass(frozen=True)
class Block:
    """A rectangle of grid cells that an opening replaces: rows top..bottom, columns left..right
    (may be negative: they wrap).
    """

    top: int
    bottom: int
    left: int
    right: int

    def border(self) -> tuple[Ints, Ints, Reals]:
        """Row and column of the border's vertices, counter-clockwise from the middle of the right
        side, and their angle (radians).
        """
        middle = (self.top + self.bottom) // 2
        path = (
            [(i, self.right) for i in range(middle, self.top, -1)]
            + [(self.top, j) for j in range(self.right, self.left, -1)]
            + [(i, self.left) for i in range(self.top, self.bottom)]
            + [(self.bottom, j) for j in range(self.left, self.right)]
            + [(i, self.right) for i in range(self.bottom, middle, -1)]
        )
        row, column = np.array(path, dtype=np.int32).T
        up = (middle - row) / np.where(row < middle, middle - self.top, self.bottom - middle)
        side = (column - (self.left + self.right) / 2) / ((self.right - self.left) / 2)
        return row, column, np.arctan2(up, side)


def _segments(breaks: list[float], counts: list[int]) -> Reals:
    """Evenly spaced values between breaks, counts[i] steps in the i-th gap, the last break
    included.
    """
    pieces = [
        np.linspace(a, b, n, endpoint=False)
        for a, b, n in zip(breaks, breaks[1:], counts, strict=False)
    ]
    return np.concatenate([*pieces, breaks[-1:]])


@dataclass(frozen=True)
class Grid:
    """Angles (C,) of the columns from 0 once around, rows (R,) from below the crown to the neck's
    end, and the blocks cut out.
    """

    angles: Reals
    rows: Reals
    eye: Block
    other_eye: Block
    mouth: Block
    ear: Block
    other_ear: Block


def grid_of(surface: Surface) -> Grid:
    spec, n = surface.spec, surface.spec.density
    ex, ez, mz, height = surface.eye_x, surface.eye_z, surface.mouth_z, spec.height

    def even(count: float) -> int:
        return max(2, 2 * round(count * n / 2))

    inner, outer = ex - spec.eye_width / 2, ex + spec.eye_width / 2
    high = min(spec.brow_height + 0.004, spec.eye_height / 2 + 0.018)
    low = max(min(0.020, 0.45 * (ez - mz)), spec.eye_height / 2 + 0.006)
    angles = [
        0.0,
        surface.angle_at(max(0.006, inner - 0.010), ez),
        surface.angle_at(min(outer + 0.010, 0.93 * spec.width / 2), ez),
        np.radians(81.0),
        np.radians(118.0),
        np.pi,
    ]
    counts = [even(4), even(12), even(4), even(6), even(6)]
    half = _segments(angles, counts)
    around = np.concatenate([half, 2 * np.pi - half[-2:0:-1]])
    levels = [
        0.985 * height,
        ez + high + 0.022,
        ez + high,
        ez - low,
        mz + 0.017,
        mz - 0.016,
        0.006,
        -0.05 * height,
        -0.42 * height,
    ]
    levels[4] = min(levels[4], levels[3] - 0.010)
    steps = [even(12), even(4), even(10), even(8), even(10), even(4), even(6), even(8)]
    rows = _segments([surface.row_at(z) for z in levels], steps)
    at = np.concatenate([[0], np.cumsum(steps)])
    cols = np.concatenate([[0], np.cumsum(counts)])
    eye = (int(at[2]), int(at[3]))
    reach = int(np.argmin(np.abs(half - surface.angle_at(spec.mouth_width / 2 + 0.014, mz))))
    front, back, total = int(cols[3]), int(cols[4]), len(around)
    ear = (int(at[2]) + even(4), int(at[2]) + even(4) + even(10))
    return Grid(
        angles=around,
        rows=rows,
        eye=Block(*eye, int(cols[1]), int(cols[2])),
        other_eye=Block(*eye, -int(cols[2]), -int(cols[1])),
        mouth=Block(int(at[4]), int(at[5]), -reach, reach),
        ear=Block(*ear, front, back),
        other_ear=Block(*ear, total - back, total - front),
    )
