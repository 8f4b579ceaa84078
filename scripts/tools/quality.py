# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that every change passes: lint, types, licences, links, names, coverage, known holes in
what is installed.

python3 scripts/dev.py quality [--audit | --coverage [--tests FOLDER ...]] [--record]

--coverage runs the tests of backend, add-on, fuzz cases and faults once more under coverage,
branches and children included. The search for known holes asks pip-audit's service, in an
environment of its own; where it cannot be asked that is said and is no failure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts import dev  # noqa: E402  (after the path is there)
from scripts.tools import reliability  # noqa: E402  (after the path is there)

PIP_AUDIT = "pip-audit==2.10.1\n"
AUDITED = ("dev.txt", "serving.txt", "fuzz.txt")
# coverage cannot write its data there, and says so
NOT_COVERED = "tests/backend/service/test_cli.py::test_a_full_disk_is_told_and_the_old_file_kept"
COVERED = ("tests/backend", "tests/fuzz", "tests/faults", "tests/addon")


def audit() -> tuple[bool, str]:
    """Whether no pinned package has a known hole, as far as it could be asked, and what is to be
    said.
    """
    try:
        python = dev.make_venv(ROOT / "build" / "audit", PIP_AUDIT)
    except subprocess.CalledProcessError:
        return True, "not asked: pip-audit could not be installed"
    names, holes, unknown = 0, [], 0
    pins = "\n".join((ROOT / "requirements" / name).read_text(encoding="utf-8") for name in AUDITED)
    wanted = sorted({line for line in pins.splitlines() if line and not line.startswith("#")})
    asked = ROOT / "build" / "audited.txt"
    for line in wanted:  # one at a time: two lists may want different versions of a package
        asked.write_text(f"{line}\n", encoding="utf-8")
        command = [
            str(python),
            "-m",
            "pip_audit",
            "-r",
            str(asked),
            "--no-deps",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "-f",
            "json",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            told: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            unknown += 1
            if unknown > 2 and not names:
                return True, "not asked: the service cannot be reached from here"
            continue
        for package in told["dependencies"]:
            if "skip_reason" in package:
                unknown += 1
                continue
            names += 1
            holes += [
                f"{package['name']} {package['version']}: {hole['id']}" for hole in package["vulns"]
            ]
    if not names:
        return True, f"not asked: the service knows none of the {len(wanted)} packages from here"
    if holes:
        return False, f"known holes: {', '.join(holes)}"
    return (
        True,
        f"no known hole in {names} packages{f', {unknown} could not be asked' if unknown else ''}",
    )


def coverage(folders: Sequence[str]) -> tuple[bool, str]:
    """Run the tests of these folders under coverage; whether they passed, and the figure with
    branches.
    """
    python = str(dev.python_of(ROOT / ".venv"))
    subprocess.run([python, "-m", "coverage", "erase"], cwd=ROOT, check=True)
    command = [
        python,
        "-m",
        "coverage",
        "run",
        "-m",
        "pytest",
        "-q",
        f"--deselect={NOT_COVERED}",
        *folders,
    ]
    passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    subprocess.run([python, "-m", "coverage", "combine", "-q"], cwd=ROOT, check=True)
    return passed, covered(folders, passed)


def covered(folders: Sequence[str], passed: bool) -> str:
    """The figure of the coverage data that is there, and the tests that it comes from."""
    python = str(dev.python_of(ROOT / ".venv"))
    command = [
        python,
        "-m",
        "coverage",
        "json",
        "-q",
        "-i",
        "-o",
        "-",
    ]  # -i: a source may have gone meanwhile
    totals = json.loads(
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    )["totals"]
    branches = f"{totals['covered_branches']:,} of {totals['num_branches']:,} branches"
    failed = "" if passed else ", some of which failed"
    return (
        f"{totals['percent_covered']:.1f} % of lines and branches ({branches}) by"
        f" {', '.join(folders)}{failed}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--coverage", action="store_true", help="run the tests under coverage, too")
    parser.add_argument(
        "--tests",
        nargs="+",
        default=COVERED,
        metavar="FOLDER",
        help="what --coverage runs (default: %(default)s)",
    )
    parser.add_argument("--audit", action="store_true", help="the search for known holes alone")
    parser.add_argument(
        "--record", action="store_true", help="write the figures into docs/design/reliability.md"
    )
    options = parser.parse_args()
    if options.audit:
        good, what = audit()
        print(f"known holes in pinned packages: {what}")
        return int(not good)
    python = dev.python_of(ROOT / ".venv")
    gates = {
        "ruff": dev.run(python, "-m", "ruff", "check", "."),
        "spelling (codespell)": dev.spelling(python),
        "mypy --strict over everything, for Linux, Windows and macOS": dev.types(python),
        "licence headers, links, names of shapes, what may not ship": dev.run(
            python, "-m", "pytest", "-q", "tests/test_quality.py"
        ),
    }
    told = {name: "failed" if code else "passed" for name, code in gates.items()}
    passed = not any(gates.values())
    good, told["known holes in pinned packages (pip-audit)"] = audit()
    passed &= good
    if options.coverage:
        good, told["coverage"] = coverage(options.tests)
        passed &= good
    for name, what in told.items():
        print(f"{name:60} {what}")
    if options.record:
        chosen = " ".join(
            (
                " --coverage" if options.coverage else "",
                *(("--tests", *options.tests) if options.tests != COVERED else ()),
            )
        ).rstrip()
        reliability.record(
            "quality", {"command": f"python3 scripts/dev.py quality{chosen}", "gates": told}
        )
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
