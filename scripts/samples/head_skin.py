# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin of the sample head: a grid whose blocks are replaced by rings around eyes, mouth and
ears.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import parts
from .head_grid import Block, Grid
from .surface import Reals, Surface, smoothstep

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


class Skin:
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


def add_eye(skin: Skin, block: Block, sign: int) -> dict[str, Reals]:
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


def add_mouth(skin: Skin) -> dict[str, Reals]:
    """Lips down to the slit between them, their inner sides and the bag that holds teeth and
    tongue.
    """
    surface, spec = skin.surface, skin.surface.spec
    outer, border, t = skin.border(skin.grid.mouth)
    half, mz = spec.mouth_width / 2, surface.mouth_z
    x0 = half * np.cos(t)
    z0 = surface.slit_z(x0) + SLIT * np.sin(t)
    rings: list[Reals] = []
    for s in MOUTH_RINGS:
        x, z = x0 * (1 - s) + border[:, 0] * s, z0 * (1 - s) + border[:, 2] * s
        rings.append(np.stack([x, surface.front_y(x, z), z], axis=1))
    slit = rings[-1]
    along = np.clip(1 - (x0 / half) ** 2, 0, 1)
    middle_y = float(surface.front_y(np.zeros(1), np.full(1, mz))[0])
    bow = slit[:, 1] - middle_y
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
        return np.asarray(slit[np.argmin(np.abs(np.angle(np.exp(1j * (t - angle)))))])

    return {
        "mouth_left": at(0.0),
        "mouth_right": at(np.pi),
        "lip_upper": at(np.pi / 2),
        "lip_lower": at(-np.pi / 2),
    }


def add_ear(skin: Skin, block: Block, sign: int) -> None:
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
