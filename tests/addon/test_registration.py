# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension comes and goes without leaving anything that keeps Blender from ending."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COME_AND_GO = """
import importlib, sys
sys.path.insert(0, {root!r})
from scripts.generate import load_extension
load_extension()
root = importlib.import_module("blendshape_auto_generator")
for _ in range(2):
    root.register()
    root.unregister()
print("gone", flush=True)
"""


def test_a_process_that_had_the_extension_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COME_AND_GO.format(root=str(ROOT))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and "gone" in done.stdout, done.stderr
