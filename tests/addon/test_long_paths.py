# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows takes paths of 260 characters: every file of the installed extension, of its wheels and
every one that we write stays below.
"""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path, PureWindowsPath

import pytest
from blendshape_auto_generator.blendshape_addon.process.launch import (
    Settings,
    plan,
    runtimes_folder,
)

from backend.inference import engines
from backend.inference.folders import FOLDER
from backend.inference.settings import Settings as EngineSettings

ROOT = Path(__file__).resolve().parents[2]
MAX_PATH = 260 - 1  # the last one ends it
USER = "C:\\Users\\" + "n" * 30  # Windows itself makes 20 at most
ROAMING, LOCAL = (
    PureWindowsPath(USER, "AppData", "Roaming"),
    PureWindowsPath(USER, "AppData", "Local"),
)
EXTENSIONS = ROAMING / "Blender Foundation" / "Blender" / "5.2" / "extensions"
OF_USER = EXTENSIONS / ".user" / "user_default" / "blendshape_auto_generator"
BYTECODE = (
    len("__pycache__\\") + len(".cpython-313") + len("c.1234567890123")
)  # pip and Python write X.pyc under a name of its own first
TENSORRT = (
    "TensorrtExecutionProvider_TRTKernel_graph_main_graph_18446744073709551615_0_0_fp16_sm120"
    ".engine"
)


def longest(folder: PureWindowsPath, names: list[str], more: int = 0) -> int:
    """Length of the longest path below a folder; more: characters on top of modules."""
    return max(len(str(folder / name)) + (more if name.endswith(".py") else 0) for name in names)


def of(package: str) -> list[str]:
    """The files of an installed package, as its wheel has them."""
    return [
        str(file)
        for file in metadata.files(package) or []
        if ".." not in file.parts and "__pycache__" not in file.parts
    ]


@pytest.mark.parametrize("package", ["onnxruntime", "psutil"])
def test_the_wheels_files_fit(package: str) -> None:
    assert (
        longest(EXTENSIONS / ".local" / "lib" / "python3.13" / "site-packages", of(package))
        <= MAX_PATH
    )


def test_the_extensions_own_files_fit_with_bytecode() -> None:
    done = subprocess.run(
        ["git", "ls-files", "blendshape_addon", "backend"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("no checkout of git")
    assert (
        longest(
            EXTENSIONS / "user_default" / "blendshape_auto_generator",
            done.stdout.splitlines(),
            BYTECODE,
        )
        <= MAX_PATH
    )
    assert len(str(OF_USER / "log" / "backend-4294967295.check.log")) <= MAX_PATH


def test_the_child_mirrors_no_path_below_another_on_windows(tmp_path: Path) -> None:
    started = plan(ROOT, tmp_path / "x.log", Settings(), system="win32").environment
    assert "PYTHONPYCACHEPREFIX" not in started and started["PYTHONDONTWRITEBYTECODE"] == "1"
    assert (
        "PYTHONDONTWRITEBYTECODE"
        not in plan(ROOT, tmp_path / "x.log", Settings(), system="linux").environment
    )


@pytest.mark.parametrize("package", ["onnxruntime", "psutil", "numpy"])
def test_a_prepared_runtime_fits_where_it_is_made(package: str) -> None:
    folder = PureWindowsPath(
        runtimes_folder(str(OF_USER), "5.2", {"LOCALAPPDATA": str(LOCAL)}, "win32")
    )
    assert longest(folder / "openvino" / "Lib" / "site-packages", of(package), BYTECODE) <= MAX_PATH
    beside = OF_USER / "runtimes" / "openvino" / "Lib" / "site-packages"
    assert package != "onnxruntime" or longest(beside, of(package), BYTECODE) > MAX_PATH, (
        "or it need not be elsewhere"
    )


def test_elsewhere_runtimes_stay_in_the_extensions_folder_of_the_users() -> None:
    assert runtimes_folder("/home/user/ext", "5.2", {"LOCALAPPDATA": "/x"}, "linux") == str(
        Path("/home/user/ext/runtimes")
    )
    assert runtimes_folder("/home/user/ext", "5.2", {}, "win32") == str(
        Path("/home/user/ext/runtimes")
    )


def test_compiled_engines_fit_whatever_the_gpu_is_called(tmp_path: Path) -> None:
    settings = EngineSettings(cache_dir=str(tmp_path), precision="fp16")
    names = [
        f"NVIDIA GeForce RTX 5090 Laptop GPU with a Very Long Name (Driver {number})"
        for number in range(2)
    ]
    folders = [
        engines.engine_cache(settings, "tensorrt", "a" * 64, "ort1.31.1", name) for name in names
    ]
    assert folders[0] is not None and folders[0] != folders[1]
    inside = folders[0].relative_to(tmp_path)
    assert len(str(LOCAL / FOLDER / PureWindowsPath(*inside.parts) / TENSORRT)) <= MAX_PATH
