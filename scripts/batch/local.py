# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs over several Blenders of this machine."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil

from .plan import Job
from .pool import BatchError, Blender, add_overhead, row_of

AGAIN_SECONDS = 1.0  # between two looks at a file that another run is working on


@dataclass
class Result:
    """A job and the row it ended with."""

    job: Job
    row: dict[str, Any]


@dataclass
class Stop:
    """How a user ends a run: `soft` begins no more files, `hard` ends those that are being worked
    on.
    """

    soft: threading.Event = field(default_factory=threading.Event)
    hard: threading.Event = field(default_factory=threading.Event)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_jobs(memory_mb: float) -> int:
    """As many Blenders as there are cores, and as fit into what memory is free."""
    return max(1, min(cores(), int(psutil.virtual_memory().available / 1e6 / memory_mb)))


class _Shared:
    """Jobs that several threads work on, each with a Blender of its own.

    Args:
        jobs: all that is to be done
        request_of: what worker.py gets, or a row with `status` where nothing has to be done
        timeout: seconds for a file
        stop: how the user ends the run
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        request_of: Callable[[Job], dict[str, Any]],
        timeout: float | None,
        stop: Stop,
    ) -> None:
        self.request_of, self.timeout, self.stop = request_of, timeout, stop
        self.waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            self.waiting.put(job)
        self.left = self.waiting.qsize()
        # rows as they come, what went wrong, and None from each thread that ends
        self.results: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        self._changed = threading.Lock()

    def work(self, blender: Blender) -> None:
        """What a thread does until no job is left."""
        try:
            while not self.stop.soft.is_set() and self.left > 0:
                try:
                    job = self.waiting.get(timeout=0.1)
                except queue.Empty:
                    continue  # the others may give one back
                row = _one(job, self.request_of, blender, self.timeout)
                if row["status"] == "claimed":
                    self.waiting.put(job)
                    self.stop.soft.wait(AGAIN_SECONDS)
                    continue
                if row.get("error", {}).get("code") == "interrupted":
                    return
                with self._changed:
                    self.left -= 1
                self.results.put(Result(job, row))
            blender.leave()
        except BaseException as problem:
            self.results.put(problem)
        finally:
            blender.end()
            self.results.put(None)


def run_local(
    jobs: Iterable[Job],
    request_of: Callable[[Job], dict[str, Any]],
    make: Callable[[], Blender],
    count: int,
    timeout: float | None,
    *,
    stop: Stop,
) -> Iterator[Result]:
    """Work on jobs with `count` Blenders that `make` makes; results as they come. request_of: what
    worker.py gets, or a row with `status` where nothing has to be done. Raises Refused when what is
    asked for can be made of no file.
    """
    shared = _Shared(jobs, request_of, timeout, stop)
    blenders: list[Blender] = []
    try:
        running = max(1, min(count, shared.left))
        for _ in range(running):
            blenders.append(make())
            threading.Thread(target=shared.work, args=(blenders[-1],), daemon=True).start()
        while running:
            try:
                result = shared.results.get(timeout=0.2)
            except queue.Empty:
                if stop.hard.is_set():
                    for blender in blenders:
                        blender.end()
                continue
            if result is None:
                running -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result
    finally:
        stop.soft.set()
        for blender in blenders:
            blender.end()


def _one(
    job: Job, request_of: Callable[[Job], dict[str, Any]], blender: Blender, timeout: float | None
) -> dict[str, Any]:
    """A job's row, whatever happens, but Refused goes through."""
    began = time.perf_counter()
    try:
        request = request_of(job)
    except OSError as error:
        return unreadable(job, error)
    if "status" in request:
        return request
    row, started = row_of(blender, request, timeout)
    if row.pop("fresh", False):
        add_overhead(row, time.perf_counter() - began, started)
    return row


def unreadable(job: Job, error: OSError) -> dict[str, Any]:
    """The row of an input that cannot be read."""
    return {
        "status": "failed",
        "error": BatchError(
            "input_missing", f"{job.source}: {error.strerror}.", "Check the file."
        ).as_dict(),
    }
