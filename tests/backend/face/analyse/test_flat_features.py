# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and mouths that are flat parts before the skin, on a head that is nothing but a ball with
flat parts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.flat_head import EYE, HIGH, MOUTH, Made
from fixtures.flat_head import flat_head as face

from backend.face.analyse import flat_features
from backend.face.analyse.face_skin import face_skin
from backend.face.analyse.head import head_of
from backend.face.analyse.surface import Surface, surface_of
from backend.face.correct import contacts
from backend.face.geometry.frame import Floats
from backend.face.geometry.landmarks import SIDES
from backend.face.geometry.mesh import loose_parts, part_boxes, weld
from backend.face.params.correct import FLAT_SHAPES


def within(made: Made, name: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    flags = np.zeros(len(made.vertices), bool)
    flags[made.spans[name]] = True
    return flags


def surface(made: Made) -> Surface:
    parts = part_boxes(made.vertices, loose_parts(made.vertices, made.triangles))
    nothing = np.zeros((len(made.vertices), 2), np.float32)
    return surface_of(
        made.vertices, made.triangles, weld(made.vertices), parts, nothing, landmarks=made.landmarks
    )


def test_face_skin_is_the_head_below_flat_features() -> None:
    made = face()
    found = face_skin(made.vertices, loose_parts(made.vertices, made.triangles), made.landmarks)
    assert np.array_equal(found, within(made, "skin"))


@pytest.mark.parametrize("side", SIDES)
def test_eye_ends_where_its_flat_part_does(side: str) -> None:
    made = face()
    parts = loose_parts(made.vertices, made.triangles)
    names = [f"{name}_{side}" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")]
    doubted = made.landmarks | {
        n: made.landmarks[n] * np.array([0.9, 0.6, 1], np.float32)
        - np.array([0, 0.08, 0], np.float32)
        for n in names
    }
    found = flat_features.eye(
        made.vertices,
        made.triangles,
        parts,
        within(made, "skin"),
        landmarks=doubted,
        side=side,
    )
    assert found.keys() == set(names)
    for name in names:
        assert np.abs(found[name] - made.landmarks[name]).max() < 0.01, name


def test_eye_is_no_ball() -> None:
    made = face(eye_deep=EYE)
    assert not flat_features.eye(
        made.vertices,
        made.triangles,
        loose_parts(made.vertices, made.triangles),
        within(made, "skin"),
        landmarks=made.landmarks,
        side="left",
    )


def test_eye_is_no_outline_however_it_is_triangulated() -> None:
    made = face()
    parts, skin = loose_parts(made.vertices, made.triangles), within(made, "skin")
    eye = made.spans["eye_left"]
    ring = (made.triangles >= eye.start).all(axis=1) & (made.triangles < eye.start + 32).all(axis=1)
    other = (made.triangles < eye.start).all(axis=1) | (made.triangles >= eye.stop).all(axis=1)
    assert (
        flat_features.eye(
            made.vertices,
            made.triangles[other | ring],
            parts,
            skin,
            landmarks=made.landmarks,
            side="left",
        )
        == {}
    ), "the outer ring covers half of it"
    turned = np.where(other[:, None], made.triangles, made.triangles[:, [0, 2, 1]])
    for triangles in (turned, np.roll(made.triangles, 1, axis=1)):
        found = flat_features.eye(
            made.vertices, triangles, parts, skin, landmarks=made.landmarks, side="left"
        )
        assert found.keys() == {
            f"{name}_left" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")
        }


def test_eye_is_found_in_any_order_of_corners() -> None:
    made = face()
    eye = made.spans["eye_left"]
    right, between, top, left, other, low = (
        eye.start + place for place in (0, 2, 4, 8, 10, 12)
    )  # of the outer ring
    diamond = np.array(
        [[right, top, low], [left, low, top], [right, between, top], [left, other, low]], np.int32
    )
    rest = (made.triangles < eye.start).all(axis=1) | (made.triangles >= eye.stop).all(axis=1)
    parts, skin = loose_parts(made.vertices, made.triangles), within(made, "skin")
    for turn in range(3):
        triangles = np.concatenate([made.triangles[rest], np.roll(diamond, turn, axis=1)])
        found = flat_features.eye(
            made.vertices, triangles, parts, skin, landmarks=made.landmarks, side="left"
        )
        assert len(found) == 4, turn


@pytest.mark.parametrize(("thick", "closed"), [(0.02, True), (0.15, False)], ids=["closed", "open"])
def test_mouth_ends_where_its_strip_does(thick: float, closed: bool) -> None:
    made = face(thick=thick)
    doubted = made.landmarks | {
        f"mouth_{side}": made.landmarks[f"mouth_{side}"] * np.array([0.6, 1, 1], np.float32)
        for side in SIDES
    }
    found = flat_features.mouth(
        made.vertices, loose_parts(made.vertices, made.triangles), within(made, "skin"), doubted
    )
    assert bool(found) is closed
    for name, point in found.items():
        assert abs(point[0] - made.landmarks[name][0]) < 0.01


def test_strips_part_and_seal_while_the_skin_stays() -> None:
    made = face()
    there, mouth = surface(made), made.spans["mouth"]
    shapes = {name: np.full_like(made.vertices, 0.1) for name in contacts.PROBED}
    found = contacts.corrections(head_of(there, made.landmarks), shapes)
    jaw, close = (shapes[name] + found[name] for name in ("jawOpen", "mouthClose"))
    middle = np.array([3, 10, 17, 24])  # of the four rims, from above
    assert (jaw[mouth][middle[:2], 1] > 0.3 * MOUTH).all() and (
        jaw[mouth][middle[2:], 1] < -0.8 * MOUTH
    ).all()
    assert jaw[mouth][0, 0] < 0 < jaw[mouth][6, 0]  # the ends go out
    assert np.abs((jaw + close)[mouth]).max() < 1e-6
    assert np.allclose(
        jaw[made.spans["skin"]], FLAT_SHAPES.chin * shapes["jawOpen"][made.spans["skin"]]
    )
    assert np.allclose(jaw[made.spans["eye_left"]], shapes["jawOpen"][made.spans["eye_left"]])


@pytest.mark.parametrize("side", SIDES)
def test_shut_closes_a_flat_eye_to_a_line(side: str) -> None:
    made = face()
    blink = f"eyeBlink{side.title()}"
    found = contacts.corrections(
        head_of(surface(made), made.landmarks), {blink: np.zeros_like(made.vertices)}
    )
    shut = (made.vertices + found[blink])[made.spans[f"eye_{side}"]]
    assert np.ptp(shut[:, 1]) < 0.05 * 2 * HIGH
    assert (found[blink][made.spans[f"lash_{side}"], 1] < -0.1 * HIGH).any()
    assert not found[blink][made.spans["skin"]].any()


@pytest.mark.parametrize("side", SIDES)
def test_apply_ignores_the_model_on_flat_features(
    side: str,
) -> None:
    made = face()
    there, rng = surface(made), np.random.default_rng(7)
    names = (f"eyeBlink{side.title()}", "jawOpen", "mouthClose")
    ends: list[dict[str, Floats]] = []
    for size in (0.0, 0.1, -0.3):
        shapes = {
            name: np.full_like(made.vertices, size)
            + rng.normal(0, abs(size) / 10, made.vertices.shape).astype(np.float32)
            for name in names
        }
        found = contacts.corrections(head_of(there, made.landmarks), shapes)
        ends.append({name: shapes[name] + found.get(name, np.float32(0)) for name in names})
    blink, jaw = names[:2]
    for name, part in ((blink, f"eye_{side}"), (blink, f"lash_{side}"), (jaw, "mouth")):
        moved = [end[name][made.spans[part]] for end in ends]
        assert np.abs(moved[0]).max() > 0.05
        for other in moved[1:]:
            np.testing.assert_allclose(other, moved[0], atol=1e-6)
    line = made.vertices + ends[0][blink]
    flat, low = line[made.spans[f"eye_{side}"]], line[made.spans[f"lash_{side}"]]
    assert np.abs(flat[:, 1]).max() < 0.05 * HIGH, "a line in the middle of the eye"
    assert np.ptp(low[:, 1]) < np.ptp(made.vertices[made.spans[f"lash_{side}"], 1]), (
        "it lies flatter"
    )
    np.testing.assert_array_equal(ends[0][blink][:, [0, 2]], 0, err_msg="it only goes up and down")


def with_sheet(made: Made, name: str, middle: tuple[float, float], size: Floats) -> Made:
    """The head with a flat part more: a ring of eight corners, half as wide and high (2,) as
    `size`, whose inner edge is at nine tenths of that.
    """
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    points = np.concatenate([ring, 0.9 * ring]) * size + middle
    eye = made.vertices[made.spans["eye_left"]]
    sheet = np.column_stack([points, np.full(len(points), eye[:, 2].max() + 0.01)])
    k, after, first = np.arange(8), (np.arange(8) + 1) % 8, len(made.vertices)
    faces = np.concatenate([np.stack([k, after, k + 8], 1), np.stack([after, after + 8, k + 8], 1)])
    return replace(
        made,
        vertices=np.concatenate([made.vertices, sheet]).astype(np.float32),
        triangles=np.concatenate([made.triangles, faces + first]).astype(np.int32),
        spans={**made.spans, name: slice(first, first + len(points))},
    )


@pytest.mark.parametrize(("size", "shuts"), [(1.5, True), (2.6, False)], ids=["rim", "mask"])
def test_the_rim_of_a_flat_eye_is_squashed_with_it_and_a_mask_around_it_is_not(
    size: float, shuts: bool
) -> None:
    made = face()
    eye = made.vertices[made.spans["eye_left"]]
    low, top = eye.min(axis=0), eye.max(axis=0)
    middle = (low + top)[:2] / 2
    wide = size * (top - low)[:2] / 2
    made = with_sheet(made, "rim", (float(middle[0]), float(middle[1])), wide)
    blink = np.full_like(made.vertices, 0.1)
    found = contacts.corrections(head_of(surface(made), made.landmarks), {"eyeBlinkLeft": blink})
    moved = (blink + found["eyeBlinkLeft"])[made.spans["rim"]]
    if shuts:
        assert np.ptp((made.vertices[made.spans["rim"]] + moved)[:, 1]) < 0.1 * wide[1]
    else:
        assert not moved.any()


def test_a_brow_before_the_skin_stays_when_a_flat_eye_shuts() -> None:
    made = face()
    eye = made.vertices[made.spans["eye_left"]]
    high = float(np.ptp(eye[:, 1]))
    middle = (eye.min(axis=0) + eye.max(axis=0))[:2] / 2
    size = np.array([0.7 * np.ptp(eye[:, 0]), 0.35 * high], np.float32)
    made = with_sheet(made, "brow", (float(middle[0]), float(middle[1]) + 0.9 * high), size)
    blink = np.full_like(made.vertices, 0.1)
    found = contacts.corrections(head_of(surface(made), made.landmarks), {"eyeBlinkLeft": blink})
    assert not (blink + found["eyeBlinkLeft"])[made.spans["brow"]].any()
