# SPDX-License-Identifier: GPL-3.0-or-later
"""Children and Blenders that are killed at a file: it is tried once more, once only, and the others
go on.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures.meshes import figure

from .conftest import ROOT, Run, leftovers, write_head

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="it stands a shell script in for a Python, and kills with a signal"
)
Generate = Callable[..., Run]
# a backend that is killed in the middle of a request: those of heads that are at least so tall, and
# so many times
MORTAL = """
import os, runpy, signal, sys
from pathlib import Path
sys.argv = sys.argv[2:]
from backend.service import handlers
real, deaths = handlers.generate, Path({deaths!r})
def generate(mesh, *rest, **more):
    tall = (mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)).max() > {taller}
    if tall and len(deaths.read_text()) < {times}:
        with deaths.open("a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    yield from real(mesh, *rest, **more)
handlers.generate = generate
runpy.run_module("backend", run_name="__main__")
"""


def mortal(folder: Path, taller: float, times: int) -> Path:
    """A Python for --backend-python whose backend is killed like that."""
    (folder / "deaths").write_text("")
    code = folder / "mortal.py"
    code.write_text(
        MORTAL.format(deaths=str(folder / "deaths"), taller=taller, times=times), encoding="utf-8"
    )
    program = folder / "python-mortal"
    program.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(code))} "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def rising(tmp_path: Path) -> Path:
    """Three heads, each larger than the one before."""
    for size, name in enumerate(("ann", "ben", "cat"), 1):
        write_head(tmp_path / "heads" / f"{name}.obj", size)
    return tmp_path / "heads"


def test_a_killed_child_is_replaced_and_its_file_tried_again(
    rising: Path, tmp_path: Path, generate: Generate
) -> None:
    run = generate(
        rising, tmp_path / "out", "--jobs", 1, "--backend-python", mortal(tmp_path, 0, times=1)
    )
    assert run.code == 0 and set(run.states.values()) == {"done"}, run.said
    tried = [[error["code"] for error in row.get("tried", [])] for row in run.report["files"]]
    assert tried == [["child_died"], [], []] and (tmp_path / "deaths").read_text() == "x"


def test_a_file_that_kills_every_child_is_reported_after_the_second_and_the_others_go_on(
    rising: Path, tmp_path: Path, generate: Generate
) -> None:
    tallest = mortal(tmp_path, 2.5 * float(np.ptp(figure(12, 16).vertices, axis=0).max()), times=99)
    run = generate(rising, tmp_path / "out", "--jobs", 1, "--backend-python", tallest)
    assert run.code == 1 and run.states == {
        "ann": "done",
        "ben": "done",
        "cat": "child_died",
    }, run.said
    (row,) = (row for row in run.report["files"] if "error" in row)
    assert [error["code"] for error in row["tried"]] == ["child_died"] and (
        tmp_path / "deaths"
    ).read_text() == "xx", "twice, and no more"
    assert leftovers(tmp_path / "out") == [] and ROOT.name
