# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipe is out of native code's way: real processes, and Windows' calls pretended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures import served

ROOT = Path(__file__).resolve().parents[3]
READS = """
import ctypes, json, os, sys
from backend.service import stdio
requests, answers = stdio.claim()
libc = ctypes.CDLL(None)
got = libc.read(0, ctypes.create_string_buffer(8), 8)
libc.write(1, b"printed by native code", 22)
print("printed by Python")
same = requests.fileno() in (0, 1, 2)
told = {"native": got, "first": requests.read(5).decode(), "same": same}
answers.write(json.dumps(told).encode())
"""


@pytest.mark.skipif(os.name != "posix", reason="asks the C library")
def test_native_code_that_reads_stdin_gets_its_end_and_the_frames_stay_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READS],
        cwd=ROOT,
        input=b"frame",
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == {"native": 0, "first": "frame", "same": False}
    assert b"printed by native code" in done.stderr and b"printed by Python" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux's /proc")
def test_in_the_real_child_descriptor_0_is_not_the_pipe() -> None:
    with served.served() as child:
        assert child.process.stdin is not None
        ours = str(Path(f"/proc/self/fd/{child.process.stdin.fileno()}").readlink())
        open_there = {
            number.name: str(number.readlink())
            for number in Path(f"/proc/{child.process.pid}/fd").iterdir()
        }
        assert ours.startswith("pipe:") and ours in open_there.values()
        assert open_there["0"] == os.devnull and open_there["1"] == open_there["2"]
        assert served.ask(child, "stats")[-1].header["type"] == "done"


WINDOWS = """
import ctypes, json, os, sys, types
modes, handles = [], {}
fake = types.ModuleType("msvcrt")
fake.setmode = lambda fd, mode: modes.append(fd)
fake.get_osfhandle = lambda fd: 1000 + fd
sys.modules["msvcrt"] = fake
os.O_BINARY = 0x8000
kernel = types.SimpleNamespace()
kernel.SetStdHandle = lambda which, handle: handles.update(
    {ctypes.c_int32(which.value).value: handle.value})
ctypes.windll = types.SimpleNamespace(kernel32=kernel)
sys.platform = "win32"
from backend.service import stdio
requests, answers = stdio.claim()
assert modes == [requests.fileno(), answers.fileno()], modes
answers.write(json.dumps(handles).encode())
"""


def test_on_windows_the_standard_handles_follow_the_descriptors() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS],
        cwd=ROOT,
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout) == {"-10": 1000, "-11": 1001}, done.stderr
