# SPDX-License-Identifier: GPL-3.0-or-later
"""Children that misbehave, the real one, and what must hold after every fault."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fixtures.meshes import figure
from fixtures.processes import orphans_come_here

from scripts.generate import load_extension

load_extension()

from blendshape_auto_generator.blendshape_addon.errors import AddonError  # noqa: E402
from blendshape_auto_generator.blendshape_addon.process import backend_process  # noqa: E402
from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend  # noqa: E402
from blendshape_auto_generator.blendshape_addon.process.launch import Launch, Settings, plan  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PREAMBLE = f"""
import os, signal, struct, sys, time
sys.path.insert(0, {str(ROOT)!r})
from backend.protocol import read_message, write_message
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
def hello(protocol=1):
    hello = {{"type": "hello", "protocol": protocol, "providers": [], "sets": {{}}}}
    write_message(stdout, hello | {{"versions": {{}}, "pid": 0}})
def raw(data):
    stdout.write(data); stdout.flush()
"""


GONE_WITHIN_S = 1.0  # what is promised when Blender is killed


def seconds_to_end(parent: subprocess.Popen[Any], child: psutil.Process) -> float:
    """Kill a parent with -9; seconds from its end until its child is gone without a trace. Needs
    the fixture `heir`.
    """
    parent.kill()
    parent.wait()
    began = time.perf_counter()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(20)
    return time.perf_counter() - began


@pytest.fixture
def heir() -> Iterator[None]:
    """Orphans are handed to this process, which buries them at once: some systems' first process
    takes seconds, and that is not the child's time.
    """
    with orphans_come_here():
        yield


class Clicks:
    """A user who clicks Generate: one handle, as the add-on has it, whose child can be another at
    every start.
    """

    def __init__(self, folder: Path, model: Path) -> None:
        self._folder, self._model = folder, model
        self.code: str | None = None
        self.environment: dict[str, str] = {}
        self.pids: list[int] = []
        self.slowest = 0.0  # of all polls: how long Blender was held up
        self.backend = Backend(self._launch)

    def _launch(self) -> Launch:
        usual = plan(ROOT, self._folder / "backend-1.log", Settings())
        environment = usual.environment | self.environment
        if self.code is None:
            return Launch(usual.command, environment, usual.log)
        return Launch(
            (sys.executable, "-c", PREAMBLE + textwrap.dedent(self.code)),
            dict(os.environ),
            usual.log,
        )

    def start(self) -> None:
        """Start the child as a click does."""
        self.backend.start()
        if self.backend.pid is not None and self.backend.pid not in self.pids:
            self.pids.append(self.backend.pid)

    def send(self, rows: int = 24, columns: int = 32, **fields: Any) -> int:
        """Ask for ARKit's shapes of the figure."""
        mesh = figure(rows, columns)
        assert mesh.head_weights is not None
        arrays = {
            "vertices": mesh.vertices,
            "triangles": mesh.triangles,
            "head_weights": mesh.head_weights,
        }
        header = {
            "sets": ["arkit"],
            "table": None,
            "model": str(self._model),
            "bones": {k: list(v) for k, v in mesh.bones.items()},
        }
        request: int = self.backend.send("generate", {**header, "up": [0, 0, 1], **fields}, arrays)
        return request

    def poll(self) -> list[Any]:
        """One tick of Blender's timer; how long it took is remembered."""
        began = time.perf_counter()
        try:
            told: list[Any] = self.backend.poll()
            return told
        finally:
            self.slowest = max(self.slowest, time.perf_counter() - began)
            time.sleep(0.005)

    def answers(self, request: int, seconds: float = 60.0) -> list[Any]:
        """All answers to a request; fails the test if they take longer."""
        found: list[Any] = []
        end = time.monotonic() + seconds
        while not found or found[-1].header["type"] not in ("done", "error"):
            assert time.monotonic() < end, "nothing came"
            found += [message for message in self.poll() if message.header.get("id") == request]
        return found

    def click(self) -> str:
        """Start, generate, wait: `done`, or the code of the error."""
        self.start()
        last = self.answers(self.send())[-1].header
        return str(last.get("code", last["type"]))

    def reaches_a_child(self) -> str:
        """Like click, with the smallest request there is."""
        self.start()
        return str(self.answers(self.backend.send("stats", {}))[-1].header["type"])

    def failure(self, seconds: float = 30.0) -> AddonError:
        """The error that polling ends with."""
        end = time.monotonic() + seconds
        while True:
            assert time.monotonic() < end, "no error came"
            try:
                self.poll()
            except AddonError as error:
                return error

    def until_greeted(self) -> None:
        """Wait for the child's hello."""
        end = time.monotonic() + 60
        while self.backend.hello is None:
            assert time.monotonic() < end, "no greeting came"
            self.poll()

    def all_gone(self) -> bool:
        """None of the children that were started is there any more, apart from the running one."""
        return not [pid for pid in self.pids if pid != self.backend.pid and psutil.pid_exists(pid)]

    def survived(self, error: AddonError, code: str, words: str = "") -> None:
        """What must hold after a fault: the right sentence and what to do, nothing left over, and
        the next click works.
        """
        assert error.code == code, f"{error.code}: {error}"
        assert (
            words in str(error)
            and error.message.endswith((".", ")"))
            and error.fix.endswith((".", ")"))
        )
        assert not self.backend.running and self.all_gone()
        assert self.slowest < 1.0, f"Blender was held up for {self.slowest:.2f} s"
        self.code, self.environment = None, {}
        assert self.reaches_a_child() == "done"


@pytest.fixture
def clicks(tmp_path: Path, tiny: Path) -> Iterator[Clicks]:
    """A user with a tiny model."""
    user = Clicks(tmp_path, tiny)
    yield user
    user.backend.stop()
    assert user.all_gone()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make limits of backend_process short."""

    def shorten(**limits: float) -> None:
        for name, value in limits.items():
            monkeypatch.setattr(backend_process, name, value)

    return shorten
