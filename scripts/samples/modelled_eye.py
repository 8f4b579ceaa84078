# SPDX-License-Identifier: GPL-3.0-or-later
"""How an eye of a modelled head closes, opens and looks."""

from __future__ import annotations

import numpy as np

from backend.face.geometry.landmarks import SIDES

from .anatomy import OPENINGS, PARTS, Anatomy, smooth, turned, way
from .rig import Floats, Ints

SIGN = {"left": 1.0, "right": -1.0}
LID_SKIN = 0.02  # thickness of a lid over the eyeball


class Eye:
    """What one eye's shapes share: edges of the lids by angle, what turns when it looks, and which
    vertices follow the lids how far.

    A ball turns about its centre; an iris on a flat part turns about a point behind it, as if the
    part were a wide ball's front.
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
        self.flat_eye = v[head.of(f"white_{side}", f"iris_{side}")[:, 0] > 0]
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
        elif down > 0.5 and len(self.flat_eye):  # a lid over a flat eye stays in front of it
            inside = np.flatnonzero((self.follow[:, 0] > 0) & (head.ring > -2))
            away = np.linalg.norm(moved[inside, None, :2] - self.flat_eye[None, :, :2], axis=2)
            behind = self.flat_eye[away.argmin(axis=1), 2] + LID_SKIN - moved[inside, 2]
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
