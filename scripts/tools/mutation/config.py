# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of mutation testing does, from mutation.toml beside this file, and which modules it
changes.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("mutation.toml")
BLENDER = {"bpy", "addon_utils", "bpy_extras", "bl_ui", "blf", "gpu", "gpu_extras", "mathutils"}


@dataclass(frozen=True)
class Equivalent:
    """A mutant that nobody could notice, as a run prints it, and why. module: its path; definition:
    of its function or class; line: its text.
    """

    module: str
    definition: str
    line: str
    change: str
    reason: str


@dataclass(frozen=True)
class Config:
    """The keys of mutation.toml, which says what they mean."""

    seed: int
    mutants: int
    least_killed: float
    most_equivalent: float
    backend: tuple[str, ...]
    addon: str
    tests: tuple[str, ...]
    left_out: tuple[str, ...]
    first: tuple[str, ...]
    most_tests: int
    most_test_seconds: float
    patience_s: float
    patience: float
    operators: tuple[str, ...]
    equivalent: tuple[Equivalent, ...] = ()


def load(path: Path = PATH) -> Config:
    """The configuration. Raises TypeError or ValueError where it is not as it must be."""
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    equivalent = tuple(Equivalent(**entry) for entry in found.pop("equivalent", ()))
    if not all(entry.reason for entry in equivalent):
        raise ValueError("Each equivalent mutant needs a reason.")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in found.items()
    }
    return Config(**values, equivalent=equivalent)


def modules(root: Path, config: Config) -> list[str]:
    """Paths, relative to the root, of the modules to change."""
    found = [path for entry in config.backend for path in _python_files(root / entry)]
    return [
        path.relative_to(root).as_posix()
        for path in (*found, *(without_blender(root / config.addon) if config.addon else ()))
    ]


def without_blender(package: Path) -> list[Path]:
    """The modules of a package that import nothing of Blender's, neither themselves nor through
    others of the package.
    """
    imports = {path: _imports(path) for path in package.rglob("*.py")}
    tainted = {path for path, names in imports.items() if names & BLENDER}
    while more := {
        path
        for path, names in imports.items()
        if path not in tainted and names & {str(other) for other in tainted}
    }:
        tainted |= more
    return sorted(imports.keys() - tainted)


def _imports(path: Path) -> set[str]:
    """What a module imports anywhere: top names, and paths of modules of its own package."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            names |= {f"{base}.py", *(str(base / f"{alias.name}.py") for alias in node.names)}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def _python_files(path: Path) -> Iterable[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))
