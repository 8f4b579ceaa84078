# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing a pipe without blocking Blender: non-blocking descriptors on POSIX, PeekNamedPipe on Windows."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import IO

_PIECE = 1 << 20

if sys.platform == "win32":
    import ctypes
    import msvcrt

    def prepare(stream: IO[bytes]) -> None:
        """Nothing to set up: os.set_blocking works on pipes only from Python 3.12 on."""

    def read_available(stream: IO[bytes]) -> bytes | None:
        """What has arrived: b"" if nothing has, None at the end of the stream."""
        waiting = ctypes.c_ulong(0)
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
        if not ctypes.windll.kernel32.PeekNamedPipe(handle, None, 0, None, ctypes.byref(waiting), None):
            return None
        return (os.read(stream.fileno(), min(waiting.value, _PIECE)) or None) if waiting.value else b""

    def write_some(stream: IO[bytes], data: memoryview) -> int:
        """Write all of it; this may block, but not for long, because the child reads in a thread of its own."""
        return os.write(stream.fileno(), data[:_PIECE])

    def wait_readable(stream: IO[bytes], seconds: float) -> None:
        """Return when something can be read, or after `seconds`."""
        end = time.monotonic() + seconds
        waiting = ctypes.c_ulong(0)
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
        while ctypes.windll.kernel32.PeekNamedPipe(handle, None, 0, None, ctypes.byref(waiting), None) and not waiting.value:
            if time.monotonic() >= end:
                return
            time.sleep(min(seconds, 0.001))

else:

    def prepare(stream: IO[bytes]) -> None:
        """Make the descriptor non-blocking."""
        os.set_blocking(stream.fileno(), False)

    def read_available(stream: IO[bytes]) -> bytes | None:
        """What has arrived: b"" if nothing has, None at the end of the stream."""
        try:
            return os.read(stream.fileno(), _PIECE) or None
        except BlockingIOError:
            return b""

    def write_some(stream: IO[bytes], data: memoryview) -> int:
        """Write as much as the pipe takes at once; the number of bytes, 0 if it is full."""
        try:
            return os.write(stream.fileno(), data[:_PIECE])
        except BlockingIOError:
            return 0

    def wait_readable(stream: IO[bytes], seconds: float) -> None:
        """Return when something can be read, or after `seconds`."""
        waiting = select.poll()  # unlike select, it takes descriptors over 1023
        waiting.register(stream.fileno(), select.POLLIN)
        waiting.poll(max(seconds, 0.0) * 1000)
