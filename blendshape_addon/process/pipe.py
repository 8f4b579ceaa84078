# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing a pipe without blocking Blender: non-blocking descriptors on POSIX; on
Windows a pipe whose writing end does not wait, and PeekNamedPipe before every read.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from typing import IO

_PIECE = 1 << 20

if sys.platform == "win32":
    import _winapi
    import msvcrt

    _WIDE = (
        1 << 20
        # bytes that the pipe to the child holds; with subprocess.PIPE they would be 4 KiB, for each
        # of which a tick waits a millisecond
    )
    _LEAST = 512  # bytes: a pipe that does not take so many is full
    _NOWAIT = 1  # PIPE_NOWAIT, winbase.h; multiprocessing's stubs lack it

    def _pair() -> tuple[int, IO[bytes]]:
        reading, writing = _winapi.CreatePipe(None, _WIDE)
        _winapi.SetNamedPipeHandleState(writing, _NOWAIT, None, None)
        return msvcrt.open_osfhandle(reading, os.O_RDONLY), os.fdopen(
            msvcrt.open_osfhandle(writing, 0), "wb", buffering=0
        )

    def prepare(stream: IO[bytes]) -> None:
        """Nothing to set up: the pipe is looked at before it is read."""

    def read_available(stream: IO[bytes]) -> bytes | None:
        """What has arrived: b"" if nothing has, None at the end of the stream."""
        try:
            waiting = _waiting(stream)
        except OSError:
            return None
        return (os.read(stream.fileno(), min(waiting, _PIECE)) or None) if waiting else b""

    def write_some(stream: IO[bytes], data: memoryview) -> int:
        """Write as much as the pipe takes at once; the number of bytes, 0 if it is full. Raises
        BrokenPipeError.

        A pipe that does not wait takes a piece whole, or what a reader waits for, or nothing: so
        smaller and smaller ones are tried.
        """
        handle, size = msvcrt.get_osfhandle(stream.fileno()), min(len(data), _PIECE)
        while size:
            written, _ = _winapi.WriteFile(handle, data[:size])
            if written or size <= _LEAST:
                return written
            size = max(size // 2, _LEAST)
        return 0

    def wait_readable(stream: IO[bytes], seconds: float) -> None:
        """Return when something can be read, or after `seconds`."""
        end = time.monotonic() + seconds
        try:
            while not _waiting(stream) and time.monotonic() < end:
                time.sleep(min(seconds, 0.001))
        except OSError:
            return  # the end of the stream can be read, too

    def _waiting(stream: IO[bytes]) -> int:
        """Bytes that can be read at once. Raises BrokenPipeError at the end of the stream."""
        return int(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(stream.fileno()))[0])

else:

    def _pair() -> tuple[int, IO[bytes]]:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        return reading, os.fdopen(writing, "wb", buffering=0)

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
        """Write as much as the pipe takes at once; the number of bytes, 0 if it is full. Raises
        BrokenPipeError.
        """
        try:
            return os.write(stream.fileno(), data[:_PIECE])
        except BlockingIOError:
            return 0

    def wait_readable(stream: IO[bytes], seconds: float) -> None:
        """Return when something can be read, or after `seconds`."""
        waiting = select.poll()  # unlike select, it takes descriptors over 1023
        waiting.register(stream.fileno(), select.POLLIN)
        waiting.poll(max(seconds, 0.0) * 1000)


@contextlib.contextmanager
def to_child() -> Iterator[tuple[int, IO[bytes]]]:
    """A descriptor for a child to read from, while it is started inside, and our end, whose writes
    do not wait; that is closed if the start fails.
    """
    theirs, ours = _pair()
    try:
        yield theirs, ours
    except BaseException:
        ours.close()
        raise
    finally:
        os.close(theirs)
