# SPDX-License-Identifier: GPL-3.0-or-later
"""How much time and memory work may take: a model of unknown origin may never end and take
everything. The add-on reads it, too; only the stdlib.

Memory: from the first model on that is not the extension's own, a thread looks at what this process
holds. That is possible on every system, and with a GPU, whose drivers reserve more than they use,
so that the system's own limit (server.bound_memory) would not do.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading

log = logging.getLogger(__name__)

# a provider that compiles a model takes minutes over the first request, on a slow machine more
BASE_SECONDS = 600.0
# fifty times what the extension's own model takes on two cores, since dense heads work for minutes
# on slow ones
SECONDS_PER_VERTEX = 0.002
MAX_TIMEOUT = 1e6  # seconds, eleven days: what the timers of every system take
# of the machine's memory: Blender, its file and the system need the rest; the extension's own model
# takes 0.3 GB of it
FOREIGN_SHARE = 0.5
# between two looks: what is written to in that time, a gigabyte at most, is little beside the half
# that is left
LOOK_S = 0.1
MEMORY_EXIT = 77  # exit code of a process that ended itself because a model took too much

_foreign = threading.Event()


def seconds_for(vertices: int) -> float:
    """Seconds that a request about so many vertices may take where the user has not said: the
    larger, the longer.
    """
    return BASE_SECONDS + SECONDS_PER_VERTEX * vertices


def foreign_model() -> None:
    """A model that is not the extension's own is about to be loaded."""
    _foreign.set()


def watch_memory() -> None:
    """From the first foreign model on, end this process with MEMORY_EXIT if it holds more than
    FOREIGN_SHARE of the machine's memory. For a process that works for somebody who can tell of its
    end.
    """
    threading.Thread(target=_watch_memory, name="memory", daemon=True).start()


def _watch_memory() -> None:
    _foreign.wait()
    with contextlib.suppress(ImportError):  # whoever needs it says so
        import psutil

        process, most = psutil.Process(), FOREIGN_SHARE * psutil.virtual_memory().total
        while True:
            with contextlib.suppress(psutil.Error, OSError):
                held = process.memory_info().rss
                if held > most:
                    log.error(
                        "a model took %d MB, and %d MB is what one that is not the extension's own"
                        " may take",
                        held / 2**20,
                        most / 2**20,
                    )
                    os._exit(MEMORY_EXIT)
            _PAUSE.wait(LOOK_S)


_PAUSE = threading.Event()  # never set
