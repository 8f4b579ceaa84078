# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawn head with hair and a collar, as a whole avatar is: what the demo and the pictures show.

One design, no draw of luck. Axes and units: canonical, see backend/face/geometry/frame.py. The
numbers are this project's own modelling. Its hair is in `drawn_hair`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import drawn_hair
from .anatomy import OPENINGS
from .drawn_skin import skin
from .drawn_style import CHIN_ROW, ROWS, Reals, Style
from .drawn_surface import Surface, eye_outline
from .rig import Floats, Ints

MATERIALS = (
    "skin",
    "mouth_line",
    "mouth",
    "eye_white",
    "iris",
    "iris_light",
    "pupil",
    "eye_highlight",
    "lash",
    "brow",
    "teeth",
    "tongue",
    "blush",
    "hair",
    "ribbon",
    "cloth",
    "collar",
)
LINE_RING = 0.09  # rings of the mouth up to here are the drawn line around the lips
CHIN = -1.12  # its height


@dataclass
class Drawn:
    """A head while it grows, and when it is done.

    vertices: float64 pieces (V,3). triangles: pieces (T,3). material: pieces (T,), places in
    MATERIALS.
    """

    vertices: list[Reals] = field(default_factory=list)
    triangles: list[NDArray[np.int64]] = field(default_factory=list)
    material: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(self, vertices: Reals, triangles: NDArray[np.int64], material: str | Ints) -> None:
        """Add vertices (N,3) and triangles (M,3) of one material, or with one for each triangle."""
        self.vertices.append(vertices)
        self.triangles.append(triangles + self.count)
        self.material.append(
            np.full(len(triangles), MATERIALS.index(material), np.int32)
            if isinstance(material, str)
            else material
        )
        self.count += len(vertices)

    def add_both(self, vertices: Reals, triangles: NDArray[np.int64], material: str | Ints) -> None:
        """A part of the left side, and its mirror image on the right."""
        self.add(vertices, triangles, material)
        self.add(vertices * [-1, 1, 1], triangles[:, ::-1], material)

    def arrays(self) -> tuple[Floats, Ints, Ints]:
        """Vertices float32 (V,3), triangles int32 (T,3) and their materials int32 (T,)."""
        return (
            np.concatenate(self.vertices).astype(np.float32),
            np.concatenate(self.triangles).astype(np.int32),
            np.concatenate(self.material),
        )


def style() -> Style:
    """The proportions of the head."""
    rows = ROWS.copy()
    drop = (CHIN - ROWS[CHIN_ROW, 0]) * np.clip((-ROWS[:, 0] - 0.45) / 0.83, 0, 1)
    rows[:, [0, 1, 4]] += drop[:, None] * [1, 1, 0.7]
    rows[4:9, 3] *= (1.03, 1.10, 1.16, 1.22, 1.08)  # round cheeks above a small chin
    rows[9:, 3] = 0.28  # a slim neck
    return Style(
        rows=rows,
        boxy=2.05,
        eye=(0.50, 0.0),
        eye_half=0.335,
        eye_up=0.33,
        eye_down=0.25,
        eye_power=(0.72, 0.80),
        eye_tilt=0.05,
        socket=0.02,
        mouth_y=-0.74,
        mouth_half=0.24,
        mouth_curve=0.035,
        mouth_reach=(0.22, 0.20),
        nose=(-0.40, 0.14, 0.07, 0.22),
        lips=0.012,
        snout=(0.0, 0.0, 0.4, 0.4),
        cheek=0.02,
        lid=0.03,
        around=40,
        mouth_around=21,
        spacing=0.07,
        jitter=0.0,
        closed=(True, True),
        decal=False,
    )


def sheet(rows: Reals, closed: bool = False) -> tuple[Reals, NDArray[np.int64]]:
    """Vertices (R*C,3) and triangles of a sheet of points (R,C,3); closed: the last column joins
    the first.
    """
    count, wide = rows.shape[:2]
    index = np.arange(count * wide).reshape(count, wide)
    a, b = index[:-1], index[1:]
    if closed:
        a2, b2 = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    else:
        a, a2, b, b2 = a[:, :-1], a[:, 1:], b[:, :-1], b[:, 1:]
    triangles = [np.stack(t, -1).reshape(-1, 3) for t in ((a, b, b2), (a, b2, a2))]
    return rows.reshape(-1, 3), np.concatenate(triangles)


def disc(centre: Reals, radii: tuple[float, float], rings: int, around: int) -> Reals:
    """Rows (R,C,3) of a disc that faces +Z, from its edge to its middle."""
    turn = np.arange(around) * 2 * np.pi / around
    scale = np.linspace(1, 0.003, rings)[:, None]
    flat = np.stack(
        [scale * radii[0] * np.cos(turn), scale * radii[1] * np.sin(turn), 0 * scale * turn],
        axis=-1,
    )
    return np.asarray(flat + centre)


def add_skin(head: Drawn, surface: Surface) -> None:
    """The skin with its openings; the line around the mouth and its inside have their colours."""
    vertices, triangles, tags = skin(surface, np.random.default_rng(1))
    ring, opening = tags[triangles, 0], tags[triangles, 2]
    material = np.full(len(triangles), MATERIALS.index("skin"), np.int32)
    at_mouth = (opening == OPENINGS.index("mouth")).all(axis=1)
    material[at_mouth & (ring <= LINE_RING).all(axis=1)] = MATERIALS.index("mouth_line")
    material[at_mouth & (ring < 0).any(axis=1)] = MATERIALS.index("mouth")
    head.add(vertices, triangles, material)


def add_eye(head: Drawn, surface: Surface) -> None:
    """White, iris with pupil and two highlights: flat parts behind the lids."""
    look = surface.style
    rim = surface.place(
        surface.locate(eye_outline(look, np.linspace(0, 2 * np.pi, 48, endpoint=False)))
    )
    middle = rim.mean(axis=0)
    outer, inner = rim[rim[:, 0].argmax()], rim[rim[:, 0].argmin()]
    tilt = 0.8 * np.arctan2(inner[2] - outer[2], outer[0] - inner[0])
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    back = middle - np.array([0, 0, 0.11])

    def put(rows: Reals) -> Reals:
        return np.asarray((rows - back) @ turn.T + back)

    high = (look.eye_up - look.eye_down) / 2
    white = disc(back + [0, high, 0], (look.eye_half * 1.13, 0.37), 5, 32)
    head.add_both(*sheet(put(white), closed=True), "eye_white")
    radii = (0.245, 0.325)
    centre = back + np.array([-0.02, 0.035, 0.015])
    rows = disc(centre, radii, 15, 48)
    vertices, triangles = sheet(rows, closed=True)
    quads = vertices[triangles.reshape(2, -1, 3)].mean(axis=(0, 2))  # two triangles each
    at = np.tile((quads - centre) / [radii[0], radii[1], 1], (2, 1))
    far = np.hypot(at[:, 0], at[:, 1])
    material = np.full(len(triangles), MATERIALS.index("iris"), np.int32)
    material[at[:, 1] < -0.12 - 0.25 * at[:, 0] ** 2] = MATERIALS.index("iris_light")
    material[np.hypot(at[:, 0], at[:, 1] - 0.04) < 0.40] = MATERIALS.index("pupil")
    material[far > 0.86] = MATERIALS.index("pupil")
    head.add_both(put(vertices), triangles, material)
    for spot, size in (((0.075, 0.12), (0.062, 0.078)), ((-0.085, -0.12), (0.032, 0.038))):
        shine = disc(centre + [*spot, 0.012], size, 3, 18)
        vertices, triangles = sheet(put(shine), closed=True)
        head.add(vertices, triangles, "eye_highlight")
        other = put(disc(centre + [-spot[0], spot[1], 0.012], size, 3, 18))
        vertices, triangles = sheet(other, closed=True)
        head.add(vertices * [-1, 1, 1], triangles[:, ::-1], "eye_highlight")


def add_strips(head: Drawn, surface: Surface) -> None:
    """Lashes with a wing, a fine lower lash, the crease, and brows."""
    look = surface.style

    def edge(turn: Reals, grown: Reals | float) -> Reals:
        share = np.asarray(np.broadcast_to(grown, turn.shape)[:, None], np.float64)
        flat = eye_outline(look, turn) * (1 - share) + eye_outline(look, turn, 1.0) * share
        return surface.place(surface.locate(flat))

    s = np.linspace(0, 1, 26)
    turn = np.radians(172 + (-14 - 172) * s)
    high = 0.08 + 0.34 * np.sin(np.pi * np.clip(s, 0, 0.8) / 1.6) ** 1.5
    high[s > 0.86] *= np.clip((1.04 - s[s > 0.86]) / 0.18, 0.1, 1)
    wing = np.stack([0.14 * s**6, 0.05 * s**8, 0 * s], axis=1)
    fore = np.array([0, 0, 0.03])
    rows = [edge(turn, -0.04), edge(turn, high * 0.6) + fore, edge(turn, high) + fore]
    head.add_both(*sheet(np.stack([row + wing for row in rows])), "lash")
    turn = np.radians(-140 + (-22 + 140) * s)
    thin = 0.10 * np.sin(np.pi * np.clip(s, 0.02, 0.98)) ** 0.5
    rows = [edge(turn, thin) + fore / 2, edge(turn, 0.0) + fore / 2]
    head.add_both(*sheet(np.stack(rows)), "lash")
    turn = np.radians(150 + (28 - 150) * s)
    level = 0.60 - 0.05 * s
    thin = 0.05 * np.sin(np.pi * np.clip(s, 0.02, 0.98))
    rows = [edge(turn, level) + fore / 3, edge(turn, level + thin) + fore / 3]
    head.add_both(*sheet(np.stack(rows)), "lash")
    line = np.stack([0.22 + 0.60 * s, 0.60 + 0.07 * np.sin(np.pi * s**0.8) - 0.05 * s], axis=1)
    thick = 0.032 * np.clip(1.15 - s, 0.1, 1) * np.clip(s * 6 + 0.3, 0, 1)
    shifts = [np.stack([0 * s, side * thick], axis=1) for side in (1, 0, -1)]
    rows = [surface.place(surface.locate(line + shift)) + fore for shift in shifts]
    head.add_both(*sheet(np.stack(rows)), "brow")


def add_mouth(head: Drawn, surface: Surface) -> None:
    """A row of upper teeth and a tongue in the bag, and blushes on the cheeks."""
    look = surface.style
    front = surface.place(surface.locate(np.array([[0.0, look.mouth_y]])))[0]
    side = np.linspace(-1, 1, 19)
    curve = -0.07 - 0.22 * (1 - np.cos(side * 1.2))
    arch = front + np.stack([side * 0.155, 0 * side, curve], axis=1)
    rows = np.stack([arch + [0, up, -deep] for up, deep in ((0.10, 0), (0.02, 0), (0.02, 0.04))])
    head.add(*sheet(rows), "teeth")
    polar = np.linspace(0.05, np.pi - 0.05, 9)[:, None]
    around = np.arange(14) * 2 * np.pi / 14
    ball = [
        np.sin(polar) * np.cos(around),
        np.sin(polar) * np.sin(around),
        np.cos(polar) + 0 * around,
    ]
    tongue = np.stack(ball, axis=-1)[::-1] * [0.115, 0.035, 0.15] + front + [0, -0.045, -0.27]
    head.add(*sheet(tongue, closed=True), "tongue")
    flat = disc(np.array([0.66, -0.42, 0.0]), (0.13, 0.055), 4, 24)
    placed = surface.place(surface.locate(flat.reshape(-1, 3)[:, :2])).reshape(flat.shape)
    head.add_both(*sheet(placed + [0, 0, 0.012], closed=True), "blush")


def add_body(head: Drawn) -> None:
    """Shoulders in cloth, and a collar around the neck."""
    turn = np.arange(40) * 2 * np.pi / 40

    def ring(high: float, wide: float, deep: float, back: float = -0.95) -> Reals:
        return np.stack([wide * np.sin(turn), high + 0 * turn, back + deep * np.cos(turn)], axis=1)

    s = np.linspace(0, 1, 12)
    fall = [(-1.62 - 1.3 * t**1.7, 0.48 + 1.15 * np.sin(t * np.pi / 2), 0.44 + 0.4 * t) for t in s]
    rows = [ring(high, wide, deep) for high, wide, deep in fall]
    head.add(*sheet(np.stack(rows)[::-1], closed=True), "cloth")
    collar = [ring(-1.44, 0.46, 0.43), ring(-1.47, 0.54, 0.52), ring(-1.74, 0.78, 0.72)]
    collar += [ring(-1.80, 0.76, 0.68)]
    head.add(*sheet(np.stack(collar)[::-1], closed=True), "collar")


def build() -> tuple[Floats, Ints, Ints]:
    """The drawn head: vertices float32 (V,3), triangles int32 (T,3), their places in MATERIALS
    int32 (T,).
    """
    surface, head = Surface(style()), Drawn()
    add_skin(head, surface)
    add_eye(head, surface)
    add_strips(head, surface)
    add_mouth(head, surface)
    add_body(head)
    for vertices, triangles, name in drawn_hair.pieces():
        head.add(vertices, triangles, name)
    return head.arrays()
