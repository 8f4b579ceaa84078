# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a child can do wrong, with real processes: the message says what happened,
nothing is left over, the next click works.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from faults.conftest import Clicks
from fixtures.systems import posix

KILLS = int(os.environ.get("FAULT_KILLS", "12"))  # `dev.py reliability` does 200


def frame(header: str, body: str = "b''") -> str:
    """Python code of a child that sends a frame made by hand."""
    return (
        f"text = ({header}).encode(); body = {body}; raw(struct.pack('<4sIQ', b'BSG1', len(text),"
        " len(body)) + text + body)"
    )


BAD_STREAMS = {
    "banner before the greeting": (
        "raw(b'Welcome to this fine shell\\n'); time.sleep(60)",
        "protocol",
        "must begin with",
    ),
    "garbage after the greeting": (
        "hello(); raw(os.urandom(4096)); time.sleep(60)",
        "protocol",
        "cannot be read",
    ),
    "greeting of another version": ("hello(protocol=2); time.sleep(60)", "protocol", "protocol 2"),
    "first frame is no greeting": (
        "write_message(stdout, {'type': 'done', 'id': 1}); time.sleep(60)",
        "protocol",
        "protocol None",
    ),
    "oversized header": (
        "hello(); raw(struct.pack('<4sIQ', b'BSG1', 2 << 20, 0)); time.sleep(60)",
        "protocol",
        "may have",
    ),
    "oversized body": (
        "hello(); raw(struct.pack('<4sIQ', b'BSG1', 2, 3 << 30) + b'{}'); time.sleep(60)",
        "protocol",
        "may have",
    ),
    "absurd sizes": (
        "hello(); raw(struct.pack('<4sIQ', b'BSG1', 2**32 - 1, 2**64 - 1)); time.sleep(60)",
        "protocol",
        "may have",
    ),
    "frame cut off by death": (
        "hello(); raw(struct.pack('<4sIQ', b'BSG1', 90, 1000) + b'{'); sys.exit(0)",
        "child_died",
        "exit code 0",
    ),
    "header no JSON": ("hello(); " + frame("'{]'") + "; time.sleep(60)", "protocol", "malformed"),
    "header nested deeply": (
        "hello(); " + frame("'[' * 100000") + "; time.sleep(60)",
        "protocol",
        "malformed",
    ),
    "arrays that do not fit": (
        "hello(); "
        + frame(
            '\'{"type":"x","arrays":[{"name":"a","dtype":"float32","shape":[3]}]}\'', "bytes(8)"
        )
        + "; time.sleep(60)",
        "protocol",
        "malformed",
    ),
    "arrays of objects": (
        "hello(); "
        + frame('\'{"type":"x","arrays":[{"name":"a","dtype":"object","shape":[1]}]}\'', "bytes(8)")
        + "; time.sleep(60)",
        "protocol",
        "malformed",
    ),
    "negative shape": (
        "hello(); "
        + frame('\'{"type":"x","arrays":[{"name":"a","dtype":"int32","shape":[-2]}]}\'', "bytes(8)")
        + "; time.sleep(60)",
        "protocol",
        "malformed",
    ),
    "stdout closed": ("hello(); os.close(1); time.sleep(60)", "child_died", "closed its pipe"),
    "log flooded": (
        "hello(); sys.stderr.write('x' * (5 << 20)); sys.stderr.flush(); time.sleep(60)",
        "child_died",
        "log",
    ),
    "says that it cannot work": (
        (
            "write_message(stdout, {'type': 'error', 'id': None, 'code': 'runtime_missing',"
            " 'message': 'No numpy.', 'fix': 'Get it.'})"
        ),
        "runtime_missing",
        "No numpy. Get it.",
    ),
}


@pytest.mark.parametrize(("code", "expected", "words"), BAD_STREAMS.values(), ids=BAD_STREAMS)
def test_what_is_no_answer_is_told_and_the_next_click_works(
    clicks: Clicks, code: str, expected: str, words: str
) -> None:
    clicks.code = code
    clicks.start()
    clicks.survived(clicks.failure(), expected, words)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 120, 255])
def test_every_exit_code_is_told(clicks: Clicks, code: int) -> None:
    clicks.code = f"hello(); time.sleep(0.05); sys.exit({code})"
    clicks.start()
    clicks.survived(clicks.failure(), "child_died", f"exit code {code}")


@posix
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SIGKILL", "memory ran out"),
        ("SIGTERM", "SIGTERM"),
        ("SIGSEGV", "SIGSEGV"),
        ("SIGABRT", "SIGABRT"),
        ("SIGBUS", "SIGBUS"),
    ],
)
def test_every_signal_is_told(clicks: Clicks, name: str, words: str) -> None:
    clicks.code = f"hello(); os.kill(os.getpid(), signal.{name}); time.sleep(60)"
    clicks.start()
    clicks.survived(clicks.failure(), "child_died", words)


def test_a_slow_start_is_waited_for_and_blender_goes_on(clicks: Clicks) -> None:
    clicks.code = """
        time.sleep(2); hello()
        write_message(stdout, {"type": "done", "id": read_message(stdin).header["id"]});
        time.sleep(60)
    """
    clicks.start()
    assert clicks.answers(clicks.send())[-1].header["type"] == "done"
    assert clicks.slowest < 0.5


def test_silence_from_the_start_ends(clicks: Clicks, impatient: Callable[..., None]) -> None:
    impatient(HELLO_SECONDS=0.5)
    clicks.code = "time.sleep(60)"
    clicks.start()
    error = clicks.failure()
    impatient(HELLO_SECONDS=60.0)
    clicks.survived(error, "child_timeout", "did not answer")


@posix
@pytest.mark.parametrize("when", ["at the start", "in a run", "between runs"])
def test_the_real_child_is_killed(clicks: Clicks, slow: Path, when: str) -> None:
    if sys.platform == "win32":
        return
    clicks.start()
    assert clicks.backend.pid is not None
    if when == "at the start":
        os.kill(clicks.backend.pid, signal.SIGKILL)
        clicks.survived(clicks.failure(), "child_died")
        return
    assert clicks.click() == "done"
    if when == "in a run":
        request = clicks.send(60, 80, model=str(slow))
        while not [m for m in clicks.poll() if m.header.get("id") == request]:
            pass
        os.kill(clicks.backend.pid, signal.SIGKILL)
        clicks.survived(clicks.failure(), "child_died", "ended by the system")
    else:
        dead = psutil.Process(clicks.backend.pid)
        dead.kill()
        dead.wait(5)
        assert clicks.click() == "done", "nobody waited for it, so nobody is troubled"
        assert clicks.all_gone()


@posix
def test_a_child_that_hangs_holds_nothing_up_and_goes_on_when_it_wakes(clicks: Clicks) -> None:
    assert clicks.click() == "done"
    assert clicks.backend.pid is not None
    child = psutil.Process(clicks.backend.pid)
    child.suspend()
    request = clicks.send(80, 80)
    for _ in range(100):
        assert clicks.poll() == []
    assert clicks.slowest < 0.5
    child.resume()
    assert clicks.answers(request)[-1].header["type"] == "done"


@posix
def test_a_child_that_hangs_and_ignores_its_end_is_killed(
    clicks: Clicks, impatient: Callable[..., None]
) -> None:
    impatient(LADDER_SECONDS=(0.2, 0.2, 2.0))
    assert clicks.click() == "done"
    assert clicks.backend.pid is not None
    child = psutil.Process(clicks.backend.pid)
    child.suspend()
    clicks.backend.stop()
    assert not child.is_running()
    assert clicks.click() == "done"


@posix
def test_a_clock_that_jumps_is_no_silence(clicks: Clicks, monkeypatch: pytest.MonkeyPatch) -> None:
    clicks.start()
    real, jump = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: real() + jump)
    for jump in (3600.0, 8 * 3600.0):  # noqa: B007  (the lambda reads it)
        clicks.poll()
        assert clicks.backend.running, "an hour asleep was taken for an hour of silence"
    assert clicks.click() == "done"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits of another process are Linux's"
)
def test_memory_that_runs_out_is_told_and_the_next_click_works(clicks: Clicks) -> None:
    import resource

    if sys.platform != "linux":
        return
    assert clicks.click() == "done"
    assert clicks.backend.pid is not None
    used = psutil.Process(clicks.backend.pid).memory_info().vms
    resource.prlimit(
        clicks.backend.pid, resource.RLIMIT_AS, (used + (24 << 20), resource.RLIM_INFINITY)
    )
    request = clicks.send(300, 300)
    try:
        last = clicks.answers(request)[-1].header
        assert last["type"] == "error" and last["code"] == "out_of_memory" and last["fix"], last
    except Exception as error:  # an allocation inside a library may also end the child
        assert getattr(error, "code", "") == "child_died", error
    if clicks.backend.running:
        resource.prlimit(
            clicks.backend.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )
    assert clicks.click() == "done"


@posix
@pytest.mark.parametrize("signal_", ["SIGKILL", "mixed"])
def test_no_orphan_after_random_kills(clicks: Clicks, signal_: str, record_property: Any) -> None:
    dice = random.Random(1)  # noqa: S311  (the same kills in every run)
    names = ["SIGKILL"] if signal_ == "SIGKILL" else ["SIGTERM", "SIGSEGV", "SIGABRT", "SIGKILL"]
    told: dict[str, int] = {}
    for _ in range(KILLS // 2):
        clicks.start()
        wait = dice.random() * 0.8
        if dice.random() < 0.6:
            clicks.send()
        end = time.monotonic() + wait
        while time.monotonic() < end:
            clicks.poll()
        assert clicks.backend.pid is not None
        os.kill(clicks.backend.pid, getattr(signal, dice.choice(names)))
        code = clicks.failure().code
        told[code] = told.get(code, 0) + 1
        assert clicks.all_gone()
        clicks.backend.stop()  # a user who waits out the back-off; the test does not
    assert set(told) == {"child_died"}
    assert clicks.click() == "done"
    record_property("kills", KILLS // 2)


def test_two_children_of_two_blenders_do_not_disturb_each_other(tmp_path: Path, tiny: Path) -> None:
    users = [Clicks(tmp_path, tiny) for _ in range(2)]
    try:
        for user in users:
            user.start()
        requests = [user.send() for user in users]
        offsets = []
        for user, request in zip(users, requests, strict=True):
            found = user.answers(request)
            offsets.append(next(m.arrays["offsets"] for m in found if m.header["type"] == "shapes"))
        assert users[0].backend.pid != users[1].backend.pid
        np.testing.assert_array_equal(*offsets)
        users[0].backend.stop()
        assert users[1].click() == "done"
    finally:
        for user in users:
            user.backend.stop()
