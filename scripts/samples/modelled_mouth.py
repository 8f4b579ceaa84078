# SPDX-License-Identifier: GPL-3.0-or-later
"""How the mouth and the jaw of a modelled head move."""

from __future__ import annotations

import numpy as np

from backend.face.geometry.landmarks import SIDES

from .anatomy import OPENINGS, Anatomy, ball, smooth, turned, way
from .modelled_eye import SIGN
from .rig import Floats

HINGE = np.array([0.0, -0.35, -1.35], np.float32)
FULL = {
    "jawOpen",
    "mouthClose",
    "cheekPuff",
}  # shapes of the mouth that artists of all heads make large


class Mouth:
    """What the mouth's shapes share: which vertices belong to which lip, how far each follows the
    jaw, and where the corners are.
    """

    def __init__(self, head: Anatomy) -> None:
        self.head = head
        at, v = head.landmarks, head.vertices
        self.corner = {s: at[f"mouth_{s}"] for s in SIDES}
        self.middle = (self.corner["left"] + self.corner["right"]) / 2
        self.lips = (at["lip_upper"] + at["lip_lower"]) / 2
        self.half = float(abs(self.corner["left"][0] - self.corner["right"][0]) / 2)
        self.size = (
            self.half / 0.36
        ) ** 0.75  # small mouths make small and local movements, though not quite in proportion
        self.inside = (head.opening == OPENINGS.index("mouth"))[:, None]
        ring = head.ring[:, None]
        self.near = np.where(self.inside, 1 - smooth(0, 1, ring), 0).astype(
            np.float32
        )  # 1 at the lips' edge and inside, 0 at the block's border
        self.lip = np.where(self.inside, 1 - smooth(0.25, 0.7, ring), 0).astype(np.float32)
        sine = np.sin(head.turn)[:, None]
        by_turn = 0.5 - 0.5 * np.sign(sine) * np.abs(sine) ** 0.6
        self.lower = np.where(
            self.inside, by_turn, smooth(0.1, -0.1, v[:, 1:2] - self.lips[1])
        ).astype(np.float32)
        self.skin = head.of("skin")
        chin = at["chin"]
        down = smooth(float(self.lips[1]) + 0.28, float(chin[1]) + 0.12, v[:, 1:2])
        back = smooth(-1.5, -0.75, v[:, 2:3])
        neck = smooth(float(chin[1]) - 0.45, float(chin[1]) - 0.05, v[:, 1:2])
        field = down * back * np.where(v[:, 2:3] > chin[2] - 0.45, 1, neck)
        if (
            head.habits.chin < 1
        ):  # a mouth that opens in a still face: the movement fades towards the chin and the cheeks
            away = (v - self.lips) / np.array(
                [1.2 * self.half + 0.12, float(self.lips[1] - chin[1]) * 0.8, 0.6], np.float32
            )
            local = np.exp(-(away**2).sum(axis=1, keepdims=True)) * smooth(
                0.0, -0.08, v[:, 1:2] - self.lips[1]
            )
            field = np.maximum(field * head.habits.chin, local)
        deep = np.clip(1 - head.habits.bag * np.maximum(-ring - 1, 0), 0, 1)
        self.jaw = (
            self.skin * (self.near * self.lower * deep + (1 - self.near) * field)
            + head.of("teeth_lower", "tongue")
        ).astype(np.float32)
        self.left = {
            s: smooth(-0.35 * self.half, 0.35 * self.half, SIGN[s] * (v[:, 0:1] - self.middle[0]))
            for s in SIDES
        }

    def pulled(self, side: str, direction: Floats, radius: float = 0.34) -> Floats:
        """Offsets (V,3): a corner of the mouth is pulled, lips and cheek go along."""
        along = (
            np.clip(SIGN[side] * (self.head.vertices[:, 0:1] - self.middle[0]) / self.half, 0, 1)
            ** 1.3
        )
        lips = self.near * along
        reach = radius * self.size * self.head.habits.spread
        cheek = ball(self.head, self.corner[side], (reach, reach, 0.6)) * self.left[side]
        cheek = cheek * min(self.head.habits.spread, 1.0) ** 0.5
        return np.asarray(
            self.skin * np.maximum(lips * 0.95, cheek * (1 - self.near)) * direction * self.size,
            np.float32,
        )

    def on_lip(
        self, upper: bool, side: str | None, direction: Floats, reach: float = 0.24
    ) -> Floats:
        """Offsets (V,3): one lip, or one half of it, is moved and the skin next to it follows."""
        mine = 1 - self.lower if upper else self.lower
        across = (self.head.vertices[:, 0:1] - self.middle[0]) / self.half
        middle = np.exp(-((across / 0.85) ** 4))
        if side:
            middle = np.exp(-(((SIGN[side] * across - 0.45) / 0.5) ** 2))
        centre = self.lips + np.array([0, 0.12 if upper else -0.12, 0], np.float32) * self.size
        next_to = ball(
            self.head, centre, (self.half * 1.2, reach * self.size * self.head.habits.spread, 0.5)
        )
        share = np.where(
            self.inside, self.near * mine + (1 - self.near) * next_to * mine, next_to * mine
        )
        return np.asarray(self.skin * share * middle * direction * self.size, np.float32)

    def around(self, width: float = 1.5, height: float = 0.36) -> Floats:
        """A Gaussian (V,1) around the lips, 1 on them, on the skin."""
        spread = self.head.habits.spread
        g = ball(
            self.head,
            self.lips,
            (self.half * (1 + (width - 1) * spread), height * self.size * spread, 0.6),
        )
        return np.asarray(self.skin * np.maximum(g, self.near), np.float32)


def _jaw_shapes(m: Mouth) -> dict[str, Floats]:
    """jawOpen, mouthClose and jawForward."""
    v, habits = m.head.vertices, m.head.habits
    opened = turned(v, HINGE, 0, np.radians(habits.jaw))
    fall = float(np.linalg.norm(turned(m.lips[None], HINGE, 0, np.radians(habits.jaw))))
    lifted = m.on_lip(True, None, way(0, 1, 0.1)) * (habits.lip_lift * fall / m.size)
    shapes = {"jawOpen": opened * m.jaw + lifted}
    meet = 0.35  # of the jaw's way, where closed lips meet
    shapes["mouthClose"] = (
        (opened * meet - shapes["jawOpen"])
        * np.where(m.inside, m.lip + (1 - m.lip) * m.near * 0.5, 0)
        * m.skin
    )
    return shapes | {"jawForward": way(0, 0, 0.12) * m.jaw}


def _side_shapes(m: Mouth, side: str) -> dict[str, Floats]:
    """The shapes of one side, jawLeft and mouthLeft or their like first."""
    head, v, habits = m.head, m.head.vertices, m.head.habits
    s, cap = SIGN[side], side.title()
    carried = habits.carried * head.of("teeth_upper", "teeth_lower", "tongue")
    along = habits.slide + (1 - habits.slide) * smooth(
        -1.0, 1.0, s * (v[:, 0:1] - m.middle[0]) / m.half
    )
    cheek = np.array([s * (0.2 + 0.35 * m.size), m.lips[1] + 0.45, m.lips[2] - 0.25], np.float32)
    raised = ball(head, cheek, (0.28, 0.22, 0.6)) * m.skin
    squint = ball(head, cheek + np.array([0, 0.15, 0], np.float32), (0.28, 0.2, 0.6))
    beside_nose = head.landmarks["nose_tip"] + np.array([s * 0.16, -0.02, -0.12], np.float32)
    wing = ball(head, beside_nose, (0.14, 0.16, 0.3)) * m.skin
    return {
        f"jaw{cap}": way(0.12 * s, 0, 0) * m.jaw,
        f"mouth{cap}": way(0.20 * s, 0, -0.03) * (m.around() * along + carried) * m.size,
        f"mouthSmile{cap}": m.pulled(side, way(0.12 * s, 0.13, -0.06))
        + raised * way(0.02 * s, 0.04, 0.03) * habits.lift,
        f"mouthFrown{cap}": m.pulled(side, way(0.01 * s, -0.13, -0.02)),
        f"mouthDimple{cap}": m.pulled(side, way(0.07 * s, 0.01, -0.07), 0.28),
        f"mouthStretch{cap}": m.pulled(side, way(0.14 * s, -0.05, -0.05)),
        f"mouthPress{cap}": m.on_lip(False, side, way(0, 0.03, -0.01))
        + m.on_lip(True, side, way(0, -0.02, -0.01)),
        f"mouthLowerDown{cap}": m.on_lip(False, side, way(0.01 * s, -0.12, 0)),
        f"mouthUpperUp{cap}": m.on_lip(True, side, way(0.01 * s, 0.10, 0.01))
        + wing * way(0, 0.03, 0),
        f"noseSneer{cap}": wing * way(0.01 * s, 0.09, 0.0) + m.on_lip(True, side, way(0, 0.04, 0)),
        f"cheekSquint{cap}": squint * m.skin * way(0, 0.09, 0.02),
    }


def _lip_shapes(m: Mouth) -> dict[str, Floats]:
    """Both lips: pucker, funnel, rolls, shrugs and the puffed cheeks."""
    head, v, forward = m.head, m.head.vertices, m.head.habits.forward
    across = (v[:, 0:1] - m.middle[0]) * way(1, 0, 0)
    shapes = {
        "mouthPucker": m.around(1.4, 0.3)
        * (-0.5 * across + way(0, 0, 0.10 * forward) - 0.1 * (v[:, 1:2] - m.lips[1]) * way(0, 1, 0))
    }
    parted = m.on_lip(True, None, way(0, 0.07, 0.03)) + m.on_lip(False, None, way(0, -0.09, 0.03))
    shapes["mouthFunnel"] = (
        m.around(1.4, 0.3) * (-0.4 * across + way(0, 0, 0.08 * forward)) + parted
    )
    shapes["mouthRollLower"] = m.on_lip(False, None, way(0, 0.05, -0.08 * forward), 0.16)
    shapes["mouthRollUpper"] = m.on_lip(True, None, way(0, -0.05, -0.08 * forward), 0.16)
    chin = (
        ball(head, (head.landmarks["chin"] + m.lips) / 2, (0.3, 0.25, 0.5)) * m.skin * (1 - m.near)
    )
    shapes["mouthShrugLower"] = (
        m.on_lip(False, None, way(0, 0.09, 0.05))
        + m.on_lip(True, None, way(0, 0.05, 0.02))
        + chin * way(0, 0.08, 0.02)
    )
    shapes["mouthShrugUpper"] = m.on_lip(True, None, way(0, 0.07, 0.04)) + m.on_lip(
        False, None, way(0, 0.02, 0.01)
    )
    puffed = sum(
        ball(
            head,
            np.array([s * 0.6, m.lips[1] + 0.05, m.lips[2] - 0.35], np.float32),
            (0.32, 0.32, 0.45),
        )
        * way(0.16 * s, 0, 0.08)
        for s in (1, -1)
    )
    shapes["cheekPuff"] = m.skin * (
        puffed * (1 - 0.7 * m.near) + way(0, 0, 0.06) * m.around(1.4, 0.3)
    )
    return shapes


def mouth_shapes(head: Anatomy) -> dict[str, Floats]:
    """Offsets (V,3) of jaw, mouth, nose and cheeks by ARKit name; tongueOut where there is one."""
    m = Mouth(head)
    shapes = _jaw_shapes(m)
    for side in SIDES:
        shapes |= _side_shapes(m, side)
    shapes |= _lip_shapes(m)
    shapes = {
        name: offsets * (1 if name in FULL else head.habits.gain)
        for name, offsets in shapes.items()
    }
    tongue = head.of("tongue")
    if tongue.any():
        along = head.vertices[:, 2:3]
        back, front = np.quantile(along[tongue > 0], [0.02, 0.98])
        share = np.clip((along - back) / max(front - back, 1e-6), 0, 1)
        shapes["tongueOut"] = tongue * share * way(0, -0.03, 0.42)
    return shapes
