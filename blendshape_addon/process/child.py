# SPDX-License-Identifier: GPL-3.0-or-later
"""A process with its pipe and its log: started, asked how it is, and ended for certain."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ..errors import AddonError
from . import pipe
from .launch import Launch
from .patience import Patience

MAX_LOG = 4 << 20
MOST_LOGS = 5  # of children that crashed
_TAIL = 4096
if sys.platform == "win32":
    NO_WINDOW = subprocess.CREATE_NO_WINDOW  # else a console window pops up with every start
else:
    NO_WINDOW = 0


@dataclass(frozen=True)
class Child:
    """A process and its pipe.

    Args:
        process: what runs
        stdin: what it reads
        stdout: what it writes
        log: the file with its stderr
        started: when, by the monotonic clock
        patience: how long it has not greeted
    """

    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]
    log: Path
    started: float = field(default_factory=time.monotonic)
    patience: Patience = field(default_factory=Patience)

    def close(self) -> None:
        """Close the pipe's ends that are still open."""
        for stream in (self.stdin, self.stdout):
            # what could not be flushed is of no use to a process that is gone
            with contextlib.suppress(OSError):
                stream.close()

    def end(self, ladder: Sequence[float]) -> None:
        """Wait, terminate, wait, kill. ladder: seconds after asking, terminating and killing."""
        steps = (None, self.process.terminate, self.process.kill)
        for step, seconds in zip(steps, ladder, strict=True):
            if step is not None:
                step()
            try:
                self.process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self.close()

    def kill(self, seconds: float) -> None:
        """End it at once, and wait so long for it to be gone."""
        self.process.kill()
        # it hangs in the system, on a disk that is gone for instance
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.close()

    def check_log(self) -> None:
        """Raise AddonError for a child that floods its log."""
        if self.log.exists() and self.log.stat().st_size > MAX_LOG:
            raise AddonError(
                "child_died",
                "The backend wrote far too much to its log and was ended.",
                f"Please report this with {self.log}.",
            )


def start_child(launch: Launch) -> Child:
    """Run the program. Raises AddonError `child_start`."""
    try:
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        _remove_old_logs(launch.log)
        with pipe.to_child() as (theirs, stdin), launch.log.open("wb") as log:
            process = subprocess.Popen(
                launch.command,
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=log,
                env=launch.environment,
                cwd=launch.log.parent,
                bufsize=0,
                close_fds=True,
                creationflags=NO_WINDOW,
            )
    except OSError as error:
        raise AddonError(
            "child_start",
            f"The backend cannot be started: {error}.",
            "Check the Python in the extension's preferences.",
        ) from error
    if process.stdout is None:
        raise RuntimeError("a process was started with a pipe but has none")
    pipe.prepare(process.stdout)
    return Child(process, stdin, process.stdout, launch.log)


def tail_of(log: Path | None) -> str:
    """The last lines of a log, at most 4 KiB; empty if there are none."""
    if log is None:
        return ""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            return file.read(_TAIL).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _remove_old_logs(log: Path) -> None:
    """Leave the newest few logs of crashed children beside `log`."""
    others = sorted(
        log.parent.glob(f"{log.stem.split('-')[0]}-*{log.suffix}"),
        key=lambda path: path.stat().st_mtime,
    )
    for old in others[:-MOST_LOGS]:
        try:
            old.unlink(missing_ok=True)
        except OSError:
            continue  # another Blender on Windows holds it open
