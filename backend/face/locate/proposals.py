# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that may show a face: up from bones and the world, headings all around, several sizes and
depths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..geometry.frame import Doubles, Frame
from ..geometry.mesh import SIDE_BONES, AvatarMesh
from ..params.locate import PROPOSALS
from .points import PointCloud


def sizes() -> tuple[float, ...]:
    """Extents along up in canonical units, likeliest first: of a head, a body, a face, a figurine,
    a body with props.
    """
    p = PROPOSALS
    return p.size_head, p.size_body, p.size_face, p.size_figurine, p.size_props


def depths() -> tuple[float, ...]:
    """Canonical units from the top of the mesh to the eyes: from a fringe to tall hair and ears."""
    p = PROPOSALS
    return p.depth_fringe, p.depth_head, p.depth_hair, p.depth_ears


def about(axis: int, angle: float) -> Doubles:
    """Rotation (3,3) by an angle in radians about a coordinate axis."""
    rotation = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[[i, j], [i, j]] = np.cos(angle)
    rotation[i, j], rotation[j, i] = -np.sin(angle), np.sin(angle)
    return rotation


def ups_of(mesh: AvatarMesh) -> tuple[list[Doubles], list[Doubles]]:
    """Directions that may be up, unit (3,), likeliest first: those that something hints at, neck to
    head and the world's up, at least Blender's; and those of the object's six axes that are others.
    """
    guesses = [mesh.up] if mesh.up is not None else []
    if "neck" in mesh.bones and "head" in mesh.bones:
        guesses.insert(0, tuple(np.subtract(mesh.bones["head"], mesh.bones["neck"])))
    axes = [(0, 0, 1), (0, 1, 0), (0, -1, 0), (0, 0, -1), (1, 0, 0), (-1, 0, 0)]
    hints = _others(guesses, []) or _others(axes[:1], [])
    return hints, _others(axes, hints)


def _others(guesses: Sequence[tuple[float, ...]], known: Sequence[Doubles]) -> list[Doubles]:
    """Guesses (3,) as unit vectors, without those that are near ones before them or known."""
    ups = list(known)
    for guess in guesses:
        direction = np.asarray(guess, np.float64)
        length = np.linalg.norm(direction)
        if (
            length > 0
            and np.isfinite(length)
            and all(direction / length @ u < np.cos(np.radians(PROPOSALS.other_up)) for u in ups)
        ):
            ups.append(direction / length)
    return ups[len(known) :]


def front_of(up: Doubles, bones: Mapping[str, tuple[float, float, float]]) -> Doubles:
    """Where an avatar looks, unit (3,): along -Y in Blender, where Z is up, and the same way turned
    about X where another axis is; else along what of -Y lies across `up`. Where its bones have a
    left and a right side, the one of four level directions that they tell: files of VRM 0.x
    are read so that avatars look along Y.

    Args:
        up: float (3,), unit
        bones: rest positions (3,) by name
    """
    headings = level_headings(up)
    if not set(SIDE_BONES) <= bones.keys():
        return np.asarray(headings[0])
    left, right = (np.array(bones[name], np.float64) for name in SIDE_BONES)
    return np.asarray(headings[np.argmax(headings @ np.cross(left - right, up))])


def level_headings(up: Doubles) -> Doubles:
    """The four level directions (4,3), unit, in which an avatar may look: where most do first, and
    back third.
    """
    front = np.array([0.0, 0.0, up[1]]) if abs(up[1]) > np.sqrt(0.5) else np.array([0.0, -1.0, 0.0])
    front -= (front @ up) * up
    front /= np.linalg.norm(front)
    aside = np.cross(up, front)
    return np.stack([front, aside, -front, -aside])


def proposals(
    cloud: PointCloud, up: Doubles, parts: float, front: Doubles | None = None
) -> list[Frame]:
    """Frames that may show the face if `up` is up: every heading, or `front` alone, several depths.

    Args:
        cloud: the mesh's points
        up: float (3,), unit
        parts: how many units go into the height
        front: float (3,), the only heading, or None
    """
    aside = np.cross(up, np.eye(3)[np.abs(up).argmin()] if front is None else front)
    aside /= np.linalg.norm(aside)
    ahead = np.cross(aside, up)
    level = cloud.positions.astype(np.float64) @ np.stack([aside, up, ahead]).T
    bottom, top = (quantile(level[:, 1], share) for share in (PROPOSALS.ends, 1 - PROPOSALS.ends))
    axes, unit = np.stack([aside, up, ahead]), (top - bottom) / parts
    headings = PROPOSALS.headings if front is None else 1
    return [
        frame
        for depth in depths()
        for frame in _around(level, axes, unit, top - depth * unit, headings)
    ]


def _around(
    level: Doubles, axes: Doubles, unit: float, height: float, headings: int
) -> Iterator[Frame]:
    """Frames at one height that look at the slab there from the first of all headings. level (P,3):
    points along the axes' rows.
    """
    slab = level[np.abs(level[:, 1] - height) < PROPOSALS.slab * unit]
    if unit <= 0 or len(slab) < PROPOSALS.slab_fewest:
        return
    middle = np.array([quantile(slab[:, axis], 0.5) for axis in (0, 2)])
    slab = slab[
        np.hypot(slab[:, 0] - middle[0], slab[:, 2] - middle[1]) < PROPOSALS.slab_reach * unit
    ]
    for k in range(headings):
        rotation = about(1, 2 * np.pi * k / PROPOSALS.headings)
        turned = (slab - [middle[0], height, middle[1]]) @ rotation.T
        line = turned[np.abs(turned[:, 0]) < PROPOSALS.line * unit, 2]
        front = quantile(line, PROPOSALS.front) if len(line) else 0.0
        front -= PROPOSALS.eyes_behind * unit
        origin = np.array([middle[0], height, middle[1]]) + rotation[2] * front
        yield Frame(origin @ axes, rotation @ axes, float(unit))


def quantile(values: Doubles, share: float) -> float:
    """What np.quantile gives, in a quarter of its time where values are few.

    Args:
        values: float (N,), at least one
        share: 0 to 1, of them that are less
    """
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    part = np.partition(values, [below, above])
    return float(part[below] + (part[above] - part[below]) * (place - below))
