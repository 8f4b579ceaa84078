# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and objects that are called what is an option, a pattern, markup or no text at all
elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import GENERATE, Run, leftovers, report_of, write_face, write_head

Generate = Callable[..., Run]
NAMES = ["-face", "--help", "a, b's", "顔", "%s {0} #", "CON", "x" * 240]
if os.name != "nt":  # Windows has no such files
    NAMES += [";x", '"q"', "one\ntwo", "<img src=x onerror=alert(1)>", "\x1b[2J"]


def test_files_of_any_name_are_worked_on(tmp_path: Path, generate: Generate) -> None:
    folder, out = tmp_path / "heads", tmp_path / "out"
    for name in NAMES:
        write_head(folder / f"{name}.obj")
    raw = os.fsencode(folder) + b"/\xff.obj"
    with contextlib.suppress(OSError):  # macOS has no such files
        Path(os.fsdecode(raw)).write_bytes((folder / "CON.obj").read_bytes())
    run = generate(folder, out)
    assert run.code == 0 and set(run.states.values()) == {"done"}, run.said
    wanted = {name[:180] for name in NAMES} | {
        Path(os.fsdecode(raw)).stem for _ in range(Path(os.fsdecode(raw)).exists())
    }
    assert {path.stem for path in out.glob("*.blend")} == wanted == {
        path.stem for path in out.glob("*.glb")
    } and leftovers(out) == []
    assert "\x1b" not in run.said and "too long for an output" in run.said
    page = report_of(out).with_suffix(".html").read_text(encoding="utf-8")
    assert "<img src=x" not in page and page.count("</script>") == 1
    again = generate(folder, out)
    assert again.code == 0 and set(again.states.values()) == {"skipped"}, again.said


@pytest.mark.parametrize("name", ["-face", ";x", "-"])
def test_an_object_of_any_name_may_be_named(tmp_path: Path, tiny: Path, name: str) -> None:
    head = write_head(tmp_path / "-head.obj")
    head.write_text(f"o {name}\n{head.read_text()}", encoding="utf-8")
    words = [
        "--object",
        name,
        "--set",
        "vrchat",
        "--model",
        str(tiny),
        "--out",
        "out",
        "--report",
        "r.json",
        "--",
        "-head.obj",
    ]
    done = subprocess.run(
        [sys.executable, str(GENERATE), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["files"]
    assert (
        row["object"] == name
        and row["object_chosen_by"] == "name"
        and (tmp_path / "out" / "-head.blend").is_file()
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_stdout_is_one_sentence_after_the_work(tmp_path: Path) -> None:
    head = write_face(
        tmp_path / "ann.obj"
    )  # nothing is wrong with it, so that nothing is warned of
    line = [
        sys.executable,
        str(GENERATE),
        str(head),
        "--set",
        "vrchat",
        "--out",
        str(tmp_path / "out"),
    ]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
    assert (
        done.returncode == 1
        and len(done.stderr.splitlines()) == 1
        and "No space left on device" in done.stderr
    ), done.stderr
    assert (tmp_path / "out" / "ann.blend").is_file()
