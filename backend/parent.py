# SPDX-License-Identifier: GPL-3.0-or-later
"""The child's end when its parent is gone, at any moment: also while packages are imported, a model is loaded or runs. Imports only the stdlib.

A thread waits, without looking now and then, for two things: the end of stdin and the end of the parent. The pipe alone would not do: a process
that the parent forked may hold its other end open. The parent alone would not do either: it may be a wrapper that outlives who holds the pipe.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def watch(stdin: int = 0) -> None:
    """End this process with its parent from here on. Call it first, from the main thread; stdin: the descriptor of the pipe."""
    parent = os.getppid()
    if sys.platform == "linux":
        _ask_the_kernel(parent)
    threading.Thread(target=_wait, args=(stdin, parent), name="parent", daemon=True).start()


if sys.platform == "linux":
    import select

    def _ask_the_kernel(parent: int) -> None:
        """Have Linux kill this process with its parent: native code that holds the interpreter keeps the thread from running.

        ONNX Runtime 1.19 holds it while it loads a model. The signal comes when the thread ends that started this process, so only
        where that is the parent's main thread, which lives as long as the parent does.
        """
        with contextlib.suppress(OSError):  # a kernel that does not list children, or a /proc that is closed
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
            if str(os.getpid()) in children:
                import ctypes

                rest = (ctypes.c_ulong(0),) * 3
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), *rest)

    def _wait(stdin: int, parent: int) -> None:
        ends = select.poll()
        ends.register(stdin, 0)  # the end of the writing side is always told
        with contextlib.suppress(OSError):  # kernels before 5.3, and parents in another namespace
            ends.register(os.pidfd_open(parent), select.POLLIN)
        while os.getppid() == parent and not ends.poll():
            pass
        os._exit(0)

elif sys.platform == "win32":

    def _wait(stdin: int, parent: int) -> None:
        with contextlib.suppress(ImportError):  # the server says in a moment that it is missing
            import psutil

            with contextlib.suppress(psutil.Error):
                started_by = psutil.Process().parent()  # None if its number belongs to a later process by now
                if started_by is not None:
                    started_by.wait()
            os._exit(0)

else:
    import select

    def _wait(stdin: int, parent: int) -> None:
        queue = select.kqueue()
        add = select.KQ_EV_ADD | select.KQ_EV_CLEAR  # told once for each change, so that requests do not keep it busy
        with contextlib.suppress(OSError):  # not a pipe
            queue.control([select.kevent(stdin, select.KQ_FILTER_READ, add)], 0)
        with contextlib.suppress(OSError):  # it is gone already, or somebody else's
            queue.control([select.kevent(parent, select.KQ_FILTER_PROC, add, select.KQ_NOTE_EXIT)], 0)
        while os.getppid() == parent:
            for event in queue.control(None, 1):
                if event.filter == select.KQ_FILTER_PROC or event.flags & select.KQ_EV_EOF:
                    os._exit(0)
        os._exit(0)
