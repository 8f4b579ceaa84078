# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drawn head has around its eyes: whites and irises, lashes, creases, brows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .drawn_parts import Parts, disc, sheet
from .drawn_style import Reals, Style
from .drawn_surface import Surface, eye_outline


@dataclass(frozen=True)
class _Socket:
    """Where an eye goes.

    Args:
        middle: (3,), of the opening's edge
        back: (3,), behind it, about which the eye is turned
        turn: (3,3), outwards like the face
    """

    middle: Reals
    back: Reals
    turn: Reals

    def put(self, points: Reals) -> Reals:
        """Points (N,3) of an eye that faces ahead, turned as the lids are."""
        return np.asarray((points - self.back) @ self.turn.T + self.back)


def _ball(rings: int, around: int, radius: float) -> Reals:
    """Points (2R,A,3) of a ball around the origin."""
    angle = np.arange(around) * 2 * np.pi / around
    polar = np.linspace(0.02, np.pi - 0.02, rings * 2)[:, None]
    return np.stack(
        [
            radius * np.sin(polar) * np.cos(angle),
            radius * np.sin(polar) * np.sin(angle),
            radius * np.cos(polar) * np.ones_like(angle),
        ],
        axis=-1,
    )


def add_eyes(parts: Parts, surface: Surface, rng: np.random.Generator) -> None:
    """Flat parts, bowls or balls behind the lids, irises parts of their own or not."""
    style = surface.style
    edge = surface.place(
        surface.locate(eye_outline(style, np.linspace(0, 2 * np.pi, 32, endpoint=False)))
    )
    middle = edge.mean(axis=0)
    if style.decal:
        deep = -rng.uniform(0.01, 0.12 if style.sketched else 0.05)
    else:
        deep = style.lid + rng.uniform(0.02, 0.12)
    # flat part or bowl, ball, iris alone before a socket
    kind = rng.choice(3, p=[0.45, 0.3, 0.25]) if not style.decal else 0
    around, rings = int(rng.integers(8, 28)), int(rng.integers(3, 7))
    # The eye stands as the lids do: turned outwards like the face.
    tilt = np.arctan2(
        edge[np.argmin(edge[:, 0]), 2] - edge[np.argmax(edge[:, 0]), 2], np.ptp(edge[:, 0])
    ) * rng.uniform(0.5, 1.0)
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    socket = _Socket(middle, middle - np.array([0, 0, deep]), turn)
    radius = float(max(style.eye_half, style.eye_up) * rng.uniform(1.0, 1.2))
    high = max(style.eye_up, style.eye_down)
    iris = float(min(high * rng.uniform(0.8, 1.25), style.eye_half * 0.8))
    front = socket.back.copy()
    if kind == 1:
        facing = turn @ np.array([0.0, 0.0, 1.0])
        ball = _ball(rings, around, radius)
        at = middle - facing * (radius + style.lid * 0.5)
        parts.add_both(*sheet(ball[::-1] + at, closed=True), "eye")
        front = middle - facing * style.lid * 0.5
    elif kind == 0:
        bow = float(rng.uniform(-0.22, 0.12)) * radius if not style.decal else 0.0
        _add_white(parts, style, socket, bow, (rings, around))
        front = socket.back + [0, 0, min(bow, 0)]
    if kind != 1 or rng.random() < 0.3:
        _add_iris(
            parts, style, socket, rng, front=front, iris=iris, cut=(max(3, rings - 1), around)
        )


def _add_white(
    parts: Parts, style: Style, socket: _Socket, bow: float, cut: tuple[int, int]
) -> None:
    """The white as a flat part or a bowl of `cut` rings and points around."""
    radii = np.array([style.eye_half * 1.12, (style.eye_up + style.eye_down) * 0.6]) / (
        1.15 if style.decal else 1.0
    )
    vertices, triangles = disc(
        socket.back - [0, 0, max(bow, 0)], (radii[0], radii[1]), bow, cut[0], cut[1]
    )
    vertices[:, 1] += (style.eye_up - style.eye_down) / 2
    parts.add_both(socket.put(vertices), triangles, "white")


def _add_iris(
    parts: Parts,
    style: Style,
    socket: _Socket,
    rng: np.random.Generator,
    *,
    front: Reals,
    iris: float,
    cut: tuple[int, int],
) -> None:
    """An iris of a radius before `front` (3,), of `cut` rings and points around, with up to two
    highlights.
    """
    bow = float(rng.uniform(-0.1, 0.06))
    centre = front + [
        rng.uniform(-0.08, 0.03),
        (style.eye_up - style.eye_down) * rng.uniform(0.2, 0.7),
        0.012 - max(bow, 0),
    ]
    vertices, triangles = disc(centre, (iris * rng.uniform(0.7, 1.0), iris), bow, cut[0], cut[1])
    parts.add_both(socket.put(vertices), triangles, "iris")
    for _ in range(rng.integers(0, 3)):  # highlights
        spot = centre + [
            rng.uniform(-0.5, 0.5) * iris,
            rng.uniform(-0.5, 0.6) * iris,
            0.01 + max(bow, 0),
        ]
        vertices, triangles = disc(spot, (iris * 0.2, iris * 0.25), 0.0, 2, 8)
        parts.add_both(socket.put(vertices), triangles, "iris")


def _lid_line(surface: Surface, turn: Reals, grown: Reals | float) -> Reals:
    """Points (N,3) around the left eye at angles (N,): 0 grown on the opening's edge, 1 at the
    border of its rings.
    """
    style = surface.style
    share = np.asarray(np.broadcast_to(grown, turn.shape)[:, None], np.float64)
    flat: Reals = (
        eye_outline(style, turn, 0.0) * (1 - share) + eye_outline(style, turn, 1.0) * share
    )
    return surface.place(surface.locate(flat))


def _add_upper_lash(parts: Parts, surface: Surface, rng: np.random.Generator, steps: int) -> None:
    """A band that starts at the edge, widest at its middle or its outer end."""
    turn = np.linspace(np.radians(rng.uniform(150, 178)), np.radians(rng.uniform(-12, 20)), steps)
    s = np.linspace(0, 1, steps)
    shape = np.sin(np.pi * s ** rng.uniform(0.6, 1.6)) ** 0.6 * (1 - s) + s * rng.uniform(0.3, 1.2)
    high = rng.uniform(0.06, 0.45) * np.clip(shape, 0.05, None)
    fore = np.array([0, 0, 1]) * rng.uniform(0.005, 0.10)
    rows = [
        _lid_line(surface, turn, rng.uniform(-0.06, 0.02)) + fore * rng.uniform(0, 0.5),
        _lid_line(surface, turn, high * 0.6) + fore,
        _lid_line(surface, turn, high) + fore * 0.8,
    ]
    if rng.random() < 0.5:
        rows.append(_lid_line(surface, turn, high * 0.5) + fore * 0.2)
        rows.append(rows[0] - [0, 0, 0.004])
    parts.add_both(*sheet(np.stack(rows)), "lash")


def _add_lower_lash(parts: Parts, surface: Surface, rng: np.random.Generator, steps: int) -> None:
    """A thin band."""
    turn = np.linspace(np.radians(rng.uniform(-175, -120)), np.radians(rng.uniform(-60, -5)), steps)
    fore = np.array([0, 0, rng.uniform(0.004, 0.04)])
    rows = [_lid_line(surface, turn, h) + fore for h in (0.10 * rng.uniform(0.5, 1.5), 0.0)]
    parts.add_both(*sheet(np.stack(rows)), "lower_lash")


def _add_crease(parts: Parts, surface: Surface, rng: np.random.Generator, steps: int) -> None:
    """The crease above the lid."""
    turn = np.linspace(np.radians(150), np.radians(25), steps)
    level = rng.uniform(0.35, 0.6)
    fore = np.array([0, 0, rng.uniform(0.004, 0.04)])
    rows = [_lid_line(surface, turn, level + up) + fore for up in (0, 0.06)]
    parts.add_both(*sheet(np.stack(rows)), "crease")


def _add_brow(
    parts: Parts, surface: Surface, rng: np.random.Generator, steps: int
) -> dict[str, Reals]:
    """A brow, now and then none; its inner and outer ends on the left side."""
    style = surface.style
    start = style.eye[0] - style.eye_half * rng.uniform(0.5, 1.15)
    end = style.eye[0] + style.eye_half * rng.uniform(0.4, 1.1)
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


def add_strips(parts: Parts, surface: Surface, rng: np.random.Generator) -> dict[str, Reals]:
    """Lashes, creases and brows. Returns the brows' inner and outer ends on the left side."""
    steps = int(rng.integers(7, 22))
    if rng.random() < 0.9:
        _add_upper_lash(parts, surface, rng, steps)
    if rng.random() < 0.5:
        _add_lower_lash(parts, surface, rng, steps)
    if rng.random() < 0.5:
        _add_crease(parts, surface, rng, steps)
    return _add_brow(parts, surface, rng, steps)
