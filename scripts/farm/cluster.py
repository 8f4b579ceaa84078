# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a Dask cluster: connect, look at its workers, wait for its tasks, take answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from scripts.batch.pool import BatchError
from scripts.batch.store import Store

from .files import Task, give_up
from .settings import Farm

CONNECT_SECONDS = 15
LOOK_SECONDS = 1.0
FAREWELL_SECONDS = 30.0


def connected(distributed: Any, farm: Farm) -> Any:
    security = None
    if all(farm.tls):
        authority, certificate, key = farm.tls
        security = distributed.security.Security(
            tls_ca_file=authority,
            tls_client_cert=certificate,
            tls_client_key=key,
            require_encryption=True,
        )
    try:
        return distributed.Client(
            farm.address,
            security=security,
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            name="blendshapes",
        )
    except (OSError, TimeoutError, ValueError) as error:
        message = f"The scheduler {farm.address} cannot be reached: {error}."
        raise BatchError(
            "scheduler_lost", message, "Check its address and its certificates, and that it runs."
        ) from error


def look_at_workers(
    client: Any,
    known: Mapping[str, str],
    tasks: Mapping[Any, Task],
    happened: Callable[[str], None],
    later: bool,
) -> dict[str, str]:
    """The workers there are, by address, with a name for people; who came and who went is told, and
    which files went along.
    """
    info = client.scheduler_info(n_workers=-1)
    if client.status not in ("running", "connecting"):
        raise BatchError(
            "scheduler_lost",
            "The scheduler has gone away.",
            "Start it, and then this again; it goes on where it stopped.",
        )
    found = {
        address: address if worker["name"] == address else f"{worker['name']} at {address}"
        for address, worker in info["workers"].items()
    }
    by_key = {future.key: task for future, task in tasks.items()}
    for address, name in known.items():
        if address not in found:
            files = [task for task in tasks.values() if task.worker == address]
            for task in files:
                task.lost.append(name)
                task.worker = ""
            carried = ", ".join(task.job.source.name for task in files)
            happened(
                f"Worker {name} was"
                f" lost{f' while it worked on {carried}; that goes to another' if carried else ''}."
            )
    for address, name in found.items():
        if address not in known and (known or later):
            happened(f"Worker {name} has joined.")
    if not found and (known or not later):
        happened("There are no workers; waiting for some.")
    elif found and not known and not later:
        happened(f"{len(found)} workers: {', '.join(found.values())}.")
    for address, keys in client.processing().items():
        for key in keys:
            if key in by_key:
                by_key[key].worker = address
    return found


def finished(distributed: Any, tasks: Mapping[Any, Task]) -> list[Any]:
    """Tasks that are over, in the time between two looks."""
    if not tasks:
        time.sleep(0.2)
        return []
    try:
        return list(
            distributed.wait(
                list(tasks), timeout=LOOK_SECONDS / 2, return_when="FIRST_COMPLETED"
            ).done
        )
    except TimeoutError:
        return []
    except Exception:  # one of them was cancelled, which `wait` raises for all
        return [future for future in tasks if future.done()]


def answer_of(future: Any) -> dict[str, Any]:
    """What `work` returned, or a row for what went wrong around it."""
    if future.status in ("cancelled", "lost"):
        raise BatchError(
            "scheduler_lost",
            "The scheduler has forgotten its tasks.",
            "Start this again; it goes on where it stopped.",
        )
    try:
        found: dict[str, Any] = future.result(timeout=FAREWELL_SECONDS)
        return found
    except (
        OSError,
        TimeoutError,
    ):  # of the way to the scheduler: what a worker raises is in its answer
        raise
    except (
        Exception
    ) as problem:  # of whatever kind the worker raised: the file is reported, the others go on
        lost = type(problem).__name__ == "KilledWorker"
        message = (
            "Every worker that took this file was lost."
            if lost
            else f"The worker failed: {type(problem).__name__}: {problem}"
        )
        error = BatchError(
            "worker_lost" if lost else "internal",
            message,
            "Look at the workers' logs; this file may be too large for them.",
        )
        return {"row": {"status": "failed", "error": error.as_dict()}}


def withdraw(client: Any, tasks: dict[Any, Task], store: Store) -> None:
    """Take back what no worker has begun."""
    begun = {key for keys in client.processing().values() for key in keys}
    for future in [future for future in tasks if future.key not in begun]:
        client.cancel([future])
        give_up(tasks.pop(future), store)
