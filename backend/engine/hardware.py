# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine offers: cores, memory, and how much of it this process has used."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..errors import BackendError

THREADS_VARIABLE = "BLENDSHAPE_THREADS"
MAX_THREADS = 256


@dataclass(frozen=True)
class Hardware:
    """cpu: its name. physical_cores and usable_cores: of the machine, and logical ones this process may run on. memory_mb: installed."""

    system: str
    machine: str
    cpu: str
    physical_cores: int
    usable_cores: int
    memory_mb: int


def hardware() -> Hardware:
    """Describe the machine that this process runs on."""
    usable = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1
    return Hardware(
        system=platform.system(),
        machine=platform.machine(),
        cpu=_cpu_name(),
        physical_cores=psutil.cpu_count(logical=False) or os.cpu_count() or 1,
        usable_cores=usable,
        memory_mb=int(psutil.virtual_memory().total / 2**20),
    )


def thread_counts() -> tuple[int, ...]:
    """Numbers of threads worth trying for a session: the one in BLENDSHAPE_THREADS if set, else 1, cores - 1 and cores.

    Raises BackendError `setting_invalid` for a BLENDSHAPE_THREADS that is not a number from 1 to 256; ONNX Runtime would take it silently.
    """
    asked = os.environ.get(THREADS_VARIABLE, "").strip()
    if not asked:
        machine = hardware()
        cores = min(machine.physical_cores, machine.usable_cores)
        return tuple(sorted({1, max(1, cores - 1), cores}))
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked) <= MAX_THREADS:
        raise BackendError(
            "setting_invalid",
            f"{THREADS_VARIABLE} is {asked!r}, which is not a number from 1 to {MAX_THREADS}.",
            "Correct it, or unset it.",
        )
    return (int(asked),)


def memory_mb() -> float:
    """Resident memory of this process now, in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def peak_memory_mb() -> float:
    """Highest resident memory of this process so far, in MiB.

    Linux is read from /proc: getrusage's ru_maxrss there starts from the parent's size, because it outlives exec.
    """
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 1024  # macOS counts bytes, the others KiB


def _cpu_name() -> str:
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()
