# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that the project models itself, with ARKit's shapes by construction: what a lid, a lip or a
tooth is, is known, not learnt.

Every shape is a field over the head in the canonical frame, written down from what the shape's name
means: lids travel from one edge to the other over the eyeball, the jaw turns about its hinge,
corners of the mouth are pulled. The numbers are this project's own modelling. Axes: canonical, +X
the character's left, +Y up, +Z out of the face; lengths in canonical units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backend.face.geometry.landmarks import NAMES, SIDES

from . import stylised
from .anatomy import OPENINGS, PARTS, Anatomy, Habits, ball, framed, smooth, turned, way
from .hair import locks
from .head import build, random_spec
from .rig import Anchor, Floats, Ints, Rig

SIGN = {"left": 1.0, "right": -1.0}
HINGE = np.array([0.0, -0.35, -1.35], np.float32)
LOCKS = 0.5  # share of random heads with loose hair
STYLISED = 0.75  # share of random heads that are anime, cartoon or muzzled
FULL = {
    "jawOpen",
    "mouthClose",
    "cheekPuff",
}  # shapes of the mouth that artists of all heads make large
OVERLAYS = 0.35  # share of random heads with a sheet before the skin
LID_SKIN = 0.02  # thickness of a lid over the eyeball


class Eye:
    """What one eye's shapes share: edges of the lids by angle, what turns when it looks, and which
    vertices follow the lids how far.

    A ball turns about its centre; an iris on a plate turns about a point behind it, as if the plate
    were a wide ball's front.
    """

    def __init__(self, head: Anatomy, side: str) -> None:
        self.head, self.side, self.sign = head, side, SIGN[side]
        at, v = head.landmarks, head.vertices
        self.height = float(np.linalg.norm(at[f"lid_upper_{side}"] - at[f"lid_lower_{side}"]))
        self.ball = bool(head.of(f"eye_{side}").any())
        looking = head.of(f"eye_{side}" if self.ball else f"iris_{side}")[:, 0] > 0
        self.radius = float(np.linalg.norm(at[f"eye_outer_{side}"] - at[f"eye_inner_{side}"])) * 0.7
        if self.ball:
            self.centre = v[looking].mean(axis=0)
            self.radius = float(np.linalg.norm(v[looking] - self.centre, axis=1).mean())
        else:
            self.centre = (
                v[looking].mean(axis=0) if looking.any() else at[f"lid_lower_{side}"]
            ) - np.array([0, 0, self.radius], np.float32)
        self.plate = v[head.of(f"white_{side}", f"iris_{side}")[:, 0] > 0]
        inside = head.opening == OPENINGS.index(f"eye_{side}")
        edge = np.flatnonzero(inside & (head.ring == 0))
        order = edge[np.argsort(head.turn[edge])]
        self.edge, self.edge_turn = v[order], head.turn[order]
        ring = head.ring[:, None]
        inside = inside & (not head.habits.decal)
        follow = np.where(
            ring >= 0,
            (1 - np.clip(ring, 0, 1)) ** head.habits.lid_fall,
            np.clip(1 + 0.3 * (ring + 1), 0, 1),
        )
        self.follow = np.where(inside[:, None], follow, 0).astype(np.float32)
        dense = np.linspace(-np.pi, np.pi, 241, dtype=np.float32)[:-1]
        self.roots = [
            self.rooted(f"{name}_{side}", dense[wanted])
            for name, wanted in (
                ("lash", np.sin(dense) > -0.05),
                ("lower_lash", np.sin(dense) < 0.05),
            )
            if head.of(f"{name}_{side}").any()
        ]
        lid = np.flatnonzero(inside & (head.ring > 0))
        self.crease = (
            self.next_to(f"crease_{side}", lid) if head.of(f"crease_{side}").any() else None
        )

    def rooted(self, part: str, turns: Floats) -> tuple[Ints, Floats]:
        """Vertices (N,) of a lash and the angle (N,) of the point of the lids' edge next to
        each.
        """
        mine = np.flatnonzero(self.head.of(part))
        far = np.linalg.norm(self.head.vertices[mine][:, None] - self.edge_at(turns)[None], axis=2)
        return mine, turns[far.argmin(axis=1)]

    def next_to(self, part: str, among: Ints) -> tuple[Ints, Ints, Floats]:
        """Vertices (N,) of a part, the four of some others next to each (N,4), and their weights
        (N,4,1).
        """
        v, mine = self.head.vertices, np.flatnonzero(self.head.of(part))
        far = np.linalg.norm(v[mine][:, None] - v[among][None], axis=2)
        near = np.argsort(far, axis=1)[:, :4]
        weight = 1 / (np.take_along_axis(far, near, axis=1) + 0.02)
        return (
            mine,
            among[near],
            np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)[..., None],
        )

    def edge_at(self, turn: Floats) -> Floats:
        """Points (V,3) of the lids' edge at angles (V,)."""
        wrapped = np.concatenate(
            [self.edge_turn - 2 * np.pi, self.edge_turn, self.edge_turn + 2 * np.pi]
        )
        return np.stack(
            [np.interp(turn, wrapped, np.tile(self.edge[:, i], 3)) for i in range(3)], axis=1
        ).astype(np.float32)

    def closed(self, down: float, up: float) -> Floats:
        """Offsets (V,3): the upper lid goes `down` of the way to the lower one, the lower `up` of
        the way to the upper; skin stays on the ball.
        """
        head = self.head
        if head.habits.decal:
            return self.squashed(down + up)
        moved = head.vertices + self.edge_way(head.turn, down, up) * self.follow
        if self.ball:
            away = moved - self.centre
            far = np.linalg.norm(away, axis=1, keepdims=True)
            least = np.minimum(
                self.radius + LID_SKIN,
                np.linalg.norm(head.vertices - self.centre, axis=1, keepdims=True),
            )
            pushed = self.centre + away * np.maximum(1, least / np.maximum(far, 1e-6))
            moved = np.where((self.follow > 0) & (head.ring[:, None] >= 0), pushed, moved)
        elif down > 0.5 and len(self.plate):  # a lid over a plate stays in front of it
            inside = np.flatnonzero((self.follow[:, 0] > 0) & (head.ring > -2))
            away = np.linalg.norm(moved[inside, None, :2] - self.plate[None, :, :2], axis=2)
            behind = self.plate[away.argmin(axis=1), 2] + LID_SKIN - moved[inside, 2]
            moved[inside, 2] += np.maximum(behind, 0) * (away.min(axis=1) < 0.08)
        offsets = np.asarray((moved - head.vertices) * (self.follow > 0), np.float32)
        angle = np.radians(head.habits.lash_turn) * max(down, 0)
        for (
            mine,
            turn,
        ) in self.roots:  # lashes are carried by their roots, and upper ones turned down
            upper = np.sin(turn[:1]) > -0.05
            offsets[mine] = self.edge_way(turn, down, up) + turned(
                head.vertices[mine], self.edge_at(turn), 0, float(upper[0]) * angle
            )
        if self.crease is not None:
            mine, near, weight = self.crease
            offsets[mine] = (offsets[near] * weight).sum(axis=1)
        return offsets

    def squashed(self, share: float) -> Floats:
        """Offsets (V,3) of an eye that lies on the skin: all of it is drawn to a line in its lower
        part.
        """
        low, high = (
            self.head.landmarks[f"lid_lower_{self.side}"][1],
            self.head.landmarks[f"lid_upper_{self.side}"][1],
        )
        level = low + 0.35 * (high - low) - self.head.vertices[:, 1:2]
        return np.asarray(
            share
            * level
            * way(0, 1, 0)
            * self.head.of(*(f"{n}_{self.side}" for n in ("white", "iris", "lash", "lower_lash"))),
            np.float32,
        )

    def edge_way(self, turn: Floats, down: float, up: float) -> Floats:
        """How points (N,3) of the edge at angles (N,) move when the lids close."""
        upper = smooth(-0.05, 0.05, np.sin(turn))[:, None]
        return np.asarray(
            (self.edge_at(-turn) - self.edge_at(turn)) * (down * upper + up * (1 - upper)),
            np.float32,
        )

    def look(self, axis: int, angle: float) -> Floats:
        """Offsets (V,3) of the eyeball or the iris. A ball that was pressed flat turns as if it
        were round, or its rim would come out of the face.
        """
        looking = self.head.of(f"eye_{self.side}", f"iris_{self.side}")
        radii = (
            np.ptp(self.head.vertices[self.head.part == PARTS.index(f"eye_{self.side}")], axis=0)
            / 2
            if self.ball
            else np.ones(3, np.float32)
        )
        flat = np.array([1, 1, min(radii[2] / radii[0], 1)], np.float32)
        round_ = self.centre + (self.head.vertices - self.centre) / flat
        return turned(round_, self.centre, axis, angle * (1 if self.ball else 0.5)) * flat * looking


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


def mouth_shapes(head: Anatomy) -> dict[str, Floats]:
    m, v, habits = Mouth(head), head.vertices, head.habits
    opened = turned(v, HINGE, 0, np.radians(habits.jaw))
    fall = float(np.linalg.norm(turned(m.lips[None], HINGE, 0, np.radians(habits.jaw))))
    shapes = {
        "jawOpen": opened * m.jaw
        + m.on_lip(True, None, way(0, 1, 0.1)) * (habits.lip_lift * fall / m.size)
    }
    meet = 0.35  # of the jaw's way, where closed lips meet
    shapes["mouthClose"] = (
        (opened * meet - shapes["jawOpen"])
        * np.where(m.inside, m.lip + (1 - m.lip) * m.near * 0.5, 0)
        * m.skin
    )
    shapes["jawForward"] = way(0, 0, 0.12) * m.jaw
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        shapes[f"jaw{cap}"] = way(0.12 * s, 0, 0) * m.jaw
        carried = habits.carried * head.of("teeth_upper", "teeth_lower", "tongue")
        along = habits.slide + (1 - habits.slide) * smooth(
            -1.0, 1.0, s * (v[:, 0:1] - m.middle[0]) / m.half
        )
        shapes[f"mouth{cap}"] = way(0.20 * s, 0, -0.03) * (m.around() * along + carried) * m.size
        cheek = np.array(
            [s * (0.2 + 0.35 * m.size), m.lips[1] + 0.45, m.lips[2] - 0.25], np.float32
        )
        raised = ball(head, cheek, (0.28, 0.22, 0.6)) * m.skin
        shapes[f"mouthSmile{cap}"] = (
            m.pulled(side, way(0.12 * s, 0.13, -0.06))
            + raised * way(0.02 * s, 0.04, 0.03) * habits.lift
        )
        shapes[f"mouthFrown{cap}"] = m.pulled(side, way(0.01 * s, -0.13, -0.02))
        shapes[f"mouthDimple{cap}"] = m.pulled(side, way(0.07 * s, 0.01, -0.07), 0.28)
        shapes[f"mouthStretch{cap}"] = m.pulled(side, way(0.14 * s, -0.05, -0.05))
        shapes[f"mouthPress{cap}"] = m.on_lip(False, side, way(0, 0.03, -0.01)) + m.on_lip(
            True, side, way(0, -0.02, -0.01)
        )
        shapes[f"mouthLowerDown{cap}"] = m.on_lip(False, side, way(0.01 * s, -0.12, 0))
        wing = (
            ball(
                head,
                head.landmarks["nose_tip"] + np.array([s * 0.16, -0.02, -0.12], np.float32),
                (0.14, 0.16, 0.3),
            )
            * m.skin
        )
        shapes[f"mouthUpperUp{cap}"] = m.on_lip(True, side, way(0.01 * s, 0.10, 0.01)) + wing * way(
            0, 0.03, 0
        )
        shapes[f"noseSneer{cap}"] = wing * way(0.01 * s, 0.09, 0.0) + m.on_lip(
            True, side, way(0, 0.04, 0)
        )
        shapes[f"cheekSquint{cap}"] = (
            ball(head, cheek + np.array([0, 0.15, 0], np.float32), (0.28, 0.2, 0.6))
            * m.skin
            * way(0, 0.09, 0.02)
        )
    across = (v[:, 0:1] - m.middle[0]) * way(1, 0, 0)
    shapes["mouthPucker"] = m.around(1.4, 0.3) * (
        -0.5 * across
        + way(0, 0, 0.10 * habits.forward)
        - 0.1 * (v[:, 1:2] - m.lips[1]) * way(0, 1, 0)
    )
    parted = m.on_lip(True, None, way(0, 0.07, 0.03)) + m.on_lip(False, None, way(0, -0.09, 0.03))
    shapes["mouthFunnel"] = (
        m.around(1.4, 0.3) * (-0.4 * across + way(0, 0, 0.08 * habits.forward)) + parted
    )
    shapes["mouthRollLower"] = m.on_lip(False, None, way(0, 0.05, -0.08 * habits.forward), 0.16)
    shapes["mouthRollUpper"] = m.on_lip(True, None, way(0, -0.05, -0.08 * habits.forward), 0.16)
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
    shapes = {
        name: offsets * (1 if name in FULL else habits.gain) for name, offsets in shapes.items()
    }
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
        t = np.asarray(
            np.clip((head.vertices - inner) @ line / (line @ line), -0.3, 1.2)[:, None], np.float32
        )
        away = head.vertices - (inner + np.clip(t, 0, 1) * line)
        above = np.where(away[:, 1:2] > 0, 0.30, 0.17)
        skin = np.exp(
            -((away[:, 0:1] / 0.25) ** 2) - (away[:, 1:2] / above) ** 2 - (away[:, 2:3] / 0.6) ** 2
        ) * head.of("skin")
        skin *= smooth(-0.12, 0.1, s * head.vertices[:, 0:1]) * head.habits.brow_skin
        field = (skin + head.of(f"brow_{side}")).astype(np.float32)
        inwards = smooth(1.0, 0.1, t)
        shapes[f"browDown{cap}"] = field * (way(-0.04 * s, -0.14, 0.02) * (0.45 + 0.55 * inwards))
        shapes[f"browOuterUp{cap}"] = field * way(0, 0.15, 0) * smooth(0.1, 0.8, t)
        shapes["browInnerUp"] = shapes["browInnerUp"] + field * way(0.01 * s, 0.16, 0.01) * inwards
    return shapes


def eye_shapes(head: Anatomy) -> dict[str, Floats]:
    shapes: dict[str, Floats] = {}
    for side in SIDES:
        eye, cap, s, lower = Eye(head, side), side.title(), SIGN[side], head.habits.lower_lid
        shapes[f"eyeBlink{cap}"] = eye.closed(1 - lower, lower)
        shapes[f"eyeSquint{cap}"] = eye.closed(0.14, 0.30)
        shapes[f"eyeWide{cap}"] = eye.closed(-0.20, -0.06)
        up, aside = np.radians(20), np.radians(28)
        shapes[f"eyeLookDown{cap}"] = eye.look(0, up) + eye.closed(0.40, -0.08)
        shapes[f"eyeLookUp{cap}"] = eye.look(0, -up) + eye.closed(-0.12, 0.05)
        shapes[f"eyeLookIn{cap}"] = eye.look(1, -aside * s)
        shapes[f"eyeLookOut{cap}"] = eye.look(1, aside * s)
    return shapes


def restyled(head: Anatomy, rng: np.random.Generator) -> Anatomy:
    """Parts as cartoon and anime makers put them: brows that float before the skin, eyes as flat
    plates, other teeth and tongues.
    """
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
            v[mine] = (
                middle
                + (v[mine] - middle) * rng.uniform([0.55, 0.6, 0.4], [1.15, 1.3, 1.2])
                + rng.normal(0, [0.0, 0.02, 0.05])
            )
    return replace(head, vertices=v.astype(np.float32))


BUILDERS: tuple[Callable[[Anatomy], dict[str, Floats]], ...] = (
    eye_shapes,
    brow_shapes,
    mouth_shapes,
)


def joined(head: Anatomy, triangles: Ints, vertices: Floats, more: Ints) -> tuple[Anatomy, Ints]:
    """The head with something around it that no shape moves, and the triangles of both."""
    count = len(vertices)
    merged = replace(
        head,
        vertices=np.concatenate([head.vertices, vertices]),
        part=np.concatenate([head.part, np.full(count, PARTS.index("hair"), np.int32)]),
        ring=np.concatenate([head.ring, np.full(count, 2, np.float32)]),
        turn=np.concatenate([head.turn, np.zeros(count, np.float32)]),
        opening=np.concatenate([head.opening, np.zeros(count, np.int32)]),
    )
    return merged, np.concatenate([triangles, more + len(head.vertices)])


def overlay(head: Anatomy, triangles: Ints, rng: np.random.Generator) -> tuple[Floats, Ints, Ints]:
    """A sheet before the skin, as anime avatars have for a blush or a pale face: vertices (N,3),
    triangles, and the skin's vertices (N,) below.
    """
    v, at = head.vertices, head.landmarks
    skin = (head.part == PARTS.index("skin")) & (head.ring >= 0.05)
    if rng.random() < 0.5:  # the upper face
        inside = skin & (v[:, 1] > rng.uniform(-0.6, -0.2)) & (v[:, 2] > rng.uniform(-1.0, -0.3))
    else:  # the cheeks
        centre = at["lid_lower_left"] + np.array([0.05, -rng.uniform(0.15, 0.35), 0], np.float32)
        away = (np.abs(v[:, :2] - [0, centre[1]]) - [centre[0], 0]) / rng.uniform(
            [0.12, 0.08], [0.35, 0.3]
        )
        inside = skin & ((away**2).sum(axis=1) < 1) & (v[:, 2] > -0.8)
    kept = triangles[inside[triangles].all(axis=1)]
    source, index = np.unique(kept, return_inverse=True)
    lifted = v[source] + np.array([0, 0, rng.uniform(0.003, 0.05)], np.float32)
    return lifted, index.reshape(-1, 3).astype(np.int32), source.astype(np.int32)


def sample(rng: np.random.Generator | None = None) -> tuple[Anatomy, Ints]:
    """The demo's head in random proportions and style, or as it is without a generator."""
    built = build(random_spec(rng) if rng else None)
    axes = np.array([1, 1, -1], np.float32)
    marks = {name: built.landmarks[name][[0, 2, 1]] * axes for name in NAMES}
    head = framed(
        Anatomy(
            vertices=built.vertices[:, [0, 2, 1]] * axes,
            part=built.part,
            ring=built.ring,
            turn=built.turn,
            opening=built.opening,
            landmarks=marks,
        )
    )
    return (restyled(head, rng) if rng else head), built.triangles


def anatomy(
    rng: np.random.Generator | None = None, stylised_share: float = STYLISED
) -> tuple[Anatomy, Ints]:
    """A modelled head and its triangles: the demo's without a generator, else one of random make,
    with locks of hair or without.
    """
    if rng is None:
        return sample()
    head, triangles = stylised.head(rng) if rng.random() < stylised_share else sample(rng)
    return joined(head, triangles, *locks(rng)) if rng.random() < LOCKS else (head, triangles)


def sheeted(head: Anatomy, triangles: Ints, rng: np.random.Generator) -> tuple[Floats, Ints, Ints]:
    """Vertices and triangles of a head, now and then with a sheet before its skin, and which vertex
    of the head each of the sheet's follows.
    """
    if rng.random() >= OVERLAYS:
        return head.vertices, triangles, np.empty(0, np.int32)
    sheet, more, source = overlay(head, triangles, rng)
    return (
        np.concatenate([head.vertices, sheet]),
        np.concatenate([triangles, more + len(head.vertices)]),
        source,
    )


def kind_of(head: Anatomy) -> str:
    """What the training calls a modelled head: by whether its shapes go as on realistic ones."""
    return "modelled" if head.habits == Habits() else "stylised"


def modelled(rng: np.random.Generator | None = None, stylised_share: float = STYLISED) -> Rig:
    """A modelled head with its shapes as a training rig, called after its kind."""
    head, triangles = anatomy(rng, stylised_share)
    rig = rig_of(head, triangles)
    if rng is None:
        return rig
    vertices, triangles, source = sheeted(head, triangles, rng)
    shapes = {
        name: np.concatenate([offsets, offsets[source]]) for name, offsets in rig.shapes.items()
    }
    return replace(rig, vertices=vertices, triangles=triangles, shapes=shapes)


def rig_of(head: Anatomy, triangles: Ints) -> Rig:
    """A head of known parts with its shapes as a training rig, called after its kind."""
    shapes = {
        name: np.ascontiguousarray(offsets, np.float32)
        for make in BUILDERS
        for name, offsets in make(head).items()
    }
    anchors = {
        name: Anchor(np.array([np.linalg.norm(head.vertices - p, axis=1).argmin()], np.int32))
        for name, p in head.landmarks.items()
    }
    return Rig(kind_of(head), head.vertices, triangles, shapes, anchors=anchors)
