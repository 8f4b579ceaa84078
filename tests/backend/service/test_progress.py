# SPDX-License-Identifier: GPL-3.0-or-later
"""Long loops move the bar, and a cancel ends them."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from backend.errors import BackendError
from backend.face import pipeline
from backend.face.geometry.blocks import nearest
from backend.face.geometry.mesh import AvatarMesh
from backend.face.geometry.ticks import heard_by, tick
from backend.face.keys import Looked
from backend.face.shapes.shape_sets import load_sets
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.settings import resolve
from backend.service import progress as module
from backend.service.asked import Asked
from backend.service.generate import generate
from backend.service.progress import Progress
from scripts.bench.against import subdivided
from scripts.samples.head import build
from scripts.samples.surface import HeadSpec


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
    with (
        heard_by(Progress(lambda share: None, cancellation, 0, 1).goes_on),
        pytest.raises(BackendError) as caught,
    ):
        nearest(points, points, points[:, 0], lambda rows, columns: np.zeros((len(rows), 1)))
    assert caught.value.code == "cancelled"


class Heard(Cancellation):
    """Knows how much of the processor each thread used between two looks for a cancel."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[float] = []
        self._last: dict[int, float] = {}

    def check(self) -> None:
        now, thread = time.thread_time(), threading.get_ident()
        self.used.append(now - self._last.get(thread, now))
        self._last[thread] = now
        super().check()


@pytest.fixture(scope="module")
def dense() -> AvatarMesh:
    """The sample head, each triangle cut into four: 41,990 vertices."""
    head = build(HeadSpec())
    vertices, triangles = subdivided(head.vertices.astype(np.float32), head.triangles)
    return AvatarMesh(vertices, triangles, up=(0, 0, 1))


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(settings=resolve({"threads": 1, "provider": "cpu"}, environment={}))


def test_no_stage_stands_still_on_a_dense_head(dense: AvatarMesh, model: Model) -> None:
    """A tick or a run in every 20th part of the time; what is done between two grows with the
    vertices.
    """
    told: list[tuple[str, float]] = []
    heard, asked = Heard(), Asked({"arkit": load_sets()["arkit"].shapes})
    model.warm_up(Cancellation())
    for _ in generate(dense, asked, model, lambda *where: told.append(where), heard):
        pass
    assert max(heard.used) < 0.05 * sum(heard.used)
    parts = [part for _stage, part in told]
    assert parts == sorted(parts) and parts[-1] == 1


def test_a_cancel_ends_the_look_at_a_dense_head(
    dense: AvatarMesh, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    cancellation, analyse = Cancellation(), pipeline.analyse

    def analysed(*what: Any) -> Looked:
        cancellation.set()
        try:
            return analyse(*what)
        except BackendError as error:
            ended.append(error.code)
            raise

    monkeypatch.setattr(pipeline, "analyse", analysed)
    asked = Asked({"arkit": load_sets()["arkit"].shapes})
    with pytest.raises(BackendError):
        list(generate(dense, asked, model, lambda *where: None, cancellation))
    assert ended == ["cancelled"]
