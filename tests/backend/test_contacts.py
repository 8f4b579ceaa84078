# SPDX-License-Identifier: GPL-3.0-or-later
"""Lids and lips: a shape that stops half-way is sent the whole way, and one that does something else is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.face import contacts

UPPER, LOWER = np.array([0.5, 0.2, 0.0], np.float32), np.array([0.5, -0.1, 0.0], np.float32)


def lid(share: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A strip of skin above an eye and a blink that goes `share` of the way at the edge and nowhere at the brow."""
    rng = np.random.default_rng(4)
    vertices = np.column_stack([rng.uniform(0.3, 0.7, 400), rng.uniform(0.2, 0.45, 400), np.zeros(400)]).astype(np.float32)
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
    assert contacts.lid_gain(vertices, blink, UPPER, LOWER) == contacts.MOST
    assert contacts.lid_gain(vertices, -blink, UPPER, LOWER) == 1.0
    assert contacts.lid_gain(vertices, np.zeros_like(blink), UPPER, LOWER) == 1.0
    assert contacts.lid_gain(vertices, blink, UPPER, UPPER) == 1.0


@pytest.mark.parametrize("share", [0.5, 1.0, 1.5])
def test_mouth_close_takes_back_what_jaw_open_parts(share: float) -> None:
    x = np.linspace(-0.3, 0.3, 30, dtype=np.float32)
    vertices = np.concatenate([np.column_stack([x, 0 * x - 1 + y, 0 * x]) for y in (0.01, -0.01)]).astype(np.float32)
    lower = vertices[:, 1] < -1
    jaw, close = np.zeros_like(vertices), np.zeros_like(vertices)
    jaw[lower, 1], close[lower, 1], close[~lower, 1] = -0.4, 0.3 * share, -0.1 * share
    gain = contacts.lip_gain(vertices, jaw, close, np.array([0, -1, 0], np.float32))
    both = jaw + gain * close
    assert both[lower, 1].mean() == pytest.approx(both[~lower, 1].mean(), abs=1e-5)
    assert contacts.lip_gain(vertices, np.zeros_like(jaw), close, np.array([0, -1, 0], np.float32)) == 1.0


def test_gains_name_the_conditions_they_are_for() -> None:
    vertices, blink = lid(0.5)
    marks = {"lid_upper_left": UPPER, "lid_lower_left": LOWER}
    assert set(contacts.gains(vertices, marks, {"eyeBlinkLeft": blink, "eyeBlinkRight": blink})) == {"eyeBlinkLeft"}
    assert contacts.gains(vertices, {}, {"eyeBlinkLeft": blink}) == {}
