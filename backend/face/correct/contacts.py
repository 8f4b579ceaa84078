# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes do what their name says on the mesh itself: lids meet along their whole edge, lips seal,
lashes ride, squints never pass a blink.

A model errs in lengths before it errs in directions, and by a little everywhere: too little for an
average, enough for a slit of eye under a closed lid. So a shape is first scaled to the way that the
landmarks say (`gains`), then what is still missing along the edges is added to the skin next to
them (`corrections`). All in the canonical frame; everything is linear in the shapes, so it holds
for every weight and mix.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..analyse.head import Head
from ..analyse.openings import Opening
from ..analyse.surface import Flags
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import squared
from ..geometry.ramp import smoothstep
from ..params.correct import CONTACTS, FLAT_SHAPES
from . import flat_shapes
from .closing import closing, limited

BLINKS = {"eyeBlinkLeft": "left", "eyeBlinkRight": "right"}
NARROWING = tuple(
    f"{name}{side.title()}" for name in ("eyeSquint", "cheekSquint", "mouthSmile") for side in SIDES
)
PROBED = (
    *BLINKS,
    *NARROWING,
    "jawOpen",
    "mouthClose",
    "tongueOut",
)  # the conditions whose own shapes contacts and rigid parts are read from


def corrections(
    head: Head, shapes: Mapping[str, Floats], model_trust: float = 0.0
) -> dict[str, Floats]:
    """What has to be added to shapes so that lids and lips meet.

    Args:
        head: the face's mesh and what is known of it
        shapes: condition -> offsets float32 (F,3), canonical
        model_trust: 0 to 1, how far the model is believed about lids that lap

    Returns:
        Condition -> offsets float32 (F,3).
    """
    surface, landmarks, lids = head.surface, head.landmarks, head.lids
    found: dict[str, Floats] = {}
    for name, side in BLINKS.items():
        if name in shapes and side in head.labels.flat_eyes:
            found[name] = flat_shapes.shut(
                head.labels.flat_eyes[side], surface.vertices, ~surface.skins[0], shapes[name]
            )
    for side, lid in lids.items():
        name = f"eyeBlink{side.title()}"
        if name in shapes:
            found[name] = closing(lid, shapes[name], model_trust)
        for other in NARROWING:
            if other in shapes and other.endswith(side.title()):
                found[other] = limited(
                    lid,
                    shapes[other],
                    CONTACTS.squint_least if other.startswith("eyeSquint") else 1.0,
                )
    if {"jawOpen", "mouthClose"} <= shapes.keys():
        if head.slit is not None:
            found["mouthClose"] = sealed(
                head.slit,
                surface.lip_lid_side[:, 0],
                surface.skins[0],
                shapes["jawOpen"] + shapes["mouthClose"],
            )
        else:
            opened = flat_shapes.parted(surface, head.labels.mouths, landmarks)
            if opened is not None:
                strip, wanted = (each[:, None] if each.ndim == 1 else each for each in opened)
                jaw = np.where(
                    strip,
                    wanted,
                    np.where(
                        surface.skins[0][:, None],
                        FLAT_SHAPES.chin * shapes["jawOpen"],
                        shapes["jawOpen"],
                    ),
                )
                found["jawOpen"] = np.asarray(jaw - shapes["jawOpen"], np.float32)
                found["mouthClose"] = np.where(strip, -wanted - shapes["mouthClose"], 0).astype(
                    np.float32
                )
    return found


def sealed(slit: Opening, side: Floats, skin: Flags, both: Floats, shut: bool = False) -> Floats:
    """What has to be added to mouthClose so that the lips' edges are as near as on the neutral
    face. Each lip goes half the way, along the whole slit; the skin next to it follows.

    Args:
        slit: between the lips
        side: (F,), above or below
        skin: bool (F,)
        both: float32 (F,3), jawOpen and mouthClose together
        shut: the edges shall meet, also where they do not at rest

    Returns:
        Offsets float32 (F,3), canonical.
    """
    apart = slit.lower.of(both) - slit.upper.of(both)
    if shut:
        apart = apart - ((slit.upper.points - slit.lower.points) * slit.unit) @ slit.axes
    return led(slit, side, skin, apart)


def led(slit: Opening, side: Floats, skin: Flags, apart: Floats) -> Floats:
    """Offsets float32 (F,3) that take back what edges are moved apart by, each lip by half; the
    skin next to it follows.

    Args:
        slit: between the lips, or the lids
        side: (F,), above or below
        skin: bool (F,)
        apart: float32 (C,3), of each column
    """
    missing = slit.at(apart) / 2
    local, upper, lower = slit.local, slit.at(slit.upper.points), slit.at(slit.lower.points)
    above, below = local[:, 1] - upper[:, 1], lower[:, 1] - local[:, 1]
    away = np.where(side > 0, above, below)
    deep = 1 - smoothstep(
        CONTACTS.bag_from,
        CONTACTS.bag_to,
        np.minimum(upper[:, 2], lower[:, 2]) - local[:, 2],
    )
    share = (
        (1 - smoothstep(0, CONTACTS.lip_reach, away))
        * deep
        * slit.fade()
        * skin
        * np.clip(np.abs(side) * CONTACTS.side_gain, 0, 1)
    )
    return np.asarray(np.sign(side)[:, None] * share[:, None] * missing, np.float32)


def gains(
    vertices: Floats, landmarks: Mapping[str, Floats], shapes: Mapping[str, Floats]
) -> dict[str, float]:
    """Factors for the conditions among PROBED that need one.

    Args:
        vertices: float32 (F,3), canonical
        landmarks: name -> (3,)
        shapes: condition -> offsets float32 (F,3)
    """
    found = {}
    for name, side in BLINKS.items():
        lids = (f"lid_upper_{side}", f"lid_lower_{side}")
        if name in shapes and all(lid in landmarks for lid in lids):
            found[name] = lid_gain(vertices, shapes[name], landmarks[lids[0]], landmarks[lids[1]])
    if {"jawOpen", "mouthClose"} <= shapes.keys() and {
        "lip_upper",
        "lip_lower",
    } <= landmarks.keys():
        lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
        found["mouthClose"] = lip_gain(vertices, shapes["jawOpen"], shapes["mouthClose"], lips)
    return found


def lid_gain(vertices: Floats, blink: Floats, upper: Floats, lower: Floats) -> float:
    """Factor on a blink after which the upper lid's edge gets as far as the lower one.

    Args:
        vertices: float32 (F,3), canonical
        blink: float32 (F,3), canonical
        upper: float32 (3,), of the upper lid
        lower: float32 (3,), of the lower one
    """
    way = lower - upper
    length = float(np.linalg.norm(way))
    near = np.sqrt(squared(vertices - upper)) < length
    if length < 1e-6 or not near.any():
        return 1.0
    return _bounded(length, _front((blink @ (way / length))[near]))


def lip_gain(vertices: Floats, jaw: Floats, close: Floats, lips: Floats) -> float:
    """Factor on mouthClose after which it takes back what jawOpen parts at the lips.

    Args:
        vertices: float32 (F,3), canonical
        jaw: float32 (F,3), jawOpen
        close: float32 (F,3), mouthClose
        lips: float32 (3,), the place between the lips
    """
    near = np.argsort(squared(vertices - lips), kind="stable")[: CONTACTS.lip_vertices]
    drop, lift = -jaw[near, 1], close[near, 1]
    low = drop > (drop.min() + drop.max()) / 2
    if low.all() or not low.any():
        return 1.0
    parted = float(drop[low].mean() - drop[~low].mean())
    closed = float(lift[low].mean() - lift[~low].mean())
    return _bounded(parted, closed)


def _front(way: Floats) -> float:
    """How far the edge goes, of how far everything next to it goes (N,)."""
    return (
        float(np.quantile(way[way >= CONTACTS.edge_moved * way.max()], CONTACTS.edge_quantile))
        if way.max() > 0
        else 0.0
    )


def _bounded(wanted: float, reached: float) -> float:
    """wanted / reached, within bounds; 1 where the shape does not go that way at all."""
    if reached > CONTACTS.gain_moved and wanted > 0:
        return float(np.clip(wanted / reached, CONTACTS.gain_least, CONTACTS.gain_most))
    return 1.0
