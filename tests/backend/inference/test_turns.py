# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is: runs of requests that are worked on together, in the order in which they
ask.
"""

from __future__ import annotations

import threading
import time

import pytest

from backend.errors import BackendError
from backend.inference import turns as turns_module
from backend.inference.cancellation import Cancellation


def test_turns_are_taken_in_order_and_given_up_when_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE_S", 30.0)
    turns, order, ready = turns_module.Turns(), [], []
    gate = threading.Event()

    def work(name: str, cancellation: Cancellation) -> None:
        try:
            with turns.take(cancellation):
                order.append(name)
                if name == "first":
                    gate.wait(10)
        except BackendError as error:
            ready.append((name, error.code))

    threads, cancellations = [], {}
    for name in ("first", "second", "cancelled", "third"):
        cancellations[name] = Cancellation()
        threads.append(threading.Thread(target=work, args=(name, cancellations[name])))
        threads[-1].start()
        time.sleep(0.05)
    cancellations["cancelled"].set()
    threads[2].join(10)
    assert ready == [("cancelled", "cancelled")] and order == ["first"]
    gate.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second", "third"]


def test_so_many_runs_at_once_as_there_are_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE_S", 30.0)
    turns, lock, now, most = turns_module.Turns(2), threading.Lock(), [0], [0]

    def work() -> None:
        with turns.take(Cancellation()):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

    for _ in range(2):  # places that are given back are as many as were taken
        threads = [threading.Thread(target=work) for _ in range(7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert most == [2] and now == [0]


def test_a_run_that_takes_for_ever_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE_S", 0.2)
    turns = turns_module.Turns()
    with turns.take(Cancellation()):
        began = time.monotonic()
        for _ in range(10):
            with turns.take(Cancellation()):
                pass
        assert time.monotonic() - began < 1.5
    with turns.take(Cancellation()):
        pass
