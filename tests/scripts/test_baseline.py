# SPDX-License-Identifier: GPL-3.0-or-later
"""The classical baseline does what its papers say; runs where requirements/train.txt is
installed.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs requirements/train.txt")
pytest.importorskip("trimesh", reason="needs requirements/train.txt")

from scripts.samples.rig import Floats, Ints
from scripts.train import baseline
from scripts.train.baseline import Doubles


def sheet() -> tuple[Doubles, Ints, dict[str, Floats]]:
    """A bent sheet of 20 x 20 vertices, and a bump in its middle."""
    x, y = np.meshgrid(np.linspace(-1, 1, 20), np.linspace(-1, 1, 20))
    vertices = np.stack([x, y, 0.3 * np.cos(x + y)], axis=-1).reshape(-1, 3)
    cell = (np.arange(19)[:, None] * 20 + np.arange(19)).ravel()
    triangles = np.concatenate(
        [
            np.stack([cell, cell + 1, cell + 20], axis=1),
            np.stack([cell + 1, cell + 21, cell + 20], axis=1),
        ]
    )
    bump = np.zeros_like(vertices)
    bump[:, 2] = 0.4 * np.clip(1 - 2 * (vertices[:, 0] ** 2 + vertices[:, 1] ** 2), 0, 1)
    return vertices, triangles.astype(np.int32), {"bump": bump.astype(np.float32)}


def test_a_shape_transferred_onto_its_own_mesh_stays() -> None:
    vertices, triangles, shapes = sheet()
    np.testing.assert_allclose(
        baseline.transferred(vertices, triangles, shapes, vertices)["bump"],
        shapes["bump"],
        atol=2e-3,
    )


def test_a_bigger_and_turned_copy_gets_a_bigger_shape() -> None:
    vertices, triangles, shapes = sheet()
    moved = baseline.transferred(vertices, triangles, shapes, vertices * 3 + [1, 2, 3])["bump"]
    np.testing.assert_allclose(moved, 3 * shapes["bump"], atol=6e-3)


def test_a_template_is_fitted_and_resampled() -> None:
    vertices, triangles, shapes = sheet()
    corners = [0, 19, 380, 399, 210]
    target = vertices * [1.2, 0.9, 1.0] + [0, 0, 0.05]
    start, goal = vertices.astype(np.float32), target.astype(np.float32)
    fit = baseline.fitted(start, triangles, start[corners], goal, triangles, aims=goal[corners])
    assert np.linalg.norm(fit - target, axis=1).mean() < 0.03
    offsets = baseline.resampled(
        target.astype(np.float32), target, triangles, {"bump": shapes["bump"].astype(np.float64)}
    )["bump"]
    np.testing.assert_allclose(offsets, shapes["bump"], atol=1e-5)
