# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators: thin, they start the job, keep the window alive and report."""

import contextlib
import traceback

import bpy

from . import session
from .errors import AddonError, as_addon_error
from .job import Job, Options, Outcome, generate_for_object
from .key_writer import remove_keys
from .mesh_io import check_editable, object_mode
from .preferences import preferred_model
from .properties import (
    SETS,
    conditions_property,
    group_property,
    key_name_property,
    model_property,
    overwrite_property,
    selection_property,
    sets_property,
    strength_property,
    table_property,
)
from .tables import user_table

_TICK_SECONDS = 0.05
_OF_OPERATOR = frozenset({"SKIP_SAVE"})
_OPTIONS = ("sets", "strength", "group", "use_selection", "overwrite", "conditions", "key_name", "table", "model")


class BLENDSHAPES_OT_generate(bpy.types.Operator):
    """Make facial shape keys for the active mesh object"""

    bl_idname = "blendshapes.generate"
    bl_label = "Generate Shape Keys"
    bl_options = {"REGISTER", "UNDO"}

    # Those that a caller leaves out are taken from the scene
    sets: sets_property(_OF_OPERATOR)
    strength: strength_property(_OF_OPERATOR)
    group: group_property(_OF_OPERATOR)
    use_selection: selection_property(_OF_OPERATOR)
    overwrite: overwrite_property(_OF_OPERATOR)
    conditions: conditions_property(_OF_OPERATOR)
    key_name: key_name_property(_OF_OPERATOR)
    table: table_property(_OF_OPERATOR)
    model: model_property(_OF_OPERATOR)

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

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """From the window: work in the background of the event loop."""
        if bpy.app.background:
            return self.execute(context)  # no timer would ever run
        session.status.longest_block = 0.0
        with session.blocking():
            return self._start(context)

    def _start(self, context: bpy.types.Context) -> set[str]:
        try:
            self._job = Job(context.object, self._chosen(context), session.backend)
        except Exception as error:
            return self._failed(error)
        session.status.running, session.status.stage, session.status.fraction = True, self._job.stage, 0.0
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """One tick: read what the child said; write the keys when it is done."""
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            session.status.result, session.status.failed, session.status.warnings = "Cancelled", False, []
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        with session.blocking():
            return self._tick(context)

    def _tick(self, context: bpy.types.Context) -> set[str]:
        try:
            self._job.take(session.backend.poll())
            session.status.stage, session.status.fraction = self._job.stage, self._job.fraction
            _redraw(context)
            if not self._job.finished:
                return {"RUNNING_MODAL"}
            outcome = self._job.write()
        except Exception as error:
            self._end(context)
            return self._failed(error)
        self._end(context)
        return self._done(outcome)

    def cancel(self, context: bpy.types.Context) -> None:
        """ESC, or Blender ends the operator because another file is opened."""
        with contextlib.suppress(AddonError):  # a child that is gone has nothing left to cancel
            self._job.cancel()
        self._end(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """From scripts, in background mode and when an option is changed afterwards: work at once."""
        try:
            return self._done(generate_for_object(context.object, self._chosen(context), session.backend))
        except Exception as error:
            return self._failed(error)

    def _chosen(self, context: bpy.types.Context) -> Options:
        """The operator's options where they were given, else the scene's."""
        scene = context.scene.blendshapes
        for name in _OPTIONS:
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(scene, name))  # so that the redo panel shows what was used
        sets = tuple(name for name, *_ in SETS if name in self.sets)
        table = user_table(self.conditions, self.key_name, bpy.path.abspath(self.table))
        if not sets and table is None:
            raise AddonError("usage", "No shapes are chosen.", "Tick a set, or give conditions or a table of your own.")
        model = bpy.path.abspath(self.model) or preferred_model(context)
        return Options(sets, table, self.strength, self.group, self.use_selection, self.overwrite, model)

    def _end(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        session.status.running = False
        _redraw(context)

    def _done(self, outcome: Outcome) -> set[str]:
        session.status.result, session.status.failed, session.status.warnings = outcome.line, False, outcome.warnings
        session.status.engine = session.engine_line(outcome.report)
        for warning in outcome.warnings:
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, outcome.line)
        return {"FINISHED"}

    def _failed(self, problem: Exception) -> set[str]:
        error = as_addon_error(problem)
        if error.code == "internal":
            traceback.print_exception(problem)
        session.status.result, session.status.failed, session.status.warnings = str(error), True, []
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


class BLENDSHAPES_OT_remove(bpy.types.Operator):
    """Remove the shape keys that were generated and not edited since"""

    bl_idname = "blendshapes.remove"
    bl_label = "Remove Generated Keys"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh with keys, and no run in progress."""
        ob = context.object
        return not session.status.running and ob is not None and ob.type == "MESH" and ob.data.shape_keys is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove them."""
        try:
            with object_mode(check_editable(context.object)):
                names = remove_keys(context.object)
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{len(names)} shape keys removed")
        return {"FINISHED"}


def _redraw(context: bpy.types.Context) -> None:
    """Redraw the sidebars only: a 3D view may be slow."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
