# SPDX-License-Identifier: GPL-3.0-or-later
"""A head as it was looked at, once: what its mesh says travels in one `Head`, and what its vertices
are is asked of its `labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mirror import Pairs, pairs_of
from ..geometry.smoothing import Neighbours
from .labels import Labels, brows_of, labels_of, with_decals
from .lids import Lid, find_lids
from .openings import Opening, mouth_slit
from .surface import Flags, Surface


@dataclass(frozen=True)
class Head:
    """surface: of the face. landmarks: name -> (3,), canonical. lids: of each eye, by its side,
    whose opening is found. slit: the mouth's, if it is found. around: who is next to whom among the
    face's vertices. pairs: which vertex is which one's mirror image, None on a face that is not
    symmetric.
    """

    surface: Surface
    landmarks: Mapping[str, Floats]
    lids: Mapping[str, Lid]
    slit: Opening | None
    labels: Labels
    around: Neighbours | None = None
    pairs: Pairs | None = None


def eyes_of(head: Head) -> Flags:
    """Vertices (F,) of both eyes, as far as they are found: balls with their shells, flat parts and
    what floats before them.
    """
    found = np.zeros(len(head.surface.vertices), bool)
    for eye in head.labels.eyes.values():
        found |= eye
    for side, (ball, _centre) in head.surface.balls.items():
        if side not in head.lids:  # which tell lashes in its shell from it
            found[ball] = True
    return found


def head_of(surface: Surface, landmarks: Mapping[str, Floats]) -> Head:
    """The head of a face's surface, looked at but for its mirror image and for what lies on the
    skin.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
    """
    brows = brows_of(surface, landmarks)
    lids = find_lids(surface, landmarks, brows)
    slit = mouth_slit(
        surface.vertices, surface.triangles, surface.lip_lid_side[:, 0], surface.skins[0], landmarks
    )
    return Head(surface, landmarks, lids, slit, labels_of(surface, landmarks, brows, lids))


def looked_over(
    head: Head, normals: Floats, around: Neighbours, doubted: bool, still: Flags
) -> Head:
    """The head with its mirror image and, where the model is not believed alone, what lies on its
    skin.

    Args:
        head: of `head_of`
        normals: float32 (F,3), unit, canonical
        around: which vertices are next to each other
        doubted: whether the model is not believed alone
        still: flags (F,), hair and what is worn: nobody's mirror image
    """
    surface = head.surface
    size = np.bincount(surface.owner)[
        surface.owner
    ]  # of a vertex's part: left and right parts are of one size
    pairs = pairs_of(surface.vertices, normals, head.labels.skin, size)
    if pairs is not None:
        pairs = _without(pairs, still)
    with_lids = len(head.lids) == len(SIDES)  # else it may be a flat part that is an eye
    labels = with_decals(head.labels, surface) if doubted and with_lids else head.labels
    return replace(head, around=around, pairs=pairs, labels=labels)


def _without(pairs: Pairs, still: Flags) -> Pairs:
    """Pairs (F,) of which none is of a vertex that moves and one that is still (F,)."""
    lost = np.flatnonzero(~still & still[pairs.partner])
    if not len(lost):
        return pairs
    partner = pairs.partner.copy()
    partner[lost] = lost
    return replace(pairs, partner=partner, alone=np.union1d(pairs.alone, lost))
