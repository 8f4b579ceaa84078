# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets that lie on a face's skin, as blushes and shades of drawn faces do. Canonical frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import nearest, squared
from ..geometry.mirror import in_symmetric_region
from ..geometry.ramp import smoothstep
from .seams import SHEETS
from .surface import Flags, Surface

# Between these nothing hangs on a hair: from a part that goes its own way to one that goes wholly
# along.
MOST = (
    0.8,
    0.95,
)  # share of its vertices that lie as near to the skin as a sheet does, and within the face
BEFORE = (0.4, 0.6)  # share of them that lie before it
OTHERS = (
    0.2,
    0.1,
)  # share of them that go with lids or are a brow: they have something to do there
FEW = 4  # vertices below which it is none either
Lain = tuple[
    NDArray[np.intp], NDArray[np.intp], Floats
]  # vertices (S,) of sheets, that of the skin below each (S,), how far each goes along (S,)


def lying(there: Surface, others: Flags) -> Lain:
    """What lies on the skin. others (F,): what goes with lids, eyes and brows."""
    skin = np.flatnonzero(there.skins[0])
    count = np.maximum(np.bincount(there.owner), 1)
    inside, taken = (
        np.bincount(there.owner, flags, len(count)) / count
        for flags in (in_symmetric_region(there.vertices), others)
    )
    sought = (
        (count >= FEW) & (inside > MOST[0]) & (taken < OTHERS[0])
    )  # of all others, such as hair, nothing is measured
    loose = np.flatnonzero(sought[there.owner] & ~there.skins[0] & ~there.bulky)
    if not len(skin) or not len(loose):
        return loose[:0], loose[:0], np.empty(0, np.float32)
    below = skin[nearest(there.vertices[loose], there.vertices[skin])]
    away = there.vertices[loose] - there.vertices[below]
    owner = there.owner[loose]
    near, before = (
        np.bincount(owner, flags, len(count)) / count
        for flags in (squared(away) < SHEETS**2, away[:, 2] > 0)
    )
    share = (
        smoothstep(*MOST, np.minimum(near, inside))
        * smoothstep(*BEFORE, before)
        * smoothstep(*OTHERS, taken)
    )[owner].astype(np.float32)
    mine = share > 0
    return loose[mine], below[mine], share[mine]
