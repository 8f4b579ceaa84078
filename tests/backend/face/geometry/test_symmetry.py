# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.face.geometry import symmetry
from backend.face.geometry.symmetry import mirror_plane, settled_plane
from backend.face.params.geometry import BLOCKS


def mask(
    rng: np.random.Generator, count: int = 1500
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and normals of a bumpy surface z = f(x, y) that is even in x, each point with its
    mirror image, in random order.
    """
    x, y = rng.uniform(0.02, 1, count), rng.uniform(-1, 1, count)
    z = 0.5 * np.cos(2 * x) + 0.3 * np.sin(3 * y) * np.cos(4 * x)
    slope_x = -np.sin(2 * x) - 1.2 * np.sin(3 * y) * np.sin(4 * x)
    slope_y = 0.9 * np.cos(3 * y) * np.cos(4 * x)
    normal = np.stack([-slope_x, -slope_y, np.ones(count)], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    points = np.stack([x, y, z], axis=1)
    flip = np.array([-1, 1, 1])
    order = rng.permutation(2 * count)
    return np.concatenate([points, points * flip])[order], np.concatenate([normal, normal * flip])[
        order
    ]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(-0.07, 0.07),
    st.floats(-0.07, 0.07),
    st.floats(-0.06, 0.06),
)
def test_the_plane_of_a_symmetric_surface_is_found(
    seed: int, yaw: float, roll: float, aside: float
) -> None:
    points, normals = mask(np.random.default_rng(seed))
    cy, sy, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    turn = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array(
        [[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]
    )
    moved = points @ turn.T + [aside, 0, 0]
    normal, offset, share = mirror_plane(
        moved.astype(np.float32), (normals @ turn.T).astype(np.float32)
    )
    assert np.allclose(normal, turn[:, 0], atol=0.004)
    assert abs(offset - turn[0, 0] * aside) < 0.004
    assert share > 0.9


def test_a_lopsided_cloud_has_few_partners() -> None:
    rng = np.random.default_rng(2)
    points, normals = mask(rng)
    left = points[:, 0] > 0
    _normal, _offset, share = mirror_plane(
        (points[left] + [0.4, 0, 0]).astype(np.float32), normals[left].astype(np.float32)
    )
    assert share < 0.5


@pytest.mark.parametrize("table", [1, 1 << 40])
def test_a_plane_settles_whether_all_are_looked_at_or_those_nearby(
    table: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(symmetry, "BLOCKS", dataclasses.replace(BLOCKS, table=table))
    points = mask(np.random.default_rng(5))[0].astype(np.float32)
    beside = np.array([1, 1e-3, -5e-4])
    found = settled_plane(points, points[:200], beside / np.linalg.norm(beside), 4e-4)
    assert found[0] == pytest.approx([1, 0, 0], abs=1e-6)
    assert abs(found[1]) < 1e-6
    lopsided = points[points[:, 0] > 0]
    assert settled_plane(lopsided, lopsided[:200], beside, 4e-4)[0] is beside
