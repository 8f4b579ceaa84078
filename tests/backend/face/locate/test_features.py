# SPDX-License-Identifier: GPL-3.0-or-later
"""A face by its features alone: eyes that mirror each other, a mouth below them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.geometry.frame import Frame
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import AvatarMesh, loose_parts, weld
from backend.face.geometry.orientation import outward
from backend.face.locate import features
from backend.face.locate.encoder_search import EncoderSearch, Found
from backend.face.locate.places import Asked, by_features
from backend.face.locate.points import cloud_of
from backend.face.locate.proposals import about
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from backend.service.generate import find_face
from backend.service.report import new_report

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Piece = tuple[Doubles, Ints]
EYES = 0.4, 0.3, 0.55  # where the left one's middle is


def ball(at: tuple[float, float, float], half: tuple[float, float, float], rows: int = 8) -> Piece:
    """An ellipsoid."""
    along, around = np.meshgrid(
        np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, 2 * rows + 1), indexing="ij"
    )
    points = np.stack(
        [np.sin(along) * np.cos(around), np.cos(along), np.sin(along) * np.sin(around)], -1
    )
    return points.reshape(-1, 3) * np.array(half) + np.array(at), sheet(rows + 1, 2 * rows + 1)


def sheet(rows: int, columns: int) -> Ints:
    """Triangles of a grid."""
    a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    halves = (
        np.stack([a, a + 1, a + columns], 1),
        np.stack([a + 1, a + columns + 1, a + columns], 1),
    )
    return np.asarray(np.concatenate(halves), np.int32)


def muzzle() -> Piece:
    """A head with a slit: an outline of y and z drawn out along x, its sides open."""
    outline = [
        (1, -1),
        (1, 0.5),
        (0.1, 0.5),
        (-0.1, 1),
        (-0.28, 1),
        (-0.3, 0.4),
        (-0.32, 0.4),
        (-0.34, 0.95),
        (-0.6, 0.8),
        (-1, 0.3),
        (-1, -1),
        (1, -1),
    ]
    corners = np.array(outline, float)
    fine = np.concatenate(
        [
            a + (b - a) * np.linspace(0, 1, 8, endpoint=False)[:, None]
            for a, b in itertools.pairwise(corners)
        ]
    )
    fine = np.concatenate([fine, corners[:1]])
    wide = np.linspace(-0.8, 0.8, 17)
    points = np.concatenate(
        [
            np.broadcast_to(wide[:, None, None], (17, len(fine), 1)),
            np.broadcast_to(fine, (17, *fine.shape)),
        ],
        axis=2,
    )
    return points.reshape(-1, 3), sheet(17, len(fine))


def found(*pieces: Piece, head: float = np.inf) -> dict[str, Doubles]:
    """head: how far ahead vertices are of the head at most."""
    places = np.concatenate([points for points, _ in pieces])
    first = np.cumsum([0, *(len(points) for points, _ in pieces)])
    triangles = np.concatenate(
        [faces + start for (_, faces), start in zip(pieces, first, strict=False)]
    ).astype(np.int32)
    group = weld(places.astype(np.float32))
    parts = loose_parts(places.astype(np.float32), triangles, group)
    turned = outward(places.astype(np.float32), triangles, parts)
    return features.landmarks(places, turned, group, parts, places[:, 2] <= head)


def eyes(size: float = 0.12, high: float = 0.12) -> list[Piece]:
    return [ball((sign * EYES[0], *EYES[1:]), (size, high, 0.05)) for sign in (1, -1)]


def test_a_muzzle_has_its_mouth_where_the_surface_folds_in() -> None:
    at = found(muzzle(), *eyes())
    assert set(at) == set(NAMES)
    for side, sign in (("left", 1), ("right", -1)):
        middle = np.mean(
            [at[f"{name}_{side}"] for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")],
            axis=0,
        )
        assert middle[:2] == pytest.approx([sign * EYES[0], EYES[1]], abs=0.03)
        assert at[f"eye_outer_{side}"][0] * sign > at[f"eye_inner_{side}"][0] * sign + 0.15
        assert at[f"mouth_{side}"][0] * sign > 0.3
        assert at[f"mouth_{side}"][1] == pytest.approx(-0.31, abs=0.05)
    assert at["lip_upper"][1] > at["lip_lower"][1]
    assert at["lip_upper"][1:] == pytest.approx([-0.28, 0.95], abs=0.1)


def test_a_mouth_that_is_a_part_is_one_whatever_the_skin_does() -> None:
    skin = ball((0, 0, -0.4), (1, 1.2, 1))
    at = found(
        skin,
        *eyes(),
        ball((0, -0.3, 0.62), (0.25, 0.05, 0.04)),
        ball((0, 0.05, 0.7), (0.08, 0.1, 0.08)),
    )
    assert [at[f"mouth_{side}"][0] for side in ("left", "right")] == pytest.approx(
        [0.25, -0.25], abs=0.01
    )
    assert at["lip_upper"][1] == pytest.approx(-0.3, abs=0.05)


@pytest.mark.parametrize(
    "pieces",
    [
        [ball((0, 0, -0.4), (1, 1.2, 1)), *eyes()],
        [muzzle(), eyes()[0]],
        [muzzle(), *eyes(0.12, 0.03)],
        [muzzle(), *eyes(0.3, 0.3)],
        [
            muzzle(),
            ball((0.4, 0.3, 0.55), (0.12, 0.12, 0.05)),
            ball((-0.4, 0.0, 0.55), (0.12, 0.12, 0.05)),
        ],
        [
            muzzle(),
            ball((0.9, 0.3, 0.4), (0.12, 0.12, 0.05)),
            ball((-0.9, 0.3, 0.4), (0.12, 0.12, 0.05)),
        ],
    ],
    ids=["no mouth", "one eye", "brows", "too large", "uneven", "ears"],
)
def test_what_is_no_face_has_no_landmarks(pieces: list[Piece]) -> None:
    assert found(*pieces) == {}


def test_only_the_head_is_looked_at() -> None:
    assert found(muzzle(), *eyes())
    assert found(muzzle(), *eyes(), head=0.45) == {}


def muzzled_mesh() -> tuple[Doubles, Ints]:
    """A muzzle with eyes, level: vertices (V,3) and triangles (T,3)."""
    (points, faces), *others = muzzle(), *eyes()
    places = [points, *(own for own, _ in others)]
    first = np.cumsum([0, *(len(own) for own in places)])
    triangles = np.concatenate(
        [faces, *(own + start for (_, own), start in zip(others, first[1:], strict=False))]
    ).astype(np.int32)
    return np.concatenate(places), triangles


@pytest.mark.parametrize("turned", range(4))
def test_a_face_may_look_where_the_encoder_saw_one_look(turned: int) -> None:
    level, triangles = muzzled_mesh()
    up = np.array([0.0, 1.0, 0.0])
    heading = about(1, np.pi / 2 * turned)
    vertices = (level @ heading).astype(np.float32)
    group = weld(vertices)
    parts = loose_parts(vertices, triangles, group)
    mesh = AvatarMesh(vertices, outward(vertices, triangles, parts), up=(0.0, 1.0, 0.0))
    asked = Asked(mesh, group, parts, np.ones(len(triangles), bool))
    search = EncoderSearch(
        cloud_of(vertices, mesh.triangles, parts), encode_with(load_model(), Cancellation()), NAMES
    )
    sees = Found(Frame(np.zeros(3), heading, 1.0), 0.9)
    place = by_features(asked, search, up, sees)
    assert place is not None
    at = dict(zip(NAMES, place.frame.to_object(place.landmarks) @ heading.T, strict=True))
    assert at["mouth_left"][0] > 0.3
    assert at["mouth_left"][1:] == pytest.approx([-0.31, 0.9], abs=0.1)
    assert at["eye_outer_left"][0] > at["eye_inner_left"][0] + 0.15
    unseen = by_features(asked, search, up, replace(sees, confidence=0.5))
    assert (unseen is None) == (turned > 0)  # a back may look like a face


@pytest.mark.parametrize("turned", range(4))
def test_a_face_that_the_encoder_does_not_know_is_found_by_its_features(turned: int) -> None:
    """Turned about: its bones say where it looks, as in files of VRM 0.x."""
    level, triangles = muzzled_mesh()
    heading = about(2, np.pi / 2 * turned)
    vertices = level[:, [0, 2, 1]] * [1, -1, 1] @ heading
    sides = {
        name: tuple(np.array([x, 0, -2.0]) @ heading)
        for name, x in (("left_side", 1.0), ("right_side", -1.0))
    }
    mesh = AvatarMesh(
        np.ascontiguousarray(vertices, np.float32),
        triangles,
        up=(0.0, 0.0, 1.0),
        bones=sides if turned else {},
    )
    model = load_model()
    report = new_report(mesh, model)
    face = find_face(mesh, model, report, lambda _stage, _fraction: None, Cancellation())
    places = face.frame.to_object(face.landmarks) @ heading.T
    at = dict(zip(model.info.landmarks, places, strict=True))
    assert 0.6 < face.confidence < 0.85 and any("sure" in warning for warning in report.warnings)
    assert at["mouth_left"][2] == pytest.approx(-0.31, abs=0.06)
    assert np.mean([at[f"{name}_left"] for name in ("eye_inner", "eye_outer")], axis=0)[
        [0, 2]
    ] == pytest.approx([0.4, 0.3], abs=0.05)
