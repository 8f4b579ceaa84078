# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's mirror plane is looked for once, and is the same in every frame."""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.geometry.frame import Frame, frame_of_landmarks
from backend.face.locate.face_plane import FacePlane, near_any
from backend.face.locate.points import cloud_of
from backend.face.locate.proposals import about
from backend.face.params.locate import SEARCH
from scripts.samples.head import build


def test_a_plane_that_is_known_is_the_same_in_another_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = build()
    frame = frame_of_landmarks(
        {name: np.asarray(place, np.float64) for name, place in head.landmarks.items()}
    )
    other = Frame(
        frame.origin + [0.003, -0.01, 0.004],
        about(1, np.radians(3)) @ frame.rotation,
        frame.scale * 1.1,
    )
    parts = np.zeros(len(head.vertices), np.int32)
    cloud = cloud_of(head.vertices, head.triangles, parts)
    fresh = FacePlane(cloud, head.vertices).exact(other, SEARCH.symmetric)
    plane = FacePlane(cloud, head.vertices)
    plane.exact(frame, SEARCH.symmetric)
    monkeypatch.setattr(plane, "rough", None)  # not asked again
    normal, offset, share = plane.exact(other, SEARCH.symmetric)
    np.testing.assert_allclose(normal, fresh[0], atol=1e-6)
    assert offset == pytest.approx(fresh[1], abs=1e-6)
    assert min(share, fresh[2]) > SEARCH.symmetric


def test_a_head_without_an_exact_plane_is_looked_at_anew() -> None:
    head = build()
    frame = frame_of_landmarks(
        {name: np.asarray(place, np.float64) for name, place in head.landmarks.items()}
    )
    noise = np.random.default_rng(3).normal(0, 0.001 * frame.scale, head.vertices.shape)
    rough = (head.vertices + noise).astype(np.float32)
    cloud = cloud_of(rough, head.triangles, np.zeros(len(rough), np.int32))
    plane = FacePlane(cloud, rough)
    moved = Frame(frame.origin, frame.rotation, frame.scale * 1.1)
    plane.exact(frame, SEARCH.symmetric)
    again, anew = plane.exact(moved, SEARCH.symmetric), plane.rough(moved)
    assert again[0].tolist() == anew[0].tolist() and again[1:] == anew[1:]


def test_a_partner_within_reach_is_never_left_out() -> None:
    rng = np.random.default_rng(4)
    points = rng.uniform(-1, 1, (3000, 3)).astype(np.float32)
    others = rng.uniform(-1.2, 1.2, (40, 3))
    reach = 0.05
    away = np.abs(points[:, None] - others).max(axis=2).min(axis=1)
    flags = near_any(points, others, reach)
    assert flags[away <= reach].all() and not flags[away > 2 * reach].any()
    assert (away <= reach).any() and not near_any(points, others + 10, reach).any()
