# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.face.frame import Frame
from backend.face.locate import Face
from backend.face.mesh import loose_parts
from backend.face.points import COUNT, CROP_CENTRE, CROP_RADIUS, cloud_of, crop
from backend.face.rules import apply, quieted
from scripts.train.modelled import anatomy


def face_of(freedom: NDArray[np.float64]) -> Face:
    count = len(freedom)
    zeros = np.zeros((count, 3), np.float32)
    return Face(
        np.arange(count, dtype=np.int32),
        Frame(np.zeros(3), np.eye(3), 1.0),
        zeros[:1],
        zeros[:1],
        1.0,
        (),
        zeros,
        zeros,
        np.zeros((count, 6), np.float32),
        np.zeros((count, 2), np.float32),
        np.zeros((count, 6), np.float32),
        freedom.astype(np.float32),
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_nothing_moves_where_there_is_no_freedom(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    freedom = rng.choice([0.0, 0.5, 1.0], count)
    offsets = rng.normal(size=(2, count, 3)).astype(np.float32)
    moved = apply(face_of(freedom), offsets)
    assert not moved[:, freedom == 0].any()
    assert np.allclose(moved[:, freedom == 1], offsets[:, freedom == 1], atol=0.01)


def test_noise_becomes_exact_zeros_and_movement_stays() -> None:
    offsets = np.zeros((1, 3, 3), np.float32)
    offsets[0, :, 1] = [0.5, 0.001, 0.02]
    quiet = quieted(offsets)
    assert quiet[0, 1].tolist() == [0, 0, 0]
    assert np.allclose(quiet[0, [0, 2]], offsets[0, [0, 2]])


def test_a_shape_that_is_meant_to_be_tiny_survives() -> None:
    offsets = np.full((1, 4, 3), 1e-4, np.float32)
    assert np.allclose(quieted(offsets), offsets)


def test_no_movement_stays_none() -> None:
    assert not quieted(np.zeros((2, 5, 3), np.float32)).any()
    assert quieted(np.zeros((0, 5, 3), np.float32)).shape == (0, 5, 3)


def test_crops_that_overlap_keep_the_same_points() -> None:
    head, triangles = anatomy()
    cloud = cloud_of(head.vertices, triangles, loose_parts(head.vertices, triangles))
    one = crop(cloud, Frame(np.zeros(3), np.eye(3), 1.0))
    other = crop(cloud, Frame(np.array([0.01, 0, 0]), np.eye(3), 1.0))
    assert len(one) == len(other) == COUNT
    assert (np.linalg.norm(one[:, :3] - np.array(CROP_CENTRE, np.float32), axis=1) < CROP_RADIUS).all()
    kept = {tuple(p) for p in np.round(one[:, 3:], 5)} & {tuple(p) for p in np.round(other[:, 3:], 5)}
    assert len(kept) > 0.97 * COUNT
