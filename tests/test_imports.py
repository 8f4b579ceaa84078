# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module that needs no Blender can be imported on Windows and macOS: in a fresh interpreter
that has their library, see fixtures/pretend.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mypy", reason="its stubs say what other systems have")
ROOT = Path(__file__).resolve().parents[1]
PRETEND = ROOT / "tests" / "fixtures" / "pretend.py"
EXTENSION = "blendshape_auto_generator"


def imports(platform: str, root: Path = ROOT) -> dict[str, Any]:
    """What became of the modules of a tree on that system."""
    done = subprocess.run(
        [sys.executable, str(PRETEND), platform, str(root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_all_modules_without_blender_are_imported(platform: str) -> None:
    told = imports(platform)
    assert told["failed"] == {}
    gone = set(told["left_out"])
    assert not {
        name
        for name in gone
        if name.startswith(
            (f"{EXTENSION}.backend", "scripts.dev", "scripts.build", "scripts.batch.main")
        )
    }
    assert {
        f"{EXTENSION}.blendshape_addon.process.{name}"
        for name in ("backend_process", "child", "pipe", "launch", "runtimes")
    } <= set(told["imported"])
    assert set(told["left_out"].values()) & {"fcntl", "msvcrt", "resource", "winreg"} == set(), (
        "taken for packages"
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the extension's sources."""
    for folder in ("backend", "blendshape_addon"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("models", "__pycache__")
        )
    return tmp_path


def test_a_misspelt_constant_of_another_system_is_found(tree: Path) -> None:
    source = tree / "blendshape_addon" / "process" / "child.py"
    text = source.read_text(encoding="utf-8")
    assert "subprocess.CREATE_NO_WINDOW" in text
    source.write_text(
        text.replace("subprocess.CREATE_NO_WINDOW", "subprocess.CREATENO_WINDOW"), encoding="utf-8"
    )
    assert (
        "CREATENO_WINDOW"
        in imports("win32", tree)["failed"][f"{EXTENSION}.blendshape_addon.process.child"]
    )
    assert imports("darwin", tree)["failed"] == {}


LACKING = {
    "win32": (
        "import fcntl",
        "import resource",
        "from signal import SIGKILL",
        "import os\nos.sysconf('SC_PAGE_SIZE')",
        "import os\nos.fork",
        "import os\nos.sched_getaffinity(0)",
        "import select\nselect.poll()",
        "import sys\nif sys.platform == 'win32':\n    import ctypes\n    ctypes.windl",
    ),
    "darwin": (
        "import winreg",
        "import os\nos.sched_getaffinity(0)",
        "import os\nos.pidfd_open",
        "from subprocess import STARTUPINFO",
        "import msvcrt",
    ),
}
THERE = {
    "win32": (
        "import msvcrt, winreg\nwinreg.HKEY_LOCAL_MACHINE",
        "from subprocess import CREATE_NO_WINDOW, STARTUPINFO",
        "from ctypes import WinDLL, windll",
        "import os\nassert os.name == 'nt' and os.sep != '/' and os.path",
        "import platform\nassert platform.system() == 'Windows'",
    ),
    "darwin": (
        "import resource, fcntl",
        "import select\nselect.kqueue",
        "from signal import SIGKILL",
        "import os\nos.fork\nassert os.name == 'posix'",
    ),
}


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_what_a_system_lacks_is_lacking_and_what_it_has_is_there(
    platform: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backend"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for kind, lines in (("lacking", LACKING[platform]), ("there", THERE[platform])):
        for number, line in enumerate(lines):
            (folder / f"{kind}{number}.py").write_text(line, encoding="utf-8")
    told = imports(platform, tmp_path)
    assert set(told["failed"]) == {
        f"{EXTENSION}.backend.lacking{number}" for number in range(len(LACKING[platform]))
    }, told["failed"]
