# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample head is sound geometry for any proportions."""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.geometry.landmarks import NAMES, mirrored
from scripts.samples.head import PARTS, SampleHead, build, random_spec


@pytest.fixture(scope="module", params=[None, 1, 2, 3])
def head(request: pytest.FixtureRequest) -> SampleHead:
    return (
        build()
        if request.param is None
        else build(random_spec(np.random.default_rng(request.param)))
    )


def test_coordinates_are_finite_and_no_face_is_flat(head: SampleHead) -> None:
    assert np.isfinite(head.vertices).all()
    corners = head.vertices[head.triangles].astype(np.float64)
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    assert (area > 0).mean() > 0.999


def test_every_part_and_every_landmark_is_there(head: SampleHead) -> None:
    present = {PARTS[i] for i in np.unique(head.part)}
    assert {"skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue"} <= present
    assert set(head.landmarks) == set(NAMES)


def test_landmarks_lie_on_the_surface_and_mirror(head: SampleHead) -> None:
    for name, point in head.landmarks.items():
        assert np.linalg.norm(head.vertices - point, axis=1).min() < 0.004, name
        assert np.allclose(point * [-1, 1, 1], head.landmarks[mirrored(name)], atol=1e-3), name


def test_the_skin_is_closed_and_wound_outwards(head: SampleHead) -> None:
    triangles = head.triangles[(head.part[head.triangles] == PARTS.index("skin")).all(axis=1)]
    edges = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()
    corners = head.vertices[triangles].astype(np.float64)
    assert np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() > 0, (
        "the volume is positive"
    )
