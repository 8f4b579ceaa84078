# SPDX-License-Identifier: GPL-3.0-or-later
"""Developers' commands whose stdout is full: a sentence, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    "script", ["dev.py", "build.py", "bench/bench.py", "generate.py", "contact_sheet.py"]
)
def test_a_full_stdout_is_one_sentence(script: str) -> None:
    if script == "contact_sheet.py":
        pytest.importorskip("bpy", reason="the bpy module is not installed")
    with Path("/dev/full").open("wb") as full:
        line = [sys.executable, str(ROOT / "scripts" / script), "--help"]
        done = subprocess.run(
            line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (
        done.returncode == 1
        and done.stderr == "What it says cannot be written to stdout: No space left on device.\n"
    ), done.stderr
