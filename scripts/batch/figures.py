# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a finished face for the report: how sparse its shapes are, how far lids close and lips seal. numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
NEAREST = 6  # vertices whose mean movement is taken for that of a landmark


def figures_of(shapes: Mapping[str, Floats], neutral: Floats, landmarks: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Figures of shapes {name: float32 (V,3) coordinates} over the neutral face (V,3), landmarks {name: (3,)} in the same space.

    sparsity: mean share of vertices that a shape does not move at all. lid_left, lid_right: by how much eyeBlink lessens the way between the
    middles of the lids, 1 is closed, above 1 crosses. lips: by how much mouthClose takes back what jawOpen opens, 1 is sealed. Those whose shapes
    or landmarks are not there are left out.
    """
    found: dict[str, float] = {}
    if shapes:
        still = [float((points == neutral).all(axis=1).mean()) for points in shapes.values()]
        found["sparsity"] = round(float(np.mean(still)), 4)
    for side in ("left", "right"):
        gap = _gap(neutral, landmarks, f"lid_upper_{side}", f"lid_lower_{side}")
        blink = shapes.get(f"eyeBlink{side.title()}")
        if gap is not None and blink is not None:
            found[f"lid_{side}"] = round(-_change(gap, blink - neutral) / max(gap.length, 1e-12), 3)
    gap, jaw, close = _gap(neutral, landmarks, "lip_upper", "lip_lower"), shapes.get("jawOpen"), shapes.get("mouthClose")
    if gap is not None and jaw is not None and close is not None:
        opened = _change(gap, jaw - neutral)
        if opened > 0:
            found["lips"] = round(-_change(gap, close - neutral) / opened, 3)
    return found


class _Gap:
    """The way from a lower to an upper landmark, and the vertices that carry each."""

    def __init__(self, neutral: Floats, upper: Floats, lower: Floats, up: Floats) -> None:
        way = upper - lower
        self.length = float(np.linalg.norm(way))
        # lips lie on each other, so the way between them has no direction of its own
        self.direction = up if self.length < 0.02 * float(np.linalg.norm(up)) else way / self.length
        self.direction = self.direction / np.linalg.norm(self.direction)
        self.upper, self.lower = (np.argsort(((neutral - point) ** 2).sum(axis=1))[:NEAREST] for point in (upper, lower))


def _gap(neutral: Floats, landmarks: Mapping[str, Sequence[float]], upper: str, lower: str) -> _Gap | None:
    if not {upper, lower, "nose_tip", "chin"} <= set(landmarks):
        return None
    high, low, nose, chin = (np.asarray(landmarks[name], np.float32) for name in (upper, lower, "nose_tip", "chin"))
    up = nose - chin
    return _Gap(neutral, high, low, up) if np.linalg.norm(up) > 0 else None


def _change(gap: _Gap, offsets: Floats) -> float:
    """By how much offsets (V,3) widen the gap."""
    return float((offsets[gap.upper].mean(axis=0) - offsets[gap.lower].mean(axis=0)) @ gap.direction)
