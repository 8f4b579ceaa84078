# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical frame: a rigid frame with scale that every head is brought into.

+X is the character's left, +Y up, +Z out of the face. The origin lies half-way between the eyes'
centres; one unit is the mean of the eyes' distance and the distance from the origin to the mouth's
middle, so realistic and anime heads get comparable sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """origin (3,) and rotation (3,3), whose rows are the canonical axes, in object space; scale:
    object units per canonical unit.
    """

    origin: Doubles
    rotation: Doubles
    scale: float

    def to_canonical(self, points: NDArray[np.floating[Any]]) -> Floats:
        """Points (...,3) from object space to the canonical frame, float32."""
        return np.ascontiguousarray(
            (points.astype(np.float64) - self.origin) @ self.rotation.T / self.scale, np.float32
        )

    def columns(self, points: Floats) -> Floats:
        """Points (N,3) from object space to the canonical frame, float32 (3,N): by columns, which
        is several times as fast as over rows of three.
        """
        moved = (self.rotation / self.scale) @ points.T.astype(np.float64)
        moved -= (self.rotation @ self.origin / self.scale)[:, None]
        return moved.astype(np.float32)

    def turn_to_canonical(self, directions: NDArray[np.floating[Any]]) -> Floats:
        """Directions (...,3), such as normals, from object space to the canonical frame,
        float32.
        """
        return np.ascontiguousarray(directions.astype(np.float64) @ self.rotation.T, np.float32)

    def to_object(self, points: NDArray[np.floating[Any]]) -> Floats:
        """Points (...,3) from the canonical frame to object space, float32."""
        return np.ascontiguousarray(
            points.astype(np.float64) @ self.rotation * self.scale + self.origin, np.float32
        )

    def offsets_to_object(self, offsets: Floats) -> Floats:
        """Offsets (...,3) from the canonical frame to object space, float32; exact zeros stay
        exact.
        """
        return np.ascontiguousarray(offsets @ (self.rotation * self.scale).astype(np.float32))


def frame_of_landmarks(points: Mapping[str, NDArray[np.floating[Any]]]) -> Frame:
    """The canonical frame of landmarks (3,) in any space, by the names of landmarks.NAMES.

    X runs from the right eye's centre to the left one's; Y is the part across it of the way from
    the mouth's middle to the eyes.
    """
    eyes = {
        side: np.mean(
            [
                points[f"{name}_{side}"]
                for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")
            ],
            axis=0,
            dtype=np.float64,
        )
        for side in ("left", "right")
    }
    mouth = np.mean(
        [points[name] for name in ("mouth_left", "mouth_right")], axis=0, dtype=np.float64
    )
    origin = (eyes["left"] + eyes["right"]) / 2
    across = eyes["left"] - eyes["right"]
    drop = origin - mouth
    x = across / max(np.linalg.norm(across), 1e-300)
    y = drop - (drop @ x) * x
    y /= max(np.linalg.norm(y), 1e-300)
    return Frame(
        origin,
        np.stack([x, y, np.cross(x, y)]),
        float((np.linalg.norm(across) + np.linalg.norm(drop)) / 2),
    )
