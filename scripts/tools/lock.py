# SPDX-License-Identifier: GPL-3.0-or-later
"""Pin what the lists in requirements/ bring with them: writes requirements/NAME.lock, which pip
takes as constraints beside the lists.

python3 scripts/dev.py lock    after a list has changed; asks pip what it would install on this
                               system, and installs nothing

Made on Linux x64 with CPython 3.11. A constraint does not install anything, so a lock serves
Windows and macOS as well: what only they need is in ONLY_ELSEWHERE, or chosen there by pip. pip
itself and setuptools are those that CPython brings.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
LOCKS = {
    "dev": ("dev",),
    "docs": ("docs",),
    "farm": ("batch", "farm", "farm-test"),  # the container and workers have them together
    "fuzz": ("fuzz",),
    "serving": ("serving",),
    "train": ("train",),
}
ONLY_ELSEWHERE = {"dev": ("colorama==0.4.6",)}  # pytest's on Windows


def pins(text: str) -> dict[str, str]:
    """Package, as pip spells it, -> version, of a list or a lock."""
    found = re.findall(r"(?m)^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)", text)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def resolved(lists: tuple[str, ...]) -> list[str]:
    """What pip would install for these lists, a line for each package. Raises
    subprocess.CalledProcessError.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        wanted = [f"--requirement={FOLDER / name}.txt" for name in lists]
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--dry-run",
            "--ignore-installed",
        ]
        subprocess.run([*command, f"--report={report}", *wanted], check=True)
        told = json.loads(report.read_text(encoding="utf-8"))["install"]
    builds = [(each["metadata"]["name"], each["metadata"]["version"]) for each in told]
    return [
        f"{name}=={version.partition('+')[0]}" for name, version in builds
    ]  # without what says how it was built, as in 2.1+cpu


def main() -> int:
    if sys.platform != "linux":
        print(
            "The locks are made on Linux: what pip installs differs between systems.",
            file=sys.stderr,
        )
        return 2
    for name, lists in LOCKS.items():
        lines = sorted({*resolved(lists), *ONLY_ELSEWHERE.get(name, ())}, key=str.lower)
        sources = ", ".join(f"{each}.txt" for each in lists)
        head = (
            f"# Constraints for pip beside {sources}: all that they bring, on Linux x64 with"
            " CPython 3.11. Made by scripts/dev.py lock."
        )
        (FOLDER / f"{name}.lock").write_text("\n".join((head, *lines, "")), encoding="utf-8")
        print(f"requirements/{name}.lock: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
