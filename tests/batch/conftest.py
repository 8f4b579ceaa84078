# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads for the batch, and the command as users start it. The heads are .obj files, so that the
tests themselves need no Blender.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fixtures.meshes import figure
from numpy.typing import NDArray

from scripts.samples.head import build
from scripts.samples.surface import HeadSpec

ROOT = Path(__file__).resolve().parents[2]
GENERATE = ROOT / "scripts" / "generate.py"
FULL = bool(os.environ.get("BATCH_FULL"))  # set by dev.py farm-test: the longer versions

collect_ignore = (
    []
    if importlib.util.find_spec("bpy")
    else ["test_batch.py", "test_deaths.py", "test_farm.py", "test_names.py"]
)


def load_module(path: Path) -> ModuleType:
    """A test file as a module, for what it has that others can use."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_head(path: Path, size: float = 1.0) -> Path:
    """The figure as an .obj file of this size; another size gives other bytes out."""
    mesh = figure(12, 16)
    return _write(path, mesh.vertices * size, mesh.triangles)


def write_face(path: Path) -> Path:
    """The sample head as an .obj file: a face that the shipped model finds, with all that it
    needs.
    """
    head = build(HeadSpec())
    return _write(path, head.vertices, head.triangles)


def _write(path: Path, vertices: NDArray[Any], triangles: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"v {x:.6f} {z:.6f} {-y:.6f}" for x, y, z in vertices]  # .obj has Y up
    lines += [f"f {a} {b} {c}" for a, b, c in triangles + 1]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """A folder of four heads, one of them in a folder of its own, with files that are none."""
    folder = tmp_path / "heads"
    for number, name in enumerate(("ann", "ben", "cat", "deep/dan")):
        write_head(folder / f"{name}.obj", 1 + number / 8)
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden.obj").write_text("")
    return folder


@dataclass
class Run:
    """How a start of the command ended."""

    code: int
    said: str
    report: dict[str, Any]

    @property
    def states(self) -> dict[str, str]:
        """Status of each file by its stem, an error's code for those that failed."""
        return {
            Path(row["input"]).stem: row["error"]["code"] if "error" in row else row["status"]
            for row in self.report["files"]
        }


def command(
    inputs: Path, out: Path, model: Path, *more: object, python: str = sys.executable
) -> list[str]:
    """The command line: visemes as .blend and .glb with a tiny model, and a report beside OUT."""
    fixed = [
        "--set",
        "vrchat",
        "--out",
        out,
        "--export",
        "glb",
        "--model",
        model,
        "--report",
        report_of(out),
    ]
    return [python, *map(str, (GENERATE, inputs, *fixed, *more))]


def report_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.report.json")


@pytest.fixture
def generate(tiny: Path) -> Callable[..., Run]:
    """Run the command to its end."""

    def call(inputs: Path, out: Path, *more: object, model: Path = tiny) -> Run:
        report_of(out).unlink(missing_ok=True)
        done = subprocess.run(
            command(inputs, out, model, *more),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        return Run(
            done.returncode,
            done.stdout + done.stderr,
            json.loads(report_of(out).read_text()) if report_of(out).exists() else {},
        )

    return call


def outputs(out: Path) -> dict[str, bytes]:
    """What a user sees in the output folder; of .blend files, which hold addresses of the memory
    they were saved from, only that they are there.
    """
    files = [
        path
        for path in out.rglob("*")
        if path.is_file() and ".blendshapes" not in path.relative_to(out).parts
    ]
    return {
        path.relative_to(out).as_posix(): b"" if path.suffix == ".blend" else path.read_bytes()
        for path in files
    }


def leftovers(out: Path) -> list[str]:
    """Temporary files that were not taken away."""
    return [str(path) for path in out.rglob("*") if ".part" in path.name]


def keys_of(out: Path) -> dict[str, str]:
    """Digest of the shape keys of each .blend file."""
    script = Path(__file__).with_name("keys.py")
    done = subprocess.run(
        [sys.executable, str(script), str(out)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found
