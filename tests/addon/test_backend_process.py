# SPDX-License-Identifier: GPL-3.0-or-later
"""The child's handle, with the real backend and with children that misbehave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.process import backend_process
from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend
from blendshape_auto_generator.blendshape_addon.process.exits import explain_exit
from blendshape_auto_generator.blendshape_addon.process.launch import Launch, Settings, plan
from fixtures.meshes import figure
from fixtures.systems import links, posix

from backend.service import parent

ROOT = Path(__file__).resolve().parents[2]
GREETING = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from backend.protocol import read_message, write_message
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
def hello(protocol=1):
    hello = {{"type": "hello", "protocol": protocol, "providers": [], "sets": {{}}}}
    write_message(stdout, hello | {{"versions": {{}}, "pid": 0}})
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Backend]]:
    """Start a child that runs the given code; all are ended afterwards."""
    started: list[Backend] = []

    def run(code: str) -> Backend:
        command = (sys.executable, "-c", GREETING + textwrap.dedent(code))
        backend = Backend(lambda: Launch(command, dict(os.environ), tmp_path / "backend-1.log"))
        started.append(backend)
        backend.start()
        return backend

    yield run
    for backend in started:
        backend.stop()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Backend]:
    """The real backend."""
    backend = Backend(lambda: plan(ROOT, tmp_path / "backend-1.log", Settings()))
    yield backend
    backend.stop()


def until(backend: Backend, condition: Callable[[], bool], seconds: float = 30.0) -> list[Any]:
    """Wait until the condition holds; the messages meanwhile."""
    end, messages = time.monotonic() + seconds, []
    while not condition():
        assert time.monotonic() < end, "nothing came"
        messages += backend.wait(0.2)
    return messages


def failure(backend: Backend, seconds: float = 30.0) -> AddonError:
    """The error that polling ends with."""
    with pytest.raises(AddonError) as caught:
        until(backend, lambda: False, seconds)
    return caught.value


def answers(backend: Backend, request: int) -> list[Any]:
    """All answers of a request."""
    found: list[Any] = []
    while not found or found[-1].header["type"] not in ("done", "error"):
        found += [message for message in backend.wait(1.0) if message.header["id"] == request]
    return found


def test_the_real_backend_generates_and_is_reused(real: Backend, tiny: Path) -> None:
    real.start()
    mesh = figure()
    assert mesh.head_weights is not None
    arrays = {
        "vertices": mesh.vertices,
        "triangles": mesh.triangles,
        "head_weights": mesh.head_weights,
    }
    fields = {
        "sets": ["arkit"],
        "table": None,
        "model": str(tiny),
        "bones": {k: list(v) for k, v in mesh.bones.items()},
        "up": [0, 0, 1],
    }
    first = answers(real, real.send("generate", fields, arrays))
    pid = real.pid
    second = answers(real, real.send("generate", fields, arrays))
    kinds = [message.header["type"] for message in first if message.header["type"] != "progress"]
    assert kinds == ["face", "shapes", "done"], first[-1].header
    of_first, of_second = (
        next(m for m in found if m.header["type"] == "shapes") for found in (first, second)
    )
    assert of_first.arrays["offsets"].shape[0] == 52 and real.pid == pid
    np.testing.assert_array_equal(of_first.arrays["offsets"], of_second.arrays["offsets"])


def test_a_cancel_ends_the_request(real: Backend, slow: Path) -> None:
    real.start()
    mesh = figure(60, 80)
    request = real.send(
        "generate",
        {"sets": ["arkit"], "table": None, "model": str(slow)},
        {"vertices": mesh.vertices, "triangles": mesh.triangles},
    )
    until(real, lambda: real.hello is not None)
    real.wait(1.0)
    real.cancel(request)
    last = answers(real, request)[-1].header
    assert last["type"] == "error" and last["code"] == "cancelled"


def test_a_cancel_that_is_never_answered_ends_the_request_and_the_child(
    start: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_process, "CANCEL_SECONDS", 0.3)
    backend = start("hello()\nstdout.flush()\ntime.sleep(60)")
    until(backend, lambda: backend.hello is not None)
    first, second = (backend.send("generate", {}) for _ in range(2))
    backend.cancel(first)
    backend.cancel(second)
    last = answers(backend, first)[-1].header
    assert last["code"] == "cancelled" and not backend.running


def test_stop_ends_the_child_and_may_be_repeated(real: Backend) -> None:
    real.start()
    until(real, lambda: real.hello is not None)
    process = psutil.Process(real.pid)
    began = time.monotonic()
    real.stop()
    real.stop()
    assert time.monotonic() - began < 2.0
    assert not process.is_running() and not real.running
    real.start()
    until(real, lambda: real.hello is not None)
    assert real.pid != process.pid


def test_a_child_that_ignores_everything_is_killed(
    start: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_process, "LADDER_SECONDS", (0.2, 0.2, 2.0))
    backend = start(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nhello()\ntime.sleep(60)"
    )
    until(backend, lambda: backend.hello is not None)
    process = psutil.Process(backend.pid)
    backend.stop()
    assert not process.is_running()


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from scripts.generate import load_extension
        load_extension()
        from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend
        from blendshape_auto_generator.blendshape_addon.process.launch import Settings, plan
        log = Path({str(tmp_path / "x-1.log")!r})
        backend = Backend(lambda: plan(Path({str(ROOT)!r}), log, Settings()))
        backend.start()
        while backend.hello is None:
            backend.wait(0.1)
        print(backend.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child.wait(5)


def test_polling_never_waits_for_a_child_that_does_not_read(
    start: Callable[[str], Backend],
) -> None:
    backend = start("hello()\nstdout.flush()\ntime.sleep(60)")
    until(backend, lambda: backend.hello is not None)
    backend.send("generate", {}, {"vertices": np.zeros((2_000_000, 3), np.float32)})
    began = time.monotonic()
    for _ in range(5):
        assert backend.poll() == []
    assert time.monotonic() - began < 1.0


@pytest.mark.skipif(os.name != "posix", reason="stops a process")
def test_a_child_that_stands_still_holds_nothing_up_and_goes_on_where_it_was(
    start: Callable[[str], Backend],
) -> None:
    backend = start(
        """
        hello()
        message = read_message(stdin)
        report = {"bytes": message.arrays["vertices"].nbytes}
        write_message(stdout, {"type": "done", "id": 1, "report": report})
        time.sleep(60)
        """
    )
    until(backend, lambda: backend.hello is not None)
    child = psutil.Process(backend.pid)
    child.suspend()
    backend.send("generate", {}, {"vertices": np.zeros((8_500_000, 3), np.float32)})  # 102 MB
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        assert backend.poll(budget=0.02) == []
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 0.5  # whoever waited for the child would wait for ever
    child.resume()
    found: list[Any] = []
    while not found:
        began = time.monotonic()
        found += backend.poll(budget=0.02)
        slowest = max(slowest, time.monotonic() - began)
    assert found[0].header["report"]["bytes"] == 102_000_000 and slowest < 0.5


@pytest.mark.skipif(os.name != "posix", reason="stops a process")
def test_quitting_waits_a_bounded_time_for_a_child_that_stands_still(
    start: Callable[[str], Backend],
) -> None:
    backend = start("hello(); time.sleep(60)")
    until(backend, lambda: backend.hello is not None)
    child = psutil.Process(backend.pid)
    child.suspend()
    backend.send("generate", {}, {"vertices": np.zeros((1_000_000, 3), np.float32)})
    backend.poll()
    began = time.monotonic()
    backend.stop()
    assert time.monotonic() - began < sum(backend_process.LADDER_SECONDS) + 1 <= 3.5
    assert not child.is_running()


def test_large_answers_arrive_within_few_polls(start: Callable[[str], Backend]) -> None:
    backend = start(
        """
        import numpy as np
        hello()
        number = read_message(stdin).header["id"]
        offsets = np.ones((1_000_000, 3), np.float32)
        write_message(stdout, {"type": "done", "id": number, "report": {}}, {"offsets": offsets})
        time.sleep(60)
        """
    )
    until(backend, lambda: backend.hello is not None)
    backend.send("generate", {})
    message = answers(backend, 1)[0]
    assert (
        message.arrays["offsets"].shape == (1_000_000, 3) and message.arrays["offsets"].min() == 1
    )


def test_a_poll_without_time_reads_a_piece_and_the_next_one_goes_on(
    start: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        backend_process, "LADDER_SECONDS", (0.0, 0.3, 1.0)
    )  # one whose pipe has ended is given up at once
    backend = start(
        """
        hello()
        for number in range(200):
            progress = {"type": "progress", "id": 1, "stage": "x" * 20_000}
            write_message(stdout, progress | {"fraction": number / 200})
        time.sleep(60)
        """
    )
    end = time.monotonic() + 30
    messages: list[Any] = []
    while len(messages) < 200:
        assert time.monotonic() < end, "not all came"
        messages += backend.poll(0.0)
    assert [message.header["fraction"] for message in messages] == [
        number / 200 for number in range(200)
    ]


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        (
            "stdout.write(b'Hello, I am a banner\\n'); stdout.flush(); time.sleep(60)",
            "protocol",
            "must begin with",
        ),
        ("hello(protocol=7); time.sleep(60)", "protocol", "protocol 7"),
        ("sys.exit(5)", "child_died", "exit code 5"),
        ("print('the reason', file=sys.stderr); sys.exit(1)", "child_died", "the reason"),
        pytest.param(
            "hello(); import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "child_died",
            "SIGSEGV",
            marks=posix,
        ),
        ("import no_such_package", "runtime_missing", "no_such_package"),
        (
            (
                "write_message(stdout, {'type': 'error', 'id': None, 'code': 'no_face', 'message':"
                " 'No.', 'fix': 'Do.'})"
            ),
            "no_face",
            "No. Do.",
        ),
        (
            "hello(); stdout.write(b'x' * 100); stdout.flush(); time.sleep(60)",
            "protocol",
            "must begin with",
        ),
        ("hello(); import os; os.close(1); time.sleep(60)", "child_died", "closed its pipe"),
        (
            "hello()\nsys.stderr.write('x' * (5 << 20)); sys.stderr.flush(); time.sleep(60)",
            "child_died",
            "log",
        ),
    ],
)
def test_misbehaviour_becomes_a_sentence_and_the_child_is_gone(
    start: Callable[[str], Backend], code: str, expected: str, words: str
) -> None:
    backend = start(code)
    process = psutil.Process(backend.pid)
    error = failure(backend)
    assert error.code == expected and words in str(error) and error.fix
    assert not backend.running and not process.is_running()


def test_silence_before_the_greeting_ends(
    start: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_process, "HELLO_SECONDS", 0.5)
    assert failure(start("time.sleep(60)")).code == "child_timeout"


def test_answers_before_a_death_are_handed_over_first(start: Callable[[str], Backend]) -> None:
    backend = start(
        "hello(); write_message(stdout, {'type': 'progress', 'id': 1, 'stage': 'x', 'fraction':"
        " 0.5})"
    )
    messages: list[Any] = []
    with pytest.raises(AddonError):
        for _ in range(200):
            messages += backend.wait(0.1)
    assert [message.header["type"] for message in messages] == ["progress"]


def test_after_crashes_in_a_row_the_next_start_waits_longer_each_time(
    start: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_process, "BACKOFF_SECONDS", (0.0, 1.5))
    backend = start("sys.exit(9)")
    failure(backend)
    backend.start()  # the next click works
    failure(backend)
    began = time.monotonic()
    with pytest.raises(AddonError, match="just ended"):
        backend.start()
    backend.start(patient=True)
    assert 1.0 < time.monotonic() - began < 10.0 and backend.running
    failure(backend)
    with pytest.raises(AddonError, match="just ended"):
        backend.start()


def test_a_child_that_lived_long_and_answered_ends_the_row(
    start: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_process, "BACKOFF_SECONDS", (0.0, 60.0))
    monkeypatch.setattr(backend_process, "STABLE_SECONDS", 0.0)
    backend = start("hello()\nsys.exit(9)")
    for _ in range(3):
        failure(backend)
        backend.start()
    assert backend.running


def test_a_child_that_died_while_nobody_needed_it_is_replaced_without_a_word(real: Backend) -> None:
    real.start()
    until(real, lambda: real.hello is not None)
    dead = psutil.Process(real.pid)
    dead.kill()
    dead.wait(5)
    real.start()
    until(real, lambda: real.hello is not None)
    assert real.pid != dead.pid


def test_a_child_that_died_while_nobody_needed_it_is_taken_leave_of(real: Backend) -> None:
    real.start()
    until(real, lambda: real.hello is not None)
    assert real.reap() and real.hello is not None
    child = psutil.Process(real.pid)
    child.kill()
    end = time.monotonic() + 10
    while real.reap():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not psutil.pid_exists(child.pid) and not real.running and real.hello is None


def test_a_death_that_somebody_waits_for_is_told_and_not_taken_away(
    start: Callable[[str], Backend],
) -> None:
    backend = start("hello(); sys.exit(3)")
    backend.send("stats", {})
    psutil.Process(backend.pid).wait(30)
    assert backend.reap() and failure(backend).code == "child_died"


def test_old_logs_are_removed_but_a_few(tmp_path: Path) -> None:
    for number in range(10, 20):
        (tmp_path / f"backend-{number}.log").write_text("crash")
        os.utime(tmp_path / f"backend-{number}.log", (number, number))
    backend = Backend(lambda: plan(ROOT, tmp_path / "backend-1.log", Settings()))
    backend.start()
    backend.stop()
    left = {path.name for path in tmp_path.glob("backend-*.log")} - {"backend-1.log"}
    assert left == {f"backend-{number}.log" for number in range(15, 20)}, "the newest five"


def test_the_environment_is_clean_and_the_packages_are_found(tmp_path: Path) -> None:
    launch = plan(
        ROOT,
        tmp_path / "x.log",
        Settings(provider="cpu", threads=3),
        {"PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "x", "HOME": "/home"},
    )
    assert "PYTHONHOME" not in launch.environment and "PYTHONSTARTUP" not in launch.environment
    assert launch.environment["HOME"] == "/home" and launch.environment["PYTHONNOUSERSITE"] == "1"
    assert Path(launch.environment["PYTHONPYCACHEPREFIX"]) == tmp_path.parent / "bytecode", (
        "and not in the extension's folder"
    )
    assert (
        json.loads(launch.command[-1]) == {"provider": "cpu", "threads": 3}
        and launch.command[-2] == "--preferences"
    )
    paths = launch.environment["PYTHONPATH"].split(os.pathsep)
    assert paths[0] == str(ROOT) and str(Path(np.__file__).parents[1]) in paths


def test_a_python_of_ones_own_brings_its_own_packages(tmp_path: Path) -> None:
    launch = plan(ROOT, tmp_path / "x.log", Settings(python=sys.executable))
    assert launch.command[0] == sys.executable and launch.environment["PYTHONPATH"] == str(ROOT)
    with pytest.raises(AddonError) as caught:
        plan(ROOT, tmp_path / "x.log", Settings(python=str(tmp_path / "python")))
    assert caught.value.code == "child_start"


def test_a_python_without_onnxruntime_is_named(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True
    )
    python = next(
        path
        for path in (tmp_path / "bare/bin/python", tmp_path / "bare/Scripts/python.exe")
        if path.exists()
    )
    backend = Backend(lambda: plan(ROOT, tmp_path / "backend-1.log", Settings(python=str(python))))
    backend.start()
    error = failure(backend)
    assert error.code == "runtime_missing" and "numpy" in str(error)
    assert not backend.running


@links
def test_a_python_with_numpy_only_is_named_too(tmp_path: Path) -> None:
    only = tmp_path / "only"
    only.mkdir()
    (only / "numpy").symlink_to(Path(np.__file__).parent)
    libraries = Path(np.__file__).parents[1] / "numpy.libs"
    if libraries.exists():
        (only / "numpy.libs").symlink_to(libraries)
    base = plan(ROOT, tmp_path / "backend-1.log", Settings())
    environment = {**base.environment, "PYTHONPATH": os.pathsep.join([str(ROOT), str(only)])}
    python = str(
        Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
    if not Path(python).exists():
        pytest.skip(f"no bare Python at {python}")
    backend = Backend(lambda: Launch((python, "-S", *base.command[1:]), environment, base.log))
    backend.start()
    error = failure(backend)
    assert error.code == "runtime_missing" and error.fix


def test_a_child_that_could_not_watch_is_told_as_such() -> None:
    assert (
        "could not watch"
        in explain_exit(
            parent.NOT_WATCHED, "the end of the parent cannot be waited for", greeted=True
        ).message
    )


@pytest.mark.parametrize("code", [0, 1, 3, -9, -11, 0xC0000005, 0xC0000135, 0xC0000017])
def test_every_exit_code_has_a_sentence(code: int) -> None:
    error = explain_exit(code, "", greeted=True)
    assert error.message.endswith((".", ")")) and error.fix.endswith((".", ")"))
