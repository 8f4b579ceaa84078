# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip as users get it: what is in it, and that it installs and works in throw-away profiles of
every supported Blender.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.face.shapes.shape_sets import load_sets
from scripts import build
from scripts.repack import changes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "use_extension.py"


def use(python: Path, task: str, archive: Path, folder: Path) -> dict[str, Any]:
    """Run use_extension.py in a profile of its own; what it reports."""
    profile = folder / "profile"
    profile.mkdir(exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {
        "BLENDER_USER_RESOURCES": str(profile)
    }
    done = subprocess.run(
        [str(python), str(SCRIPT), task, str(archive), str(folder / "head.blend")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("REPORT")]
    assert done.returncode == 0 and lines, done.stdout[-2000:] + done.stderr[-2000:]
    report: dict[str, Any] = json.loads(lines[-1].removeprefix("REPORT"))
    return report


def test_the_zip_holds_what_ships_and_nothing_else(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    assert {
        "__init__.py",
        "blender_manifest.toml",
        "LICENSE",
        "backend/models/face.encoder.onnx",
        "backend/models/MODEL_CARD.md",
        "help/guide/panel.html",
        "help/guide/troubleshooting.html",
    } <= set(names)
    top = {
        "__init__.py",
        "blender_manifest.toml",
        "LICENSE",
        "backend",
        "blendshape_addon",
        "help",
        "wheels",
        "third_party",
    }
    assert {n.split("/")[0] for n in names} <= top
    wheels = [n for n in names if n.endswith(".whl")]
    assert {w.split("/")[-1].split("-")[0] for w in wheels} == {"onnxruntime", "psutil"}, (
        "numpy is Blender's own"
    )
    manifest = tomllib.loads(zipfile.ZipFile(archive).read("blender_manifest.toml").decode())
    assert sorted(w.removeprefix("./") for w in manifest["wheels"]) == sorted(wheels)


def test_what_only_measures_stays_at_home(archive: Path, tmp_path: Path) -> None:
    """And nothing that ships needs it."""
    with zipfile.ZipFile(archive) as file:
        assert not [name for name in file.namelist() if name.startswith("scripts/")]
        file.extractall(tmp_path, [name for name in file.namelist() if name.startswith("backend/")])
    shipped = [
        ".".join(path.relative_to(tmp_path).with_suffix("").parts)
        for path in sorted(tmp_path.rglob("*.py"))
        if not path.stem.startswith("__")
    ]
    everything = f"import importlib\nfor name in {shipped!r}: importlib.import_module(name)"
    for command, code in (
        (["-c", everything], 0),
        (["-m", "backend", "info"], 0),
        (["-m", "backend", "bench"], 2),
    ):
        done = subprocess.run(
            [sys.executable, "-P", *command],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": "."},
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr.decode()[-2000:]


def test_it_carries_the_licences_of_what_it_brings(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        held = {
            name: file.read(name).decode(errors="replace")
            for name in file.namelist()
            if name.startswith("third_party/")
        }
    assert {name.split("/")[1].split("-")[0] for name in held} == {"onnxruntime", "psutil"}
    assert any("MIT License" in text for text in held.values()) and any(
        "Redistribution" in text for text in held.values()
    )


def digest_of_record(wheel: bytes) -> str:
    """SHA-256 of a wheel's RECORD, which tells the truth of every file in it."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as files:
        record = next(name for name in files.namelist() if name.endswith(".dist-info/RECORD"))
        rows = [row.rsplit(",", 2) for row in files.read(record).decode().splitlines()]
        assert sorted(name for name, _, _ in rows) == sorted(files.namelist())
        for name, digest, _ in rows:
            if name != record:
                raw = base64.urlsafe_b64encode(hashlib.sha256(files.read(name)).digest())
                assert digest == f"sha256={raw.decode().rstrip('=')}", name
        return hashlib.sha256(files.read(record)).hexdigest()


def test_its_wheels_are_the_pinned_ones_for_both_pythons(archive: Path) -> None:
    pins = json.loads(build.PINS.read_text(encoding="utf-8"))[build.this_platform()]
    anew = changes()
    with zipfile.ZipFile(archive) as file:
        held = {
            name.split("/")[1]: file.read(name) for name in file.namelist() if name.endswith(".whl")
        }
    assert held.keys() == pins.keys()
    for name, data in held.items():
        if name in anew:
            assert anew[name]["of"] == pins[name]
            assert digest_of_record(data) == anew[name]["record"]
        else:
            assert hashlib.sha256(data).hexdigest() == pins[name]
    pythons = ("cp311",) if build.this_platform() == "macos-x64" else ("cp311", "cp313")
    assert all(any(f"-{python}-" in name for name in held) for python in pythons)


@pytest.mark.parametrize("platform", list(build.TAGS))
def test_every_platform_has_its_pythons_pinned_by_hash(platform: str) -> None:
    pythons = (
        {"cp311"} if platform == "macos-x64" else {"cp311", "cp313"}
    )  # Blender 4.5 is the last for Intel Macs
    pins = json.loads(build.PINS.read_text(encoding="utf-8"))[platform]
    packages = {(name.split("-")[0], name.split("-")[2]) for name in pins}
    assert {("onnxruntime", python) for python in pythons} <= packages and "psutil" in {
        package for package, _ in packages
    }
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in pins.values())


def test_two_builds_are_equal_to_the_last_byte(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout").mkdir()
    for name in build.SHIPPED:  # another checkout, with other times
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(
            ROOT / name, tmp_path / "checkout" / name
        )
    monkeypatch.setattr(build, "ROOT", tmp_path / "checkout")
    again = build.build([build.this_platform()], tmp_path / "zip")[0]
    assert again.read_bytes() == archive.read_bytes()


def test_the_zip_is_built_outside_the_repository(archive: Path) -> None:
    assert not archive.is_relative_to(ROOT) and archive.parent != build.DIST


def absolute_imports(tree: ast.AST) -> list[str]:
    """What is imported as a package of its own when the code runs, not only when types are
    checked.
    """
    found: list[str] = []
    for node in ast.iter_child_nodes(tree):
        if (
            isinstance(node, ast.If)
            and isinstance(node.test, ast.Name)
            and node.test.id == "TYPE_CHECKING"
        ):
            found += absolute_imports(ast.Module(node.orelse, []))
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if node.level == 0 and node.module else []
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        else:
            found += absolute_imports(node)
    return found


def test_inside_the_extension_only_relative_imports(archive: Path) -> None:
    sources = zipfile.ZipFile(archive)
    for name in sources.namelist():
        if name.endswith(".py"):
            imported = {
                module.split(".")[0] for module in absolute_imports(ast.parse(sources.read(name)))
            }
            assert not imported & {"backend", "blendshape_addon"}, name
    assert absolute_imports(
        ast.parse(
            "def f():\n from backend import x\nif TYPE_CHECKING:\n import a\nelse:\n import b"
        )
    ) == ["backend", "b"]


@pytest.mark.timeout(900)
def test_it_installs_generates_and_updates_in_a_throw_away_profile(
    blender: Path, archive: Path, tmp_path: Path
) -> None:
    sets = load_sets()
    wanted = [*sets["arkit"].shapes, *sets["vrchat"].shapes]
    first = use(blender, "install", archive, tmp_path)
    assert first["result"] == ["FINISHED"]
    assert first["names"] == ["Basis", *wanted]
    assert not any(first["values"][1:]), (
        "a reference key's own value means nothing, and is 1 in Blender 5"
    )
    assert not first["runtime_in_blender"], "only the child loads ONNX Runtime"
    assert all(0 < first["moved"][name] < first["vertices"] for name in wanted), first["moved"]
    assert first["children_left"] == 0
    second = use(blender, "again", archive, tmp_path)
    assert second["names"] == first["names"], "a second run updates the keys that the add-on made"
    assert second["moved"] == first["moved"]
