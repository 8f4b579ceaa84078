# SPDX-License-Identifier: GPL-3.0-or-later
"""A found face: what may move, where it is, and what the decoder gets to see."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats, Frame
from ..geometry.mesh import AvatarMesh, Ints
from ..geometry.ramp import smoothstep
from ..params.locate import TRUST

Effort = Literal["glance", "upright", "full"]
# How far a face is looked for: only what is certain at first sight counts; only with those
# directions up that something hints at; with any.
EFFORTS: tuple[Effort, ...] = get_args(Effort)

NO_FACE_FIX = (
    "Choose the object that holds the face; or put the face's vertices into a vertex group and name"
    " it as the face's group; or turn the avatar upright, give it a neutral face and try again."
)


@dataclass(frozen=True)
class Place:
    """Where a face was found.

    Args:
        mesh: its triangles look outwards
        group: int32 (V,), vertices in one place share one
        parts: int32 (V,), loose parts
        frame: of the landmarks
        names: of the landmarks
        landmarks: float32 (L,3), in the frame
        confidence: 0 to 1
        searched: it was not given by the user's landmarks
        warnings: sentences for the user
        more: waits for what else the encoder says, float32 (S,)
        alike: makes both sides of landmarks in a frame alike where the face is symmetric; of those
            that are named on one side only, that one counts
        otherwise: another place for the same face, for when no eye, or no mouth, is where this one
            says, or None
    """

    mesh: AvatarMesh
    group: Ints
    parts: Ints
    frame: Frame
    names: tuple[str, ...]
    landmarks: Floats
    confidence: float
    searched: bool
    warnings: tuple[str, ...]
    more: Callable[[], Floats]
    alike: Callable[[Floats, Frame, Collection[str]], tuple[Floats, Frame]]
    otherwise: Callable[[], Place | None] = lambda: None


@dataclass(frozen=True)
class Face:
    """A found face of F vertices that may move.

    Args:
        indices: int32 (F,), these vertices in the mesh
        frame: the canonical frame
        landmarks: float32 (L,3), canonical
        latent: float32 (1,L*3+S), what the decoder gets: the landmarks and what else the encoder
            says
        confidence: 0 to 1
        warnings: sentences for the user
        vertices: float32 (F,3), canonical
        normals: float32 (F,3), unit, canonical
        parts: float32 (F,6), boxes of loose parts, canonical
        lip_lid_side: float32 (F,2), 1 on the upper lip and lid to -1 on the lower; the decoder's
            input `sides`
        opposite_edge: float32 (F,6), to the opposite lip and lid, canonical; the
            decoder's input `ways`
        movement_mask: float32 (F,), 1 where shapes act fully, falling to 0 at the border of the
            head; 0 on hair and what is worn
        triangles: int32 (T,3), all of the mesh's, looking outwards
        still: flags (F,), hair and what is worn
        surely: how far this surely is one of the training rigs' heads, 0 to 1
    """

    indices: Ints
    frame: Frame
    landmarks: Floats
    latent: Floats
    confidence: float
    warnings: tuple[str, ...]
    vertices: Floats
    normals: Floats
    parts: Floats
    lip_lid_side: Floats
    opposite_edge: Floats
    movement_mask: Floats
    triangles: Ints
    still: NDArray[np.bool_]
    surely: float = 0.0

    @property
    def model_trust(self) -> float:
        """How far the model is believed alone, 0 to 1, because the head is like those that it has
        learnt from.
        """
        return model_trust_of(self.latent[0, self.landmarks.size :])


def surely_of(more: Floats) -> float:
    """How far a head surely is one of the training rigs', 0 to 1, by what the encoder says beside
    landmarks (S,): likeness to heads learnt is last.
    """
    lack = 1 - float(more[-1]) if len(more) else 1.0
    return float(np.clip((TRUST.rig_from - lack) / (TRUST.rig_from - TRUST.rig_to), 0, 1))


def model_trust_of(more: Floats) -> float:
    """How far the model is believed alone, 0 to 1, by what the encoder says beside landmarks (S,):
    likeness to heads learnt is last.
    """
    return float(smoothstep(TRUST.alone_from, TRUST.alone_to, more[-1:])[0]) if len(more) else 0.0
