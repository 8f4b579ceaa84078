# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child that ended, or that tells an error, is said to have done."""

from __future__ import annotations

import re
import signal

from ..errors import AddonError, sent
from ..shared import MEMORY_EXIT
from ..shared_protocol import Message
from .limits import too_large

NOT_WATCHED = 4  # the exit code of backend/service/parent.py

RETRY = "Try again; if it happens again, please report it with the log."


def error_of(message: Message) -> AddonError:
    """The error that an `error` message holds."""
    header = message.header
    return sent(
        str(header.get("code", "internal")),
        str(header.get("message", "")),
        str(header.get("fix", "")),
    )


def explain_exit(code: int, log: str, greeted: bool) -> AddonError:
    """A sentence for a child that ended by itself: code as subprocess gives it (negative: signal),
    log: its last words.
    """
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")
    missing = re.search(r"(?:No module named '?|The Python that is used has no )(\w+)", last)
    if not greeted and missing:
        if missing[1].startswith("backend"):
            return AddonError(
                "child_start",
                "The extension's backend folder was not found.",
                "Reinstall the extension.",
            )
        fix = (
            "Reinstall the extension for this platform, or choose another Python in its preferences"
            " (needs numpy, onnxruntime, psutil)."
        )
        return AddonError("runtime_missing", f"The Python that is used has no {missing[1]}.", fix)
    if (
        "MemoryError" in log
        or "bad_alloc" in log
        or code in (-getattr(signal, "SIGKILL", 9), 0xC0000017)
    ):
        message = "The backend was ended by the system, most likely because memory ran out."
        return AddonError("child_died", message, "Close other programs, then try again.")
    if code == 0xC0000135:  # STATUS_DLL_NOT_FOUND
        message = "A system library that the backend needs is missing."
        return AddonError(
            "child_start", message, "Install the newest Microsoft Visual C++ runtime (x64)."
        )
    if code == MEMORY_EXIT:
        return too_large()
    if code == NOT_WATCHED:
        return AddonError(
            "child_died",
            "The backend could not watch over Blender's end and ended itself (exit code 4).",
            RETRY,
        )
    how = (
        f"signal {signal.Signals(-code).name}"
        if -code in {s.value for s in signal.Signals}
        else f"exit code {code}"
    )
    words = f" Its last words: {last[:300]}" if last else ""
    return AddonError("child_died", f"The backend ended unexpectedly ({how}).{words}", RETRY)
