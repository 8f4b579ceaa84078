# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch's side of a Dask cluster: one task a file, results as they come, and what happened to
workers on the way.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.batch.local import Result, Stop, unreadable
from scripts.batch.plan import Job
from scripts.batch.pool import BACKEND_PYTHON, BatchError, Refused
from scripts.batch.progress import Show
from scripts.batch.store import Store, write_atomically

from .tasks import PROGRAM, work

LOOPBACK = ("localhost", "127.0.0.1", "::1")  # as in secure.sh
CONNECT_SECONDS = 15
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 2.0
# tasks in the cluster per worker: enough that none waits, few enough that sent files do not pile up
AHEAD = 2
FAREWELL_SECONDS = 30.0


@dataclass(frozen=True)
class Farm:
    """Where the cluster is, and what each task gets. tls: files of the authority, the certificate
    and the key, or empty.
    """

    address: str
    send: bool
    retries: int
    tls: tuple[str, str, str]
    task: Mapping[str, Any]


@dataclass
class _Task:
    """A file that the cluster has. claimed: what holds its claim; started, before: whether this is
    recorded here, and what was before that; files: what goes along; worker: who has it; lost:
    workers that went away with it.
    """

    job: Job
    claimed: contextlib.ExitStack
    before: dict[str, Any] | None = None
    started: bool = False
    request: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] | None = None
    worker: str = ""
    lost: list[str] = field(default_factory=list)


def farm_of(
    options: argparse.Namespace, settings: Mapping[str, str], described: Mapping[str, Any]
) -> Farm:
    """The farm that the arguments name. Raises BatchError `usage`."""
    tls = (options.tls_ca, options.tls_cert, options.tls_key)
    if options.scheduler.startswith("tls://") != all(tls) or any(tls) != all(tls):
        raise BatchError(
            "usage",
            "tls:// and --tls-ca, --tls-cert, --tls-key belong together.",
            "Give all of them, or tcp:// and none.",
        )
    if not options.scheduler.startswith(("tcp://", "tls://")):
        raise BatchError(
            "usage",
            f"{options.scheduler} is no scheduler's address.",
            "Write tcp://HOST:PORT or tls://HOST:PORT.",
        )
    if (
        not any(tls)
        and not options.insecure
        and urlsplit(options.scheduler).hostname not in LOOPBACK
    ):
        message = (
            f"{options.scheduler} is on another machine, and without TLS whoever is on the way can"
            " read what passes and take its place."
        )
        raise BatchError(
            "usage",
            message,
            "Give tls:// with --tls-ca, --tls-cert and --tls-key, or --insecure if everyone in that"
            " network may.",
        )
    if options.blender or options.backend_python:
        raise BatchError(
            "usage",
            "--blender and --backend-python are for this machine.",
            f"Set {PROGRAM} and {BACKEND_PYTHON} on the workers.",
        )
    task: dict[str, Any] = {name: described[name] for name in ("code_digest", "model_digest")}
    task.update(settings=dict(settings), memory=options.memory, timeout=options.timeout)
    return Farm(options.scheduler, options.send, options.retries, tls, task)


def companions(path: Path) -> list[Path]:
    """The files beside an input that it needs: a .gltf's buffers and pictures, an .obj's materials;
    those that are there.
    """
    names: list[str] = []
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if path.suffix.lower() == ".gltf":
            data = json.loads(path.read_text(encoding="utf-8"))
            named = [
                entry.get("uri", "data:")
                for kind in ("buffers", "images")
                for entry in data.get(kind, [])
            ]
            names = [name for name in named if not name.startswith("data:")]
        elif path.suffix.lower() == ".obj":
            with path.open(encoding="utf-8", errors="replace") as lines:
                names = [
                    line.split(maxsplit=1)[1].strip()
                    for line in lines
                    if line.startswith("mtllib ")
                ]
    inside = [path.parent / name for name in names]
    return [
        file
        for file in inside
        if file.is_file() and path.parent.resolve() in file.resolve().parents
    ]


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
    logging.getLogger("distributed").setLevel(
        logging.CRITICAL
    )  # what it has to say about lost connections is told below

    def happened(text: str) -> None:
        events.append({"time": time.strftime("%H:%M:%S"), "what": text})
        show.line(text, trouble=True)

    client = _connected(distributed, farm)
    tasks: dict[Any, _Task] = {}
    waiting: deque[tuple[float, Job, list[str]]] = deque((0.0, job, []) for job in jobs)
    workers: dict[str, str] = {}
    looked, made = 0.0, 0
    try:
        while waiting or tasks:
            if stop.hard.is_set() or (stop.soft.is_set() and not tasks):
                return
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                workers = _look(client, workers, tasks, happened, bool(events))
            while (
                waiting
                and not stop.soft.is_set()
                and len(tasks) < AHEAD * max(1, len(workers))
                and waiting[0][0] <= time.monotonic()
            ):
                _, job, lost = waiting.popleft()
                task = _Task(job, contextlib.ExitStack(), lost=lost)
                row = _begun(task, request_of, store, farm.send)
                if row is None:
                    files, task.files = task.files, None
                    key = f"{job.name}-{time.time_ns()}"
                    tasks[
                        client.submit(
                            work,
                            task.request,
                            files,
                            farm.task,
                            key=key,
                            pure=False,
                            retries=farm.retries,
                        )
                    ] = task
                elif row["status"] == "claimed":
                    waiting.append((time.monotonic() + AGAIN_SECONDS, job, lost))
                else:
                    yield Result(job, row)
            if stop.soft.is_set():
                _withdraw(client, tasks, store)
            for future in _finished(distributed, tasks):
                task = tasks.pop(future)
                answer = _answer(future)
                row = {**answer["row"], **({"lost": task.lost} if task.lost else {})}
                if answer.get("refused") and not made:
                    _given_up(task, store)
                    raise Refused(**row["error"])
                if row["status"] == "claimed":
                    task.claimed.close()
                    waiting.append((time.monotonic() + AGAIN_SECONDS, task.job, task.lost))
                    continue
                row = _settled(task, row, answer.get("outputs", {}), store, farm.send)
                made += row["status"] == "done"
                yield Result(task.job, row)
    except (
        OSError,
        TimeoutError,
        RuntimeError,
    ) as error:  # what Dask raises when there is nobody at the other end
        message = f"The scheduler has gone away: {type(error).__name__}: {error}."
        raise BatchError(
            "scheduler_lost", message, "Start it, and then this again; it goes on where it stopped."
        ) from error
    finally:
        for task in tasks.values():
            _given_up(task, store)
        with contextlib.suppress(Exception):
            client.cancel(list(tasks))
        client.close(timeout=5)


def _connected(distributed: Any, farm: Farm) -> Any:
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


def _look(
    client: Any,
    known: Mapping[str, str],
    tasks: Mapping[Any, _Task],
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


def _begun(
    task: _Task, request_of: Callable[[Job], dict[str, Any]], store: Store, send: bool
) -> dict[str, Any] | None:
    """Make a task ready; its row where there is nothing to hand over. Files that are sent are
    claimed and recorded here, others by who makes them.
    """
    try:
        if send and not task.claimed.enter_context(store.claim(task.job.name)):
            task.claimed.close()
            return {"status": "claimed"}
        task.request = request_of(task.job)
        task.files = _packed(task.job) if send and "status" not in task.request else None
    except OSError as error:
        task.request = unreadable(task.job, error)
    if "status" in task.request:
        task.claimed.close()
        return task.request
    if send:
        task.before = store.start(
            task.job.name,
            task.request["source_digest"],
            task.request["settings_digest"],
            task.job.targets,
        )
        task.started = True
    return None


def _packed(job: Job) -> dict[str, bytes]:
    """The input and what it needs, by name."""
    return {
        path.relative_to(job.source.parent).as_posix(): path.read_bytes()
        for path in (job.source, *companions(job.source))
    }


def _finished(distributed: Any, tasks: Mapping[Any, _Task]) -> list[Any]:
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


def _answer(future: Any) -> dict[str, Any]:
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


def _settled(
    task: _Task, row: dict[str, Any], outputs: Mapping[str, bytes], store: Store, send: bool
) -> dict[str, Any]:
    """The row with the outputs in place. Only here are files that were sent written, so each is
    written once however often it was made.
    """
    if not send:
        return row
    job, request = task.job, task.request
    if row["status"] != "done":
        _given_up(task, store)
        return row
    try:
        for name, data in outputs.items():
            write_atomically(Path(request[name]), data)
        row = {
            **row,
            "output": str(job.target),
            "export": str(job.exported) if job.exported else None,
        }
        store.finish(
            job.name, request["source_digest"], request["settings_digest"], job.targets, row
        )
    except OSError as error:
        _given_up(task, store)
        return {
            "status": "failed",
            "error": (
                BatchError(
                    "output_unwritable", f"{job.target}: {error.strerror}.", "Check the disk."
                ).as_dict()
            ),
        }
    task.claimed.close()
    return row


def _given_up(task: _Task, store: Store) -> None:
    """Let go of a file that is not made."""
    with task.claimed:
        if task.started:
            store.give_up(task.job.name, task.before)


def _withdraw(client: Any, tasks: dict[Any, _Task], store: Store) -> None:
    """Take back what no worker has begun."""
    begun = {key for keys in client.processing().values() for key in keys}
    for future in [future for future in tasks if future.key not in begun]:
        client.cancel([future])
        _given_up(tasks.pop(future), store)
