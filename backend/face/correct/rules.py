# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold on the mesh whatever the model says, in its order: contacts, parts that keep
stiff, brows, decals, and left and right alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..analyse.head import Head
from ..analyse.labels import inside_mouth
from ..analyse.lid_sheets import together
from ..geometry.frame import Floats
from ..geometry.mirror import Each, make_alike
from . import brows, contacts, on_skin, rigid_parts
from .behind_chin import Chin
from .closing import ridden
from .fields import SNEER


def apply(head: Head, shapes: dict[str, Floats], model_trust: float, each: Each = map) -> None:
    """Let lids, lips, eyes and teeth do what they must.

    Args:
        head: the face's mesh and what is known of it
        shapes: condition -> offsets float32 (F,3), canonical, brought up to date in place
        model_trust: 0 to 1, how far the model is believed
        each: as of `make_alike`
    """
    _meet(head, shapes, model_trust)
    _keep_stiff(head, shapes, model_trust)
    vertices, labels = head.surface.vertices, head.labels
    brows.ride(
        {name: shapes[name] for name in shapes if name.startswith(("brow", SNEER))},
        vertices,
        labels.brows,
        labels.skin,
    )
    if model_trust < 1:
        brows.follow(
            [shapes[name] for name in contacts.BLINKS if name in shapes],
            vertices,
            labels.brows,
            labels.skin,
        )
    if labels.decals is not None:
        on_skin.follow(shapes, labels.decals, model_trust)
    if head.pairs is not None:
        make_alike(head.pairs, shapes, each)


def scale(
    vertices: Floats,
    landmarks: Mapping[str, Floats],
    shapes: dict[str, Floats],
    found: Mapping[str, object],
) -> dict[str, Floats]:
    """Scale blinks and mouthClose, in place, to the way that the landmarks say.

    Args:
        vertices: float32 (F,3), canonical
        landmarks: name -> (3,)
        shapes: condition -> offsets float32 (F,3)
        found: sides whose lids are found: their edges say better how far a lid must go

    Returns:
        Those shapes that contacts are read from, condition -> offsets (F,3).
    """
    probed = {name: shapes[name] for name in contacts.PROBED if name in shapes}
    for name, gain in contacts.gains(vertices, landmarks, probed).items():
        if contacts.BLINKS.get(name) not in found:
            shapes[name] = probed[name] = shapes[name] * np.float32(gain)
    return probed


def _meet(head: Head, shapes: dict[str, Floats], model_trust: float) -> None:
    """Let lids and lips meet."""
    probed = scale(head.surface.vertices, head.landmarks, shapes, head.lids)
    for name, more in contacts.corrections(head, probed, model_trust).items():
        shapes[name] = shapes[name] + more
    for lid in head.lids.values() if model_trust < 1 else ():
        for shape in shapes.values():
            together(lid.joined, shape)


def _keep_stiff(head: Head, shapes: dict[str, Floats], model_trust: float) -> None:
    """Let eyes turn, lids lie before them, and teeth and tongue go with the jaw."""
    surface, lids, vertices = head.surface, head.lids, head.surface.vertices
    balls = {
        side: (
            ball[lids[side].eye[ball]] if side in lids else ball,
            centre,
        )  # without a lash in its shell
        for side, (ball, centre) in surface.balls.items()
    }
    shut = {
        name: shapes[name].copy()
        for name, side in contacts.BLINKS.items()
        if name in shapes and side in head.labels.flat_eyes
    }
    rigid_parts.turn_eyes(shapes, vertices, balls, model_trust)
    for name, before in shut.items():  # a ball before the skin has no lids: it is squashed
        flat = head.labels.flat_eyes[contacts.BLINKS[name]].eye
        shapes[name][flat] = before[flat]
    for name, side in contacts.BLINKS.items():
        if name in shapes and side in balls and name not in shut:
            before = shapes[name].copy()
            rigid_parts.lift_lids(shapes[name], vertices, head.labels.skin, *balls[side])
            if side in lids:
                shapes[name] += ridden(lids[side], shapes[name] - before)
    for side, lid in lids.items():
        if side not in balls:
            rigid_parts.turn_flat_eye(
                shapes,
                vertices,
                np.where(
                    lid.skin, -1, surface.owner
                ),  # what an eye shares with the skin stays there
                side=side,
                behind=lid.eye,
                half=float(lid.opening.unit[0]),
            )
    if {"jawOpen", "tongueOut"} <= shapes.keys():
        rigid_parts.move_teeth(
            shapes,
            vertices,
            inside_mouth(
                surface,
                head.landmarks,
                head.labels.mouths,
                jaw=shapes["jawOpen"],
                tongue=shapes["tongueOut"],
            ),
            None if head.slit is None else Chin(surface, head.slit, shapes["jawOpen"]),
        )
