# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a drawn head while it grows; teeth, tongue, and what is drawn on the skin. Eyes:
drawn_eyes.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .anatomy import PARTS
from .drawn_style import Reals
from .drawn_surface import Surface
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
