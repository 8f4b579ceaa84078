# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies: eyeballs are found on modelled heads and turn about their centre; teeth move in one
piece, tongues and bags are left alone.
"""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.analyse import eyeballs
from backend.face.analyse.mouth_parts import mouth_parts
from backend.face.correct import rigid_parts
from backend.face.geometry.mesh import Ints, loose_parts, part_boxes
from backend.face.geometry.motion import rigid, turned
from scripts.samples.anatomy import PARTS, Anatomy
from scripts.samples.modelled import BUILDERS, anatomy
from scripts.samples.rig import Floats

CONDITIONS = [
    f"{name}{side}"
    for name in ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeBlink")
    for side in ("Left", "Right")
]


@pytest.fixture(scope="module")
def head() -> tuple[Anatomy, Floats]:
    made, triangles = anatomy()
    return made, part_boxes(made.vertices, loose_parts(made.vertices, triangles))


def test_eyeballs_finds_both_and_nothing_else(head: tuple[Anatomy, Floats]) -> None:
    made, boxes = head
    found = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)
    assert set(found) == {"left", "right"}
    for side, (ball, _centre) in found.items():
        assert set(made.part[ball]) == {PARTS.index(f"eye_{side}")}
        assert len(ball) == (made.part == PARTS.index(f"eye_{side}")).sum()


def test_eyeballs_leaves_out_a_lash_close_before_one(
    head: tuple[Anatomy, Floats],
) -> None:
    made, _boxes = head
    ball, centre = eyeballs.eyeballs(made.vertices, _boxes, made.landmarks)["left"]
    radius = float(np.linalg.norm(made.vertices[ball] - centre, axis=1).mean())
    along = np.linspace(-0.9, 0.9, 30, dtype=np.float32)
    out = np.stack([np.sin(along), np.full_like(along, -0.3), np.cos(along)], axis=1)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    lash = (centre + np.concatenate([out * radius * 1.05, out * radius * 1.45])).astype(np.float32)
    vertices = np.concatenate([made.vertices, lash])
    box = np.concatenate([(lash.min(axis=0) + lash.max(axis=0)) / 2, np.ptp(lash, axis=0) / 2])
    boxes = np.concatenate([_boxes, np.tile(box, (len(lash), 1)).astype(np.float32)])
    again, _centre = eyeballs.eyeballs(vertices, boxes, made.landmarks)["left"]
    assert set(again) == set(ball)


def test_turn_eyes_turns_the_way_the_name_says(
    head: tuple[Anatomy, Floats],
) -> None:
    made, boxes = head
    offsets = np.full((len(CONDITIONS), len(made.vertices), 3), 0.1, np.float32)
    balls = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)
    rigid_parts.turn_eyes(dict(zip(CONDITIONS, offsets, strict=True)), made.vertices, balls)
    for side, sign in (("Left", 1), ("Right", -1)):
        ball, centre = balls[side.lower()]
        front = ball[made.vertices[ball, 2].argmax()]
        moved = {
            name: offsets[CONDITIONS.index(f"{name}{side}")]
            for name in ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeBlink")
        }
        assert moved["eyeLookUp"][front, 1] > 0.02 > -0.02 > moved["eyeLookDown"][front, 1]
        assert (
            sign * moved["eyeLookOut"][front, 0] > 0.02
            and sign * moved["eyeLookIn"][front, 0] < -0.02
        )
        assert not moved["eyeBlink"][ball].any()
        after = np.linalg.norm(made.vertices[ball] + moved["eyeLookOut"][ball] - centre, axis=1)
        np.testing.assert_allclose(
            after, np.linalg.norm(made.vertices[ball] - centre, axis=1), atol=1e-5
        )
    assert (offsets[:, made.part == PARTS.index("skin")] == np.float32(0.1)).all()


def test_turn_eyes_follows_a_trusted_model_in_one_piece(
    head: tuple[Anatomy, Floats],
) -> None:
    made, boxes = head
    balls = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)
    ball, centre = balls["left"]
    wanted = turned(made.vertices[ball], centre - np.array([0, 0, 0.1], np.float32), 0, 20.0)
    shapes = {name: np.zeros_like(made.vertices) for name in ("eyeLookDownLeft", "jawOpen")}
    noise = np.random.default_rng(0).normal(0, 0.003, wanted.shape).astype(np.float32)
    shapes["eyeLookDownLeft"][ball], shapes["jawOpen"][ball] = wanted + noise, noise
    rigid_parts.turn_eyes(shapes, made.vertices, balls, 1.0)
    got = shapes["eyeLookDownLeft"][ball]
    np.testing.assert_allclose(got, wanted, atol=2e-3)
    np.testing.assert_allclose(rigid(made.vertices[ball], got[None])[0], got, atol=1e-5)
    assert not shapes["jawOpen"].any()


def test_lift_lids_leaves_the_inside_of_a_lid(head: tuple[Anatomy, Floats]) -> None:
    made, boxes = head
    ball, centre = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)["left"]
    vertices = made.vertices.copy()
    skin = made.part == PARTS.index("skin")
    inside = np.flatnonzero(skin)[:1]
    out = made.vertices[ball] - centre
    deep = (
        centre
        + 0.8
        * out[
            np.abs(
                out @ np.array([0.0, 0.6, 0.8], np.float32) / np.linalg.norm(out, axis=1) - 1
            ).argmin()
        ]
    )
    vertices[inside] = deep
    blink = np.zeros_like(vertices)
    blink[inside] = centre + 0.8 * out[out[:, 2].argmax()] - deep
    before = blink.copy()
    rigid_parts.lift_lids(blink, vertices, skin, ball, centre)
    assert np.linalg.norm(blink - before, axis=1).max() < 0.05 * np.linalg.norm(out, axis=1).max()


def move_teeth(
    shapes: dict[str, Floats], vertices: Floats, boxes: Floats, pieces: Ints, lips: Floats
) -> None:
    """Find what is in the mouth by the shapes, and let it be stiff."""
    rigid_parts.move_teeth(
        shapes,
        vertices,
        mouth_parts(
            vertices, boxes, pieces, lips, jaw=shapes["jawOpen"], tongue=shapes["tongueOut"]
        ),
    )


def test_mouth_parts_tells_teeth_from_tongue_and_skin(head: tuple[Anatomy, Floats]) -> None:
    made, boxes = head
    shapes = {name: offsets for make in BUILDERS for name, offsets in make(made).items()}
    jaw = shapes["jawOpen"].copy()
    rng = np.random.default_rng(0)
    lower = made.part == PARTS.index("teeth_lower")
    jaw[lower] += rng.normal(0, 0.01, (lower.sum(), 3)).astype(np.float32)
    lips = (made.landmarks["lip_upper"] + made.landmarks["lip_lower"]) / 2
    skin, tongue = (made.part == PARTS.index(name) for name in ("skin", "tongue"))
    moved = {"jawOpen": jaw.copy(), "tongueOut": shapes["tongueOut"].copy()}
    move_teeth(moved, made.vertices, boxes, made.part, lips)
    np.testing.assert_array_equal(moved["jawOpen"][skin], jaw[skin])
    np.testing.assert_array_equal(moved["tongueOut"][tongue], shapes["tongueOut"][tongue])
    mine = np.flatnonzero(lower)
    before, after = (
        np.linalg.norm(v[:, None] - v[None], axis=2)
        for v in (made.vertices[mine], (made.vertices + moved["jawOpen"])[mine])
    )
    assert np.abs(before - after).max() < 1e-4


def test_rigid_leaves_a_rigid_motion() -> None:
    points = np.random.default_rng(3).normal(0, 0.3, (50, 3)).astype(np.float32)
    motion = turned(points, np.array([0.1, 0.2, 0.0], np.float32), 0, 25.0) + np.array(
        [0.1, 0.0, -0.2], np.float32
    )
    np.testing.assert_allclose(
        rigid(points, np.stack([motion, 0 * motion])), np.stack([motion, 0 * motion]), atol=1e-5
    )


def test_move_teeth_moves_them_with_the_jaw_only(head: tuple[Anatomy, Floats]) -> None:
    made, boxes = head
    shapes = {name: offsets.copy() for make in BUILDERS for name, offsets in make(made).items()}
    lower, upper = (made.part == PARTS.index(f"teeth_{name}") for name in ("lower", "upper"))
    shapes["mouthSmileLeft"][lower] = 0.05
    shapes["jawOpen"][upper, 1] -= 0.002
    skin = made.part == PARTS.index("skin")
    before = shapes["mouthSmileLeft"][skin].copy()
    lips = (made.landmarks["lip_upper"] + made.landmarks["lip_lower"]) / 2
    move_teeth(shapes, made.vertices, boxes, made.part, lips)
    assert not shapes["mouthSmileLeft"][lower].any() and not shapes["jawOpen"][upper].any()
    assert np.linalg.norm(shapes["jawOpen"][lower], axis=1).min() > 0.05
    np.testing.assert_array_equal(shapes["mouthSmileLeft"][skin], before)


@pytest.mark.parametrize(("share", "stays"), [(0.4, True), (0.7, False)])
def test_upper_teeth_that_fall_by_a_part_of_the_lower_ones_way_stay(
    head: tuple[Anatomy, Floats], share: float, stays: bool
) -> None:
    made = head[0]
    shapes = {name: offsets.copy() for make in BUILDERS for name, offsets in make(made).items()}
    lower, upper = (made.part == PARTS.index(f"teeth_{name}") for name in ("lower", "upper"))
    vertices = made.vertices.copy()
    vertices[upper, 0] *= 1.4  # not made alike, which would tell them
    boxes = part_boxes(vertices, made.part)
    shapes["jawOpen"][upper] = share * shapes["jawOpen"][lower].mean(axis=0)
    lips = (made.landmarks["lip_upper"] + made.landmarks["lip_lower"]) / 2
    move_teeth(shapes, vertices, boxes, made.part, lips)
    assert shapes["jawOpen"][lower, 1].max() < -0.02
    assert shapes["jawOpen"][upper].any() != stays


def disc(radius: float, height: float, curve: float = 0.0) -> Floats:
    """A disc of 60 vertices around (0.4, 0), curved like a sphere of radius `curve`, or flat."""
    turn, out = np.meshgrid(
        np.linspace(0, 2 * np.pi, 20, endpoint=False), np.array([0.3, 0.6, 1.0]) * radius
    )
    z = np.sqrt(curve**2 - out**2) - curve if curve else np.zeros_like(out)
    return np.asarray(
        np.stack([0.4 + out * np.cos(turn), out * np.sin(turn), height + z], axis=-1).reshape(
            -1, 3
        ),
        np.float32,
    )


@pytest.mark.parametrize("curve", [0.0, 0.3])
def test_turn_flat_eye_slides_an_iris_over_its_white(curve: float) -> None:
    vertices = np.concatenate([disc(0.2, -0.05, curve), disc(0.08, -0.04, curve), disc(0.2, 0.5)])
    owner = np.repeat(np.arange(3), 60).astype(np.int32)
    shapes = {name: np.full_like(vertices, 0.1) for name in CONDITIONS}
    rigid_parts.turn_flat_eye(shapes, vertices, owner, side="left", behind=owner < 2, half=0.2)
    white, iris, other = (owner == n for n in range(3))
    for name, axis, sign in (
        ("eyeLookUpLeft", 1, 1),
        ("eyeLookDownLeft", 1, -1),
        ("eyeLookOutLeft", 0, 1),
        ("eyeLookInLeft", 0, -1),
    ):
        assert not shapes[name][white].any() and (sign * shapes[name][iris, axis]).min() > 0.02, (
            name
        )
    assert (
        not shapes["eyeBlinkLeft"][white | iris].any() and not shapes["eyeLookUpRight"][iris].any()
    )
    assert all((offsets[other] == np.float32(0.1)).all() for offsets in shapes.values())
    moved = vertices[iris] + shapes["eyeLookOutLeft"][iris]
    away = np.linalg.norm(moved[:, :2] - [0.4, 0], axis=1)
    surface = np.sqrt(curve**2 - away**2) - curve if curve else np.zeros_like(away)
    assert np.abs(moved[:, 2] + 0.04 - surface).max() < 0.02, "it keeps to the white"


def test_turn_flat_eye_turns_one_part_as_a_whole() -> None:
    vertices = disc(0.2, -0.05)
    shapes = {name: np.zeros_like(vertices) for name in CONDITIONS}
    rigid_parts.turn_flat_eye(
        shapes, vertices, np.zeros(60, np.int32), side="left", behind=np.ones(60, bool), half=0.2
    )
    assert (shapes["eyeLookUpLeft"][:, 1] > 0.02).all()
    rigid_parts.turn_flat_eye(
        shapes, vertices, np.zeros(60, np.int32), side="left", behind=np.zeros(60, bool), half=0.2
    )
    assert (shapes["eyeLookUpLeft"][:, 1] > 0.02).all(), "nothing behind the lids, nothing to do"


@pytest.mark.parametrize("side", ["left", "right"])
def test_turn_flat_eye_keeps_the_outline_of_a_flattened_ball(side: str) -> None:
    up, around = np.meshgrid(
        np.linspace(0, np.pi, 12), np.linspace(0, 2 * np.pi, 24, endpoint=False), indexing="ij"
    )
    ball = np.stack(
        [np.sin(up) * np.cos(around), np.cos(up), np.sin(up) * np.sin(around)], axis=-1
    ).reshape(-1, 3)
    radii = np.array([0.3, 0.32, 0.05])
    middle = np.array([0.5 if side == "left" else -0.5, 0, 0])
    vertices = (ball * radii + middle).astype(np.float32)
    shapes = {
        f"eyeLook{way}{side.title()}": np.full_like(vertices, 0.1)
        for way in ("Up", "Down", "In", "Out")
    }
    rigid_parts.turn_flat_eye(
        shapes,
        vertices,
        np.zeros(len(ball), np.int32),
        side=side,
        behind=np.ones(len(ball), bool),
        half=0.3,
    )
    front, outwards = ball[:, 2] > 0.9, 1 if side == "left" else -1
    for way, axis, sign in (
        ("Up", 1, 1),
        ("Down", 1, -1),
        ("Out", 0, outwards),
        ("In", 0, -outwards),
    ):
        moved = shapes[f"eyeLook{way}{side.title()}"]
        assert (sign * moved[front, axis]).min() > 0.03, way
        assert (
            np.abs(np.linalg.norm((vertices + moved - middle) / radii, axis=1) - 1).max() < 0.03
        ), "it slides within itself"


def test_move_teeth_moves_a_tongue_in_one_piece_with_the_jaw(
    head: tuple[Anatomy, Floats],
) -> None:
    made, boxes = head
    shapes = {name: offsets.copy() for make in BUILDERS for name, offsets in make(made).items()}
    tongue = np.flatnonzero(made.part == PARTS.index("tongue"))
    shapes["jawOpen"][tongue] += (
        np.random.default_rng(2).normal(0, 0.02, (len(tongue), 3)).astype(np.float32)
    )
    out = shapes["tongueOut"][tongue].copy()
    move_teeth(
        shapes,
        made.vertices,
        boxes,
        made.part,
        (made.landmarks["lip_upper"] + made.landmarks["lip_lower"]) / 2,
    )
    rest, moved = made.vertices[tongue], made.vertices[tongue] + shapes["jawOpen"][tongue]
    before, after = (np.linalg.norm(v[:, None] - v[None], axis=2) for v in (rest, moved))
    assert np.abs(before - after).max() < 1e-4
    np.testing.assert_array_equal(shapes["tongueOut"][tongue], out)


def test_lift_lids_brings_a_lid_before_the_eye(
    head: tuple[Anatomy, Floats],
) -> None:
    made, boxes = head
    ball, centre = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)["left"]
    skin = made.part == PARTS.index("skin")
    radius = float(np.linalg.norm(made.vertices[ball] - centre, axis=1).max())
    blink = np.zeros_like(made.vertices)
    lid = np.flatnonzero(
        skin & (np.linalg.norm(made.vertices - made.landmarks["lid_upper_left"], axis=1) < 0.1)
    )
    blink[lid] = centre + np.array([0, 0, 0.9 * radius], np.float32) - made.vertices[lid]
    before = blink.copy()
    rigid_parts.lift_lids(blink, made.vertices, skin, ball, centre)
    assert (np.linalg.norm(made.vertices[lid] + blink[lid] - centre, axis=1) > radius * 0.99).all()
    np.testing.assert_array_equal(np.delete(blink, lid, axis=0), np.delete(before, lid, axis=0))
    outside = before * 0
    outside[lid] = np.array([0, 0, 2 * radius], np.float32)
    kept = outside.copy()
    rigid_parts.lift_lids(outside, made.vertices, skin, ball, centre)
    np.testing.assert_array_equal(outside, kept)


def test_move_teeth_parts_rows_that_lie_on_each_other() -> None:
    arch = np.linspace(-0.2, 0.2, 12)
    row = np.concatenate(
        [np.stack([arch, np.full(12, y), -arch * arch], axis=1) for y in (0.0, 0.1)]
    ).astype(np.float32)
    vertices = np.concatenate([row + [0, 0.05, 0], row, row[:2] * 0.1 + [0.6, 0, 0]]).astype(
        np.float32
    )
    parts = np.repeat(
        [[0, 0.07, -0.02, 0.2, 0.075, 0.02], [0.6, 0, 0, 0.01, 0.01, 0.01]], [48, 2], axis=0
    ).astype(np.float32)
    pieces = np.repeat(np.arange(3), [24, 24, 2]).astype(np.int32)
    shapes = {
        name: np.zeros_like(vertices)
        for name in ("jawOpen", "tongueOut", "mouthSmileLeft", "mouthLeft")
    }
    shapes["jawOpen"][:48, 1] = -0.1 + 0.1 * np.abs(vertices[:48, 0])
    shapes["jawOpen"][:24] *= 0.3  # a model that is not sure about upper ones
    shapes["mouthSmileLeft"][:48, 1] = 0.05 * vertices[:48, 0]
    shapes["mouthLeft"][:48, 0] = 0.05
    move_teeth(shapes, vertices, parts, pieces, np.array([0, 0.07, 0.1], np.float32))
    assert not shapes["jawOpen"][:24].any() and not shapes["mouthSmileLeft"][:48].any()
    lower = shapes["jawOpen"][24:48]
    assert lower[:, 1].max() < -0.05 and np.ptp(lower, axis=0).max() < 0.03, "in one piece"
    assert shapes["mouthLeft"][:48, 0].min() > 0.04, "they slide along, or they would show"


@pytest.mark.parametrize("size", [1.0, 2.5])
def test_eyeballs_takes_the_front_of_a_ball_only(head: tuple[Anatomy, Floats], size: float) -> None:
    made, boxes = head
    ball, centre = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)["left"]
    others = np.setdiff1d(np.arange(len(made.vertices)), ball)
    away = made.vertices[ball] - centre
    radius = size * float(np.linalg.norm(away, axis=1).mean())
    middle = centre + np.array([0, 0, (1 - size) * radius / size], np.float32)
    for sign, wanted in ((1, {"left", "right"}), (-1, {"right"})):
        half = (middle + size * away[sign * away[:, 2] > 0.1 * radius / size]).astype(np.float32)
        half[:, 2] -= sign * 0.3 * radius if sign < 0 else 0  # in reach, though it is hollow
        box = np.concatenate([(half.min(axis=0) + half.max(axis=0)) / 2, np.ptp(half, axis=0) / 2])
        vertices = np.concatenate([made.vertices[others], half])
        found = eyeballs.eyeballs(
            vertices,
            np.concatenate([boxes[others], np.tile(box, (len(half), 1))]).astype(np.float32),
            made.landmarks,
        )
        assert set(found) == wanted
        if sign > 0:
            assert np.abs(found["left"][1] - middle).max() < 0.05 * radius
