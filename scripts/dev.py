#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a developer does, with nothing but CPython 3.11.

python3 scripts/dev.py demo     set up, build, install into a throw-away profile, make 67 shapes, draw out/demo.png
python3 scripts/dev.py test     the whole test suite, then ruff and mypy
python3 scripts/dev.py build    the installable zips, in dist/   [--all-platforms]
python3 scripts/dev.py bench    what takes how long, and how much memory   [--blend FILE]; with --against REVISION: faster or slower than that?
python3 scripts/dev.py gui-test clicks through the built zip in Blender 4.3 and 5.2 on a virtual screen; needs Linux and root, see docs/gui.md
python3 scripts/dev.py farm-test      the batch and the farm at length: killed ten times, three machines in networks of their own; then container-test
python3 scripts/dev.py farm-bench     30 heads with one and with two Blenders at once   [--heads N]
python3 scripts/dev.py container-test the Dockerfile's steps in a clean Debian; needs Linux, root and debootstrap
python3 scripts/dev.py lint     ruff and mypy alone
python3 scripts/dev.py setup    .venv alone, with the versions of requirements/dev.txt
python3 scripts/dev.py matrix   every version of Blender, Python, numpy and ONNX Runtime that is promised   [--only NAMES]
python3 scripts/dev.py fuzz     coverage-guided fuzzing of protocol, models, meshes and tables   [--seconds 60]
python3 scripts/dev.py soak     does anything grow?   [--generations 1000 --switches 100]
python3 scripts/dev.py quality  links, licences, names, coverage, known holes in packages
python3 scripts/dev.py reliability   faults and bad inputs, counted; writes docs/reliability.md
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "requirements" / "dev.txt"
PYTHON = (3, 11)
# The add-on's modules without bpy
ADDON = (
    "errors",
    "wire",
    "pipe",
    "patience",
    "launch",
    "backend_process",
    "head_bones",
    "runtimes",
    "tables",
    "vrchat_check",
    "arguments",
    "naming",
    "guides",
    "translations_ja",
)
TYPED = (
    "backend",
    "tests/backend",
    "tests/scripts",
    "scripts/sample_head.py",
    "scripts/train/sources.py",
    "scripts/train/anatomy.py",
    "scripts/train/modelled.py",
    "scripts/train/stylised.py",
    "scripts/train/hair.py",
    "scripts/build.py",
    "scripts/gui_test_machine.py",
    "scripts/quantise.py",
    "scripts/dev.py",
    "scripts/blender_profile.py",
    "scripts/generate.py",
    *(f"scripts/{name}.py" for name in ("determinism", "fuzz", "matrix", "quality", "reliability", "soak")),
    "tests/fuzz/targets.py",
    *(f"tests/fuzz/test_{name}.py" for name in ("inputs", "meshes", "models")),
    "tests/test_quality.py",
    "scripts/container_test.py",
    "scripts/farm_bench.py",
    "scripts/farm",
    *(f"scripts/batch/{name}.py" for name in ("extension", "figures", "local", "main", "plan", "pool", "progress", "report", "store")),
    "tests/batch/conftest.py",
    "tests/batch/network.py",
    *(f"tests/batch/test_{name}.py" for name in ("batch", "deployment", "farm", "plan", "report", "store")),
    *(f"blendshape_addon/{name}.py" for name in ADDON),
)
OWN_TASKS = ("test", "gui-test", "farm-test", "lint", "setup")
SCRIPTS = ("demo", "build", "bench", "matrix", "fuzz", "soak", "quality", "reliability", "farm-bench", "container-test")  # scripts/NAME.py
_FOLDERS = ("backend", "scripts", "fuzz", "faults", "batch", "addon", "avatars", "extension")
TEST_ORDER = ("tests/test_quality.py", *(f"tests/{name}" for name in _FOLDERS))


def python_of(venv: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(venv: Path, pins: str, base: str = sys.executable) -> Path:
    """A virtual environment of the Python `base` with pinned packages, made anew only when the pins have changed. Returns its interpreter."""
    mark, want = venv / "pins.sha256", hashlib.sha256(pins.encode()).hexdigest()
    python = python_of(venv)
    if python.exists() and mark.exists() and mark.read_text(encoding="utf-8") == want:
        return python
    subprocess.run([base, "-m", "venv", "--clear", str(venv)], check=True)
    packages = [line for line in pins.splitlines() if line and not line.startswith("#")]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    mark.write_text(want, encoding="utf-8")
    return python


def setup() -> Path:
    """The development environment's interpreter."""
    start = time.monotonic()
    python = make_venv(ROOT / ".venv", PINS.read_text(encoding="utf-8"))
    print(f"{time.monotonic() - start:6.1f} s  environment (.venv)", flush=True)
    return python


def farm() -> Path | None:
    """The interpreter with the farm's packages, None where they cannot be had; the tests that need it then say so."""
    pins = "".join((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("farm", "farm-test"))
    try:
        return make_venv(ROOT / ".venv-farm", pins)
    except subprocess.CalledProcessError:
        return None


def run(*command: object) -> int:
    """Run a command in the repository; its exit code."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode


def lint(python: Path) -> int:
    """Ruff over everything, mypy --strict over what imports no bpy."""
    return (
        run(python, "-m", "ruff", "check", ".")
        or run(python, "-m", "ruff", "format", "--check", ".")
        or run(python, "-m", "mypy", "--strict", *TYPED)
    )


def test(python: Path, arguments: list[str]) -> int:
    """pytest, fast folders first, then the search for known holes and lint; all of it even when one fails."""
    if not arguments:
        farm()
    folders = [folder for folder in TEST_ORDER if (ROOT / folder).exists()]
    tests = run(python, "-m", "pytest", *(arguments or folders))
    holes = 0 if arguments else run(python, ROOT / "scripts" / "quality.py", "--audit")
    return lint(python) or tests or holes


def main() -> int:
    if sys.version_info[:2] != PYTHON or sys.implementation.name != "cpython":
        print(
            f"This needs CPython {PYTHON[0]}.{PYTHON[1]}, and this is {sys.implementation.name} {sys.version.split()[0]}: "
            f"run it with python{PYTHON[0]}.{PYTHON[1]}.",
            file=sys.stderr,
        )
        return 2
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=(*OWN_TASKS, *SCRIPTS), help="what to do")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed on to the task's script, or to pytest")
    options = parser.parse_args()
    try:
        python = setup()
    except subprocess.CalledProcessError as error:
        print(f"Setting up .venv failed ({error}); it needs a package index that pip reaches.", file=sys.stderr)
        return 1
    if options.task == "test":
        return test(python, options.arguments)
    if options.task == "gui-test":
        return run(python, "-m", "pytest", "tests/gui", "-s", *options.arguments)
    if options.task == "farm-test":
        farm()
        os.environ["BATCH_FULL"] = "1"
        tests = run(python, "-m", "pytest", "tests/batch", *options.arguments)
        return tests if options.arguments else run(python, ROOT / "scripts" / "container_test.py") or tests
    if options.task == "lint":
        return lint(python)
    if options.task == "setup":
        return 0
    return run(python, ROOT / "scripts" / f"{options.task.replace('-', '_')}.py", *options.arguments)


if __name__ == "__main__":
    sys.exit(main())
