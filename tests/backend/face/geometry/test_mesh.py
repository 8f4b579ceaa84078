# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from fixtures.meshes import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend.errors import BackendError
from backend.face.geometry.frame import Frame, frame_of_landmarks
from backend.face.geometry.landmarks import EYE, NAMES, mirrored
from backend.face.geometry.mesh import (
    AvatarMesh,
    Floats,
    Ints,
    among,
    check,
    connected_parts,
    distinct_rows,
    loose_parts,
    nearest,
    part_boxes,
    weld,
)
from backend.face.geometry.normals import seamless_normals, vertex_normals


def box(centre: tuple[float, float, float], half: float = 0.5) -> tuple[Floats, Ints]:
    """A closed box of 8 vertices and 12 triangles, wound outwards."""
    corners = np.array(
        [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32
    ) * half + np.array(centre, np.float32)
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)


def split(vertices: Floats, triangles: Ints) -> tuple[Floats, Ints]:
    """The same surface with no vertex shared, as UV seams leave it."""
    return vertices[triangles.ravel()], np.arange(triangles.size, dtype=np.int32).reshape(-1, 3)


def two_boxes() -> tuple[Floats, Ints]:
    first, triangles = box((0, 0, 0))
    second, _ = box((5, 0, 0), 0.25)
    return np.concatenate([first, second]), np.concatenate([triangles, triangles + 8]).astype(
        np.int32
    )


def test_vertex_normals_of_a_box_point_outwards() -> None:
    vertices, triangles = box((3, 1, -2))
    normals = vertex_normals(vertices, triangles)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert ((normals * (vertices - np.array([3, 1, -2], np.float32))).sum(axis=1) > 0).all()


def test_vertex_normals_are_zero_on_loose_vertices() -> None:
    vertices, triangles = box((0, 0, 0))
    normals = vertex_normals(np.concatenate([vertices, [[9, 9, 9]]]).astype(np.float32), triangles)
    assert not normals[-1].any()


def test_weld_joins_split_vertices() -> None:
    vertices, triangles = split(*two_boxes())
    assert weld(vertices).max() + 1 == 16
    parts = loose_parts(vertices, triangles)
    assert parts.max() + 1 == 2
    assert len(np.unique(parts[triangles[:12]])) == 1
    boxes = part_boxes(vertices, parts)
    assert np.allclose(boxes[triangles[0, 0]], [0, 0, 0, 0.5, 0.5, 0.5])
    assert np.allclose(boxes[triangles[-1, 0]], [5, 0, 0, 0.25, 0.25, 0.25])


def test_seamless_normals_keep_closed_lips_apart() -> None:
    flat = np.array(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0.1], [0, 1, 0]], np.float32
    )
    normals = seamless_normals(flat, np.array([[0, 1, 2], [3, 4, 5]], np.int32))
    assert np.allclose(normals[1], normals[3]) and np.allclose(normals[2], normals[5])
    lips = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1]] * 2, np.float32)
    upper, lower = np.split(seamless_normals(lips, np.array([[0, 1, 2], [3, 5, 4]], np.int32)), 2)
    assert np.allclose(upper, -lower) and np.abs(upper).max() == 1


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int32, st.tuples(st.integers(1, 60), st.just(3)), elements=st.integers(0, 39)))
def test_connected_parts_agree_with_a_plain_search(triangles: Ints) -> None:
    label = list(range(40))
    for _ in range(40):  # slow and obvious: spread the smallest label until nothing changes
        for a, b, c in triangles.tolist():
            label[a] = label[b] = label[c] = min(label[a], label[b], label[c])
    parts = connected_parts(40, triangles)
    pairs = set(zip(label, parts.tolist(), strict=True))
    assert len(pairs) == len(set(label)) == len(set(parts.tolist()))


@pytest.mark.parametrize(
    ("vertices", "triangles", "code"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3)), "mesh_empty"),
        (np.zeros((3, 3)), np.zeros((0, 3)), "mesh_empty"),
        (np.zeros((3, 2)), np.zeros((1, 3)), "mesh_invalid"),
        (np.zeros((3, 3)), np.zeros((1, 4)), "mesh_invalid"),
        (np.zeros((3, 3)), np.full((1, 3), 3), "mesh_invalid"),
        (np.zeros((3, 3)), np.full((1, 3), -1), "mesh_invalid"),
        (np.full((3, 3), np.nan), np.zeros((1, 3)), "mesh_not_finite"),
        (np.full((3, 3), np.inf), np.zeros((1, 3)), "mesh_not_finite"),
    ],
)
def test_bad_meshes_are_refused(
    vertices: NDArray[np.float64], triangles: NDArray[np.float64], code: str
) -> None:
    with pytest.raises(BackendError) as error:
        check(AvatarMesh(vertices.astype(np.float32), triangles.astype(np.int32)))
    assert error.value.code == code and error.value.fix


def test_weights_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(BackendError) as error:
        check(AvatarMesh(*box((0, 0, 0)), head_weights=np.ones(7, np.float32)))
    assert error.value.code == "mesh_invalid" and "head_weights" in str(error.value)


def neutral_landmarks() -> dict[str, NDArray[np.float64]]:
    """A face in its canonical frame: eyes 1 apart, mouth 1 below."""
    points = {name: np.zeros(3) for name in NAMES}
    for side, x in (("left", 0.5), ("right", -0.5)):
        for name, dx, dy in (
            ("eye_inner", -0.1, 0),
            ("eye_outer", 0.1, 0),
            ("lid_upper", 0, 0.05),
            ("lid_lower", 0, -0.05),
        ):
            points[f"{name}_{side}"] = np.array([x + np.sign(x) * dx, dy, 0.0])
        points[f"mouth_{side}"] = np.array([x / 2, -1.0, 0.0])
    return points


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-2, 2), st.floats(-50, 50))
def test_frame_of_landmarks_follows_any_rigid_motion_and_scale(
    seed: int, magnitude: float, distance: float
) -> None:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    placed = Frame(rng.normal(size=3) * distance, rotation, 10.0**magnitude)
    neutral = neutral_landmarks()
    found = frame_of_landmarks(
        {n: p @ placed.rotation * placed.scale + placed.origin for n, p in neutral.items()}
    )
    assert np.allclose(found.rotation, placed.rotation, atol=1e-6)
    assert np.isclose(found.scale, placed.scale, rtol=1e-6)
    points = rng.normal(size=(20, 3)).astype(np.float32)
    size = found.scale + float(np.abs(found.origin).max())
    assert np.allclose(
        found.to_canonical(found.to_object(points)), points, atol=2e-6 * size / found.scale
    )
    assert np.allclose(
        found.offsets_to_object(points), found.to_object(points) - found.origin, atol=2e-6 * size
    )


@pytest.mark.parametrize("mouth", [(0.0, 0.0, 0.0), (0.5, 0.0, 0.0)])
def test_frame_of_landmarks_has_numbers_for_any_landmarks(
    mouth: tuple[float, float, float],
) -> None:
    eyes = {
        f"{name}_{side}": np.array([sign, 0, 0])
        for name in EYE
        for side, sign in (("left", 1.0), ("right", -1.0))
    }
    with np.errstate(all="raise"):
        frame = frame_of_landmarks(
            eyes | {f"mouth_{side}": np.array(mouth) for side in ("left", "right")}
        )
    np.testing.assert_array_equal(frame.rotation, [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_offsets_to_object_leaves_exact_zeros() -> None:
    frame = Frame(np.ones(3) * 7, np.eye(3), 0.1)
    assert not frame.offsets_to_object(np.zeros((4, 3), np.float32)).any()


def test_mirrored_knows_every_landmark() -> None:
    assert sorted(map(mirrored, NAMES)) == sorted(NAMES)
    assert (
        mirrored("eyeBlinkLeft") == "eyeBlinkRight"
        and mirrored("jawOpen") == "jawOpen"
        and mirrored("jawLeft") == "jawRight"
    )


def test_seamless_normals_are_the_same_on_a_split_crease() -> None:
    vertices, triangles = box((0, 0, 0))
    apart = seamless_normals(*split(vertices, triangles))
    np.testing.assert_allclose(
        apart, seamless_normals(vertices, triangles)[triangles.ravel()], atol=1e-6
    )
    ridge = np.array(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0.4], [0, 1, -0.4]], np.float32
    )  # a fold of 44 degrees: its sides nearly face each other
    sides = np.array([[0, 1, 2], [1, 0, 3]], np.int32)
    np.testing.assert_allclose(
        seamless_normals(*split(ridge, sides)),
        seamless_normals(ridge, sides)[sides.ravel()],
        atol=1e-6,
    )


def test_seamless_normals_are_the_same_where_every_edge_is_split() -> None:
    vertices, triangles = ball(12, 16, (0.0, 0.0, 0.0), (1.0, 0.7, 1.2))
    corners = triangles.reshape(-1)
    apart = seamless_normals(
        vertices[corners], np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    )
    np.testing.assert_allclose(apart, seamless_normals(vertices, triangles)[corners], atol=1e-5)


def test_among_takes_triangles_with_all_corners() -> None:
    triangles = np.array([[0, 1, 2], [2, 1, 3], [4, 2, 0]], np.int32)
    assert among(np.array([2, 0, 1], np.int32), triangles).tolist() == [[1, 2, 0]]
    assert among(np.array([4, 2, 0, 3], np.int32), triangles).tolist() == [[0, 1, 2]]
    assert among(np.array([4], np.int32), triangles).shape == (0, 3)


@pytest.mark.parametrize("seed", range(5))
def test_nearest_does_not_hang_on_the_origin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, others = (
        np.array([0.5, -1.5, 1.0], np.float32)
        + rng.uniform(-0.3, 0.3, (count, 3)).astype(np.float32)
        for count in (400, 3000)
    )
    away = ((points[:, None].astype(np.float64) - others[None]) ** 2).sum(axis=2)
    found = away[np.arange(len(points)), nearest(points, others)]
    np.testing.assert_allclose(found, away.min(axis=1), atol=5e-8)
    moved = away + 0.05 * others[None, :, 0]  # what is added counts
    found = moved[
        np.arange(len(points)), nearest(points, others, lambda q: q[:, 0] * np.float32(0.05))
    ]
    np.testing.assert_allclose(found, moved.min(axis=1), atol=5e-8)


def test_distinct_rows_tells_boxes_apart_by_any_number() -> None:
    rng = np.random.default_rng(8)
    rows = np.repeat(
        rng.integers(0, 2, (400, 6)).astype(np.float32), rng.integers(1, 4, 400), axis=0
    )
    distinct, which = distinct_rows(rows)
    wanted, index = np.unique(rows, axis=0, return_inverse=True)
    np.testing.assert_array_equal(distinct, wanted)
    np.testing.assert_array_equal(which, index.ravel())
