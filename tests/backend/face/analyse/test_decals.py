# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers on the skin: what lies close before it and has nothing else to do goes along, the rest
does not.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.analyse import decals
from backend.face.analyse.surface import Surface
from backend.face.correct import on_skin
from backend.face.geometry.mesh import part_boxes


def surface(before: float) -> tuple[Surface, NDArray[np.intp]]:
    """A wall of skin with a small patch `before` it, and the patch's vertices."""
    x, y = (
        grid.ravel() for grid in np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1.5, 0.5, 41))
    )
    skin = np.stack([x, y, np.zeros(len(x))], axis=1)
    patch = skin[(np.abs(x - 0.5) < 0.16) & (np.abs(y + 0.3) < 0.11)] + [0.01, 0.0, before]
    vertices = np.concatenate([skin, patch]).astype(np.float32)
    owner = np.repeat(np.array([0, 1], np.int32), [len(skin), len(patch)])
    there = Surface(
        vertices,
        np.zeros((0, 3), np.int32),
        np.arange(len(vertices), dtype=np.int32),
        owner,
        np.zeros((len(vertices), 2), np.float32),
        [owner == 0, owner == 0],
        np.zeros(len(vertices), bool),
        owner,
        part_boxes(vertices, owner),
        {},
    )
    return there, np.flatnonzero(owner == 1)


@pytest.mark.parametrize(("before", "lies"), [(0.02, True), (0.2, False), (-0.02, False)])
def test_lying_finds_only_what_is_close_before_the_skin(before: float, lies: bool) -> None:
    there, patch = surface(before)
    mine, below, share = decals.lying(there, np.zeros(len(there.vertices), bool))
    assert np.array_equal(mine, patch if lies else patch[:0])
    assert (share == 1).all()
    assert np.abs(there.vertices[mine, :2] - there.vertices[below, :2]).max(initial=0) < 0.02


def test_lying_leaves_out_what_is_beside_the_face() -> None:
    there, _patch = surface(0.02)
    there.vertices[:, 0] += 1.5
    assert not len(decals.lying(there, np.zeros(len(there.vertices), bool))[0])


def test_lying_finds_nothing_without_skin() -> None:
    there, _patch = surface(0.02)
    there.skins[0][:] = False
    assert [len(found) for found in decals.lying(there, np.zeros(len(there.vertices), bool))] == [
        0,
        0,
        0,
    ]


def test_lying_leaves_out_what_goes_with_lids() -> None:
    there, patch = surface(0.02)
    others = np.zeros(len(there.vertices), bool)
    others[patch[: len(patch) // 2]] = True
    assert not len(decals.lying(there, others)[0])


def test_follow_moves_decals_as_far_as_the_model_is_not_believed() -> None:
    there, patch = surface(0.02)
    lain = decals.lying(there, np.zeros(len(there.vertices), bool))
    for familiar, wanted in ((0.0, 0.1), (0.5, 0.2), (1.0, 0.3)):
        puff = np.zeros_like(there.vertices)
        puff[:, 2], puff[patch, 2] = 0.1, 0.3
        on_skin.follow({"cheekPuff": puff}, lain, familiar)
        assert np.allclose(puff[patch, 2], wanted)
        assert np.allclose(np.delete(puff, patch, axis=0)[:, 2], 0.1)


@pytest.mark.parametrize(("familiar", "goes"), [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0)])
def test_follow_moves_decals_with_the_skin_below(familiar: float, goes: float) -> None:
    shape = np.array([[0, 0, 0], [0, 0.2, 0], [0.1, 0, 0], [0, 0, 0.3]], np.float32)
    on_skin.follow(
        {"jawOpen": shape},
        (np.array([2, 3]), np.array([0, 1]), np.array([1, 0.5], np.float32)),
        familiar,
    )
    wanted = np.array(
        [[0, 0, 0], [0, 0.2, 0], [0.1 * (1 - goes), 0, 0], [0, 0.1 * goes, 0.3 * (1 - goes / 2)]]
    )
    np.testing.assert_allclose(shape, wanted, atol=1e-7)
