# SPDX-License-Identifier: GPL-3.0-or-later
"""The mouth's coordinates of every vertex: along and above its slit, in half widths of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..analyse.surface import Surface
from ..geometry.frame import Floats
from ..geometry.ramp import smoothstep
from ..params.correct import JAW, MOUTH_FIELDS

SIGN = {"left": 1.0, "right": -1.0}
NOTHING = 1e-7  # of a field's height, below which it is none


def way(x: float, y: float, z: float) -> Floats:
    """A direction (1,3) that broadcasts over vertices."""
    return np.array([[x, y, z]], np.float32)


@dataclass(frozen=True)
class Mouth:
    """The mouth's coordinates of all vertices.

    Args:
        vertices: float32 (F,3), canonical
        x, y: (F,), from its middle along and above the slit, in half widths
        away: (F,), distance from the slit, in half widths
        depth: (F,), out of the lips' surface, in half widths
        upper: (F,1), 1 on the upper lip's side, else 0
        skin: (F,1), 1 on skin
        half: its half width, canonical
        large: 0 a small drawn mouth, 1 a wide one
        lips, chin, nose: (3,), landmarks, canonical
    """

    vertices: Floats
    x: Floats
    y: Floats
    away: Floats
    depth: Floats
    upper: Floats
    skin: Floats
    half: float
    large: float
    lips: Floats
    chin: Floats
    nose: Floats

    def among(self, some: NDArray[np.intp]) -> Mouth:
        """The same for some of the vertices (S,)."""
        own = {
            name: getattr(self, name)[some]
            for name in ("vertices", "x", "y", "away", "depth", "upper", "skin")
        }
        return replace(self, **own)

    def wing(self, sign: float) -> Floats:
        """How much each vertex (F,1) is of the nose's wing, 0 to 1. sign: 1 left, -1 right."""
        m = MOUTH_FIELDS
        place = np.array([m.wing_aside * sign, -m.wing_down, -m.wing_back], np.float32)
        radii = np.array((m.wing_wide, m.wing_tall, m.wing_deep), np.float32)
        away = (self.vertices - (self.nose + place)) / radii
        return np.asarray(np.exp(-(away**2).sum(axis=1, keepdims=True)), np.float32)

    def reached(self) -> NDArray[np.intp]:
        """Vertices (S,) of the skin where the mouth's fields are not 0, or less than the rounding
        of a coordinate.
        """
        wings = np.max([self.wing(sign) for sign in SIGN.values()], axis=0)
        return np.flatnonzero(
            (self.skin[:, 0] > 0) & ((self.away < MOUTH_FIELDS.broad) | (wings[:, 0] > NOTHING))
        )


def mouth_of(surface: Surface, landmarks: Mapping[str, Floats]) -> Mouth:
    """The mouth's coordinates. Sides along the surface tell the lips apart where they are known,
    height where not.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
    """
    m, v = MOUTH_FIELDS, surface.vertices
    left, right = landmarks["mouth_left"], landmarks["mouth_right"]
    half = max(float(np.linalg.norm(left - right)) / 2, m.least_half)
    middle, lips = (left + right) / 2, (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    x = (v[:, 0] - middle[0]) / half
    bow = np.clip(x**2, 0, m.bow_most)
    y = (v[:, 1] - lips[1] - (middle[1] - lips[1]) * bow) / half
    back = np.clip(x**2, 0, m.bow_deep_most)
    depth = (v[:, 2] - lips[2] - (middle[2] - lips[2]) * back) / half
    inwards = m.inwards * np.minimum(depth + m.lip_depth, 0)
    away = np.hypot(np.hypot(np.maximum(np.abs(x) - 1, 0), y), inwards)
    side = surface.lip_lid_side[:, 0]
    return Mouth(
        vertices=v,
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        away=away.astype(np.float32),
        depth=depth.astype(np.float32),
        upper=np.where(side != 0, side > 0, y > 0).astype(np.float32)[:, None],
        skin=surface.skins[0].astype(np.float32)[:, None],
        half=half,
        large=float(smoothstep(m.large_from, m.large_to, np.asarray(half, np.float32))),
        lips=lips,
        chin=landmarks["chin"],
        nose=landmarks["nose_tip"],
    )


def oval(m: Mouth) -> Floats:
    """What artists of drawn mouths add to jawOpen (F,3), parts of the lower lip's way: the upper
    lip rises, corners go out and do not fall.
    """
    deep = smoothstep(JAW.oval_deep_from, JAW.oval_deep_to, -m.depth)
    near = ((1 - smoothstep(0, JAW.oval_away, m.away)) * (1 - deep))[:, None] * m.skin
    x = m.x[:, None]
    corner = smoothstep(JAW.oval_corner_from, JAW.oval_corner_to, np.abs(x))
    middle = np.exp(-((x / JAW.oval_middle) ** 4))
    fields = (
        JAW.oval_rise * m.upper * middle * way(0, 1, 0)
        + corner * (JAW.oval_corners * way(0, 1, 0))
        + JAW.oval_wider * x * np.exp(-(x**2)) * way(1, 0, 0)
    )
    return np.asarray(near * fields, np.float32)
