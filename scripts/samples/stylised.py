# SPDX-License-Identifier: GPL-3.0-or-later
"""Anime, cartoon and muzzled heads that the project models itself: proportions and tessellations
that no realistic source has.

The skin is a star-shaped surface over a flat domain, in which rings run round the eyes and the
mouth as an artist's edge loops do; its triangles are the Delaunay triangles of the domain's points,
one half and its mirror image. Eyes are plates, bowls or balls behind the lids; lashes, brows and
creases are strips before the skin; the mouth is a slit with a bag behind it. Domain: `a` sideways,
`b` upwards, both close to canonical x and y on the face. Axes and units: canonical, see
backend/face/geometry/frame.py. The numbers are this project's own modelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial import Delaunay

from .anatomy import OPENINGS, PARTS, Anatomy, Habits, framed
from .rig import Ints

Reals = NDArray[np.float64]

# Rows of the profile: domain b, front y, front z, half width, back y, back z. Everything below the
# chin turns under the jaw into the neck.
ROWS = np.array(
    [
        [2.50, 1.62, -1.00, 0.02, 1.62, -1.00],
        [2.05, 1.57, -0.55, 0.50, 1.50, -1.50],
        [1.45, 1.30, -0.08, 0.96, 1.20, -2.00],
        [0.80, 0.80, 0.12, 1.12, 0.70, -2.20],
        [0.35, 0.35, 0.15, 1.11, 0.30, -2.25],
        [0.00, 0.00, 0.12, 1.06, 0.05, -2.20],
        [-0.45, -0.45, 0.10, 0.96, -0.30, -2.05],
        [-0.90, -0.90, 0.10, 0.70, -0.60, -1.85],
        [-1.28, -1.28, 0.02, 0.32, -0.85, -1.62],
        [-1.50, -1.36, -0.22, 0.36, -1.00, -1.50],
        [-1.85, -1.42, -0.62, 0.33, -1.30, -1.38],
        [-2.60, -2.30, -0.66, 0.42, -2.30, -1.40],
    ]
)
CHIN_ROW = 8
SIDES_Z = -1.0  # where the head is widest
DECALS = 0.12  # share of heads whose eyes lie on the skin
SLIT = 0.004  # half height of the closed mouth at its middle


@dataclass(frozen=True)
class Style:
    """Proportions of a stylised head in canonical units; everything that a draw decides about its
    surface.
    """

    rows: Reals
    boxy: float
    eye: tuple[float, float]  # centre x, y
    eye_half: float
    eye_up: float
    eye_down: float
    eye_power: tuple[float, float]
    eye_tilt: float
    socket: float
    mouth_y: float
    mouth_half: float
    mouth_curve: float
    mouth_reach: tuple[float, float]
    nose: tuple[float, float, float, float]  # y, height, width, length upwards
    lips: float
    snout: tuple[float, float, float, float]  # y, height, half width, half height
    cheek: float
    lid: float  # thickness of the lids' rim
    around: int  # points of an eye's ring
    mouth_around: int  # points of half a mouth's ring
    spacing: float  # of the points on the face
    jitter: float
    closed: tuple[bool, bool]  # whether sockets and bag have a back
    decal: bool  # eyes lie on a skin without openings
    sketched: bool = False  # so does the mouth, and the skin is of few faces


def random_style(rng: np.random.Generator) -> Style:
    """Anime mostly; a fifth each cartoon and muzzled."""
    kind = rng.choice(3, p=[0.62, 0.18, 0.20])
    rows = ROWS.copy()
    rows[:, 1:] += (
        rng.normal(0, 0.015, rows[:, 1:].shape) * [0, 1, 1, 0.5, 1] * (np.abs(rows[:, :1]) > 0.1)
    )
    chin = rng.uniform(-1.45, -1.08)
    drop = (chin - ROWS[CHIN_ROW, 0]) * np.clip((-ROWS[:, 0] - 0.45) / 0.83, 0, 1)
    rows[:, 0] += drop
    rows[:, 1] += drop
    rows[:, 4] += drop * 0.7
    front = (rows[:, 0] <= 0.8) & (np.arange(len(rows)) <= CHIN_ROW)
    rows[front, 1] = rows[front, 0]
    rows[:, 3] *= rng.uniform(0.88, 1.15)
    rows[6:9, 3] *= rng.uniform(0.85, 1.3) ** np.array([0.3, 0.7, 1.0])
    rows[CHIN_ROW:, 3] = np.minimum(
        rows[CHIN_ROW:, 3] * rng.uniform(0.8, 1.6), rows[CHIN_ROW - 1, 3] * 0.9
    )
    rows[:CHIN_ROW, 2] += rng.uniform(-0.15, 0.15)
    rows[:, [2, 5]] *= rng.uniform(0.8, 1.15)
    half = float(rng.uniform(0.22, 0.40))
    up = half * float(rng.uniform(0.25, 1.0 if kind == 0 else 1.2))
    wide = float(rng.uniform(0.08, 0.36)) * (1.3 if kind else 1.0)
    nose = float(rng.uniform(0.04, 0.34)) if kind == 0 else float(rng.uniform(0.05, 0.5))
    fine = float(np.exp(rng.uniform(np.log(0.045), np.log(0.20))))
    mouth_y = float(rng.uniform(-0.98, max(-0.72, chin + 0.24) if chin < -0.98 else -0.70))
    mouth_y = max(mouth_y, chin + 0.24)
    snout = (0.0, 0.0, 0.4, 0.4)
    if kind == 2:
        snout = (
            float(rng.uniform(-0.78, -0.55)),
            float(rng.uniform(0.15, 0.75)),
            float(rng.uniform(0.3, 0.5)),
            float(rng.uniform(0.28, 0.42)),
        )
        wide, nose = float(rng.uniform(0.15, 0.5)), float(rng.uniform(0.02, 0.2))
        mouth_y = max(snout[0] - float(rng.uniform(0.08, 0.25)), chin + 0.2)
    return Style(
        rows=rows,
        boxy=float(rng.uniform(1.9, 2.4)),
        eye=(float(max(rng.uniform(0.46, 0.60), half + 0.08)), 0.0),
        eye_half=half,
        eye_up=up,
        eye_down=half * float(rng.uniform(0.15, 0.7)),
        eye_power=(float(rng.uniform(0.55, 1.0)), float(rng.uniform(0.6, 1.1))),
        eye_tilt=float(rng.normal(0.05, 0.12)),
        socket=float(rng.uniform(-0.02, 0.12)),
        mouth_y=mouth_y,
        mouth_half=wide,
        mouth_curve=float(rng.normal(0.02, 0.05)) * wide / 0.25,
        mouth_reach=(float(rng.uniform(0.16, 0.34)), float(rng.uniform(0.14, 0.26))),
        nose=(
            float(rng.uniform(-0.62, -0.38)),
            nose,
            float(rng.uniform(0.05, 0.14)),
            float(rng.uniform(0.1, 0.4)),
        ),
        lips=float(rng.uniform(0, 0.05)),
        snout=snout,
        cheek=float(rng.uniform(-0.02, 0.08)),
        lid=float(rng.uniform(0.01, 0.09)),
        around=int(rng.integers(10, 44)),
        mouth_around=int(rng.integers(6, 22)),
        spacing=fine,
        jitter=float(rng.choice([0.0, 0.1, 0.3])),
        closed=(bool(rng.random() < 0.4), bool(rng.random() < 0.8)),
        decal=bool(rng.random() < DECALS),
    )


def smooth(low: float, high: float, x: Reals) -> Reals:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


class Surface:
    """The bare skin of a style: domain points to canonical space."""

    def __init__(self, style: Style) -> None:
        self.style = style
        order = np.argsort(style.rows[:, 0])
        self.rows = PchipInterpolator(style.rows[order, 0], style.rows[order, 1:], extrapolate=True)
        self.low, self.high = float(style.rows[:, 0].min()), float(style.rows[:, 0].max())
        self.around = np.pi * float(style.rows[5, 3])  # a of the middle of the back

    def place(self, points: Reals) -> Reals:
        """Canonical positions (N,3) of domain points (N,2)."""
        angle = points[:, 0] / self.around * np.pi
        front_y, front_z, wide, back_y, back_z = self.rows(
            np.clip(points[:, 1], self.low, self.high)
        ).T
        sine, cosine = np.sin(angle), np.cos(angle)
        n = np.where(cosine > 0, self.style.boxy, 2.0)
        radius = (np.abs(sine) ** n + np.abs(cosine) ** n + 1e-12) ** (-1 / n)
        x = wide * radius * sine
        z = SIDES_Z + np.where(cosine > 0, front_z - SIDES_Z, SIDES_Z - back_z) * radius * cosine
        y = back_y + (front_y - back_y) * smooth(-0.9, 1.0, cosine)
        return np.stack([x, y, z + self.relief(x, y) * smooth(0.0, 0.45, cosine)], axis=1)

    def relief(self, x: Reals, y: Reals) -> Reals:
        """How far the face stands out of the bare profile at x and y."""
        s = self.style

        def bump(value: Reals, centre: float, width: float) -> Reals:
            return np.asarray(np.exp(-(((value - centre) / width) ** 2)))

        nose_y, tall, wide, long = s.nose
        above = np.where(y > nose_y, long, 0.09)
        nose = tall * np.exp(-(((y - nose_y) / above) ** 2)) * bump(x, 0, wide)
        socket = (
            -s.socket * bump(np.abs(x), s.eye[0], s.eye_half * 1.2) * bump(y, 0.02, s.eye_up + 0.1)
        )
        lips = (
            s.lips
            * bump(x, 0, s.mouth_half * 1.1)
            * (bump(y, s.mouth_y + 0.035, 0.04) + bump(y, s.mouth_y - 0.035, 0.04))
        )
        cheek = s.cheek * bump(np.abs(x), 0.55, 0.28) * bump(y, -0.45, 0.25)
        top, out, aside, high = s.snout
        snout = (
            out * np.exp(-((np.abs(x) / aside) ** 2.8)) * np.exp(-(np.abs((y - top) / high) ** 3.0))
        )
        return np.asarray(nose + socket + lips + cheek + snout)

    def locate(self, points: Reals) -> Reals:
        """Domain points (N,2) whose canonical x and y are given (N,2), on the front; Newton's
        method.
        """
        found = points.astype(np.float64).copy()
        step = 1e-4
        for _ in range(8):
            here = self.place(found)[:, :2]
            right = (self.place(found + [step, 0])[:, :2] - here) / step
            up = (self.place(found + [0, step])[:, :2] - here) / step
            miss = points - here
            det = right[:, 0] * up[:, 1] - up[:, 0] * right[:, 1]
            det = np.where(np.abs(det) < 0.05, np.where(det < 0, -0.05, 0.05), det)
            move = (
                np.stack(
                    [
                        miss[:, 0] * up[:, 1] - up[:, 0] * miss[:, 1],
                        right[:, 0] * miss[:, 1] - miss[:, 0] * right[:, 1],
                    ],
                    axis=1,
                )
                / det[:, None]
            )
            found += np.clip(move, -0.2, 0.2)
        found[:, 0] = np.clip(
            found[:, 0], 0 if (points[:, 0] >= 0).all() else -self.around / 2, self.around / 2
        )
        return found


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


def eye_outline(style: Style, turn: Reals, grown: float = 0.0) -> Reals:
    """Points (N,2), x and y, of the left eye's edge at angles; grown: 0 the edge, 1 the border of
    the rings around it.
    """
    cosine, sine = np.cos(turn), np.sin(turn)
    power = np.where(sine >= 0, *style.eye_power)
    high = np.where(sine >= 0, style.eye_up, style.eye_down)
    y = np.sign(sine) * high * np.abs(sine) ** power + style.eye_tilt * cosine * style.eye_half
    border_x = style.eye_half + np.where(
        cosine > 0, 0.16, min(0.14, style.eye[0] - style.eye_half - 0.03)
    )
    border_y = high + np.where(sine >= 0, 0.22, 0.16)
    x = cosine * (style.eye_half * (1 - grown) + border_x * grown)
    y = y * (1 - grown) + sine * border_y * grown
    return np.stack([style.eye[0] + x, style.eye[1] + y], axis=1)


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
    seam = surface.place(slit)
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
        placed = seam.copy()
        placed[:, 0] *= wider
        placed[:, 1] += high * sine * min(size, 1.3)
        placed[:, 2] -= back * min(size, 1.2)
        if number > 3:
            placed[:, 2] += (seam[:, 2].max() - seam[:, 2]) * 0.5
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


def skin(surface: Surface, rng: np.random.Generator) -> tuple[Reals, NDArray[np.int64], Reals]:
    """Vertices (V,3), triangles (T,3) and tags (V,3): ring, turn, opening."""
    style, half = surface.style, Half()
    if not style.sketched:
        few = rng.choice([1, 2]) if style.around < 18 else 1  # low meshes have fewer rings
        _add_eye(half, surface, EYE_RINGS[::few] if few == 1 else (1.0, 0.5, 0.18, 0.0))
        _add_mouth(half, surface, MOUTH_RINGS if few == 1 else (1.0, 0.5, 0.18, 0.0))
    _add_rest(half, surface, rng)
    domain, placed, tags = (np.concatenate(x) for x in (half.domain, half.placed, half.tags))
    _, kept = np.unique(np.round(domain / 1e-3).astype(np.int64), axis=0, return_index=True)
    kept.sort()
    domain, placed, tags = domain[kept], placed[kept], tags[kept]
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


def _sheet(rows: Reals, closed: bool = False) -> tuple[Reals, NDArray[np.int64]]:
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


def _disc(
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
    return _sheet(rows + centre, closed=True)


def add_eyes(parts: Parts, surface: Surface, rng: np.random.Generator) -> None:
    """Plates, bowls or balls behind the lids, with irises that are parts of their own or not."""
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
    )  # plate or bowl, ball, iris alone before a socket
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
        vertices, triangles = _sheet(
            ball[::-1] + middle - facing * (radius + style.lid * 0.5), closed=True
        )
        parts.add_both(vertices, triangles, "eye")
        front = middle - facing * style.lid * 0.5
    elif kind == 0:
        bow = float(rng.uniform(-0.22, 0.12)) * radius if not style.decal else 0.0
        radii = np.array([style.eye_half * 1.12, (style.eye_up + style.eye_down) * 0.6]) / (
            1.15 if style.decal else 1.0
        )
        vertices, triangles = _disc(
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
        vertices, triangles = _disc(
            centre, (iris * rng.uniform(0.7, 1.0), iris), bow, max(3, rings - 1), around
        )
        parts.add_both(put(vertices), triangles, "iris")
        for _ in range(rng.integers(0, 3)):  # highlights
            spot = centre + [
                rng.uniform(-0.5, 0.5) * iris,
                rng.uniform(-0.5, 0.6) * iris,
                0.01 + max(bow, 0),
            ]
            vertices, triangles = _disc(spot, (iris * 0.2, iris * 0.25), 0.0, 2, 8)
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
        parts.add_both(*_sheet(np.stack(rows)), "lash")
    if rng.random() < 0.5:  # the lower lash, thin
        turn = np.linspace(
            np.radians(rng.uniform(-175, -120)), np.radians(rng.uniform(-60, -5)), steps
        )
        fore = np.array([0, 0, rng.uniform(0.004, 0.04)])
        parts.add_both(
            *_sheet(
                np.stack([edge(turn, high) + fore for high in (0.10 * rng.uniform(0.5, 1.5), 0.0)])
            ),
            "lower_lash",
        )
    if rng.random() < 0.5:  # the crease above the lid
        turn = np.linspace(np.radians(150), np.radians(25), steps)
        level = rng.uniform(0.35, 0.6)
        fore = np.array([0, 0, rng.uniform(0.004, 0.04)])
        parts.add_both(
            *_sheet(np.stack([edge(turn, level) + fore, edge(turn, level + 0.06) + fore])), "crease"
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
        parts.add_both(*_sheet(np.stack(rows)), "brow")
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
            vertices, triangles = _sheet(np.stack([*rows, rows[0]]))
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
        parts.add(*_sheet(rows[::-1], closed=True), "tongue")


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
    parts.add(*_sheet(np.stack(rows)), "skin")
    if rng.random() < 0.3:
        radii = float(rng.uniform(0.08, 0.18)), float(rng.uniform(0.04, 0.1))
        centre = put(np.array([[rng.uniform(0.5, 0.75), rng.uniform(-0.6, -0.35)]]))[0]
        parts.add_both(*_disc(centre, radii, 0.0, 2, int(rng.integers(5, 12))), "white")
    middle = np.abs(side).argmin()
    return {
        "mouth_left": rows[0][-1],
        "mouth_right": rows[0][0],
        "lip_upper": rows[0][middle],
        "lip_lower": rows[1][middle],
    }


def _habits(style: Style, rng: np.random.Generator) -> Habits:
    """How artists of stylised heads work: small, local movements of the lips in a face that stays
    still, strips that move alone.
    """
    fall = np.clip(0.75 * style.mouth_half, 0.10, 0.30) * rng.uniform(
        0.85, 1.25
    )  # small mouths open less, so that they stay rounder than a slot
    muzzled = style.snout[1] > 0
    return Habits(
        jaw=float(np.degrees(fall / (1.4 + style.snout[1]))),
        chin=1.0 if muzzled else float(rng.uniform(0.15, 0.6)),
        lip_lift=float(rng.uniform(0.0, 0.4)),
        gain=float(np.exp(rng.normal(np.log(0.5), 0.3))),
        spread=float(rng.uniform(0.3, 0.8)),
        lift=float(rng.uniform(0, 0.4)),
        slide=float(rng.uniform(0.1, 0.8)),
        carried=float(rng.uniform(0.5, 1.2)),
        forward=float(rng.uniform(0.0, 0.8)),
        brow_skin=float(rng.choice([0.0, 0.15, 0.5], p=[0.6, 0.2, 0.2])),
        lid_fall=float(rng.uniform(0.9, 2.5)),
        lash_turn=float(rng.uniform(0, 45)),
        lower_lid=float(rng.choice([0.02, 0.12, 0.3], p=[0.5, 0.3, 0.2])),
        decal=style.decal,
        bag=float(rng.uniform(0.0, 0.2)),
    )


def head(rng: np.random.Generator, sketched: bool = False) -> tuple[Anatomy, Ints]:
    """A stylised head in its own canonical frame, and its triangles (T,3). sketched: of few faces,
    with eyes and mouth drawn on.
    """
    while True:
        style = random_style(rng)
        if sketched:
            taller, coarsest = rng.uniform(1, 1.5), 0.25 if style.snout[1] > 0 else 0.42
            style = replace(
                style, sketched=True, decal=True, spacing=float(rng.uniform(0.16, coarsest))
            )
            style = replace(style, eye_up=style.eye_up * taller, eye_down=style.eye_down * taller)
        surface = Surface(style)
        vertices, triangles, tags = skin(surface, rng)
        parts = Parts()
        parts.add(vertices, triangles, "skin", tags)
        add_eyes(parts, surface, rng)
        brows = add_strips(parts, surface, rng)
        corners = surface.place(
            surface.locate(eye_outline(style, np.array([np.pi, 0.0, np.pi / 2, -np.pi / 2])))
        )
        marks = (
            dict(zip(("eye_inner", "eye_outer", "lid_upper", "lid_lower"), corners, strict=True))
            | brows
        )
        marks = {
            f"{n}_{s}": p * ([1, 1, 1] if s == "left" else [-1, 1, 1])
            for n, p in marks.items()
            for s in ("left", "right")
        }
        if sketched:
            marks |= add_drawing(parts, surface, rng)
        else:
            add_mouth_parts(parts, surface, rng)
            ring = (tags[:, 2] == OPENINGS.index("mouth")) & (tags[:, 0] == 0)
            for name, turn in (
                ("mouth_left", 0),
                ("mouth_right", np.pi),
                ("lip_upper", np.pi / 2),
                ("lip_lower", -np.pi / 2),
            ):
                away = np.where(ring, np.abs(np.angle(np.exp(1j * (tags[:, 1] - turn)))), np.inf)
                marks[name] = vertices[away.argmin()]
        line = np.abs(vertices[:, 0]) < 1e-9
        nose = line & (np.abs(vertices[:, 1] - style.nose[0]) < 0.2) & (tags[:, 2] == 0)
        if not nose.any():
            continue
        marks["nose_tip"] = vertices[np.where(nose, vertices[:, 2], -np.inf).argmax()]
        marks["chin"] = surface.place(np.array([[0.0, style.rows[CHIN_ROW, 0]]]))[0]
        return framed(
            Anatomy(
                vertices=np.concatenate(parts.vertices).astype(np.float32),
                part=np.concatenate(parts.part),
                ring=np.concatenate(parts.tags)[:, 0].astype(np.float32),
                turn=np.concatenate(parts.tags)[:, 1].astype(np.float32),
                opening=np.concatenate(parts.tags)[:, 2].astype(np.int32),
                landmarks={n: np.asarray(p, np.float32) for n, p in marks.items()},
                habits=_habits(style, rng),
            )
        ), np.concatenate(parts.triangles).astype(np.int32)
