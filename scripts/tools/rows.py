# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of Blender, Python, numpy and ONNX Runtime that the extension promises, and where
their Pythons are. Imports no package.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOOLS = "hypothesis==6.170.15\nonnx==1.19.1\npsutil==7.2.2\npytest==9.2.0\npytest-timeout==2.4.0\n"


@dataclass(frozen=True)
class Row:
    """One environment. bpy: version of Blender as a module, or empty for the backend alone with the
    onnxruntime of that version.
    """

    name: str
    python: str
    numpy: str
    bpy: str = ""
    onnxruntime: str = ""

    @property
    def pins(self) -> str:
        """What is installed into it; onnxruntime and psutil come with the zip where there is a
        Blender.
        """
        if self.bpy:
            return f"bpy=={self.bpy}\nnumpy=={self.numpy}\n"
        return f"onnxruntime=={self.onnxruntime}\nnumpy=={self.numpy}\n{TOOLS}"


ROWS = (
    Row("4.5", "3.11", "1.26.4", bpy="4.5.15"),
    Row("4.2", "3.11", "1.26.4", bpy="4.2.23"),
    Row("5.0", "3.11", "1.26.4", bpy="5.0.1"),
    Row("5.2", "3.13", "2.3.5", bpy="5.2.3"),
    Row("oldest", "3.11", "1.26.4", onnxruntime="1.19.2"),
    Row("intel-mac", "3.11", "1.26.4", onnxruntime="1.23.2"),  # what the zip for Intel Macs brings
    Row("numpy2", "3.11", "2.3.5", onnxruntime="1.31.1"),
    Row("newest", "3.11", "2.3.5", onnxruntime="1.32.0"),
    Row("oldest-3.13", "3.13", "2.1.3", onnxruntime="1.20.0"),
    Row("newest-3.13", "3.13", "2.3.5", onnxruntime="1.32.0"),
)


def python(version: str) -> str | None:
    """An interpreter of that version: this one, one on the path, one of pyenv's, or one that
    Windows' launcher knows; None if there is none.
    """
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    installed = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(
            f"versions/{version}.*/bin/python{version}"
        )
    )
    for candidate in (shutil.which(f"python{version}"), *map(str, installed), _launched(version)):
        if (
            candidate
            and subprocess.run(
                [candidate, "-c", "import venv"], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return candidate
    return None


def _launched(version: str) -> str | None:
    """The interpreter of that version that `py` starts, where there is a `py`."""
    launcher = shutil.which("py")
    if launcher is None:
        return None
    done = subprocess.run(
        [launcher, f"-{version}", "-c", "import sys; print(sys.executable)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None


def with_blender(pins: str, row: Row) -> str:
    """The lines of a list of pins with the row's bpy and numpy in place of theirs."""
    for package, version in (("bpy", row.bpy), ("numpy", row.numpy)):
        pins = re.sub(rf"(?m)^{package}==\S+", f"{package}=={version}", pins)
    return pins
