# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes: a shape that is too small or too large becomes as large as makers have it, its direction
stays, and noise stays noise.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from fixtures.landmarks import flat_face
from fixtures.models import pair
from numpy.typing import NDArray

from backend.errors import BackendError
from backend.face.correct import rigid_parts, sizes
from backend.face.locate.face import surely_of
from backend.face.params.correct import SIZES
from backend.face.params.shapes import FIGURES
from backend.face.shapes import figures
from backend.face.shapes.shape_sets import load_sets
from backend.protocol import Message
from backend.service.handlers import Handlers

Floats = NDArray[np.float32]

LANDMARKS = flat_face(0.4)


@pytest.fixture(scope="module")
def cloud() -> Floats:
    """A sheet of skin through all landmarks, (F,3)."""
    x, y = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(-1.7, 0.7, 121))
    return np.asarray(np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1), np.float32)


def smile(cloud: Floats, size: float, side: str = "left") -> Floats:
    """The corner of a side goes out and up by `size`."""
    sign = 1 if side == "left" else -1
    near = np.exp(-((np.linalg.norm(cloud - LANDMARKS[f"mouth_{side}"], axis=1) / 0.15) ** 2))
    return np.asarray(near[:, None] * np.array([0.5 * sign, 0.85, 0]) * size, np.float32)


def scaled(
    cloud: Floats, shapes: dict[str, Floats], drawn: float = 0.0, **how: float
) -> dict[str, Floats]:
    """The shapes after sizing; those given stay."""
    found = {name: shape.copy() for name, shape in shapes.items()}
    sizes.sized(figures.places_of(cloud, LANDMARKS), drawn, found, **how)
    return found


@pytest.mark.parametrize(("drawn", "given"), [(0.0, (0.08, 0.1, 0.2)), (1.0, (0.07, 0.08, 0.09))])
def test_timid_and_loud_shapes_end_at_the_same_size(
    cloud: Floats, drawn: float, given: tuple[float, ...]
) -> None:
    ends = [
        scaled(cloud, {"mouthSmileLeft": smile(cloud, size)}, drawn)["mouthSmileLeft"]
        for size in given
    ]
    farthest = [float(np.linalg.norm(end, axis=1).max()) for end in ends]
    assert farthest == pytest.approx([farthest[0]] * 3, rel=1e-3)
    assert 0.08 < farthest[0] / 0.8 < 0.3, (
        "between makers of small smiles and of wide ones, of the mouth's width"
    )
    direction = smile(cloud, 1.0)
    assert all(
        (end * direction).sum() / (np.linalg.norm(end) * np.linalg.norm(direction))
        == pytest.approx(1, abs=1e-5)
        for end in ends
    )


@pytest.mark.parametrize("drawn", [0.0, 1.0])
def test_a_jaw_opens_no_farther_than_there_is_of_a_chin(cloud: Floats, drawn: float) -> None:
    marks = LANDMARKS
    middle = (marks["lip_upper"] + marks["lip_lower"]) / 2
    low = (cloud[:, 1] < middle[1]) & (np.abs(cloud[:, 0]) < 0.5)
    shapes = {"jawOpen": np.where(low[:, None], [[0, -0.4, 0]], 0).astype(np.float32)}
    shapes["mouthClose"] = -shapes["jawOpen"]
    opens = {}
    for room in (2.0, 0.3, 0.01):
        places = replace(figures.places_of(cloud, marks), room=room)
        found = {name: shape.copy() for name, shape in shapes.items()}
        factors = sizes.sized(places, drawn, found)
        assert factors["mouthClose"] == factors["jawOpen"]
        opens[room] = float(figures.figures(places, [found["jawOpen"]])["open"][0, 2])
    assert opens[2.0] > 0.4
    assert opens[0.3] == pytest.approx(FIGURES.parted * 0.3, rel=1e-3)
    assert opens[0.01] == pytest.approx(FIGURES.parted_least, rel=1e-3), "a chin in a wrong place"


def test_a_bold_shape_of_a_drawn_head_is_made_smaller_by_half_as_much_as_another_heads(
    cloud: Floats,
) -> None:
    factors = [
        [
            sizes.sized(
                figures.places_of(cloud, LANDMARKS), drawn, {"mouthSmileLeft": smile(cloud, size)}
            )["mouthSmileLeft"]
            for size in (0.2, 0.3)
        ]
        for drawn in (0.0, 1.0)
    ]
    assert factors[0][1] / factors[0][0] == pytest.approx(0.2 / 0.3, rel=1e-3), "to the same size"
    assert factors[1][1] / factors[1][0] == pytest.approx((0.2 / 0.3) ** 0.5, rel=1e-3)


@pytest.mark.parametrize("name", ["jawForward", "jawLeft", "jawRight"])
def test_drawn_heads_are_no_bolder_with_a_jaw_that_goes_aside_or_forward(
    cloud: Floats, name: str
) -> None:
    jaw = np.where(cloud[:, 1:2] < -1, np.array([0.05, 0, 0.05]), 0).astype(np.float32)
    factors = [
        sizes.sized(figures.places_of(cloud, LANDMARKS), drawn, {name: jaw.copy()})[name]
        for drawn in (0.0, 1.0)
    ]
    assert factors[1] == pytest.approx(factors[0], rel=1e-3)


def test_both_sides_get_one_factor_and_mouth_close_goes_with_the_jaw(cloud: Floats) -> None:
    jaw = np.where(cloud[:, 1:2] < -1, np.array([0, -0.1, 0]), 0).astype(np.float32) * (
        np.abs(cloud[:, :1]) < 0.5
    )
    shapes = {
        "mouthSmileLeft": smile(cloud, 0.05),
        "mouthSmileRight": smile(cloud, 0.08, "right"),
        "jawOpen": jaw,
        "mouthClose": -jaw,
    }
    found = {name: shape.copy() for name, shape in shapes.items()}
    factors = sizes.sized(figures.places_of(cloud, LANDMARKS), 0.0, found)
    assert factors["mouthSmileLeft"] == factors["mouthSmileRight"] > 1.2
    assert factors["mouthClose"] == factors["jawOpen"] > 1.2
    np.testing.assert_allclose(found["jawOpen"] + found["mouthClose"], 0, atol=1e-6)


def test_noise_and_what_is_nothing_are_not_blown_up(cloud: Floats) -> None:
    nothing = scaled(
        cloud, {"mouthSmileLeft": np.zeros_like(cloud), "noseSneerLeft": smile(cloud, 1e-3)}
    )
    assert not nothing["mouthSmileLeft"].any()
    np.testing.assert_array_equal(nothing["noseSneerLeft"], smile(cloud, 1e-3))
    little = scaled(cloud, {"mouthSmileLeft": smile(cloud, 0.02)})["mouthSmileLeft"]
    assert np.linalg.norm(little) <= SIZES.most * 1.001 * np.linalg.norm(smile(cloud, 0.02))


def test_what_contacts_and_bodies_size_is_left_alone(cloud: Floats) -> None:
    shapes = {
        name: smile(cloud, 0.01)
        for name in ("eyeBlinkLeft", "eyeLookUpLeft", "tongueOut", "mouthClose", "another")
    }
    for name, shape in scaled(cloud, shapes, style=1.0).items():
        np.testing.assert_array_equal(shape, shapes[name])


def test_a_style_moves_sizes_together_within_what_makers_do(cloud: Floats) -> None:
    shapes = {
        "mouthSmileLeft": smile(cloud, 0.1),
        "noseSneerLeft": smile(cloud, 0.1),
        "jawOpen": smile(cloud, 0.3),
    }
    steps = [scaled(cloud, shapes, style=style) for style in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for name in shapes:
        lengths = [float(np.linalg.norm(step[name])) for step in steps]
        assert all(a < b for a, b in pairwise(lengths)), name
        assert lengths[2] / lengths[0] == pytest.approx(lengths[4] / lengths[2], rel=1e-3)
        assert 1.1 < lengths[4] / lengths[2] <= SIZES.widest * 1.001


def test_a_training_rig_keeps_its_sizes_and_what_is_only_like_one_does_not(cloud: Floats) -> None:
    shapes = {"mouthSmileLeft": smile(cloud, 0.05)}
    np.testing.assert_array_equal(
        scaled(cloud, shapes, rig=1.0)["mouthSmileLeft"], shapes["mouthSmileLeft"]
    )
    for likeness, surely in ((1.0, 1.0), (1 - 2e-5, 1.0), (1 - 6e-5, 0.0), (0.0, 0.0)):
        assert surely_of(np.array([0.5, likeness], np.float32)) == surely
    assert surely_of(np.zeros(0, np.float32)) == 0


def test_every_condition_has_its_size_or_is_sized_on_the_mesh() -> None:
    for name in load_sets()["arkit"].shapes:
        assert name.startswith(sizes.FREE) != (sizes.kind(name) in sizes.table()), name
    for row in sizes.table().values():
        assert row.unit in ("W", "H", "E") and 0 < row.peak.low <= row.peak.middle <= row.peak.high
        assert {*row.drawn, *row.others} <= set(figures.NAMES)


def test_where_eyes_hang_on_bones_looks_move_lids_only(cloud: Floats) -> None:
    eyes = np.zeros(len(cloud), bool)
    eyes[:50] = True
    shapes = {"eyeLookUpLeft": smile(cloud, 0.1) + 0.01, "eyeBlinkLeft": smile(cloud, 0.1) + 0.01}
    before = {name: shape.copy() for name, shape in shapes.items()}
    rigid_parts.lids_only(shapes, eyes)
    assert not shapes["eyeLookUpLeft"][eyes].any()
    np.testing.assert_array_equal(shapes["eyeLookUpLeft"][~eyes], before["eyeLookUpLeft"][~eyes])
    np.testing.assert_array_equal(shapes["eyeBlinkLeft"], before["eyeBlinkLeft"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"style": "bold"}, "protocol"),
        ({"style": 1.5}, "setting_invalid"),
        ({"style": float("nan")}, "protocol"),
        ({"style": -0.1}, "setting_invalid"),
        ({"turn_eyes": 1}, "protocol"),
    ],
)
def test_a_style_that_is_none_is_refused(tmp_path: Any, fields: dict[str, Any], code: str) -> None:
    model = pair(tmp_path, "tiny", list(load_sets()["arkit"].shapes))
    header = {"type": "generate", "id": 1, "sets": ["arkit"], "model": str(model), **fields}
    arrays = {
        "vertices": np.zeros((4, 3), np.float32),
        "triangles": np.array([[0, 1, 2]], np.int32),
    }
    with pytest.raises(BackendError) as raised:
        Handlers().handle(Message(json.loads(json.dumps(header)), arrays), lambda *_: None, Any)  # type: ignore[arg-type]
    assert raised.value.code == code
