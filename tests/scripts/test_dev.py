# SPDX-License-Identifier: GPL-3.0-or-later
"""The developer's command, without setting anything up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "scripts" / "dev.py"


def test_help_names_every_task() -> None:
    done = subprocess.run([sys.executable, str(DEV), "--help"], capture_output=True, text=True, check=True)
    assert all(task in done.stdout for task in ("demo", "test", "build", "bench", "lint", "setup"))


def test_an_unknown_task_is_refused() -> None:
    done = subprocess.run([sys.executable, str(DEV), "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "nonsense" in done.stderr


@pytest.mark.parametrize("version", ["(3, 8, 20)", "(3, 13, 1)"])
def test_the_wrong_python_gets_one_sentence(version: str) -> None:
    pretend = f"import runpy, sys; sys.version_info = {version}; sys.argv = ['dev.py', 'demo']; runpy.run_path({str(DEV)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "3.11" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_bench_times_the_main_job_and_hands_the_rest_on() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), "--repeat", "1", "--", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "67 shape keys" in done.stdout and "first call" in done.stdout and "--precisions" in done.stdout
