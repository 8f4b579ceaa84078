# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that may show a face: up from bones and the world, headings all around, several sizes and
depths.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..geometry.frame import Doubles, Frame
from ..geometry.mesh import AvatarMesh
from .points import PointCloud

HEADINGS = 8  # proposals around the up axis, 45 degrees apart; the encoder copes with 38
SIZES = (
    6.0,
    20.0,
    3.2,
    11.0,
    36.0,
    # extent along up / canonical unit, likeliest first: a head, a body, a face, a figurine, a body
    # with props
)
DEPTHS = (
    1.0,
    2.0,
    3.0,
    4.2,
)  # canonical units from the top of the mesh to the eyes: from a fringe to tall hair and ears


def _about(axis: int, angle: float) -> Doubles:
    """Rotation (3,3) by an angle in radians about a coordinate axis."""
    rotation = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[[i, j], [i, j]] = np.cos(angle)
    rotation[i, j], rotation[j, i] = -np.sin(angle), np.sin(angle)
    return rotation


def _ups(mesh: AvatarMesh) -> list[Doubles]:
    """Directions that may be up, unit (3,), likeliest first: neck to head, the world's up, and the
    object's six axes.
    """
    ups: list[Doubles] = []
    guesses = [mesh.up] if mesh.up is not None else []
    if "neck" in mesh.bones and "head" in mesh.bones:
        guesses.insert(0, tuple(np.subtract(mesh.bones["head"], mesh.bones["neck"])))
    for guess in [*guesses, (0, 0, 1), (0, 1, 0), (0, -1, 0), (0, 0, -1), (1, 0, 0), (-1, 0, 0)]:
        direction = np.asarray(guess, np.float64)
        length = np.linalg.norm(direction)
        if (
            length > 0
            and np.isfinite(length)
            and all(direction / length @ u < np.cos(np.radians(10)) for u in ups)
        ):
            ups.append(direction / length)
    return ups


def _front(up: Doubles) -> Doubles:
    """Where avatars look, unit (3,): along -Y in Blender, where Z is up, and the same way turned
    about X where another axis is; else along what of -Y lies across `up`.
    """
    front = np.array([0.0, 0.0, up[1]]) if abs(up[1]) > np.sqrt(0.5) else np.array([0.0, -1.0, 0.0])
    front -= (front @ up) * up
    return np.asarray(front / np.linalg.norm(front))


def _proposals(
    cloud: PointCloud, up: Doubles, parts: float, front: Doubles | None = None
) -> list[Frame]:
    """Frames that may show the face if `up` is up and a unit goes `parts` times into the height:
    every heading, or `front` alone, several depths.
    """
    aside = np.cross(up, np.eye(3)[np.abs(up).argmin()] if front is None else front)
    aside /= np.linalg.norm(aside)
    ahead = np.cross(aside, up)
    level = cloud.positions.astype(np.float64) @ np.stack([aside, up, ahead]).T
    top, bottom = np.quantile(level[:, 1], [0.999, 0.001])
    axes, unit = np.stack([aside, up, ahead]), (top - bottom) / parts
    headings = HEADINGS if front is None else 1
    return [frame for depth in DEPTHS for frame in _around(level, axes, unit, top, depth, headings)]


def _around(
    level: Doubles, axes: Doubles, unit: float, top: float, depth: float, headings: int
) -> Iterator[Frame]:
    """Frames at one height that look at the slab there from the first of HEADINGS. level (P,3):
    points along the axes' rows.
    """
    height = top - depth * unit
    slab = level[np.abs(level[:, 1] - height) < 0.6 * unit]
    if unit <= 0 or len(slab) < 4:
        return
    middle = np.median(slab[:, [0, 2]], axis=0)
    slab = slab[np.hypot(slab[:, 0] - middle[0], slab[:, 2] - middle[1]) < 3 * unit]
    for k in range(headings):
        rotation = _about(1, 2 * np.pi * k / HEADINGS)
        turned = (slab - [middle[0], height, middle[1]]) @ rotation.T
        line = turned[np.abs(turned[:, 0]) < 0.6 * unit, 2]
        front = (np.quantile(line, 0.95) if len(line) else 0.0) - 0.2 * unit
        origin = np.array([middle[0], height, middle[1]]) + rotation[2] * front
        yield Frame(origin @ axes, rotation @ axes, float(unit))
