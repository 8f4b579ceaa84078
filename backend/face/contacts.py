# SPDX-License-Identifier: GPL-3.0-or-later
"""How far some shapes must go so that they do what their name says: lids meet at a blink, lips meet at jawOpen + mouthClose.

A model errs in lengths before it errs in directions; the landmarks say how long the way is. All in the canonical frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .frame import Floats

BLINKS = {"eyeBlinkLeft": "left", "eyeBlinkRight": "right"}
PROBED = (*BLINKS, "jawOpen", "mouthClose", "tongueOut")  # the conditions whose own shapes gains and bodies are read from
LEAST, MOST = 0.6, 2.5  # a gain beyond says that something else is wrong, and is not followed further
FRONT = 0.88  # quantile, among vertices next to a lid that go at least half as far as the farthest, that is taken for its edge
LIPS = 16  # vertices next to the lips' landmarks that are taken for their edges: fewer than a bag or teeth behind would spoil


def gains(vertices: Floats, landmarks: Mapping[str, Floats], shapes: Mapping[str, Floats]) -> dict[str, float]:
    """Factors for the conditions among PROBED that need one. vertices (F,3); landmarks name -> (3,); shapes: condition -> offsets (F,3)."""
    found = {}
    for name, side in BLINKS.items():
        lids = (f"lid_upper_{side}", f"lid_lower_{side}")
        if name in shapes and all(lid in landmarks for lid in lids):
            found[name] = lid_gain(vertices, shapes[name], landmarks[lids[0]], landmarks[lids[1]])
    if {"jawOpen", "mouthClose"} <= shapes.keys() and {"lip_upper", "lip_lower"} <= landmarks.keys():
        lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
        found["mouthClose"] = lip_gain(vertices, shapes["jawOpen"], shapes["mouthClose"], lips)
    return found


def lid_gain(vertices: Floats, blink: Floats, upper: Floats, lower: Floats) -> float:
    """Factor on a blink (F,3) after which the upper lid's edge, next to `upper` (3,), gets as far as `lower` (3,)."""
    way = lower - upper
    length = float(np.linalg.norm(way))
    near = np.linalg.norm(vertices - upper, axis=1) < length
    if length < 1e-6 or not near.any():
        return 1.0
    return _bounded(length, _front((blink @ (way / length))[near]))


def lip_gain(vertices: Floats, jaw: Floats, close: Floats, lips: Floats) -> float:
    """Factor on mouthClose (F,3) after which it takes back what jawOpen (F,3) parts at the lips (3,)."""
    near = np.argsort(np.linalg.norm(vertices - lips, axis=1), kind="stable")[:LIPS]
    drop, lift = -jaw[near, 1], close[near, 1]
    low = drop > (drop.min() + drop.max()) / 2
    if low.all() or not low.any():
        return 1.0
    parted = float(drop[low].mean() - drop[~low].mean())
    closed = float(lift[low].mean() - lift[~low].mean())
    return _bounded(parted, closed)


def _front(way: Floats) -> float:
    """How far the edge goes, of the ways (N,) of everything next to it."""
    return float(np.quantile(way[way >= 0.5 * way.max()], FRONT)) if way.max() > 0 else 0.0


def _bounded(wanted: float, there: float) -> float:
    """wanted / there, within LEAST and MOST; 1 where the shape does not go that way at all."""
    return float(np.clip(wanted / there, LEAST, MOST)) if there > 1e-3 and wanted > 0 else 1.0
