# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child does when its parent cannot be watched, on three systems: a fresh interpreter that
has, or pretends to have, their modules.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from backend.service.parent import NOT_WATCHED

ROOT = Path(__file__).resolve().parents[3]
WINDOWS = """
import ctypes, os, sys, threading, time, traceback, types
class Refused(OSError):
    winerror = 5
def gone(*_):
    error = Refused(22, "The parameter is incorrect")
    error.winerror = 87
    raise error
def denied(*_): raise Refused(13, "Access is denied")
began = {7: 10, -1: 20}  # the parent, and this process
def times(handle, *places):
    places[0]._obj[0] = began[ctypes.c_int64(handle.value).value]
    return 1
class Kernel:
    GetProcessTimes = staticmethod(times)
ctypes.windll = types.SimpleNamespace(kernel32=Kernel)
waited = threading.Event()
def wait(handle, milliseconds):
    waited.set(); time.sleep(0.2)
fake = types.ModuleType("_winapi")
fake.INFINITE, fake.OpenProcess = 0xFFFFFFFF, lambda *_: 7
fake.GetCurrentProcess, fake.WaitForSingleObject = lambda: -1, wait
sys.modules["_winapi"] = fake
"""
MACOS = """
import os, select, sys, threading, time, traceback, types
seen = []
class Queue:
    def control(self, changes, count):
        if changes is None: return events()
        if changes[0][1] == "proc": process()
kqueue = {
    "KQ_EV_ADD": 1, "KQ_EV_CLEAR": 2, "KQ_EV_EOF": 4,
    "KQ_FILTER_READ": "read", "KQ_FILTER_PROC": "proc", "KQ_NOTE_EXIT": 8,
}
for name, value in kqueue.items():
    setattr(select, name, value)
select.kevent = lambda *given: given
select.kqueue = Queue
def process(): pass
def events(): time.sleep(0.2); return [types.SimpleNamespace(filter="proc", flags=0)]
"""


def outcome(system: str, before: str, then: str = "") -> tuple[int, str]:
    """Exit code and stderr of a process that watches its parent on a system, and would otherwise
    end with 9 after a while.
    """
    modules = {"win32": WINDOWS, "darwin": MACOS}.get(system, "import os, select, sys, time")
    lines = [
        modules,
        textwrap.dedent(before),
        f"sys.platform = {system!r}",
        "from backend.service import parent",
        "parent.watch()",
        then,
        "time.sleep(2)",
    ]
    code = "\n".join([*lines, "sys.exit(9)"])
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        return process.wait(30), process.stderr.read()


@pytest.mark.parametrize(
    ("system", "before"),
    [
        ("win32", ""),
        ("win32", "fake.OpenProcess = gone"),
        ("win32", "began[7] = 30  # another process has its number"),
        ("darwin", ""),
        ("darwin", "def process(): raise ProcessLookupError"),
    ],
)
def test_the_end_of_the_parent_ends_the_child(system: str, before: str) -> None:
    assert outcome(system, before) == (0, "")


@pytest.mark.parametrize(
    ("system", "before"),
    [
        ("win32", "fake.OpenProcess = denied"),
        (
            "darwin",
            (
                "def process(): raise PermissionError(1, 'not permitted')\ndef events():"
                " time.sleep(60)"
            ),
        ),
    ],
)
def test_a_parent_that_may_not_be_watched_is_a_line_in_the_log_and_no_end(
    system: str, before: str
) -> None:
    code, said = outcome(system, before)
    assert (
        code == 9
        and "cannot be waited for" in said
        and "the end of the pipe ends the process" in said
    )


def test_where_the_system_has_no_pidfd_the_end_of_the_pipe_is_still_seen() -> None:
    before = "del os.pidfd_open" if sys.platform == "linux" else ""
    if not before:
        pytest.skip("asks Linux's poll")
    assert (
        outcome(
            "linux",
            before,
            "threads = __import__('threading').enumerate(); assert [t for t in threads if t.name =="
            " 'parent'], threads",
        )[0]
        == 9
    )


@pytest.mark.parametrize(
    ("system", "before"),
    [
        (
            "win32",
            (
                "def wait(*_): raise OSError(6, 'The handle is invalid')\nfake.WaitForSingleObject"
                " = wait"
            ),
        ),
        ("darwin", "def events(): raise OSError(9, 'Bad file descriptor')"),
        ("linux", "def poll(): raise OSError(24, 'Too many open files')\nselect.poll = poll"),
    ],
)
def test_a_watch_that_fails_ends_the_child_with_a_line_and_a_code_of_its_own(
    system: str, before: str
) -> None:
    code, said = outcome(system, before)
    assert (
        code == NOT_WATCHED
        and "OSError" in said
        and said.splitlines()[-1].startswith("the end of the parent cannot be waited for")
    )
