# SPDX-License-Identifier: GPL-3.0-or-later
"""The child's end when its parent is gone, at any moment: also while packages are imported, a model
is loaded or runs. Imports only the stdlib.

A thread waits, without looking now and then, for two things: the end of stdin and the end of the
parent. The pipe alone would not do: a process that the parent forked may hold its other end open.
The parent alone would not do either: it may be a wrapper that outlives who holds the pipe. On
Windows, where only one may wait at a pipe, its end is seen by the thread that reads requests.

What cannot be waited for is told in a line on stderr, and the other goes on being waited for. A
thread that fails in a way that nobody foresaw ends the process with NOT_WATCHED: a child that
nobody ends is worse than none.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
NOT_WATCHED = 4  # exit code


def watch(stdin: int = 0) -> None:
    """End this process with its parent from here on. Call it early, from the main thread; stdin:
    the descriptor of the pipe.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        _ask_the_kernel(parent)
    threading.Thread(target=_watch, args=(stdin, parent), name="parent", daemon=True).start()


def _watch(stdin: int, parent: int) -> None:
    try:
        _wait(stdin, parent)
    except BaseException:
        log.exception("the thread that waits for the parent's end failed")
        log.error("the end of the parent cannot be waited for: the process ends itself")
        os._exit(NOT_WATCHED)


if sys.platform == "linux":
    import select

    def _ask_the_kernel(parent: int) -> None:
        """Have Linux kill this process with its parent: native code that holds the interpreter
        keeps the thread from running.

        ONNX Runtime 1.19 holds it while it loads a model. The signal comes when the thread ends
        that started this process, so only where that is the parent's main thread, which lives as
        long as the parent does.
        """
        with contextlib.suppress(
            OSError
        ):  # a kernel that does not list children, or a /proc that is closed
            children = (
                Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
            )
            if str(os.getpid()) in children:
                import ctypes

                rest = (ctypes.c_ulong(0),) * 3
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), *rest)

    def _wait(stdin: int, parent: int) -> None:
        ends = select.poll()
        ends.register(stdin, 0)  # the end of the writing side is always told
        with contextlib.suppress(
            OSError, AttributeError
        ):  # kernels before 5.3, parents in another namespace, Pythons built with older headers
            ends.register(os.pidfd_open(parent), select.POLLIN)
        while os.getppid() == parent and not ends.poll():
            pass
        os._exit(0)

elif sys.platform == "win32":
    import _winapi
    import ctypes

    _SYNCHRONIZE, _QUERY_LIMITED_INFORMATION = 0x100000, 0x1000  # winnt.h
    _NO_SUCH_PROCESS = 87  # ERROR_INVALID_PARAMETER, winerror.h

    def _wait(stdin: int, parent: int) -> None:
        try:
            process = _winapi.OpenProcess(_SYNCHRONIZE | _QUERY_LIMITED_INFORMATION, False, parent)
        except OSError as error:
            if error.winerror == _NO_SUCH_PROCESS:
                os._exit(0)
            log.warning(
                f"the parent {parent} cannot be waited for ({error}); the end of the pipe ends the"
                " process"
            )
            return
        if (
            not 0 < _began(_winapi.GetCurrentProcess()) < _began(process)
        ):  # else its number belongs to a later process by now
            _winapi.WaitForSingleObject(process, _winapi.INFINITE)
        os._exit(0)

    def _began(process: int) -> int:
        """When a process began, in 100 ns since 1601; 0 where Windows does not say."""
        times = (ctypes.c_uint64 * 4)()  # of its creation, exit, kernel and user
        found = ctypes.windll.kernel32.GetProcessTimes(
            ctypes.c_void_p(process), *(ctypes.byref(times, 8 * index) for index in range(4))
        )
        return int(times[0]) if found else 0

else:
    import select

    def _wait(stdin: int, parent: int) -> None:
        queue = select.kqueue()
        add = (
            select.KQ_EV_ADD | select.KQ_EV_CLEAR
        )  # told once for each change, so that requests do not keep it busy
        with contextlib.suppress(OSError):  # not a pipe
            queue.control([select.kevent(stdin, select.KQ_FILTER_READ, add)], 0)
        try:
            queue.control(
                [select.kevent(parent, select.KQ_FILTER_PROC, add, select.KQ_NOTE_EXIT)], 0
            )
        except ProcessLookupError:
            os._exit(0)
        except OSError as error:  # somebody else's
            log.warning(
                f"the parent {parent} cannot be waited for ({error}); the end of the pipe ends the"
                " process"
            )
        while os.getppid() == parent:
            for event in queue.control(None, 1):
                if event.filter == select.KQ_FILTER_PROC or event.flags & select.KQ_EV_EOF:
                    os._exit(0)
        os._exit(0)
