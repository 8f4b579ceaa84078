# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that the project models itself, with ARKit's shapes by construction: what a lid, a lip or a tooth is, is known, not learnt.

Every shape is a field over the head in the canonical frame, written down from what the shape's name means: lids travel from one edge to the
other over the eyeball, the jaw turns about its hinge, corners of the mouth are pulled. The numbers are this project's own modelling.
Axes: canonical, +X the character's left, +Y up, +Z out of the face; lengths in canonical units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backend.face.frame import frame_of_landmarks
from backend.face.landmarks import NAMES, SIDES

from ..sample_head import OPENINGS, PARTS, build, random_spec
from .hair import locks
from .sources import Anchor, Floats, Ints, Rig

SIGN = {"left": 1.0, "right": -1.0}
HINGE = np.array([0.0, -0.35, -1.35], np.float32)
JAW_ANGLE = np.radians(17.0)
LOCKS = 0.6  # share of random heads with loose hair
LID_SKIN = 0.02  # thickness of a lid over the eyeball


@dataclass(frozen=True)
class Anatomy:
    """A modelled head in the canonical frame. vertices (V,3), part, ring, turn, opening (V,) as in SampleHead; landmarks name -> (3,)."""

    vertices: Floats
    part: Ints
    ring: Floats
    turn: Floats
    opening: Ints
    landmarks: dict[str, Floats]

    def of(self, *names: str) -> Floats:
        """1 on the named parts (V,1), else 0."""
        return np.isin(self.part, [PARTS.index(n) for n in names]).astype(np.float32)[:, None]


def smooth(low: float, high: float, x: Floats) -> Floats:
    """0 below low, 1 above high; low may exceed high."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def ball(head: Anatomy, centre: Floats, radii: tuple[float, float, float]) -> Floats:
    """A Gaussian of height 1 (V,1) around a centre (3,), on everything."""
    away = (head.vertices - centre) / np.array(radii, np.float32)
    return np.asarray(np.exp(-(away**2).sum(axis=1, keepdims=True)), np.float32)


def way(x: float, y: float, z: float) -> Floats:
    return np.array([[x, y, z]], np.float32)


def turned(points: Floats, centre: Floats, axis: int, angle: float) -> Floats:
    """Displacement (V,3) of points that turn about an axis through a centre, angle in radians."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    away = points - centre
    out = np.zeros_like(points)
    out[:, i] = away[:, i] * (np.cos(angle) - 1) - away[:, j] * np.sin(angle)
    out[:, j] = away[:, i] * np.sin(angle) + away[:, j] * (np.cos(angle) - 1)
    return out


class Eye:
    """What one eye's shapes share: edges of the lids by angle, the eyeball, and which vertices follow them how far."""

    def __init__(self, head: Anatomy, side: str) -> None:
        self.head, self.side, self.sign = head, side, SIGN[side]
        at, v = head.landmarks, head.vertices
        self.centre = v[head.part == PARTS.index(f"eye_{side}")].mean(axis=0)
        self.radius = float(np.linalg.norm(v[head.part == PARTS.index(f"eye_{side}")] - self.centre, axis=1).mean())
        self.height = float(np.linalg.norm(at[f"lid_upper_{side}"] - at[f"lid_lower_{side}"]))
        inside = head.opening == OPENINGS.index(f"eye_{side}")
        edge = np.flatnonzero(inside & (head.ring == 0))
        order = edge[np.argsort(head.turn[edge])]
        self.edge, self.edge_turn = v[order], head.turn[order]
        self.inside = inside
        self.upper = smooth(-0.05, 0.05, np.sin(head.turn))[:, None]
        ring = head.ring[:, None]
        follow = np.where(ring >= 0, (1 - np.clip(ring, 0, 1)) ** 1.3, np.clip(1 + 0.3 * (ring + 1), 0, 1))
        self.follow = np.where(inside[:, None], follow, 0).astype(np.float32)
        lash = head.part == (PARTS.index(f"lash_{side}"))
        self.lash = np.flatnonzero(lash)
        if len(self.lash):  # a lash belongs to the point of the upper edge next to it
            above = order[np.sin(self.edge_turn) > -0.05]
            near = np.linalg.norm(v[self.lash][:, None] - v[above][None], axis=2).argmin(axis=1)
            self.root = above[near]

    def edge_at(self, turn: Floats) -> Floats:
        """Points (V,3) of the lids' edge at angles (V,)."""
        wrapped = np.concatenate([self.edge_turn - 2 * np.pi, self.edge_turn, self.edge_turn + 2 * np.pi])
        return np.stack([np.interp(turn, wrapped, np.tile(self.edge[:, i], 3)) for i in range(3)], axis=1).astype(np.float32)

    def closed(self, down: float, up: float) -> Floats:
        """Offsets (V,3): the upper lid goes `down` of the way to the lower one, the lower `up` of the way to the upper; skin stays on the ball."""
        head = self.head
        here, there = self.edge_at(head.turn), self.edge_at(-head.turn)
        share = down * self.upper + up * (1 - self.upper)
        moved = head.vertices + (there - here) * share * self.follow
        away = moved - self.centre
        far = np.linalg.norm(away, axis=1, keepdims=True)
        least = np.minimum(self.radius + LID_SKIN, np.linalg.norm(head.vertices - self.centre, axis=1, keepdims=True))
        pushed = self.centre + away * np.maximum(1, least / np.maximum(far, 1e-6))
        outside = self.follow * (head.ring[:, None] >= 0)
        offsets = np.where(outside > 0, pushed, moved) - head.vertices
        return self.with_lashes(np.asarray(offsets * (self.follow > 0), np.float32), np.radians(55) * max(down, 0))

    def with_lashes(self, offsets: Floats, angle: float) -> Floats:
        """The same offsets, the lashes carried along by their roots and turned down by an angle."""
        if len(self.lash):
            v = self.head.vertices
            offsets[self.lash] = offsets[self.root] + turned(v[self.lash], v[self.root], 0, angle)
        return offsets

    def look(self, axis: int, angle: float) -> Floats:
        """Offsets (V,3) of the eyeball that turns about its centre."""
        return turned(self.head.vertices, self.centre, axis, angle) * self.head.of(f"eye_{self.side}")


class Mouth:
    """What the mouth's shapes share: which vertices belong to which lip, how far each follows the jaw, and where the corners are."""

    def __init__(self, head: Anatomy) -> None:
        self.head = head
        at, v = head.landmarks, head.vertices
        self.corner = {s: at[f"mouth_{s}"] for s in SIDES}
        self.middle = (self.corner["left"] + self.corner["right"]) / 2
        self.lips = (at["lip_upper"] + at["lip_lower"]) / 2
        self.half = float(abs(self.corner["left"][0] - self.corner["right"][0]) / 2)
        self.size = (self.half / 0.36) ** 0.75  # small mouths make small and local movements, though not quite in proportion
        self.inside = (head.opening == OPENINGS.index("mouth"))[:, None]
        ring = head.ring[:, None]
        self.near = np.where(self.inside, 1 - smooth(0, 1, ring), 0).astype(np.float32)  # 1 at the lips' edge and inside, 0 at the block's border
        self.lip = np.where(self.inside, 1 - smooth(0.25, 0.7, ring), 0).astype(np.float32)
        sine = np.sin(head.turn)[:, None]
        by_turn = 0.5 - 0.5 * np.sign(sine) * np.abs(sine) ** 0.6
        self.lower = np.where(self.inside, by_turn, smooth(0.1, -0.1, v[:, 1:2] - self.lips[1])).astype(np.float32)
        self.skin = head.of("skin")
        chin = at["chin"]
        down = smooth(float(self.lips[1]) + 0.28, float(chin[1]) + 0.12, v[:, 1:2])
        back = smooth(-1.5, -0.75, v[:, 2:3])
        neck = smooth(float(chin[1]) - 0.45, float(chin[1]) - 0.05, v[:, 1:2])
        field = down * back * np.where(v[:, 2:3] > chin[2] - 0.45, 1, neck)
        self.jaw = (self.skin * (self.near * self.lower + (1 - self.near) * field) + head.of("teeth_lower", "tongue")).astype(np.float32)
        self.left = {s: smooth(-0.35 * self.half, 0.35 * self.half, SIGN[s] * (v[:, 0:1] - self.middle[0])) for s in SIDES}

    def pulled(self, side: str, direction: Floats, radius: float = 0.34) -> Floats:
        """Offsets (V,3): a corner of the mouth is pulled, lips and cheek go along."""
        along = np.clip(SIGN[side] * (self.head.vertices[:, 0:1] - self.middle[0]) / self.half, 0, 1) ** 1.3
        lips = self.near * along
        cheek = ball(self.head, self.corner[side], (radius * self.size, radius * self.size, 0.6)) * self.left[side]
        return np.asarray(self.skin * np.maximum(lips * 0.95, cheek * (1 - self.near)) * direction * self.size, np.float32)

    def on_lip(self, upper: bool, side: str | None, direction: Floats, reach: float = 0.24) -> Floats:
        """Offsets (V,3): one lip, or one half of it, is moved and the skin next to it follows."""
        mine = 1 - self.lower if upper else self.lower
        across = (self.head.vertices[:, 0:1] - self.middle[0]) / self.half
        middle = np.exp(-((across / 0.85) ** 4))
        if side:
            middle = np.exp(-(((SIGN[side] * across - 0.45) / 0.5) ** 2))
        centre = self.lips + np.array([0, 0.12 if upper else -0.12, 0], np.float32) * self.size
        next_to = ball(self.head, centre, (self.half * 1.2, reach * self.size, 0.5))
        share = np.where(self.inside, self.near * mine + (1 - self.near) * next_to * mine, next_to * mine)
        return np.asarray(self.skin * share * middle * direction * self.size, np.float32)

    def around(self, width: float = 1.5, height: float = 0.36) -> Floats:
        """A Gaussian (V,1) around the lips, 1 on them, on the skin."""
        g = ball(self.head, self.lips, (self.half * width, height * self.size, 0.6))
        return np.asarray(self.skin * np.maximum(g, self.near), np.float32)


def mouth_shapes(head: Anatomy) -> dict[str, Floats]:
    m, v = Mouth(head), head.vertices
    opened = turned(v, HINGE, 0, JAW_ANGLE)
    shapes = {"jawOpen": opened * m.jaw}
    meet = 0.35  # of the jaw's way, where closed lips meet
    shapes["mouthClose"] = opened * (meet - m.jaw) * np.where(m.inside, m.lip + (1 - m.lip) * m.near * 0.5, 0) * m.skin
    shapes["jawForward"] = way(0, 0, 0.12) * m.jaw
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        shapes[f"jaw{cap}"] = way(0.12 * s, 0, 0) * m.jaw
        shapes[f"mouth{cap}"] = way(0.20 * s, 0, -0.03) * m.around() * m.size
        cheek = np.array([s * (0.2 + 0.35 * m.size), m.lips[1] + 0.45, m.lips[2] - 0.25], np.float32)
        raised = ball(head, cheek, (0.28, 0.22, 0.6)) * m.skin
        shapes[f"mouthSmile{cap}"] = m.pulled(side, way(0.12 * s, 0.13, -0.06)) + raised * way(0.02 * s, 0.04, 0.03)
        shapes[f"mouthFrown{cap}"] = m.pulled(side, way(0.01 * s, -0.13, -0.02))
        shapes[f"mouthDimple{cap}"] = m.pulled(side, way(0.07 * s, 0.01, -0.07), 0.28)
        shapes[f"mouthStretch{cap}"] = m.pulled(side, way(0.14 * s, -0.05, -0.05))
        shapes[f"mouthPress{cap}"] = m.on_lip(False, side, way(0, 0.03, -0.01)) + m.on_lip(True, side, way(0, -0.02, -0.01))
        shapes[f"mouthLowerDown{cap}"] = m.on_lip(False, side, way(0.01 * s, -0.12, 0))
        wing = ball(head, head.landmarks["nose_tip"] + np.array([s * 0.16, -0.02, -0.12], np.float32), (0.14, 0.16, 0.3)) * m.skin
        shapes[f"mouthUpperUp{cap}"] = m.on_lip(True, side, way(0.01 * s, 0.10, 0.01)) + wing * way(0, 0.03, 0)
        shapes[f"noseSneer{cap}"] = wing * way(0.01 * s, 0.09, 0.0) + m.on_lip(True, side, way(0, 0.04, 0))
        shapes[f"cheekSquint{cap}"] = ball(head, cheek + np.array([0, 0.15, 0], np.float32), (0.28, 0.2, 0.6)) * m.skin * way(0, 0.09, 0.02)
    across = (v[:, 0:1] - m.middle[0]) * way(1, 0, 0)
    shapes["mouthPucker"] = m.around(1.4, 0.3) * (-0.5 * across + way(0, 0, 0.10) - 0.1 * (v[:, 1:2] - m.lips[1]) * way(0, 1, 0))
    parted = m.on_lip(True, None, way(0, 0.07, 0.03)) + m.on_lip(False, None, way(0, -0.09, 0.03))
    shapes["mouthFunnel"] = m.around(1.4, 0.3) * (-0.4 * across + way(0, 0, 0.08)) + parted
    shapes["mouthRollLower"] = m.on_lip(False, None, way(0, 0.05, -0.08), 0.16)
    shapes["mouthRollUpper"] = m.on_lip(True, None, way(0, -0.05, -0.08), 0.16)
    chin = ball(head, (head.landmarks["chin"] + m.lips) / 2, (0.3, 0.25, 0.5)) * m.skin * (1 - m.near)
    shapes["mouthShrugLower"] = m.on_lip(False, None, way(0, 0.09, 0.05)) + m.on_lip(True, None, way(0, 0.05, 0.02)) + chin * way(0, 0.08, 0.02)
    shapes["mouthShrugUpper"] = m.on_lip(True, None, way(0, 0.07, 0.04)) + m.on_lip(False, None, way(0, 0.02, 0.01))
    puffed = sum(
        ball(head, np.array([s * 0.6, m.lips[1] + 0.05, m.lips[2] - 0.35], np.float32), (0.32, 0.32, 0.45)) * way(0.16 * s, 0, 0.08) for s in (1, -1)
    )
    shapes["cheekPuff"] = m.skin * puffed * (1 - 0.7 * m.near)
    tongue = head.of("tongue")
    if tongue.any():
        along = v[:, 2:3]
        back, front = np.quantile(along[tongue > 0], [0.02, 0.98])
        share = np.clip((along - back) / max(front - back, 1e-6), 0, 1)
        shapes["tongueOut"] = tongue * share * way(0, -0.03, 0.42)
    return shapes


def brow_shapes(head: Anatomy) -> dict[str, Floats]:
    """Brows and the skin below them; `browInnerUp` is both sides' at once."""
    shapes: dict[str, Floats] = {"browInnerUp": np.zeros_like(head.vertices)}
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        inner, outer = head.landmarks[f"brow_inner_{side}"], head.landmarks[f"brow_outer_{side}"]
        line = outer - inner
        t = np.asarray(np.clip((head.vertices - inner) @ line / (line @ line), -0.3, 1.2)[:, None], np.float32)
        away = head.vertices - (inner + np.clip(t, 0, 1) * line)
        above = np.where(away[:, 1:2] > 0, 0.30, 0.17)
        skin = np.exp(-((away[:, 0:1] / 0.25) ** 2) - (away[:, 1:2] / above) ** 2 - (away[:, 2:3] / 0.6) ** 2) * head.of("skin")
        field = (skin * smooth(-0.12, 0.1, s * head.vertices[:, 0:1]) + head.of(f"brow_{side}")).astype(np.float32)
        inwards = smooth(1.0, 0.1, t)
        shapes[f"browDown{cap}"] = field * (way(-0.04 * s, -0.14, 0.02) * (0.45 + 0.55 * inwards))
        shapes[f"browOuterUp{cap}"] = field * way(0, 0.15, 0) * smooth(0.1, 0.8, t)
        shapes["browInnerUp"] = shapes["browInnerUp"] + field * way(0.01 * s, 0.16, 0.01) * inwards
    return shapes


def eye_shapes(head: Anatomy) -> dict[str, Floats]:
    shapes: dict[str, Floats] = {}
    for side in SIDES:
        eye, cap, s = Eye(head, side), side.title(), SIGN[side]
        shapes[f"eyeBlink{cap}"] = eye.closed(0.97, 0.03)
        shapes[f"eyeSquint{cap}"] = eye.closed(0.14, 0.30)
        shapes[f"eyeWide{cap}"] = eye.closed(-0.20, -0.06)
        up, aside = np.radians(20), np.radians(28)
        shapes[f"eyeLookDown{cap}"] = eye.look(0, up) + eye.closed(0.40, -0.08)
        shapes[f"eyeLookUp{cap}"] = eye.look(0, -up) + eye.closed(-0.12, 0.05)
        shapes[f"eyeLookIn{cap}"] = eye.look(1, -aside * s)
        shapes[f"eyeLookOut{cap}"] = eye.look(1, aside * s)
    return shapes


def restyled(head: Anatomy, rng: np.random.Generator) -> Anatomy:
    """Parts as cartoon and anime makers put them: brows that float before the skin, eyes as flat plates, other teeth and tongues."""
    v = head.vertices.copy()
    if rng.random() < 0.5:
        for name in ("brow_left", "brow_right"):
            v[head.part == PARTS.index(name)] += way(0, 0, float(rng.uniform(0, 0.08)))[0]
    if rng.random() < 0.4:
        depth = rng.uniform(0.1, 0.5)
        for name in ("eye_left", "eye_right"):
            mine = head.part == PARTS.index(name)
            front = v[mine, 2].max()
            v[mine, 2] = front - (front - v[mine, 2]) * depth
    for names in (("teeth_upper", "teeth_lower"), ("tongue",)):
        mine = np.isin(head.part, [PARTS.index(n) for n in names])
        if mine.any() and rng.random() < 0.6:
            middle = v[mine].mean(axis=0)
            v[mine] = middle + (v[mine] - middle) * rng.uniform([0.55, 0.6, 0.4], [1.15, 1.3, 1.2]) + rng.normal(0, [0.0, 0.02, 0.05])
    return Anatomy(v.astype(np.float32), head.part, head.ring, head.turn, head.opening, head.landmarks)


BUILDERS: tuple[Callable[[Anatomy], dict[str, Floats]], ...] = (eye_shapes, brow_shapes, mouth_shapes)


def with_locks(head: Anatomy, triangles: Ints, rng: np.random.Generator) -> tuple[Anatomy, Ints]:
    """The head with locks of hair around it, and the triangles of both."""
    vertices, more = locks(rng)
    count = len(vertices)
    merged = Anatomy(
        np.concatenate([head.vertices, vertices]),
        np.concatenate([head.part, np.full(count, PARTS.index("hair"), np.int32)]),
        np.concatenate([head.ring, np.full(count, 2, np.float32)]),
        np.concatenate([head.turn, np.zeros(count, np.float32)]),
        np.concatenate([head.opening, np.zeros(count, np.int32)]),
        head.landmarks,
    )
    return merged, np.concatenate([triangles, more + len(head.vertices)])


def anatomy(rng: np.random.Generator | None = None) -> tuple[Anatomy, Ints]:
    """A modelled head and its triangles; random proportions and style, or the default head without a generator."""
    sample = build(random_spec(rng) if rng else None)
    axes = np.array([1, 1, -1], np.float32)
    vertices = sample.vertices[:, [0, 2, 1]] * axes
    marks = {name: sample.landmarks[name][[0, 2, 1]] * axes for name in NAMES}
    frame = frame_of_landmarks(marks)
    landmarks = {name: frame.to_canonical(p) for name, p in marks.items()}
    head = Anatomy(frame.to_canonical(vertices), sample.part, sample.ring, sample.turn, sample.opening, landmarks)
    if rng is None:
        return head, sample.triangles
    head = restyled(head, rng)
    return with_locks(head, sample.triangles, rng) if rng.random() < LOCKS else (head, sample.triangles)


def modelled(rng: np.random.Generator | None = None) -> Rig:
    """A modelled head with its shapes as a training rig."""
    head, triangles = anatomy(rng)
    shapes = {name: np.ascontiguousarray(offsets, np.float32) for make in BUILDERS for name, offsets in make(head).items()}
    anchors = {name: Anchor(np.array([np.linalg.norm(head.vertices - p, axis=1).argmin()], np.int32)) for name, p in head.landmarks.items()}
    return Rig("modelled", head.vertices, triangles, shapes, anchors=anchors)
