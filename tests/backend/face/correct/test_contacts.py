# SPDX-License-Identifier: GPL-3.0-or-later
"""Lids, lashes and lips: a shape that stops half-way is sent the whole way, and one that does
something else is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face.analyse import eyeballs, lids
from backend.face.analyse.flat_features import drawn_eye
from backend.face.analyse.head import head_of
from backend.face.analyse.surface import Surface, surface_of
from backend.face.correct import closing, contacts, flat_shapes, rules
from backend.face.geometry.mesh import loose_parts, part_boxes, weld
from backend.face.params.analyse import LIDS
from backend.face.params.correct import CLOSING, CONTACTS, FLAT_SHAPES
from scripts.samples.anatomy import OPENINGS, PARTS, Anatomy
from scripts.samples.modelled import BUILDERS, anatomy

UPPER, LOWER = np.array([0.5, 0.2, 0.0], np.float32), np.array([0.5, -0.1, 0.0], np.float32)


def lid(share: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A strip of skin above an eye and a blink that goes `share` of the way at the edge and nowhere
    at the brow.
    """
    rng = np.random.default_rng(4)
    vertices = np.column_stack(
        [rng.uniform(0.3, 0.7, 400), rng.uniform(0.2, 0.45, 400), np.zeros(400)]
    ).astype(np.float32)
    vertices[:40, 1] = 0.2
    fade = np.clip((0.45 - vertices[:, 1]) / 0.25, 0, 1)[:, None]
    return vertices, (fade * share * (LOWER - UPPER)).astype(np.float32)


@pytest.mark.parametrize("share", [0.5, 0.8, 1.0, 1.3])
def test_the_upper_lid_reaches_the_lower_one(share: float) -> None:
    vertices, blink = lid(share)
    gain = contacts.lid_gain(vertices, blink, UPPER, LOWER)
    assert gain * share == pytest.approx(1.0, abs=0.12)


def test_gains_stay_within_bounds_and_leave_alone_what_goes_another_way() -> None:
    vertices, blink = lid(0.05)
    assert contacts.lid_gain(vertices, blink, UPPER, LOWER) == CONTACTS.gain_most
    assert contacts.lid_gain(vertices, -blink, UPPER, LOWER) == 1.0
    assert contacts.lid_gain(vertices, np.zeros_like(blink), UPPER, LOWER) == 1.0
    assert contacts.lid_gain(vertices, blink, UPPER, UPPER) == 1.0


@pytest.mark.parametrize("share", [0.5, 1.0, 1.5])
def test_mouth_close_takes_back_what_jaw_open_parts(share: float) -> None:
    x = np.linspace(-0.3, 0.3, 30, dtype=np.float32)
    vertices = np.concatenate(
        [np.column_stack([x, 0 * x - 1 + y, 0 * x]) for y in (0.01, -0.01)]
    ).astype(np.float32)
    lower = vertices[:, 1] < -1
    jaw, close = np.zeros_like(vertices), np.zeros_like(vertices)
    jaw[lower, 1], close[lower, 1], close[~lower, 1] = -0.4, 0.3 * share, -0.1 * share
    gain = contacts.lip_gain(vertices, jaw, close, np.array([0, -1, 0], np.float32))
    both = jaw + gain * close
    assert both[lower, 1].mean() == pytest.approx(both[~lower, 1].mean(), abs=1e-5)
    assert (
        contacts.lip_gain(vertices, np.zeros_like(jaw), close, np.array([0, -1, 0], np.float32))
        == 1.0
    )


def test_gains_name_the_conditions_they_are_for() -> None:
    vertices, blink = lid(0.5)
    marks = {"lid_upper_left": UPPER, "lid_lower_left": LOWER}
    assert set(
        contacts.gains(vertices, marks, {"eyeBlinkLeft": blink, "eyeBlinkRight": blink})
    ) == {"eyeBlinkLeft"}
    assert contacts.gains(vertices, {}, {"eyeBlinkLeft": blink}) == {}


Head = tuple[Anatomy, Surface, dict[str, NDArray[np.float32]]]


@pytest.fixture(scope="module", params=[None, 1, 2], ids=["default", "seed1", "seed2"])
def head(request: pytest.FixtureRequest) -> Head:
    """A modelled head, what contacts are read from on it, and its own shapes."""
    made, triangles = anatomy(
        None if request.param is None else np.random.default_rng(request.param), 0.0
    )
    shapes = {name: offsets for make in BUILDERS for name, offsets in make(made).items()}
    lips = (made.landmarks["lip_upper"] + made.landmarks["lip_lower"]) / 2
    by_turn = np.where(
        made.opening == OPENINGS.index("mouth"),
        np.sin(made.turn),
        np.sign(made.vertices[:, 1] - lips[1]),
    )
    sides = np.stack([by_turn, np.zeros(len(by_turn))], axis=1).astype(np.float32)
    parts = part_boxes(made.vertices, loose_parts(made.vertices, triangles))
    return (
        made,
        surface_of(
            made.vertices, triangles, weld(made.vertices), parts, sides, landmarks=made.landmarks
        ),
        shapes,
    )


def surface(
    vertices: NDArray[np.float32],
    triangles: NDArray[np.int32],
    marks: Mapping[str, NDArray[np.float32]],
) -> Surface:
    """A head's surface, whose lips and lids have no sides."""
    return surface_of(
        vertices,
        triangles,
        weld(vertices),
        part_boxes(vertices, loose_parts(vertices, triangles)),
        np.zeros((len(vertices), 2), np.float32),
        landmarks=marks,
    )


def facing(
    made: Anatomy, opening: str, inner: float = 0.35
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Upper and lower vertices that face each other across an opening's edge, away from its
    corners.
    """
    edge = np.flatnonzero((made.opening == OPENINGS.index(opening)) & (made.ring == 0))
    upper = edge[np.sin(made.turn[edge]) > inner]
    lower = edge[np.sin(made.turn[edge]) < 0]
    x = made.vertices[:, 0]
    return upper, lower[np.abs(x[upper][:, None] - x[lower][None]).argmin(axis=1)]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("share", [0.5, 0.8, 1.3])
def test_lids_meet_along_their_whole_edge_and_eyes_hold_still(
    head: Head, side: str, share: float
) -> None:
    made, there, shapes = head
    name = f"eyeBlink{side.title()}"
    tilted = (shapes[name] * share * (1 + 0.3 * made.vertices[:, :1])).astype(np.float32)
    closed = (
        made.vertices
        + tilted
        + contacts.corrections(head_of(there, made.landmarks), {name: tilted})[name]
    )
    edge = np.flatnonzero((made.opening == OPENINGS.index(f"eye_{side}")) & (made.ring == 0))
    upper, lower = edge[np.sin(made.turn[edge]) > 0.5], edge[np.sin(made.turn[edge]) < 0.05]
    height = np.linalg.norm(
        made.landmarks[f"lid_upper_{side}"] - made.landmarks[f"lid_lower_{side}"]
    )

    def gap(moved: NDArray[np.float32]) -> NDArray[np.float64]:
        order = lower[np.argsort(moved[lower, 0])]
        return np.asarray(
            (moved[upper, 1] - np.interp(moved[upper, 0], moved[order, 0], moved[order, 1]))
            / height
        )

    assert (
        np.abs(gap(closed)).mean() < 0.07
        and np.abs(gap(closed)).mean() < np.abs(gap(made.vertices + tilted)).mean()
    )
    eye = made.part == PARTS.index(f"eye_{side}")
    assert np.abs(closed[eye] - made.vertices[eye]).max() < 1e-5


@pytest.mark.parametrize("familiar", [0.0, 1.0])
def test_lids_that_lap_may_on_a_head_like_those_learnt_from_and_never_leave_a_gap(
    head: Head, familiar: float
) -> None:
    made, there, shapes = head
    lapping = (1.2 * shapes["eyeBlinkLeft"]).astype(np.float32)
    closed = (
        made.vertices
        + lapping
        + contacts.corrections(
            head_of(there, made.landmarks), {"eyeBlinkLeft": lapping}, model_trust=familiar
        )["eyeBlinkLeft"]
    )
    upper, lower = facing(made, "eye_left")
    passed = (closed[lower, 1] - closed[upper, 1]) / (
        made.vertices[upper, 1] - made.vertices[lower, 1]
    ).max()
    assert abs(passed.mean() - familiar * CLOSING.lap) < 0.05


def test_a_blink_that_only_falls_short_is_scaled_and_not_bent(head: Head) -> None:
    made, there, shapes = head
    full, short = (
        contacts.corrections(
            head_of(there, made.landmarks), {"eyeBlinkLeft": shapes["eyeBlinkLeft"] * share}
        )
        for share in (1.0, 0.7)
    )
    one, other = (
        shapes["eyeBlinkLeft"] + full["eyeBlinkLeft"],
        0.7 * shapes["eyeBlinkLeft"] + short["eyeBlinkLeft"],
    )
    assert (one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other)) > 0.99
    assert np.linalg.norm(other) == pytest.approx(np.linalg.norm(one), rel=0.1)


@pytest.mark.parametrize("side", ["left", "right"])
def test_lashes_keep_to_the_lid(head: Head, side: str) -> None:
    made, there, shapes = head
    name = f"eyeBlink{side.title()}"
    without = shapes[name].copy()
    lash = np.flatnonzero(made.part == PARTS.index(f"lash_{side}"))
    if not len(lash):
        pytest.skip("this head has no lashes")
    without[lash] = 0
    moved = without + contacts.corrections(head_of(there, made.landmarks), {name: without})[name]
    upper, _lower = facing(made, f"eye_{side}", 0.0)
    away = np.linalg.norm(made.vertices[lash][:, None] - made.vertices[upper][None], axis=2)
    roots = lash[away.min(axis=1) < np.quantile(away.min(axis=1), 0.3)]
    nearest = upper[
        np.linalg.norm(made.vertices[roots][:, None] - made.vertices[upper][None], axis=2).argmin(
            axis=1
        )
    ]
    height = np.linalg.norm(
        made.landmarks[f"lid_upper_{side}"] - made.landmarks[f"lid_lower_{side}"]
    )
    assert np.median(np.linalg.norm(moved[roots] - moved[nearest], axis=1)) < 0.15 * height


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_squint_closes_no_more_than_a_blink_can_bear(head: Head, side: str) -> None:
    made, there, shapes = head
    names = [f"{name}{side.title()}" for name in ("eyeBlink", "eyeSquint")]
    ours = {
        name: shapes[name]
        + contacts.corrections(head_of(there, made.landmarks), {n: shapes[n] for n in names})[name]
        for name in names
    }
    upper, lower = facing(made, f"eye_{side}")
    open_ = made.vertices[upper, 1] - made.vertices[lower, 1]
    both = made.vertices + ours[names[0]] + ours[names[1]]
    passed = (both[lower, 1] - both[upper, 1]) / open_.max()
    assert passed.mean() < CLOSING.narrow + 0.06
    cosine = (ours[names[1]] * shapes[names[1]]).sum() / (
        np.linalg.norm(ours[names[1]]) * np.linalg.norm(shapes[names[1]])
    )
    assert cosine > 0.9, "it is a smaller squint and not another one"
    assert (
        np.linalg.norm(ours[names[1]], axis=1).max()
        > 0.3 * np.linalg.norm(shapes[names[1]], axis=1).max()
    ), "there is still a squint"


@pytest.mark.parametrize("share", [0.4, 1.0, 1.4])
def test_lips_seal_along_the_whole_slit(head: Head, share: float) -> None:
    made, there, shapes = head
    close = (shapes["mouthClose"] * share).astype(np.float32)
    more = contacts.corrections(
        head_of(there, made.landmarks), {"jawOpen": shapes["jawOpen"], "mouthClose": close}
    )["mouthClose"]
    both = shapes["jawOpen"] + close + more
    upper, lower = facing(made, "mouth", 0.2)
    wide = np.linalg.norm(made.landmarks["mouth_left"] - made.landmarks["mouth_right"])
    apart = np.linalg.norm((both[upper] - both[lower])[:, 1:], axis=1) / wide
    assert apart.mean() < 0.05
    assert not more[made.part == PARTS.index("teeth_lower")].any()


def test_a_face_without_openings_is_left_alone() -> None:
    x, y = np.meshgrid(np.linspace(-1, 1, 30), np.linspace(-1.6, 0.8, 30))
    vertices = np.column_stack([x.ravel(), y.ravel(), np.zeros(900)]).astype(np.float32)
    cell = (np.arange(29)[:, None] * 30 + np.arange(29)).ravel()
    triangles = np.concatenate(
        [np.stack([cell, cell + 1, cell + 30], 1), np.stack([cell + 1, cell + 31, cell + 30], 1)]
    ).astype(np.int32)
    made, _triangles = anatomy()
    parts = part_boxes(vertices, loose_parts(vertices, triangles))
    flat = surface_of(
        vertices,
        triangles,
        weld(vertices),
        parts,
        np.zeros((900, 2), np.float32),
        landmarks=made.landmarks,
    )
    ones = {name: np.ones_like(vertices) for name in contacts.PROBED}
    assert contacts.corrections(head_of(flat, made.landmarks), ones) == {}


def test_an_eye_that_lies_on_the_skin_is_squashed_and_its_lash_comes_down() -> None:
    made, _triangles = anatomy()
    marks = made.landmarks
    upper, lower = marks["lid_upper_left"], marks["lid_lower_left"]
    middle = np.array(
        [
            (marks["eye_inner_left"] + marks["eye_outer_left"])[0] / 2,
            (upper + lower)[1] / 2,
            upper[2],
        ],
        np.float32,
    )
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    high = float((upper - lower)[1])
    eye = middle + np.stack(
        [0.4 * high * np.cos(turn), 0.5 * high * np.sin(turn), 0 * turn], axis=1
    )
    lash = middle + np.stack(
        [0.4 * high * np.cos(turn), 0.45 * high + 0.1 * high * np.sin(turn), 0 * turn], axis=1
    )
    wall = made.vertices[made.part == PARTS.index("brow_right")]
    vertices = np.concatenate([eye, lash, wall]).astype(np.float32)
    fan = np.array([[0, i, i + 1] for i in range(1, 15)])
    triangles = np.concatenate([fan, fan + 16, fan + 32]).astype(np.int32)
    owner = np.concatenate([np.zeros(16), np.ones(16), np.full(len(wall), 2)]).astype(np.int32)
    each, unknown = (
        np.arange(len(vertices), dtype=np.int32),
        np.zeros((len(vertices), 2), np.float32),
    )
    boxes = np.zeros((len(owner), 6), np.float32)
    there = Surface(
        vertices,
        triangles,
        each,
        owner,
        unknown,
        [owner == 2],
        np.zeros(len(owner), bool),
        owner,
        boxes,
        {},
    )
    found = drawn_eye(there, marks, "left")
    assert found is not None and drawn_eye(there, marks, "right") is None
    more = flat_shapes.shut(found, vertices, owner < 2, np.zeros_like(vertices))
    assert not more[32:].any()
    assert np.ptp((vertices + more)[:16, 1]) < 0.1 * np.ptp(vertices[:16, 1])
    assert np.abs(more[16:32, 1].mean() - FLAT_SHAPES.shut * (middle[1] - upper[1])) < 0.1 * high
    assert np.ptp((vertices + more)[16:32, 1]) < 0.5 * np.ptp(vertices[16:32, 1])


def test_a_brow_right_above_a_large_eye_is_no_lash() -> None:
    made, triangles = anatomy()
    vertices, marks = made.vertices.copy(), dict(made.landmarks)
    brow = made.part == PARTS.index("brow_left")
    high = float((marks["lid_upper_left"] - marks["lid_lower_left"])[1])
    down = np.array(
        [0, marks["lid_upper_left"][1] + 0.26 * high - vertices[brow, 1].mean(), 0], np.float32
    )
    vertices[brow] += down
    for end in ("inner", "outer"):
        marks[f"brow_{end}_left"] = marks[f"brow_{end}_left"] + down
    there = surface(vertices, triangles, marks)
    lid = head_of(there, marks).lids["left"]
    assert brow.any() and not (lid.lash | lid.lower_lash)[brow].any()


@pytest.mark.parametrize(("low", "rolls"), [(0.0, True), (0.75, False)], ids=["cornea", "crescent"])
def test_what_lies_close_before_an_eyeball_rolls_with_it_unless_it_leaves_the_axis_free(
    low: float, rolls: bool
) -> None:
    made, triangles = anatomy()
    marks = made.landmarks
    boxes = part_boxes(made.vertices, loose_parts(made.vertices, triangles))
    ball, centre = eyeballs.eyeballs(made.vertices, boxes, marks)["left"]
    radius = float(np.linalg.norm(made.vertices[ball] - centre, axis=1).mean())
    axis = (marks["lid_upper_left"] + marks["lid_lower_left"]) / 2 - centre
    axis /= np.linalg.norm(axis)
    across = np.cross([0, 1, 0], axis) / np.linalg.norm(np.cross([0, 1, 0], axis))
    turn, far = np.meshgrid(
        np.linspace(0, np.pi if low else 2 * np.pi, 12), np.linspace(low, low + 0.15, 3)
    )
    aside = far[..., None] * (
        np.cos(turn)[..., None] * across + np.sin(turn)[..., None] * np.cross(axis, across)
    )
    sheet = centre + 1.04 * radius * (aside + np.sqrt(1 - far[..., None] ** 2) * axis).reshape(
        -1, 3
    )
    cell = (np.arange(2)[:, None] * 12 + np.arange(11)).ravel()
    more = np.concatenate(
        [np.stack([cell, cell + 1, cell + 12], 1), np.stack([cell + 1, cell + 13, cell + 12], 1)]
    ) + len(made.vertices)
    vertices = np.concatenate([made.vertices, sheet]).astype(np.float32)
    everything = np.concatenate([triangles, more]).astype(np.int32)
    there = surface(vertices, everything, marks)
    lid = head_of(there, marks).lids["left"]
    assert lid.eye[ball].all()
    assert lid.eye[len(made.vertices) :].all() == rolls


def with_sheet(points: NDArray[np.float32], faces: NDArray[np.int32]) -> Surface:
    """The default modelled head without eyeballs, and a sheet more: points (P,3), faces (N,3) among
    them.
    """
    made, triangles = anatomy()
    boxes = part_boxes(made.vertices, loose_parts(made.vertices, triangles))
    balls = eyeballs.eyeballs(made.vertices, boxes, made.landmarks)
    gone = np.isin(
        np.arange(len(made.vertices)), np.concatenate([ball for ball, _centre in balls.values()])
    )
    index = np.cumsum(~gone) - 1
    left = index[triangles[~gone[triangles].any(axis=1)]]
    vertices = np.concatenate([made.vertices[~gone], points]).astype(np.float32)
    everything = np.concatenate([left, faces + (~gone).sum()]).astype(np.int32)
    return surface(vertices, everything, made.landmarks)


@pytest.mark.parametrize("covers", [True, False], ids=["disc", "ring"])
def test_a_disc_that_covers_the_opening_from_behind_is_an_eye_whose_vertices_lie_around_its_rim(
    covers: bool,
) -> None:
    marks = anatomy()[0].landmarks
    middle = (marks["lid_upper_left"] + marks["lid_lower_left"]) / 2
    high = float((marks["lid_upper_left"] - marks["lid_lower_left"])[1])
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rims = [
        np.stack([s * np.cos(turn), 0.95 * s * np.sin(turn), 0 * turn - 0.4], 1)
        for s in ((1.0,) if covers else (1.0, 0.93))
    ]
    points = middle + high * np.concatenate([*rims, *([[[0, 0, -0.4]]] if covers else [])])
    k, after = np.arange(24), np.roll(np.arange(24), -1)
    disc = np.stack([k, after, np.full(24, 24)], 1)
    ring = np.concatenate(
        [np.stack([k, after, k + 24], 1), np.stack([after, after + 24, k + 24], 1)]
    )
    there = with_sheet(points.astype(np.float32), (disc if covers else ring).astype(np.int32))
    sheet = np.arange(len(there.vertices)) >= len(there.vertices) - len(points)
    lid = head_of(there, marks).lids["left"]
    assert lid.eye[sheet].all() == lid.eye[sheet].any() == covers
    if covers:
        assert np.abs(closing.closing(lid, np.zeros_like(there.vertices))[sheet]).max() < 1e-6, (
            "an eye holds still"
        )


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_inner_corner_of_an_eye_keeps_behind_the_lids_that_close_over_it(side: str) -> None:
    marks = anatomy()[0].landmarks
    corner, outer = marks[f"eye_inner_{side}"], marks[f"eye_outer_{side}"]
    high = float((marks[f"lid_upper_{side}"] - marks[f"lid_lower_{side}"])[1])
    grid = np.stack(
        np.meshgrid(np.linspace(-0.08, 0.08, 4), np.linspace(-0.08, 0.08, 4), [-0.29]), -1
    ).reshape(-1, 3)
    cell = (np.arange(3)[:, None] * 4 + np.arange(3)).ravel()
    faces = np.concatenate(
        [np.stack([cell, cell + 1, cell + 4], 1), np.stack([cell + 1, cell + 5, cell + 4], 1)]
    )
    points = corner + 0.04 * (outer - corner) + high * grid
    there = with_sheet(points.astype(np.float32), faces.astype(np.int32))
    lid = head_of(there, marks).lids[side]
    sheet = np.arange(len(there.vertices)) >= len(there.vertices) - len(points)
    assert not (lid.lash | lid.lower_lash)[sheet].any()
    assert np.abs(closing.closing(lid, np.zeros_like(there.vertices))[sheet]).max() < 1e-6


def test_lashes_go_with_the_edge_of_the_skin_wherever_it_is_led() -> None:
    made, triangles = anatomy(np.random.default_rng([7, 3]), 1.0)
    there = surface(made.vertices, triangles, made.landmarks)
    lid = head_of(there, made.landmarks).lids["left"]
    out = np.zeros_like(made.vertices)
    out[there.skins[0], 2] = 0.1
    got = closing.ridden(lid, out)
    assert lid.lash.any() and got[lid.ride == 1] == pytest.approx(
        np.tile([0, 0, 0.1], ((lid.ride == 1).sum(), 1)), abs=1e-5
    )
    assert not got[lid.ride == 0].any()


@pytest.mark.parametrize(
    ("forward", "rides"), [(0.05, True), (-0.3, False)], ids=["before", "behind"]
)
def test_a_lash_that_is_sewn_to_the_lid_keeps_its_width_when_the_lid_comes_down(
    forward: float, rides: bool
) -> None:
    made, triangles = anatomy()
    edge, _lower = facing(made, "eye_left", 0.7)
    root = made.vertices[edge[np.argsort(made.vertices[edge, 0])]]
    high = float((made.landmarks["lid_upper_left"] - made.landmarks["lid_lower_left"])[1])
    tip = root + np.array([0, 0.3 * high, forward], np.float32)
    first, count = len(made.vertices), len(root)
    a = first + np.arange(count - 1)
    band = np.concatenate(
        [
            np.stack([a, a + 1, a + count], axis=1),
            np.stack([a + count, a + 1, a + count + 1], axis=1),
        ]
    )
    vertices = np.concatenate([made.vertices, root, tip]).astype(np.float32)
    faces = np.concatenate([triangles, band]).astype(np.int32)
    there = surface(vertices, faces, made.landmarks)
    assert (
        there.skins[0][first:].all() and not there.skins[1][first:].any()
    )  # one with the skin but for its seam
    lid = head_of(there, made.landmarks).lids["left"]
    assert lid.lash[first:].all() if rides else not lid.lash[first:].any()
    if rides:
        blink = closing.closing(lid, np.zeros_like(vertices))
        root_way, tip_way = blink[first : first + count], blink[first + count :]
        wide = np.linalg.norm(tip - root + tip_way - root_way, axis=1)
        np.testing.assert_allclose(wide, np.linalg.norm(tip - root, axis=1), rtol=0.1)


def test_a_white_that_is_sewn_to_the_lids_keeps_still_behind_them() -> None:
    """Drawn heads of several makers have such whites: they came down with the lid, before it."""
    made, triangles = anatomy()
    marks = made.landmarks
    high = float((marks["lid_upper_left"] - marks["lid_lower_left"])[1])
    upper, lower = facing(made, "eye_left", 0.7)
    ring = np.concatenate(
        [upper[np.argsort(made.vertices[upper, 0])], lower[np.argsort(-made.vertices[lower, 0])]]
    )
    rim, back = made.vertices[ring], np.array([0, 0, -high], np.float32)
    middle = rim.mean(axis=0)
    inner = middle + 0.6 * (rim - middle) + 0.4 * back
    first, count = len(made.vertices), len(ring)
    k, after = np.arange(count), np.roll(np.arange(count), -1)
    white = first + np.concatenate(
        [
            np.stack([k, after, k + count], axis=1),
            np.stack([after, after + count, k + count], axis=1),
            np.stack([k + count, after + count, np.full(count, 2 * count)], axis=1),
        ]
    )
    vertices = np.concatenate([made.vertices, rim, inner, [middle + 0.5 * back]]).astype(np.float32)
    faces = np.concatenate([triangles, white]).astype(np.int32)
    there = surface(vertices, faces, marks)
    assert there.skins[0][first:].all(), "one with the skin"
    head = head_of(there, marks)
    lid = head.lids["left"]
    seam, own = np.arange(first, first + count), np.arange(first + count, len(vertices))
    assert lid.skin[seam].all() and not lid.skin[own].any() and lid.eye[own].all()
    blink = closing.closing(lid, np.zeros_like(vertices))
    assert np.abs(blink[own]).max() < 1e-6
    assert np.abs(blink[seam] - blink[ring]).max() < 1e-5 < np.abs(blink[ring]).max()
    shapes = {name: np.ones_like(vertices) for name in ("eyeWideLeft", "eyeBlinkLeft")}
    rules.apply(replace(head, surface=replace(there, balls={})), shapes, 0.0)
    assert all((shape[seam] == shape[ring]).all() for shape in shapes.values())
    assert not any(shape[own].any() for shape in shapes.values())


@pytest.mark.parametrize(("familiar", "least", "most"), [(0.0, 0.08, 0.12), (1.0, -0.02, 0.02)])
def test_tall_eyes_close_from_both_sides_unless_the_model_knows_the_head(
    familiar: float, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lids, "LIDS", replace(LIDS, tall_from=0.0, tall_to=0.01))
    made, triangles = anatomy()
    parts = part_boxes(made.vertices, loose_parts(made.vertices, triangles))
    unknown = np.zeros((len(made.vertices), 2), np.float32)
    lid = head_of(
        surface_of(
            made.vertices, triangles, weld(made.vertices), parts, unknown, landmarks=made.landmarks
        ),
        made.landmarks,
    ).lids["left"]
    rise = (
        lid.opening.lower.of(closing.closing(lid, np.zeros_like(made.vertices), familiar))
        @ lid.opening.axes.T
        / lid.opening.unit
    )[:, 1]
    assert least <= np.median(rise / lid.gap) <= most
