# SPDX-License-Identifier: GPL-3.0-or-later
"""The child's modules are compiled once after each install, in the background."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import session, warming
from blendshape_auto_generator.blendshape_addon.process.launch import Settings, plan

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="nothing is kept compiled on Windows, whose paths end at 260"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder of the user's with nothing in it, and a child that would be started there."""
    (tmp_path / "log").mkdir()
    environment = {name: value for name, value in os.environ.items() if "PYTHON" not in name}
    launch = plan(ROOT, tmp_path / "log" / "backend-1.log", Settings(), environment)
    monkeypatch.setattr(session, "planned", lambda: launch)
    yield tmp_path / "bytecode"
    warming.end()


def compiled(folder: Path) -> set[str]:
    return {path.name.split(".")[0] for path in folder.rglob("*.pyc")}


def test_all_modules_of_the_child_are_compiled_once(folder: Path) -> None:
    ends = time.monotonic() + 120
    while warming._tick() is not None:
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert {"server", "pipeline", "sessions", "numeric", "shape_sets"} <= compiled(folder)
    assert (folder / warming.DONE).read_text(encoding="utf-8") == session.version()
    assert warming._tick() is None and warming._process is None, "once is enough"
    (folder / warming.DONE).write_text("0.0.1", encoding="utf-8")
    assert warming._tick() is not None, "another version was installed"


def test_it_ends_with_the_extension_and_is_done_the_next_time(folder: Path) -> None:
    assert warming._tick() is not None and warming._process is not None
    process = warming._process
    warming.end()
    assert process.poll() is not None and warming._process is None
    assert not (folder / warming.DONE).exists()
    assert warming._tick() is not None


def test_without_a_window_or_a_python_nothing_is_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warming.begin()
    assert not bpy.app.timers.is_registered(warming._tick), "nobody waits for a click"

    def nowhere() -> Any:
        raise AddonError("child_start", "There is no Python.", "")

    monkeypatch.setattr(session, "planned", nowhere)
    assert warming._tick() is None and warming._process is None
