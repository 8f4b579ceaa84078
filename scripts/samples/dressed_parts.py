# SPDX-License-Identifier: GPL-3.0-or-later
"""What dressed heads are made of: the head while it grows, how far out its skin lies, tubes and
parts that hang together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from backend.face.analyse.kinds import CLASSES

from . import drawn_parts
from .rig import Floats, Ints

Reals = NDArray[np.float64]


MIDDLE = np.array([0.0, 0.0, -0.9])  # of the skull, from which directions are seen


@dataclass
class Dressed:
    """A head while it grows. vertices (V,3), triangles (T,3), label (V,) of CLASSES."""

    vertices: list[Floats] = field(default_factory=list)
    triangles: list[Ints] = field(default_factory=list)
    label: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(
        self, vertices: Reals | Floats, triangles: NDArray[np.signedinteger[Any]], label: str | Ints
    ) -> None:
        """Add vertices (N,3) and triangles (M,3) of one class, or with a class for each vertex."""
        self.vertices.append(np.asarray(vertices, np.float32))
        self.triangles.append(np.asarray(triangles + self.count, np.int32))
        self.label.append(
            np.full(len(vertices), CLASSES.index(label), np.int32)
            if isinstance(label, str)
            else label
        )
        self.count += len(vertices)

    def arrays(self) -> tuple[Floats, Ints, Ints]:
        """Vertices, triangles and labels in one piece each."""
        return (
            np.concatenate(self.vertices),
            np.concatenate(self.triangles),
            np.concatenate(self.label),
        )


class Scalp:
    """How far out the skin of a head is in a direction from the middle of its skull."""

    def __init__(self, skin: Floats) -> None:
        away = skin - MIDDLE
        far = np.linalg.norm(away, axis=1)
        seen = (skin[:, 1] > -1.8) & (far > 0.2)
        self.far = far[seen]
        self.tree = cKDTree(away[seen] / far[seen, None])

    def points(self, azimuth: Reals, elevation: Reals, lift: Reals | float) -> Reals:
        """Points (...,3) that lie `lift` out of the skin; azimuth 0 is the front, positive the
        left; radians.
        """
        towards = np.stack(
            [
                np.sin(azimuth) * np.cos(elevation),
                np.sin(elevation),
                np.cos(azimuth) * np.cos(elevation),
            ],
            axis=-1,
        )
        flat = towards.reshape(-1, 3)
        _away, near = self.tree.query(flat, k=6)
        far = self.far[near].max(axis=1).reshape(towards.shape[:-1])
        return np.asarray(MIDDLE + towards * (far + lift)[..., None])


def joined(pieces: list[tuple[Reals, NDArray[np.int64]]]) -> tuple[Reals, NDArray[np.int64]]:
    """Several pieces as one that hangs together: each is joined to the first by a triangle at its
    first vertex.
    """
    starts = np.cumsum([0, *(len(v) for v, _ in pieces)])
    triangles = [t + s for (_, t), s in zip(pieces, starts, strict=False)]
    triangles.append(
        np.stack([np.zeros(len(pieces) - 1), starts[1:-1], starts[1:-1] + 1], axis=1).astype(
            np.int64
        )
    )
    return np.concatenate([v for v, _ in pieces]), np.concatenate(triangles)


def ring(
    centre: Reals, radii: tuple[float, float], thick: float, around: int, solid: int
) -> tuple[Reals, NDArray[np.int64]]:
    """A tube around an ellipse that faces +Z."""
    turn = np.arange(around) * 2 * np.pi / around
    small = np.arange(solid) * 2 * np.pi / solid
    radius = np.stack([np.cos(turn) * radii[0], np.sin(turn) * radii[1], 0 * turn], axis=1)
    out = radius / np.linalg.norm(radius, axis=1, keepdims=True)
    rows = radius[None] + thick * (
        np.cos(small)[:, None, None] * out + np.sin(small)[:, None, None] * np.array([0, 0, 1.0])
    )
    rows = np.concatenate([rows, rows[:1]])
    return drawn_parts.sheet(rows + centre, closed=True)
