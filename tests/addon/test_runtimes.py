# SPDX-License-Identifier: GPL-3.0-or-later
"""A second runtime: a Python of the user's own that greets, one that is made here, and what is left
when making it fails.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.job import session
from blendshape_auto_generator.blendshape_addon.ops import runtime_operators
from blendshape_auto_generator.blendshape_addon.process import runtimes
from blendshape_auto_generator.blendshape_addon.process.runtimes import (
    MARK,
    Handshake,
    Preparation,
    Runtime,
    remove,
    runtime_for,
)

from scripts import build

ROOT = Path(__file__).resolve().parents[2]


def finish(work: Any, seconds: float = 240) -> Any:
    """Poll until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = work.poll()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no answer")


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Preferences, which there are only where Blender has installed the extension."""
    fake = SimpleNamespace(python="", python_known="")
    monkeypatch.setattr(session, "preferences", lambda context: fake)
    return fake


@pytest.mark.parametrize(
    ("gpus", "system", "machine", "name"),
    [
        (["NVIDIA H100 80GB HBM3", "Intel 0x4680"], "linux", "x86_64", "cuda"),
        (["Intel UHD", "NVIDIA GeForce RTX 4090"], "win32", "AMD64", "cuda"),
        (["AMD Radeon RX 7900"], "win32", "AMD64", "directml"),
        (["Intel 0x4680"], "linux", "x86_64", "openvino"),
    ],
)
def test_the_build_follows_the_gpu(gpus: list[str], system: str, machine: str, name: str) -> None:
    for python in ("3.11", "3.13"):
        runtime = runtime_for(gpus, system, machine, python)
        assert runtime.name == name and {
            package.partition("[")[0].partition("==")[0] for package in runtime.packages
        } <= {pin.partition("==")[0] for pin in runtime.pins}
        assert all(
            re.fullmatch(r"[\w.-]+==[\w.]+", pin) and re.fullmatch("[0-9a-f]{64}", digest)
            for pin, digest in runtime.pins.items()
        )


def test_every_pin_is_of_a_package_that_is_wanted_or_needed_and_of_the_wanted_version() -> None:
    for runtime in runtimes.RUNTIMES:
        for target in runtime.platforms:
            for pins in json.loads(runtimes.PINS.read_text(encoding="utf-8"))[runtime.name][
                target
            ].values():
                assert {re.sub(r"\[.*\]", "", package) for package in runtime.packages} <= set(
                    pins
                ), (runtime.name, target)


@pytest.mark.parametrize(("gpu", "python"), [("NVIDIA", "3.9"), ("Intel UHD", "3.14")])
def test_without_a_list_of_packages_for_a_python_it_is_not_offered_and_that_is_said(
    gpu: str, python: str
) -> None:
    with pytest.raises(
        AddonError, match=f"no list of checked packages of onnxruntime-.* for Python {python}"
    ) as caught:
        runtime_for([gpu], "linux", "x86_64", python)
    assert caught.value.code == "no_runtime" and caught.value.fix


@pytest.mark.parametrize(
    ("gpus", "system", "machine"),
    [
        ([], "linux", "x86_64"),
        (["AMD 0x744c"], "linux", "x86_64"),
        (["Apple GPU"], "darwin", "arm64"),
        (["NVIDIA GB10"], "linux", "aarch64"),
    ],
)
def test_where_there_is_nothing_better_that_is_said(
    gpus: list[str], system: str, machine: str
) -> None:
    with pytest.raises(AddonError) as caught:
        runtime_for(gpus, system, machine)
    assert caught.value.code == "no_runtime" and caught.value.fix


def test_a_python_is_checked_by_its_greeting(tmp_path: Path) -> None:
    hello = finish(Handshake(ROOT, tmp_path / "check.log", Path(sys.executable)))
    assert "CPUExecutionProvider" in hello["providers"] and isinstance(hello["gpus"], list)
    known = runtime_operators.known_of(Path(sys.executable), hello)
    assert runtime_operators.still_known(
        known, sys.executable
    ) and "CPU" in runtime_operators.describe_known(known)
    assert not runtime_operators.still_known(
        known, "/another/python"
    ) and not runtime_operators.still_known("", sys.executable)


def test_a_python_without_the_packages_is_refused(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True
    )
    with pytest.raises(AddonError) as caught:
        finish(Handshake(ROOT, tmp_path / "check.log", runtimes.python_of(tmp_path / "bare")))
    assert caught.value.code == "runtime_missing"


@pytest.mark.network
def test_a_runtime_is_made_and_removed(tmp_path: Path) -> None:
    """With the same build as Blender's: pip, venv and handshake are real."""
    wanted = Runtime("test", (), 0.2, "a test", pins=pins_of_the_shipped())
    work = Preparation(ROOT, tmp_path / "made", wanted, sys.executable)
    seen: list[float] = []
    try:
        while not work.poll():
            seen.append(work.fraction)
            time.sleep(0.05)
    except AddonError as error:
        if (
            "No matching distribution" in error.message
            or "Could not find a version" in error.message
        ):
            pytest.skip(f"no package index is at hand: {error.message}")
        raise
    assert seen == sorted(seen) and work.fraction == 1.0 and work.hello is not None
    assert work.hello["versions"]["onnxruntime"] == "1.31.1" and work.python.is_file()
    assert (
        remove(tmp_path / "made")
        and not (tmp_path / "made").exists()
        and not remove(tmp_path / "made")
    )


def test_a_download_that_never_ends_is_ended_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtimes, "PREPARE_SECONDS", 0.0)
    runtime = Runtime("none", (), 0.1, "a test")
    work = Preparation(session.ROOT, tmp_path / "made", runtime, sys.executable)
    time.sleep(0.01)
    with pytest.raises(AddonError, match="not ready within") as caught:
        work.poll()
    assert caught.value.code == "runtime_failed" and not (tmp_path / "made").exists()


def pins_of_the_shipped() -> dict[str, str]:
    """What the zip carries for this platform and Python, and a numpy."""
    cp = f"cp{sys.version_info.major}{sys.version_info.minor}"
    shipped = json.loads(build.PINS.read_text(encoding="utf-8"))[build.this_platform()]
    pins = {
        "==".join(name.split("-")[:2]): digest
        for name, digest in shipped.items()
        if name.split("-")[2] in (cp, "cp36", "cp37")
    }
    lists = [
        targets.get(build.this_platform(), {}).get(runtimes.PYTHON, {})
        for targets in json.loads(runtimes.PINS.read_text()).values()
    ]
    numpy = next(
        (
            {pin: digest}
            for pins in lists
            for pin, digest in pins.items()
            if pin.startswith("numpy==")
        ),
        None,
    )
    return {
        **pins,
        **(
            numpy
            or pytest.skip("no runtime is offered on this platform, so there is no pinned numpy")
        ),
    }


def wheel(folder: Path, needs: str = "") -> tuple[str, str]:
    """A small wheel as a requirement, and its SHA-256."""
    path = folder / "small_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("small_thing.py", "here = True\n")
        more = f"Requires-Dist: {needs}\n" if needs else ""
        file.writestr(
            "small_thing-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: small-thing\nVersion: 1.0\n{more}",
        )
        file.writestr(
            "small_thing-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        file.writestr("small_thing-1.0.dist-info/RECORD", "")
    return f"small-thing @ {path.as_uri()}", hashlib.sha256(path.read_bytes()).hexdigest()


def ends_with(folder: Path, pins: dict[str, str]) -> str:
    """What is said in the end of a preparation that cannot come to a runtime; nothing is left of
    it.
    """
    with pytest.raises(AddonError) as caught:
        finish(
            Preparation(ROOT, folder / "made", Runtime("x", (), 0, "", pins=pins), sys.executable)
        )
    assert (
        caught.value.code == "runtime_failed"
        and "log" in caught.value.fix
        and not (folder / "made").exists()
    )
    return caught.value.message


def test_a_runtime_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    assert "pip ended" in ends_with(
        tmp_path, {f"nothing @ {(tmp_path / 'nothing-1.0-py3-none-any.whl').as_uri()}": "0" * 64}
    )


def test_a_package_with_other_bytes_than_the_listed_ones_is_refused(tmp_path: Path) -> None:
    requirement, digest = wheel(tmp_path)
    said = ends_with(tmp_path, {requirement: digest[::-1]})
    assert "pip ended" in said and "hash" in (said + (tmp_path / "made.log").read_text()).lower()


def test_unlisted_needs_are_not_installed_and_without_onnxruntime_nothing_is_left(
    tmp_path: Path,
) -> None:
    requirement, digest = wheel(tmp_path, "no-such-package-of-anybody==0.0.0")
    assert "does not work" in ends_with(tmp_path, {requirement: digest})


def test_settings_of_pip_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They could name other indexes, or a folder to install into."""
    requirement, digest = wheel(tmp_path)
    away, config = tmp_path / "away", tmp_path / "pip.conf"
    config.write_text(
        f"[global]\nno-such-option-of-anybody = 1\ntarget = {away}\n[install]\ntarget = {away}\n"
    )
    monkeypatch.setenv("PIP_TARGET", str(away))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    (tmp_path / "home" / ".config" / "pip").mkdir(parents=True)
    (tmp_path / "home" / ".config" / "pip" / "pip.conf").write_text(config.read_text())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    work = Preparation(
        ROOT, tmp_path / "made", Runtime("x", (), 0, "", pins={requirement: digest}), sys.executable
    )
    inside: list[Path] = []
    with pytest.raises(AddonError, match="does not work"):
        while not work.poll():
            inside = inside or list((tmp_path / "made").rglob("small_thing.py"))
            time.sleep(0.02)
    assert inside and not away.exists()


def test_a_python_that_cannot_make_environments_is_named(tmp_path: Path) -> None:
    made = tmp_path / "folders" / "that are not there" / "made"
    with pytest.raises(AddonError, match="none cannot be started: ") as caught:
        Preparation(ROOT, made, Runtime("x", (), 0, ""), str(tmp_path / "none"))
    assert caught.value.code == "runtime_failed" and made.parent.is_dir() and not made.exists()


def test_cancelling_removes_what_was_made(tmp_path: Path) -> None:
    work = Preparation(
        ROOT,
        tmp_path / "made",
        Runtime("x", (), 0, "", pins={"onnxruntime==1.31.1": "0" * 64}),
        sys.executable,
    )
    assert (tmp_path / "made" / MARK).is_file() and not work.poll()
    work.cancel()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Access is denied"), "Access is denied"),
        (OSError("no reason"), "no reason"),
    ],
)
def test_a_folder_that_is_in_use_stays_one_that_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / MARK).write_text("x", encoding="utf-8")

    def half(folder: Path) -> None:
        (folder / MARK).unlink()
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(runtimes.shutil, "rmtree", half)
        with pytest.raises(AddonError, match=f"made cannot be removed: {said}.") as caught:
            remove(made)
    assert caught.value.code == "runtime_failed" and "Close" in caught.value.fix
    assert remove(made) and not made.exists()


def test_a_folder_that_was_not_made_here_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.blend").write_text("")
    assert not remove(tmp_path / "mine") and (tmp_path / "mine" / "work.blend").exists()
    with pytest.raises(AddonError):
        Preparation(ROOT, tmp_path / "mine", Runtime("x", (), 0, ""), sys.executable)
    assert (tmp_path / "mine" / "work.blend").exists()


def test_the_operator_checks_and_remembers(chosen: SimpleNamespace, tmp_path: Path) -> None:
    chosen.python = sys.executable
    assert bpy.ops.blendshapes.check_python() == {"FINISHED"}
    assert (
        runtime_operators.still_known(chosen.python_known, sys.executable)
        and not session.status.preparing
    )
    chosen.python, chosen.python_known = str(tmp_path / "none"), ""
    with pytest.raises(RuntimeError, match="no Python at"):
        bpy.ops.blendshapes.check_python()
    assert not chosen.python_known and not session.status.preparing


def test_a_prepared_runtime_is_used_remembered_and_removed(
    chosen: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's steps, with an environment that is there already in the place of a
    download.
    """
    monkeypatch.setattr(session, "runtimes_folder", lambda: tmp_path)
    (tmp_path / "cuda").mkdir()
    (tmp_path / "cuda" / MARK).write_text("cuda")
    chosen.python = str(tmp_path / "cuda" / "bin" / "python")
    assert bpy.ops.blendshapes.remove_runtime() == {"FINISHED"}
    assert (
        chosen.python == "" and not (tmp_path / "cuda").exists() and not session.prepared_runtimes()
    )


@pytest.fixture
def online() -> Iterator[Any]:
    """A switch for Blender's Allow Online Access."""
    system = bpy.context.preferences.system
    if bpy.app.online_access_override:
        pytest.skip("online access was decided on the command line")
    before = system.use_online_access
    yield lambda on: setattr(system, "use_online_access", on)
    system.use_online_access = before


def test_nothing_is_downloaded_without_online_access(chosen: SimpleNamespace, online: Any) -> None:
    online(False)
    assert not bpy.ops.blendshapes.prepare_runtime.poll()
    online(True)
    assert bpy.ops.blendshapes.prepare_runtime.poll()


def test_preparing_where_there_is_nothing_better_says_so(
    chosen: SimpleNamespace, online: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(True)
    monkeypatch.setattr(runtime_operators, "_greeting", lambda: {"gpus": []})
    with pytest.raises(RuntimeError, match="no better build"):
        bpy.ops.blendshapes.prepare_runtime()
    assert not session.status.preparing and not chosen.python


def test_a_download_that_fails_changes_nothing(
    chosen: SimpleNamespace, online: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(True)
    monkeypatch.setattr(session, "runtimes_folder", lambda: tmp_path)
    monkeypatch.setattr(runtime_operators, "_greeting", lambda: {"gpus": ["NVIDIA"]})
    monkeypatch.setattr(
        runtime_operators,
        "runtime_for",
        lambda gpus: Runtime("cuda", (), 0.01, "a test", pins={"--no-such-option": ""}),
    )
    with pytest.raises(RuntimeError, match="pip ended"):
        bpy.ops.blendshapes.prepare_runtime()
    assert not (tmp_path / "cuda").exists() and not chosen.python and not session.status.preparing
    assert session.status.prepared == 0, "the bar of the next one begins at nothing"
