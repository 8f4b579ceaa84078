# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may run next: requests take turns, run by run."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from . import hardware
from .cancellation import Cancellation

PATIENCE_S = 0.5  # a run that takes longer no longer keeps the others waiting
MAX_PARALLEL_RUNS = 8  # on the CPU, since each run takes memory


class Turns:
    """So many runs at a time, in the order in which they ask: requests that are worked on together
    advance run by run, none starves.

    Runs that take longer than PATIENCE_S no longer keep the others waiting; they go on beside them.
    """

    def __init__(self, places: int = 1) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._free = places
        self._since = 0.0

    @contextmanager
    def take(self, cancellation: Cancellation) -> Iterator[None]:
        """Wait for one's turn. Raises BackendError `cancelled` while waiting."""
        mine = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                self._give(mine)
            else:
                self._waiting.append(mine)
        try:
            while not mine.wait(0.01) and time.monotonic() - self._since < PATIENCE_S:
                cancellation.check()
            yield
        finally:
            with self._lock:
                if mine in self._waiting:  # gave up, or went beside
                    self._waiting.remove(mine)
                elif self._waiting:
                    self._give(self._waiting.popleft())
                else:
                    self._free += 1

    def _give(self, turn: threading.Event) -> None:
        self._since = time.monotonic()
        turn.set()


TURNS = {
    True: Turns(min(hardware.thread_counts()[-1], MAX_PARALLEL_RUNS)),
    False: Turns(),
}  # by whether it is the CPU: other devices do one thing at a time
