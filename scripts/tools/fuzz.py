# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage-guided fuzzing of everything that strangers can hand us: frames, requests, model files,
meshes, tables, archives.

python3 scripts/dev.py fuzz [--seconds 60] [--target frames ...] [--record]

Atheris (libFuzzer) runs in an environment of its own, build/fuzz, and keeps what it learns in
build/fuzz-corpus. What makes a target fail, hang for 20 s or take more than 2 GB is written to
tests/fixtures/found/TARGET, where the tests replay it. Exit code 1 if something was found.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "fuzz")]

from scripts import dev  # noqa: E402  (after the path is there)
from scripts.tools import reliability  # noqa: E402  (after the path is there)

targets: Any = importlib.import_module("targets")

FOUND = ROOT / "tests" / "fixtures" / "found"
CORPUS = ROOT / "build" / "fuzz-corpus"
PINS = ROOT / "requirements" / "fuzz.txt"
LIMITS = ("-timeout=20", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1")
MOST_FINDS = 10  # of one target in one run
SHARES = {
    "meshes": 5
    # of the time, where one of the others has 1: most of the code is behind a mesh, and each takes
    # long
}


def fuzz(python: Path, name: str, seconds: int, fixtures: Path) -> dict[str, Any]:
    """Fuzz one target; what libFuzzer counted, and the files that were found."""
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in targets.seeds(name):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    environment = os.environ | {"FUZZ_FIXTURES": str(fixtures), "OPENBLAS_NUM_THREADS": "1"}
    found: list[str] = []
    counted = {"executions": 0, "features": 0, "peak_mb": 0}
    ends = time.monotonic() + seconds
    while (left := int(ends - time.monotonic())) > 0 and len(found) < MOST_FINDS:
        with tempfile.TemporaryDirectory() as scratch:
            command = [
                str(python),
                str(ROOT / "tests" / "fuzz" / "run.py"),
                name,
                str(corpus),
                f"-max_total_time={left}",
            ]
            command += [*LIMITS, f"-artifact_prefix={scratch}/"]
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                cwd=ROOT,
            )
            stored = [_keep(name, path) for path in Path(scratch).iterdir()]
        counted["executions"] += _last(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
        counted["features"] = max(counted["features"], _last(r"\bft: (\d+)", done.stderr))
        counted["peak_mb"] = max(
            counted["peak_mb"], _last(r"stat::peak_rss_mb:\s*(\d+)", done.stderr)
        )
        if done.returncode == 0:
            break
        told = re.search(
            r"=== Uncaught Python exception: ===.*?(?=\n==|\Z)",
            done.stdout + done.stderr,
            re.DOTALL,
        )
        tail = told[0].strip()[-2500:] if told else done.stderr[-1200:]
        print(
            f"--- {name} failed (exit code {done.returncode}), kept as"
            f" {', '.join(stored) or 'nothing'}\n{tail}",
            flush=True,
        )
        found += stored or ["no file"]
        if not stored:
            break
    return {"target": name, "seconds": seconds, **counted, "found": found}


def _keep(name: str, path: Path) -> str:
    """Move an artefact to the cases that the tests replay; its name."""
    data = path.read_bytes()
    target = (
        FOUND / name / f"{path.name.partition('-')[0]}-{hashlib.sha256(data).hexdigest()[:12]}.bin"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target.name


def _last(pattern: str, text: str) -> int:
    numbers = re.findall(pattern, text)
    return int(numbers[-1]) if numbers else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=int, default=60, help="for all targets together (default 60)"
    )
    parser.add_argument(
        "--target",
        action="append",
        choices=list(targets.TARGETS),
        help="these alone; may be given more than once",
    )
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/design/reliability.md"
    )
    options = parser.parse_args()
    try:
        python = dev.make_venv(
            ROOT / "build" / "fuzz",
            PINS.read_text(encoding="utf-8"),
            lock=PINS.with_suffix(".lock"),
        )
    except subprocess.CalledProcessError as error:
        print(
            f"Atheris cannot be installed here ({error}); the property-based tests in tests/fuzz"
            " need no more than pytest.",
            file=sys.stderr,
        )
        return 2
    names = options.target or list(targets.TARGETS)
    with tempfile.TemporaryDirectory() as fixtures:
        os.environ["FUZZ_FIXTURES"] = fixtures
        targets.prepare()
        rows = []
        whole = sum(SHARES.get(name, 1) for name in names)
        for name in names:
            rows.append(
                fuzz(
                    python,
                    name,
                    max(options.seconds * SHARES.get(name, 1) // whole, 1),
                    Path(fixtures),
                )
            )
            print(
                "{target:10} {executions:9,} inputs, {features:6,} features, peak {peak_mb} MB,"
                " found {found}".format(**rows[-1]),
                flush=True,
            )
    if options.record:
        reliability.record(
            "fuzz",
            {"command": f"python3 scripts/dev.py fuzz --seconds {options.seconds}", "rows": rows},
        )
    return int(any(row["found"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
