# SPDX-License-Identifier: GPL-3.0-or-later
"""Where lids and lips end on the mesh itself, column by column across an eye and a mouth.

Landmarks say roughly where an opening is; its edges are what the skin reaches into it from above
and from below. They are read where a column crosses the mesh's own edges, see edges.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, all_corners, edges_of
from ..geometry.ticks import tick
from ..params.analyse import FADING, OPENINGS
from .edges import Edge, crossings
from .lid_edges import lid_edges, whole

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Opening:
    """An opening and its edges. axes (3,3): rows along it, up and out, unit. unit (3,): what is 1
    along them, canonical: for an eye its half width and twice its height, for a mouth its half
    width. columns (C,): the open ones, in half widths from the middle, and where it ends if that
    was asked for. local (F,3): all vertices from its middle along the axes, in units. skin (F,):
    what the edges were found on. origin (3,): the middle, canonical.
    """

    axes: Floats
    unit: Floats
    columns: Floats
    local: Floats
    upper: Edge
    lower: Edge
    skin: Flags
    origin: Floats

    def at(self, values: Floats) -> Floats:
        """Values (C,N) of the columns at every vertex (F,N); those of the last column beyond it.
        Each of the N lies in one piece: what is worked out with them takes a fifth as long.
        """
        tick()
        found = np.empty((values.shape[1], len(self.local)), np.float32)
        for row, column in zip(found, values.T, strict=True):
            row[:] = np.interp(self.local[:, 0], self.columns, column)
        return found.T

    def fade(self) -> Floats:
        """1 between the open columns, falling to 0 at the eye's corners or a fifth of a half width
        beyond the columns (F,), slower the wider the last column is open: where the side of an eye
        is steep, the skin beside it gives way.
        """
        x, (first, last) = self.local[:, 0], self.columns[[0, -1]]
        steep = (
            FADING.steep
            * (self.upper.points - self.lower.points)[[0, -1], 1]
            * self.unit[1]
            / self.unit[0]
        )
        wide = np.maximum(
            np.clip(steep, FADING.least, FADING.widest),
            (FADING.ends + first, FADING.ends - last),
        )
        beyond = np.maximum((first - x) / wide[0], (x - last) / wide[1])
        return np.asarray(np.clip(1 - beyond, 0, 1), np.float32)


def eye_opening(
    vertices: Floats,
    triangles: Ints,
    group: Ints,
    skins: list[Flags],
    landmarks: Mapping[str, Floats],
    *,
    side: str,
    widest: bool = False,
    ends: bool = False,
) -> Opening | None:
    """Find the opening of an eye. Lids stand apart on a neutral face, so what the skin leaves free
    around the middle between their landmarks is the opening.

    Args:
        vertices: float32 (F,3), canonical
        triangles: int32 (T,3)
        group: (F,), vertices in one place share one
        skins: flags (F,) of what may be skin; the first in which there is an opening on both sides
            of the middle counts, else the widest. A transparent shell that is sewn to the lids is a
            part of its own only before welding, and so is an eye that touches the skin behind the
            lids, which leaves cracks beside it that are no opening
        landmarks: float32 (3,), canonical, by name
        side: left or right
        widest: that of the skins counts in which the opening has the most columns
        ends: look for where it ends between two columns, too, so that landmarks do not jump by one
    """
    found_frame = _eye_frame(landmarks, side)
    if found_frame is None:
        return None
    middle, axes, unit = found_frame
    lids = landmarks[f"lid_upper_{side}"] + landmarks[f"lid_lower_{side}"]
    local = ((vertices - middle) @ axes.T / unit).astype(np.float32)
    centre = (lids / 2 - middle) @ axes.T / unit
    away = (local - centre * np.clip(1 - local[:, :1] ** 2, -OPENINGS.bend, 1)).astype(
        np.float32
    )  # from a parabola through corners and middle
    near = (
        (np.abs(local[:, 0]) < 2 * OPENINGS.beyond)
        & (np.abs(away[:, 1]) < OPENINGS.reach)
        & (away[:, 2] < OPENINGS.front)
        & (away[:, 2] > -OPENINGS.back)
    )
    best: Opening | None = None
    for number, skin in enumerate(skins):
        if any(np.array_equal(skin, tried) for tried in skins[:number]):
            continue
        edges = edges_of(triangles[all_corners(near & skin, triangles)])
        found = lid_edges(local, away, edges, group, ends) if len(edges) else None
        if found is None:
            continue
        columns, upper, lower = found
        opening = Opening(
            axes, unit, columns, local, upper=upper, lower=lower, skin=skin, origin=middle
        )
        if not widest and whole(columns):
            return opening
        if best is None or len(columns) > len(best.columns):
            best = opening
    return best


def _eye_frame(landmarks: Mapping[str, Floats], side: str) -> tuple[Floats, Floats, Floats] | None:
    """The middle (3,) between an eye's corners, its axes (3,3) and what is 1 along them (3,); None
    where its landmarks lie on one spot.
    """
    right, left = _corners(landmarks, side)
    top, low = landmarks[f"lid_upper_{side}"], landmarks[f"lid_lower_{side}"]
    along, high = left - right, float(np.linalg.norm(top - low))
    half = float(np.linalg.norm(along)) / 2
    if min(half, high) < OPENINGS.least_size:
        return None
    x = along / (2 * half)
    y = top - low - ((top - low) @ x) * x
    y = y / max(float(np.linalg.norm(y)), 1e-9)
    axes = np.stack([x, y, np.cross(x, y)]).astype(np.float32)
    return ((right + left) / 2).astype(np.float32), axes, np.array([half, high, high], np.float32)


def _corners(landmarks: Mapping[str, Floats], side: str) -> tuple[Floats, Floats]:
    """The right and the left corner (3,) of an eye."""
    inner, outer = landmarks[f"eye_inner_{side}"], landmarks[f"eye_outer_{side}"]
    return (inner, outer) if side == "left" else (outer, inner)


def mouth_slit(
    vertices: Floats,
    triangles: Ints,
    side: Floats,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    *,
    hangs: bool = False,
) -> Opening | None:
    """Find the mouth between its lips. They lie on each other on a neutral face, so the surface
    says which edge a vertex belongs to, and its place only how near it is.

    Args:
        vertices: float32 (F,3), canonical
        triangles: int32 (T,3)
        side: float32 (F,), 1 above to -1 below along the surface, 0 unknown
        skin: flags (F,)
        landmarks: float32 (3,), canonical, by name
        hangs: the mouth may be open, so that its lower lip lies lower and behind the upper one

    Returns:
        The opening, or None where lips are not told apart.
    """
    lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    corners = landmarks["mouth_right"], landmarks["mouth_left"]
    return _slit(
        vertices,
        triangles,
        side,
        skin,
        marks=(*corners, lips),
        reach=OPENINGS.open_slit if hangs else OPENINGS.slit,
        bag=OPENINGS.open_bag if hangs else OPENINGS.bag,
    )


def lid_slit(
    vertices: Floats,
    triangles: Ints,
    side: Floats,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    *,
    eye: str,
) -> Opening | None:
    """The same of the left or right eye whose lids lie on each other at rest.

    Args:
        vertices: float32 (F,3), canonical
        triangles: int32 (T,3)
        side: float32 (F,), of the eye's opening
        skin: bool (F,), the face's
        landmarks: name -> (3,), canonical
        eye: left or right
    """
    middle = (landmarks[f"lid_upper_{eye}"] + landmarks[f"lid_lower_{eye}"]) / 2
    marks = (*_corners(landmarks, eye), middle)
    return _slit(
        vertices,
        triangles,
        side,
        skin,
        marks=marks,
        reach=OPENINGS.shut_lids,
        bag=OPENINGS.bag,
    )


def _slit(
    vertices: Floats,
    triangles: Ints,
    side: Floats,
    skin: Flags,
    *,
    marks: tuple[Floats, Floats, Floats],
    reach: float,
    bag: float,
) -> Opening | None:
    """A slit between two corners, right and left, that bends through a middle, each (3,)."""
    right, left, through = marks
    half = float(np.linalg.norm(left - right)) / 2
    if half < OPENINGS.least_size:
        return None
    x = (left - right) / (2 * half)
    y = np.array([0, 1, 0], np.float32) - x[1] * x
    y = y / np.linalg.norm(y)
    axes, middle = (
        np.stack([x, y, np.cross(x, y)]).astype(np.float32),
        ((right + left) / 2).astype(np.float32),
    )
    local = ((vertices - middle) @ axes.T / half).astype(np.float32)
    centre = (through - middle) @ axes.T / half
    away = (local - centre * np.clip(1 - local[:, :1] ** 2, 0, 1)).astype(np.float32)
    near = (
        skin
        & (np.abs(local[:, 0]) < OPENINGS.beyond)
        & (np.abs(away[:, 1]) < reach)
        & (np.abs(away[:, 2]) < reach)
    )
    columns = np.linspace(-1, 1, OPENINGS.columns, dtype=np.float32)
    found, edges = [], []
    for sign in (1, -1):
        mine = triangles[all_corners(near & (sign * side > OPENINGS.known), triangles)]
        own = edges_of(mine)
        crossed = crossings(local, away, own, columns)
        if not len(crossed.row):
            return None
        height = sign * crossed.level - bag * np.minimum(crossed.depth, 0)
        rows = crossed.rows(np.isfinite(height), len(columns))
        found.append(np.array([len(mine) > 0 for mine in rows]))
        lowest = [mine[height[mine].argmin()] if len(mine) else 0 for mine in rows]
        edges.append(crossed.at(np.array(lowest, np.intp), own))
    both = np.flatnonzero(found[0] & found[1])
    if len(both) < OPENINGS.open * len(columns) / 2:
        return None
    upper, lower = (e.part(both) for e in edges)
    unit = np.full(3, half, np.float32)
    return Opening(
        axes, unit, columns[both], local, upper=upper, lower=lower, skin=skin, origin=middle
    )
