# SPDX-License-Identifier: GPL-3.0-or-later
"""Blenders with a real window where there is no screen: Debian's packages in a folder of their own,
drawing in software on a virtual screen.

`debootstrap` makes the folder, once for each Blender (a minute and 2 GB each); a process runs in it
with mounts and process ids of its own (`unshare`), so that nothing stays mounted and no process is
left behind, whatever happens. Needs Linux, root, and those two programs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "gui"
REPOSITORY = "/mnt/repository"  # where the repository is seen inside, read-only
RUN = "/mnt/run"  # where a run's own folder is seen inside
DRIVER = f"{REPOSITORY}/tests/gui/drive.py"
DISPLAY = ":77"
SECONDS = 600  # for a story; a minute where nothing else runs
TOOLS = ("debootstrap", "unshare", "setpriv", "chroot", "mount")
_COMMON = ("blender", "xvfb", "libgl1-mesa-dri", "python3-numpy", "imagemagick", "x11-utils")


@dataclass(frozen=True)
class Release:
    """A Blender that Debian packages. pins: further wheels for its Python, by their name in
    requirements/wheels.json.
    """

    suite: str
    packages: tuple[str, ...]
    pins: tuple[str, ...] = ()


# Debian builds Blender with its own Python: 3.13 in trixie, as the official 5.2, but 3.14 in sid
RELEASES = {
    "4.3": Release("trixie", _COMMON),
    "5.2": Release(
        "sid",
        (
            *_COMMON,
            "libgl1",
            "libglx-mesa0",
            "libegl1",
            "libegl-mesa0",
            "python3-cattr",
            "python3-requests",
        ),
        ("linux-x64 python 3.14",),
    ),
}


class Unavailable(Exception):
    """Why there can be no such window here."""


def check() -> None:
    """Raise Unavailable unless this machine can make one."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise Unavailable(
            "a window without a screen is set up on Linux x86_64 only, and this is"
            f" {sys.platform} {platform.machine()}"
        )
    if os.geteuid() != 0:
        raise Unavailable(
            "a window without a screen needs root, to install Debian's Blender into a folder of its"
            " own (chroot)"
        )
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        raise Unavailable(
            f"a window without a screen needs {', '.join(missing)} (as root: apt-get install"
            " debootstrap)"
        )
    if subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "true"],
        check=False,
        capture_output=True,
    ).returncode:
        raise Unavailable("this machine does not allow mounts of its own to a process (unshare)")


def install(version: str) -> Path:
    """The folder with this Blender, made on first use. Raises Unavailable with the installer's last
    words.
    """
    check()
    release = RELEASES[version]
    folder = FOLDER / release.suite
    done = folder / "complete"
    want = " ".join(release.packages)
    if done.is_file() and done.read_text(encoding="utf-8") == want:
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    # apt's sandbox user cannot reach a proxy's certificate in every set-up; documents would take a
    # fifth of the space
    script = """
set -e
[ -x "$1/usr/bin/apt-get" ] && [ ! -d "$1/debootstrap" ] || {
  rm -rf "$1"; debootstrap --variant=minbase "$2" "$1"; }
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
[ ! -f /etc/resolv.conf ] || cp /etc/resolv.conf "$1/etc/resolv.conf"
echo 'path-exclude=/usr/share/doc/*' > "$1/etc/dpkg/dpkg.cfg.d/no-documents"
export DEBIAN_FRONTEND=noninteractive
# a mirror that stands still is old and no forgery: signatures are checked as ever
chroot "$1" apt-get -o Acquire::Check-Valid-Until=false update
chroot "$1" apt-get install -y --no-install-recommends $3
chroot "$1" apt-get clean
"""
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        "-c",
        script,
        "bash",
        str(folder),
        release.suite,
        want,
    ]
    log = FOLDER / f"{release.suite}.log"
    with log.open("wb") as file:
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False
        ).returncode
    if code:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise Unavailable(
            f"Blender {version} could not be installed from Debian's {release.suite}:"
            f" {' '.join(last)} (all of it in {log})"
        )
    done.write_text(want, encoding="utf-8")
    return folder


def archive(version: str) -> Path:
    """The built zip, with the wheels that Debian's Python needs beside the usual ones."""
    from scripts import build

    pins = RELEASES[version].pins
    return build.build([build.this_platform()], FOLDER / "zip" / version, pins)[0]


@dataclass(frozen=True)
class Machine:
    """One Blender with a profile in `run`, a folder of this machine that is seen inside as
    /mnt/run.
    """

    folder: Path
    run: Path

    def execute(self, command: list[str], seconds: float = SECONDS) -> str:
        """Run a program inside; what it printed. Raises RuntimeError when it fails or takes too
        long.
        """
        (self.run / "profile").mkdir(parents=True, exist_ok=True)
        for inside in (REPOSITORY, RUN):
            (self.folder / inside[1:]).mkdir(parents=True, exist_ok=True)
        script = """
set -e
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
mount --bind /dev/shm "$1/dev/shm"
mount --bind "$2" "$1/mnt/repository"
mount -o remount,ro,bind "$1/mnt/repository"
mount --bind "$3" "$1/mnt/run"
mount -t tmpfs tmpfs "$1/tmp"
mkdir -m 1777 "$1/tmp/.X11-unix"
folder=$1; shift 3
exec chroot "$folder" "$@"
"""
        # without a network of its own it would share X's abstract sockets with every other run;
        # nothing here needs one anyway
        own = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child"]
        wrapped = ["setpriv", "--pdeathsig", "KILL", *own, "bash", "-c", script, "bash"]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": RUN,
            "LANG": "C.UTF-8",
            "BLENDER_USER_RESOURCES": f"{RUN}/profile",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            done = subprocess.run(
                [*wrapped, str(self.folder), str(ROOT), str(self.run), *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{command[0]} took longer than {seconds:.0f} s") from error
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command)} ended with {done.returncode}:"
                f" {done.stdout[-2000:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def install_extension(self, zip_: Path) -> None:
        """Install the built zip into the profile, as Preferences > Get Extensions > Install from
        Disk does.
        """
        shutil.copy2(zip_, self.run / zip_.name)
        self.execute(
            [
                "blender",
                "--command",
                "extension",
                "install-file",
                "-r",
                "user_default",
                "-e",
                f"{RUN}/{zip_.name}",
            ]
        )

    def play(
        self,
        story: str,
        blend: str,
        size: tuple[int, int] = (1000, 700),
        scale: float = 1.0,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """Open a .blend file of the run's folder in a window of `size` pixels, let the driver play
        a story, and return its report.
        """
        width, height = size
        start = f"""
Xvfb {DISPLAY} -screen 0 {width}x{height}x24 +extension GLX -nolisten tcp -noreset >/dev/null 2>&1 &
for i in $(seq 100); do [ -e /tmp/.X11-unix/X{DISPLAY[1:]} ] && break; sleep 0.1; done
export DISPLAY={DISPLAY} LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe
exec blender --gpu-backend opengl --window-geometry 0 0 {width} {height} \\
  --enable-event-simulate "$@"
"""
        report = self.run / f"{story}.json"
        report.unlink(missing_ok=True)
        arguments = [
            f"{RUN}/{blend}",
            "--python",
            DRIVER,
            "--",
            story,
            f"{RUN}/{report.name}",
            str(scale),
        ]
        printed = self.execute(["bash", "-c", start, "bash", *arguments], seconds)
        if not report.is_file():
            raise RuntimeError(f"the driver left no report: {printed[-3000:]}")
        told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return told


def machine(version: str, run: Path) -> Machine:
    """A Blender with the extension in a fresh profile. Raises Unavailable."""
    made = Machine(install(version), run)
    made.install_extension(archive(version))
    return made
