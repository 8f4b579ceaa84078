# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a drawn head: eyes, lashes, brows, teeth, tongue, and what is drawn on the skin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .anatomy import PARTS
from .drawn_style import Reals
from .drawn_surface import Surface, eye_outline
from .rig import Ints


@dataclass
class Parts:
    """Vertices, triangles and tags of everything while it grows."""

    vertices: list[Reals] = field(default_factory=list)
    triangles: list[NDArray[np.int64]] = field(default_factory=list)
    part: list[Ints] = field(default_factory=list)
    tags: list[Reals] = field(default_factory=list)
    count: int = 0

    def add(
        self, vertices: Reals, triangles: NDArray[np.int64], part: str, tags: Reals | None = None
    ) -> None:
        self.vertices.append(vertices)
        self.triangles.append(triangles + self.count)
        self.part.append(np.full(len(vertices), PARTS.index(part), np.int32))
        self.tags.append(np.tile([2.0, 0.0, 0.0], (len(vertices), 1)) if tags is None else tags)
        self.count += len(vertices)

    def add_both(self, vertices: Reals, triangles: NDArray[np.int64], part: str) -> None:
        """A part of the left side, and its mirror image on the right."""
        self.add(vertices, triangles, f"{part}_left")
        self.add(vertices * [-1, 1, 1], triangles[:, ::-1], f"{part}_right")


def sheet(rows: Reals, closed: bool = False) -> tuple[Reals, NDArray[np.int64]]:
    """Vertices and triangles of a sheet of points (R,C,3); closed: the last column joins the
    first.
    """
    count, wide = rows.shape[:2]
    index = np.arange(count * wide).reshape(count, wide)
    a, b = index[:-1], index[1:]
    if closed:
        a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    else:
        a, a2, b, b2 = a[:, :-1], a[:, 1:], b[:, :-1], b[:, 1:]
    triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, b2), (a, b2, a2))])
    return rows.reshape(-1, 3), triangles


def disc(
    centre: Reals, radii: tuple[float, float], bow: float, rings: int, around: int
) -> tuple[Reals, NDArray[np.int64]]:
    """A disc that faces +Z, its middle `bow` before its edge."""
    turn = np.arange(around) * 2 * np.pi / around
    scale = np.linspace(1, 0.02, rings)[:, None]
    rows = np.stack(
        [
            scale * radii[0] * np.cos(turn),
            scale * radii[1] * np.sin(turn),
            np.broadcast_to(bow * (1 - scale**2), (rings, around)),
        ],
        axis=-1,
    )
    return sheet(rows + centre, closed=True)


def add_eyes(parts: Parts, surface: Surface, rng: np.random.Generator) -> None:
    """Flat parts, bowls or balls behind the lids, irises parts of their own or not."""
    style = surface.style
    edge = surface.place(
        surface.locate(eye_outline(style, np.linspace(0, 2 * np.pi, 32, endpoint=False)))
    )
    middle = edge.mean(axis=0)
    deep = (
        style.lid + rng.uniform(0.02, 0.12)
        if not style.decal
        else -rng.uniform(0.01, 0.12 if style.sketched else 0.05)
    )
    kind = (
        rng.choice(3, p=[0.45, 0.3, 0.25]) if not style.decal else 0
    )  # flat part or bowl, ball, iris alone before a socket
    around, rings = int(rng.integers(8, 28)), int(rng.integers(3, 7))
    # The eye stands as the lids do: turned outwards like the face.
    tilt = np.arctan2(
        edge[np.argmin(edge[:, 0]), 2] - edge[np.argmax(edge[:, 0]), 2], np.ptp(edge[:, 0])
    ) * rng.uniform(0.5, 1.0)
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    back = middle - np.array([0, 0, deep])

    def put(points: Reals) -> Reals:
        return np.asarray((points - back) @ turn.T + back)

    radius = float(max(style.eye_half, style.eye_up) * rng.uniform(1.0, 1.2))
    iris = float(
        min(max(style.eye_up, style.eye_down) * rng.uniform(0.8, 1.25), style.eye_half * 0.8)
    )
    front = back.copy()
    if kind == 1:
        angle, polar = (
            np.arange(around) * 2 * np.pi / around,
            np.linspace(0.02, np.pi - 0.02, rings * 2)[:, None],
        )
        ball = np.stack(
            [
                radius * np.sin(polar) * np.cos(angle),
                radius * np.sin(polar) * np.sin(angle),
                radius * np.cos(polar) * np.ones_like(angle),
            ],
            axis=-1,
        )
        facing = turn @ np.array([0.0, 0.0, 1.0])
        vertices, triangles = sheet(
            ball[::-1] + middle - facing * (radius + style.lid * 0.5), closed=True
        )
        parts.add_both(vertices, triangles, "eye")
        front = middle - facing * style.lid * 0.5
    elif kind == 0:
        bow = float(rng.uniform(-0.22, 0.12)) * radius if not style.decal else 0.0
        radii = np.array([style.eye_half * 1.12, (style.eye_up + style.eye_down) * 0.6]) / (
            1.15 if style.decal else 1.0
        )
        vertices, triangles = disc(
            back - [0, 0, max(bow, 0)], (radii[0], radii[1]), bow, rings, around
        )
        vertices[:, 1] += (style.eye_up - style.eye_down) / 2
        parts.add_both(put(vertices), triangles, "white")
        front = back + [0, 0, min(bow, 0)]
    if kind != 1 or rng.random() < 0.3:
        bow = float(rng.uniform(-0.1, 0.06))
        centre = front + [
            rng.uniform(-0.08, 0.03),
            (style.eye_up - style.eye_down) * rng.uniform(0.2, 0.7),
            0.012 - max(bow, 0),
        ]
        vertices, triangles = disc(
            centre, (iris * rng.uniform(0.7, 1.0), iris), bow, max(3, rings - 1), around
        )
        parts.add_both(put(vertices), triangles, "iris")
        for _ in range(rng.integers(0, 3)):  # highlights
            spot = centre + [
                rng.uniform(-0.5, 0.5) * iris,
                rng.uniform(-0.5, 0.6) * iris,
                0.01 + max(bow, 0),
            ]
            vertices, triangles = disc(spot, (iris * 0.2, iris * 0.25), 0.0, 2, 8)
            parts.add_both(put(vertices), triangles, "iris")


def add_strips(parts: Parts, surface: Surface, rng: np.random.Generator) -> dict[str, Reals]:
    """Lashes, creases and brows. Returns the brows' inner and outer ends on the left side."""
    style = surface.style

    def edge(turn: Reals, grown: Reals | float) -> Reals:
        share = np.asarray(np.broadcast_to(grown, turn.shape)[:, None], np.float64)
        flat: Reals = (
            eye_outline(style, turn, 0.0) * (1 - share) + eye_outline(style, turn, 1.0) * share
        )
        return surface.place(surface.locate(flat))

    steps = int(rng.integers(7, 22))
    if (
        rng.random() < 0.9
    ):  # the upper lash: a band that starts at the edge, widest at its middle or its outer end
        turn = np.linspace(
            np.radians(rng.uniform(150, 178)), np.radians(rng.uniform(-12, 20)), steps
        )
        s = np.linspace(0, 1, steps)
        shape = np.sin(np.pi * s ** rng.uniform(0.6, 1.6)) ** 0.6 * (1 - s) + s * rng.uniform(
            0.3, 1.2
        )
        high = rng.uniform(0.06, 0.45) * np.clip(shape, 0.05, None)
        fore = np.array([0, 0, 1]) * rng.uniform(0.005, 0.10)
        rows = [
            edge(turn, rng.uniform(-0.06, 0.02)) + fore * rng.uniform(0, 0.5),
            edge(turn, high * 0.6) + fore,
            edge(turn, high) + fore * 0.8,
        ]
        if rng.random() < 0.5:
            rows.append(edge(turn, high * 0.5) + fore * 0.2)
            rows.append(rows[0] - [0, 0, 0.004])
        parts.add_both(*sheet(np.stack(rows)), "lash")
    if rng.random() < 0.5:  # the lower lash, thin
        turn = np.linspace(
            np.radians(rng.uniform(-175, -120)), np.radians(rng.uniform(-60, -5)), steps
        )
        fore = np.array([0, 0, rng.uniform(0.004, 0.04)])
        parts.add_both(
            *sheet(
                np.stack([edge(turn, high) + fore for high in (0.10 * rng.uniform(0.5, 1.5), 0.0)])
            ),
            "lower_lash",
        )
    if rng.random() < 0.5:  # the crease above the lid
        turn = np.linspace(np.radians(150), np.radians(25), steps)
        level = rng.uniform(0.35, 0.6)
        fore = np.array([0, 0, rng.uniform(0.004, 0.04)])
        parts.add_both(
            *sheet(np.stack([edge(turn, level) + fore, edge(turn, level + 0.06) + fore])), "crease"
        )
    start, end = (
        style.eye[0] - style.eye_half * rng.uniform(0.5, 1.15),
        style.eye[0] + style.eye_half * rng.uniform(0.4, 1.1),
    )
    start = max(start, 0.08)
    s = np.linspace(0, 1, steps)
    level = style.eye_up + rng.uniform(0.10, 0.38)
    arch = level + rng.uniform(0, 0.12) * np.sin(np.pi * s) + rng.normal(0, 0.06) * (s - 0.5)
    line = np.stack([start + (end - start) * s, arch], axis=1)
    thick = rng.uniform(0.015, 0.06) * (
        np.sin(np.pi * np.clip(s, 0.05, 0.95)) ** 0.5
        if rng.random() < 0.6
        else np.clip(1.1 - s, 0.1, 1)
    )
    lift = np.array([0, 0, rng.uniform(0.0, 0.10)])
    if rng.random() < 0.9:
        rows = [
            surface.place(surface.locate(line + np.stack([0 * s, side * thick], axis=1))) + lift
            for side in (1, 0, -1)
        ]
        rows[1] = rows[1] + [0, 0, 0.01]
        parts.add_both(*sheet(np.stack(rows)), "brow")
    ends = surface.place(surface.locate(line[[0, -1]]))
    return {"brow_inner": ends[0], "brow_outer": ends[1]}


def add_mouth_parts(parts: Parts, surface: Surface, rng: np.random.Generator) -> None:
    """Teeth and tongue in the bag, each there or not."""
    style = surface.style
    front = surface.place(surface.locate(np.array([[0.0, style.mouth_y]])))[0]
    wide = style.mouth_half
    size = min(wide / 0.3, 1.2)
    side = np.linspace(-1, 1, int(rng.integers(7, 25)))
    arch = np.stack(
        [
            side * wide * rng.uniform(0.6, 0.95),
            0 * side,
            -0.10 * size - 0.35 * size * (1 - np.cos(side * 1.2)),
        ],
        axis=1,
    )
    for name, sign in (("teeth_upper", 1), ("teeth_lower", -1)):
        if rng.random() < 0.75:
            high = rng.uniform(0.03, 0.12) * size
            rows = [
                arch + front + [0, sign * (0.02 * size + h), -d]
                for h, d in ((0, 0.0), (high, 0.0), (high, 0.05), (0, 0.05))
            ]
            vertices, triangles = sheet(np.stack([*rows, rows[0]]))
            parts.add(vertices, triangles if sign < 0 else triangles[:, ::-1], name)
    if rng.random() < 0.85:
        polar, around = (
            np.linspace(0.05, np.pi - 0.05, int(rng.integers(5, 12)))[:, None],
            np.arange(10) * 2 * np.pi / 10,
        )
        rows = np.stack(
            [
                np.sin(polar) * np.cos(around),
                np.sin(polar) * np.sin(around),
                np.cos(polar) + 0 * around,
            ],
            axis=-1,
        )
        rows = (
            rows * np.array([0.6 * wide, 0.045 * size, 0.2 * size])
            + front
            + [0, -0.035 * size, -0.36 * size]
        )
        parts.add(*sheet(rows[::-1], closed=True), "tongue")


def add_drawing(parts: Parts, surface: Surface, rng: np.random.Generator) -> dict[str, Reals]:
    """A mouth that is drawn on the skin, and now and then patches on the cheeks. Returns where the
    mouth's landmarks lie.
    """
    style = surface.style
    side = np.linspace(-1, 1, int(rng.integers(3, 12)))
    thick = float(rng.uniform(0.004, 0.03)) * (1 - 0.8 * np.abs(side))
    line = np.stack([side * style.mouth_half, style.mouth_y + style.mouth_curve * side**2], axis=1)
    lift = np.array([0, 0, rng.uniform(0.005, 0.06)])

    def put(points: Reals) -> Reals:
        right = points[:, 0] < 0
        placed = surface.place(surface.locate(np.abs(points) * [1, 0] + points * [0, 1]))
        return np.asarray(np.where(right[:, None], placed * [-1, 1, 1], placed) + lift)

    rows = [put(line + np.stack([0 * side, up * thick], axis=1)) for up in (1, -1)]
    parts.add(*sheet(np.stack(rows)), "skin")
    if rng.random() < 0.3:
        radii = float(rng.uniform(0.08, 0.18)), float(rng.uniform(0.04, 0.1))
        centre = put(np.array([[rng.uniform(0.5, 0.75), rng.uniform(-0.6, -0.35)]]))[0]
        parts.add_both(*disc(centre, radii, 0.0, 2, int(rng.integers(5, 12))), "white")
    middle = np.abs(side).argmin()
    return {
        "mouth_left": rows[0][-1],
        "mouth_right": rows[0][0],
        "lip_upper": rows[0][middle],
        "lip_lower": rows[1][middle],
    }
