# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and mouths that are plates before the skin, on a head that is nothing but a ball with plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from backend.face import contacts, plates
from backend.face.frame import Floats
from backend.face.landmarks import SIDES
from backend.face.mesh import Ints, loose_parts, part_boxes, weld
from backend.face.seams import face_skin

EYE, HIGH, MOUTH = 0.2, 0.35, 0.3  # half widths and half height, canonical units
SIGN = {"left": 1.0, "right": -1.0}


@dataclass
class Made:
    vertices: Floats
    triangles: Ints
    spans: dict[str, slice]
    landmarks: dict[str, Floats]


def ball() -> tuple[Floats, Ints]:
    """A head of few faces, 1.3 units around a middle behind the face."""
    up, around = np.meshgrid(np.linspace(0.1, np.pi - 0.1, 12), np.linspace(0, 2 * np.pi, 24, endpoint=False), indexing="ij")
    points = np.stack([np.sin(up) * np.sin(around), np.cos(up), np.sin(up) * np.cos(around)], axis=-1).reshape(-1, 3) * 1.3
    row, column = (grid.ravel() for grid in np.meshgrid(np.arange(11), np.arange(24), indexing="ij"))
    a, b, c, d = row * 24 + column, row * 24 + (column + 1) % 24, (row + 1) * 24 + column, (row + 1) * 24 + (column + 1) % 24
    return (points - [0, 0.3, 1.4]).astype(np.float32), np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)


def disc(middle: tuple[float, float, float], wide: float, high: float, deep: float = 0.0) -> tuple[Floats, Ints]:
    """Rings around a middle that stands out by `deep`."""
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rings = [np.stack([wide * r * np.cos(turn), high * r * np.sin(turn), deep * np.sqrt(1 - r * r) + 0 * turn], axis=1) for r in (1, 0.7, 0.4)]
    points = np.concatenate([*rings, [[0, 0, deep]]]) + middle
    around = np.arange(16)
    faces = [np.stack([r * 16 + around, r * 16 + (around + 1) % 16, (r + 1) * 16 + around], axis=1) for r in (0, 1)]
    faces += [np.stack([(r + 1) * 16 + around, r * 16 + (around + 1) % 16, (r + 1) * 16 + (around + 1) % 16], axis=1) for r in (0, 1)]
    tip = np.stack([32 + around, 32 + (around + 1) % 16, np.full(16, 48)], axis=1)
    return points.astype(np.float32), np.concatenate([*faces, tip]).astype(np.int32)


def crescent(middle: tuple[float, float, float], wide: float, high: float) -> tuple[Floats, Ints]:
    """A lash that goes around an eye from above."""
    turn = np.linspace(0, np.pi, 12)
    rims = [np.stack([wide * r * np.cos(turn), high * r * np.sin(turn), 0 * turn], axis=1) for r in (1, 0.9)]
    a = np.arange(11)
    return (np.concatenate(rims) + middle).astype(np.float32), np.concatenate(
        [np.stack([a, a + 1, a + 12], axis=1), np.stack([a + 12, a + 1, a + 13], axis=1)]
    ).astype(np.int32)


def strip(level: float, thick: float) -> tuple[Floats, Ints]:
    """A closed mouth from two rows of quads, an outline above and one below, whose inner rims lie on each other."""
    x = np.linspace(-MOUTH, MOUTH, 7)
    rows = [np.stack([x, np.full(7, level + h), np.full(7, 0.02)], axis=1) for h in (thick, 0.0, 0.0, -thick)]
    a = np.arange(6)
    above = [np.stack([a, a + 7, a + 1], axis=1), np.stack([a + 1, a + 7, a + 8], axis=1)]
    return np.concatenate(rows).astype(np.float32), np.concatenate([*above, *(faces + 14 for faces in above)]).astype(np.int32)


def face(eye_deep: float = 0.0, thick: float = 0.02) -> Made:
    pieces = {"skin": ball(), "mouth": strip(-1.0, thick)}
    marks: dict[str, Floats] = {}

    def put(name: str, *point: float) -> None:
        marks[name] = np.array(point, np.float32)

    for side, sign in SIGN.items():
        pieces[f"eye_{side}"] = disc((0.5 * sign, 0.0, 0.0), EYE, HIGH, eye_deep)
        pieces[f"lash_{side}"] = crescent((0.5 * sign, 0.05, 0.0), 1.6 * EYE, 1.1 * HIGH)
        put(f"eye_inner_{side}", (0.5 - EYE) * sign, 0, 0)
        put(f"eye_outer_{side}", (0.5 + EYE) * sign, 0, 0)
        put(f"lid_upper_{side}", 0.5 * sign, HIGH, 0)
        put(f"lid_lower_{side}", 0.5 * sign, -HIGH, 0)
        put(f"mouth_{side}", MOUTH * sign, -1, 0.02)
    put("lip_upper", 0, -1 + thick, 0.02)
    put("lip_lower", 0, -1 - thick, 0.02)
    put("nose_tip", 0, -0.5, -0.1)
    put("chin", 0, -1.4, -0.5)
    start, spans = 0, {}
    for name, (points, _faces) in pieces.items():
        spans[name] = slice(start, start + len(points))
        start += len(points)
    vertices = np.concatenate([points for points, _faces in pieces.values()])
    triangles = np.concatenate([faces + spans[name].start for name, (_points, faces) in pieces.items()])
    return Made(vertices, triangles, spans, marks)


def within(made: Made, name: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    flags = np.zeros(len(made.vertices), bool)
    flags[made.spans[name]] = True
    return flags


def surface(made: Made) -> contacts.Surface:
    parts = part_boxes(made.vertices, loose_parts(made.vertices, made.triangles))
    nothing = np.zeros((len(made.vertices), 2), np.float32)
    return contacts.surface(made.vertices, made.triangles, weld(made.vertices), parts, nothing, made.landmarks)


def test_the_skin_is_the_head_though_its_landmarks_lie_on_plates() -> None:
    made = face()
    found = face_skin(made.vertices, loose_parts(made.vertices, made.triangles), made.landmarks)
    assert np.array_equal(found, within(made, "skin"))


@pytest.mark.parametrize("side", SIDES)
def test_an_eye_ends_where_its_plate_does_and_not_its_lash(side: str) -> None:
    made = face()
    parts = loose_parts(made.vertices, made.triangles)
    names = [f"{name}_{side}" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")]
    doubted = made.landmarks | {n: made.landmarks[n] * np.array([0.9, 0.6, 1], np.float32) - np.array([0, 0.08, 0], np.float32) for n in names}
    found = plates.eye(made.vertices, made.triangles, parts, within(made, "skin"), doubted, side)
    assert found.keys() == set(names)
    for name in names:
        assert np.abs(found[name] - made.landmarks[name]).max() < 0.01, name


def test_a_ball_is_no_plate() -> None:
    made = face(eye_deep=EYE)
    assert not plates.eye(made.vertices, made.triangles, loose_parts(made.vertices, made.triangles), within(made, "skin"), made.landmarks, "left")


@pytest.mark.parametrize(("thick", "closed"), [(0.02, True), (0.15, False)], ids=["closed", "open"])
def test_a_mouth_ends_where_its_strip_does(thick: float, closed: bool) -> None:
    made = face(thick=thick)
    doubted = made.landmarks | {f"mouth_{side}": made.landmarks[f"mouth_{side}"] * np.array([0.6, 1, 1], np.float32) for side in SIDES}
    found = plates.mouth(made.vertices, loose_parts(made.vertices, made.triangles), within(made, "skin"), doubted)
    assert bool(found) is closed
    for name, point in found.items():
        assert abs(point[0] - made.landmarks[name][0]) < 0.01


def test_the_rims_of_a_strip_part_and_seal_again_while_the_skin_keeps_nearly_still() -> None:
    made = face()
    there, mouth = surface(made), made.spans["mouth"]
    shapes = {name: np.full_like(made.vertices, 0.1) for name in contacts.PROBED}
    found = contacts.corrections(there, made.landmarks, shapes)
    jaw, close = (shapes[name] + found[name] for name in ("jawOpen", "mouthClose"))
    middle = np.array([3, 10, 17, 24])  # of the four rims, from above
    assert (jaw[mouth][middle[:2], 1] > 0.3 * MOUTH).all() and (jaw[mouth][middle[2:], 1] < -0.8 * MOUTH).all()
    assert jaw[mouth][0, 0] < 0 < jaw[mouth][6, 0]  # the ends go out
    assert np.abs((jaw + close)[mouth]).max() < 1e-6
    assert np.allclose(jaw[made.spans["skin"]], plates.STILL * shapes["jawOpen"][made.spans["skin"]])
    assert np.allclose(jaw[made.spans["eye_left"]], shapes["jawOpen"][made.spans["eye_left"]])


@pytest.mark.parametrize("side", SIDES)
def test_an_eye_of_a_plate_shuts_to_a_line_and_its_wide_lash_comes_down(side: str) -> None:
    made = face()
    blink = f"eyeBlink{side.title()}"
    found = contacts.corrections(surface(made), made.landmarks, {blink: np.zeros_like(made.vertices)})
    shut = (made.vertices + found[blink])[made.spans[f"eye_{side}"]]
    assert np.ptp(shut[:, 1]) < 0.05 * 2 * HIGH
    assert (found[blink][made.spans[f"lash_{side}"], 1] < -0.1 * HIGH).any()
    assert not found[blink][made.spans["skin"]].any()


@pytest.mark.parametrize("side", SIDES)
def test_what_the_model_says_of_a_plates_eye_and_of_a_strips_mouth_does_not_count(side: str) -> None:
    made = face()
    there, rng = surface(made), np.random.default_rng(7)
    names = (f"eyeBlink{side.title()}", "jawOpen", "mouthClose")
    ends: list[dict[str, Floats]] = []
    for size in (0.0, 0.1, -0.3):
        shapes = {name: np.full_like(made.vertices, size) + rng.normal(0, abs(size) / 10, made.vertices.shape).astype(np.float32) for name in names}
        found = contacts.corrections(there, made.landmarks, shapes)
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
    assert np.ptp(low[:, 1]) < np.ptp(made.vertices[made.spans[f"lash_{side}"], 1]), "it lies flatter"
    np.testing.assert_array_equal(ends[0][blink][:, [0, 2]], 0, err_msg="it only goes up and down")
