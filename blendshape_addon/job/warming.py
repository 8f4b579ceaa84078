# SPDX-License-Identifier: GPL-3.0-or-later
"""Python compiles the child's modules when it runs for the first time, for nearly a second. That is
done once after each install, in the background, before anybody clicks. Only with a window.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import bpy

from ..errors import AddonError
from ..process.child import NO_WINDOW
from ..process.launch import compiled_modules, compiling
from . import session

FIRST_SECONDS = 1.0  # after the start, in which Blender has other things to do
LOOK_SECONDS = 0.5  # between two looks at whether it is done
KILL_SECONDS = 1.0
DONE = "compiled"  # the file that says for which version

_process: subprocess.Popen[bytes] | None = None
_marker: Path | None = None


def begin() -> None:
    """Soon, unless it was done for this version."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=FIRST_SECONDS, persistent=True)


def end() -> None:
    """The extension is switched off."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _end()


def _tick() -> float | None:
    """Start, or look whether it is done; None when there is nothing left to do."""
    if _process is None:
        # without a Python there is nothing to compile for, which the first click will tell
        with contextlib.suppress(AddonError, OSError):
            _start()
        return None if _process is None else LOOK_SECONDS
    code = _process.poll()
    if code is None:
        return LOOK_SECONDS
    if code == 0 and _marker is not None:
        with contextlib.suppress(OSError):
            _marker.write_text(session.version(), encoding="utf-8")
    _end()
    return None


def _start() -> None:
    global _process, _marker
    launch = session.planned()
    folder = compiled_modules(launch)
    if folder is None:
        return
    _marker = folder / DONE
    if _marker.is_file() and _marker.read_bytes() == session.version().encode():
        return
    _process = subprocess.Popen(
        compiling(launch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=launch.environment,
        cwd=launch.log.parent,
        close_fds=True,
        creationflags=NO_WINDOW,
    )


def _end() -> None:
    global _process
    if _process is not None and _process.poll() is None:
        _process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            _process.wait(KILL_SECONDS)
    _process = None
