# SPDX-License-Identifier: GPL-3.0-or-later
"""The developer's command, without setting anything up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import dev
from scripts.tools import rows

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "scripts" / "dev.py"
PYTHON = rows.python("3.11") or ""  # dev.py runs with no other, whatever runs the tests
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="there is no Python 3.11 here to run dev.py with"
)


def test_help_names_every_task() -> None:
    done = subprocess.run([PYTHON, str(DEV), "--help"], capture_output=True, text=True, check=True)
    assert all(task in done.stdout for task in ("demo", "test", "build", "bench", "lint", "setup"))


@pytest.mark.parametrize("task", [*dev.OWN_TASKS, *dev.SCRIPTS])
def test_main_runs_every_task_that_it_offers(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[object, ...]] = []

    def run(*command: object) -> int:
        ran.append(command)
        return 0

    monkeypatch.setattr(dev, "PYTHON", sys.version_info[:2])
    monkeypatch.setattr(dev, "setup", lambda *_chosen: Path(sys.executable))
    monkeypatch.setattr(dev, "make_venv", lambda *_what, **_more: Path(sys.executable))
    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(sys, "argv", ["dev.py", task])
    monkeypatch.setattr("os.environ", dict(os.environ))
    assert dev.main() == 0 and (ran or task == "setup")


def test_an_unknown_task_is_refused() -> None:
    done = subprocess.run(
        [PYTHON, str(DEV), "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "nonsense" in done.stderr


def test_a_blender_that_is_no_row_is_refused_and_the_rows_are_named() -> None:
    done = subprocess.run(
        [PYTHON, str(DEV), "--blender", "2.79", "setup"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "2.79" in done.stderr and "5.2" in done.stderr


def test_a_row_whose_python_is_not_here_says_which_one_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "python", lambda version: None)
    with pytest.raises(LookupError, match=r"needs Python 3\.13.*--python"):
        dev.setup("5.2")


def test_a_python_that_does_not_start_is_one_sentence(tmp_path: Path) -> None:
    command = [PYTHON, str(DEV), "--blender", "5.2", "--python", str(tmp_path / "python"), "setup"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (
        done.returncode == 1
        and "Setting up the environment failed" in done.stderr
        and "Traceback" not in done.stderr
    )


@pytest.mark.parametrize("version", ["(3, 8, 20)", "(3, 13, 1)"])
def test_the_wrong_python_gets_one_sentence(version: str) -> None:
    pretend = (
        f"import runpy, sys; sys.version_info = {version}; sys.argv = ['dev.py', 'demo'];"
        f" runpy.run_path({str(DEV)!r}, run_name='__main__')"
    )
    done = subprocess.run([PYTHON, "-c", pretend], capture_output=True, text=True, check=False)
    assert (
        done.returncode == 2
        and "3.11" in done.stderr
        and len(done.stderr.strip().splitlines()) == 1
    )


def test_bench_times_the_main_job_and_hands_the_rest_on() -> None:
    command = [
        sys.executable,
        str(ROOT / "scripts" / "bench" / "bench.py"),
        "--repeat",
        "1",
        "--",
        "--help",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert (
        "67 shape keys" in done.stdout
        and "first call" in done.stdout
        and "--precisions" in done.stdout
    )
