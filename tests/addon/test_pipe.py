# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that the child does or leaves undone holds Blender up: a real pipe here, Windows' pipes
pretended.
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from blendshape_auto_generator.blendshape_addon.process import pipe

ROOT = Path(__file__).resolve().parents[2]
QUOTA = 4096  # bytes that the pretended pipe holds


class Pipe:
    """A pipe of Windows as its driver works: with PIPE_NOWAIT a write that does not fit is not
    made, but for what a reader waits for.
    """

    def __init__(self) -> None:
        self.held, self.taken, self.wanted, self.waits, self.broken = (
            bytearray(),
            bytearray(),
            0,
            True,
            False,
        )
        self.size, self.refused = 0, 0

    def write(self, handle: int, data: Any) -> tuple[int, int]:
        """WriteFile."""
        assert not self.waits, "this would block"
        if self.broken:
            raise BrokenPipeError(32, "The pipe is being closed")
        direct = min(self.wanted, len(data))
        self.taken += data[:direct]
        self.wanted = 0 if direct else self.wanted
        rest = bytes(data[direct:])
        if len(rest) > QUOTA - len(self.held):
            self.refused += 1
            return direct, 0
        self.held += rest
        return len(data), 0

    def drain(self, count: int) -> None:
        """The child reads so many bytes."""
        self.taken += self.held[:count]
        del self.held[:count]

    def peek(self, handle: int) -> tuple[int, int]:
        """PeekNamedPipe."""
        if self.broken and not self.held:
            raise BrokenPipeError(32, "The pipe has been ended")
        return len(self.held), 0


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, Pipe]:
    """pipe.py as Windows has it, and the pipe that it works on."""
    made = Pipe()

    def create(attributes: object, size: int) -> tuple[int, int]:
        made.size = size
        return os.pipe()

    def state(handle: int, mode: int, *rest: object) -> None:
        made.waits = not mode & 1

    calls = {
        "CreatePipe": create,
        "SetNamedPipeHandleState": state,
        "WriteFile": made.write,
        "PeekNamedPipe": made.peek,
    }
    monkeypatch.setitem(sys.modules, "_winapi", SimpleNamespace(**calls))
    monkeypatch.setitem(
        sys.modules,
        "msvcrt",
        SimpleNamespace(open_osfhandle=lambda handle, flags: handle, get_osfhandle=int),
    )
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("pipe_of_windows", pipe.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, made


@pytest.mark.parametrize("reads", [100, 4096, 5000])
def test_on_windows_everything_arrives_in_order_through_a_pipe_that_never_waits(
    windows: tuple[ModuleType, Pipe], reads: int
) -> None:
    module, made = windows
    data = os.urandom(60_000)
    with module.to_child() as (_, ours):
        assert isinstance(ours, io.RawIOBase), "Python keeps nothing back"
        left = memoryview(data)
        for _ in range(10_000):
            count = module.write_some(ours, left)
            left = left[count:]
            if not left and not made.held:
                break
            made.drain(reads)
            made.wanted = (
                reads if reads > QUOTA and not made.held else 0
            )  # a reader that waits for more than the pipe holds
        ours.close()
    assert bytes(made.taken) == data and made.size == 1 << 20 and made.refused


def test_on_windows_a_full_pipe_takes_nothing_and_says_so_at_once(
    windows: tuple[ModuleType, Pipe],
) -> None:
    module, made = windows
    with module.to_child() as (_, ours):
        taken = 0
        while count := module.write_some(ours, memoryview(bytes(1 << 22))):
            taken += count
        assert QUOTA - 512 < taken <= QUOTA and made.refused < 40
        made.broken = True
        with pytest.raises(BrokenPipeError):
            module.write_some(ours, memoryview(b"x"))
        ours.close()


def test_on_windows_the_end_of_a_pipe_is_readable_and_read_as_such(
    windows: tuple[ModuleType, Pipe],
) -> None:
    module, made = windows
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as stream:
        assert module.read_available(stream) == b""
        os.write(writing, b"four")
        made.held += b"four"
        module.wait_readable(stream, 5)
        assert module.read_available(stream) == b"four"
        made.held.clear()
        os.close(writing)
        made.broken = True
        module.wait_readable(stream, 5)
        assert module.read_available(stream) is None


def test_a_start_that_fails_leaves_no_end_of_the_pipe_open() -> None:
    with pytest.raises(FileNotFoundError), pipe.to_child() as (theirs, ours):
        raise FileNotFoundError
    assert ours.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(theirs)
