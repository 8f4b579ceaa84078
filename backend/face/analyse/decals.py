# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets that lie on a face's skin, as blushes and shades of drawn faces do. Canonical frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import nearest, squared
from ..geometry.mirror import in_symmetric_region
from ..geometry.ramp import smoothstep
from ..params.analyse import DECALS, FACE_SKIN
from .surface import Flags, Surface

Lain = tuple[
    NDArray[np.intp], NDArray[np.intp], Floats
]  # vertices (S,) of layers, that of the skin below each (S,), how far each goes along (S,)


def lying(surface: Surface, others: Flags) -> Lain:
    """What lies on the skin.

    Args:
        surface: the face's
        others: bool (F,), what goes with lids, eyes and brows
    """
    skin = np.flatnonzero(surface.skins[0])
    count = np.maximum(np.bincount(surface.owner), 1)
    inside, taken = (
        np.bincount(surface.owner, flags, len(count)) / count
        for flags in (in_symmetric_region(surface.vertices), others)
    )
    sought = (
        (count >= DECALS.fewest) & (inside > DECALS.on_skin_from) & (taken < DECALS.taken_from)
    )  # of all others, such as hair, nothing is measured
    loose = np.flatnonzero(sought[surface.owner] & ~surface.skins[0] & ~surface.bulky)
    if not len(skin) or not len(loose):
        return loose[:0], loose[:0], np.empty(0, np.float32)
    below = skin[nearest(surface.vertices[loose], surface.vertices[skin])]
    away = surface.vertices[loose] - surface.vertices[below]
    owner = surface.owner[loose]
    near, before = (
        np.bincount(owner, flags, len(count)) / count
        for flags in (squared(away) < FACE_SKIN.layers**2, away[:, 2] > 0)
    )
    share = (
        smoothstep(DECALS.on_skin_from, DECALS.on_skin_to, np.minimum(near, inside))
        * smoothstep(DECALS.before_from, DECALS.before_to, before)
        * smoothstep(DECALS.taken_from, DECALS.taken_to, taken)
    )[owner].astype(np.float32)
    mine = share > 0
    return loose[mine], below[mine], share[mine]
