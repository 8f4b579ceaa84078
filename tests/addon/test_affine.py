# SPDX-License-Identifier: GPL-3.0-or-later
"""How points were transformed is found from where they were and are; of a direction, from how keys
differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.affine import (
    affine_maps,
    direction_by_keys,
    roughly,
)
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # a quarter about Z
TOLERANCE = 1e-6


def points(count: int, seed: int = 0) -> Doubles:
    return np.asarray(np.random.default_rng(seed).uniform(-1, 1, (count, 3)))


def test_a_map_is_found_among_points_that_somebody_moved() -> None:
    before = points(400)
    after = before @ (TURN * [2.0, 1.0, 0.5]).T + [3.0, 0.0, -1.0]
    after[:100] += points(100, 1)
    (found,) = affine_maps(before, after, TOLERANCE)
    np.testing.assert_allclose(found.matrix, TURN * [2.0, 1.0, 0.5], atol=1e-9)
    np.testing.assert_allclose(found.of(before[100:]), after[100:], atol=1e-9)


def test_parts_that_were_moved_apart_have_maps_of_their_own_the_largest_first() -> None:
    before = points(500)
    after = np.where(np.arange(500)[:, None] < 350, before @ TURN.T, before + [0.0, 0.0, 5.0])
    first, second = affine_maps(before, after, TOLERANCE)
    np.testing.assert_allclose(first.matrix, TURN, atol=1e-9)
    np.testing.assert_allclose(
        (*second.matrix.ravel(), *second.shift), (*np.eye(3).ravel(), 0, 0, 5), atol=1e-9
    )
    assert affine_maps(before[:5], after[:5], TOLERANCE) == [], "too few"
    assert affine_maps(before, points(500, 2), TOLERANCE) == [], "no map explains them"


def test_what_lies_in_a_plane_may_stand_on_either_side_of_it() -> None:
    before = points(60) * [1.0, 1.0, 0.0]
    after = 2 * before @ TURN.T
    upright = []
    for one in affine_maps(before, after, TOLERANCE):
        np.testing.assert_allclose(one.of(before), after, atol=1e-9)
        upright.append(one.matrix[:, 2])
    np.testing.assert_allclose(sorted(map(tuple, upright)), [(0, 0, -2), (0, 0, 2)], atol=1e-9)
    assert affine_maps(before * [1.0, 0.0, 0.0], after * [0.0, 1.0, 0.0], TOLERANCE) == [], (
        "a line says too little"
    )


def test_what_happened_roughly_is_told_of_any_points() -> None:
    before = points(50)
    np.testing.assert_allclose(
        roughly(before, before @ TURN.T + 1e-3 * points(50, 3)), TURN, atol=2e-3
    )
    np.testing.assert_array_equal(
        roughly(before, before * [1.0, 1.0, 0.0]),
        np.eye(3),
        "what was pressed flat cannot be undone",
    )


def keys(count: int, strange: int, seed: int) -> tuple[Any, Any]:
    """Numbers (N,W) of keys along X, and their offsets (N,W,3) after a quarter turn and with a
    basis that was moved; the last ones were edited.
    """
    rng = np.random.default_rng(seed)
    offsets = rng.normal(0, 1, (count, 300, 3))
    numbers = offsets @ np.array([1.0, 0.0, 0.0])
    now = offsets @ TURN.T + rng.normal(0, 0.3, (1, 300, 3))
    now[:, 300 - strange :] = rng.normal(0, 1, (count, strange, 3))
    return numbers.astype(np.float32), now.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_a_direction_is_what_most_vertices_say(seed: int) -> None:
    found = direction_by_keys(*keys(9, 180, seed), [], [])
    assert found is not None
    np.testing.assert_allclose(found, [0, 1, 0], atol=1e-3)


def test_a_direction_that_is_only_longer_is_that_of_scaled_keys_and_none() -> None:
    numbers, now = keys(9, 0, 0)
    along = np.array([0.0, 1.0, 0.0])
    assert direction_by_keys(numbers, now / 2, [along], [1.0]) is None
    scaled = direction_by_keys(
        numbers, now / 2, [along], [1.0, 2.0]
    )  # the mesh itself may have become half as large
    assert scaled is not None
    np.testing.assert_allclose(scaled, 2 * along, atol=1e-3)
    assert direction_by_keys(numbers[:4], now[:4], [], []) is None, (
        "four keys differ in three ways, which always fit"
    )
