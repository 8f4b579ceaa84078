# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child gets of the environment, and that every child is started with nothing else."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from blendshape_auto_generator.blendshape_addon.process.backend_process import Backend
from blendshape_auto_generator.blendshape_addon.process.environment import (
    BLENDER,
    DOWNLOADS,
    clean_environment,
)
from blendshape_auto_generator.blendshape_addon.process.launch import Settings, plan

from scripts.batch.pool import BACKEND_PYTHON, worker_environment

ROOT = Path(__file__).resolve().parents[2]
KEPT_OUT = (
    "OPENAI_KEY GITHUB_PAT DATABASE_URL LD_AUDIT LD_PRELOAD DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH"
    " PYTHONPATH PYTHONHOME pythonstartup GITHUB_TOKEN AWS_SECRET_ACCESS_KEY DB_PASSWORD"
    " SSH_AUTH_SOCK PIP_INDEX_URL HTTPS_PROXY MY_OWN BLENDER_USER_RESOURCES MALLOC_CONF GCONV_PATH"
    " NODE_OPTIONS BASH_ENV CUDA_API_KEY BLENDSHAPE_SERVER_TOKEN XDG_SESSION_COOKIE ORT_PASSWORD"
    " NVIDIA_PAT LC_SECRET"
)
KEPT = (
    "PATH HOME LANG TMPDIR SystemRoot windir TEMP TMP USERPROFILE APPDATA LOCALAPPDATA ProgramData"
    " ComSpec ProgramFiles(x86) LC_CTYPE NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE XDG_CACHE_HOME"
    " CUDA_PATH CUDA_PATH_V13_0 CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES LD_LIBRARY_PATH"
    " INTEL_OPENVINO_DIR ORT_DEFAULT_LOG OMP_NUM_THREADS OMP_PASSIVE MKL_NUM_THREADS"
    " OPENBLAS_NUM_THREADS HSA_OVERRIDE_GFX_VERSION BLENDSHAPE_THREADS BLENDSHAPE_CONFIG"
)


@pytest.mark.parametrize("name", KEPT_OUT.split())
def test_what_a_child_has_no_use_for_stays_here(name: str) -> None:
    assert clean_environment({name: "x"}) == {}


@pytest.mark.parametrize("name", KEPT.split())
def test_what_systems_drivers_and_libraries_need_is_handed_on(name: str) -> None:
    assert clean_environment({name: "x"}) == {name: "x"}


def test_a_blender_and_pip_get_what_they_need_on_top_and_no_more() -> None:
    ours = dict.fromkeys(
        (
            "BLENDER_USER_RESOURCES",
            "DISPLAY",
            "XAUTHORITY",
            "https_proxy",
            "BLENDER_API_KEY",
            "PYTHONPATH",
            "PIP_INDEX_URL",
        ),
        "x",
    )
    assert set(clean_environment(ours, BLENDER)) == {
        "BLENDER_USER_RESOURCES",
        "DISPLAY",
        "XAUTHORITY",
    }
    assert set(clean_environment(ours, DOWNLOADS)) == {"https_proxy"}


def test_the_real_child_has_nothing_that_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEPT_OUT.split():
        if name not in (
            "LD_AUDIT",
            "LD_PRELOAD",
            "PYTHONHOME",
        ):  # they would act on this process' other children
            monkeypatch.setenv(name, "private")
    monkeypatch.setenv("BLENDSHAPE_THREADS", "1")
    backend = Backend(lambda: plan(ROOT, tmp_path / "backend-1.log", Settings()))
    backend.start()
    try:
        until = time.monotonic() + 30
        while (
            "BLENDSHAPE_THREADS" not in (has := psutil.Process(backend.pid).environ())
            and time.monotonic() < until
        ):
            time.sleep(0.01)  # until the child has taken its program over, there is none to read
    finally:
        backend.stop()
    assert has["BLENDSHAPE_THREADS"] == "1" and "PATH" in has
    assert "private" not in has.values()
    own = {name for name in has if name.startswith("PYTHON")}
    assert clean_environment(has) == {
        name: value for name, value in has.items() if name not in own
    }, "and nothing beside"


def test_a_worker_of_the_batch_gets_what_a_blender_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BACKEND_PYTHON, "/python")
    monkeypatch.setenv("DATABASE_URL", "private")
    monkeypatch.setenv("BLENDER_USER_RESOURCES", "/profile")
    has = worker_environment({"provider": "cpu"}, 2)
    assert (
        has[BACKEND_PYTHON] == "/python"
        and has["BLENDER_USER_RESOURCES"] == "/profile"
        and has["BLENDSHAPE_PROVIDER"] == "cpu"
    )
    assert has["OMP_NUM_THREADS"] == "2" and "DATABASE_URL" not in has


def starts(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls that start a process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "subprocess.Popen",
            "subprocess.run",
            "Popen",
            "popen",
        ):
            yield node


@pytest.mark.parametrize("folder", ["blendshape_addon", "scripts/batch", "scripts/farm"])
def test_every_process_is_started_with_an_environment_of_its_own(folder: str) -> None:
    found = 0
    for path in sorted((ROOT / folder).rglob("*.py")):
        for call in starts(ast.parse(path.read_text(encoding="utf-8"))):
            found += 1
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}.get(
                "env", ""
            )
            assert "environ" in given and "os.environ" not in given, (
                f"{path.name}:{call.lineno} hands everything on"
            )
    assert found or folder == "scripts/farm"
