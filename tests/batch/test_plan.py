# SPDX-License-Identifier: GPL-3.0-or-later
"""From what users name to jobs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.batch.plan import Input, find_inputs, plan_jobs

ROOT = Path(__file__).resolve().parents[2]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_folders_are_searched_and_keep_their_order_and_places(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b.vrm",
        "a.GLB",
        "deep/er/c.blend",
        "c.blend1",
        "notes.txt",
        ".hidden/d.glb",
        ".e.glb",
        "out/old.blend",
    )
    found = find_inputs([tmp_path], tmp_path / "out")
    assert [(entry.path.name, entry.place.as_posix()) for entry in found] == [
        ("a.GLB", "."),
        ("b.vrm", "."),
        ("c.blend", "deep/er"),
    ]
    jobs = plan_jobs(found, tmp_path / "out", "glb")
    assert (
        jobs[2].target == tmp_path / "out/deep/er/c.blend"
        and jobs[2].exported == tmp_path / "out/deep/er/c.glb"
        and jobs[2].name == "deep/er/c"
    )


def test_patterns_files_and_folders_together_give_each_file_once(tmp_path: Path) -> None:
    touch(tmp_path, "a.vrm", "b.vrm", "deep/c.vrm", "odd[1].vrm")
    out = tmp_path / "elsewhere"

    def names(*named: Path) -> list[str]:
        return [entry.path.name for entry in find_inputs(named, out)]

    assert names(tmp_path / "*.vrm", tmp_path / "a.vrm", tmp_path) == [
        "a.vrm",
        "b.vrm",
        "odd[1].vrm",
        "c.vrm",
    ]
    assert names(tmp_path / "**/*.vrm") == ["a.vrm", "b.vrm", "c.vrm", "odd[1].vrm"]
    assert names(tmp_path / "odd[1].vrm") == ["odd[1].vrm"]


def test_what_is_not_there_stays_to_be_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    named = [tmp_path / "none.glb", tmp_path / "*.fbx", tmp_path / "empty"]
    assert [entry.path for entry in find_inputs(named, tmp_path / "out")] == named


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "A", "b"]),
            st.sampled_from(["glb", "GLB", "vrm"]),
            st.sampled_from([".", "x", "x/y"]),
        ),
        max_size=9,
    )
)
def test_outputs_are_unique_on_every_file_system(files: list[tuple[str, str, str]]) -> None:
    jobs = plan_jobs(
        [
            Input(Path(f"/{number}/{stem}.{kind}"), Path(place))
            for number, (stem, kind, place) in enumerate(files)
        ],
        Path("/out"),
        "fbx",
    )
    assert (
        len({str(job.target).lower() for job in jobs})
        == len({job.name.lower() for job in jobs})
        == len(files)
    )


def test_the_command_needs_no_numpy() -> None:
    """A machine that only hands files to a farm has the packages of requirements/farm.txt."""
    code = (
        "import sys; sys.modules['numpy'] = sys.modules['bpy'] = None; sys.argv[1:] = ['a.blend',"
        " '--help']; import scripts.batch.main"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
