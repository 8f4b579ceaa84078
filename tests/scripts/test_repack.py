# SPDX-License-Identifier: GPL-3.0-or-later
"""Wheels that are packed anew: what they lose, that they are whole, and that they run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import build
from scripts.repack import changes, repack, shipped


def made(path: Path, files: dict[str, bytes]) -> Path:
    """A wheel of these files, with a RECORD of them."""
    record = "x-1.dist-info/RECORD"
    lines = [f"{name},sha256=abc,{len(data)}" for name, data in files.items()]
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in {**files, record: "\n".join([*lines, f"{record},,"]).encode()}.items():
            wheel.writestr(name, data)
    return path


def test_repack_leaves_out_what_fits_and_names_it_no_more(tmp_path: Path) -> None:
    wheel = made(tmp_path / "old.whl", {"x/a.so.1": b"a", "x/b.py": b"b"})
    record = repack(wheel, ["x/*.so.*"], tmp_path / "new.whl")
    with zipfile.ZipFile(tmp_path / "new.whl") as new:
        assert new.namelist() == ["x-1.dist-info/RECORD", "x/b.py"] and new.read("x/b.py") == b"b"
        listed = new.read("x-1.dist-info/RECORD")
    assert listed == b"x/b.py,sha256=abc,1\nx-1.dist-info/RECORD,,\n"
    assert hashlib.sha256(listed).hexdigest() == record


def test_repack_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    wheel = made(tmp_path / "old.whl", {"x/b.py": b"b", "x/a.so.1": b"a"})
    for name in ("one", "two"):
        repack(wheel, ["*.so.1"], tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("pattern", ["x/none", "*RECORD"])
def test_repack_refuses_what_fits_nothing_or_the_record(pattern: str, tmp_path: Path) -> None:
    wheel = made(tmp_path / "old.whl", {"x/b.py": b"b"})
    with pytest.raises(ValueError, match="nothing to leave out"):
        repack(wheel, [pattern], tmp_path / "new.whl")


def test_shipped_refuses_another_wheel_of_that_name(tmp_path: Path) -> None:
    name = next(iter(changes()))
    wheel = made(tmp_path / name, {"onnxruntime/capi/libonnxruntime.so.1": b"a"})
    with pytest.raises(SystemExit, match="is not the wheel"):
        shipped(wheel, changes()[name]["of"], tmp_path)


def test_changes_are_of_pinned_wheels() -> None:
    pins = json.loads(build.PINS.read_text(encoding="utf-8"))
    pinned = {name: digest for wheels in pins.values() for name, digest in wheels.items()}
    assert changes() and all(pinned[name] == each["of"] for name, each in changes().items())


@pytest.mark.network
@pytest.mark.skipif(sys.platform != "linux", reason="the wheel is Linux's")
def test_a_wheel_packed_anew_runs_a_model(tiny: Path, tmp_path: Path) -> None:
    tag = f"cp3{sys.version_info[1]}"
    name = next((name for name in changes() if f"-{tag}-" in name), None)
    if name is None:
        pytest.skip(f"no wheel is packed anew for this Python: {tag}")
    build.WHEELS.mkdir(parents=True, exist_ok=True)
    digest = changes()[name]["of"]
    wheel = shipped(build.fetch(name, digest, build.TAGS["linux-x64"]), digest, tmp_path)
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    code = (
        "import sys, onnxruntime; assert onnxruntime.__file__.startswith(sys.argv[1]);"
        "print([x.name for x in onnxruntime.InferenceSession(sys.argv[2]).get_outputs()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "site"), str(tiny)],
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.startswith("['"), done.stderr
