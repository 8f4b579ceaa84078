# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found among blocks of neighbours is what a look at everything finds."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import numpy as np
import pytest

from backend.face.correct import brows, closing, rigid_parts
from backend.face.geometry import mesh
from backend.face.geometry.frame import Floats
from backend.face.params.geometry import BLOCKS

EYE_HEIGHT = 0.25  # canonical, that of the sample head


def allow(monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    """Look at everything up to so many pairs of points."""
    limits = dataclasses.replace(BLOCKS, pairs=pairs, table=pairs)
    modules: tuple[ModuleType, ...] = (mesh, closing, rigid_parts, brows)
    for module in modules:
        monkeypatch.setattr(module, "BLOCKS", limits)


def sheet(rng: np.random.Generator, count: int, depth: float = 0.0) -> Floats:
    """Points (count,3) on a curved sheet."""
    x, y = rng.uniform(-1, 1, (2, count))
    return np.asarray(np.stack([x, y, depth + 0.3 * np.cos(2 * x) * y], axis=1), np.float32)


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("depth", [0.0, 0.02, 5.0])
def test_nearest_points(monkeypatch: pytest.MonkeyPatch, depth: float, weighed: bool) -> None:
    rng = np.random.default_rng(3)
    points, among = sheet(rng, 2000, depth), sheet(rng, 3000)
    among[1500:1600] = points[:100] = among[:100]  # the first of equal ones is taken

    def more(some: Floats) -> Floats:
        return np.asarray(0.01 * np.abs(some[:, 0]), np.float32)

    found = []
    for pairs in (1 << 40, 1):
        allow(monkeypatch, pairs)
        found.append(mesh.nearest(points, among, more if weighed else None))
    scores = [mesh.squared(points - among[some]) + weighed * more(among[some]) for some in found]
    assert (found[0] == found[1]).mean() > 0.99  # others are equally far, but for rounding
    assert scores[0] == pytest.approx(scores[1], abs=1e-6 * max(1, depth))


def test_an_eyes_front(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    out = rng.normal(size=(3000, 3))
    eye = (out / np.linalg.norm(out, axis=1)[:, None] * [1, 1, 1.1]).astype(np.float32)
    found = []
    for pairs in (1 << 40, 1):
        allow(monkeypatch, pairs)
        found.append(closing._front_of(sheet(rng=np.random.default_rng(5), count=800), eye))
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_an_eyes_dome(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    out, ways = rng.normal(size=(2, 2000, 3))
    eye = out / np.linalg.norm(out, axis=1)[:, None] * [1, 1, 1.1]
    far = np.linalg.norm(eye, axis=1).astype(np.float32)
    directions = (eye / far[:, None]).astype(np.float32)[eye[:, 2] > 0]  # nothing is behind it
    ways = (ways / np.linalg.norm(ways, axis=1)[:, None]).astype(np.float32)
    found = []
    for pairs in (1 << 40, 1):
        allow(monkeypatch, pairs)
        found.append(rigid_parts._dome(ways, directions, far[eye[:, 2] > 0]))
    assert (found[0] == 0).any()
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_a_levelled_forehead(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-0.6, 0.6, (2, 12000))
    z = 0.3 - 0.4 * x**2 - 0.3 * y**2 + 0.05 * np.cos(9 * y)
    skin = np.stack([x, y, z], axis=1).astype(np.float32)
    strip = (rng.uniform(-1, 1, (1000, 3)) * [0.3, 0.06, 0]).astype(np.float32)
    moved = (skin[:, [1, 0, 2]] * [0.1, 0.2, 0.1]).astype(np.float32)
    levels, slides = [], []
    for pairs in (1 << 40, 1):
        allow(monkeypatch, pairs)
        levels.append(brows._level(strip, skin))
        slides.append(brows._mean_of(strip, skin)(moved))
    assert levels[0] == pytest.approx(levels[1], abs=0.002 * EYE_HEIGHT)
    assert slides[0] == pytest.approx(slides[1], abs=1e-5)
