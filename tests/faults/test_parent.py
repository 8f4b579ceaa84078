# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender is killed with -9, and its child is gone within a second, whatever it was doing. Real
processes, the real child.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from faults.conftest import GONE_WITHIN_S, ROOT, seconds_to_end
from onnx import helper, numpy_helper

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX"),
    pytest.mark.usefixtures("heir"),
]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux's kernel")
KILLS = int(os.environ.get("FAULT_KILLS", "12"))  # `dev.py reliability` does 200


@pytest.fixture(scope="session")
def long_to_load(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The decoder of a pair that ONNX Runtime computes on for many seconds before it has loaded
    it.
    """
    folder = tmp_path_factory.mktemp("long")
    (folder / "long.encoder.onnx").write_bytes(tiny.with_name("tiny.encoder.onnx").read_bytes())
    model = onnx.load(str(tiny))
    graph = model.graph
    graph.initializer.append(
        numpy_helper.from_array(np.full((1500, 1500), 1e-4, np.float32), "long")
    )
    graph.node.extend(
        helper.make_node("MatMul", [f"long{i}" if i else "long", "long"], [f"long{i + 1}"])
        for i in range(600)
    )
    result = graph.output[0].name
    next(node for node in graph.node if result in node.output).output[0] = "before"
    graph.node.append(helper.make_node("ReduceMean", ["long600"], ["longest"], keepdims=0))
    graph.node.append(helper.make_node("Add", ["before", "longest"], [result]))
    onnx.checker.check_model(model)
    path = folder / "long.decoder.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@contextmanager
def parent(
    folder: Path, moment: str, by: str, model: Path | str = ""
) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A parent that has come to a moment, and its child."""
    command = [
        sys.executable,
        str(Path(__file__).with_name("parent.py")),
        str(folder / "backend-1.log"),
        moment,
        by,
        str(model),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    forked = 0
    try:
        child, forked = (int(word) for word in process.stdout.readline().split())
        watched = psutil.Process(child)
        assert process.stdout.readline() == "READY\n"
        yield process, watched
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if forked:
            holder = psutil.Process(forked)
            holder.kill()
            holder.wait(5)


@pytest.mark.parametrize("by", ["main", "thread"])
@pytest.mark.parametrize("moment", ["idle", "load", "run", "forked"])
def test_a_parent_that_is_killed_takes_its_child_with_it(
    tmp_path: Path, slow: Path, long_to_load: Path, record_property: Any, moment: str, by: str
) -> None:
    with parent(tmp_path, moment, by, long_to_load if moment == "load" else slow) as (
        process,
        child,
    ):
        assert child.is_running()
        took = seconds_to_end(process, child)
    record_property("gone_after_s", round(took, 3))
    assert took < GONE_WITHIN_S


def test_a_parent_killed_at_any_moment_of_the_start_takes_its_child_with_it(
    tmp_path: Path, record_property: Any
) -> None:
    dice = random.Random(2)  # noqa: S311  (the same kills in every run)
    slowest, count = 0.0, max(KILLS // 4, 3)
    for number in range(count):
        with parent(tmp_path, "start", "main" if number % 2 else "thread") as (process, child):
            time.sleep(dice.random())
            slowest = max(slowest, seconds_to_end(process, child))
    record_property("kills", count)
    record_property("gone_after_s", round(slowest, 3))
    assert slowest < GONE_WITHIN_S
    assert not [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(tmp_path)]


# native code that keeps the interpreter to itself, as ONNX Runtime 1.19 does while it loads
HOLDS = """
from backend.service import parent
parent.watch()
import ctypes
print("READY", flush=True)
ctypes.PyDLL(None).sleep(30)
"""
STARTS = f"""
import subprocess, sys, time
pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child = subprocess.Popen([sys.executable, "-c", {HOLDS!r}], cwd={str(ROOT)!r}, **pipes)
assert child.stdout.readline() == "READY\\n"
print(child.pid, flush=True)
time.sleep(60)
"""


@linux
def test_a_child_whose_interpreter_is_held_goes_too(record_property: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        time.sleep(0.2)
        took = seconds_to_end(process, child)
    record_property("gone_after_s", round(took, 3))
    assert took < GONE_WITHIN_S


LEAVES = f"""
import sys, threading
sys.path.insert(0, {str(ROOT)!r})
from scripts.tools.client import Client
made = []
thread = threading.Thread(target=lambda: made.append(Client()))
thread.start()
thread.join()
print(made[0].report("stats")["requests"], flush=True)
"""


def test_a_child_stays_when_only_the_thread_ends_that_started_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "1\n", done.stderr
