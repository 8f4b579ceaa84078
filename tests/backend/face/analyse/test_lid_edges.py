# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges of lids on eyes built from the section through them: thick rims, folds above lids that lean
back, shells that are sewn to the lids.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.analyse.openings import Opening, eye_opening
from backend.face.geometry.mesh import weld

HALF, HEIGHT = 0.5, 0.3  # of the eye, canonical
COLUMNS = 25
Section = list[tuple[float, float]]  # levels and depths, in heights, from the edge on


def eye(*sections: Section) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
    """Vertices (V,3), triangles (T,3) and the number of the section of each vertex (V,): strips
    across an eye around the origin.
    """
    across = np.linspace(-0.9, 0.9, COLUMNS) * HALF
    vertices: list[tuple[float, float, float]] = []
    triangles: list[tuple[int, int, int]] = []
    own: list[int] = []
    for number, section in enumerate(sections):
        first = len(vertices)
        for level, depth in section:
            vertices += [(x, level * HEIGHT, depth * HEIGHT) for x in across]
            own += [number] * COLUMNS
        for row in range(len(section) - 1):
            for k in range(COLUMNS - 1):
                a = first + row * COLUMNS + k
                triangles += [(a, a + 1, a + COLUMNS), (a + 1, a + COLUMNS + 1, a + COLUMNS)]
    return np.array(vertices, np.float32), np.array(triangles, np.int32), np.array(own, np.int32)


def below(section: Section) -> Section:
    return [(-level, depth) for level, depth in section]


def opening(
    *sections: Section, depth: float = 0.0, shells: int = 0, ends: bool = False
) -> Opening | None:
    """The opening between landmarks that lie at a depth in heights; the last `shells` sections are
    no skin of their own.
    """
    vertices, triangles, own = eye(*sections)
    at = {
        "eye_inner_left": (-HALF, 0, depth * HEIGHT),
        "eye_outer_left": (HALF, 0, depth * HEIGHT),
        "lid_upper_left": (0, HEIGHT / 2, depth * HEIGHT),
        "lid_lower_left": (0, -HEIGHT / 2, depth * HEIGHT),
    }
    return eye_opening(
        vertices,
        triangles,
        weld(vertices),
        [np.ones(len(own), bool), own < len(sections) - shells],
        {name: np.array(place, np.float32) for name, place in at.items()},
        side="left",
        ends=ends,
    )


THICK = [(0.46, -0.2), (0.47, -0.1), (0.5, 0.0), (0.6, -0.04), (0.75, -0.05), (0.9, 0.3)]
SHELF = [(0.46, -0.2), (0.5, 0.0), (0.55, 0.2), (0.6, 0.4), (0.9, 0.5)]
THIN = [(0.5, 0.0), (0.7, 0.05), (0.9, 0.1)]


def edge(found: Opening | None) -> tuple[float, float]:
    """Level and depth of the upper edge in the middle."""
    assert found is not None
    _x, level, depth = found.upper.points[len(found.columns) // 2]
    return float(level), float(depth)


def test_a_lid_ends_where_its_rim_turns_to_the_front() -> None:
    found = opening(THICK, below(THICK), depth=-0.2)
    assert found is not None
    for points in (found.upper.points, found.lower.points):
        assert np.abs(points[:, 1]) == pytest.approx(0.5, abs=0.01)
        assert points[:, 2] == pytest.approx(0.2, abs=0.02)  # from the landmarks' depth


def test_skin_that_goes_on_ahead_is_no_rim() -> None:
    level, depth = edge(opening(SHELF, below(THIN), depth=-0.2))
    assert level == pytest.approx(0.46, abs=0.01) and depth == pytest.approx(0, abs=0.01)


def test_landmarks_stay_at_the_inside_of_a_rim() -> None:
    level, _depth = edge(opening(THICK, below(THICK), depth=-0.2, ends=True))
    assert level == pytest.approx(0.46, abs=0.01)


def test_the_fold_above_a_lid_that_leans_back_is_not_its_edge() -> None:
    leaning = [(0.35, -0.4), (0.5, -0.4), (0.6, -0.35), (0.8, 0.0), (0.9, 0.2)]
    level, _depth = edge(opening(leaning, below(THIN)))
    assert level == pytest.approx(0.35, abs=0.01)


def test_whites_that_are_sewn_to_the_lids_do_not_close_them() -> None:
    bowl = [(0.5, 0.0), (0.3, -0.25), (0.0, -0.35), (-0.3, -0.25), (-0.5, 0.0)]
    level, _depth = edge(opening(THIN, below(THIN), bowl))
    assert level == pytest.approx(0.5, abs=0.01)


def test_half_an_opening_beside_a_shell_is_not_taken_before_a_whole_one() -> None:
    vertices, triangles, own = eye(THIN, below(THIN), [(0.5, 0.0), (0.0, 0.0), (-0.5, 0.0)])
    half = (own[triangles[:, 0]] == 2) & (vertices[triangles, 0].max(axis=1) > 0.05)
    triangles = triangles[~half]
    at = {
        "eye_inner_left": (-HALF, 0, 0),
        "eye_outer_left": (HALF, 0, 0),
        "lid_upper_left": (0, HEIGHT / 2, 0),
        "lid_lower_left": (0, -HEIGHT / 2, 0),
    }
    found = eye_opening(
        vertices,
        triangles,
        weld(vertices),
        [np.ones(len(own), bool), own < 2],
        {name: np.array(place, np.float32) for name, place in at.items()},
        side="left",
    )
    assert found is not None and found.columns[0] < -0.8 and found.columns[-1] > 0.8
