# SPDX-License-Identifier: GPL-3.0-or-later
"""Files cut short or turned over, names of all kinds, soups of shape keys and meshes of next to
nothing, in a Blender of their own.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("bpy") is None, reason="the bpy module is not installed"
)


@pytest.fixture(scope="module")
def report(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What strange_files.py tells."""
    command = [
        sys.executable,
        str(Path(__file__).parent / "strange_files.py"),
        str(tiny),
        str(tmp_path_factory.mktemp("files")),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, timeout=280
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("REPORT")]
    assert lines, done.stdout[-1500:] + done.stderr[-1500:]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("REPORT"))
    return found


def test_files_cut_short_or_turned_over_are_read_or_refused(report: dict[str, Any]) -> None:
    files = report["files"]
    assert files["unknown"] == []
    assert (
        set(files["told"]) <= {"read", "input_unreadable", "format_unknown"}
        and files["told"]["input_unreadable"] > 20
    )
    assert files["slowest"] < 60


def test_names_of_all_kinds(report: dict[str, Any]) -> None:
    assert set(report["names"].values()) == {"FINISHED"}, report["names"]


def test_a_thousand_keys_of_the_users_stay_as_they_are(report: dict[str, Any]) -> None:
    assert report["soup"] == {"result": "FINISHED", "unchanged": True, "keys": 1053}


def test_meshes_of_next_to_nothing_are_refused_in_a_sentence(report: dict[str, Any]) -> None:
    assert set(report["tiny"]) == {"nothing", "a point", "a triangle", "points"}
    assert all(
        told != "FINISHED" and "unexpected" not in told and told.endswith((".", ")"))
        for told in report["tiny"].values()
    ), report["tiny"]
