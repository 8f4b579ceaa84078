# SPDX-License-Identifier: GPL-3.0-or-later
"""Which points of a surface the encoder is shown depends on the surface, not on how its mesh is
written down.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.face.geometry.frame import Frame
from backend.face.geometry.mesh import Floats, Ints, loose_parts
from backend.face.locate.points import PointCloud, cloud_of, crop
from backend.face.params.locate import CROP
from scripts.samples.modelled import anatomy

MADE, TRIANGLES = anatomy()
HEAD = np.asarray(MADE.vertices, np.float32)
AXES = [np.eye(3)[list(order)] for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1))]


def cloud(vertices: Floats, triangles: Ints, seed: int = 0) -> PointCloud:
    return cloud_of(vertices, triangles, loose_parts(vertices, triangles), seed)


PLAIN = cloud(HEAD, TRIANGLES)
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_cloud_of_draws_the_same_in_any_order_of_faces(
    seed: int,
) -> None:
    dice = np.random.default_rng(seed)
    order, faces = dice.permutation(len(HEAD)), dice.permutation(len(TRIANGLES))
    mixed = np.argsort(order)[TRIANGLES][faces].astype(np.int32)
    corners = (
        np.arange(3) + dice.integers(3, size=(len(mixed), 1))
    ) % 3  # a face may begin at any of its corners
    again = cloud(HEAD[order], np.take_along_axis(mixed, corners, axis=1))
    np.testing.assert_allclose(again.priority, PLAIN.priority[faces], atol=1e-9)
    one, other = (crop(c, Frame(np.zeros(3), np.eye(3), 1.0)) for c in (PLAIN, again))
    assert (
        len(one) == CROP.count and (np.abs(one - other).max(axis=1) < 1e-5).mean() > 0.99
    )  # mirror twins may change places


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(0, 1))
def test_cloud_of_draws_the_same_on_split_vertices(seed: int, share: float) -> None:
    apart = np.random.default_rng(seed).random(TRIANGLES.size) < share
    corners = TRIANGLES.ravel().copy()
    corners[apart] = len(HEAD) + np.arange(int(apart.sum()))
    vertices = np.concatenate([HEAD, HEAD[TRIANGLES.ravel()[apart]]])
    np.testing.assert_array_equal(cloud(vertices, corners.reshape(-1, 3)).priority, PLAIN.priority)


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(AXES), st.floats(1e-3, 1e3), st.tuples(*[st.floats(-5, 5)] * 3), st.floats(0, 6)
)
def test_cloud_of_hardly_hangs_on_scale_place_and_axes(
    axes: NDArray[np.float64], scale: float, shift: tuple[float, float, float], angle: float
) -> None:
    cos, sin = np.cos(angle), np.sin(angle)
    about = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    placed = ((HEAD @ (about @ axes).T + shift) * scale).astype(np.float32)
    kept = np.abs(cloud(placed, TRIANGLES).priority - PLAIN.priority) < 1e-2
    assert kept.mean() > 0.98  # only those that rounding moves into another cell


def test_cloud_of_draws_each_side_on_its_own() -> None:
    both = cloud(HEAD, np.concatenate([TRIANGLES, TRIANGLES[:, ::-1]]))
    front, back = np.split(both.priority, 2)
    assert (np.abs(front - back) < 1e-6).mean() < 0.01
    assert len(np.unique(PLAIN.priority)) > 0.99 * len(TRIANGLES)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cloud_of_draws_by_gumbel_and_by_seed(seed: int) -> None:
    area = np.linalg.norm(
        np.cross(
            HEAD[TRIANGLES[:, 1]] - HEAD[TRIANGLES[:, 0]],
            HEAD[TRIANGLES[:, 2]] - HEAD[TRIANGLES[:, 0]],
        ),
        axis=1,
    )
    draw = cloud(HEAD, TRIANGLES, seed).priority - 0.5 * np.log(area / np.median(area))
    uniform = np.sort(np.exp(-np.exp(-draw)))
    assert np.abs(uniform - (np.arange(len(uniform)) + 0.5) / len(uniform)).max() < 2 / np.sqrt(
        len(uniform)
    )  # Kolmogorov and Smirnov
    other = cloud(HEAD, TRIANGLES, seed + 1).priority - 0.5 * np.log(area / np.median(area))
    assert abs(np.corrcoef(draw, other)[0, 1]) < 4 / np.sqrt(len(draw))
