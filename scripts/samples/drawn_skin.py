# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin of a drawn head as a mesh, with its openings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from .anatomy import OPENINGS
from .drawn_style import SLIT, Reals
from .drawn_surface import Surface, eye_outline


@dataclass
class Half:
    """Points of the domain's left half while it grows: where they lie, where they are placed, and
    their tags.
    """

    domain: list[Reals] = field(default_factory=list)
    placed: list[Reals] = field(default_factory=list)
    tags: list[Reals] = field(default_factory=list)  # ring, turn, opening

    def add(
        self,
        domain: Reals,
        placed: Reals,
        ring: float = 2.0,
        turn: Reals | None = None,
        opening: str = "none",
    ) -> None:
        turns = np.zeros(len(domain)) if turn is None else turn
        self.domain.append(domain)
        self.placed.append(placed)
        self.tags.append(
            np.stack(
                [np.full(len(domain), ring), turns, np.full(len(domain), OPENINGS.index(opening))],
                axis=1,
            )
        )


EYE_RINGS = (1.0, 0.72, 0.5, 0.32, 0.18, 0.08, 0.0)
MOUTH_RINGS = (1.0, 0.72, 0.5, 0.32, 0.18, 0.08, 0.0)


def _add_eye(half: Half, surface: Surface, rings: tuple[float, ...]) -> None:
    style = surface.style
    turn = (np.arange(style.around) + 0.5 * (style.around % 2)) * 2 * np.pi / style.around
    for ring in rings:
        domain = surface.locate(eye_outline(style, turn, ring))
        half.add(domain, surface.place(domain), ring, turn, "eye_left")
    edge = surface.locate(eye_outline(style, turn))
    middle = edge.mean(axis=0)
    rim = surface.place(edge)
    for number, (scale, depth) in enumerate(
        ((0.9, style.lid), (0.8, style.lid + 0.12), (0.66, style.lid + 0.3)), 1
    ):
        inside = middle + (edge - middle) * scale
        if style.decal:
            half.add(inside, surface.place(inside), -number, turn, "eye_left")
            continue
        back = (
            rim + (rim.mean(axis=0) - rim) * (0.0, 0.02, 0.1)[number - 1] - np.array([0, 0, depth])
        )
        half.add(inside, back, -number, turn, "eye_left")


def _add_mouth(half: Half, surface: Surface, rings: tuple[float, ...]) -> None:
    style = surface.style
    turn = np.linspace(-np.pi / 2, np.pi / 2, style.mouth_around)
    cosine, sine = np.cos(turn), np.sin(turn)
    cosine[[0, -1]] = 0
    middle = surface.locate(np.array([[0.0, style.mouth_y]]))[0, 1]
    wide = style.mouth_half
    border = np.stack(
        [cosine * (wide + style.mouth_reach[0]), middle + sine * style.mouth_reach[1]], axis=1
    )
    line = middle + style.mouth_curve * cosine**2
    slit = np.stack([cosine * wide, line + SLIT * sine * (1 - cosine**4)], axis=1)
    gaped = np.stack(
        [cosine * wide, middle + sine * min(0.5 * style.mouth_reach[1], 0.6 * wide)], axis=1
    )
    for ring in rings:
        domain = gaped * (1 - ring) + border * ring
        half.add(domain, surface.place(slit * (1 - ring) + border * ring), ring, turn, "mouth")
    lips = surface.place(slit)
    size = wide / 0.3
    bag = (
        (0.02, 0.0, 1.0),
        (0.06, 0.05, 0.97),
        (0.14, 0.11, 1.0),
        (0.3, 0.14, 1.05),
        (0.5, 0.12, 0.95),
        (0.66, 0.06, 0.7),
    )
    for number, (back, high, wider) in enumerate(bag, 1):
        placed = lips.copy()
        placed[:, 0] *= wider
        placed[:, 1] += high * sine * min(size, 1.3)
        placed[:, 2] -= back * min(size, 1.2)
        if number > 3:
            placed[:, 2] += (lips[:, 2].max() - lips[:, 2]) * 0.5
        half.add(middle_of(gaped, middle, 1 - 0.13 * number), placed, -number, turn, "mouth")


def middle_of(points: Reals, middle: float, scale: float) -> Reals:
    """Domain points (N,2) drawn towards (0, middle)."""
    return np.stack([points[:, 0] * scale, middle + (points[:, 1] - middle) * scale], axis=1)


def _add_rest(half: Half, surface: Surface, rng: np.random.Generator) -> None:
    """A grid, finer on the face, that leaves the rings' places free."""
    style = surface.style
    pieces = []
    edges = np.linspace(
        surface.low, surface.high, max(6, int((surface.high - surface.low) / (2 * style.spacing)))
    )
    columns = np.linspace(0, surface.around, max(6, int(surface.around / (2 * style.spacing))))
    coarse = np.stack(np.meshgrid(columns, edges), axis=-1).reshape(-1, 2)
    far = (coarse[:, 0] > 1.1) | (coarse[:, 1] > 0.9) | (coarse[:, 1] < -1.6)
    pieces.append(coarse[far])
    fine_a = np.arange(0, 1.1 - style.spacing / 2, style.spacing)
    fine_b = np.arange(-1.6, 0.9, style.spacing)
    fine = np.stack(np.meshgrid(fine_a, fine_b), axis=-1).reshape(-1, 2)
    moved = rng.normal(0, style.jitter * style.spacing, fine.shape)
    moved[fine[:, 0] == 0, 0] = 0
    fine = fine + moved
    fine[:, 0] = np.abs(fine[:, 0])
    pieces.append(fine)
    nose = surface.locate(np.array([[0.0, style.nose[0]]]))
    grid = np.stack(
        np.meshgrid([0.0, 0.035, 0.07, 0.12], [-0.12, -0.06, -0.03, 0, 0.04, 0.1]), axis=-1
    ).reshape(-1, 2)
    pieces.append(grid + [0, nose[0, 1]])
    points = np.concatenate(pieces)
    eye_edge = surface.locate(
        eye_outline(style, np.linspace(0, 2 * np.pi, 24, endpoint=False), 1.0)
    )
    low, high = eye_edge.min(axis=0), eye_edge.max(axis=0)
    away = (points - (low + high) / 2) / np.maximum((high - low) / 2 + 0.3 * style.spacing, 1e-3)
    free = (away**2).sum(axis=1) > 1
    middle = surface.locate(np.array([[0.0, style.mouth_y]]))[0, 1]
    away = (points - [0, middle]) / (
        np.array([style.mouth_half, 0]) + style.mouth_reach + 0.3 * style.spacing
    )
    free &= (away**2).sum(axis=1) > 1
    points = points[free]
    half.add(points, surface.place(points))


def skin(surface: Surface, rng: np.random.Generator) -> tuple[Reals, NDArray[np.int64], Reals]:
    """Vertices (V,3), triangles (T,3) and tags (V,3): ring, turn, opening."""
    style, half = surface.style, Half()
    if not style.sketched:
        few = rng.choice([1, 2]) if style.around < 18 else 1  # low meshes have fewer rings
        _add_eye(half, surface, EYE_RINGS[::few] if few == 1 else (1.0, 0.5, 0.18, 0.0))
        _add_mouth(half, surface, MOUTH_RINGS if few == 1 else (1.0, 0.5, 0.18, 0.0))
    _add_rest(half, surface, rng)
    domain, placed, tags = (np.concatenate(x) for x in (half.domain, half.placed, half.tags))
    _, first = np.unique(np.round(domain / 1e-3).astype(np.int64), axis=0, return_index=True)
    first.sort()
    domain, placed, tags = domain[first], placed[first], tags[first]
    triangles = Delaunay(domain + rng.normal(0, 1e-6, domain.shape) * [0, 1]).simplices.astype(
        np.int64
    )
    for opening, last, closed in (
        ("eye_left", -3, style.closed[0] or style.decal),
        ("mouth", -6, style.closed[1]),
    ):
        innermost = (tags[:, 2] == OPENINGS.index(opening)) & (tags[:, 0] == last)
        if not closed:
            triangles = triangles[~innermost[triangles].all(axis=1)]
    first, second = (domain[triangles[:, i]] - domain[triangles[:, 0]] for i in (1, 2))
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    triangles = triangles[np.abs(area) > 1e-9]
    triangles[area[np.abs(area) > 1e-9] < 0] = triangles[area[np.abs(area) > 1e-9] < 0][:, ::-1]
    middle = domain[:, 0] < 1e-9
    placed[middle, 0] = 0
    other = np.where(middle, np.arange(len(domain)), len(domain) + np.cumsum(~middle) - 1)
    mirrored = tags[~middle].copy()
    mirrored[:, 1] = np.pi - mirrored[:, 1]
    mirrored[:, 1] = np.arctan2(np.sin(mirrored[:, 1]), np.cos(mirrored[:, 1]))
    mirrored[mirrored[:, 2] == OPENINGS.index("eye_left"), 2] = OPENINGS.index("eye_right")
    tags[:, 1] = np.arctan2(np.sin(tags[:, 1]), np.cos(tags[:, 1]))
    return (
        np.concatenate([placed, placed[~middle] * [-1, 1, 1]]),
        np.concatenate([triangles, other[triangles][:, ::-1]]),
        np.concatenate([tags, mirrored]),
    )
