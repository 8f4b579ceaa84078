# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.errors import BackendError
from backend.face.correct.border import finish
from backend.face.geometry.frame import Frame
from backend.face.geometry.mesh import loose_parts
from backend.face.locate.face import Face
from backend.face.locate.points import cloud_of, crop
from backend.face.params.locate import CROP
from scripts.samples.modelled import anatomy


def face_of(movement_mask: NDArray[np.float64]) -> Face:
    count = len(movement_mask)
    zeros = np.zeros((count, 3), np.float32)
    return Face(
        np.arange(count, dtype=np.int32),
        Frame(np.zeros(3), np.eye(3), 1.0),
        zeros[:1],
        latent=zeros[:1],
        confidence=1.0,
        warnings=(),
        vertices=zeros,
        normals=zeros,
        parts=np.zeros((count, 6), np.float32),
        lip_lid_side=np.zeros((count, 2), np.float32),
        opposite_edge=np.zeros((count, 6), np.float32),
        movement_mask=movement_mask.astype(np.float32),
        triangles=np.empty((0, 3), np.int32),
        still=np.zeros(count, bool),
    )


def finished(
    offsets: NDArray[np.float32], movement_mask: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    face = face_of(np.ones(offsets.shape[1]) if movement_mask is None else movement_mask)
    out = np.full_like(offsets, np.nan)
    moves = [finish(face, shape, 1.0, 1.0, made) for shape, made in zip(offsets, out, strict=True)]
    assert moves == [bool(made.any()) for made in out]
    return out


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_nothing_moves_where_there_is_no_freedom(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    movement_mask = rng.choice([0.0, 0.5, 1.0], count)
    offsets = rng.normal(size=(2, count, 3)).astype(np.float32)
    moved = finished(offsets, movement_mask)
    assert not moved[:, movement_mask == 0].any()
    assert np.allclose(moved[:, movement_mask == 1], offsets[:, movement_mask == 1], atol=0.01)


def test_noise_becomes_exact_zeros_and_movement_stays() -> None:
    offsets = np.zeros((1, 3, 3), np.float32)
    offsets[0, :, 1] = [0.5, 0.001, 0.02]
    quiet = finished(offsets)
    assert quiet[0, 1].tolist() == [0, 0, 0]
    assert np.allclose(quiet[0, [0, 2]], offsets[0, [0, 2]])


def test_a_shape_that_is_meant_to_be_tiny_survives() -> None:
    offsets = np.full((1, 4, 3), 1e-4, np.float32)
    assert np.allclose(finished(offsets), offsets)


def test_what_is_noise_is_told_after_the_weight() -> None:
    shape = np.array([[1, 0, 0], [0, 0.015, 0]], np.float32)
    out = np.empty_like(shape)
    assert finish(face_of(np.ones(2)), shape, 0.1, 1.0, out)
    assert np.allclose(out, [[0.1, 0.0, 0.0], [0.0, 0.0, 0.0]]), "0.0015 of a unit is none"


def test_weight_and_strength_are_factors_and_a_shape_may_be_written_over() -> None:
    shape = np.array([[0.1, 0, 0], [0, -0.2, 0], [0, 0, 0]], np.float32)
    wanted = shape * -3
    assert finish(face_of(np.ones(3)), shape, -1.5, 2.0, shape)
    assert np.allclose(shape, wanted)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e38])
def test_what_is_no_number_or_grows_too_large_is_an_error(bad: float) -> None:
    shape = np.full((4, 3), 0.1, np.float32)
    shape[2, 1] = bad
    with pytest.raises(BackendError) as error, np.errstate(all="ignore"):
        finish(face_of(np.ones(4)), shape, 1.0, 10.0, np.empty_like(shape))
    assert error.value.code == "mesh_not_finite"


def test_no_movement_stays_none() -> None:
    assert not finished(np.zeros((2, 5, 3), np.float32)).any()
    assert finished(np.zeros((0, 5, 3), np.float32)).shape == (0, 5, 3)


def test_crops_that_overlap_keep_the_same_points() -> None:
    head, triangles = anatomy()
    cloud = cloud_of(head.vertices, triangles, loose_parts(head.vertices, triangles))
    one = crop(cloud, Frame(np.zeros(3), np.eye(3), 1.0))
    other = crop(cloud, Frame(np.array([0.01, 0, 0]), np.eye(3), 1.0))
    assert len(one) == len(other) == CROP.count
    assert (
        np.linalg.norm(one[:, :3] - np.array([0, CROP.centre_y, CROP.centre_z], np.float32), axis=1)
        < CROP.radius
    ).all()
    kept = {tuple(p) for p in np.round(one[:, 3:], 5)} & {
        tuple(p) for p in np.round(other[:, 3:], 5)
    }
    assert len(kept) > 0.97 * CROP.count
