# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pipes between the batch and a Blender that it starts, beside stdin and stdout, where Blender,
add-ons and locales print what they like.

The batch opens them, names them in the environment and lets that one process inherit them; the
worker opens what is named.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

VARIABLE = "GENERATE_CHANNEL"  # "JOBS,ANSWERS": descriptors, on Windows handles


@dataclass(frozen=True)
class Channel:
    """The batch's ends. jobs: to write lines to; answers: to read lines from, until the process
    ends.
    """

    jobs: IO[str]
    answers: IO[str]

    def close(self) -> None:
        """Close both ends; what could not be written is of no use to a process that is gone."""
        for stream in (self.jobs, self.answers):
            with contextlib.suppress(OSError, ValueError):
                stream.close()


if sys.platform == "win32":
    import msvcrt

    def _named(descriptor: int) -> int:
        return msvcrt.get_osfhandle(descriptor)

    def _opened(name: int, flags: int) -> int:
        return msvcrt.open_osfhandle(name, flags)

    def _inherited(names: list[int]) -> dict[str, Any]:
        for name in names:
            os.set_handle_inheritable(name, True)
        startup = subprocess.STARTUPINFO()
        startup.lpAttributeList = {"handle_list": names}
        return {"startupinfo": startup}

else:

    def _named(descriptor: int) -> int:
        return descriptor

    def _opened(name: int, flags: int) -> int:
        os.set_inheritable(name, False)  # what Blender starts has no business with it
        return name

    def _inherited(names: list[int]) -> dict[str, Any]:
        return {"pass_fds": names}


def started(
    popen: Callable[..., subprocess.Popen[Any]], environment: Mapping[str, str]
) -> tuple[subprocess.Popen[Any], Channel]:
    """A process and the channel to it. popen: is called with what Popen wants to know of it, `env`
    among that. Raises OSError as Popen does.
    """
    theirs_jobs, ours_jobs = os.pipe()
    ours_answers, theirs_answers = os.pipe()
    try:
        names = [_named(theirs_jobs), _named(theirs_answers)]
        process = popen(
            env={**environment, VARIABLE: ",".join(map(str, names))}, **_inherited(names)
        )
    except BaseException:
        os.close(ours_jobs)
        os.close(ours_answers)
        raise
    finally:  # or the end of the process would not be the end of its answers
        os.close(theirs_jobs)
        os.close(theirs_answers)
    return process, Channel(
        os.fdopen(ours_jobs, "w", encoding="utf-8"), os.fdopen(ours_answers, "r", encoding="utf-8")
    )


def named() -> Channel:
    """The worker's ends of the channel that its environment names: `jobs` to read from, `answers`
    to write to. Raises KeyError without one.
    """
    jobs, answers = (int(name) for name in os.environ.pop(VARIABLE).split(","))
    return Channel(
        os.fdopen(_opened(jobs, os.O_RDONLY), "r", encoding="utf-8"),
        os.fdopen(_opened(answers, 0), "w", encoding="utf-8"),
    )
