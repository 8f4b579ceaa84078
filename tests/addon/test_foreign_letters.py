# SPDX-License-Identifier: GPL-3.0-or-later
"""A user called ユーザー 太郎: a real child works in folders with Japanese letters and spaces;
also names that are no text.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend
from blendshape_auto_generator.blendshape_addon.process.launch import Settings, plan
from fixtures.meshes import figure

from backend.inference import engines
from backend.inference.settings import Settings as EngineSettings

ROOT = Path(__file__).resolve().parents[2]


def finish(
    backend: Backend, type_: str, fields: dict[str, Any], arrays: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The last answer's header."""
    request = backend.send(type_, fields, arrays or {})
    while True:
        for message in backend.wait(60):
            if message.header.get("id") == request and message.header["type"] in ("done", "error"):
                return message.header


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The user's folder, with the extension's copy and a model."""
    folder = tmp_path / "ユーザー 太郎"
    for name in ("blendshape_addon", "backend"):
        shutil.copytree(
            ROOT / name, folder / "拡張 機能" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


@pytest.fixture
def backend(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A child whose extension, log, settings, cache, profile, metrics and temporary files are all
    there.
    """
    for name in (
        "HOME",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "TMPDIR",
        "TEMP",
        "TMP",
    ):
        (home / name).mkdir()
        monkeypatch.setenv(name, str(home / name))
    monkeypatch.setenv("BLENDSHAPE_PROFILE", str(home / "計測"))
    monkeypatch.setenv("BLENDSHAPE_METRICS", str(home / "メトリクス.prom"))
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.setenv(name, "C")
    started = Backend(
        lambda: plan(home / "拡張 機能", home / "記録" / "ログ" / "backend-1.log", Settings())
    )
    started.start()
    yield started
    started.stop()


def test_a_child_works_where_every_path_has_japanese_letters_and_spaces(
    home: Path, backend: Backend, tiny: Path
) -> None:
    model = home / "モデル 集"
    model.mkdir()
    for part in tiny.parent.glob("tiny.*"):
        shutil.copy(part, model / part.name)
    mesh = figure(24, 32)
    assert mesh.head_weights is not None
    arrays = {
        "vertices": mesh.vertices,
        "triangles": mesh.triangles,
        "head_weights": mesh.head_weights,
    }
    fields = {
        "sets": ["arkit"],
        "table": None,
        "model": str(model / tiny.name),
        "bones": {name: list(at) for name, at in mesh.bones.items()},
    }
    done = finish(backend, "generate", {**fields, "up": [0, 0, 1]}, arrays)
    assert done["type"] == "done" and done["report"]["model"], done
    assert (home / "メトリクス.prom").read_text(encoding="utf-8")
    backend.stop()
    assert len(list((home / "計測").glob("*.json"))) == 2, "a profile of each session"
    assert sys.platform == "win32" or list((home / "記録" / "bytecode").rglob("*.pyc"))


@pytest.mark.skipif(sys.platform == "win32", reason="names there are text")
def test_a_path_that_is_no_text_is_told_and_the_child_lives(home: Path, backend: Backend) -> None:
    missing = os.fsdecode(b"/no/such/\xff\xfe model.onnx")
    told = finish(backend, "load", {"model": missing})
    assert (
        told["type"] == "error" and told["code"] == "model_missing" and missing in told["message"]
    )
    assert finish(backend, "stats", {})["type"] == "done"
    assert "Traceback" not in backend.log_tail()


@pytest.mark.parametrize(
    ("short", "found"), [("C:\\Users\\5C7A~1\\e", True), ("C:\\ユーザー\\e", False), ("", False)]
)
def test_on_windows_engines_are_kept_under_plain_names_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: str, found: bool
) -> None:
    def name(path: str, buffer: Any, size: int) -> int:
        assert "太郎" in path
        buffer.value = short
        return len(short)

    monkeypatch.setattr(
        ctypes,
        "windll",
        SimpleNamespace(kernel32=SimpleNamespace(GetShortPathNameW=name)),
        raising=False,
    )
    monkeypatch.setattr(sys, "platform", "win32")
    got = engines.engine_cache(
        EngineSettings(cache_dir=str(tmp_path / "太郎")), "tensorrt", "a" * 64, "ort", "gpu"
    )
    assert got == (Path(short) if found else None)
