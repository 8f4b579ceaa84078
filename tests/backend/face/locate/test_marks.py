# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks that somebody placed: what cannot be a face's is refused in a sentence, what is left
out is estimated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.flat_head import flat_head
from fixtures.located import locate

from backend.errors import BackendError
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.landmarks import NAMES, mirrored
from backend.face.geometry.mesh import AvatarMesh
from backend.face.locate import marks
from scripts.samples.head import build
from scripts.samples.surface import HeadSpec

HEAD = build(HeadSpec())
MARKS = {name: np.asarray(place, np.float64) for name, place in HEAD.landmarks.items()}
UNIT = frame_of_landmarks(MARKS).scale


def nothing(points: Any) -> Any:
    return np.zeros((len(points), 3 * len(NAMES) + 4), np.float32), np.zeros(
        len(points), np.float32
    )


def located(places: dict[str, Any]) -> Any:
    given = {
        name: (float(place[0]), float(place[1]), float(place[2])) for name, place in places.items()
    }
    return locate(
        AvatarMesh(HEAD.vertices, HEAD.triangles, landmarks=given),
        nothing,
        NAMES,
        lambda _fraction: None,
    )


def swapped() -> dict[str, Any]:
    return {name: MARKS[mirrored(name)] for name in MARKS}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"chin": MARKS["chin"] + (0, -1, 0)}, "Chin is not on the head"),
        ({"nose_tip": MARKS["nose_tip"] + (0, 0, 40)}, "Nose tip is not on the head"),
        ({"mouth_left": MARKS["mouth_right"] * (0.8, 1, 1)}, "Mouth left is on the other side"),
        ({"brow_outer_right": MARKS["brow_inner_left"]}, "Brow outer right is on the other side"),
        ({"lip_upper": MARKS["lip_lower"] - (0, 0, 0.2 * UNIT)}, "Lip upper is below lip lower"),
        (
            {"lid_upper_right": MARKS["lid_lower_right"] - (0, 0, 0.1 * UNIT)},
            "Lid upper right is below lid lower right",
        ),
        ({"chin": MARKS["lip_upper"] + (0, 0, 0.1 * UNIT)}, "is below chin"),
        (
            {"eye_inner_left": MARKS["eye_outer_left"], "eye_outer_left": MARKS["eye_inner_left"]},
            "farther from the middle",
        ),
        (dict.fromkeys(MARKS, np.zeros(3)), "lie on one spot"),
        ({name: place + (0, 0, 3) for name, place in MARKS.items()}, "is not on the head"),
        ({name: place * 300 for name, place in MARKS.items()}, "is not on the head"),
        (swapped(), "Left and right are exchanged"),
    ],
)
def test_fault_says_what_is_wrong_with_absurd_marks(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BackendError, match=words) as caught:
        located({**MARKS, **changed})
    assert caught.value.code == "mesh_invalid" and caught.value.fix


def test_fault_takes_a_faces_own_marks_and_small_slips() -> None:
    assert np.allclose(located(MARKS).frame.scale, UNIT, rtol=1e-5)
    rng = np.random.default_rng(3)
    for _ in range(20):
        slipped = {name: place + rng.normal(0, 0.01 * UNIT, 3) for name, place in MARKS.items()}
        away = marks.distances(HEAD.vertices, HEAD.triangles, slipped)
        assert marks.fault(slipped, set(slipped), away, 0.3) == ""


@pytest.mark.parametrize("flat", [1.0, 0.5, 0.2])
def test_fault_refuses_a_flat_face_with_sides_exchanged(flat: float) -> None:
    frame = frame_of_landmarks(MARKS)
    given = {
        name: frame.to_object((frame.to_canonical(place) * (1, 1, flat)).astype(np.float32)).astype(
            np.float64
        )
        for name, place in MARKS.items()
    }
    exchanged = {name: given[mirrored(name)] for name in given}
    away = dict.fromkeys(given, 0.0)
    assert marks.fault(given, set(given), away, 0.3) == ""
    assert "Left and right are exchanged" in marks.fault(exchanged, set(given), away, 0.3)


def test_fault_refuses_a_head_of_flat_parts_with_sides_exchanged() -> None:
    given = flat_head().landmarks
    away = dict.fromkeys(given, 0.0)
    assert marks.fault(given, set(given), away, 2.6) == ""
    assert "Left and right are exchanged" in marks.fault(
        {name: given[mirrored(name)] for name in given}, set(given), away, 2.6
    )


def test_fault_takes_flat_eyes_either_way_without_a_nose() -> None:
    frame = frame_of_landmarks(MARKS)

    def deep(by: float) -> dict[str, Any]:
        flat = {name: frame.to_canonical(MARKS[name]) * (1, 1, 0) for name in marks.NEEDED}
        some = {
            name: place + (0, 0, by) if name.startswith("eye_outer") else place
            for name, place in flat.items()
        }
        return {
            name: frame.to_object(place.astype(np.float32)).astype(np.float64)
            for name, place in some.items()
        }

    for by in (-0.1, 0.0, 0.1):
        assert marks.fault(deep(by), set(marks.NEEDED), {}, 0.3) == ""
    assert "Left and right are exchanged" in marks.fault(deep(0.3), set(marks.NEEDED), {}, 0.3)


def test_fault_does_not_judge_what_was_only_found() -> None:
    wrong = {**MARKS, "lip_upper": MARKS["lip_lower"] - (0, 0, 0.2 * UNIT)}
    away = dict.fromkeys(wrong, 0.0)
    assert marks.fault(wrong, {"nose_tip"}, away, 0.3) == ""
    assert marks.fault(wrong, {"lip_lower"}, away, 0.3) == "Lip upper is below lip lower."


def test_estimated_is_near_where_landmarks_are() -> None:
    found = marks.estimated({name: MARKS[name] for name in marks.NEEDED})
    assert set(found) == set(NAMES) - set(marks.NEEDED)
    for name, place in found.items():
        assert np.linalg.norm(place - MARKS[name]) < 0.35 * UNIT, name
    assert marks.fault({**MARKS, **found}, set(NAMES), {}, 0.3) == ""
    assert "chin" not in marks.estimated({name: MARKS[name] for name in (*marks.NEEDED, "chin")})


def test_estimated_brows_are_higher_above_taller_eyes() -> None:
    taller = {
        name: place + (np.array([0, 0, 0.1 * UNIT]) if name.startswith("lid_upper") else 0)
        for name, place in MARKS.items()
    }
    usual, tall = (
        marks.estimated({name: found[name] for name in marks.NEEDED}) for found in (MARKS, taller)
    )
    for name in ("brow_inner_left", "brow_outer_right"):
        assert usual[name][2] > MARKS["lid_upper_left"][2]
        assert tall[name][2] - usual[name][2] > 0.1 * UNIT, "higher by more than the lid"


def test_distances_are_those_of_triangles() -> None:
    corners, triangle = (
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32),
        np.array([[0, 1, 2]], np.int32),
    )
    at = {
        "above": (0.2, 0.2, 0.5),
        "beside": (-1.0, 0.5, 0.0),
        "beyond": (2.0, 0.0, 0.0),
        "edge": (0.5, 0.5, 0.0),
    }
    found = marks.distances(
        corners, triangle, {name: np.array(place) for name, place in at.items()}
    )
    assert found == pytest.approx(
        {"above": 0.5, "beside": 1.0, "beyond": 1.0, "edge": 0.0}, abs=1e-6
    )
    assert marks.distances(corners, np.zeros((0, 3), np.int32), {"x": np.zeros(3)}) == {"x": np.inf}


def test_the_nearest_triangle_is_that_of_all() -> None:
    """Most triangles are left out by a bound; what is found is what a look at all of them finds."""
    rng = np.random.default_rng(5)
    vertices = rng.normal(size=(400, 3)).astype(np.float32)
    triangles = rng.integers(0, 400, (200, 3)).astype(np.int32)
    triangles[:20, 1] = triangles[:20, 0]  # without an area
    points = np.concatenate([rng.normal(size=(6, 3)), vertices[:3], 50 * rng.normal(size=(3, 3))])
    found = marks.nearest_triangles(vertices, triangles, points)
    for point, (number, away) in zip(points, found, strict=True):
        alone = [
            marks.nearest_triangles(vertices, triangles[[each]], point[None])[0][1]
            for each in range(len(triangles))
        ]
        assert number == int(np.argmin(alone)) and away == alone[number]
