# SPDX-License-Identifier: GPL-3.0-or-later
"""A modelled head whose parts are known by name, and the fields that its shapes are written with.
Canonical frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from backend.face.geometry.frame import frame_of_landmarks

from .head import PARTS as SAMPLE_PARTS
from .head_skin import OPENINGS
from .rig import Floats, Ints

__all__ = ["OPENINGS", "PARTS", "Anatomy", "Habits", "ball", "framed", "smooth", "turned", "way"]

_SIDED = ("iris", "white", "lower_lash", "crease")
PARTS = (*SAMPLE_PARTS, *(f"{name}_{side}" for name in _SIDED for side in ("left", "right")))


@dataclass(frozen=True)
class Habits:
    """How the artist of a head goes about it; the defaults are those of realistic heads.

    jaw: degrees that it opens; chin: how far the chin goes along; lip_lift: how far the upper lip
    rises meanwhile, part of the lower lip's way. gain: size of the mouth's other shapes; spread:
    how far they reach over the cheeks; lift: how much a smile raises the cheek. slide: how much of
    a move of the mouth the far corner makes; carried: how much teeth and tongue make. forward: how
    far lips are pushed out. brow_skin: how far the skin follows a brow; lid_fall: how fast a lid's
    movement fades above it; lash_turn: degrees lashes turn at a blink; lower_lid: how far the lower
    lid comes to meet the upper one. decal: eyes lie on the skin, and a blink squashes them. bag:
    how much less of the jaw's way each ring of the mouth's inside makes, from the lips inwards.
    """

    jaw: float = 17.0
    chin: float = 1.0
    lip_lift: float = 0.0
    gain: float = 1.0
    spread: float = 1.0
    lift: float = 1.0
    slide: float = 1.0
    carried: float = 0.0
    forward: float = 1.0
    brow_skin: float = 1.0
    lid_fall: float = 1.3
    lash_turn: float = 55.0
    lower_lid: float = 0.03
    decal: bool = False
    bag: float = 0.0


@dataclass(frozen=True)
class Anatomy:
    """A modelled head. vertices (V,3), part, ring, turn, opening (V,) as in SampleHead, by this
    module's PARTS; landmarks name -> (3,).
    """

    vertices: Floats
    part: Ints
    ring: Floats
    turn: Floats
    opening: Ints
    landmarks: dict[str, Floats]
    habits: Habits = field(default_factory=Habits)

    def of(self, *names: str) -> Floats:
        """1 on the named parts (V,1), else 0."""
        return np.isin(self.part, [PARTS.index(n) for n in names]).astype(np.float32)[:, None]


def framed(head: Anatomy) -> Anatomy:
    """The head in the canonical frame of its own landmarks."""
    frame = frame_of_landmarks(head.landmarks)
    return replace(
        head,
        vertices=frame.to_canonical(head.vertices),
        landmarks={n: frame.to_canonical(p) for n, p in head.landmarks.items()},
    )


def smooth(low: float, high: float, x: Floats) -> Floats:
    """0 below low, 1 above high; low may exceed high."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def ball(head: Anatomy, centre: Floats, radii: tuple[float, float, float]) -> Floats:
    """A Gaussian of height 1 (V,1) around a centre (3,), on everything."""
    away = (head.vertices - centre) / np.array(radii, np.float32)
    return np.asarray(np.exp(-(away**2).sum(axis=1, keepdims=True)), np.float32)


def way(x: float, y: float, z: float) -> Floats:
    """A direction (1,3) that broadcasts over vertices."""
    return np.array([[x, y, z]], np.float32)


def turned(points: Floats, centre: Floats, axis: int, angle: float) -> Floats:
    """Displacement (V,3) of points that turn about an axis through a centre, angle in radians."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    away = points - centre
    out = np.zeros_like(points)
    out[:, i] = away[:, i] * (np.cos(angle) - 1) - away[:, j] * np.sin(angle)
    out[:, j] = away[:, i] * np.sin(angle) + away[:, j] * (np.cos(angle) - 1)
    return out
