# SPDX-License-Identifier: GPL-3.0-or-later
"""Brows as strips of their own: their ends, and their distance from the skin behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.face.analyse import brow_strips
from backend.face.correct import brows
from backend.face.geometry.frame import Floats
from backend.face.params.correct import BROWS

LEFT = {
    "brow_inner_left": (0.2, 0.3, 1.2),
    "brow_outer_left": (0.7, 0.3, 1.0),
    "lid_upper_left": (0.5, 0.1, 1.0),
}


def surface(x: Any, y: Any) -> Any:
    """z of the skin at x and y."""
    return np.sqrt(2 - x * x - (y - 1) ** 2)


def forehead() -> tuple[Floats, Floats, dict[str, Floats]]:
    """Skin that bulges upwards, a strip 0.03 before it on the left, boxes of both, and landmarks
    that miss the strip by 0.15.
    """
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(-0.9, 0.9, 61), np.linspace(0, 1, 41)))
    skin = np.stack([x, y, surface(x, y)], axis=1)
    a = np.linspace(0.15, 0.7, 12)
    strip = np.concatenate(
        [np.stack([a, np.full(12, y), 0.03 + surface(a, y)], axis=1) for y in (0.44, 0.48)]
    )
    vertices = np.concatenate([skin, strip]).astype(np.float32)
    parts = np.zeros((len(vertices), 6), np.float32)
    for mine in (slice(0, len(skin)), slice(len(skin), None)):
        low, high = vertices[mine].min(axis=0), vertices[mine].max(axis=0)
        parts[mine] = np.concatenate([(low + high) / 2, (high - low) / 2])
    landmarks = {name: np.array(at, np.float32) for name, at in LEFT.items()}
    landmarks |= {
        name.replace("left", "right"): at * np.array([-1, 1, 1], np.float32)
        for name, at in landmarks.items()
    }
    return vertices, parts, landmarks


def test_ends_are_those_of_a_strip() -> None:
    vertices, parts, landmarks = forehead()
    found = brow_strips.ends(vertices, parts, landmarks)
    assert found.keys() == {"brow_inner_left", "brow_outer_left"}  # there is none on the right
    assert found["brow_inner_left"][:2] == pytest.approx([0.15, 0.46], abs=0.03)
    assert found["brow_outer_left"][:2] == pytest.approx([0.7, 0.46], abs=0.03)


def test_ride_lifts_a_brow_before_the_forehead() -> None:
    vertices, parts, landmarks = forehead()
    mine = brow_strips.strip(parts, landmarks, "left")
    up = np.zeros_like(vertices)
    assert mine.sum() == 24
    up[mine, 1] = 0.1
    assert ((vertices + up)[mine, 2] < surface(*(vertices + up)[mine, :2].T)).all()  # it sinks
    brows.ride({"browOuterUpLeft": up}, vertices, {"left": mine}, ~mine)
    there = (vertices + up)[mine]
    assert not up[~mine].any()
    assert there[:, 2] - surface(there[:, 0], there[:, 1]) == pytest.approx(0.03, abs=0.01)


@pytest.mark.parametrize("slide", [0.0, -0.2])
def test_ride_sinks_a_brow_a_little_with_the_lid(
    slide: float,
) -> None:
    vertices, parts, landmarks = forehead()
    mine = brow_strips.strip(parts, landmarks, "left")
    blink = np.zeros_like(vertices)
    blink[~mine, 1], blink[~mine, 2] = slide, -slide / 4  # down, and out over the ball
    brows.follow([blink], vertices, {"left": mine}, ~mine)
    assert blink[mine, 1] == pytest.approx(BROWS.sinks * slide, abs=1e-6)
    there = (vertices + blink)[mine]
    assert there[:, 2] - surface(there[:, 0], there[:, 1] - slide) + slide / 4 == pytest.approx(
        0.03, abs=0.01
    )
