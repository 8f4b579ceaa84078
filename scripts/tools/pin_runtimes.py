# SPDX-License-Identifier: GPL-3.0-or-later
"""Pin what Install GPU Runtime installs: every package of each build of ONNX Runtime, what it needs
included, with the SHA-256 of its wheel.

.venv/bin/python scripts/tools/pin_runtimes.py

Writes blendshape_addon/process/runtime_pins.json, which the zip carries: {runtime: {platform:
{Python: {"package==version": SHA-256}}}}. pip resolves from the wheels' metadata alone, so nothing
large is downloaded. A combination that the index has no wheels for is left out, and then not
offered. Run it after a change of RUNTIMES in blendshape_addon/process/runtimes.py, and review the
difference.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.build import TAGS  # noqa: E402
from scripts.generate import ALIAS, load_extension  # noqa: E402

load_extension()
runtimes: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.process.runtimes")
PIP = (  # from 23.3 on a dry run with fast-deps reads no more of a wheel than its metadata
    "pip==25.3"
)
PYTHONS = ("3.11", "3.13", "3.14")  # of the Blenders that there are, and the next
# what conditions such as `platform_system == "Windows"` say on each platform: pip asks the Python
# that it runs in, which is another
SYSTEMS = {
    "linux-x64": {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    },
    "windows-x64": {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "platform_machine": "AMD64",
        "os_name": "nt",
    },
}


def fitting_pip(folder: Path) -> Path:
    """The Python of an environment that has PIP."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = Path(runtimes.python_of(folder))
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PIP],
        check=True,
    )
    return python


def resolved(pip: Path, packages: tuple[str, ...], target: str, python: str) -> dict[str, str]:
    """All packages for a platform and a Python with the SHA-256 of their wheels. Raises LookupError
    where there is no such set of wheels.
    """
    command = [
        str(pip),
        "-m",
        "pip",
        "--isolated",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--use-feature=fast-deps",
        "--only-binary=:all:",
    ]
    command += [
        "--implementation",
        "cp",
        "--python-version",
        python,
        *(word for tag in TAGS[target] for word in ("--platform", tag)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [*command, "--target", folder, "--report", str(report), *packages],
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
            env={**os.environ, **runtimes.NO_SETTINGS},
        )
        if done.returncode:
            raise LookupError(
                next(
                    (
                        line
                        for line in reversed(done.stderr.splitlines())
                        if line.startswith("ERROR")
                    ),
                    "pip failed",
                )
            )
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    _check_conditions(
        found, {**SYSTEMS[target], "python_version": python, "python_full_version": f"{python}.0"}
    )
    pins = {
        f"{e['metadata']['name'].lower()}=={e['metadata']['version']}": e["download_info"][
            "archive_info"
        ]["hashes"]["sha256"]
        for e in found
    }
    return dict(sorted(pins.items()))


def _check_conditions(found: list[dict[str, Any]], wanted: dict[str, str]) -> None:
    """Raise LookupError if a package needs another one there but not here, or the other way
    round.
    """
    for entry in found:
        for text in entry["metadata"].get("requires_dist", []):
            marker = Requirement(text).marker
            if marker is None:
                continue
            for extra in ("", *entry.get("requested_extras", [])):
                if marker.evaluate({"extra": extra}) != marker.evaluate({**wanted, "extra": extra}):
                    raise LookupError(
                        f"{entry['metadata']['name']} needs {text}: run this on that platform and"
                        " Python"
                    )


def main() -> int:
    pins: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    wanted = [
        (runtime, target, python)
        for runtime in runtimes.RUNTIMES
        for target in runtime.platforms
        for python in PYTHONS
    ]
    with tempfile.TemporaryDirectory() as folder:
        pip = fitting_pip(Path(folder) / "pip")
        for runtime, target, python in wanted:
            try:
                found = resolved(pip, runtime.packages, target, python)
            except LookupError as error:
                print(
                    f"{runtime.name} {target} {python}: left out: {error}",
                    file=sys.stderr,
                    flush=True,
                )
                continue
            print(f"{runtime.name} {target} {python}: {len(found)} packages", flush=True)
            pins.setdefault(runtime.name, {}).setdefault(target, {})[python] = found
    runtimes.PINS.write_text(json.dumps(pins, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    print(f"with pip on {platform.system()} {platform.machine()}", flush=True)
    sys.exit(main())
