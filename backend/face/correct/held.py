# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes kept within what a face at rest allows: joined lips move together, closed lids hold still,
an open mouth closes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..analyse.head import Head
from ..analyse.rest import CLOSED_EYE, JOINED_LIPS, OPEN_MOUTH, Finding, closed_lids, open_slit
from ..geometry.frame import Floats
from ..geometry.mesh import all_corners, edges_of
from ..geometry.smoothing import Neighbours, around_some, smoothed
from ..params.correct import HELD
from . import contacts

LID = (
    "eyeSquint",
    "cheekSquint",
    "eyeLookUp",
    "eyeLookDown",
    "eyeLookIn",
    "eyeLookOut",
    "mouthSmile",
    "noseSneer",
)


def held(
    head: Head, around: Neighbours, found: Sequence[Finding], shapes: dict[str, Floats]
) -> None:
    """Keep shapes within what the mesh allows.

    Args:
        head: the face's mesh and what is known of it
        around: who is next to whom
        found: what the face at rest is like
        shapes: condition -> offsets float32 (F,3), canonical, brought up to date in place
    """
    surface, landmarks = head.surface, head.landmarks
    if JOINED_LIPS in found:
        half = float(np.linalg.norm(landmarks["mouth_left"] - landmarks["mouth_right"])) / 2
        away = np.linalg.norm(
            surface.vertices - (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2, axis=1
        ) / max(half, 1e-6)
        t = np.clip((HELD.joined_from - away) / (HELD.joined_from - HELD.joined_to), 0, 1)
        share = (t * t * (3 - 2 * t) * surface.skins[0]).astype(np.float32)[:, None]
        edges = edges_of(surface.triangles[all_corners(share[:, 0] > 0, surface.triangles)])
        length = (
            float(
                np.median(
                    np.linalg.norm(
                        surface.vertices[edges[:, 0]] - surface.vertices[edges[:, 1]], axis=1
                    )
                )
            )
            if len(edges)
            else half
        )
        rounds = int(np.clip(HELD.together * (half / max(length, 1e-6)) ** 2, 1, HELD.rounds))
        some, rows = around_some(around, share[:, 0] > 0)
        for name in shapes:
            if name.startswith(("jaw", "mouth", "tongue")):
                shapes[name] = shapes[name].copy()
                shapes[name][rows] = _together(shapes[name][rows], share[rows], some, rounds)
    elif OPEN_MOUTH in found and {"jawOpen", "mouthClose"} <= shapes.keys():
        slit = open_slit(surface, landmarks)
        if slit is not None:
            both = shapes["jawOpen"] + shapes["mouthClose"]
            shapes["mouthClose"] = shapes["mouthClose"] + contacts.sealed(
                slit, surface.lip_lid_side[:, 0], surface.skins[0], both, True
            )
    for side, finding in CLOSED_EYE.items():
        if finding not in found:
            continue
        slit, blink = closed_lids(head, side), f"eyeBlink{side.title()}"
        if blink in shapes:
            shapes[blink] = np.zeros_like(shapes[blink])
        for name in (f"{each}{side.title()}" for each in LID):
            if slit is not None and name in shapes:
                shapes[name] = shapes[name] + contacts.sealed(
                    slit, surface.lip_lid_side[:, 1], surface.skins[0], shapes[name]
                )


def _together(shape: Floats, share: Floats, around: Neighbours, rounds: int) -> Floats:
    """Offsets (F,3) without what parts neighbours, as far as `share` (F,1) of each vertex says."""
    even = shape
    for _ in range(rounds):
        even = even + share * (smoothed(even[None], around)[0] - even)
    return np.asarray(even, np.float32)
