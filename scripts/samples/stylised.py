# SPDX-License-Identifier: GPL-3.0-or-later
"""Anime, cartoon and muzzled heads that the project models itself: proportions and tessellations
that no realistic source has.

The skin is a star-shaped surface over a flat domain, in which rings run round the eyes and the
mouth as an artist's edge loops do; its triangles are the Delaunay triangles of the domain's points,
one half and its mirror image. Eyes are flat parts, bowls or balls behind the lids; lashes, brows
and creases are strips before the skin; the mouth is a slit with a bag behind it. Domain: `a`
sideways, `b` upwards, both close to canonical x and y on the face. Axes and units: canonical, see
backend/face/geometry/frame.py. The numbers are this project's own modelling.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .anatomy import OPENINGS, Anatomy, Habits, framed
from .drawn_eyes import add_eyes, add_strips
from .drawn_parts import Parts, add_drawing, add_mouth_parts
from .drawn_skin import skin
from .drawn_style import CHIN_ROW, Style, random_style
from .drawn_surface import Surface, eye_outline
from .rig import Ints


def _habits(style: Style, rng: np.random.Generator) -> Habits:
    """How artists of stylised heads work: small, local movements of the lips in a face that stays
    still, strips that move alone.
    """
    fall = np.clip(0.75 * style.mouth_half, 0.10, 0.30) * rng.uniform(
        0.85, 1.25
    )  # small mouths open less, so that they stay rounder than a slot
    muzzled = style.snout[1] > 0
    return Habits(
        jaw=float(np.degrees(fall / (1.4 + style.snout[1]))),
        chin=1.0 if muzzled else float(rng.uniform(0.15, 0.6)),
        lip_lift=float(rng.uniform(0.0, 0.4)),
        gain=float(np.exp(rng.normal(np.log(0.5), 0.3))),
        spread=float(rng.uniform(0.3, 0.8)),
        lift=float(rng.uniform(0, 0.4)),
        slide=float(rng.uniform(0.1, 0.8)),
        carried=float(rng.uniform(0.5, 1.2)),
        forward=float(rng.uniform(0.0, 0.8)),
        brow_skin=float(rng.choice([0.0, 0.15, 0.5], p=[0.6, 0.2, 0.2])),
        lid_fall=float(rng.uniform(0.9, 2.5)),
        lash_turn=float(rng.uniform(0, 45)),
        lower_lid=float(rng.choice([0.02, 0.12, 0.3], p=[0.5, 0.3, 0.2])),
        decal=style.decal,
        bag=float(rng.uniform(0.0, 0.2)),
    )


def head(rng: np.random.Generator, sketched: bool = False) -> tuple[Anatomy, Ints]:
    """A stylised head in its own canonical frame, and its triangles (T,3). sketched: of few faces,
    with eyes and mouth drawn on.
    """
    while True:
        style = random_style(rng)
        if sketched:
            taller, coarsest = rng.uniform(1, 1.5), 0.25 if style.snout[1] > 0 else 0.42
            style = replace(
                style, sketched=True, decal=True, spacing=float(rng.uniform(0.16, coarsest))
            )
            style = replace(style, eye_up=style.eye_up * taller, eye_down=style.eye_down * taller)
        surface = Surface(style)
        vertices, triangles, tags = skin(surface, rng)
        parts = Parts()
        parts.add(vertices, triangles, "skin", tags)
        add_eyes(parts, surface, rng)
        brows = add_strips(parts, surface, rng)
        corners = surface.place(
            surface.locate(eye_outline(style, np.array([np.pi, 0.0, np.pi / 2, -np.pi / 2])))
        )
        marks = (
            dict(zip(("eye_inner", "eye_outer", "lid_upper", "lid_lower"), corners, strict=True))
            | brows
        )
        marks = {
            f"{n}_{s}": p * ([1, 1, 1] if s == "left" else [-1, 1, 1])
            for n, p in marks.items()
            for s in ("left", "right")
        }
        if sketched:
            marks |= add_drawing(parts, surface, rng)
        else:
            add_mouth_parts(parts, surface, rng)
            ring = (tags[:, 2] == OPENINGS.index("mouth")) & (tags[:, 0] == 0)
            for name, turn in (
                ("mouth_left", 0),
                ("mouth_right", np.pi),
                ("lip_upper", np.pi / 2),
                ("lip_lower", -np.pi / 2),
            ):
                away = np.where(ring, np.abs(np.angle(np.exp(1j * (tags[:, 1] - turn)))), np.inf)
                marks[name] = vertices[away.argmin()]
        line = np.abs(vertices[:, 0]) < 1e-9
        nose = line & (np.abs(vertices[:, 1] - style.nose[0]) < 0.2) & (tags[:, 2] == 0)
        if not nose.any():
            continue
        marks["nose_tip"] = vertices[np.where(nose, vertices[:, 2], -np.inf).argmax()]
        marks["chin"] = surface.place(np.array([[0.0, style.rows[CHIN_ROW, 0]]]))[0]
        return framed(
            Anatomy(
                vertices=np.concatenate(parts.vertices).astype(np.float32),
                part=np.concatenate(parts.part),
                ring=np.concatenate(parts.tags)[:, 0].astype(np.float32),
                turn=np.concatenate(parts.tags)[:, 1].astype(np.float32),
                opening=np.concatenate(parts.tags)[:, 2].astype(np.int32),
                landmarks={n: np.asarray(p, np.float32) for n, p in marks.items()},
                habits=_habits(style, rng),
            )
        ), np.concatenate(parts.triangles).astype(np.int32)
