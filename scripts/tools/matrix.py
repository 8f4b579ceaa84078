# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions that the extension promises, each in an environment of its own, all with the same
head; and whether they compute the same.

python3 scripts/dev.py matrix [--only 4.2,5.2,...] [--quick] [--record]

--quick leaves out the tests of the rows without Blender, which then generate alone.

Rows with Blender install the built zip into a throw-away profile and use it. Rows without run the
backend alone, with the oldest and the newest ONNX Runtime and numpy. A row whose Python or packages
are not to be had is skipped and named. The first row is what the others are compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts import build, dev  # noqa: E402  (after the path is there)
from scripts.tools import reliability  # noqa: E402  (after the path is there)
from scripts.tools.rows import ROWS, Row, python  # noqa: E402

TOLERANCE = 1e-6  # of the head's radius
TESTS = (
    "tests/backend/test_protocol.py",
    "tests/backend/inference/test_models.py",
    "tests/backend/service/test_server.py",
    "tests/backend/service/test_generate.py",
)


def environment(row: Row) -> Path:
    """The row's interpreter, set up if need be. Raises LookupError with the reason if it is not to
    be had.
    """
    found = python(row.python)
    if found is None:
        raise LookupError(f"there is no Python {row.python} here")
    folder = ROOT / "build" / (f"bpy-{row.name}" if row.bpy else f"engine-{row.name}")
    try:
        return dev.make_venv(folder, row.pins, found)
    except subprocess.CalledProcessError as error:
        raise LookupError(f"its packages could not be installed: {error}") from error


def run(command: list[object], env: dict[str, str]) -> str:
    """A command's output. Raises RuntimeError with its last lines if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=1200,
        env=env,
    )
    if done.returncode != 0:
        raise RuntimeError("\n".join((done.stdout + done.stderr).splitlines()[-15:]))
    return done.stdout


def plain_environment(**more: object) -> dict[str, str]:
    """The environment without what leads one Python to another's packages; the CPU with one thread,
    so that numbers can be compared.
    """
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "BLENDSHAPE_"))
    }
    return (
        clean
        | {"BLENDSHAPE_PROVIDER": "cpu", "BLENDSHAPE_THREADS": "1"}
        | {key: str(value) for key, value in more.items()}
    )


def use_blender(python_: Path, archive: Path, folder: Path) -> dict[str, Any]:
    """Install the zip into a profile of its own, generate, and read the keys back from a second
    process; versions and the keys' file.
    """
    profile = folder / "profile"
    profile.mkdir()
    clean = plain_environment(BLENDER_USER_RESOURCES=profile)
    script = ROOT / "tests" / "extension" / "use_extension.py"
    report: dict[str, Any] = {}
    for task in ("install", "again"):
        text = run(
            [python_, script, task, archive, folder / "head.blend", folder / f"{task}.npz"],
            env=clean,
        )
        report = json.loads(
            next(line for line in text.splitlines() if line.startswith("REPORT")).removeprefix(
                "REPORT"
            )
        )
    return report


def use_backend(python_: Path, mesh: Path, folder: Path, quick: bool) -> dict[str, Any]:
    """Generate with the backend alone, and run the tests that need ONNX Runtime most, unless quick;
    versions.
    """
    clean = plain_environment(PYTHONPATH=ROOT)
    out = folder / "again.npz"
    run(
        [python_, "-m", "backend", "generate", mesh, "--set", "arkit,vrchat", "--out", out],
        env=clean,
    )
    told = json.loads(
        run(
            [
                python_,
                "-c",
                "import json; from backend.service.server import versions;"
                " print(json.dumps(versions()))",
            ],
            env=clean,
        )
    )
    if quick:
        return {"versions": told, "tests": "generated"}
    tested = {key: value for key, value in clean.items() if not key.startswith("BLENDSHAPE_")}
    text = run(
        [python_, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *TESTS], env=tested
    )
    return {"versions": told, "tests": text.splitlines()[-1].strip()}


def offsets(path: Path) -> dict[str, Any]:
    """Offsets (V,3) by key name, from a file that names (N,) and deltas (N,V,3) were written to."""
    with np.load(path, allow_pickle=False) as arrays:
        return dict(zip((str(name) for name in arrays["names"]), arrays["deltas"], strict=True))


def compare(first: Path, second: Path, radius: float) -> float:
    """The largest difference between two files' offsets, in radii of the head. Raises RuntimeError
    if they have not the same keys.
    """
    one, other = offsets(first), offsets(second)
    if set(one) != set(other):
        raise RuntimeError(f"other keys: {sorted(set(one) ^ set(other))}")
    return float(
        max(np.abs(one[name].astype(np.float64) - other[name]).max() for name in one) / radius
    )


def head_in(folder: Path) -> tuple[Path, float]:
    """The sample head as an .npz in the folder, and its radius."""
    from scripts.samples.head import build as build_head
    from scripts.samples.surface import HeadSpec

    head = build_head(HeadSpec())
    triangles = [
        (polygon[0], polygon[i], polygon[i + 1])
        for polygon in head.polygons
        for i in range(1, len(polygon) - 1)
    ]
    mesh = folder / "head.npz"
    np.savez(
        mesh, vertices=head.vertices.astype(np.float32), triangles=np.array(triangles, np.int32)
    )
    return mesh, float(np.ptp(head.vertices, axis=0).max() / 2)


def run_rows(rows: list[Row], folder: Path, quick: bool = False) -> list[dict[str, Any]]:
    """Run the rows one after the other; a row's figures, or why it was skipped or failed."""
    archive = Path()
    if any(row.bpy for row in rows):
        archive = build.build([build.this_platform()], folder / "zip")[0]
    mesh, radius = head_in(folder)
    found: list[dict[str, Any]] = []
    references: dict[bool, Path] = {}
    for row in rows:
        began = time.monotonic()
        work = folder / row.name
        work.mkdir()
        figures: dict[str, Any] = {
            "name": row.name,
            "blender": row.bpy,
            "python": row.python,
            "numpy": row.numpy,
        }
        try:
            place = environment(row)
            if row.bpy:
                told = use_blender(place, archive, work)
            else:
                told = use_backend(place, mesh, work, quick)
            figures["versions"] = told["versions"]
            figures["tests"] = told.get("tests", "zip installed, used, used again")
            figures |= differences(work, references, bool(row.bpy), radius)
        except LookupError as error:
            figures["skipped"] = str(error)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            figures |= {"passed": False, "error": str(error)[-600:]}
        figures["seconds"] = round(time.monotonic() - began, 1)
        shown = {key: value for key, value in figures.items() if key != "name"}
        print(f"{row.name:12} {json.dumps(shown)}", flush=True)
        found.append(figures)
    return found


def differences(
    work: Path, references: dict[bool, Path], blender: bool, radius: float
) -> dict[str, Any]:
    """How far a row's offsets are from those of the first row of its kind, and in Blender from
    those of its first use; whether that is near enough.
    """
    again = work / "again.npz"
    figures: dict[str, Any] = {}
    if blender:
        figures["repeat"] = compare(work / "install.npz", again, radius)
    figures["difference"] = compare(references.setdefault(blender, again), again, radius)
    figures["passed"] = figures["difference"] <= TOLERANCE and figures.get("repeat", 0.0) == 0.0
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="", metavar="NAMES", help=f"some of {', '.join(row.name for row in ROWS)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="without the tests of the rows that have no Blender"
    )
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/design/reliability.md"
    )
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or [row.name for row in ROWS]
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        parser.error(f"unknown rows: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        found = run_rows([row for row in ROWS if row.name in names], Path(folder), options.quick)
    if options.record:
        command = f"python3 scripts/dev.py matrix{' --quick' * options.quick}"
        reliability.record("matrix", {"command": command, "tolerance": TOLERANCE, "rows": found})
    return int(any(not figures.get("passed", "skipped" in figures) for figures in found))


if __name__ == "__main__":
    sys.exit(main())
