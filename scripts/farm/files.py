# SPDX-License-Identifier: GPL-3.0-or-later
"""A file on its way through the cluster: claimed, sent with what it needs, written and recorded
once.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.batch.local import unreadable
from scripts.batch.plan import Job
from scripts.batch.pool import BatchError
from scripts.batch.store import Store, write_atomically


@dataclass
class Task:
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


def begin(
    task: Task, request_of: Callable[[Job], dict[str, Any]], store: Store, send: bool
) -> dict[str, Any] | None:
    """Make a task ready; its row where there is nothing to hand over. Files that are sent are
    claimed and recorded here, others by who makes them.
    """
    try:
        if send and not task.claimed.enter_context(store.claim(task.job.name)):
            task.claimed.close()
            return {"status": "claimed"}
        task.request = request_of(task.job)
        task.files = packed(task.job) if send and "status" not in task.request else None
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


def packed(job: Job) -> dict[str, bytes]:
    """The input and what it needs, by name."""
    return {
        path.relative_to(job.source.parent).as_posix(): path.read_bytes()
        for path in (job.source, *companions(job.source))
    }


def settled(
    task: Task, row: dict[str, Any], outputs: Mapping[str, bytes], store: Store, send: bool
) -> dict[str, Any]:
    """The row with the outputs in place. Only here are files that were sent written, so each is
    written once however often it was made.
    """
    if not send:
        return row
    job, request = task.job, task.request
    if row["status"] != "done":
        give_up(task, store)
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
        give_up(task, store)
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


def give_up(task: Task, store: Store) -> None:
    """Let go of a file that is not made."""
    with task.claimed:
        if task.started:
            store.give_up(task.job.name, task.before)
