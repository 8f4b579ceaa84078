# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth warps of a head: anime-like and random proportions, in which displacements stay exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.landmarks import NAMES, SIDES

from ..samples.rig import Floats

Warp = Callable[[Floats], Floats]
Scaling = tuple[Floats, float, Floats]  # centre (3,), radius, relative growth (3,)
Doubles = NDArray[np.float64]
Pushes = tuple[Doubles, Doubles, Doubles]  # centres (N,3), offsets (N,3), widths (N,)
MUZZLED = 0.12  # share of the warps that give a head a snout


def _scalings(
    at: Mapping[str, Floats], rng: np.random.Generator, strength: float, anime: float
) -> list[Scaling]:
    """How eyes, mouth and nose grow: both eyes alike, then the mouth, then the nose."""
    found: list[Scaling] = []

    def scales(most: tuple[float, float, float], spread: float) -> Floats:
        """Relative growth (3,) along the axes: `most` on anime heads, with noise."""
        return np.asarray(
            np.exp(np.array(most) * anime + rng.normal(0, spread, 3) * strength) - 1, np.float32
        )

    eye = scales((0.45, 0.75, 0.0), 0.12)
    for side in SIDES:
        centre = np.mean(
            [at[f"{n}_{side}"] for n in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")],
            axis=0,
            dtype=np.float32,
        )
        found.append((centre, 0.45, eye))
    mouth = np.mean([at["mouth_left"], at["mouth_right"]], axis=0, dtype=np.float32)
    found.append((mouth, 0.45, scales((-0.45, -0.3, -0.3), 0.2)))
    found.append(
        (at["nose_tip"] - np.array([0, 0, 0.25], np.float32), 0.3, scales((-0.4, -0.3, -0.9), 0.15))
    )
    return found


def _pushes(nose: Floats, mouth: Floats, rng: np.random.Generator, strength: float) -> Pushes:
    """Smooth noise, now and then with a snout: nose and mouth (3,) pushed out as one."""
    centres = rng.normal(0, 1.0, (8, 3)) + np.array([0, -0.4, -0.3])
    pushes = rng.normal(0, 0.10 * strength, (8, 3)) * np.array([0.6, 1, 1])
    widths = rng.uniform(0.5, 1.2, 8)
    if rng.random() < MUZZLED:
        snout = (nose + mouth) / 2 - np.array([0, 0, 0.2])
        centres = np.concatenate([centres, snout[None]])
        pushes = np.concatenate([pushes, [[0, rng.normal(0, 0.1), rng.uniform(0.2, 0.7)]]])
        widths = np.append(widths, rng.uniform(0.35, 0.6))
    return centres, pushes, widths


def _moved(p: Floats, scalings: list[Scaling], pushes: Pushes) -> Floats:
    """How far points float32 (...,3) go by all scalings and pushes, float32."""
    move = np.zeros_like(p)
    for centre, radius, scale in scalings:
        away = p - centre.astype(np.float32)
        move += (
            np.exp(-(away**2).sum(-1, keepdims=True) / (2 * radius**2))
            * away
            * scale.astype(np.float32)
        )
    for centre, push, width in zip(*pushes, strict=True):
        away = p - centre.astype(np.float32)
        move += np.exp(-(away**2).sum(-1, keepdims=True) / (2 * width**2)) * push.astype(np.float32)
    return move


def random_warp(
    landmarks: Floats, rng: np.random.Generator, strength: float, anime: float = 1.0
) -> Warp:
    """A smooth warp of canonical space: bigger eyes, smaller nose and mouth, a pointed chin, and
    smooth noise. Local scalings fall off as Gaussians, so the warp stays smooth and a displaced
    point is warped exactly.

    Args:
        landmarks: (L,3), canonical
        rng: draws proportions and noise
        strength: how far all of it goes, 0 to 1
        anime: how far towards such proportions at most
    """
    at = dict(zip(NAMES, landmarks, strict=True))
    anime = rng.uniform(-0.3, anime) * strength
    scalings = _scalings(at, rng, strength, anime)
    mouth = scalings[len(SIDES)][0]
    stretch = np.exp(
        rng.normal(0, 0.08, 3) * strength + np.array([0, 0, -0.35]) * max(anime, 0) * rng.uniform()
    )
    chin = rng.normal(0.12, 0.15) * strength
    pushes = _pushes(at["nose_tip"], mouth, rng, strength)

    def warp(points: Floats) -> Floats:
        p = points.astype(np.float32)
        out = (p + _moved(p, scalings, pushes)) * stretch.astype(np.float32)
        low = np.clip((mouth[1] - p[..., 1]) / 1.0, 0, 1.5)
        out[..., 0] *= 1 - np.float32(chin) * low**2 * (p[..., 2] > -1.5)
        return np.ascontiguousarray(out, np.float32)

    return warp
