# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a run when Blender, its file, the add-on or the child goes away; each story is a
Blender of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from faults.conftest import GONE_WITHIN_S, seconds_to_end

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed"
)
STORY = Path(__file__).parent / "blender_story.py"


def start(story: str, model: Path, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONHASHSEED": "0"}
    command = [sys.executable, str(STORY), story, str(model), str(folder)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a story reports; it must come to its end, and leave no child."""
    out, _ = process.communicate(timeout=240)
    lines = [line for line in out.splitlines() if line.startswith("REPORT")]
    assert lines, out[-3000:]
    report: dict[str, Any] = json.loads(lines[-1].removeprefix("REPORT"))
    assert report["children_left"] == []
    return report


def test_the_add_on_is_disabled_in_a_run_and_enabled_again(tiny: Path, tmp_path: Path) -> None:
    report = told(start("disabled", tiny, tmp_path))
    assert report["children"] == [] and report["unchanged"] and report["next_click"]


def test_another_file_is_opened_in_a_run(tiny: Path, tmp_path: Path) -> None:
    report = told(start("closed", tiny, tmp_path))
    assert report["code"] == "mesh_changed" and "changed or removed" in report["message"]
    assert not report["keys"] and report["next_click"]


def test_the_child_is_killed_in_a_run(tiny: Path, tmp_path: Path) -> None:
    report = told(start("child_killed", tiny, tmp_path))
    assert report["code"] == "child_died" and "ended" in report["message"]
    assert report["unchanged"] and report["next_click"]


def test_answers_that_are_none_change_nothing(tiny: Path, tmp_path: Path) -> None:
    report = told(start("malformed", tiny, tmp_path))
    assert set(report["codes"].values()) == {"protocol"}, report["codes"]
    assert report["unchanged"] and report["next_click"]


def test_keys_are_written_all_or_none(tiny: Path, tmp_path: Path) -> None:
    report = told(start("half_written", tiny, tmp_path))
    assert (
        report["differing"] == [] and "Memory ran out" in report["message"] and report["next_click"]
    )


def test_two_blenders_at_once(tiny: Path, tmp_path: Path) -> None:
    both = [start("two", tiny, tmp_path) for _ in range(2)]
    reports = [told(process) for process in both]
    assert all(report["next_click"] for report in reports)
    assert reports[0]["offsets"] == reports[1]["offsets"], "bit-equal"


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.usefixtures("heir")
def test_a_blender_that_is_killed_takes_its_child_with_it(
    slow: Path, tmp_path: Path, record_property: Any
) -> None:
    process = start("killed", slow, tmp_path)
    assert process.stdout is not None
    line = ""
    while not line.startswith("CHILD"):
        line = process.stdout.readline()
        assert line, "the story ended"
    child = psutil.Process(int(line.split()[1]))
    took = seconds_to_end(process, child)
    process.stdout.close()
    record_property("gone_after_s", round(took, 3))
    assert took < GONE_WITHIN_S
