# SPDX-License-Identifier: GPL-3.0-or-later
"""What the vertices of a face are: the one place that is asked. Each answer comes from the module
that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from . import brow_strips, decals, flat_features, mouth_parts
from .lids import Lid
from .surface import Flags, Surface


@dataclass(frozen=True)
class Labels:
    """What the vertices of a face are. Teeth and tongues are told by how they move: they are asked
    of `inside_mouth` when there are shapes.

    Args:
        skin: flags (F,), the part that the landmarks lie on (face_skin.py)
        hair: flags (F,), hair, what is worn, and parts too big for one of a face (surface.py)
        brows: flags (F,) by side, brows that are strips of their own (brow_strips.py)
        lashes: flags (F,) by side, of both lids (lids.py)
        eyes: flags (F,) by side, what lies in the opening (lids.py)
        flat_eyes: by side, eyes without an opening that are drawn on the skin (flat_features.py)
        mouths: flags (F,) of each, those that are closed strips before the skin (flat_features.py)
        decals: what lies on the skin, None where that is not asked (decals.py)
    """

    skin: Flags
    hair: Flags
    brows: Mapping[str, Flags]
    lashes: Mapping[str, Flags]
    eyes: Mapping[str, Flags]
    flat_eyes: Mapping[str, flat_features.FlatEye]
    mouths: tuple[Flags, ...]
    decals: decals.Lain | None = None

    @cached_property
    def brow(self) -> Flags:
        """Brows of both sides (F,)."""
        return np.asarray(np.any(list(self.brows.values()), axis=0))

    @cached_property
    def of_eyes_or_brows(self) -> Flags:
        """What goes with lids, eyes or brows, and is no skin (F,)."""
        return np.asarray(np.any([self.brow, *self.lashes.values(), *self.eyes.values()], axis=0))


def brows_of(surface: Surface, landmarks: Mapping[str, Floats]) -> dict[str, Flags]:
    """Brows that are strips of their own, by side, flags (F,).

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
    """
    return {
        side: brow_strips.strip(surface.boxes, landmarks, side) & ~surface.bulky for side in SIDES
    }


def labels_of(
    surface: Surface,
    landmarks: Mapping[str, Floats],
    brows: Mapping[str, Flags],
    lids: Mapping[str, Lid],
) -> Labels:
    """The labels of a face's surface but for decals and the inside of the mouth.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
        brows: bool (F,) by side, of `brows_of`
        lids: by side, where they are found
    """
    lashes = {side: lid.lash | lid.lower_lash for side, lid in lids.items()}
    eyes = {side: lid.eye for side, lid in lids.items()}
    drawn = {
        side: flat_features.drawn_eye(surface, landmarks, side)
        for side in SIDES
        if side not in lids
    }
    flat = {side: found for side, found in drawn.items() if found is not None}
    skin = surface.skins[0]
    mouths = tuple(flat_features.strips(surface.vertices, surface.owner, skin, landmarks))
    return Labels(
        skin,
        surface.bulky,
        brows,
        lashes=lashes,
        eyes=eyes,
        flat_eyes=flat,
        mouths=mouths,
    )


def with_decals(labels: Labels, surface: Surface) -> Labels:
    """The labels with what lies on the skin."""
    return replace(labels, decals=decals.lying(surface, labels.of_eyes_or_brows))


def inside_mouth(
    surface: Surface,
    landmarks: Mapping[str, Floats],
    mouths: Sequence[Flags],
    *,
    jaw: Floats,
    tongue: Floats,
) -> mouth_parts.MouthParts:
    """Teeth and tongues of a face's surface.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
        mouths: bool (F,) of each strip before the skin that is a mouth
        jaw: float32 (F,3), the shape jawOpen
        tongue: float32 (F,3), the shape tongueOut
    """
    lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    return mouth_parts.mouth_parts(
        surface.vertices,
        surface.boxes,
        surface.pieces,
        lips,
        jaw=jaw,
        tongue=tongue,
        strips=np.logical_or.reduce(mouths) if mouths else None,
    )
