# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.face.geometry.mirror import make_alike, pairs_of, partners
from backend.face.geometry.normals import seamless_normals
from backend.face.params.geometry import MIRROR
from scripts.samples.anatomy import PARTS
from scripts.samples.modelled import anatomy

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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.05, 0.3]), st.floats(0, 1))
def test_the_best_partner_is_found_wherever_the_grids_cells_end(
    seed: int, tolerance: float, noise: float
) -> None:
    rng = np.random.default_rng(seed)
    half = rng.uniform(-1, 1, (150, 3))
    plane = np.array([1.0, *rng.normal(0, 0.1, 2)])
    plane /= np.linalg.norm(plane)
    offset = float(rng.normal(0, 0.2))

    def image(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(points - 2 * (points @ plane - offset)[:, None] * plane)

    points = np.concatenate(
        [half, image(half) + rng.normal(0, noise * tolerance, half.shape)]
    ).astype(np.float32)
    facing = rng.normal(0, 1, half.shape)
    normals = np.concatenate(
        [facing, facing - 2 * (facing @ plane)[:, None] * plane + rng.normal(0, noise, half.shape)]
    )
    normals = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)
    kinds = rng.integers(0, 2, len(points))
    far = np.linalg.norm(
        points.astype(np.float64)[None] - image(points.astype(np.float64))[:, None], axis=2
    )
    same = (normals - 2 * (normals @ plane)[:, None] * plane) @ normals.T
    score = far + tolerance * (1 - same + MIRROR.other_kind * (kinds[:, None] != kinds[None]))
    score[(far >= tolerance) | (same <= MIRROR.facing)] = np.inf
    found = partners(points, normals, plane, offset, tolerance, kinds=kinds)
    least = score.min(axis=1)
    assert ((found >= 0) == np.isfinite(least)).all()
    there = np.flatnonzero(found >= 0)
    assert score[there, found[there]] == pytest.approx(least[there], abs=1e-6)


def test_left_and_right_shapes_of_a_symmetric_head_become_mirror_images() -> None:
    made, triangles = anatomy()
    angle = 0.02
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]],
        np.float32,
    )
    vertices = np.ascontiguousarray(made.vertices @ turn.T + np.array([0.01, 0, 0], np.float32))
    rng = np.random.default_rng(3)
    names = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")
    shapes = {name: rng.normal(0, 0.1, vertices.shape).astype(np.float32) for name in names}
    normals = seamless_normals(vertices, triangles)
    pairs = pairs_of(vertices, normals, made.part == PARTS.index("skin"))
    assert pairs is not None
    twice = {name: offsets.copy() for name, offsets in shapes.items()}
    make_alike(pairs, shapes)
    with ThreadPoolExecutor(3) as several:
        make_alike(pairs, twice, several.map)
    assert all((twice[name] == shapes[name]).all() for name in names), (
        "several at once make the same"
    )
    upright = {name: offsets @ turn for name, offsets in shapes.items()}
    partner = partners(made.vertices, seamless_normals(made.vertices, triangles), X, 0.0, 1e-3)
    paired = np.flatnonzero(
        (partner >= 0)
        & (partner[partner] == np.arange(len(partner)))
        & (np.abs(made.vertices[:, 0]) > 0.01)
    )
    assert len(paired) > 0.8 * len(partner)
    flip = np.array([-1, 1, 1], np.float32)
    for name, other in (("eyeBlinkLeft", "eyeBlinkRight"), ("jawOpen", "jawOpen")):
        differ = np.linalg.norm(
            upright[name][paired] - upright[other][partner[paired]] * flip, axis=1
        )
        assert np.median(differ) < 1e-3 and (differ < 0.01).mean() > 0.97, name


def test_a_lopsided_head_has_no_pairs() -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(0, 0.4, (800, 3)).astype(np.float32)
    normals = np.tile(np.array([0, 0, 1], np.float32), (800, 1))
    assert pairs_of(points, normals, np.ones(800, bool)) is None
