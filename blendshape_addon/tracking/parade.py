# SPDX-License-Identifier: GPL-3.0-or-later
"""All shapes in a row, as a recording: each rises, is held, and falls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .recordings import Recording

RISE, HOLD, FALL, REST = 0.25, 0.35, 0.2, 0.05  # seconds of each shape
EACH = RISE + HOLD + FALL + REST


def parade(name: str, shapes: Sequence[str], companions: Mapping[str, str]) -> Recording:
    """The shapes in this order. companions: shape -> another that has to be there for it to be
    seen; those that are not among the shapes are left out.
    """
    places = {shape: number for number, shape in enumerate(shapes)}
    moments = np.cumsum([0.0, *([RISE, HOLD, FALL, REST] * len(shapes))])
    values = np.zeros((len(moments), len(shapes)), np.float32)
    for number, shape in enumerate(shapes):
        moving = [number, *([places[companions[shape]]] if companions.get(shape) in places else [])]
        values[4 * number + 1 : 4 * number + 3, moving] = 1.0
    return Recording(name, tuple(shapes), moments, values)


def at(recording: Recording, seconds: float) -> str:
    """The shape of a parade that is shown at a time."""
    number = min(max(int(seconds / EACH), 0), len(recording.names) - 1)
    return recording.names[number]
