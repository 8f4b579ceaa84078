# SPDX-License-Identifier: GPL-3.0-or-later
"""Lashes ride a closing lid as strips, and large faces of a lid lie before the eye."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from backend.face.correct import closing, large_faces, strips
from backend.face.geometry.frame import Floats

COLUMNS = np.linspace(-0.9, 0.9, 25, dtype=np.float32)


def edge(y: Floats) -> Any:
    """An edge at heights (C,) over the columns."""
    return SimpleNamespace(points=np.stack([COLUMNS, y, 0 * y], axis=1).astype(np.float32))


def round_eye(local: Floats) -> Any:
    """The lids of an eye that is as tall as wide, with vertices (F,3)."""
    high = np.sqrt(1 - COLUMNS**2) / 2
    opening = SimpleNamespace(
        unit=np.ones(3, np.float32),
        columns=COLUMNS,
        local=local.astype(np.float32),
        upper=edge(high),
        lower=edge(-high),
    )
    return SimpleNamespace(opening=opening)


def shut(lid: Any) -> Floats:
    """How far the upper edge (C,3) goes down to the lower one."""
    return np.asarray(lid.opening.lower.points - lid.opening.upper.points)


def test_along_keeps_the_width_of_a_lash_beside_a_tall_eye() -> None:
    turn = np.linspace(0.6, np.pi - 0.6, 15)
    out = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    roots = out * np.array([1, 0.5, 0])
    way = out * np.array([0.5, 1, 0])
    tips = roots + 0.1 * way / np.linalg.norm(way, axis=1)[:, None]
    lid = round_eye(np.concatenate([roots, tips]))
    moved = lid.opening.local + strips.along(lid, shut(lid), np.ones(30, np.float32))
    wide = np.linalg.norm(moved[15:] - moved[:15], axis=1)
    np.testing.assert_allclose(wide, 0.1, rtol=0.15)
    line = np.interp(moved[:15, 0], COLUMNS, lid.opening.lower.points[:, 1])
    np.testing.assert_allclose(moved[:15, 1], line, atol=0.02)
    assert (np.diff(moved[15:, 0]) < 0).all(), "its tips stay in their order"


def test_along_brings_the_side_of_an_eye_to_the_end_of_its_line() -> None:
    side = np.array([[0.9, y, 0] for y in (0.2, 0.0, -0.2)])
    lid = round_eye(side)
    moved = lid.opening.local + strips.along(lid, shut(lid), np.ones(3, np.float32))
    np.testing.assert_allclose(moved, np.tile(lid.opening.lower.points[-1], (3, 1)), atol=0.03)


def test_along_leaves_what_does_not_ride() -> None:
    lid = round_eye(np.array([[0.0, 0.6, 0.0], [0.3, 0.6, 0.0]]))
    moved = strips.along(lid, shut(lid), np.array([0, 1], np.float32))
    assert not moved[0].any() and moved[1].any()


def test_lifted_brings_a_large_face_before_an_eye_that_bulges_between_its_corners() -> None:
    local = np.array(
        [[-0.8, 0.3, 0.0], [0.8, 0.3, 0.0], [0.0, -0.4, 0.0]]  # the closed lid
        + [[-0.1, -0.1, 0.05], [0.1, -0.1, 0.05], [0.0, 0.1, 0.05]],  # the eye's middle
        np.float32,
    )
    lid = round_eye(local)
    lid.faces, lid.eye_faces = np.array([[0, 1, 2]]), np.array([[3, 4, 5]])
    lid.upper = np.zeros_like(local)
    free = np.array([1, 1, 1, 0, 0, 0], np.float32)
    out = large_faces.lifted(lid, local, free, closing._front_of)
    weights = np.linalg.solve(_corners(local), [0, 0, 1])
    assert weights @ out[:3] > 0.05 and not out[3:].any()
    behind = local.copy()
    behind[3:, 2] -= 0.2
    lid.opening.local = behind
    assert not large_faces.lifted(lid, behind, free, closing._front_of).any()


def _corners(local: Floats) -> Floats:
    """What turns a place x, y, 1 into shares of the first three vertices."""
    return np.asarray(np.concatenate([local[:3, :2].T, np.ones((1, 3))]))
