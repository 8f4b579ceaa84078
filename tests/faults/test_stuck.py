# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that never end, when they are loaded or when they run: every wait for them ends, the child
is gone, and others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from faults.conftest import Clicks
from fixtures import models, served

CONDITIONS = ["jawOpen", "eyeBlinkLeft"]
TABLE = {"Ah": {"jawOpen": 1.0}}
PROMISED_S = 10.0  # after a timeout or a cancel
SHORT_S = 1.0
BUSY_S = 1.5  # of processor time: far more than loading takes


def made(folder: Path, kind: str) -> Path:
    return models.stuck(folder / f"{kind}.onnx", kind, CONDITIONS)


@pytest.mark.parametrize("kind", models.STUCK)
def test_a_model_that_never_ends_holds_up_no_other(kind: str, tmp_path: Path) -> None:
    with served.served() as child:
        child.send("load", {"model": str(made(tmp_path, kind))})
        assert served.report(child, "load", model=None)["model"].startswith("face"), (
            "answered while the first is stuck"
        )
        assert served.report(child, "stats")["models"]


def begun(clicks: Clicks, model: Path) -> int:
    """A request that a model keeps the child busy with: to load it, which runs it once."""
    clicks.start()
    clicks.until_greeted()
    request: int = clicks.backend.send("load", {"model": str(model)})
    child = psutil.Process(clicks.backend.pid)
    greeted = child.cpu_times().user
    while child.cpu_times().user < greeted + BUSY_S:
        clicks.poll()
    return request


def gone(pid: int | None) -> bool:
    return pid is None or not psutil.pid_exists(pid)


@pytest.mark.parametrize("kind", models.STUCK)
def test_what_is_cancelled_is_given_up_or_the_child_is_killed(
    clicks: Clicks, kind: str, tmp_path: Path
) -> None:
    request, pid = begun(clicks, made(tmp_path, kind)), clicks.backend.pid
    clicks.backend.cancel(request)
    clicks.backend.cancel(request)  # a second ESC
    end = time.monotonic() + PROMISED_S
    while clicks.backend.see_off():
        assert time.monotonic() < end, "the child goes on"
        time.sleep(0.05)
    if (
        kind == "loop"
    ):  # ONNX Runtime looks at a cancel between two rounds: the child is as good as before
        assert clicks.backend.pid == pid and clicks.reaches_a_child() == "done"
        return
    assert gone(pid) and not clicks.backend.running
    clicks.backend.start()  # it was no crash: nobody has to wait
    assert clicks.reaches_a_child() == "done"


@pytest.mark.parametrize("kind", models.STUCK)
def test_what_is_not_done_in_time_ends_with_the_child_and_another_model_is_advised(
    clicks: Clicks, kind: str, tmp_path: Path
) -> None:
    clicks.start()
    clicks.until_greeted()
    pid = clicks.backend.pid
    clicks.backend.allow(SHORT_S)
    clicks.send(model=str(made(tmp_path, kind)), sets=[], table=TABLE)
    error = clicks.failure(SHORT_S + PROMISED_S)
    clicks.backend.allow(None)
    assert (
        f"The model {kind}.onnx did not finish within 1 s" in error.message
        and "another model" in error.fix
    )
    assert "time" not in error.fix and gone(pid)
    clicks.survived(error, "model_stuck")


def test_the_extensions_own_model_is_not_blamed(clicks: Clicks) -> None:
    clicks.start()
    clicks.until_greeted()
    clicks.backend.allow(0.001)
    clicks.send(model=None)
    error = clicks.failure()
    clicks.backend.allow(None)
    assert (
        "1,536 vertices" in error.message
        and "fewer vertices" in error.fix
        and "model" not in str(error)
    )
    clicks.survived(error, "child_timeout")


def test_others_are_told_why_their_child_was_ended_and_may_ask_again(
    clicks: Clicks, tmp_path: Path, impatient: Callable[..., None]
) -> None:
    impatient(CANCEL_SECONDS=SHORT_S)
    first = begun(clicks, made(tmp_path, "fold"))
    clicks.backend.cancel(first)
    clicks.send(model=str(made(tmp_path, "matmul")), sets=[], table=TABLE)
    error = clicks.failure()
    clicks.survived(error, "child_timeout", "did not give the model fold.onnx up")


def test_what_trickles_progress_for_ever_ends(
    clicks: Clicks, impatient: Callable[..., None]
) -> None:
    impatient(seconds_for=lambda vertices: SHORT_S + vertices * 1e-9)
    clicks.code = """
        hello(); number = read_message(stdin).header["id"]
        while True:
            progress = {"type": "progress", "id": number, "stage": "model", "fraction": 0.5}
            write_message(stdout, progress)
            time.sleep(0.05)
    """
    clicks.start()
    clicks.send()
    clicks.survived(clicks.failure(), "model_stuck", "did not finish within")


def test_silence_in_a_run_ends(clicks: Clicks, impatient: Callable[..., None]) -> None:
    impatient(SILENCE_SECONDS=SHORT_S)
    clicks.code = "hello(); time.sleep(60)"
    clicks.start()
    clicks.send()
    error = clicks.failure()
    impatient(SILENCE_SECONDS=300.0)
    clicks.survived(error, "model_stuck", "within 1 s")


def test_a_child_that_never_greets_is_ended_when_nobody_waits_any_more(
    clicks: Clicks, impatient: Callable[..., None]
) -> None:
    impatient(CANCEL_SECONDS=SHORT_S)
    clicks.code = "time.sleep(60)"
    clicks.start()
    clicks.backend.cancel(clicks.send())
    end = time.monotonic() + PROMISED_S
    while clicks.backend.see_off():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not clicks.backend.running and clicks.all_gone()


def test_a_model_that_takes_too_much_memory_is_told_and_it_is_no_crash(
    clicks: Clicks, tmp_path: Path
) -> None:
    share = 300 * 2**20 / psutil.virtual_memory().total
    clicks.code = (
        f"from backend import limits; limits.FOREIGN_SHARE = {share};"
        " from backend.service.cli import main; sys.exit(main(['serve']))"
    )
    clicks.start()
    clicks.until_greeted()
    clicks.backend.send("load", {"model": str(made(tmp_path, "matmul"))})
    error = clicks.failure(60)
    clicks.survived(error, "out_of_memory", "half of this computer's")
    assert "another model" in error.fix
