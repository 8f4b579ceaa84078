# SPDX-License-Identifier: GPL-3.0-or-later
"""Teeth stay behind the skin of the chin as the jaw opens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backend.face.correct.behind_chin import Chin


@pytest.mark.parametrize(("low", "share"), [(-1.0, 1.0), (-0.5, 0.75)], ids=["tall", "short"])
def test_reach_ends_where_the_chin_does(low: float, share: float) -> None:
    corners = np.array([[-1, low, 0], [1, low, 0], [1, 0, 0], [-1, 0, 0]], np.float32)
    surface: Any = SimpleNamespace(
        vertices=corners,
        triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        skins=[np.ones(4, bool)],
    )
    lip = np.array([[-0.3, 0, 0], [0.3, 0, 0]], np.float32)
    slit: Any = SimpleNamespace(
        unit=np.ones(3, np.float32),
        axes=np.eye(3, dtype=np.float32),
        origin=np.zeros(3, np.float32),
        lower=SimpleNamespace(points=lip, of=lambda jaw: np.zeros_like(lip)),
    )
    chin = Chin(surface, slit, np.zeros_like(corners))
    teeth = np.array([[-0.2, -0.1, -0.2], [0.2, -0.1, -0.2], [0, -0.11, -0.2]], np.float32)
    way = np.tile(np.array([0, -0.52, 0], np.float32), (3, 1))
    assert chin.reach([(teeth, way)]) == pytest.approx(share)
