# SPDX-License-Identifier: GPL-3.0-or-later
"""Points that stand for a surface: what the encoder sees of a head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Frame
from ..geometry.mesh import Floats, Ints, part_boxes, squared
from ..geometry.normals import corners_of, crossed
from ..params.locate import CROP

CHANNELS = 7  # of a point in a crop: position, normal, size of its loose part
FARTHEST = (
    2.0**60
)  # cells; what lies beyond has no area to speak of, and no number that an integer holds
MIXERS = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64
)  # of SplitMix64 (Steele, Lea and Flood 2014)


@dataclass(frozen=True)
class PointCloud:
    """One point per triangle. positions, normals: float32 (T,3); sizes: float32 (T,), the largest
    half extent of the triangle's loose part; priority: float64 (T,), a fixed draw by which a crop
    keeps its points. cells: uint64 (T,), where on the surface each is, for further draws.

    Each point's priority is drawn once (weighted sampling without replacement, Efraimidis and
    Spirakis 2006), so two crops that overlap keep the same points where they overlap, and results
    do not jump when a crop moves a little.
    """

    positions: Floats
    normals: Floats
    sizes: Floats
    priority: NDArray[np.float64]
    cells: NDArray[np.uint64]

    def __getitem__(self, some: NDArray[np.bool_] | NDArray[np.intp]) -> PointCloud:
        """Some of the points."""
        return PointCloud(
            self.positions[some],
            self.normals[some],
            self.sizes[some],
            self.priority[some],
            self.cells[some],
        )

    def redrawn(self, seed: int) -> PointCloud:
        """The same points with another draw, for a cloud drawn with seed 0; seed 0 is the same
        again.
        """
        return (
            replace(self, priority=self.priority - _draw(self.cells, 0) + _draw(self.cells, seed))
            if seed
            else self
        )


def cloud_of(vertices: Floats, triangles: Ints, parts: Ints, seed: int = 0) -> PointCloud:
    """Centroids and normals of the triangles, and the sizes of their parts.

    A point's weight is the root of its area: small, shape-giving triangles count more than their
    area and less than their number.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
        parts: int32 (V,), labels of the loose ones
        seed: of the points' order
    """
    corners = corners_of(vertices, triangles)
    facing = crossed(*corners)
    area = np.sqrt(squared(facing.T))
    normal = np.ascontiguousarray(
        np.divide(facing, area, out=np.zeros_like(facing), where=area > 0).T
    )
    middle = np.ascontiguousarray(((corners[0] + corners[1] + corners[2]) / 3).T)
    cells = _cells(middle, normal, area)
    typical = float(np.median(area)) or 1.0
    with np.errstate(divide="ignore"):
        priority = 0.5 * np.log(area / typical) + _draw(cells, seed)
    sizes = np.maximum.reduce(part_boxes(vertices, parts)[:, 3:].T)[triangles[:, 0]]
    return PointCloud(
        middle.astype(np.float32),
        normal.astype(np.float32),
        sizes,
        priority=priority,
        cells=cells,
    )


def _cells(
    middle: NDArray[np.float64], normal: NDArray[np.float64], area: NDArray[np.float64]
) -> NDArray[np.uint64]:
    """Where each triangle lies (T,) and which way it faces, as a number that depends on neither the
    mesh's numbering and splitting nor its place, scale and axes: a hash of its cell in a grid about
    the surface's centre, along its skewness and what its inertia makes of that. The two sides of a
    face differ. Noise that moves a triangle into the next cell changes its own number alone.
    """
    weight = area / (area.sum() or 1.0)
    away = middle - weight @ middle
    away /= np.sqrt(weight @ squared(away)) or 1.0
    first = weight * squared(away) @ away
    second = weight * (away @ first) @ away
    axes = np.stack([first, second, np.cross(first, second)])
    length = np.linalg.norm(axes, axis=1, keepdims=True)
    axes = np.divide(axes, length, out=np.zeros_like(axes), where=length > 0)
    numbers = np.zeros(len(middle), np.uint64)
    for axis in axes:
        for place in (away @ axis * CROP.grid, normal @ axis):
            numbers = _mixed(
                numbers
                ^ np.floor(np.clip(place, -FARTHEST, FARTHEST)).astype(np.int64).view(np.uint64)
            )
    return numbers


def _draw(cells: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """A draw (T,) from Gumbel's distribution for each cell; another for every seed."""
    uniform = (
        (_mixed(cells ^ np.uint64(seed)) >> np.uint64(11)).astype(np.float64) + 0.5
    ) / 2.0**53
    return np.asarray(-np.log(-np.log(uniform)))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers (N,) with their bits mixed, by SplitMix64's function."""
    numbers = numbers + MIXERS[0]
    numbers = (numbers ^ (numbers >> np.uint64(30))) * MIXERS[1]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * MIXERS[2]
    return np.asarray(numbers ^ (numbers >> np.uint64(31)))


def in_crop(columns: Floats, room: float = 1.0) -> NDArray[np.bool_]:
    """Which of N points lie in the sphere that a crop shows, as flags (N,).

    Args:
        columns: float (3,N), canonical, by columns
        room: by which the sphere is larger
    """
    centre = np.array([0, CROP.centre_y, CROP.centre_z], np.float32)
    return np.asarray(squared((columns - centre[:, None]).T) < (room * CROP.radius) ** 2)


def _cell(places: Floats) -> NDArray[np.int32]:
    """The cell of the grid that places (N,) along an axis lie in."""
    return np.asarray(
        np.floor((places + np.float32(CROP.radius + 1)) * np.float32(1 / CROP.cell)), np.int32
    )


def crop(cloud: PointCloud, frame: Frame, count: int | None = None) -> Floats:
    """At most `count` points, CROP.count without it, float32 (P,CHANNELS): position and normal in
    the frame, and the size of the loose part (the logarithm of its half extent in canonical units,
    -1 to 1), of what lies in the sphere around the face and not far behind what is in front.
    """
    count = CROP.count if count is None else count
    columns = frame.columns(cloud.positions)
    inside = np.flatnonzero(in_crop(columns))
    x, y, z = columns.take(inside, axis=1)
    cells = _cell(x) + (_cell(y) << 10)
    foremost = np.full(int(cells.max(initial=0)) + 1, -np.inf, np.float32)
    np.maximum.at(foremost, cells, z)
    inside = inside[z > foremost[cells] - CROP.depth]
    if len(inside) > count:
        inside = inside[np.argpartition(-cloud.priority[inside], count)[:count]]
    inside = inside[
        np.argsort(-cloud.priority[inside], kind="stable")
    ]  # callers repeat the first where there are few
    sizes = cloud.sizes[inside] / np.float64(max(frame.scale, 1e-300))
    size = np.clip(np.log(np.maximum(sizes, 1e-30)) / 2, -1, 1).astype(np.float32)
    return np.concatenate(
        [columns[:, inside].T, frame.turn_to_canonical(cloud.normals[inside]), size[:, None]],
        axis=1,
    )
