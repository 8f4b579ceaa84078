# SPDX-License-Identifier: GPL-3.0-or-later
"""A Blender that runs worker.py: started when first needed, given one job after the other, watched,
and ended for certain.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import psutil

from .channel import Channel, started
from .extension import BLENDER, DEATHS, clean_environment, seconds_for

WORKER = Path(__file__).with_name("worker.py")
# environment variable: the Python of the children, as in the extension's preferences
BACKEND_PYTHON = "GENERATE_BACKEND_PYTHON"
START_SECONDS = 240.0  # a cold disk, a virus scanner, a model that a provider compiles
CHECK_SECONDS = 180.0  # of them for the model, where the user gives no time for a file
# after a file's time is up, so that its Blender, which ends its child, can tell what did not finish
TELL_SECONDS = 3.0
TICK = 0.25
LEAVE_SECONDS = 10.0
KILL_SECONDS = 5.0
TRIES = 2  # for a file at which Blender or its child dies
AGAIN = {"blender_died", *DEATHS}
STAGES = (
    "import",
    "choose",
    "gather",
    "request",
    "write",
    "save",
    "export",
    "settle",
    "figures",
    "sheet",
)
RENEW = (
    0.8  # of the memory it may use: a Blender that holds so much between two files is started anew
)
_TAIL = 2000
if sys.platform == "win32":
    _OWN_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _OWN_GROUP = 0


class BatchError(Exception):
    """What a file's row reports: a stable code, a sentence, what to do."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix

    def as_dict(self) -> dict[str, str]:
        """For a report: code, message, fix."""
        return {"code": self.code, "message": self.message, "fix": self.fix}


class Refused(BatchError):
    """What is asked for can be made of no file: a set that there is not, a model that cannot be
    used, a backend that does not start.
    """


def blender_command(program: str) -> list[str]:
    """The command line of a worker. program: a Blender, or a Python that has the bpy module."""
    if "python" in Path(program).name.lower():
        return [program, str(WORKER)]
    # before any file: no script of a file runs, and nothing is fetched, whatever the user's
    # preferences say
    return [
        program,
        "-b",
        "--disable-autoexec",
        "--offline-mode",
        "--python-exit-code",
        "1",
        "--python",
        str(WORKER),
    ]


def worker_environment(settings: Mapping[str, Any], threads: int) -> dict[str, str]:
    """The environment of a worker: what a Blender may have of ours, the backend's settings, and as
    many threads as there are cores for each.
    """
    environment = clean_environment(more=(*BLENDER, BACKEND_PYTHON))
    environment |= {
        "OPENBLAS_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "PYTHONUTF8": "1",
    }
    environment.setdefault("BLENDSHAPE_THREADS", str(threads))
    environment.update(
        {f"BLENDSHAPE_{name.upper()}": str(value) for name, value in settings.items()}
    )
    return environment


class Blender:
    """One worker process; use it from one thread, `end` from any."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], memory_mb: float
    ) -> None:
        self._command, self._environment, self._memory_mb = (
            list(command),
            dict(environment),
            memory_mb,
        )
        self._process: subprocess.Popen[Any] | None = None
        self._channel: Channel | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._log: Path | None = None
        self._number = 0
        self._ended = False
        self.start_seconds = 0.0  # what the last start took

    def run(self, job: Mapping[str, Any], timeout: float | None) -> dict[str, Any]:
        """The row that a job ends with. timeout: seconds, None for what suits its vertices. The
        time of a start, if one is needed, does not count.

        Raises BatchError: `timed_out`, `out_of_memory`, `blender_died`, and `model_stuck` for a
        model that does not come to an end already when it is looked at after a start; then the
        process is gone, and the next job starts another.
        """
        self.start_seconds = 0.0
        if self._process is None:
            self._start(job, CHECK_SECONDS if timeout is None else min(timeout, CHECK_SECONDS))
        return self._ask(
            {**job, "timeout": timeout}, seconds_for(0) if timeout is None else timeout
        )

    def end(self) -> None:
        """Kill the process and its child, now. There is no other job after that."""
        self._ended = True
        self._kill()

    def leave(self) -> None:
        """Let the process end by itself."""
        process = self._process
        if process is not None and self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.jobs.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_SECONDS)
        self.end()

    def _start(self, job: Mapping[str, Any], check: float) -> None:
        """check: seconds for the model."""
        if self._ended:
            raise BatchError(
                "interrupted",
                "The run was interrupted.",
                "Start it again; it goes on where it stopped.",
            )
        began = time.monotonic()
        handle, name = tempfile.mkstemp(prefix="blendshapes-", suffix=".log")
        self._log = Path(name)
        try:
            with os.fdopen(handle, "wb") as log:
                start = partial(
                    subprocess.Popen,
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # a Ctrl-C in the terminal is the sender's alone
                    creationflags=_OWN_GROUP,
                )
                self._process, self._channel = started(start, self._environment)
        except OSError as error:
            raise BatchError(
                "blender_died",
                f"{self._command[0]} cannot be started: {error}.",
                "Name a Blender with --blender.",
            ) from error
        self._answers = queue.Queue()
        threading.Thread(
            target=_listen, args=(self._channel.answers, self._answers), daemon=True
        ).start()
        ready = self._ask({"asked": job["asked"], "timeout": check}, START_SECONDS)
        if ready["status"] != "ready":
            self._kill()
            raise (BatchError if ready["status"] == "failed" else Refused)(**ready["error"])
        self.start_seconds = time.monotonic() - began

    def _ask(self, job: Mapping[str, Any], limit: float) -> dict[str, Any]:
        """The row. limit: seconds, until the worker knows better."""
        channel = self._channel
        if self._process is None or channel is None:
            raise self._death()
        self._number += 1
        try:
            channel.jobs.write(json.dumps({**job, "id": self._number, "limit": limit}) + "\n")
            channel.jobs.flush()
        except OSError:
            raise self._death() from None
        began, peak, used = time.monotonic(), 0.0, 0.0
        while True:
            with contextlib.suppress(queue.Empty):
                line = self._answers.get(timeout=TICK)
                if not line:
                    raise self._death()
                answer = json.loads(line)
                if answer["id"] == self._number and "limit" in answer:
                    limit = answer["limit"]
                elif answer["id"] == self._number:
                    row: dict[str, Any] = answer["row"]
                    if not peak:  # too quick for a look on the way
                        peak = used = self._used_mb()
                    row["memory_mb"] = round(peak, 1)
                    if used > RENEW * self._memory_mb:
                        self._kill()
                    return row
            used = self._used_mb()
            peak = max(peak, used)
            if used > self._memory_mb:
                self._kill()
                raise BatchError(
                    "out_of_memory",
                    f"Blender and its child took {used:.0f} MB, and {self._memory_mb:.0f} MB is"
                    " what a job may take; they were ended.",
                    "Give more with --memory, and if need be fewer --jobs.",
                )
            if time.monotonic() - began > limit + TELL_SECONDS:
                self._kill()
                raise BatchError(
                    "timed_out",
                    f"It took more than {limit:g} s and was ended.",
                    "Give more with --timeout, or look at the file.",
                )

    def _used_mb(self) -> float:
        """Resident memory of the process and its children."""
        total = 0
        with contextlib.suppress(psutil.Error):
            if self._process is not None:
                parent = psutil.Process(self._process.pid)
                for process in (parent, *parent.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        total += process.memory_info().rss
        return total / 1e6

    def _death(self) -> BatchError:
        """The error of a process that is gone or going."""
        code: int | None = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(5)
        said = ""
        if self._log is not None and self._log.exists():
            said = " ".join(
                self._log.read_text(encoding="utf-8", errors="replace")[-_TAIL:].split()
            )[-300:]
        self._kill()
        if self._ended:
            return BatchError(
                "interrupted",
                "The run was interrupted.",
                "Start it again; it goes on where it stopped.",
            )
        told = (
            f"by signal {-code}"
            if code is not None and code < 0 and sys.platform != "win32"
            else f"with exit code {code}"
        )
        message = f"Blender ended {told}: {said or 'it said nothing'}"
        return BatchError(
            "blender_died", message, "Open the file in Blender; this may be a fault of Blender's."
        )

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            family: list[psutil.Process] = []
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(process.pid)
                family = [*parent.children(recursive=True), parent]
            for member in family:
                with contextlib.suppress(psutil.Error):
                    member.kill()
            process.kill()
            with contextlib.suppress(
                subprocess.TimeoutExpired
            ):  # it hangs in the system, on a disk that is gone for instance
                process.wait(KILL_SECONDS)
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        if self._log is not None:
            self._log.unlink(missing_ok=True)


def row_of(
    blender: Blender, request: Mapping[str, Any], timeout: float | None
) -> tuple[dict[str, Any], float]:
    """The row that a request ends with, whatever happens, and the seconds that starts of Blender
    took. A file at which Blender or its child dies is tried once more; one that takes too long or
    too much memory is not. Raises Refused.
    """
    tried: list[dict[str, str]] = []
    started = 0.0
    while True:
        try:
            row = blender.run(request, timeout)
        except Refused:
            raise
        except BatchError as error:
            row = {"status": "failed", "error": error.as_dict()}
        started += blender.start_seconds
        if row.get("error", {}).get("code") not in AGAIN or len(tried) + 1 == TRIES:
            return ({**row, "tried": tried} if tried else row), started
        tried.append(row["error"])


def add_overhead(row: dict[str, Any], wall: float, started: float) -> None:
    """What a file took without Blender's start, and how much of it is none of the stages: hashes,
    claims, records, the way there and back.
    """
    seconds = row["seconds"]
    seconds["wall"] = round(wall - started, 4)
    seconds["overhead"] = round(
        wall - started - sum(seconds.get(stage, 0.0) for stage in STAGES), 4
    )
    seconds["start"] = round(started, 4)


def _listen(stream: IO[str], answers: queue.Queue[str]) -> None:
    """Pass lines on; an empty one at the end."""
    with contextlib.suppress(ValueError, OSError):
        for line in stream:
            answers.put(line)
    answers.put("")
