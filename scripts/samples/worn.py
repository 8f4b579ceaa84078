# SPDX-License-Identifier: GPL-3.0-or-later
"""What modelled heads wear: glasses, patches, masks, hats, headphones, bands, ornaments, horns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import drawn_parts
from .anatomy import PARTS, Anatomy
from .dressed_parts import Dressed, Reals, Scalp, joined, ring
from .hair import ellipsoid


@dataclass(frozen=True)
class Wearer:
    """The head that wears something.

    Args:
        body: the head as it is modelled, canonical
        scalp: how far out its skin is
        skin: flags (V,) of the body's skin, its back left out
        front: z of what is foremost at the height of the eyes
        eye: float64 (3,), the middle of the left eye
        wide: half the width of an eye
    """

    body: Anatomy
    scalp: Scalp
    skin: NDArray[np.bool_]
    front: float
    eye: Reals
    wide: float


def _wearer(body: Anatomy, scalp: Scalp) -> Wearer:
    at, v = body.landmarks, body.vertices
    skin = (body.part == PARTS.index("skin")) & (v[:, 2] > -0.6)
    inner, outer = at["eye_inner_left"], at["eye_outer_left"]
    return Wearer(
        body,
        scalp,
        skin,
        front=float(v[skin & (np.abs(v[:, 1]) < 0.3), 2].max()),
        eye=np.abs((inner + outer) / 2).astype(np.float64),
        wide=float(np.linalg.norm(inner - outer)) / 2,
    )


def _glasses(head: Dressed, on: Wearer, rng: np.random.Generator) -> None:
    z, size = (
        on.front + rng.uniform(0.05, 0.3),
        (on.wide * rng.uniform(1.0, 1.5), on.wide * rng.uniform(0.7, 1.5)),
    )
    pieces = []
    for sign in (1, -1):
        centre = np.array([sign * on.eye[0], on.eye[1] + rng.uniform(-0.1, 0.05), z])
        thick, around, solid = rng.uniform(0.01, 0.05), rng.integers(8, 28), rng.integers(3, 7)
        pieces.append(ring(centre, size, thick, int(around), int(solid)))
        if rng.random() < 0.6:
            lens = drawn_parts.disc(centre, size, rng.uniform(0, 0.05), 3, int(rng.integers(8, 24)))
            if rng.random() < 0.5:
                head.add(*lens, "worn")
            else:
                pieces.append(lens)
        temple = (
            np.linspace(0, 1, 5)[:, None] * np.array([sign * rng.uniform(0.1, 0.3), 0.05, -1.4])
            + centre
            + [sign * size[0], 0, 0]
        )
        bar = np.stack([temple, temple + [0, 0.04, 0], temple + [0.02 * sign, 0.02, 0]], axis=0)
        pieces.append(drawn_parts.sheet(bar))
    whole = joined(pieces)
    if rng.random() < 0.6:
        head.add(*whole, "worn")
    else:
        for piece in pieces:
            head.add(*piece, "worn")


def _patch(head: Dressed, on: Wearer, rng: np.random.Generator) -> None:
    sign = rng.choice([-1, 1])
    disc = drawn_parts.disc(
        np.array([sign * on.eye[0], on.eye[1], on.front + rng.uniform(-0.05, 0.15)]),
        (on.wide * 1.3, on.wide * 1.3),
        0.05,
        4,
        16,
    )
    if rng.random() < 0.5:
        a = np.linspace(-np.pi, np.pi, 32, endpoint=False)
        strap = np.stack(
            [on.scalp.points(a, 0.1 + 0.3 * sign * np.sin(a) + d, 0.04) for d in (0, 0.05)]
        )
        head.add(*joined([disc, drawn_parts.sheet(strap, closed=True)]), "worn")
    else:
        head.add(*disc, "worn")


def _mask(head: Dressed, on: Wearer, rng: np.random.Generator) -> None:
    at, v = on.body.landmarks, on.body.vertices
    lips = (at["lip_upper"] + at["lip_lower"]) / 2
    some = (
        on.skin
        & (np.abs(v[:, 0]) < rng.uniform(0.5, 1.0))
        & (v[:, 1] < lips[1] + rng.uniform(0.2, 0.45))
        & (v[:, 1] > lips[1] - 0.6)
    )
    a, e = np.meshgrid(np.linspace(-0.7, 0.7, 12), np.linspace(-0.15, -0.9, 8))
    if some.any():
        head.add(*drawn_parts.sheet(on.scalp.points(a, e, rng.uniform(0.03, 0.2))), "worn")


def _hat(head: Dressed, _on: Wearer, rng: np.random.Generator) -> None:
    low = rng.uniform(0.4, 1.2)
    size = rng.uniform([1.2, 0.5, 1.2], [1.9, 1.3, 1.9])
    crown, t = ellipsoid(20, 28, np.array([0, low + 0.3, -1.0]), size)
    t = t[(crown[t][:, :, 1] > low).all(axis=1)]
    turn, radius = np.meshgrid(
        np.linspace(-np.pi, np.pi, 32, endpoint=False), [1.2, rng.uniform(1.4, 2.6)]
    )
    brim = np.stack(
        [
            radius * np.sin(turn),
            np.full_like(turn, low) - rng.uniform(0, 0.3) * (radius - 1.2),
            radius * np.cos(turn) - 1.0,
        ],
        -1,
    )
    used = np.unique(t)
    index = np.full(len(crown), -1)
    index[used] = np.arange(len(used))
    head.add(crown[used], index[t], "worn")
    if rng.random() < 0.6:
        head.add(*drawn_parts.sheet(brim, closed=True), "worn")


def _phones(head: Dressed, _on: Wearer, rng: np.random.Generator) -> None:
    for sign in (1, -1):
        centre = np.array([sign * rng.uniform(1.1, 1.4), -0.05, -1.0])
        size = rng.uniform([0.12, 0.25, 0.25], [0.3, 0.6, 0.6])
        head.add(*ellipsoid(10, 14, centre, size), "worn")
    turn = np.linspace(0, np.pi, 20)
    arc = np.stack(
        [
            np.stack([1.35 * np.cos(turn), 1.6 * np.sin(turn), -1.0 + d + 0 * turn], -1)
            for d in (-0.15, 0.15)
        ]
    )
    head.add(*drawn_parts.sheet(arc), "worn")


def _band(head: Dressed, on: Wearer, rng: np.random.Generator) -> None:
    a = np.linspace(-np.pi, np.pi, 40, endpoint=False)
    e = rng.uniform(0.3, 1.0) * np.cos(a) + rng.uniform(-0.2, 0.3)
    rows = [on.scalp.points(a, e + d, rng.uniform(0.03, 0.2)) for d in (0, 0.08, 0.16)]
    head.add(*drawn_parts.sheet(np.stack(rows), closed=True), "worn")


def _ornament(head: Dressed, on: Wearer, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 4)):
        azimuth, elevation = rng.uniform(-1.8, 1.8, 1), rng.uniform(0.15, 1.3, 1)
        centre = on.scalp.points(azimuth, elevation, rng.uniform(0.1, 0.4))[0]
        rings, around = int(rng.integers(4, 10)), int(rng.integers(5, 12))
        size = rng.uniform([0.05] * 3, [0.35] * 3)
        head.add(*ellipsoid(rings, around, centre, size), "worn")


def _horns(head: Dressed, _on: Wearer, rng: np.random.Generator) -> None:
    horn = rng.uniform([0.12, 0.3, 0.08], [0.45, 1.1, 0.35])
    x, y = rng.uniform(0.4, 1.0), rng.uniform(1.2, 2.0)
    for sign in (1, -1):
        head.add(*ellipsoid(10, 12, np.array([sign * x, y, -0.9]), horn), "worn")


def _earring(head: Dressed, _on: Wearer, rng: np.random.Generator) -> None:
    small, drop = rng.uniform(0.03, 0.15), rng.uniform(0.3, 0.7)
    for sign in (1, -1) if rng.random() < 0.8 else (1,):
        centre = np.array([sign * rng.uniform(1.0, 1.3), -drop, -0.9])
        size = np.array([small, small * rng.uniform(1, 3), small])
        head.add(*ellipsoid(6, 8, centre, size), "worn")


def _microphone(head: Dressed, on: Wearer, rng: np.random.Generator) -> None:
    sign = rng.choice([-1, 1])
    ends = np.array([sign * 1.1, -0.3, -0.8]), np.array([sign * 0.3, -0.95, on.front + 0.2])
    path = ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, 6)[:, None]
    stick = drawn_parts.sheet(np.stack([path, path + [0, 0.03, 0], path + [0, 0, 0.03]]))
    bulb = ellipsoid(6, 8, ends[1], np.array([0.1, 0.06, 0.06]))
    head.add(*joined([stick, bulb]), "worn")  # type: ignore[list-item]


# a head's draws go by this order: a new kind changes them all
KINDS: dict[str, Callable[[Dressed, Wearer, np.random.Generator], None]] = {
    "glasses": _glasses,
    "patch": _patch,
    "mask": _mask,
    "hat": _hat,
    "phones": _phones,
    "band": _band,
    "ornament": _ornament,
    "horns": _horns,
    "earring": _earring,
    "mic": _microphone,
}


def add_worn(head: Dressed, body: Anatomy, scalp: Scalp, rng: np.random.Generator) -> None:
    """One to three kinds of worn things."""
    on = _wearer(body, scalp)
    for kind in rng.choice(tuple(KINDS), rng.integers(1, 4), replace=False):
        KINDS[kind](head, on, rng)
