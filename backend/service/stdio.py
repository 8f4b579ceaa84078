# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipe to the parent, taken away from where native code would find it. Imports only the
stdlib.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import BinaryIO

WIDE = 1 << 20  # bytes that a pipe is to hold
_STD_INPUT_HANDLE, _STD_OUTPUT_HANDLE = 0xFFFFFFF6, 0xFFFFFFF5  # -10 and -11 as a DWORD, winbase.h


def claim() -> tuple[BinaryIO, BinaryIO]:
    """Streams for frames, in and out, on descriptors of their own. Call it first, from the main
    thread.

    Descriptor 0 reads nothing from here on, and what prints to 1, native libraries included, goes
    to stderr. On Windows the libraries of NumPy and of providers look at the standard handles while
    they are loaded, and would wait for a thread that reads such a handle: for ever.
    """
    for descriptor in (0, 1):
        _widen(descriptor)
    requests, frames = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        for descriptor in (requests, frames):
            msvcrt.setmode(descriptor, os.O_BINARY)
        for which, descriptor in ((_STD_INPUT_HANDLE, 0), (_STD_OUTPUT_HANDLE, 1)):
            ctypes.windll.kernel32.SetStdHandle(
                ctypes.c_ulong(which), ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
            )
    sys.stdout = sys.stderr
    return os.fdopen(requests, "rb", buffering=0), os.fdopen(frames, "wb", buffering=0)


def _widen(pipe: int) -> None:
    """Let a pipe hold WIDE bytes where the system allows that: with Linux's 64 KiB an answer of 12
    MB takes 14 ms, with 1 MiB 4 to 5.
    """
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(
            OSError
        ):  # no pipe, or the user's limit for pipes is reached: only slower
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, WIDE)
