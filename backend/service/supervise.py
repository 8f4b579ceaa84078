# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in a process of its own, so that somebody can end it: native code may hold the
interpreter, and then nothing in its own process can.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import BackendError
from ..limits import MEMORY_EXIT

PACKAGE = Path(__file__).resolve().parents[1]
SUPERVISED = "--supervised"  # the argument that tells such a process
KILL_SECONDS = 2.0  # a killed process is gone at once but for a driver that holds it


def supervise(arguments: Sequence[str], seconds: float, model: str) -> int:
    """Run `python -m backend ARGUMENTS` with this process's streams; its exit code. model: what is
    asked for instead of the shipped one, or empty.

    Raises BackendError when it is not done within so many seconds, when its model takes too much
    memory, and when it is ended by a signal.
    """
    path = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", PACKAGE.name, SUPERVISED, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise unfinished(seconds, model) from None
    finally:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_SECONDS)
        if process.stdin is not None:
            process.stdin.close()
    if code == MEMORY_EXIT:
        message = (
            f"The model {Path(model).name} took more memory than one that is not the extension's"
            " own may take, half of this computer's."
        )
        raise BackendError("out_of_memory", message, "Choose another model.")
    if code < 0:
        raise BackendError(
            "internal",
            f"The command was ended by signal {-code}.",
            "If memory was short, close other programs and try again.",
        )
    return code


def unfinished(seconds: float, model: str) -> BackendError:
    """What is told of a command that was ended after so many seconds. More time helps the shipped
    model, but no model that goes on for ever.
    """
    within = f"did not finish within {seconds:g} s and was ended."
    if model:
        return BackendError(
            "model_stuck",
            f"The model {Path(model).name} {within}",
            "Choose another model; without --model it is the shipped one.",
        )
    return BackendError(
        "child_timeout",
        f"The command {within}",
        "Give it more with --timeout, or a mesh with fewer vertices.",
    )
