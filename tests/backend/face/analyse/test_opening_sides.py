# SPDX-License-Identifier: GPL-3.0-or-later
"""Sides of openings: told by the way along the surface, not by height, and whatever the mesh is cut
into.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.analyse import opening_sides
from backend.face.analyse.face_skin import MARKS, face_skin
from backend.face.analyse.opening_sides import lip_lid_side, opposite_edge, opposites
from backend.face.geometry.mesh import loose_parts
from scripts.samples.anatomy import OPENINGS, PARTS, Anatomy
from scripts.samples.modelled import anatomy
from scripts.samples.modelled import modelled as rigged
from scripts.train.edges import lip_pairs, skin_of

SEEDS = (None, 1, 2)


def modelled(seed: int | None) -> tuple[Anatomy, NDArray[np.int32]]:
    return anatomy(None if seed is None else np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("opening", ["mouth", "eye_left", "eye_right"])
def test_lip_lid_side_tells_upper_from_lower_edges(seed: int | None, opening: str) -> None:
    head, triangles = modelled(seed)
    found = lip_lid_side(head.vertices, triangles, head.landmarks)[
        :, 0 if opening == "mouth" else 1
    ]
    edge = (
        (head.opening == OPENINGS.index(opening))
        & (head.ring >= 0)
        & (head.ring < 0.3)
        & (np.abs(np.sin(head.turn)) > 0.7)
    )
    upper = np.sin(head.turn[edge]) > 0
    assert ((found[edge] > 0) == upper).mean() > 0.97
    assert found[edge][upper].mean() > 0.15 and found[edge][~upper].mean() < -0.15


def test_lips_of_a_mouth_close_to_the_chin_are_told_from_as_far_above_as_below() -> None:
    head, triangles = modelled(None)
    far = dict(head.landmarks)
    # as far as the brows, where small mouths lie low on the face
    far["nose_tip"] = (far["brow_inner_left"] + far["brow_inner_right"]) / 2
    lips = (far["lip_upper"] + far["lip_lower"]) / 2
    far["chin"] = lips + (far["chin"] - lips) / 2
    edge = (head.opening == OPENINGS.index("mouth")) & (head.ring >= 0) & (head.ring < 0.3)
    upper = edge & (np.sin(head.turn) > 0.5)
    found = lip_lid_side(head.vertices, triangles, far)[:, 0]
    assert (found[upper] > 0).mean() > 0.97 and found[upper].mean() > 0.1


@pytest.mark.parametrize("seed", [(99, 6), (5, 48), (5, 63)])
def test_lips_of_muzzles_and_small_mouths_are_told_apart(seed: tuple[int, int]) -> None:
    """The first has a chin so far back that half the way to it ends on the floor of the mouth; the
    others have mouths close to the chin.
    """
    rig = rigged(np.random.default_rng(seed))
    marks = rig.landmarks(rig.vertices, rig.shapes)
    scale = np.float32(1 / np.linalg.norm(marks["eye_outer_left"] - marks["eye_outer_right"]))
    lips = lip_pairs(rig, skin_of(rig, marks))
    assert lips is not None
    at = {name: place * scale for name, place in marks.items()}
    found = lip_lid_side(rig.vertices * scale, rig.triangles, at, eyes=False)[:, 0]
    assert found[lips.upper].min() > 0 and found[lips.lower].max() < -0.1


def test_lip_lid_side_is_the_same_on_split_vertices() -> None:
    head, triangles = modelled(None)
    split, corners = (
        head.vertices[triangles.ravel()],
        np.arange(triangles.size, dtype=np.int32).reshape(-1, 3),
    )
    whole, torn = (
        lip_lid_side(head.vertices, triangles, head.landmarks),
        lip_lid_side(split, corners, head.landmarks),
    )
    known = (
        torn != 0
    )  # at the rim of what is looked at, a corner may lie in a triangle that is outside
    assert known.sum() > 0.97 * (whole[triangles.ravel()] != 0).sum()
    np.testing.assert_allclose(torn[known], whole[triangles.ravel()][known], atol=1e-4)


def test_lip_lid_side_is_unknown_without_a_path() -> None:
    head, triangles = modelled(None)
    few = lip_lid_side(head.vertices, triangles[:4], head.landmarks)
    assert few.shape == (len(head.vertices), 2) and not few.any()
    far = np.linalg.norm(head.vertices - head.landmarks["chin"], axis=1) > 3
    assert not lip_lid_side(head.vertices, triangles, head.landmarks)[far].any()


def test_opposite_edge_fades_in_the_corners() -> None:
    vertices = np.array([[0, 0.1, 0], [0, -0.1, 0], [1, 0.02, 0]], np.float32)
    opposite = np.array([[1, -1], [0, -1], [0, 1]], np.int32)
    side = np.array([[0.5, 0], [-0.5, 0], [0.05, -1]], np.float32)
    found = opposite_edge(vertices, opposite, side)
    np.testing.assert_allclose(found[:2], [[0, -0.2, 0, 0, 0, 0], [0, 0.2, 0, 0, 0, 0]], atol=1e-7)
    np.testing.assert_allclose(found[2], [-0.5, 0.04, 0, -1, -0.12, 0], atol=1e-7)


def test_face_skin_is_no_layer_before_the_face() -> None:
    head, triangles = anatomy()
    front = np.flatnonzero(
        (head.part == PARTS.index("skin"))
        & (head.vertices[:, 2] > -0.3)
        & (head.vertices[:, 1] > -1.3)
    )
    sheet = head.vertices[front] + np.array(
        [0, 0, 0.02], np.float32
    )  # a blush, as it is drawn before the cheeks
    vertices = np.concatenate([head.vertices, sheet])
    parts = loose_parts(head.vertices, triangles)
    labels = np.concatenate([parts, np.full(len(sheet), parts.max() + 1, parts.dtype)])
    on_the_sheet = {
        name: place + np.array([0, 0, 0.02], np.float32) for name, place in head.landmarks.items()
    }
    found = face_skin(vertices, labels, on_the_sheet)
    assert not found[len(head.vertices) :].any()
    assert (found[: len(head.vertices)] == face_skin(head.vertices, parts, head.landmarks)).all()


def test_face_skin_takes_landmarks_far_away() -> None:
    vertices = np.array([[0, 9.4, 0.2]], np.float32)
    marks = dict.fromkeys(
        MARKS, np.array([2.0953202e7, 0, 0], np.float32)
    )  # the square of this root is smaller than the number was
    assert face_skin(vertices, np.zeros(1, np.int32), marks).all()


def test_opposites_of_the_middle_do_not_hang_on_last_bits() -> None:
    head, triangles = modelled(None)
    middle = np.flatnonzero(np.abs(head.vertices[:, 0]) < 1e-6)
    assert len(middle) > 10
    side = lip_lid_side(head.vertices, triangles, head.landmarks)
    found = opposites(head.vertices, triangles, head.landmarks, side)
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 1e-7, head.vertices.shape)
        assert (
            opposites((head.vertices + noise).astype(np.float32), triangles, head.landmarks, side)[
                middle
            ]
            == found[middle]
        ).all()


def test_ways_of_a_thousand_edges_are_found_to_their_end() -> None:
    """As on heads of 700,000 vertices."""
    along, across = np.arange(1001), np.arange(3)
    points = np.array([(x, y, 0) for x in along for y in across], np.float32)
    corner = np.array([3 * x + y for x in along[:-1] for y in across[:-1]], np.int32)
    triangles = np.concatenate(
        [
            np.stack([corner, corner + 3, corner + 1], axis=1),
            np.stack([corner + 1, corner + 3, corner + 4], axis=1),
        ]
    )
    ways = opening_sides._distances(points, triangles, np.array([[0], [3000]]))
    assert ways[0, ::3] == pytest.approx(along)
    assert ways[1, ::3] == pytest.approx(along[::-1])
