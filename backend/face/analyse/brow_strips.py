# SPDX-License-Identifier: GPL-3.0-or-later
"""Brows that are parts of their own, as drawn faces have them: strips that float before the skin.
Canonical frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import distinct_rows, squared
from ..params.analyse import BROW_STRIPS

Flags = NDArray[np.bool_]


def strip(parts: Floats, landmarks: Mapping[str, Floats], side: str) -> Flags:
    """Vertices (F,) of flat small parts next to the line of the brow of a side and above its eye,
    by their boxes.

    Args:
        parts: float32 (F,6), boxes
        landmarks: name -> (3,), canonical
        side: left or right
    """
    inner, outer, lid = (
        landmarks[f"{name}_{side}"] for name in ("brow_inner", "brow_outer", "lid_upper")
    )
    middle, length = (inner + outer) / 2, float(np.linalg.norm(outer - inner))
    boxes, which = distinct_rows(parts)
    centre, extent = boxes[:, :3], boxes[:, 3:]
    near = (np.sqrt(squared(centre - middle)) < BROW_STRIPS.near) & (
        np.abs(centre[:, 1] - middle[1]) < centre[:, 1] - lid[1]
    )  # no crease of the lid
    flat = (
        (extent[:, 1] < BROW_STRIPS.flat * extent[:, 0] + BROW_STRIPS.flat_more)
        & (extent[:, 0] > BROW_STRIPS.long_from * length)
        & (extent.max(axis=1) < BROW_STRIPS.long_to * length)
    )
    return np.asarray((near & flat)[which])


def ends(vertices: Floats, parts: Floats, landmarks: Mapping[str, Floats]) -> dict[str, Floats]:
    """The landmarks of brows (3,) where brows are strips: their ends.

    Args:
        vertices: float32 (F,3), canonical
        parts: float32 (F,6), boxes
        landmarks: name -> (3,), canonical
    """
    found: dict[str, Floats] = {}
    for side in SIDES:
        mine = vertices[strip(parts, landmarks, side)]
        if not len(mine):
            continue
        out = np.argsort(mine[:, 0] if side == "left" else -mine[:, 0], kind="stable")
        count = max(1, round(BROW_STRIPS.end * len(out)))
        found[f"brow_inner_{side}"] = mine[out[:count]].mean(axis=0, dtype=np.float32)
        found[f"brow_outer_{side}"] = mine[out[-count:]].mean(axis=0, dtype=np.float32)
    return found
