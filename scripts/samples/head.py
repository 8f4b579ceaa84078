# SPDX-License-Identifier: GPL-3.0-or-later
"""A neutral head modelled by this script: skin with eye openings and a mouth that can open, eyes,
lashes, brows, teeth, tongue, hair.

Own work, no scan and no other mesh behind it. The skin is one welded, closed, outward-facing
surface: a grid around the head in which blocks of cells are replaced by rings that run round each
eye, the mouth and each ear, as an artist's edge loops do. Axes as in Blender: +X the character's
left, +Z up, the face looks along -Y; metres; the neck's end lies at z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import parts
from .surface import HeadSpec, Reals, Surface, smoothstep, styled

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

PARTS = (
    "skin",
    "eye_left",
    "eye_right",
    "lash_left",
    "lash_right",
    "brow_left",
    "brow_right",
    "teeth_upper",
    "teeth_lower",
    "tongue",
    "hair",
)
OPENINGS = ("none", "eye_left", "eye_right", "mouth")
MATERIALS = (
    "skin",
    "lips",
    "mouth",
    "eye_white",
    "iris",
    "pupil",
    "lash",
    "brow",
    "teeth",
    "tongue",
    "hair",
)
# How far the rings of an opening lie between its edge (0) and the block's border (1).
EYE_RINGS = (0.86, 0.70, 0.55, 0.42, 0.31, 0.22, 0.14, 0.07, 0.0)
MOUTH_RINGS = (0.85, 0.69, 0.54, 0.41, 0.31, 0.225, 0.15, 0.085, 0.035, 0.0)
LID_THICKNESS, LID_GAP, SLIT = 0.0016, 0.0004, 0.00025


@dataclass(frozen=True)
class SampleHead:
    """What `build` returns. Faces have four corners, or three with the last one -1; they wind
    counter-clockwise seen from outside.
    """

    vertices: Floats  # (V,3), metres
    faces: Ints  # (F,4)
    part: Ints  # (V,), index into PARTS
    # (V,), around an opening: 1 at its block's border, 0 at the lid's or lip's edge, -1, -2...
    # inside; 2 elsewhere
    ring: Floats
    # (V,), angle around the opening, radians, 0 at +X, counter-clockwise seen from the front
    turn: Floats
    opening: Ints  # (V,), index into OPENINGS
    material: Ints  # (F,), index into MATERIALS
    landmarks: dict[str, Floats]  # name -> (3,), on the surface
    spec: HeadSpec = field(default_factory=HeadSpec)

    @property
    def triangles(self) -> Ints:
        """(T,3): quads cut along their first diagonal."""
        quads = self.faces[self.faces[:, 3] >= 0]
        return np.ascontiguousarray(np.vstack([self.faces[:, :3], quads[:, [0, 2, 3]]]))

    @property
    def polygons(self) -> list[list[int]]:
        """Faces as lists of three or four vertex indices."""
        return [[i for i in face if i >= 0] for face in self.faces.tolist()]


@dataclass(frozen=True)
class Block:
    """A rectangle of grid cells that an opening replaces: rows top..bottom, columns left..right
    (may be negative: they wrap).
    """

    top: int
    bottom: int
    left: int
    right: int

    def border(self) -> tuple[Ints, Ints, Reals]:
        """Row and column of the border's vertices, counter-clockwise from the middle of the right
        side, and their angle (radians).
        """
        middle = (self.top + self.bottom) // 2
        path = (
            [(i, self.right) for i in range(middle, self.top, -1)]
            + [(self.top, j) for j in range(self.right, self.left, -1)]
            + [(i, self.left) for i in range(self.top, self.bottom)]
            + [(self.bottom, j) for j in range(self.left, self.right)]
            + [(i, self.right) for i in range(self.bottom, middle, -1)]
        )
        row, column = np.array(path, dtype=np.int32).T
        up = (middle - row) / np.where(row < middle, middle - self.top, self.bottom - middle)
        side = (column - (self.left + self.right) / 2) / ((self.right - self.left) / 2)
        return row, column, np.arctan2(up, side)


def _segments(breaks: list[float], counts: list[int]) -> Reals:
    """Evenly spaced values between breaks, counts[i] steps in the i-th gap, the last break
    included.
    """
    pieces = [
        np.linspace(a, b, n, endpoint=False)
        for a, b, n in zip(breaks, breaks[1:], counts, strict=False)
    ]
    return np.concatenate([*pieces, breaks[-1:]])


@dataclass(frozen=True)
class Grid:
    """Angles (C,) of the columns from 0 once around, rows (R,) from below the crown to the neck's
    end, and the blocks cut out.
    """

    angles: Reals
    rows: Reals
    eye: Block
    other_eye: Block
    mouth: Block
    ear: Block
    other_ear: Block


def _grid(surface: Surface) -> Grid:
    spec, n = surface.spec, surface.spec.density
    ex, ez, mz, height = surface.eye_x, surface.eye_z, surface.mouth_z, spec.height

    def even(count: float) -> int:
        return max(2, 2 * round(count * n / 2))

    inner, outer = ex - spec.eye_width / 2, ex + spec.eye_width / 2
    high = min(spec.brow_height + 0.004, spec.eye_height / 2 + 0.018)
    low = max(min(0.020, 0.45 * (ez - mz)), spec.eye_height / 2 + 0.006)
    angles = [
        0.0,
        surface.angle_at(max(0.006, inner - 0.010), ez),
        surface.angle_at(min(outer + 0.010, 0.93 * spec.width / 2), ez),
        np.radians(81.0),
        np.radians(118.0),
        np.pi,
    ]
    counts = [even(4), even(12), even(4), even(6), even(6)]
    half = _segments(angles, counts)
    around = np.concatenate([half, 2 * np.pi - half[-2:0:-1]])
    levels = [
        0.985 * height,
        ez + high + 0.022,
        ez + high,
        ez - low,
        mz + 0.017,
        mz - 0.016,
        0.006,
        -0.05 * height,
        -0.42 * height,
    ]
    levels[4] = min(levels[4], levels[3] - 0.010)
    steps = [even(12), even(4), even(10), even(8), even(10), even(4), even(6), even(8)]
    rows = _segments([surface.row_at(z) for z in levels], steps)
    at = np.concatenate([[0], np.cumsum(steps)])
    cols = np.concatenate([[0], np.cumsum(counts)])
    eye = (int(at[2]), int(at[3]))
    reach = int(np.argmin(np.abs(half - surface.angle_at(spec.mouth_width / 2 + 0.014, mz))))
    front, back, total = int(cols[3]), int(cols[4]), len(around)
    ear = (int(at[2]) + even(4), int(at[2]) + even(4) + even(10))
    return Grid(
        angles=around,
        rows=rows,
        eye=Block(*eye, int(cols[1]), int(cols[2])),
        other_eye=Block(*eye, -int(cols[2]), -int(cols[1])),
        mouth=Block(int(at[4]), int(at[5]), -reach, reach),
        ear=Block(*ear, front, back),
        other_ear=Block(*ear, total - back, total - front),
    )


class _Skin:
    """Vertices and faces of the skin while it grows."""

    def __init__(self, surface: Surface, grid: Grid) -> None:
        self.surface, self.grid = surface, grid
        rows, columns = len(grid.rows), len(grid.angles)
        self.index = np.arange(rows * columns).reshape(rows, columns)
        angle, row = np.meshgrid(grid.angles, grid.rows)
        # Seen from the front the right half of the columns is the exact mirror image of the left
        # half.
        points = surface.points(np.where(angle > np.pi, angle - 2 * np.pi, angle), row)
        self.points: list[Reals] = [points.reshape(-1, 3)]
        self.count = rows * columns
        self.tags: list[Reals] = [np.tile([2.0, 0.0, 0.0], (self.count, 1))]
        self.faces: list[NDArray[np.int64]] = []
        self.materials: list[int] = []
        open_cells = np.ones((rows - 1, columns), dtype=bool)
        for block in (grid.eye, grid.other_eye, grid.mouth, grid.ear, grid.other_ear):
            open_cells[block.top : block.bottom, np.arange(block.left, block.right) % columns] = (
                False
            )
        i, j = np.nonzero(open_cells)
        right = (j + 1) % columns
        self.add_faces(
            np.stack(
                [
                    self.index[i + 1, j],
                    self.index[i + 1, right],
                    self.index[i, right],
                    self.index[i, j],
                ],
                axis=1,
            ),
            "skin",
        )

    def add_faces(self, faces: NDArray[np.int64], material: str) -> None:
        self.faces.append(faces)
        self.materials += [MATERIALS.index(material)] * len(faces)

    def add_points(self, points: Reals, tags: Reals | None = None) -> NDArray[np.int64]:
        """Indices of new points (N,3). tags (N,3): ring, turn and opening."""
        self.points.append(points)
        self.tags.append(np.tile([2.0, 0.0, 0.0], (len(points), 1)) if tags is None else tags)
        self.count += len(points)
        return np.arange(self.count - len(points), self.count)

    def border(self, block: Block) -> tuple[NDArray[np.int64], Reals, Reals]:
        """Vertex indices (N,) of a block's border, their positions (N,3) and angles (N,)."""
        row, column, angle = block.border()
        index = self.index[row, column % len(self.grid.angles)]
        return index, self.points[0][index], angle

    def rings(
        self,
        outer: NDArray[np.int64],
        rings: list[Reals],
        materials: list[str],
        opening: str = "none",
        turn: Reals | None = None,
    ) -> list[NDArray[np.int64]]:
        """Join rings (N,3), each inside the one before, by quads. turn (N,): their angle around the
        named opening.
        """
        done = [outer]
        levels = [*(EYE_RINGS if opening.startswith("eye") else MOUTH_RINGS), *range(-1, -20, -1)]
        for points, material, level in zip(rings, materials, levels, strict=False):
            tags = (
                None
                if turn is None
                else np.stack(
                    [np.full_like(turn, level), turn, np.full_like(turn, OPENINGS.index(opening))],
                    axis=1,
                )
            )
            inner = self.add_points(points, tags)
            self.add_faces(
                np.stack([done[-1], np.roll(done[-1], -1), np.roll(inner, -1), inner], axis=1),
                material,
            )
            done.append(inner)
        return done

    def close(self, ring: NDArray[np.int64], centre: Reals, material: str) -> None:
        """Fill a ring with triangles around a new vertex at centre (3,)."""
        middle = self.add_points(centre[None])[0]
        n = len(ring)
        self.add_faces(
            np.stack([ring, np.roll(ring, -1), np.full(n, middle), np.full(n, -1)], axis=1),
            material,
        )


def _eye(skin: _Skin, block: Block, sign: int) -> dict[str, Reals]:
    """Lids down to their margin, the inner side of the lids and the socket behind the eyeball.
    Returns landmarks by short name.
    """
    surface, spec = skin.surface, skin.surface.spec
    ball = parts.eyeball(surface, sign)
    outer, border, t = skin.border(block)
    margin = parts.lid_margin(surface, sign, t)
    lid = ball.radius + LID_GAP + LID_THICKNESS
    half = spec.eye_width / 2
    rings: list[Reals] = []
    for s in EYE_RINGS:
        x, z = margin[:, 0] * (1 - s) + border[:, 0] * s, margin[:, 2] * (1 - s) + border[:, 2] * s
        flat = np.hypot(x - ball.centre[0], z - ball.centre[2])
        dome = np.where(
            flat < 0.985 * lid,
            np.sqrt(np.maximum(lid**2 - flat**2, 0.03 * lid**2)),
            0.173 * lid - 1.5 * (flat - 0.985 * lid),
        )
        face, dome = -surface.front_y(x, z), dome - ball.centre[1]
        k = 0.0035
        soft = np.maximum(face, dome) + k * np.log1p(np.exp(-np.abs(face - dome) / k)) * smoothstep(
            0.0, 0.5, np.full_like(x, s)
        )
        corner = np.abs((x - ball.centre[0]) / half) ** 6 * (
            1 - smoothstep(0.0, 0.55, np.full_like(x, s))
        )
        upper = smoothstep(0.0, 0.4, np.sin(t))
        crease = 0.0018 * upper * np.exp(-(((s - 0.25) / 0.07) ** 2))
        edge = smoothstep(0.0, 0.32, np.full_like(x, s))
        near = np.where(face > dome, dome + np.minimum(corner, 1.0) * (face - dome), dome)
        rings.append(np.stack([x, -(near * (1 - edge) + soft * edge - crease), z], axis=1))
    direction = rings[-1] - ball.centre
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    polar, turn = (
        np.arccos(np.clip(-direction[:, 1], -1, 1)),
        np.arctan2(direction[:, 2], direction[:, 0]),
    )
    for s in (0.0, 0.10, 0.30, 0.55, 0.85):
        a = polar + (np.pi - polar) * s
        rings.append(
            ball.centre
            + (ball.radius + LID_GAP)
            * np.stack([np.sin(a) * np.cos(turn), -np.cos(a), np.sin(a) * np.sin(turn)], axis=1)
        )
    inside = ["skin"] * len(EYE_RINGS) + ["lips"] + ["mouth"] * 4
    done = skin.rings(outer, rings, inside, "eye_left" if sign > 0 else "eye_right", t)
    skin.close(done[-1], ball.centre + np.array([0.0, ball.radius + LID_GAP, 0.0]), "mouth")
    edge_ring = rings[len(EYE_RINGS) - 1]

    def at(angle: float) -> Reals:
        return np.asarray(edge_ring[np.argmin(np.abs(np.angle(np.exp(1j * (t - angle)))))])

    out, inner = (0.0, np.pi) if sign > 0 else (np.pi, 0.0)
    return {
        "eye_outer": at(out),
        "eye_inner": at(inner),
        "lid_upper": at(np.pi / 2),
        "lid_lower": at(-np.pi / 2),
    }


def _mouth(skin: _Skin) -> dict[str, Reals]:
    """Lips down to the slit between them, their inner sides and the bag that holds teeth and
    tongue.
    """
    surface, spec = skin.surface, skin.surface.spec
    outer, border, t = skin.border(skin.grid.mouth)
    half, mz = spec.mouth_width / 2, surface.mouth_z
    x0 = half * np.cos(t)
    z0 = surface.seam_z(x0) + SLIT * np.sin(t)
    rings: list[Reals] = []
    for s in MOUTH_RINGS:
        x, z = x0 * (1 - s) + border[:, 0] * s, z0 * (1 - s) + border[:, 2] * s
        rings.append(np.stack([x, surface.front_y(x, z), z], axis=1))
    seam = rings[-1]
    along = np.clip(1 - (x0 / half) ** 2, 0, 1)
    middle_y = float(surface.front_y(np.zeros(1), np.full(1, mz))[0])
    bow = seam[:, 1] - middle_y
    # Back from the slit: how far, how high up, how high down, how wide (of the half width).
    bag = (
        (0.0020, 0.0000, 0.0000, 1.0),
        (0.0042, 0.0012, 0.0012, 1.0),
        (0.0060, 0.0070, 0.0070, 1.0),
        (0.0090, 0.0120, 0.0125, 1.04),
        (0.0200, 0.0145, 0.0150, 1.10),
        (0.0330, 0.0125, 0.0130, 1.0),
        (0.0440, 0.0070, 0.0070, 0.7),
    )
    for k, (back, up, down, wide) in enumerate(bag):
        lift = np.where(np.sin(t) >= 0, up, down) * np.sin(t) * along**0.25
        bowed = bow * (1.0 if k < 4 else 0.6)
        rings.append(np.stack([x0 * wide, middle_y + bowed + back, z0 + lift], axis=1))
    red = 1.0 - 0.008 / 0.016
    kinds = (
        ["lips" if s < red - 0.24 else "skin" for s in MOUTH_RINGS]
        + ["lips", "lips"]
        + ["mouth"] * (len(bag) - 2)
    )
    done = skin.rings(outer, rings, kinds, "mouth", t)
    skin.close(done[-1], rings[-1].mean(axis=0) + np.array([0.0, 0.003, 0.0]), "mouth")

    def at(angle: float) -> Reals:
        return np.asarray(seam[np.argmin(np.abs(np.angle(np.exp(1j * (t - angle)))))])

    return {
        "mouth_left": at(0.0),
        "mouth_right": at(np.pi),
        "lip_upper": at(np.pi / 2),
        "lip_lower": at(-np.pi / 2),
    }


def _ear(skin: _Skin, block: Block, sign: int) -> None:
    """A shell that leaves the head at its front and stands off at its back, with a rim and a
    bowl.
    """
    surface, spec = skin.surface, skin.surface.spec
    outer, _border, t = skin.border(block)
    grid = skin.grid
    row, column, _ = block.border()
    angle = grid.angles[column % len(grid.angles)]
    angle = np.where(angle > np.pi, angle - 2 * np.pi, angle)
    middle_angle, middle_row = (angle.max() + angle.min()) / 2, grid.rows[row].mean()
    back = -np.cos(t) * -sign  # t = 0 looks away from the face on the left side
    shape_y = 0.0185 * spec.ear_size * back * (1 + 0.22 * np.sin(t))
    shape_z = 0.0310 * spec.ear_size * np.sin(t) - 0.004 * np.sin(t) * back * spec.ear_size
    centre = surface.points(np.array([middle_angle]), np.array([middle_row]))[0]
    lean = 0.22

    def placed(scale: float, out: float, pull: float = 0.0) -> Reals:
        y, z = shape_y * scale + pull, shape_z * scale
        stand = out + (0.30 * spec.ear_size) * (y + 0.012)
        return np.stack(
            [
                np.full_like(y, centre[0]) + sign * np.maximum(stand, out * 0.4),
                centre[1] + 0.004 + y + lean * z,
                centre[2] + z,
            ],
            axis=1,
        )

    root = surface.points(
        middle_angle + 0.72 * (angle - middle_angle),
        middle_row + 0.72 * (grid.rows[row] - middle_row),
    )
    rim = placed(0.97, 0.006)
    rings = [
        root,
        0.55 * root + 0.45 * placed(0.86, 0.003),
        placed(0.92, 0.0045),
        placed(1.0, 0.0075),
        placed(1.0, 0.0100),
        rim + np.array([sign * 0.0050, 0, 0]),
        placed(0.86, 0.0105),
        placed(0.76, 0.0065),
        placed(0.55, 0.0040, -0.001),
        placed(0.28, 0.0015, -0.002),
    ]
    done = skin.rings(outer, rings, ["skin"] * len(rings))
    skin.close(done[-1], rings[-1].mean(axis=0) - np.array([sign * 0.001, 0.0, 0.0]), "skin")


def build(spec: HeadSpec | None = None) -> SampleHead:
    """The head of a spec (the default: a pleasant, slightly stylised adult)."""
    asked = spec or HeadSpec()
    surface = Surface(styled(asked))
    grid = _grid(surface)
    skin = _Skin(surface, grid)
    marks: dict[str, Reals] = {}
    for side, sign, eye, ear in (
        ("left", 1, grid.eye, grid.ear),
        ("right", -1, grid.other_eye, grid.other_ear),
    ):
        marks |= {f"{name}_{side}": p for name, p in _eye(skin, eye, sign).items()}
        inner, outer = parts.brow_line(surface, sign, np.array([0.0, 1.0]))
        marks |= {f"brow_inner_{side}": inner, f"brow_outer_{side}": outer}
        _ear(skin, ear, sign)
    marks |= _mouth(skin)
    crown = surface.points(np.zeros(1), np.zeros(1))[0]
    skin.close(skin.index[0], crown, "skin")
    skin.close(skin.index[-1][::-1], skin.points[0][skin.index[-1]].mean(axis=0), "skin")
    points, faces = np.vstack(skin.points), np.vstack(list(skin.faces))
    middle = np.flatnonzero(np.abs(points[: skin.index.size, 0]) < 1e-9)
    column = points[middle][points[middle, 1] < -0.02]
    nose = column[(column[:, 2] > surface.mouth_z + 0.004) & (column[:, 2] < surface.eye_z)]
    jaw = column[column[:, 2] < 0.6 * surface.mouth_z]
    marks |= {
        "nose_tip": nose[np.argmin(nose[:, 1])],
        "chin": jaw[np.argmin(3 * jaw[:, 1] + jaw[:, 2])],
    }
    pieces = [
        (points, faces, np.array(skin.materials), "skin"),
        *parts.all_parts(surface, grid.angles, grid.rows),
    ]
    return _assemble(asked, pieces, marks, np.vstack(skin.tags))


def _assemble(
    spec: HeadSpec,
    pieces: list[tuple[Reals, NDArray[np.int64], NDArray[np.int64], str]],
    marks: dict[str, Reals],
    tags: Reals,
) -> SampleHead:
    """Join pieces, the tagged (N,3) skin first, drop vertices no face uses, and put the neck's end
    at z = 0.
    """
    offset = np.cumsum([0, *(len(p) for p, _, _, _ in pieces)])
    points = np.vstack([p for p, _, _, _ in pieces])
    faces = np.vstack(
        [np.where(f >= 0, f + o, -1) for (_, f, _, _), o in zip(pieces, offset, strict=False)]
    )
    part = np.concatenate([np.full(len(p), PARTS.index(name)) for p, _, _, name in pieces])
    tags = np.vstack([tags, np.tile([2.0, 0.0, 0.0], (len(points) - len(tags), 1))])
    used = np.zeros(len(points), dtype=bool)
    used[faces[faces >= 0]] = True
    index = np.cumsum(used) - 1
    faces = np.where(faces >= 0, index[faces], -1)
    floor = np.array([0.0, 0.0, points[used, 2].min()])
    return SampleHead(
        vertices=np.ascontiguousarray(points[used] - floor, dtype=np.float32),
        faces=np.ascontiguousarray(faces, dtype=np.int32),
        part=part[used].astype(np.int32),
        ring=np.ascontiguousarray(tags[used, 0], np.float32),
        turn=np.ascontiguousarray(tags[used, 1], np.float32),
        opening=tags[used, 2].astype(np.int32),
        material=np.concatenate([m for _, _, m, _ in pieces]).astype(np.int32),
        landmarks={n: (p - floor).astype(np.float32) for n, p in marks.items()},
        spec=spec,
    )


def random_spec(rng: np.random.Generator) -> HeadSpec:
    """Proportions of a random adult or cartoon head, within limits in which the openings stay
    whole.
    """

    def around(mean: float, spread: float, low: float, high: float) -> float:
        return float(np.clip(rng.normal(mean, spread), low, high))

    base = HeadSpec()
    stylisation = float(rng.uniform(0, 1) ** 2) if rng.random() < 0.6 else 0.0
    spacing = around(base.eye_spacing, 0.004, 0.057, 0.075)
    return HeadSpec(
        width=around(base.width, 0.008, 0.130, 0.170),
        height=around(base.height, 0.010, 0.200, 0.250),
        depth=around(base.depth, 0.009, 0.165, 0.210),
        eye_level=around(base.eye_level, 0.018, 0.45, 0.53),
        eye_spacing=spacing,
        eye_width=min(around(base.eye_width, 0.002, 0.029, 0.040), 0.58 * spacing),
        eye_height=around(base.eye_height, 0.002, 0.010, 0.020),
        eye_tilt=around(base.eye_tilt, 3.5, -5.0, 12.0),
        brow_height=around(base.brow_height, 0.002, 0.019, 0.028),
        nose_size=around(1.0, 0.18, 0.5, 1.5),
        nose_width=around(1.0, 0.14, 0.7, 1.4),
        mouth_level=around(base.mouth_level, 0.012, 0.165, 0.225),
        mouth_width=around(base.mouth_width, 0.004, 0.034, 0.056),
        lip_fullness=around(1.0, 0.25, 0.4, 1.6),
        chin=around(1.0, 0.4, 0.0, 2.0),
        jaw=around(1.0, 0.05, 0.88, 1.12),
        cheek=around(1.0, 0.4, 0.0, 2.0),
        ear_size=around(1.0, 0.1, 0.8, 1.3),
        neck_width=around(base.neck_width, 0.008, 0.075, 0.118),
        stylisation=stylisation,
        lashes=bool(rng.random() < 0.7),
        brows=bool(rng.random() < 0.7),
        hair=bool(rng.random() < 0.4),
        density=float(rng.uniform(0.8, 1.25)),
    )
