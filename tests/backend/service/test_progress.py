# SPDX-License-Identifier: GPL-3.0-or-later
"""Long loops move the bar, and a cancel ends them."""

from __future__ import annotations

import numpy as np
import pytest

from backend.errors import BackendError
from backend.face.geometry.blocks import best, blocks_of
from backend.face.geometry.ticks import heard_by, tick
from backend.inference.cancellation import Cancellation
from backend.service import progress as module
from backend.service.progress import Progress


def test_a_share_never_falls_and_stays_below_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.0)
    told: list[float] = []
    progress = Progress(told.append, Cancellation(), 0.2, 0.5)
    progress.at(0.3)
    with heard_by(progress.goes_on):
        for _ in range(50):
            tick()
    progress.at(0.1)
    assert told == sorted(told) and told[1] > 0.3 and told[-1] < 0.5


def test_nobody_need_listen() -> None:
    tick()


def test_a_cancel_ends_a_search_among_blocks() -> None:
    cancellation = Cancellation()
    cancellation.set()
    points = np.random.default_rng(1).normal(size=(300, 3))
    blocks = blocks_of(points)
    with (
        heard_by(Progress(lambda share: None, cancellation, 0, 1).goes_on),
        pytest.raises(BackendError) as caught,
    ):
        best(blocks, blocks, lambda rows, columns: np.zeros((len(rows), len(columns))), np.sqrt)
    assert caught.value.code == "cancelled"
