# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets that lie on a face's skin go where the skin below them goes. Canonical frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..analyse.decals import Lain
from ..geometry.frame import Floats


def follow(shapes: Mapping[str, Floats], lain: Lain, model_trust: float) -> None:
    """Let decals, in place, do what the skin below them does.

    Args:
        shapes: condition -> offsets float32 (F,3), canonical
        lain: of `lying`
        model_trust: 0 to 1, how far the model is believed instead
    """
    mine, below, share = lain
    goes = share[:, None] * np.float32(1 - model_trust)
    for offsets in shapes.values() if len(mine) else ():
        offsets[mine] += goes * (offsets[below] - offsets[mine])
