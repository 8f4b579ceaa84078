# SPDX-License-Identifier: GPL-3.0-or-later
"""A second runtime: a Python of the user's own with another build of ONNX Runtime, checked by
handshake, or made here on request.

No bpy and no threads: `poll` returns at once, so that a timer can call it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import AddonError
from .backend_process import Backend
from .child import NO_WINDOW
from .environment import DOWNLOADS, clean_environment
from .launch import Settings, plan
from .patience import Patience

COMMON = ("numpy==2.4.6", "psutil==7.2.2")
LINUX, WINDOWS = "linux-x64", "windows-x64"  # Blender's names for platforms
PINS = Path(__file__).with_name("runtime_pins.json")  # {runtime: {platform: {Python: pins}}}
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MARK = (  # a file in a folder that was made here; no other folder is ever removed
    "blendshapes-runtime"
)
WANTED = "requirements.txt"  # what pip installs, in the environment's folder
TAIL = 4096
PREPARE_SECONDS = (
    4 * 3600.0
)  # 3.5 GB at the slowest that is of use, 0.25 MB/s; pip itself gives up a connection that is dead
KILL_SECONDS = 2.0  # a killed process is gone at once otherwise
# Nothing but the listed wheels, each with the listed bytes; neither PIP_* nor a pip.conf has a say,
# which might name other indexes or folders.
_QUIET = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
PIP = (
    "--isolated",
    "install",
    *_QUIET,
    "--require-hashes",
    "--only-binary",
    ":all:",
    "--no-deps",
    "--requirement",
)
NO_SETTINGS = {
    "PIP_CONFIG_FILE": os.devnull
}  # what --isolated leaves: files of the system and of the environment


@dataclass(frozen=True)
class Runtime:
    """What suits a machine. name: of the folder. packages: what is wanted, the build of ONNX
    Runtime first. gigabytes: on disk, about. why: in words. platforms: that it is offered on. pins:
    all that is installed, {"package==version": SHA-256 of its wheel}.
    """

    name: str
    packages: tuple[str, ...]
    gigabytes: float
    why: str
    platforms: tuple[str, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)


# Pins are made from these by scripts/tools/pin_runtimes.py. The newest of each for CPython 3.11 and
# 3.13; only one of them fits into a Python.
NVIDIA = Runtime(
    "cuda",
    ("onnxruntime-gpu[cuda,cudnn]==1.31.1", *COMMON),
    3.5,
    "an NVIDIA GPU: CUDA 13; needs a driver of version 580 or newer",
    (LINUX, WINDOWS),
)
DIRECTML = Runtime(
    "directml",
    ("onnxruntime-directml==1.24.4", *COMMON),
    0.2,
    "a GPU on Windows: DirectML",
    (WINDOWS,),
)
OPENVINO = Runtime(
    "openvino", ("onnxruntime-openvino==1.24.1", *COMMON), 0.5, "an Intel GPU: OpenVINO", (LINUX,)
)
RUNTIMES = (NVIDIA, DIRECTML, OPENVINO)


def runtime_for(
    gpus: Sequence[str],
    system: str = sys.platform,
    machine: str = platform.machine(),
    python: str = PYTHON,
) -> Runtime:
    """The build of ONNX Runtime for a machine with these GPUs and this Python, with its pins.
    Raises AddonError `no_runtime` where the shipped one already is the best, or where there is no
    list of packages.
    """
    wide = machine.lower() in ("x86_64", "amd64")
    if wide and system in ("linux", "win32") and any("nvidia" in gpu.lower() for gpu in gpus):
        return _pinned(NVIDIA, system, python)
    if wide and system == "win32" and gpus:
        return _pinned(DIRECTML, system, python)
    if wide and system == "linux" and any(gpu.startswith("Intel") for gpu in gpus):
        return _pinned(OPENVINO, system, python)
    seen = ", ".join(gpus) or "no GPU"
    fix = "Choose a Python of your own in the preferences if you know better."
    if system == "darwin":
        raise AddonError(
            "no_runtime",
            "On macOS the extension's own ONNX Runtime already has CoreML.",
            "Choose CoreML under Device.",
        )
    raise AddonError(
        "no_runtime",
        f"For this machine ({seen}) there is no better build of ONNX Runtime than the one that is"
        " there.",
        fix,
    )


def _pinned(runtime: Runtime, system: str, python: str) -> Runtime:
    """The runtime with all that is installed. Raises AddonError `no_runtime` where that is not
    known.
    """
    pins = (
        json.loads(PINS.read_text(encoding="utf-8"))
        .get(runtime.name, {})
        .get(WINDOWS if system == "win32" else LINUX, {})
    )
    if python not in pins:
        build = runtime.packages[0].partition("[")[0].partition("==")[0]
        message = (
            f"The extension has no list of checked packages of {build} for Python {python}, only"
            f" for {' and '.join(pins) or 'none'}."
        )
        raise AddonError(
            "no_runtime",
            message,
            "Choose a Python of your own, with that package in it, in the preferences.",
        )
    return replace(runtime, pins=pins[python])


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class Handshake:
    """Starts the backend with a Python and waits for its greeting, without blocking."""

    def __init__(self, root: Path, log: Path, python: Path) -> None:
        """Raises AddonError `child_start`."""
        self._backend = Backend(lambda: plan(root, log, Settings(python=str(python))))
        self._backend.start()

    def poll(self) -> Mapping[str, Any] | None:
        """The greeting when it is there, and the child is ended; None before. Raises AddonError:
        `runtime_missing`, `child_died`, ...
        """
        self._backend.poll()
        hello = self._backend.hello
        if hello is not None:
            self._backend.stop()
        return hello

    def close(self) -> None:
        """End the child."""
        self._backend.stop()


class Preparation:
    """Makes a virtual environment with a build of ONNX Runtime: venv, pip, handshake. What is not
    finished is removed again.

    stage: what it does now, in words. fraction: how far it is, 0 to 1. hello: the greeting of the
    finished runtime.
    """

    def __init__(self, root: Path, folder: Path, runtime: Runtime, python: str) -> None:
        """root: the extension's folder. folder: of the environment; one from before is replaced.
        Raises AddonError `runtime_failed`.
        """
        self._root, self._folder, self._runtime, self._python = root, folder, runtime, python
        self._log = folder.with_name(f"{folder.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._handshake: Handshake | None = None
        self._patience = Patience()
        self.hello: Mapping[str, Any] | None = None
        self.stage, self.fraction = "making an environment", 0.0
        remove(folder)
        try:
            folder.mkdir(parents=True)
            (folder / MARK).write_text(runtime.name, encoding="utf-8")
            lines = [
                f"{package} --hash=sha256:{digest}\n" for package, digest in runtime.pins.items()
            ]
            (folder / WANTED).write_text("".join(lines), encoding="utf-8")
            self._log.write_bytes(b"")
        except OSError as error:
            raise self._failed(f"{folder} cannot be made: {error.strerror or error}.") from error
        self._start(python, "-m", "venv", str(folder))

    def poll(self) -> bool:
        """Go on; True when the runtime is ready. Raises AddonError `runtime_failed`, and then
        nothing of it is left.
        """
        if self.hello is not None:
            return True
        try:
            if self._handshake is not None:
                self.hello = self._handshake.poll()
            elif self._process is not None:
                self._follow(self._process)
            if self.hello is None and self._patience.waited() > PREPARE_SECONDS:
                raise AddonError(
                    "runtime_failed",
                    f"it was not ready within {PREPARE_SECONDS / 3600:g} hours.",
                    "",
                )
        except AddonError as error:
            raise self._failed(f"The new runtime does not work: {error.message}") from error
        if self.hello is not None:
            self.stage, self.fraction = "ready", 1.0
        return self.hello is not None

    def cancel(self) -> None:
        """Stop, and remove what was made."""
        self._stop()
        remove(self._folder)

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return python_of(self._folder)

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Look at the step that runs; start the next when it is done."""
        code = process.poll()
        if code is None:
            if self.stage != "making an environment":
                lines = re.findall(
                    r"^(?:Collecting|Downloading|Using cached|Installing)[^\n]*",
                    self._text(),
                    re.MULTILINE,
                )
                self.fraction = 0.1 + 0.8 * (1 - 0.9 ** len(lines))
                self.stage = f"pip: {lines[-1][:60]}" if lines else "pip"
            return
        if code != 0:
            raise AddonError(
                "runtime_failed",
                f"{'venv' if self.fraction < 0.1 else 'pip'} ended with exit code {code}."
                f" {self._words()}",
                "",
            )
        if self.fraction < 0.1:
            self.stage, self.fraction = "pip", 0.1
            self._start(str(self.python), "-m", "pip", *PIP, str(self._folder / WANTED))
        else:
            self.stage, self.fraction = "checking", 0.95
            self._process = None
            self._handshake = Handshake(
                self._root, self._log.with_suffix(".check.log"), self.python
            )

    def _start(self, *command: str) -> None:
        try:
            with self._log.open("ab") as log:
                environment = {**clean_environment(more=DOWNLOADS), **NO_SETTINGS}
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    creationflags=NO_WINDOW,
                )
        except OSError as error:
            raise self._failed(
                f"{command[0]} cannot be started: {error.strerror or error}."
            ) from error

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(
                subprocess.TimeoutExpired
            ):  # it hangs in the system, on a disk that is gone for instance
                self._process.wait(KILL_SECONDS)
            self._process = None
        if self._handshake is not None:
            self._handshake.close()

    def _failed(self, what: str) -> AddonError:
        """Remove what was made; the error, to be raised."""
        self.cancel()
        return AddonError("runtime_failed", what, f"Nothing was changed; {self._log} tells more.")

    def _text(self) -> str:
        try:
            return self._log.read_bytes().decode("utf-8", errors="replace")
        except OSError:
            return ""

    def _words(self) -> str:
        """The last line that says what went wrong."""
        lines = [line.strip() for line in self._text()[-TAIL:].splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")]
        return (errors or lines or [""])[-1][:300]


def remove(folder: Path) -> bool:
    """Remove a runtime that was made here; whether there was one. A folder without the mark is left
    alone.

    Raises AddonError `runtime_failed` when a program still uses it.
    """
    if not (folder / MARK).is_file():
        return False
    try:
        mark = (folder / MARK).read_bytes()
        shutil.rmtree(folder)
    except OSError as error:
        if folder.is_dir():
            (folder / MARK).write_bytes(mark)  # so that the next try may remove the rest
        what = f"{folder} cannot be removed: {error.strerror or error}."
        raise AddonError(
            "runtime_failed", what, "Close other Blenders that use it, then try again."
        ) from error
    return True
