# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole job inside Blender against a revision's: later calls, in turns.

python -m scripts.bench.blender_against REVISION FILE.blend [--rounds 9] [--calls 5]

As `dev.py bench --against`, with the add-on of both sides: each round runs inside.py for each side,
who begins changes. The processor's seconds say most where other work is on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.bench import against  # noqa: E402  (after the path is there)

RUNNER = ROOT / "scripts" / "bench" / "inside.py"
NEEDED = ("__init__.py", "blender_manifest.toml", "backend", "blendshape_addon", "scripts")
FIGURES = {
    "same_s": "the same mesh again, s",
    "same_work": "the same, processor's s",
    "other_s": "another mesh, s",
    "other_work": "the same, processor's s",
}


def prepare(revision: str, folder: Path) -> None:
    """Both trees in folder/old and folder/new. Raises NoComparisonError."""
    packed = folder / "old.tar"
    against.git("archive", "--format=tar", f"--output={packed}", revision, *NEEDED)
    with tarfile.open(packed) as archive:
        archive.extractall(folder / "old", filter="data")
    (folder / "new").mkdir()
    for name in NEEDED:
        source, target = ROOT / name, folder / "new" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)


def run_side(side: Path, blend: Path, calls: int) -> dict[str, Any]:
    """What inside.py prints."""
    environment = {name: text for name, text in os.environ.items() if name[:6] != "PYTHON"}
    environment |= {"PYTHONPATH": str(side), "PYTHONPYCACHEPREFIX": str(side / "compiled")}
    done = subprocess.run(
        [sys.executable, "-P", str(RUNNER), str(blend), str(calls)],
        cwd=side,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=against.SIDE_SECONDS,
    )
    # Blender prints lines of its own around it
    line = next(each for each in done.stdout.splitlines() if each.startswith("{"))
    found: dict[str, Any] = json.loads(line)
    return found


def main() -> int:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=against.ROUNDS)
    parser.add_argument("--calls", type=int, default=5)
    asked = parser.parse_args()
    rows: dict[str, list[dict[str, Any]]] = {side: [] for side in against.SIDES}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        prepare(asked.revision, Path(name))
        for number in range(asked.rounds):
            for side in against.SIDES if number % 2 == 0 else reversed(against.SIDES):
                rows[side].append(run_side(Path(name) / side, asked.file.resolve(), asked.calls))
            print(f"round {number + 1} of {asked.rounds}", file=sys.stderr, flush=True)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{rows['new'][0]['keys']} keys, {asked.rounds} rounds of {asked.calls}, load {load:.1f}")
    for figure, words in FIGURES.items():
        ratio = against.compare(*([row[figure] for row in rows[side]] for side in against.SIDES))
        print(
            f"{words:28}{ratio.old:8.3f}{ratio.new:8.3f}{ratio.ratio:8.3f}"
            f"   {ratio.lowest:.3f} to {ratio.highest:.3f}   {ratio.verdict}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
