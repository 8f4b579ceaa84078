# SPDX-License-Identifier: GPL-3.0-or-later
"""A model looks at half of a symmetric face, and gives what it gives for all of it."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.meshes import ball

from backend.face.geometry.frame import Floats
from backend.face.geometry.landmarks import NAMES, mirrored
from backend.face.geometry.symmetry import settled_plane
from backend.face.geometry.twins import MIRROR, WIDTHS, evened, needed, twins_of
from backend.inference.cancellation import Cancellation
from backend.inference.contract import PASSES
from backend.inference.decoding import mirrored_conditions, shapes_of
from backend.inference.loading import load_model

ACROSS = np.array([-1, 1, 1], np.float32)


def face(count: int = 300, alone: int | None = None) -> tuple[tuple[Floats, ...], Floats]:
    """What a decoder sees of a face: `count` vertices on each side, as many again, or `alone`,
    without an image, some in the mirror plane, and copies; and its landmarks (L,3).
    """
    rng = np.random.default_rng(8)
    left = rng.normal(0, 0.5, (count, sum(WIDTHS))).astype(np.float32)
    left[:, 0] = np.abs(left[:, 0]) + 0.01
    single = rng.normal(0, 0.5, (count, sum(WIDTHS))).astype(np.float32)[:alone]
    midline = rng.normal(0, 0.5, (9, sum(WIDTHS))).astype(np.float32)
    midline[:, 0] = 0
    rows = np.concatenate([left, left * MIRROR, single, midline, left[:40]])
    rows = rows[rng.permutation(len(rows))]
    marks = rng.normal(0, 0.5, (len(NAMES), 3)).astype(np.float32)
    other = [NAMES.index(mirrored(name)) for name in NAMES]
    seen = tuple(np.ascontiguousarray(a) for a in np.split(rows, np.cumsum(WIDTHS)[:-1], axis=1))
    return seen, np.asarray((marks + marks[other] * ACROSS) / 2, np.float32)


def test_all_twins_are_found() -> None:
    seen, landmarks = face()
    twins = twins_of(seen, landmarks)
    assert twins is not None
    assert (len(twins.left), len(twins.alone), len(twins.copies)) == (300, 309, 40)
    every = np.concatenate([twins.left, twins.right, twins.alone, twins.copies])
    assert np.array_equal(np.sort(every), np.arange(len(seen[0])))
    rows = np.concatenate(seen, axis=1)
    assert np.array_equal(rows[twins.left] * MIRROR, rows[twins.right])
    assert np.array_equal(rows[twins.copies], rows[twins.of])


def test_a_face_whose_landmarks_do_not_mirror_has_none() -> None:
    seen, landmarks = face()
    landmarks[0, 1] += 0.001
    assert twins_of(seen, landmarks) is None


def test_small_differences_are_evened_and_large_ones_are_none() -> None:
    seen, landmarks = face()
    twins = twins_of(seen, landmarks)
    assert twins is not None
    seen[1][twins.left[0]] += 0.1  # a quad that was cut the other way
    seen[4][twins.left[1]] += 0.5  # another vertex is opposite
    again = twins_of(seen, landmarks)
    assert again is not None
    assert set(twins.left) - set(again.left) == {twins.left[1]}
    rows = np.concatenate(evened(seen, again), axis=1)
    assert np.array_equal(rows[again.left] * MIRROR, rows[again.right])


@pytest.mark.parametrize("alone, found", [(0, True), (3, True), (30, False)])
def test_ways_may_differ_around_an_opening_whose_vertices_mirror(alone: int, found: bool) -> None:
    """Where all do, it is how the mesh was cut; where some lack an image, one eye is closed."""
    seen, landmarks = face(alone=alone)
    twins = twins_of(seen, landmarks)
    assert twins is not None
    cut, other_lip = twins.left[:2]
    seen[3][cut, 1] += 0.1 * np.sign(seen[3][cut, 1])
    seen[4][cut, 3:] += 0.3
    seen[3][other_lip, 1] = -0.1 * np.sign(seen[3][twins.right[1], 1])
    seen[3][twins.right[1], 1] = 0.1 * np.sign(seen[3][twins.right[1], 1])
    again = twins_of(seen, landmarks)
    assert again is not None
    assert set(twins.left) - set(again.left) == {other_lip} | (set() if found else {cut})
    rows = np.concatenate(evened(seen, again), axis=1)
    assert np.array_equal(rows[again.left] * MIRROR, rows[again.right])


def test_one_pass_gives_what_two_give() -> None:
    model = load_model()
    seen, landmarks = face()
    twins = twins_of(seen, landmarks)
    assert twins is not None
    latent = np.zeros((1, landmarks.size + 9), np.float32)
    latent[0, : landmarks.size] = landmarks.ravel()
    seen = evened(seen, twins)
    weights = np.eye(len(model.info.conditions), dtype=np.float32)
    whole = (*seen, latent)
    both = shapes_of(model, whole, weights, Cancellation())  # type: ignore[arg-type]
    one = shapes_of(model, whole, weights, Cancellation(), twins=twins)  # type: ignore[arg-type]
    assert model.decoder is not None and model.decoder.takes(PASSES)
    assert np.abs(one - both).max() < 1e-6 * max(1, np.abs(both).max())


def test_conditions_in_the_mirror() -> None:
    found = mirrored_conditions(("jawOpen", "jawLeft", "eyeBlinkRight", "jawRight", "eyeBlinkLeft"))
    assert found is not None and found.tolist() == [0, 3, 4, 1, 2]
    assert mirrored_conditions(("jawOpen", "jawLeft")) is None


@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_a_mirror_plane_is_found_to_the_last_digit_where_there_is_one(noise: float) -> None:
    points, _ = ball(24, 31, (0.02, 0.3, 0.2), (0.5, 0.4, 0.6))
    points = np.concatenate([points, points * ACROSS])
    rng = np.random.default_rng(1)
    points = (points + rng.normal(0, noise, points.shape)).astype(np.float32)
    beside = np.array([1, 4e-4, -3e-4])
    beside /= np.linalg.norm(beside)
    normal, offset = settled_plane(points, points[::9], beside, 5e-4)
    if noise:
        assert np.array_equal(normal, beside) and offset == 5e-4
    else:
        assert normal == pytest.approx([1, 0, 0], abs=1e-6)
        assert offset == pytest.approx(0, abs=1e-6)


def test_points_in_one_plane_have_no_other_mirror_plane() -> None:
    points = np.random.default_rng(2).normal(size=(500, 3)).astype(np.float32)
    points[:, 0] = 0
    normal, offset = settled_plane(points, points[::3], np.array([1.0, 0, 0]), 0.0)
    assert normal.tolist() == [1, 0, 0] and offset == 0


@pytest.mark.parametrize("share", [0.8, 0.3])
def test_a_mesh_whose_halves_were_cut_differently_has_its_plane_to_the_last_digit(
    share: float,
) -> None:
    rng = np.random.default_rng(5)
    half = rng.uniform((0.01, -1, -0.2), (1, 1, 0.2), (4000, 3))
    own = half[int(share * len(half)) :] + rng.normal(0, 2e-4, (len(half) - int(share * 4000), 3))
    other = np.concatenate([half[: int(share * len(half))], own]) * (-1, 1, 1)
    points = np.concatenate([half, other]).astype(np.float32)
    beside = np.array([1.0, 5e-4, 3e-4]) / np.linalg.norm([1.0, 5e-4, 3e-4])
    normal, offset = settled_plane(points, points[::40], beside, 4e-4)
    np.testing.assert_allclose(normal, (1, 0, 0), atol=1e-6)
    assert abs(offset) < 1e-6


def test_only_what_is_asked_for_is_needed() -> None:
    seen, landmarks = face()
    twins = twins_of(seen, landmarks)
    assert twins is not None
    asked = np.zeros(len(seen[0]), bool)
    asked[[twins.left[3], twins.right[5], twins.alone[7], twins.copies[9]]] = True
    less = needed(twins, asked)
    assert {3, 5} <= {*np.flatnonzero(np.isin(twins.left, less.left))}
    assert len(less.left) <= 3 and len(less.left) == len(less.right)
    assert twins.alone[7] in less.alone and len(less.alone) <= 2
    assert less.copies.tolist() == [twins.copies[9]] and less.of.tolist() == [twins.of[9]]
    looked_at = np.concatenate([less.left, less.right, less.alone])
    assert twins.of[9] in looked_at
    assert needed(None, asked).alone.tolist() == np.flatnonzero(asked).tolist()
