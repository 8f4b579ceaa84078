# SPDX-License-Identifier: GPL-3.0-or-later
"""Modelled heads with hair of many kinds, worn things, bodies and decals, every part labelled: what
`scripts/train/kinds.py` learns from. Canonical frame.

Hair lies on the head that is there: directions from the middle of the skull say how far out its
skin is. The numbers are this project's own modelling.
"""

from __future__ import annotations

import numpy as np

from backend.face.analyse.kinds import CLASSES
from backend.face.geometry.mesh import connected_parts

from . import drawn_parts, stylised
from .anatomy import OPENINGS, PARTS, Anatomy
from .dressed_hair import add_hair, ribbons
from .dressed_parts import Dressed, Scalp
from .hair import ellipsoid
from .modelled import overlay, sample
from .rig import Floats, Ints
from .worn import add_worn

CLASS_OF = {
    "skin": "skin",
    "eye": "eye",
    "white": "eye",
    "iris": "eye",
    "lash": "lash",
    "lower_lash": "lash",
    "crease": "lash",
    "brow": "brow",
    "teeth_upper": "teeth",
    "teeth_lower": "teeth",
    "tongue": "tongue",
    "hair": "hair",
}


def add_decals(
    head: Dressed, body: Anatomy, triangles: Ints, scalp: Scalp, rng: np.random.Generator
) -> None:
    """Blushes and shades, marks, tears, beards: what lies on the skin and goes where it goes."""
    if rng.random() < 0.25:
        v, t, _ = overlay(body, triangles, rng)
        if len(t) > 3:
            head.add(v, t, "decal")
    if rng.random() < 0.2:  # blushes and lines on the cheeks
        centre, count = (
            np.array([rng.uniform(0.35, 0.8), rng.uniform(-0.7, -0.3)]),
            int(rng.integers(1, 4)),
        )
        for k in range(count):
            a, e = np.arctan2(centre[0] + 0.1 * k, 0.95), np.arctan2(centre[1], 0.95)
            wide, high = rng.uniform(0.02, 0.25), rng.uniform(0.03, 0.2)
            grid = np.meshgrid(np.linspace(-wide, wide, 4), np.linspace(-high, high, 4))
            for sign in (1, -1):
                head.add(
                    *drawn_parts.sheet(
                        scalp.points(sign * (a + grid[0]), e + grid[1], rng.uniform(0.005, 0.03))
                    ),
                    "decal",
                )
    if rng.random() < 0.12:  # a beard or a moustache on the skin
        low, high = (-1.15, -0.75) if rng.random() < 0.6 else (-0.72, -0.6)
        wide = rng.uniform(0.2, 0.9)
        a, e = np.meshgrid(np.linspace(-wide, wide, 14), np.linspace(high, low, 6))
        head.add(*drawn_parts.sheet(scalp.points(a, e, rng.uniform(0.02, 0.12))), "decal")
        if rng.random() < 0.5:
            n = int(rng.integers(4, 20))
            head.add(
                *ribbons(
                    scalp,
                    rng,
                    rng.uniform(-wide, wide, n),
                    rng.uniform(-0.8, -0.6, n),
                    rng.uniform(-1.3, -1.0, n),
                    welded=True,
                ),
                "decal",
            )


def add_lids(head: Dressed, body: Anatomy, rng: np.random.Generator) -> None:
    """Lids that are shells of their own before the eyes, as cartoon and blocky heads have them:
    they close as lashes do.
    """
    at = body.landmarks
    eye = np.abs((at["eye_inner_left"] + at["eye_outer_left"]) / 2).astype(np.float64)
    wide = float(np.linalg.norm(at["eye_inner_left"] - at["eye_outer_left"])) / 2
    high = float(np.linalg.norm(at["lid_upper_left"] - at["lid_lower_left"])) / 2
    rows, around = int(rng.integers(3, 9)), int(rng.integers(5, 18))
    start, full = rng.uniform(-0.2, 0.7), rng.uniform(1.05, 1.5)
    turn, up = np.meshgrid(np.linspace(-1.5, 1.5, around), np.linspace(start, 1.4, rows))
    size = np.array([wide * full, high * full * rng.uniform(1.0, 1.5), rng.uniform(0.1, 0.35)])
    shell = np.stack([np.sin(turn) * np.cos(up), np.sin(up), np.cos(turn) * np.cos(up)], -1) * size
    shell = shell + [eye[0], eye[1] - rng.uniform(0, 0.3) * high, eye[2] - rng.uniform(0.0, 0.15)]
    for sign in (1, -1):
        v, t = drawn_parts.sheet(shell * [sign, 1, 1])
        if rng.random() < 0.5:
            v, t = np.concatenate([v, v * [1, 1, 0.97]]), np.concatenate([t, t[:, ::-1] + len(v)])
        head.add(v, t, "lash")


def add_body(head: Dressed, rng: np.random.Generator) -> None:
    """Neck, trunk, arms, a collar."""
    low, wide = -rng.uniform(2.0, 3.2), rng.uniform(1.2, 2.4)
    if rng.random() < 0.7:
        head.add(
            *ellipsoid(
                24,
                24,
                np.array([0, low, -1.1]),
                np.array([0.5, 1.2, 0.5]) * rng.uniform(0.7, 1.3, 3),
            ),
            "body",
        )
    head.add(*ellipsoid(32, 32, np.array([0, low - 2.6, -1.1]), np.array([wide, 2.4, 0.8])), "body")
    if rng.random() < 0.5:
        for side in (-1, 1):
            head.add(
                *ellipsoid(
                    24,
                    16,
                    np.array([side * (wide + 0.4), low - 2.8, -1.1]),
                    np.array([0.4, 2.4, 0.4]),
                ),
                "body",
            )
    if rng.random() < 0.5:
        size = np.array([0.9, rng.uniform(0.15, 0.5), 0.9]) * rng.uniform(0.8, 1.3)
        head.add(*ellipsoid(12, 32, np.array([0, low + rng.uniform(0.2, 0.9), -1.0]), size), "body")


def dressed(rng: np.random.Generator) -> tuple[Floats, Ints, Ints, dict[str, Floats]]:
    """Vertices (V,3), triangles (T,3), classes (V,) and landmarks of a modelled head with all that
    surrounds it, each there or not.
    """
    sketched = rng.random() < 0.12
    if rng.random() < 0.75 or sketched:
        body, triangles = stylised.head(rng, sketched)
    else:
        body, triangles = sample(rng)
    names = [PARTS[k].removesuffix("_left").removesuffix("_right") for k in range(len(PARTS))]
    label = np.array([CLASSES.index(CLASS_OF[name]) for name in names], np.int32)[body.part]
    if body.habits.decal:
        label[np.isin(label, [CLASSES.index("eye")])] = CLASSES.index("flat")
    vertices = body.vertices.copy()
    skin = body.part == PARTS.index("skin")
    if sketched:  # the drawn mouth is called skin, but lies before it as a part of its own
        part = connected_parts(len(vertices), triangles)
        main = np.bincount(part[skin]).argmax()
        label[skin & (part != main)] = CLASSES.index("flat")
        skin = skin & (part == main)
    if rng.random() < 0.3:  # the inside of the mouth as a part of its own
        bag = (body.opening == OPENINGS.index("mouth")) & (body.ring <= -2)
        triangles = triangles[bag[triangles].all(axis=1) | ~bag[triangles].any(axis=1)]
        label[bag] = CLASSES.index("mouth")
        vertices[bag, 2] -= 0.002
    own_hair = label == CLASSES.index("hair")
    if own_hair.any() and rng.random() < 0.7:
        triangles = triangles[~own_hair[triangles].any(axis=1)]
    head = Dressed()
    head.add(vertices, triangles, label)
    scalp = Scalp(vertices[skin & (body.ring >= -0.5)])
    brow = float(
        np.mean(
            [
                body.landmarks[f"brow_{n}_{s}"][1]
                for n in ("inner", "outer")
                for s in ("left", "right")
            ]
        )
    )
    if rng.random() < 0.9:
        add_hair(head, scalp, rng, brow)
    if rng.random() < 0.45:
        add_worn(head, body, scalp, rng)
    if rng.random() < 0.15:
        add_lids(head, body, rng)
    add_decals(head, body, triangles, scalp, rng)
    if rng.random() < 0.6:
        first = head.count
        add_body(head, rng)
        if rng.random() < 0.4:  # the face hangs together with a body, as most whole avatars' do
            lowest = int(np.where(skin, vertices[:, 1], np.inf).argmin())
            head.triangles.append(np.array([[lowest, first, first + 1]], np.int32))
    v, t, label = head.arrays()
    used = np.zeros(len(v), bool)
    used[t] = True
    index = np.cumsum(used) - 1
    return v[used], np.ascontiguousarray(index[t], np.int32), label[used], body.landmarks
