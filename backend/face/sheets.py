# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets that lie on a face's skin, as blushes and shades of drawn faces do: they go where the skin below them goes. Canonical frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .contacts import Flags, Surface
from .frame import Floats
from .mesh import nearest, squared
from .seams import SHEETS

MOST = 0.9  # of a part's vertices that lie as near to the skin as a sheet does
OTHERS = 0.15  # share of vertices that go with lids or are a brow, from which on a part is no sheet: it has something to do there
FEW = 4  # vertices below which it is none either

Places = NDArray[np.intp]


def lying(there: Surface, others: Flags) -> tuple[Places, Places]:
    """The vertices (S,) of sheets before the skin, and the vertex of the skin below each (S,). others (F,): what goes with lids, eyes and brows."""
    skin = np.flatnonzero(there.skins[0])
    loose = np.flatnonzero(~there.skins[0] & ~there.bulky)
    if not len(skin) or not len(loose):
        return loose[:0], loose[:0]
    below = skin[nearest(there.vertices[loose], there.vertices[skin])]
    away = there.vertices[loose] - there.vertices[below]
    owner = there.owner[loose]
    count = np.maximum(np.bincount(owner), 1)
    near, before, taken = (
        np.bincount(owner, flags, len(count)) / count for flags in (squared(away) < SHEETS**2, away[:, 2] > 0, others[loose])
    )
    sheet = (count >= FEW) & (near > MOST) & (before > 0.5) & (taken < OTHERS)
    mine = sheet[owner]
    return loose[mine], below[mine]


def follow(shapes: Mapping[str, Floats], lain: tuple[Places, Places], familiar: float) -> None:
    """Let sheets, in place, do what the skin below them does. shapes: condition -> offsets (F,3); lain: of `lying`. familiar: 0 to 1, how far
    the model is believed instead."""
    mine, below = lain
    for offsets in shapes.values() if len(mine) else ():
        offsets[mine] += np.float32(1 - familiar) * (offsets[below] - offsets[mine])
