# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the Dockerfile's steps in a clean Debian of its release, and then the batch and a farm of one
worker in it.

python3 scripts/dev.py container-test     needs Linux x64, root, debootstrap and unshare; takes some
    minutes and 2.5 GB in build/container

There need be no container engine: COPY, RUN, USER, ENTRYPOINT and the release are read from the
Dockerfile, and done with debootstrap and chroot.
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "container"
TOOLS = ("debootstrap", "unshare", "chroot", "mount")
SETUP = """
set -e
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
[ ! -f /etc/resolv.conf ] || cp /etc/resolv.conf "$1/etc/resolv.conf"
cd "$1"
shift
exec chroot . "$@"
"""


@dataclass(frozen=True)
class Steps:
    """What a Dockerfile does, as far as ours goes."""

    release: str
    copy: str
    run: tuple[str, ...]
    user: str
    entry: tuple[str, ...]


def read_steps(dockerfile: str) -> Steps:
    """The steps of a Dockerfile. Raises ValueError for instructions that this does not know, so
    that none is left out unseen.
    """
    found: dict[str, list[str]] = {}
    for line in dockerfile.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            found.setdefault(word, []).append(rest.strip())
    if set(found) != {"FROM", "COPY", "RUN", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}:
        raise ValueError(f"the Dockerfile has {sorted(found)}")
    release = re.fullmatch(r"debian:(\w+)-slim", found["FROM"][0])
    source, target = found["COPY"][0].split()
    if release is None or source != ".":
        raise ValueError(f"the Dockerfile starts from {found['FROM'][0]} and copies {source}")
    return Steps(
        release[1],
        target,
        tuple(found["RUN"]),
        found["USER"][0],
        tuple(json.loads(found["ENTRYPOINT"][0])),
    )


def why_not() -> str:
    """Why this cannot be done here, or nothing."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"it needs Linux on x86_64, and this is {sys.platform} on {platform.machine()}"
    if os.geteuid() != 0:
        return "it needs root"
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        return f"it needs {', '.join(missing)}"
    if subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "true"], check=False, capture_output=True
    ).returncode:
        return "this machine does not allow mounts of its own to a process"
    return ""


def copy_context(target: Path) -> None:
    """What COPY . copies: everything but what .dockerignore names."""
    ignored = [
        line.strip()
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    top = [name for name in ignored if not name.startswith("**/")]
    deep = [name.removeprefix("**/") for name in ignored if name.startswith("**/")]

    def left_out(folder: str, names: list[str]) -> set[str]:
        patterns = deep + (top if Path(folder) == ROOT else [])
        return {
            name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
        }

    shutil.copytree(ROOT, target, ignore=left_out)


def inside(
    root: Path, *command: str, user: str = "root", more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in the Debian, with a process tree and mounts of its own."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root" if user == "root" else f"/home/{user}",
        **(more or {}),
    }
    words = (
        command
        if user == "root"
        else (
            "setpriv",
            "--reuid",
            user,
            "--regid",
            user,
            "--init-groups",
            "--no-new-privs",
            *command,
        )
    )
    line = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        SETUP,
        "sh",
        str(root),
        *words,
    ]
    return subprocess.run(
        line, env=environment, capture_output=True, text=True, timeout=1500, check=False
    )


def _lent(root: Path) -> dict[str, str]:
    """Let pip inside reach the package index the way that it is reached here: its configuration,
    certificates and files of its own.
    """
    more = {
        name: value
        for name, value in os.environ.items()
        if name.upper().endswith("_PROXY") or name.startswith("PIP_")
    }
    if Path("/etc/pip.conf").is_file():
        shutil.copyfile("/etc/pip.conf", root / "etc" / "pip.conf")
    if "PIP_CERT" in more:  # under a name of its own: the installation writes the usual one anew
        shutil.copyfile(more["PIP_CERT"], root / "mnt" / "lent.pem")
        more["PIP_CERT"] = "/mnt/lent.pem"
    more.pop("PIP_FIND_LINKS", None)
    return more


def _said(step: str, done: subprocess.CompletedProcess[str], began: float) -> None:
    """Tell how a step went. Raises SystemExit where it failed."""
    print(
        f"{time.monotonic() - began:6.1f} s  {step}:"
        f" {'ok' if not done.returncode else f'exit code {done.returncode}'}",
        flush=True,
    )
    if done.returncode:
        print(done.stdout[-3000:] + done.stderr[-3000:], file=sys.stderr)
        raise SystemExit(1)


def make_debian(root: Path, release: str, began: float) -> None:
    """A clean Debian at `root`: bootstrapped once, then unpacked from an archive."""
    clean = FOLDER / f"{release}.tar"
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    if clean.exists():
        root.mkdir()
        subprocess.run(["tar", "-C", str(root), "-xf", str(clean)], check=True)
        return
    # with mounts of its own: it leaves /proc mounted in the new root when it is ended early
    line = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    line += ["debootstrap", "--variant=minbase", release, str(root)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    _said(f"debootstrap {release}", done, began)
    subprocess.run(["tar", "-C", str(root), "-cf", f"{clean}.part", "."], check=True)
    Path(f"{clean}.part").rename(clean)


def make_head(root: Path, steps: Steps, began: float) -> None:
    """The repository's own head, made inside with the Blender that was installed."""
    (root / "home" / steps.user / "avatars").mkdir()
    _said("--help", inside(root, *steps.entry, "--help", user=steps.user), began)
    make = (
        f"import sys; sys.path.insert(0, '{steps.copy}'); import bpy; from scripts.samples.object"
        " import add_sample_head\n"
        "bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True); add_sample_head()\n"
        f"bpy.ops.wm.save_as_mainfile(filepath='/home/{steps.user}/avatars/head.blend')"
    )
    inside(root, "chown", "-R", f"{steps.user}:{steps.user}", f"/home/{steps.user}")
    python_ = f"{steps.copy}/.venv/bin/python"
    _said("a head", inside(root, python_, "-c", make, user=steps.user), began)


def run_batch_and_farm(root: Path, steps: Steps, began: float) -> None:
    """The batch, and the same through a scheduler and one worker."""
    home, user = f"/home/{steps.user}", steps.user
    asked = [*steps.entry, f"{home}/avatars", "--set", "arkit", "--export", "glb", "--out"]
    report = ["--report", f"{home}/report.json"]
    _said("the batch", inside(root, *asked, f"{home}/out", *report, user=user), began)
    with socket.socket() as probe:  # the network is this machine's, and others may be at work on it
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    farm = (
        f'entry="$1"; shift; export WORKERS=1; "$entry" scheduler 127.0.0.1 {port} & "$entry"'
        f' worker tcp://127.0.0.1:{port} one & sleep 3; "$entry" "$@"; code=$?; kill %1 %2; exit'
        " $code"
    )
    sent = [*asked, f"{home}/farm", "--scheduler", f"tcp://127.0.0.1:{port}", "--send"]
    _said("a farm", inside(root, "bash", "-mc", farm, "bash", *sent, user=user), began)


def main() -> int:
    """Do it all; the exit code."""
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return 0
    steps = read_steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    root, began = FOLDER / "root", time.monotonic()
    make_debian(root, steps.release, began)
    copy_context(root / steps.copy[1:])
    more = _lent(root)
    for step in steps.run:
        _said(f"RUN {step}", inside(root, "sh", "-c", step, more=more), began)
    make_head(root, steps, began)
    run_batch_and_farm(root, steps, began)
    home = root / "home" / steps.user
    made = (home / "out/head.glb").read_bytes()
    same = made == (home / "farm/head.glb").read_bytes()
    row = json.loads((home / "report.json").read_text())["files"][0]
    print(
        f"{row['line']}; the farm's .glb is {'the same' if same else 'ANOTHER'},"
        f" {len(made):,} bytes"
    )
    good = same and row["shapes"] == 52
    if good:
        shutil.rmtree(root)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
