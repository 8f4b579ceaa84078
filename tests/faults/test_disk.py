# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that are full or may not be written: a sentence, no half-written file, and where the file
is not what was asked for, the work goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from faults.conftest import ROOT, Clicks

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="a small disk is made with Linux's tmpfs"
)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB that is full to the last byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        with (disk / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_the_childs_log_on_a_full_disk_costs_only_the_log(small: Path, tiny: Path) -> None:
    user = Clicks(small, tiny)
    try:
        assert user.click() == "done"
    finally:
        user.backend.stop()


@pytest.mark.parametrize("setting", ["metrics", "cache_dir", "profile"])
def test_metrics_caches_and_profiles_on_a_full_disk_do_not_end_the_child(
    small: Path, tmp_path: Path, tiny: Path, setting: str
) -> None:
    user = Clicks(tmp_path, tiny)
    try:
        user.start()
        path = small / ("metrics.prom" if setting == "metrics" else "folder")
        last = user.answers(user.send(settings={setting: str(path)}))[-1].header
        assert last["type"] == "done" or (
            last["code"] in ("disk_full", "output_unwritable", "setting_invalid") and last["fix"]
        ), last
        assert user.reaches_a_child() == "done" and len(user.pids) == 1
    finally:
        user.backend.stop()


def test_output_on_a_full_disk_leaves_no_part_of_a_file(
    small: Path, tmp_path: Path, tiny: Path
) -> None:
    from fixtures.meshes import figure

    mesh = figure()
    assert mesh.head_weights is not None
    np.savez(
        tmp_path / "mesh.npz",
        vertices=mesh.vertices,
        triangles=mesh.triangles,
        head_weights=mesh.head_weights,
    )
    command = [
        sys.executable,
        "-m",
        "backend",
        "generate",
        str(tmp_path / "mesh.npz"),
        "--set",
        "arkit",
        "--model",
        str(tiny),
    ]
    done = subprocess.run(
        [*command, "--out", str(small / "out.npz")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "[disk_full]" in done.stderr, done.stderr
    assert [path.name for path in small.iterdir()] == ["filler"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    user = Clicks(tmp_path / "locked", tiny)
    with pytest.raises(Exception, match="cannot be started"):
        user.start()
