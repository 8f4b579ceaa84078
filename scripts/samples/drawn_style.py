# SPDX-License-Identifier: GPL-3.0-or-later
"""The style of a drawn head: its proportions, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
# Rows of the profile: domain b, front y, front z, half width, back y, back z. Everything below the
# chin turns under the jaw into the neck.
ROWS = np.array(
    [
        [2.50, 1.62, -1.00, 0.02, 1.62, -1.00],
        [2.05, 1.57, -0.55, 0.50, 1.50, -1.50],
        [1.45, 1.30, -0.08, 0.96, 1.20, -2.00],
        [0.80, 0.80, 0.12, 1.12, 0.70, -2.20],
        [0.35, 0.35, 0.15, 1.11, 0.30, -2.25],
        [0.00, 0.00, 0.12, 1.06, 0.05, -2.20],
        [-0.45, -0.45, 0.10, 0.96, -0.30, -2.05],
        [-0.90, -0.90, 0.10, 0.70, -0.60, -1.85],
        [-1.28, -1.28, 0.02, 0.32, -0.85, -1.62],
        [-1.50, -1.36, -0.22, 0.36, -1.00, -1.50],
        [-1.85, -1.42, -0.62, 0.33, -1.30, -1.38],
        [-2.60, -2.30, -0.66, 0.42, -2.30, -1.40],
    ]
)
CHIN_ROW = 8
DECALS = 0.12  # share of heads whose eyes lie on the skin
SLIT = 0.004  # half height of the closed mouth at its middle


@dataclass(frozen=True)
class Style:
    """Proportions of a stylised head in canonical units; everything that a draw decides about its
    surface.
    """

    rows: Reals
    boxy: float
    eye: tuple[float, float]  # centre x, y
    eye_half: float
    eye_up: float
    eye_down: float
    eye_power: tuple[float, float]
    eye_tilt: float
    socket: float
    mouth_y: float
    mouth_half: float
    mouth_curve: float
    mouth_reach: tuple[float, float]
    nose: tuple[float, float, float, float]  # y, height, width, length upwards
    lips: float
    snout: tuple[float, float, float, float]  # y, height, half width, half height
    cheek: float
    lid: float  # thickness of the lids' rim
    around: int  # points of an eye's ring
    mouth_around: int  # points of half a mouth's ring
    spacing: float  # of the points on the face
    jitter: float
    closed: tuple[bool, bool]  # whether sockets and bag have a back
    decal: bool  # eyes lie on a skin without openings
    sketched: bool = False  # so does the mouth, and the skin is of few faces


def _random_rows(rng: np.random.Generator) -> tuple[Reals, float]:
    """The head's outline, see ROWS, and the height of its chin."""
    rows = ROWS.copy()
    rows[:, 1:] += (
        rng.normal(0, 0.015, rows[:, 1:].shape) * [0, 1, 1, 0.5, 1] * (np.abs(rows[:, :1]) > 0.1)
    )
    chin = rng.uniform(-1.45, -1.08)
    drop = (chin - ROWS[CHIN_ROW, 0]) * np.clip((-ROWS[:, 0] - 0.45) / 0.83, 0, 1)
    rows[:, 0] += drop
    rows[:, 1] += drop
    rows[:, 4] += drop * 0.7
    front = (rows[:, 0] <= 0.8) & (np.arange(len(rows)) <= CHIN_ROW)
    rows[front, 1] = rows[front, 0]
    rows[:, 3] *= rng.uniform(0.88, 1.15)
    rows[6:9, 3] *= rng.uniform(0.85, 1.3) ** np.array([0.3, 0.7, 1.0])
    rows[CHIN_ROW:, 3] = np.minimum(
        rows[CHIN_ROW:, 3] * rng.uniform(0.8, 1.6), rows[CHIN_ROW - 1, 3] * 0.9
    )
    rows[:CHIN_ROW, 2] += rng.uniform(-0.15, 0.15)
    rows[:, [2, 5]] *= rng.uniform(0.8, 1.15)
    return rows, chin


def random_style(rng: np.random.Generator) -> Style:
    """Anime mostly; a fifth each cartoon and muzzled."""
    kind = rng.choice(3, p=[0.62, 0.18, 0.20])
    rows, chin = _random_rows(rng)
    half = float(rng.uniform(0.22, 0.40))
    up = half * float(rng.uniform(0.25, 1.0 if kind == 0 else 1.2))
    wide = float(rng.uniform(0.08, 0.36)) * (1.3 if kind else 1.0)
    nose = float(rng.uniform(0.04, 0.34)) if kind == 0 else float(rng.uniform(0.05, 0.5))
    fine = float(np.exp(rng.uniform(np.log(0.045), np.log(0.20))))
    mouth_y = float(rng.uniform(-0.98, max(-0.72, chin + 0.24) if chin < -0.98 else -0.70))
    mouth_y = max(mouth_y, chin + 0.24)
    snout = (0.0, 0.0, 0.4, 0.4)
    if kind == 2:
        snout = (
            float(rng.uniform(-0.78, -0.55)),
            float(rng.uniform(0.15, 0.75)),
            float(rng.uniform(0.3, 0.5)),
            float(rng.uniform(0.28, 0.42)),
        )
        wide, nose = float(rng.uniform(0.15, 0.5)), float(rng.uniform(0.02, 0.2))
        mouth_y = max(snout[0] - float(rng.uniform(0.08, 0.25)), chin + 0.2)
    return Style(
        rows=rows,
        boxy=float(rng.uniform(1.9, 2.4)),
        eye=(float(max(rng.uniform(0.46, 0.60), half + 0.08)), 0.0),
        eye_half=half,
        eye_up=up,
        eye_down=half * float(rng.uniform(0.15, 0.7)),
        eye_power=(float(rng.uniform(0.55, 1.0)), float(rng.uniform(0.6, 1.1))),
        eye_tilt=float(rng.normal(0.05, 0.12)),
        socket=float(rng.uniform(-0.02, 0.12)),
        mouth_y=mouth_y,
        mouth_half=wide,
        mouth_curve=float(rng.normal(0.02, 0.05)) * wide / 0.25,
        mouth_reach=(float(rng.uniform(0.16, 0.34)), float(rng.uniform(0.14, 0.26))),
        nose=(
            float(rng.uniform(-0.62, -0.38)),
            nose,
            float(rng.uniform(0.05, 0.14)),
            float(rng.uniform(0.1, 0.4)),
        ),
        lips=float(rng.uniform(0, 0.05)),
        snout=snout,
        cheek=float(rng.uniform(-0.02, 0.08)),
        lid=float(rng.uniform(0.01, 0.09)),
        around=int(rng.integers(10, 44)),
        mouth_around=int(rng.integers(6, 22)),
        spacing=fine,
        jitter=float(rng.choice([0.0, 0.1, 0.3])),
        closed=(bool(rng.random() < 0.4), bool(rng.random() < 0.8)),
        decal=bool(rng.random() < DECALS),
    )
