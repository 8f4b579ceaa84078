# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancelling what runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import BackendError
from . import runtime


class Cancellation:
    """Set from any thread; stops the running session and whatever checks it between runs."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._running: list[Any] = []

    def set(self) -> None:
        """Cancel: running sessions stop after their current kernels."""
        with self._lock:
            self._event.set()
            for options in self._running:
                options.terminate = True

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise BackendError `cancelled` if `set` was called."""
        if self._event.is_set():
            raise BackendError("cancelled", "The request was cancelled.", "")

    @contextmanager
    def run_options(self) -> Iterator[Any]:
        """RunOptions for one run, which `set` terminates. Raises BackendError `cancelled` if it was
        set before.
        """
        options = runtime.ort.RunOptions()
        with self._lock:
            self.check()
            self._running.append(options)
        try:
            yield options
        finally:
            with self._lock:
                self._running.remove(options)
