# SPDX-License-Identifier: GPL-3.0-or-later
"""A line per file, and a bar with the time left where there is a terminal and the package rich."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

from .extension import one_line

# files of which the time left is told: those that were done before are there at once, and say
# nothing about the rest
RECENT = 20


class Show(Protocol):
    """What a run tells the user."""

    def line(self, text: str, trouble: bool = False) -> None:
        """Print a line; trouble goes to stderr."""

    def done(self, count: int) -> None:
        """So many files are done now."""


class _Lines:
    """Plain lines; each file's starts with the count and ends with the time left."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._times = deque([(0, time.monotonic())], maxlen=RECENT + 1)  # how many were done when

    def line(self, text: str, trouble: bool = False) -> None:
        print(one_line(text), file=sys.stderr if trouble else sys.stdout, flush=True)

    def done(self, count: int) -> None:
        left = self._total - count
        self._times.append((count, time.monotonic()))
        if self._total > 1 and left:
            (before, began), (_, now) = self._times[0], self._times[-1]
            seconds = (now - began) / max(count - before, 1) * left
            print(f"[{count}/{self._total}, about {_spelled(seconds)} left]", flush=True)


class _Bar:
    """The same above a bar at the bottom of the terminal."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task = bar, task

    def line(self, text: str, trouble: bool = False) -> None:
        self._bar.console.print(
            one_line(text),
            style="red" if trouble else None,
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def done(self, count: int) -> None:
        self._bar.update(self._task, completed=count)


@contextlib.contextmanager
def shown(total: int) -> Iterator[Show]:
    """Show the progress of so many files."""
    try:
        from rich import progress
    except ImportError:
        yield _Lines(total)
        return
    if not sys.stdout.isatty() or total < 2:
        yield _Lines(total)
        return
    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        "left",
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns) as bar:
        yield _Bar(bar, bar.add_task("files", total=total))


def _spelled(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )
