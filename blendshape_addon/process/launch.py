# SPDX-License-Identifier: GPL-3.0-or-later
"""How the child is started: which Python, which arguments, which environment. Imports none of the
child's packages.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from ..errors import AddonError
from ..shared import regular_file
from .environment import clean_environment

PACKAGES = ("onnxruntime", "psutil", "numpy")


@dataclass(frozen=True)
class Settings:
    """What the user may choose. python: an interpreter of his own, or empty. The others are the
    backend's settings of the same names.

    Those that are at their default are not handed over, so that the environment and the settings
    file still count.
    """

    python: str = ""
    provider: str = "auto"
    strict: bool = False
    precision: str = "auto"
    threads: int = 0
    memory_mb: int = 2048

    def preferences(self) -> dict[str, Any]:
        """The backend's settings that differ from the default."""
        default = vars(Settings())
        return {
            name: value
            for name, value in vars(self).items()
            if name != "python" and value != default[name]
        }


@dataclass(frozen=True)
class Launch:
    """Everything that a start needs. log: the file that takes stderr; its folder, which holds
    nothing to import, is the working folder.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path


def plan(
    root: Path,
    log: Path,
    settings: Settings,
    environment: Mapping[str, str] = os.environ,
    system: str = sys.platform,
) -> Launch:
    """The start of `python -m backend serve` from the extension's folder `root`. The child keeps
    its compiled modules beside the folder of its log.

    On Windows it keeps none: Python would repeat the whole path of each module below that folder,
    which makes more than the 260 characters that Windows takes. It starts in 1.0 s without and in
    0.4 s with them.

    A Python of the user's own brings its own packages; Blender's Python finds those of the
    extension and Blender's numpy by PYTHONPATH. Raises AddonError `child_start` if there is no such
    Python, or its path is not whole.
    """
    own = settings.python.strip()
    python = own or blender_python()
    if own:
        _check_python(own)
    paths = [str(root), *([] if own else package_folders(PACKAGES))]
    clean = clean_environment(environment)
    clean.update(
        PYTHONPATH=os.pathsep.join(paths), PYTHONNOUSERSITE="1", PYTHONSAFEPATH="1", PYTHONUTF8="1"
    )
    if system == "win32":
        clean["PYTHONDONTWRITEBYTECODE"] = "1"
    else:
        clean["PYTHONPYCACHEPREFIX"] = str(
            log.parent.parent / "bytecode"
        )  # nothing is written into the extension's own folder
    command = (
        python,
        "-m",
        "backend",
        "serve",
        "--preferences",
        json.dumps(settings.preferences()),
    )
    return Launch(command, clean, log)


def compiled_modules(launch: Launch) -> Path | None:
    """The folder of the child's compiled modules, None where it keeps none."""
    folder = launch.environment.get("PYTHONPYCACHEPREFIX")
    return Path(folder) if folder else None


def compiling(launch: Launch) -> tuple[str, ...]:
    """The command that compiles the modules of a child that is started so."""
    module = launch.command.index("backend")
    return (*launch.command[: module + 1], "compile")


def runtimes_folder(
    user: str, version: str, environment: Mapping[str, str] = os.environ, system: str = sys.platform
) -> str:
    """Where a Blender of a version, say `5.2`, keeps runtimes. user: the extension's folder of the
    user's.

    On Windows packages in that folder would have paths of over 260 characters, which pip cannot
    write; so it is one beside the child's engines there.
    """
    local = environment.get("LOCALAPPDATA", "")
    if system == "win32" and local:
        return str(PureWindowsPath(local, "blendshape-auto-generator", version, "runtimes"))
    return str(Path(user, "runtimes"))


def _check_python(own: str) -> None:
    """Raise AddonError `child_start` unless it is the whole path of a file on this computer:
    another would depend on the folder or the .blend that is open.
    """
    fix = "Correct the path in the extension's preferences, or clear it."
    try:
        regular_file.check_name(own)
    except regular_file.RefusedError as error:
        raise AddonError("child_start", f"The Python {own} {error.reason}.", fix) from error
    if not Path(own).is_absolute():
        raise AddonError("child_start", f"{own} is not the whole path of a Python.", fix)
    if not Path(own).is_file():
        raise AddonError("child_start", f"There is no Python at {own}.", fix)


def blender_python() -> str:
    """Path of the Python that Blender embeds. Raises AddonError `child_start` if none is found."""
    if sys.executable and "python" in Path(sys.executable).name.lower():
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    names = [
        f"bin/{name}" for name in (version, "python3", "python", f"{version}.exe", "python.exe")
    ]
    for name in (*names, "python.exe"):
        found = Path(sys.prefix) / name
        if found.is_file():
            return str(found)
    raise AddonError(
        "child_start",
        "Blender's own Python was not found.",
        "Choose a Python with onnxruntime in the extension's preferences.",
    )


def package_folders(names: Sequence[str]) -> list[str]:
    """The folders that hold the named packages, each once, in order; packages that are not
    installed are left out. Imports nothing.
    """
    folders: list[str] = []
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            folder = str(Path(spec.origin).parent.parent)
            if folder not in folders:
                folders.append(folder)
    return folders
