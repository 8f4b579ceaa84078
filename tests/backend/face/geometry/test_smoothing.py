# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothing: roughness goes, even movement stays, slits and seams are respected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import among
from backend.face.geometry.smoothing import around_some, neighbours, smoothed
from backend.face.params.geometry import SMOOTHING


def sheet(rows: int = 12, columns: int = 15) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A flat grid of triangles."""
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(rows * columns)], axis=1).astype(np.float32)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    return vertices, np.concatenate(
        [np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))]
    ).astype(np.int32)


def test_smoothed_shrinks_noise_and_leaves_an_even_movement() -> None:
    vertices, triangles = sheet()
    around = neighbours(vertices, triangles)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (3, len(vertices), 3)).astype(np.float32)
    assert smoothed(noise, around).std() < 0.5 * noise.std()
    even = np.broadcast_to(np.array([0.1, -0.2, 0.3], np.float32), (2, len(vertices), 3)).copy()
    np.testing.assert_allclose(smoothed(even, around), even, atol=1e-6)


def test_smoothed_mixes_only_along_edges() -> None:
    vertices, triangles = sheet()
    other = vertices + np.array([0, 0, 0.01], np.float32)
    both, faces = (
        np.concatenate([vertices, other]),
        np.concatenate([triangles, triangles + len(vertices)]),
    )
    offsets = np.zeros((1, len(both), 3), np.float32)
    offsets[:, len(vertices) :, 1] = 1
    np.testing.assert_array_equal(smoothed(offsets, neighbours(both, faces)), offsets)


def test_smoothed_moves_split_vertices_together() -> None:
    vertices, triangles = sheet()
    rough = np.random.default_rng(1).normal(0, 1, (2, len(vertices), 3)).astype(np.float32)
    whole = smoothed(rough, neighbours(vertices, triangles))
    corners = triangles.ravel()
    split, own = vertices[corners], np.arange(len(corners), dtype=np.int32)
    torn = smoothed(rough[:, corners], neighbours(split, own.reshape(-1, 3)))
    np.testing.assert_allclose(torn, whole[:, corners], atol=1e-5)


def test_neighbours_leaves_out_vertices_outside() -> None:
    vertices, triangles = sheet()
    some = np.arange(40, dtype=np.int32)
    offsets = np.ones((1, 40, 3), np.float32)
    np.testing.assert_allclose(
        smoothed(offsets, neighbours(vertices[some], among(some, triangles))), offsets
    )
    none = np.empty((1, 0, 3), np.float32)
    assert smoothed(none, neighbours(vertices[:0], among(some[:0], triangles))).shape == (1, 0, 3)


def test_smoothed_leaves_vertices_without_neighbours() -> None:
    vertices = np.array([[9, 0, 0], [0, 0, 0], [1, 0, 0], [8, 0, 0], [0, 1, 0]], np.float32)
    around = neighbours(vertices, np.array([[1, 2, 4]], np.int32))
    offsets = np.arange(15, dtype=np.float32).reshape(1, 5, 3)
    found = smoothed(offsets, around)
    np.testing.assert_array_equal(found[0, [0, 3]], offsets[0, [0, 3]])
    for k, others in ((1, [2, 4]), (2, [1, 4]), (4, [1, 2])):
        np.testing.assert_allclose(
            found[0, k],
            (1 - SMOOTHING.share) * offsets[0, k]
            + SMOOTHING.share * offsets[0, others].mean(axis=0),
            rtol=1e-6,
        )


def test_smoothed_gives_some_what_it_gives_all() -> None:
    vertices, triangles = sheet()
    corners = triangles.ravel()[: 3 * 200]  # split, and a few that hang together with none
    split = np.concatenate([vertices[corners], vertices[-3:] + 5])
    around = neighbours(split, np.arange(600, dtype=np.int32).reshape(-1, 3))
    rng = np.random.default_rng(2)
    offsets = rng.normal(0, 1, (1, len(split), 3)).astype(np.float32)
    share = np.where(np.hypot(*(split[:, :2] - 5).T) < 3, 0.5, 0).astype(np.float32)[:, None]
    share[-1] = 1
    less, rows = around_some(around, share[:, 0] > 0)
    assert (share[:, 0] > 0).sum() < len(rows) < 0.8 * len(split)
    every, few = offsets[0], offsets[0, rows]
    for _ in range(5):
        every = every + share * (smoothed(every[None], around)[0] - every)
        few = few + share[rows] * (smoothed(few[None], less)[0] - few)
    np.testing.assert_array_equal(few, every[rows])
    np.testing.assert_array_equal(np.delete(every, rows, axis=0), np.delete(offsets[0], rows, 0))
