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
from .head_grid import grid_of
from .head_skin import Skin, add_ear, add_eye, add_mouth
from .surface import HeadSpec, Reals, Surface, styled

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


def build(spec: HeadSpec | None = None) -> SampleHead:
    """The head of a spec (the default: a pleasant, slightly stylised adult)."""
    asked = spec or HeadSpec()
    surface = Surface(styled(asked))
    grid = grid_of(surface)
    skin = Skin(surface, grid)
    marks: dict[str, Reals] = {}
    for side, sign, eye, ear in (
        ("left", 1, grid.eye, grid.ear),
        ("right", -1, grid.other_eye, grid.other_ear),
    ):
        marks |= {f"{name}_{side}": p for name, p in add_eye(skin, eye, sign).items()}
        inner, outer = parts.brow_line(surface, sign, np.array([0.0, 1.0]))
        marks |= {f"brow_inner_{side}": inner, f"brow_outer_{side}": outer}
        add_ear(skin, ear, sign)
    marks |= add_mouth(skin)
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
