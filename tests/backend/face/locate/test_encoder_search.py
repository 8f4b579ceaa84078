# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the encoder is asked, and that what it is not asked would have changed nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.located import locate

from backend.face.geometry.frame import Frame, frame_of_landmarks
from backend.face.geometry.landmarks import NAMES, eye_wider_open
from backend.face.geometry.mesh import AvatarMesh, Floats
from backend.face.locate.encoder_search import Encode, EncoderSearch, Found, frames_apart
from backend.face.locate.points import cloud_of
from backend.face.params.locate import SEARCH
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from scripts.samples.head import SampleHead

STEP = 0.02  # canonical units


class Counting:
    """An encoder that counts the crops that it sees."""

    def __init__(self, encode: Encode) -> None:
        self.encode, self.seen = encode, 0

    def __call__(self, points: Floats) -> tuple[Floats, Floats]:
        self.seen += len(points)
        return self.encode(points)


def swinging(sample: SampleHead) -> tuple[EncoderSearch, Counting, Frame]:
    """A search whose encoder sends a frame up where it lies low on the head and down where it lies
    high, for ever; and a frame between both.
    """
    frame = frame_of_landmarks(
        {name: np.asarray(place, np.float64) for name, place in sample.landmarks.items()}
    )
    inside = frame.to_canonical(
        np.stack([sample.landmarks[name] for name in NAMES]).astype(np.float32)
    )

    def encode(points: Floats) -> tuple[Floats, Floats]:
        high = points[:, :, 1].mean(axis=1) > middle
        up = np.array([0, STEP, 0], np.float32)
        seen = inside + np.where(high, 1, -1)[:, None, None] * up
        return seen.reshape(len(points), -1).astype(np.float32), np.ones(len(points), np.float32)

    parts = np.zeros(len(sample.vertices), np.int32)
    counting = Counting(encode)
    search = EncoderSearch(cloud_of(sample.vertices, sample.triangles, parts), counting, NAMES)
    middle = np.mean(
        [
            _height(search, Frame(frame.origin + [0, 0, y], frame.rotation, frame.scale))
            for y in (0.0, frame.scale * STEP)
        ]
    )
    return search, counting, frame


def _height(search: EncoderSearch, frame: Frame) -> float:
    """The mean height of what a crop shows."""
    seen: list[float] = []

    def look(points: Floats) -> tuple[Floats, Floats]:
        seen.append(float(points[:, :, 1].mean()))
        return np.zeros((len(points), 3 * len(NAMES)), np.float32), np.zeros(
            len(points), np.float32
        )

    replace(search, encode=look).look([frame])
    return seen[0]


def test_a_way_that_goes_round_is_not_gone_again_and_ends_in_its_middle(
    sample: SampleHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, counting, frame = swinging(sample)
    short = search.settle(Found(frame, 1.0))
    few, counting.seen = counting.seen, 0
    monkeypatch.setattr("backend.face.locate.encoder_search.SEARCH", replace(SEARCH, again=0.0))
    whole = search.settle(Found(frame, 1.0))
    assert few < counting.seen == 2 * SEARCH.settle
    np.testing.assert_allclose(short.frame.origin, whole.frame.origin, atol=1e-6 * frame.scale)
    assert short.confidence == whole.confidence


def test_steps_that_shorten_end_before_the_last_one(
    sample: SampleHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step of this way leaves a twentieth of what was left."""
    search, _, frame = swinging(sample)
    inside = frame.to_canonical(
        np.stack([sample.landmarks[name] for name in NAMES]).astype(np.float32)
    )

    def ends(foreseen: float) -> tuple[Found, int]:
        now = [0.04, 0]  # how far up the frame lies, and crops seen

        def encode(points: Floats) -> tuple[Floats, Floats]:
            now[:] = now[0] / 20, now[1] + len(points)
            up = np.array([0, now[0] - now[0] * 20, 0], np.float32)
            seen = np.repeat((inside + up).reshape(1, -1), len(points), axis=0)
            return seen.astype(np.float32), np.ones(len(points), np.float32)

        monkeypatch.setattr(
            "backend.face.locate.encoder_search.SEARCH", replace(SEARCH, foreseen=foreseen)
        )
        return replace(search, encode=encode).settle(Found(frame, 1.0)), int(now[1])

    (soon, few), (late, many) = ends(SEARCH.foreseen), ends(0.0)
    assert few < many
    assert frames_apart(soon.frame, late.frame) < 5e-4


def test_a_way_that_goes_on_says_that_it_does_not_rest(sample: SampleHead) -> None:
    search, _, frame = swinging(sample)
    assert search.settle(Found(frame, 1.0)).rests  # it goes round, and its middle is one
    assert not search.settle(Found(frame, 1.0), steps=1).rests


def test_bones_that_stand_anywhere_cost_a_glimpse_and_no_search(sample: SampleHead) -> None:
    counting = Counting(encode_with(load_model(), Cancellation()))
    mesh = AvatarMesh(sample.vertices, sample.triangles, up=(0, 0, 1))
    straight = locate(mesh, counting, NAMES, lambda _share: None, "upright")
    few, counting.seen = counting.seen, 0
    bones = {"head": (0.0, 0.0, 0.0), "neck": (0.0, 0.0, 1.0)}
    other = locate(replace(mesh, bones=bones), counting, NAMES, lambda _share: None, "upright")
    np.testing.assert_array_equal(straight.landmarks, other.landmarks)
    assert counting.seen < few + SEARCH.batch


@pytest.mark.parametrize(("height", "wider"), [(0.02, True), (0.08, True), (0.095, False)])
def test_the_eye_that_is_wider_open_counts_where_the_other_is_closed(
    height: float, wider: bool
) -> None:
    at = np.zeros((len(NAMES), 3), np.float32)
    at[NAMES.index("lid_upper_right"), 1] = 0.1
    at[NAMES.index("lid_upper_left"), 1] = height
    eye = ("eye_inner_right", "eye_outer_right", "lid_upper_right", "lid_lower_right")
    assert eye_wider_open(NAMES, at, 0.9) == (eye if wider else ())
    assert eye_wider_open(NAMES[:3], at[:3], 0.9) == ()
