# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of shapes: what moves by a known share of the face's own units is measured as that
share.
"""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.landmarks import flat_face
from numpy.typing import NDArray

from backend.face.shapes import figures

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def face() -> tuple[Floats, dict[str, Floats], figures.Places]:
    """A cloud of vertices around each landmark, the landmarks, and the places."""
    landmarks = flat_face(0.3)
    rng = np.random.default_rng(1)
    cloud = [p + rng.uniform(-0.01, 0.01, (12, 3)) for p in landmarks.values()]
    vertices = np.concatenate(cloud).astype(np.float32)
    return vertices, landmarks, figures.places_of(vertices, landmarks)


def at(
    face: tuple[Floats, dict[str, Floats], figures.Places],
    *moves: tuple[str, tuple[float, float, float]],
) -> Floats:
    """Offsets (F,3) that move what is next to a landmark."""
    vertices, landmarks, _ = face
    offsets = np.zeros_like(vertices)
    for name, way in moves:
        offsets[np.linalg.norm(vertices - landmarks[name], axis=1) < 0.018] += np.array(
            way, np.float32
        )
    return offsets


def test_a_figure_is_a_share_of_the_faces_own_unit(
    face: tuple[Floats, dict[str, Floats], figures.Places],
) -> None:
    jaw = at(face, ("lip_lower", (0, -0.3, 0)))
    smile = at(face, ("mouth_left", (0.06, 0.12, 0)))
    blink = at(face, ("lid_upper_left", (0, -0.16, 0)), ("lid_lower_left", (0, 0.02, 0)))
    brow = at(face, ("brow_inner_right", (0, -0.04, 0)), ("brow_outer_right", (0, 0.04, 0)))
    found = figures.figures(face[2], [jaw, smile, blink, brow])
    left, right, both = figures.LEFT, figures.RIGHT, figures.BOTH
    assert found.keys() == set(figures.NAMES) and all(
        value.shape == (4, 3) for value in found.values()
    )
    assert found["open"][0] == pytest.approx([0.5] * 3, abs=1e-4)
    assert [found[n][1, left] for n in ("out", "up", "down")] == pytest.approx(
        [0.1, 0.2, -0.2], abs=1e-4
    )
    assert found["up"][1, right] == pytest.approx(0) and found["up"][1, both] == pytest.approx(
        0.1, abs=1e-4
    )
    assert found["wide"][1, both] == pytest.approx(0.1, abs=1e-4) == -found["narrow"][1, both]
    assert [found[n][2, left] for n in ("lid", "lower")] == pytest.approx([0.8, 0.1], abs=1e-4)
    assert [found[n][3, right] for n in ("brow_in", "brow_out", "brow_fall")] == pytest.approx(
        [-0.1, 0.1, 0.1], abs=1e-4
    )


def test_figures_are_linear_in_a_shape_and_those_of_none_are_empty(
    face: tuple[Floats, dict[str, Floats], figures.Places],
) -> None:
    smile = at(face, ("mouth_left", (0.06, 0.12, 0.02)))
    found = figures.figures(face[2], [smile, 2 * smile])
    assert all(value[1] == pytest.approx(2 * value[0], abs=1e-5) for value in found.values())
    assert figures.figures(face[2], [])["open"].shape == (0, 3)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("mouthSmileLeft", 0),
        ("eyeBlinkRight", 1),
        ("jawOpen", 2),
        ("mouthLeft", 2),
        ("jawRight", 2),
    ],
)
def test_the_column_of_a_condition_is_its_sides(name: str, column: int) -> None:
    assert figures.side_of(name) == column


def test_a_face_of_a_few_vertices_is_measured(
    face: tuple[Floats, dict[str, Floats], figures.Places],
) -> None:
    vertices = np.stack(list(face[1].values()))
    few = figures.places_of(vertices[:5], face[1])
    assert all(
        np.isfinite(value).all()
        for value in figures.figures(few, [np.zeros((5, 3), np.float32)]).values()
    )
