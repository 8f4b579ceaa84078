# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that ask the child for something: they keep the window alive while they wait, and tell
what came of it.
"""

import contextlib
import traceback
from collections.abc import Callable, Sequence
from typing import Protocol

import bpy

from ..blender_io.generated import count
from ..errors import AddonError, as_addon_error
from ..job import inspection, session
from ..shared_protocol import Message
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned, active_object, status_text

_TICK_SECONDS = 0.01  # what is read in steps, and what the child says, waits no longer


class OfMesh(OperatorMixin):
    """An operator that needs a mesh."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh, and no run in progress."""
        if session.status.running:
            cls.poll_message_set("A run is in progress")
            return False
        if context.object is None or context.object.type != "MESH":
            cls.poll_message_set("Make the mesh with the avatar's face the active object")
            return False
        return True


def needs_keys(cls: type[OperatorMixin], context: bpy.types.Context) -> bool:
    """Whether keys were generated on the active mesh; what else an operator's poll says."""
    if not count(active_object(context)):
        cls.poll_message_set("No keys were generated on this mesh")
        return False
    return True


class Work(Protocol):
    """What the child was asked for, and how far it is."""

    stage: str
    fraction: float

    @property
    def seconds_left(self) -> float | None:
        """An estimate, where there is one."""

    def cancel(self) -> None:
        """Take it back."""


class Asking(OfMesh):
    """An operator that asks the child for something and waits: modal with a window, blocking
    without one.
    """

    _work: Work

    def _wait(self, context: bpy.types.Context) -> Returned:
        """Let the window live from here on; `modal` is called at every tick."""
        status = session.status
        status.running, status.stage, status.fraction, status.seconds_left = (
            True,
            self._work.stage,
            0.0,
            None,
        )
        context.window_manager.progress_begin(0, 100)
        status_text(context, f"BlendShapes   {tr('Esc: Cancel')}")
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """ESC, or Blender ends the operator because another file is opened."""
        with contextlib.suppress(AddonError):  # a child that is gone has nothing left to cancel
            self._work.cancel()
        session.see_off()
        self._end(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """One tick, or ESC."""
        if event.type == "ESC" and event.value == "PRESS":
            return self._escaped(context)
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        with session.blocking():
            return self._tick(context)

    def _tick(self, context: bpy.types.Context) -> Returned:
        """Read what the child said and show how far it is, until a step says what is left to do."""
        try:
            rest = self._step(context, session.backend.poll())
        except Exception as error:
            self._end(context)
            return self._failed(error)
        status = session.status
        status.stage, status.fraction, status.seconds_left = (
            self._work.stage,
            self._work.fraction,
            self._work.seconds_left,
        )
        if session.redraw_soon(context):
            context.window_manager.progress_update(100 * status.fraction)
        if rest is None:
            return {"RUNNING_MODAL"}
        self._end(context)
        return rest()

    def _step(
        self, context: bpy.types.Context, messages: Sequence[Message]
    ) -> Callable[[], Returned] | None:
        """Take what the child said; what is left to do when it is done, None until then."""
        raise AssertionError("each operator has its own")

    def _escaped(self, context: bpy.types.Context) -> Returned:
        """ESC: nothing is begun again by itself, either."""
        self.cancel(context)
        inspection.give_up(context)
        session.status.end(context.object, tr("Cancelled"))
        return {"CANCELLED"}

    def _end(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        session.status.running = False
        context.window_manager.progress_end()
        status_text(context, None)
        session.redraw(context)

    def _failed(self, problem: Exception) -> Returned:
        error = as_addon_error(problem)
        session.status.end(bpy.context.object, str(error), error)
        if error.code == "internal":
            traceback.print_exception(problem)
            session.status.trace = "".join(traceback.format_exception(problem))
        self.report({"ERROR"}, error_text(error))
        return {"CANCELLED"}
