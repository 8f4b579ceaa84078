# SPDX-License-Identifier: GPL-3.0-or-later
"""A head as it was looked at, once: what its mesh says travels in one `Head`, and what its vertices are is asked of its `Labels`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mirror import Pairs, pairs_of
from ..geometry.smoothing import Neighbours
from . import brow_strips, decals
from .lids import Lid, find_lids
from .openings import Opening, mouth_slit
from .surface import Flags, Surface


@dataclass(frozen=True)
class Labels:
    """What the vertices of a face are, flags (F,). skin: the part that the landmarks lie on. hair: hair, what is worn, and parts too big for one of a
    face. By side, where they are found: brows that are strips of their own, lashes of both lids, and eyes, which is what lies in the opening."""

    skin: Flags
    hair: Flags
    brows: Mapping[str, Flags]
    lashes: Mapping[str, Flags]
    eyes: Mapping[str, Flags]

    @cached_property
    def brow(self) -> Flags:
        """Brows of both sides (F,)."""
        return np.asarray(np.any(list(self.brows.values()), axis=0))

    @cached_property
    def of_eyes_or_brows(self) -> Flags:
        """What goes with lids, eyes or brows, and is no skin (F,)."""
        return np.asarray(np.any([self.brow, *self.lashes.values(), *self.eyes.values()], axis=0))


@dataclass(frozen=True)
class Head:
    """surface: of the face. landmarks: name -> (3,), canonical. lids: of each eye, by its side, whose opening is found. slit: the mouth's, if it is
    found. around: who is next to whom among the face's vertices. pairs: which vertex is which one's mirror image, None on a face that is not
    symmetric. decals: what lies on the skin, None where that is not asked."""

    surface: Surface
    landmarks: Mapping[str, Floats]
    lids: Mapping[str, Lid]
    slit: Opening | None
    labels: Labels
    around: Neighbours | None = None
    pairs: Pairs | None = None
    decals: decals.Lain | None = None


def eyes_of(head: Head) -> Flags:
    """Vertices (F,) of both eyes, as far as they are found: balls with their shells, flat parts and what floats before them."""
    found = np.zeros(len(head.surface.vertices), bool)
    for eye in head.labels.eyes.values():
        found |= eye
    for side, (ball, _centre) in head.surface.balls.items():
        if side not in head.lids:  # which tell lashes in its shell from it
            found[ball] = True
    return found


def head_of(surface: Surface, landmarks: Mapping[str, Floats]) -> Head:
    """The head of a face's surface, looked at but for its mirror image and for what lies on the skin."""
    brows = {side: brow_strips.strip(surface.boxes, landmarks, side) & ~surface.bulky for side in SIDES}
    lids = find_lids(surface, landmarks, brows)
    slit = mouth_slit(surface.vertices, surface.triangles, surface.sides[:, 0], surface.skins[0], landmarks)
    lashes = {side: lid.lash | lid.lower_lash for side, lid in lids.items()}
    labels = Labels(surface.skins[0], surface.bulky, brows, lashes, {side: lid.eye for side, lid in lids.items()})
    return Head(surface, landmarks, lids, slit, labels)


def looked_over(head: Head, normals: Floats, around: Neighbours, unfamiliar: bool) -> Head:
    """The head with its mirror image, normals (F,3), and, where the model is not believed alone, what lies on its skin."""
    surface = head.surface
    size = np.bincount(surface.owner)[surface.owner]  # of a vertex's part: left and right parts are of one size
    pairs = pairs_of(surface.vertices, normals, head.labels.skin, size)
    with_lids = len(head.lids) == len(SIDES)  # else it may be a flat part that is an eye
    lain = decals.lying(surface, head.labels.of_eyes_or_brows) if unfamiliar and with_lids else None
    return replace(head, around=around, pairs=pairs, decals=lain)
