# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators for a second runtime: check a Python, prepare one, remove it. Thin; the work is in
runtimes.py.
"""

import json
import shutil
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ..errors import AddonError, as_addon_error
from ..job import session
from ..process.launch import blender_python
from ..process.limits import WINDOW_SECONDS
from ..process.runtimes import Handshake, Preparation, remove, runtime_for
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned

_TICK_SECONDS = 0.2
_PROVIDERS_SHOWN = 4


class _Step(OperatorMixin):
    """An operator that waits for something outside: modal with a window, blocking without one."""

    bl_options = {"REGISTER", "INTERNAL"}

    _work: Preparation | Handshake

    def _begin(self, context: bpy.types.Context) -> None:
        """Start it."""
        raise NotImplementedError

    def _step(self, context: bpy.types.Context) -> bool:
        """Look how far it is; whether it is done."""
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs the extension's preferences, and no other such step or run in progress."""
        return (
            session.preferences(context) is not None
            and not session.status.preparing
            and not session.status.running
        )

    def execute(self, context: bpy.types.Context) -> Returned:
        """Begin; in background mode also wait for the end."""
        try:
            self._begin(context)
            if bpy.app.background:
                while not self._step(context):
                    time.sleep(_TICK_SECONDS)
                return self._finish(context, {"FINISHED"})
        except Exception as error:
            return self._failed(context, error)
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """One tick."""
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            self.report({"INFO"}, tr("Cancelled; nothing was changed"))
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            done = self._step(context)
        except Exception as error:
            self._stop_timer(context)
            return self._failed(context, error)
        _redraw(context)
        if not done:
            return {"RUNNING_MODAL"}
        self._stop_timer(context)
        return self._finish(context, {"FINISHED"})

    def cancel(self, context: bpy.types.Context) -> None:
        """ESC, or Blender ends the operator because another file is opened."""
        self._stop_timer(context)
        self._work.cancel() if isinstance(self._work, Preparation) else self._work.close()
        session.status.preparing, session.status.prepared = "", 0.0
        _redraw(context)

    def _stop_timer(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)

    def _finish(self, context: bpy.types.Context, result: Returned) -> Returned:
        session.status.preparing, session.status.prepared = "", 0.0
        _redraw(context)
        return result

    def _failed(self, context: bpy.types.Context, problem: Exception) -> Returned:
        error = as_addon_error(problem)
        if error.code == "internal":
            traceback.print_exception(problem)
        self.report({"ERROR"}, error_text(error))
        return self._finish(context, {"CANCELLED"})

    def _remember(self, context: bpy.types.Context, python: Path, hello: Mapping[str, Any]) -> None:
        """Use a Python that has greeted, and remember what it said."""
        chosen = session.preferences_there(context)
        if chosen.python != str(python):
            chosen.python = str(python)
        chosen.python_known = known_of(python, hello)
        self.report({"INFO"}, f"{python}: {describe_known(chosen.python_known)}")


class BLENDSHAPES_OT_check_python(_Step, bpy.types.Operator):
    """Start the backend with the chosen Python and see what it offers"""

    bl_idname = "blendshapes.check_python"
    bl_label = "Check Python"

    _work: Handshake

    def _begin(self, context: bpy.types.Context) -> None:
        path = session.preferences_there(context).python
        if not path:
            raise AddonError(
                "usage",
                "No Python is chosen.",
                "Choose one, or leave it empty to use Blender's own.",
            )
        session.backend.stop()
        self._python, session.status.preparing, session.status.prepared = (
            Path(path),
            "checking",
            0.5,
        )
        self._work = Handshake(session.ROOT, session.log_folder() / "check.log", self._python)

    def _step(self, context: bpy.types.Context) -> bool:
        hello = self._work.poll()
        if hello is not None:
            self._remember(context, self._python, hello)
        return hello is not None


class BLENDSHAPES_OT_prepare_runtime(_Step, bpy.types.Operator):
    """Download the build of ONNX Runtime that uses this machine's GPU into an environment of its
    own
    """

    bl_idname = "blendshapes.prepare_runtime"
    bl_label = "Install GPU Runtime..."

    _work: Preparation

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs online access, too."""
        if not bpy.app.online_access:
            cls.poll_message_set("Allow Online Access in the preferences under System")
            return False
        return super().poll(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """Ask first: it is a large download."""
        try:
            runtime = runtime_for(_greeting()["gpus"])
        except Exception as error:
            return self._failed(context, error)
        message = (
            f"For {runtime.why}. Downloads {runtime.packages[0]} and what it needs,"
            f" {runtime.gigabytes:g} GB on disk."
        )
        return context.window_manager.invoke_confirm(
            self, event, title="Install GPU Runtime...", message=message, confirm_text="Download"
        )

    def _begin(self, context: bpy.types.Context) -> None:
        runtime = runtime_for(_greeting()["gpus"])
        folder = session.runtimes_folder() / runtime.name
        free = shutil.disk_usage(folder.parent).free / 2**30
        if free < runtime.gigabytes * 1.5:
            raise AddonError(
                "runtime_failed",
                f"Only {free:.1f} GB are free, {runtime.gigabytes * 1.5:.1f} are needed.",
                "Free some space first.",
            )
        session.backend.stop()
        self._work = Preparation(session.ROOT, folder, runtime, blender_python())
        session.status.preparing, session.status.prepared = self._work.stage, 0.0

    def _step(self, context: bpy.types.Context) -> bool:
        done = self._work.poll()
        session.status.preparing, session.status.prepared = self._work.stage, self._work.fraction
        if done and self._work.hello is not None:
            self._remember(context, self._work.python, self._work.hello)
        return done


class BLENDSHAPES_OT_remove_runtime(bpy.types.Operator):
    """Remove the runtime that was prepared, and go back to Blender's own Python"""

    bl_idname = "blendshapes.remove_runtime"
    bl_label = "Remove Prepared Runtime"
    bl_options = {"REGISTER", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs one that was prepared here."""
        return (
            session.preferences(context) is not None
            and not session.status.preparing
            and bool(session.prepared_runtimes())
        )

    def execute(self, context: bpy.types.Context) -> Returned:
        """Remove it."""
        chosen = session.preferences_there(context)
        session.backend.stop()
        try:
            for folder in session.prepared_runtimes():
                inside = chosen.python.startswith(str(folder))
                remove(folder)
                if inside:
                    chosen.python = ""
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        self.report({"INFO"}, tr("The prepared runtime was removed"))
        return {"FINISHED"}


def known_of(python: Path, hello: Mapping[str, Any]) -> str:
    """What is remembered of a Python: when it was checked and what it said, as JSON."""
    return json.dumps(
        {
            "python": str(python),
            "changed": python.stat().st_mtime,
            "versions": hello["versions"],
            "providers": hello["providers"],
        }
    )


def describe_known(known: str) -> str:
    """That in words, "" where nothing is known."""
    if not known:
        return ""
    told = json.loads(known)
    names = [
        name.removesuffix("ExecutionProvider")
        for name in told["providers"]
        if not name.startswith("Azure")
    ]
    return f"onnxruntime {told['versions']['onnxruntime']}, {', '.join(names[:_PROVIDERS_SHOWN])}"


def still_known(known: str, python: str) -> bool:
    """Whether what is remembered is about this Python as it is now."""
    if not known or not python:
        return False
    told = json.loads(known)
    path = Path(python)
    return told["python"] == python and path.is_file() and path.stat().st_mtime == told["changed"]


def _greeting() -> Mapping[str, Any]:
    """What the backend says about itself; starts it if need be. The window stands still meanwhile,
    so not for long. Raises AddonError.
    """
    session.backend.start(patient=bpy.app.background)
    end = time.monotonic() + WINDOW_SECONDS
    while session.backend.hello is None:
        if time.monotonic() > end and not bpy.app.background:
            raise AddonError(
                "child_timeout", "The backend is still starting.", "Try again in a moment."
            )
        session.backend.wait(0.2)
    return session.backend.hello


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
