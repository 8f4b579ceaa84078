# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np

from backend.face.mirror import partners

X = np.array([1.0, 0.0, 0.0])


def test_every_point_of_a_mirrored_cloud_finds_its_image() -> None:
    rng = np.random.default_rng(5)
    half = rng.uniform([0.01, -1, -1], [1, 1, 1], (500, 3)).astype(np.float32)
    points = np.concatenate([half, half * np.array([-1, 1, 1], np.float32)])
    order = rng.permutation(1000)
    normals = np.tile(np.array([0, 0, 1], np.float32), (1000, 1))
    found = partners(points[order], normals, X, 0.0, 1e-3)
    np.testing.assert_allclose(points[order][found] * [-1, 1, 1], points[order], atol=1e-6)
    np.testing.assert_array_equal(found[found], np.arange(1000))


def test_strangers_and_what_faces_the_other_way_are_no_partners() -> None:
    points = np.array([[1, 0, 0], [-1, 0, 0], [-1, 0, 0], [0.5, 0, 0]], np.float32)
    normals = np.array([[0, 1, 0], [0, -1, 0], [0, 1, 0], [0, 1, 0]], np.float32)
    assert partners(points, normals, X, 0.0, 0.01).tolist() == [2, -1, 0, -1]
    assert len(partners(points[:0], normals[:0], X, 0.0, 0.01)) == 0
