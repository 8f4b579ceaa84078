# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine offers: cores, memory, GPUs, and how much memory this process has used."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h

# PCI vendor numbers, pcisig.com
VENDORS = {
    "0x10de": "NVIDIA",
    "0x1002": "AMD",
    "0x8086": "Intel",
    "0x13b5": "ARM",
    "0x5143": "Qualcomm",
    "0x106b": "Apple",
}
_DEVICE = re.compile(r"PCI\\VEN_([0-9A-F]{4})&DEV_")
MOST_ADAPTERS = 64  # that are looked at: every remote program leaves one


@dataclass(frozen=True)
class Hardware:
    """cpu: its name. physical_cores and usable_cores: of the machine, and logical ones this process
    may run on. memory_mb: installed.

    free_memory_mb: what programs may still take. gpus: names as far as the system tells them.
    """

    system: str
    machine: str
    cpu: str
    physical_cores: int
    usable_cores: int
    memory_mb: int
    free_memory_mb: int
    gpus: tuple[str, ...]


def hardware() -> Hardware:
    """Describe the machine that this process runs on."""
    memory = psutil.virtual_memory()
    return Hardware(
        system=platform.system(),
        machine=platform.machine(),
        cpu=_cpu_name(),
        physical_cores=_physical_cores(),
        usable_cores=_usable_cores(),
        memory_mb=int(memory.total / 2**20),
        free_memory_mb=int(memory.available / 2**20),
        gpus=gpus(),
    )


def _physical_cores() -> int:
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1


def _usable_cores() -> int:
    if sys.platform == "darwin":  # which ties no process to cores
        return os.cpu_count() or 1
    return len(psutil.Process().cpu_affinity())


def thread_counts(threads: int = 0) -> tuple[int, ...]:
    """Numbers of threads worth trying for a session: the given one, or for 0 those of {1, physical
    - 1, physical cores} that may be used.
    """
    if threads:
        return (threads,)
    cores = min(_physical_cores(), _usable_cores())
    return tuple(sorted({1, max(1, cores - 1), cores}))


@functools.cache
def gpus() -> tuple[str, ...]:
    """The machine's GPUs: "NVIDIA 0x2330", or their full names where the system knows them. ()
    where it does not tell.
    """
    if sys.platform == "linux":
        return _linux_gpus(Path("/"))
    if sys.platform == "win32":
        return _windows_gpus()
    return ("Apple GPU",) if sys.platform == "darwin" and platform.machine() == "arm64" else ()


def give_memory_back() -> None:
    """Let glibc return large arrays to the system when they are freed, and use one heap for all
    threads; nothing to do elsewhere.

    By default it learns from the first large array to keep up to 32 MB of every later one, in a
    heap per thread: 60 MB more at 70,000 vertices. A little is kept, though: fresh pages for every
    passing array took a tenth of the time of the rules at 20,000 vertices, a third at 70,000.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            tune = _libc().mallopt
            tune(_M_MMAP_THRESHOLD, 4 << 20)
            tune(_M_TRIM_THRESHOLD, 4 << 20)
            tune(_M_ARENA_MAX, 1)


def trim_memory() -> None:
    """Give the holes that freed arrays have left between others back, too: 35 MB at 70,000
    vertices, before shapes need as much; a millisecond.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            _libc().malloc_trim(0)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def memory_mb() -> float:
    """Resident memory of this process now, in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def peak_memory_mb() -> float:
    """Highest resident memory of this process so far, in MiB.

    Linux is read from /proc: getrusage's ru_maxrss there starts from the parent's size, because it
    outlives exec.
    """
    if sys.platform == "linux":
        for line in (
            Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        ):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (
        used / 2**20 if sys.platform == "darwin" else used / 1024
    )  # macOS counts bytes, the others KiB


def _cpu_name() -> str:
    if sys.platform == "linux":
        for line in _text(Path("/proc/cpuinfo")).splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _linux_gpus(root: Path) -> tuple[str, ...]:
    """From the NVIDIA driver's files, and the kernel's list of graphics cards for all others."""
    found: list[str] = []
    for path in sorted(root.glob("proc/driver/nvidia/gpus/*/information")):
        for line in _text(path).splitlines():
            if line.startswith("Model:"):
                found.append("NVIDIA " + line.partition(":")[2].strip().removeprefix("NVIDIA "))
    for path in sorted(root.glob("sys/class/drm/card[0-9]*/device/vendor")):
        if "-" in path.parts[-3]:  # card0-HDMI-A-1 is a socket of card0
            continue
        vendor = VENDORS.get(_text(path).strip(), "")
        if vendor and not (vendor == "NVIDIA" and found):
            found.append(f"{vendor} {_text(path.with_name('device')).strip()}")
    return tuple(found)


def _windows_gpus() -> tuple[str, ...]:
    """The display adapters in the registry that are a device of a GPU's maker, in their order.

    Remote desktops, virtual screens and virtual machines register adapters as well, and so does
    Windows itself for a GPU without its driver. Their names are many; what tells them apart is the
    hardware that the driver was installed for.
    """
    if sys.platform != "win32":
        return ()
    import winreg

    found: list[str] = []
    key = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as adapters:
        for index in range(MOST_ADAPTERS):
            name = winreg.EnumKey(adapters, index)
            with (
                contextlib.suppress(OSError),
                winreg.OpenKey(adapters, name) as adapter,
            ):  # not an adapter, or not ours to read
                vendor = vendor_of(str(winreg.QueryValueEx(adapter, "MatchingDeviceId")[0]))
                described = str(winreg.QueryValueEx(adapter, "DriverDesc")[0])
                if vendor:
                    found.append(
                        described
                        if vendor.lower() in described.lower()
                        else f"{vendor} {described}"
                    )
    return tuple(found)


def vendor_of(device: str) -> str:
    """The maker of a GPU from Windows' id of the device, `PCI\\VEN_10DE&DEV_2684...`; "" for what
    is virtual, generic or somebody else's.
    """
    found = _DEVICE.match(device.upper())
    return (
        VENDORS.get(f"0x{found[1].lower()}", "")
        if found
        else "Qualcomm"
        if device.upper().startswith("ACPI\\VEN_QCOM")
        else ""
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
