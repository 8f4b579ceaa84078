# SPDX-License-Identifier: GPL-3.0-or-later
"""Which models stay loaded: real sessions, with memory and time that the test decides."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from fixtures import models

from backend.inference import pool
from backend.inference.cancellation import Cancellation
from backend.inference.hardware import thread_counts
from backend.inference.loading import load_model
from backend.inference.metrics import Metrics, Series, quantile, targets
from backend.inference.models import Model
from backend.inference.pool import GROWTH, OVERDUE_S, RETRY_S, Pool
from backend.inference.settings import Settings, resolve

CONDITIONS = ["jawOpen", "eyeBlinkLeft"]


class World:
    """Memory and time as the pool sees them."""

    def __init__(self) -> None:
        self.memory, self.free, self.now = 100.0, 8000.0, 0.0
        self.pool = Pool(lambda: self.memory, lambda: self.free, lambda: self.now)


def settings(**chosen: Any) -> Settings:
    return resolve({"threads": 1, **chosen}, environment={})


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [models.pair(tmp_path, name, CONDITIONS, name=name) for name in "abc"]


def names(world: World) -> list[str]:
    return [entry["model"] for entry in world.pool.stats()["models"]]


def test_a_model_stays_loaded_by_model_provider_and_precision(
    world: World, three: list[Path]
) -> None:
    with (
        world.pool.lease(three[0], settings()) as first,
        world.pool.lease(three[0], settings(idle_s=5, memory_mb=900)) as again,
    ):
        assert again is first
    with world.pool.lease(three[0], settings(provider="cpu")) as other:
        assert other is not first
    assert names(world) == ["a", "a"] and world.pool.stats()["sessions"] == 4


def test_a_changed_file_is_loaded_again(world: World, three: list[Path], tmp_path: Path) -> None:
    import os

    with world.pool.lease(three[0], settings()):
        pass
    models.pair(tmp_path, "a", ["jawOpen"], name="newer")
    os.utime(three[0], (1, 1))
    with world.pool.lease(three[0], settings()) as model:
        assert model.info.name == "newer"
    assert names(world) == ["newer"]


def test_the_least_recently_used_goes_first_when_memory_is_short(
    world: World, three: list[Path]
) -> None:
    limit = settings(memory_mb=1000)
    for path in (three[0], three[1], three[0]):
        with world.pool.lease(path, limit):
            pass
    assert names(world) == ["b", "a"]
    dropped: list[float] = []

    def memory() -> float:
        dropped.append(1)
        return 1200.0 if len(dropped) == 1 else 100.0

    world.pool._memory = memory
    with world.pool.lease(three[2], limit):
        pass
    assert names(world) == ["a", "c"] and world.pool.stats()["evicted"] == 1


@pytest.mark.parametrize(("share", "left"), [(0.9, ["b"]), (1.1, ["a", "b"])])
def test_room_is_made_for_the_model_that_comes(
    world: World, three: list[Path], share: float, left: list[str]
) -> None:
    limit = settings(memory_mb=1000)
    with world.pool.lease(three[0], limit):
        pass
    needed = three[1].stat().st_size / 2**20 * GROWTH
    world.memory = (
        1000 - needed * share
    )  # below the ceiling before; above it once the second is loaded, if share is below 1
    with world.pool.lease(three[1], limit):
        assert names(world) == left


def test_a_model_in_use_is_never_dropped(world: World, three: list[Path]) -> None:
    world.memory = 5000.0
    with world.pool.lease(three[0], settings()) as model, world.pool.lease(three[1], settings()):
        assert names(world) == ["a", "b"] and model.encoder.session is not None
    assert names(world) == [], "over the ceiling nothing is kept that nobody uses"


def test_low_memory_is_chosen_by_itself_and_on_request(world: World, three: list[Path]) -> None:
    for chosen, free, expected in (
        ({}, 8000, False),
        ({}, 100, True),
        ({"low_memory": "off"}, 100, False),
        ({"memory_mb": 256}, 8000, True),
    ):
        world.free = float(free)
        with world.pool.lease(three[0], settings(**chosen)) as model:
            assert model.encoder.low_memory is expected and model.engine()["low_memory"] is expected
            assert (len(model.pieces(1000)) > 4) is expected
    with world.pool.lease(three[1], settings(low_memory="on")):
        assert names(world) == ["b"], "one model at a time"


@pytest.mark.parametrize("low", [True, False])
def test_sessions_of_the_low_memory_mode_have_no_arena(
    world: World, three: list[Path], low: bool
) -> None:
    with world.pool.lease(three[0], settings(low_memory="on" if low else "off")) as model:
        options = [part.session.get_session_options() for part in model.parts]
        assert len(options) == 2 and all(
            one.enable_cpu_mem_arena is one.enable_mem_pattern is not low for one in options
        )


def test_models_are_let_go_when_idle(world: World, three: list[Path]) -> None:
    with (
        world.pool.lease(three[0], settings(idle_s=60)),
        world.pool.lease(three[1], settings(idle_s=0)),
    ):
        world.now = 1000.0
        assert world.pool.release_idle() == 0, "both are in use"
    world.now += 59
    assert world.pool.release_idle() == 0
    world.now += 1
    assert world.pool.release_idle() == 1 and names(world) == ["b"], "idle_s=0 keeps it"
    world.pool.close()
    assert names(world) == []


def test_one_that_loads_does_not_hold_up_the_others(
    world: World, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go, found = threading.Event(), threading.Event(), []
    real = load_model

    def slowly(path: Path | None, chosen: Settings, low: bool) -> Any:
        if path == three[1]:
            started.set()
            assert go.wait(20)
        return real(path, chosen, low)

    monkeypatch.setattr(pool, "load_model", slowly)

    def work() -> None:
        with world.pool.lease(three[1], settings()) as model:
            found.append(model)

    with world.pool.lease(three[0], settings()):
        pass
    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert started.wait(20)
    with world.pool.lease(three[0], settings()):
        assert names(world) == ["a"] and world.pool.stats()["sessions"] == 2
    with world.pool.lease(three[2], settings()):
        assert names(world) == ["a", "c"], "another is loaded meanwhile"
    go.set()
    for worker in workers:
        worker.join(20)
    assert len(found) == 2 and found[0] is found[1] and names(world) == ["a", "c", "b"]


def test_a_trial_of_threads_that_never_ends_does_not_hold_up_the_others(
    world: World, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go = threading.Event(), threading.Event()

    def endless(model: Any, cancellation: Cancellation) -> None:
        started.set()
        assert go.wait(20)

    chosen = resolve({}, environment={})
    with world.pool.lease(three[0], chosen):
        pass
    monkeypatch.setattr(Model, "try_threads", endless)
    trial = threading.Thread(target=world.pool.try_threads)
    trial.start()
    assert started.wait(20)
    with world.pool.lease(three[1], chosen), world.pool.lease(three[0], chosen):
        assert names(world) == ["b", "a"]
    go.set()
    trial.join(20)
    assert world.pool.stats()["thread_trials"] == 1


def trials(world: World) -> int:
    found = world.pool.stats()["thread_trials"]
    assert isinstance(found, int)
    return found


def test_no_request_waits_for_a_trial_of_threads(world: World, three: list[Path]) -> None:
    chosen = resolve({}, environment={})
    for now in (0.0, 1.0, RETRY_S, RETRY_S + 1):
        world.now = now
        with world.pool.lease(three[0], chosen) as model:
            assert trials(world) == 0 and model.threads == thread_counts()[-1]


def test_threads_are_tried_again_after_a_while_of_use(world: World, three: list[Path]) -> None:
    chosen = resolve({}, environment={})
    with world.pool.lease(three[0], chosen):
        pass
    assert world.pool.try_threads() == 1
    world.now = 2 * RETRY_S
    assert world.pool.try_threads() == 0, "nobody has used it since"
    with world.pool.lease(three[0], chosen):
        assert world.pool.try_threads() == 0, "it is in use"
    assert world.pool.try_threads() == 1
    with world.pool.lease(three[0], chosen):
        world.now += 1
    assert world.pool.try_threads() == 0, "the last time was just now"


def test_a_child_that_is_never_idle_tries_its_threads_all_the_same(
    world: World, three: list[Path]
) -> None:
    chosen = resolve({}, environment={})
    for now, count in ((0.0, 0), (OVERDUE_S - 1, 0), (OVERDUE_S, 1), (OVERDUE_S + 1, 1)):
        world.now = now
        with world.pool.lease(three[0], chosen):
            assert trials(world) == count
    world.now += OVERDUE_S
    assert world.pool.try_threads() == 1, "used since the last trial"
    world.now += 10 * OVERDUE_S
    with world.pool.lease(three[0], chosen):
        assert trials(world) == 2, "an old trial is good enough for who comes back"


def test_a_request_ends_a_trial_that_is_made_again_later(
    world: World, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started, ended = threading.Event(), threading.Event()

    def long(model: Any, cancellation: Cancellation) -> None:
        started.set()
        while not cancellation.is_set():
            assert not ended.wait(0.001)
        ended.set()
        cancellation.check()

    chosen = resolve({}, environment={})
    with world.pool.lease(three[0], chosen):
        pass
    with monkeypatch.context() as patch:
        patch.setattr(Model, "try_threads", long)
        trial = threading.Thread(target=world.pool.try_threads)
        trial.start()
        assert started.wait(20)
        with world.pool.lease(three[0], chosen):
            assert ended.wait(20)
        trial.join(20)
    assert world.pool.try_threads() == 1 and world.pool.try_threads() == 0


def test_a_first_request_does_not_wait_for_the_trial_of_threads(
    world: World, three: list[Path]
) -> None:
    with world.pool.lease(three[0], resolve({}, environment={})) as model:
        assert model.threads == thread_counts()[-1] and world.pool.stats()["thread_trials"] == 0
        assert world.pool.try_threads() == 0, "it is in use"
    assert world.pool.try_threads() == 1 and world.pool.stats()["thread_trials"] == 1
    assert model.threads in thread_counts() and {part.threads for part in model.parts} == {
        model.threads
    }
    assert world.pool.try_threads() == 0, "once is enough"


def test_quantiles_are_by_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [quantile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert quantile([7.0], 0.5) == 7 and quantile([], 0.5) == 0
    series = Series()
    for value in (3.0, 1.0, 2.0):
        series.add(value)
    assert series.summary() == {
        "count": 3,
        "sum": 6.0,
        "mean": 2.0,
        "p50": 2.0,
        "p95": 3.0,
        "p99": 3.0,
        "max": 3.0,
    }


def test_targets_are_kept_or_missed() -> None:
    assert targets(1.0, 67, 300)["met"] and not targets(1.0, 67, 3000)["met"]
    assert not targets(7.0, 67, 300)["met"], "fewer than ten a minute"
    assert not targets(4.0, 1, 300)["met"], "more than 3 s for one shape"
    assert targets(3.0, 1, 2048.0) == {
        "seconds_per_shape": 3.0,
        "peak_memory_mb": 2048.0,
        "per_minute": 20.0,
        "met": True,
    }
    assert (
        targets(6.0, 67, 1)["met"]
        and not targets(6.1, 67, 1)["met"]
        and not targets(1.0, 1, 2048.5)["met"]
    )


def test_metrics_are_told_as_numbers_and_as_prometheus_text(tmp_path: Path) -> None:
    metrics = Metrics()
    for total in (0.5, 1.5):
        metrics.begin()
        metrics.done(
            "generate",
            {
                "provider_active": "CPU",
                "seconds": {"model": total / 2, "total": total},
                "targets": {"met": total < 1},
            },
        )
    metrics.begin()
    metrics.failed("no_face")
    told = metrics.summary()
    assert (
        told["requests"] == 3
        and told["errors"] == {"no_face": 1}
        and (told["targets"]["met"], told["targets"]["missed"]) == (1, 1)
    )
    row = next(row for row in told["stages"] if row["stage"] == "total")
    assert (row["request"], row["provider"], row["count"], row["mean"], row["max"]) == (
        "generate",
        "CPU",
        2,
        1.0,
        1.5,
    )
    metrics.write(str(tmp_path / "m.prom"), {"sessions": 2})
    lines = (tmp_path / "m.prom").read_text().splitlines()
    assert 'blendshape_seconds_count{request="generate",stage="total",provider="CPU"} 2' in lines
    assert 'blendshape_errors_total{code="no_face"} 1' in lines and "blendshape_sessions 2" in lines
    samples = [line for line in lines if not line.startswith("#")]
    assert all(
        len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0 for line in samples
    )
    metrics.write(str(tmp_path / "no" / "m.prom"), {})
