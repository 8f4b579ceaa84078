# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a dense face keeps still, as few of its vertices tell."""

from __future__ import annotations

import numpy as np

from backend.face.geometry.quiet import cells_of
from backend.face.params.geometry import QUIET


def test_what_lies_a_cell_beside_what_moves_is_not_quiet() -> None:
    rng = np.random.default_rng(1)
    vertices = rng.uniform(-2, 2, (60000, 3)).astype(np.float32) * np.array([1, 1, 0.1], np.float32)
    cells = cells_of(vertices)
    assert len(cells.probes) < 0.15 * len(vertices)
    assert set(cells.cell[cells.probes]) == set(cells.cell)
    away = np.linalg.norm(vertices, axis=1)
    quiet = cells.quiet((away[cells.probes] < 1).astype(np.float32))
    assert not quiet[away < 1].any()
    assert quiet[away > 1 + 4 * QUIET.cell].all()


def test_one_vertex_and_many_in_one_place() -> None:
    for many in (1, 1000):
        cells = cells_of(np.ones((many, 3), np.float32))
        assert len(cells.probes) == -(-many // QUIET.one_in)
        assert cells.quiet(np.zeros(len(cells.probes), np.float32)).all()
        assert not cells.quiet(np.ones(len(cells.probes), np.float32)).any()
