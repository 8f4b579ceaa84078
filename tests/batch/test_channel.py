# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever Blender, an add-on or a locale prints or reads, the batch and its Blenders understand
each other.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from fixtures import systems

from scripts.batch.channel import VARIABLE, started

from .conftest import ROOT, Run

Generate = Callable[..., Run]
# a Blender that prints before, with and after its work, on both streams, and without ends of lines;
# and reads what is on stdin
NOISY = """
import atexit, os, runpy, sys
sys.path.insert(0, {root!r})
os.write(1, b"Warning: locale not supported")
os.write(2, b'{{"id": 1, "row": {{}}}}')
print('{{"id": 1, "row": {{"status": "done"}}}}', flush=True)
print("stdin holds", len(sys.stdin.read()), flush=True)
real = os.read
import bpy
bpy.app.handlers.load_post.append(lambda *_: os.write(1, b"Read prefs: \\xff\\xfe no end of line"))
runpy.run_path({worker!r}, run_name="__main__")
"""


@systems.shell
def test_what_a_blender_prints_is_harmless(heads: Path, tmp_path: Path, generate: Generate) -> None:
    code = tmp_path / "noisy.py"
    code.write_text(
        NOISY.format(root=str(ROOT), worker=str(ROOT / "scripts" / "batch" / "worker.py")),
        encoding="utf-8",
    )
    program = tmp_path / "blender"
    program.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(code))}\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    run = generate(heads, tmp_path / "out", "--jobs", 2, "--blender", program)
    assert run.code == 0 and set(run.states.values()) == {"done"}, run.said


@pytest.mark.skipif(sys.platform == "win32", reason="what C's locale functions say differs there")
@pytest.mark.parametrize("language", ["xx_YY.UTF-8", "de_DE", "C"])
def test_a_language_that_is_not_installed_is_harmless(
    heads: Path, tmp_path: Path, generate: Generate, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    for name in [name for name in os.environ if name.startswith("LC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", language)
    run = generate(heads / "ann.obj", tmp_path / "out", "--jobs", 1)
    assert run.code == 0 and run.states == {"ann": "done"}, run.said


ECHO = """
import os, subprocess, sys
sys.path.insert(0, {root!r})
from scripts.batch.channel import named
channel = named()
print("noise", flush=True)
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], close_fds=False)
for line in channel.jobs:
    channel.answers.write(line.upper())
    channel.answers.flush()
os.kill(left.pid, 9)
"""


def test_lines_go_both_ways_and_end_with_the_process() -> None:
    start = partial(
        subprocess.Popen,
        [sys.executable, "-c", ECHO.format(root=str(ROOT))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    process, channel = started(start, os.environ)
    for text in ("hello\n", "こんにちは\n"):
        channel.jobs.write(text)
        channel.jobs.flush()
        assert channel.answers.readline() == text.upper()
    channel.jobs.close()
    assert channel.answers.readline() == "", (
        "the end of the jobs is the end of the process and of its answers"
    )
    assert process.wait(20) == 0
    channel.close()


def test_a_process_that_is_killed_ends_its_answers_though_its_own_children_live() -> None:
    start = partial(
        subprocess.Popen,
        [sys.executable, "-c", ECHO.format(root=str(ROOT))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    process, channel = started(start, os.environ)
    channel.jobs.write("ready\n")
    channel.jobs.flush()
    assert channel.answers.readline() == "READY\n"
    process.kill()
    assert channel.answers.readline() == ""
    process.wait(20)
    channel.close()


def test_a_program_that_is_not_there_leaves_nothing_open() -> None:
    def descriptors() -> set[str]:
        folder = Path("/proc/self/fd")
        return {path.name for path in folder.iterdir()} if folder.exists() else set()

    before = descriptors()
    with pytest.raises(FileNotFoundError):
        started(partial(subprocess.Popen, ["no such program"]), os.environ)
    assert descriptors() == before and VARIABLE not in os.environ
