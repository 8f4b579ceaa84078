# SPDX-License-Identifier: GPL-3.0-or-later
"""The loose parts of the sample head: eyeballs, lashes, brows, teeth, tongue, hair. Axes and units
as in surface.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .surface import Reals, Surface, smoothstep

Indices = NDArray[np.int64]
Piece = tuple[Reals, Indices, Indices, str]  # points (V,3), faces (F,4), materials (F,), part name
EYE_WHITE, IRIS, PUPIL, LASH, BROW, TEETH, TONGUE, HAIR = 3, 4, 5, 6, 7, 8, 9, 10


@dataclass(frozen=True)
class Ball:
    """An eyeball: centre (3,) and radius."""

    centre: Reals
    radius: float


def eyeball(surface: Surface, sign: int) -> Ball:
    """The eyeball on one side (+1 left), so deep that the face just passes over its front."""
    spec = surface.spec
    radius = min(0.615 * spec.eye_width, 0.95 * surface.eye_x)
    front = float(surface.front_y(np.array([surface.eye_x]), np.array([surface.eye_z]))[0])
    return Ball(np.array([sign * surface.eye_x, front + radius + 0.0005, surface.eye_z]), radius)


def lid_margin(surface: Surface, sign: int, t: Reals) -> Reals:
    """The edge of the lids (N,3) at angles t, 0 at +X, counter-clockwise seen from the front; y is
    where the lid's outside lies.
    """
    spec = surface.spec
    ball = eyeball(surface, sign)
    cos, sin = np.cos(t), np.sin(t)
    x = sign * cos  # 1 at the outer corner
    up, low = 0.60 * spec.eye_height, 0.40 * spec.eye_height
    height = np.where(
        sin >= 0,
        up * np.abs(sin) ** 0.85 * (1 - 0.10 * x),
        -low * np.abs(sin) ** 1.05 * (1 + 0.18 * x),
    )
    z = ball.centre[2] + height + np.tan(np.radians(spec.eye_tilt)) * x * spec.eye_width / 2
    px = ball.centre[0] + spec.eye_width / 2 * cos
    flat = np.hypot(px - ball.centre[0], z - ball.centre[2])
    lid = ball.radius + 0.002
    y = ball.centre[1] - np.sqrt(np.maximum(lid**2 - flat**2, 0.03 * lid**2))
    return np.stack([px, y, z], axis=1)


def _tube(sections: Reals, material: int, part: str) -> Piece:
    """A closed tube through sections (S,K,3), ends filled by fans. Sections wind counter-clockwise
    seen against the tube's direction.
    """
    count, around = sections.shape[:2]
    index = np.arange(count * around).reshape(count, around)
    a, b = index[:-1], index[1:]
    walls = np.stack([a, np.roll(a, -1, axis=1), np.roll(b, -1, axis=1), b], axis=-1).reshape(-1, 4)
    points = np.vstack(
        [sections.reshape(-1, 3), sections[0].mean(axis=0)[None], sections[-1].mean(axis=0)[None]]
    )
    first, last = index[0], index[-1]
    low = np.stack(
        [np.roll(first, -1), first, np.full(around, count * around), np.full(around, -1)], axis=1
    )
    high = np.stack(
        [last, np.roll(last, -1), np.full(around, count * around + 1), np.full(around, -1)], axis=1
    )
    faces = np.vstack([walls, low, high])
    return outward(points, faces), faces, np.full(len(faces), material), part


def outward(points: Reals, faces: Indices) -> Reals:
    """The points, after turning the faces (in place) if they enclose a negative volume."""
    quads = faces[:, 3] >= 0
    a, b, c = (points[faces[:, i]] for i in range(3))
    d = points[np.where(quads, faces[:, 3], faces[:, 2])]
    volume = (
        np.einsum("ij,ij->i", a, np.cross(b, c)).sum()
        + np.einsum("ij,ij->i", a, np.cross(c, d)).sum()
    )
    if volume < 0:
        faces[quads] = faces[quads][:, ::-1]
        faces[~quads, :3] = faces[~quads][:, 2::-1]
    return points


def eye(surface: Surface, sign: int, part: str) -> Piece:
    """A sphere whose pole looks forward, rings at the edges of pupil and iris."""
    ball, spec = eyeball(surface, sign), surface.spec
    iris = np.arcsin(
        min(
            0.46
            * max(spec.eye_height / 0.0155 * 0.0155, 0.36 * spec.eye_width)
            / ball.radius
            * 0.92,
            0.8,
        )
    )
    polar = np.concatenate([[0.45 * iris, 0.72 * iris, iris], np.linspace(iris, np.pi, 13)[1:-1]])
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    a, b = np.meshgrid(polar, turn, indexing="ij")
    bulge = ball.radius * np.ones_like(a)
    sphere = ball.centre + bulge[..., None] * np.stack(
        [np.sin(a) * np.cos(b), -np.cos(a), np.sin(a) * np.sin(b)], axis=-1
    )
    points, faces, _, _ = _tube(sphere, EYE_WHITE, part)
    points[-2] = ball.centre - [0, ball.radius, 0]
    points[-1] = ball.centre + np.array([0, ball.radius, 0])
    ring = np.repeat(np.arange(len(polar) - 1), len(turn))
    material = np.concatenate(
        [
            np.where(ring < 2, IRIS, EYE_WHITE),
            np.full(len(turn), PUPIL),
            np.full(len(turn), EYE_WHITE),
        ]
    )
    return points, faces, material, part


def lash(surface: Surface, sign: int, part: str) -> Piece:
    """A thin wedge along the upper lid's edge, longest towards the outer corner."""
    t = (
        np.linspace(np.pi * 0.97, np.pi * 0.015, 26)
        if sign > 0
        else np.linspace(np.pi * 0.03, np.pi * 0.985, 26)
    )
    root, centre, spec = lid_margin(surface, sign, t), eyeball(surface, sign).centre, surface.spec
    out = sign * np.cos(t)
    direction = np.stack(
        [
            0.55 * (root[:, 0] - centre[0]) / (spec.eye_width / 2),
            np.full_like(t, -0.75),
            0.30 + 0.25 * out,
        ],
        axis=1,
    )
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = (
        spec.eye_width * (0.10 + 0.085 * smoothstep(-0.4, 0.9, out)) * smoothstep(-1.05, -0.5, out)
    )
    up = np.array([0.0, 0.0, 1.0])
    base = root + np.array([0.0, -0.0003, 0.0])
    sections = np.stack(
        [base - 0.0001 * up, base + 0.0012 * up, base + length[:, None] * direction], axis=1
    )
    return _tube(sections, LASH, part)


def brow_line(surface: Surface, sign: int, s: Reals) -> Reals:
    """Points (N,3) on the skin along the middle of a brow, s from 0 at the inner end to 1."""
    spec = surface.spec
    x = surface.eye_x + spec.eye_width * (-0.56 + 1.20 * s)
    z = (
        surface.eye_z
        + spec.brow_height
        + spec.eye_width * (0.16 * np.sin(np.pi * np.clip(s, 0, 1) ** 1.25) - 0.10 * s**3)
    )
    return np.asarray(surface.front(sign * x, z))


def brow(surface: Surface, sign: int, part: str) -> Piece:
    """A flat, tapering strip that lies on the brow."""
    s = np.linspace(0.0, 1.0, 22)
    line = brow_line(surface, sign, s)
    half = (
        0.0030 * smoothstep(-0.25, 0.12, s) * (1 - 0.80 * s**1.6) * surface.spec.eye_width / 0.0345
    )
    rows = [
        (-1.0, -0.0006),
        (-0.6, 0.0009),
        (0.0, 0.0013),
        (0.6, 0.0009),
        (1.0, -0.0006),
        (0.0, -0.0012),
    ]
    sections = np.stack(
        [surface.front(line[:, 0], line[:, 2] + k * half, lift) for k, lift in rows], axis=1
    )
    return _tube(sections, BROW, part)


def _arch(surface: Surface, upper: bool) -> Reals:
    """Middle line (N,3) of a row of teeth."""
    half = 0.86 * surface.spec.mouth_width / 2
    mz = surface.mouth_z
    front = float(surface.front_y(np.zeros(1), np.full(1, mz))[0]) + (0.0105 if upper else 0.0120)
    s = np.linspace(-1, 1, 57)
    x = half * np.sin(s * np.pi / 2) * (1.0 if upper else 0.94)
    y = front + 0.030 * (1 - np.cos(s * np.pi / 2))
    return np.stack([x, y, np.full_like(x, mz + (0.0012 if upper else -0.0014))], axis=1)


def teeth(surface: Surface, upper: bool, part: str) -> Piece:
    """One row of teeth: a band along an arch, notched between the teeth."""
    line = _arch(surface, upper)
    n = len(line)
    s = np.linspace(-1, 1, n)
    notch = np.abs(np.cos(s * np.pi * 7)) ** 8  # fourteen teeth
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.stack([tangent[:, 1], -tangent[:, 0], np.zeros(n)], axis=1)
    sign = 1.0 if upper else -1.0
    tall, edge = 0.0085, 0.0008 * notch
    corners = [
        (0.0018, tall),
        (0.0022, 0.5 * tall),
        (0.0018, 0.0006),
        (-0.0002, 0.0),
        (-0.0018, 0.0012),
        (-0.0026, tall),
    ]
    sections = np.stack(
        [
            line
            + normal * (out - (0.0005 * notch if out > 0 else 0.0 * notch))[:, None]
            + np.array([0, 0, sign]) * (h + (edge if h < 0.002 else 0.0 * edge))[:, None]
            for out, h in corners
        ],
        axis=1,
    )
    return _tube(sections, TEETH, part)


def tongue(surface: Surface, part: str) -> Piece:
    """A flattened, rounded body with a furrow, lying behind the lower teeth."""
    front = float(surface.front_y(np.zeros(1), np.full(1, surface.mouth_z))[0])
    a, b = np.meshgrid(
        np.linspace(0, np.pi, 15)[1:-1],
        np.linspace(0, 2 * np.pi, 18, endpoint=False),
        indexing="ij",
    )
    size = surface.spec.mouth_width / 0.046
    x = 0.0135 * size * np.sin(a) ** 0.8 * np.cos(b)
    y = front + 0.0285 - 0.0130 * np.cos(a)
    z = (
        surface.mouth_z
        - 0.0058
        + 0.0042 * np.sin(a) ** 0.7 * np.sin(b)
        - 0.0010 * np.exp(-((x / 0.003) ** 2)) * (np.sin(b) > 0)
    )
    points, faces, material, name = _tube(np.stack([x, y, z], axis=-1), TONGUE, part)
    points[-2] = [0.0, front + 0.0285 - 0.0132, surface.mouth_z - 0.0058]
    points[-1] = [0.0, front + 0.0285 + 0.0132, surface.mouth_z - 0.0058]
    return points, faces, material, name


def hair(surface: Surface, part: str) -> Piece:
    """A cap of hair: a shell over the skull, its edge from the hairline over the ears to the
    nape.
    """
    spec = surface.spec
    angle = np.linspace(-np.pi, np.pi, 72, endpoint=False)
    c = np.cos(angle)
    front = spec.brow_height + 0.036
    line = surface.eye_z + np.interp(
        -c,
        [-1.0, -0.75, -0.45, -0.12, 0.10, 0.5, 1.0],
        [front + 0.004, front, 0.5 * front, 0.013, 0.022, -0.03, -0.055],
    )
    row_end = np.interp(-line, -surface.table[:, 0], surface.rows)
    sections = []
    for s in np.linspace(0.03, 1.0, 20):
        sections.append(
            _lifted(
                surface,
                angle,
                row_end * s,
                0.008
                + 0.006 * np.sin(np.pi * min(s * 1.05, 1.0))
                + 0.0012 * np.sin(11 * angle) ** 2,
            )
        )
    sections.append(_lifted(surface, angle, row_end * 1.005, np.full_like(angle, 0.003)))
    for s in (0.96, 0.8, 0.4, 0.03):
        sections.append(_lifted(surface, angle, row_end * s, np.full_like(angle, -0.002)))
    points, faces, material, name = _tube(np.stack(sections), HAIR, part)
    return points, faces, material, name


def _lifted(surface: Surface, angle: Reals, row: Reals, lift: Reals) -> Reals:
    """Points of the bare rings moved away from a point inside the skull."""
    p = surface.bare(angle, row)
    centre = np.array([0.0, 0.02, surface.eye_z + 0.02])
    direction = p - centre
    return np.asarray(
        p + lift[:, None] * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    )


def all_parts(surface: Surface, angles: Reals, rows: Reals) -> list[Piece]:
    """Every loose part that the spec asks for."""
    spec = surface.spec
    both = (("left", 1), ("right", -1))
    found = [eye(surface, sign, f"eye_{side}") for side, sign in both]
    if spec.lashes:
        found += [lash(surface, sign, f"lash_{side}") for side, sign in both]
    if spec.brows:
        found += [brow(surface, sign, f"brow_{side}") for side, sign in both]
    found += [
        teeth(surface, True, "teeth_upper"),
        teeth(surface, False, "teeth_lower"),
        tongue(surface, "tongue"),
    ]
    return [*found, hair(surface, "hair")] if spec.hair else found
