# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch's side of a Dask cluster: one task a file, results as they come, and what happened to
workers on the way.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scripts.batch.local import Result, Stop
from scripts.batch.plan import Job
from scripts.batch.pool import BatchError, Refused
from scripts.batch.progress import Show
from scripts.batch.store import Store

from .cluster import LOOK_SECONDS, answer_of, connected, finished, look_at_workers, withdraw
from .files import Task, begin, give_up, settled
from .settings import Farm
from .tasks import work

AGAIN_SECONDS = 2.0
# tasks in the cluster per worker: enough that none waits, few enough that sent files do not pile up
AHEAD = 2


class _Run:
    """Jobs on their way through the cluster.

    Args:
        distributed: the package
        request_of: what a task is asked for, or a row with `status` where nothing has to be done
        farm: where the cluster is
        store: claims and records of the outputs
        stop: how the user ends the run
        happened: told what happens to workers
        jobs: all that is to be done
    """

    def __init__(
        self,
        distributed: Any,
        request_of: Callable[[Job], dict[str, Any]],
        farm: Farm,
        *,
        store: Store,
        stop: Stop,
        happened: Callable[[str], None],
        jobs: Sequence[Job],
    ) -> None:
        self.distributed, self.request_of, self.farm = distributed, request_of, farm
        self.store, self.stop, self.happened = store, stop, happened
        self.client = connected(distributed, farm)
        self.tasks: dict[Any, Task] = {}
        self.waiting: deque[tuple[float, Job, list[str]]] = deque((0.0, job, []) for job in jobs)
        self.workers: dict[str, str] = {}
        self.looked, self.made = 0.0, 0

    def over(self) -> bool:
        """Whether there is nothing to wait for."""
        if self.stop.hard.is_set() or (self.stop.soft.is_set() and not self.tasks):
            return True
        return not self.waiting and not self.tasks

    def look(self, later: bool) -> None:
        """See which workers there are, now and then; later: something was told of them before."""
        if time.monotonic() - self.looked > LOOK_SECONDS:
            self.looked = time.monotonic()
            self.workers = look_at_workers(
                self.client, self.workers, self.tasks, self.happened, later
            )

    def hand_over(self) -> Iterator[Result]:
        """Give the cluster as many tasks as it may have; rows of files that need none."""
        while (
            self.waiting
            and not self.stop.soft.is_set()
            and len(self.tasks) < AHEAD * max(1, len(self.workers))
            and self.waiting[0][0] <= time.monotonic()
        ):
            _, job, lost = self.waiting.popleft()
            task = Task(job, contextlib.ExitStack(), lost=lost)
            row = begin(task, self.request_of, self.store, self.farm.send)
            if row is None:
                self.tasks[self._submitted(task)] = task
            elif row["status"] == "claimed":
                self._again(job, lost)
            else:
                yield Result(job, row)
        if self.stop.soft.is_set():
            withdraw(self.client, self.tasks, self.store)

    def take(self) -> Iterator[Result]:
        """Rows of tasks that are over. Raises Refused when the first of all is."""
        for future in finished(self.distributed, self.tasks):
            task = self.tasks.pop(future)
            answer = answer_of(future)
            row = {**answer["row"], **({"lost": task.lost} if task.lost else {})}
            if answer.get("refused") and not self.made:
                give_up(task, self.store)
                raise Refused(**row["error"])
            if row["status"] == "claimed":
                task.claimed.close()
                self._again(task.job, task.lost)
                continue
            row = settled(task, row, answer.get("outputs", {}), self.store, self.farm.send)
            self.made += row["status"] == "done"
            yield Result(task.job, row)

    def leave(self) -> None:
        """Take back what is not done, and end the connection."""
        for task in self.tasks.values():
            give_up(task, self.store)
        with contextlib.suppress(Exception):
            self.client.cancel(list(self.tasks))
        self.client.close(timeout=5)

    def _submitted(self, task: Task) -> Any:
        files, task.files = task.files, None
        return self.client.submit(
            work,
            task.request,
            files,
            self.farm.task,
            key=f"{task.job.name}-{time.time_ns()}",
            pure=False,
            retries=self.farm.retries,
        )

    def _again(self, job: Job, lost: list[str]) -> None:
        self.waiting.append((time.monotonic() + AGAIN_SECONDS, job, lost))


def run_farm(
    jobs: Sequence[Job],
    request_of: Callable[[Job], dict[str, Any]],
    store: Store,
    farm: Farm,
    stop: Stop,
    *,
    events: list[dict[str, Any]],
    show: Show,
) -> Iterator[Result]:
    """Hand jobs to the cluster; results as they come. events gets what happened to workers. Raises
    BatchError `scheduler_lost`, Refused.
    """
    try:
        import distributed
    except ImportError as error:
        message = "--scheduler needs the package distributed, which this Python does not have."
        raise BatchError(
            "usage", message, "Use a Python with the packages of requirements/farm.txt."
        ) from error
    # what it has to say about lost connections is told below
    logging.getLogger("distributed").setLevel(logging.CRITICAL)

    def happened(text: str) -> None:
        events.append({"time": time.strftime("%H:%M:%S"), "what": text})
        show.line(text, trouble=True)

    run = _Run(distributed, request_of, farm, store=store, stop=stop, happened=happened, jobs=jobs)
    try:
        while not run.over():
            run.look(bool(events))
            yield from run.hand_over()
            yield from run.take()
    except (
        OSError,
        TimeoutError,
        RuntimeError,
    ) as error:  # Dask's, when nobody is at the other end
        message = f"The scheduler has gone away: {type(error).__name__}: {error}."
        raise BatchError(
            "scheduler_lost", message, "Start it, and then this again; it goes on where it stopped."
        ) from error
    finally:
        run.leave()
