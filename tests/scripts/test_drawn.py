# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn head of the demo and the pictures: how it is built, and that the product moves it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.samples.drawn import MATERIALS, build
from scripts.samples.rig import Floats, Ints

ROOT = Path(__file__).resolve().parents[2]
CLOSED = 0.75  # of the eye's height: how far a lid that closes comes down at least


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Floats]:
    """Offsets (V,3) of ARKit's shapes, as the backend makes them."""
    folder = tmp_path_factory.mktemp("drawn")
    vertices, triangles, _material = build()
    np.savez(folder / "mesh.npz", vertices=vertices, triangles=triangles)
    command = [sys.executable, "-m", "backend", "generate", "mesh.npz", "--set", "arkit"]
    paths = {"PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--out", "made.npz"], cwd=folder, env=os.environ | paths, check=True)
    with np.load(folder / "made.npz", allow_pickle=False) as made:
        return dict(zip(made["names"].tolist(), made["deltas"], strict=True))


def of(material: str) -> Ints:
    """Vertices of the triangles of a material."""
    _vertices, triangles, materials = build()
    used: Ints = np.unique(triangles[materials == MATERIALS.index(material)])
    return used


def test_build_uses_every_material_and_every_vertex() -> None:
    vertices, triangles, materials = build()
    assert set(materials) == set(range(len(MATERIALS)))
    assert np.isfinite(vertices).all() and len(np.unique(triangles)) == len(vertices)


def test_build_makes_a_symmetric_face() -> None:
    vertices = build()[0]
    for material in ("skin", "iris", "lash", "brow"):
        points = np.round(vertices[of(material)], 3)
        mirrored = points * [-1, 1, 1]
        near = (np.abs(mirrored[:, None] - points[None]).max(axis=2) < 2e-3).any(axis=1)
        assert near.mean() > 0.99, material


def test_generate_keeps_hair_and_cloth_still(moved: dict[str, Floats]) -> None:
    for material in ("hair", "ribbon", "cloth", "collar"):
        still = of(material)
        assert max(float(np.abs(offset[still]).max()) for offset in moved.values()) == 0.0, material


def test_generate_closes_the_lids_and_opens_the_mouth(moved: dict[str, Floats]) -> None:
    lash = of("lash")
    fall = -moved["eyeBlinkLeft"][lash, 1].min()
    assert fall > CLOSED * (0.33 + 0.25)
    lips = of("mouth_line")
    assert -moved["jawOpen"][lips, 1].min() > 0.12
