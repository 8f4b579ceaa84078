# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators: thin, they start the job, keep the window alive and report."""

import contextlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Protocol

import bpy

from ..blender_io.generated import count, request_of, sets_of
from ..blender_io.key_writer import remove_keys
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..blender_io.parts import avatar_parts, moving
from ..errors import AddonError, as_addon_error
from ..job import chosen, face_view, inspection, live, preview, session
from ..job.generation import Job, Options, Outcome, Result, first_look, generate_for_object
from ..job.tables import user_table
from ..shared_protocol import Message
from ..translations import tr
from ..typed import OperatorMixin, Returned, active_object, of_scene, of_window, status_text
from .option_properties import (
    REGIONS,
    SETS,
    Flags,
    alias_property,
    conditions_property,
    group_property,
    guide_property,
    key_name_property,
    model_property,
    naming_property,
    overwrite_property,
    parts_property,
    region_property,
    selection_property,
    sets_property,
    strength_property,
    style_property,
    table_property,
    turn_eyes_property,
)

_TICK_SECONDS = 0.05
_OF_OPERATOR: Flags = frozenset({"SKIP_SAVE"})
_REGIONS = tuple(name for name, *_ in REGIONS)
_GROUPS = (
    (
        "Shapes",
        (
            "sets",
            "conditions",
            "key_name",
            "table",
            "strength",
            "style",
            *_REGIONS,
            "guide",
            "turn_eyes",
        ),
    ),
    ("Face", ("group", "use_selection", "parts", "model")),
    ("Output", ("naming", "alias", "overwrite")),
)
_OPTIONS = (
    *(
        "sets",
        "strength",
        "style",
        "group",
        "use_selection",
        "overwrite",
        "conditions",
        "key_name",
        "table",
        "model",
    ),
    *("parts", "naming", "alias", "guide", "turn_eyes"),
    *_REGIONS,
)


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
        context.window_manager.progress_update(100 * status.fraction)
        session.redraw(context)
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
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


class _Run(Asking):
    """An operator that makes keys."""

    bl_options = {"REGISTER", "UNDO"}

    _work: Job
    _options: Options
    _first: bool  # only the face is looked for yet: where a part lies says what it is
    _left_out: list[str]

    def _chosen(self, context: bpy.types.Context) -> Options:
        """What to make, and how."""
        raise NotImplementedError

    # Those that a caller leaves out are taken from the scene
    strength: Annotated[float, strength_property(_OF_OPERATOR)]
    style: Annotated[float, style_property(_OF_OPERATOR)]
    brows: Annotated[float, region_property(0, _OF_OPERATOR)]
    eyes: Annotated[float, region_property(1, _OF_OPERATOR)]
    cheeks: Annotated[float, region_property(2, _OF_OPERATOR)]
    mouth: Annotated[float, region_property(3, _OF_OPERATOR)]
    jaw: Annotated[float, region_property(4, _OF_OPERATOR)]
    tongue: Annotated[float, region_property(5, _OF_OPERATOR)]
    group: Annotated[str, group_property(_OF_OPERATOR)]
    use_selection: Annotated[bool, selection_property(_OF_OPERATOR)]
    overwrite: Annotated[bool, overwrite_property(_OF_OPERATOR)]
    model: Annotated[str, model_property(_OF_OPERATOR)]
    parts: Annotated[bool, parts_property(_OF_OPERATOR)]
    naming: Annotated[str, naming_property(_OF_OPERATOR)]
    alias: Annotated[bool, alias_property(_OF_OPERATOR)]
    guide: Annotated[str, guide_property(_OF_OPERATOR)]
    turn_eyes: Annotated[bool, turn_eyes_property(_OF_OPERATOR)]

    def draw(self, context: bpy.types.Context) -> None:
        """The redo panel: what decides about the shapes, the face that they are made for, and how
        the keys are written, each under its heading.
        """
        layout = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        for heading, names in _GROUPS:
            there = [name for name in names if hasattr(self, name)]
            if there:
                layout.label(text=heading)
                column = layout.column(align=True)
                for name in there:
                    column.prop(self, name)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """From the window: work in the background of the event loop."""
        if bpy.app.background:
            return self.execute(context)  # no timer would ever run
        session.status.longest_block = session.status.longest_work = 0.0
        with session.blocking():
            return self._start(context)

    def _start(self, context: bpy.types.Context) -> Returned:
        try:
            self._options = self._chosen(context)
            self._prepare()
            face = check_editable(active_object(context))
            marks = inspection.known_landmarks(face)
            look = first_look(face, self._options, session.backend, marks, patient=False)
            self._first = look is not None
            self._work = (
                look
                if look is not None
                else Job(face, self._options, session.backend, landmarks=marks)
            )
        except Exception as error:
            return self._failed(error)
        return self._wait(context)

    def _step(
        self, context: bpy.types.Context, messages: Sequence[Message]
    ) -> Callable[[], Returned] | None:
        """Write the keys when all is there."""
        self._work.take(messages)
        if not self._work.finished:
            return None
        if self._first:
            self._first = False
            self._work = Job(
                self._work.objects()[0],
                self._options,
                session.backend,
                landmarks=self._work.landmarks,
            )
            return None
        if not self._work.prepared:
            self._work.prepare()  # and write in the next tick: in between, the window lives
            return None
        outcome = self._work.write()
        return lambda: self._done(context, outcome)

    def execute(self, context: bpy.types.Context) -> Returned:
        """From scripts, in background mode and when an option is changed afterwards: work at
        once.
        """
        try:
            options = self._chosen(context)
            self._prepare()
            return self._done(
                context, generate_for_object(context.object, options, session.backend)
            )
        except Exception as error:
            return self._failed(error)

    def _prepare(self) -> None:
        """No Fallback may be under way, and the face rests."""
        inspection.stop()
        preview.stop()
        now = live.current()
        if now is not None:
            now.rest()

    def _taken(self, context: bpy.types.Context) -> Options:
        """The operator's options where they were given, else the scene's; without the shapes."""
        scene = of_scene(context)
        self._left_out = [
            named.told for named in chosen.asked(context.scene) if self._takes(named.kind)
        ]
        for name in _OPTIONS:
            if self._takes(name):
                named = name in chosen.KINDS
                setattr(
                    self,
                    name,
                    chosen.of_scene(context.scene, name) if named else getattr(scene, name),
                )  # the redo panel shows what was used
            elif hasattr(self, name) and name in chosen.KINDS:
                setattr(
                    self, name, chosen.whole(getattr(self, name))
                )  # of the file that is open now, also when it is repeated in another
        return Options(
            (),
            None,
            self.strength,
            self.group,
            self.use_selection,
            self.overwrite,
            self.model or chosen.of_preferences(context),
            {name: getattr(self, name) for name in _REGIONS if getattr(self, name) != 1},
            self.parts,
            self.naming,
            self.alias,
            self.guide,
            style=self.style,
            turn_eyes=self.turn_eyes,
        )

    def _takes(self, name: str) -> bool:
        """Whether an option comes from the scene."""
        return hasattr(self, name) and not self.properties.is_property_set(name)

    def _done(self, context: bpy.types.Context, outcome: Outcome) -> Returned:
        status, warnings = session.status, [*self._left_out, *outcome.warnings]
        status.end(bpy.data.objects.get(outcome.object), _told(outcome), warnings=warnings)
        status.engine, status.made = session.engine_line(outcome.report), outcome.made
        list_results(context, outcome.results)
        for warning in warnings:
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, outcome.line)
        return {"FINISHED"} if outcome.written.added or outcome.written.updated else {"CANCELLED"}


def list_results(context: bpy.types.Context, results: Sequence[Result]) -> None:
    """List what a run made, for scripts: `window_manager.blendshapes.results`."""
    listed = of_window(context)
    listed.results.clear()
    listed["result"] = -1
    for result in results:
        row = listed.results.add()
        row.name, row.state, row.confidence, row.note = (
            result.name,
            result.state,
            result.confidence,
            result.note,
        )


def _told(outcome: Outcome) -> str:
    """What was made in one sentence, in the language of the interface."""
    report = outcome.report
    told = ", ".join(tr(text).format(count=count) for text, count in outcome.counts) or tr(
        "nothing to do"
    )
    parts = f" {tr('and {count} parts').format(count=len(outcome.parts))}" if outcome.parts else ""
    made = tr("{count} shape keys ({counts}) on {moving} of {all} vertices").format(
        count=outcome.made,
        counts=told,
        moving=f"{report['face_vertices']:,}",
        all=f"{report['vertices']:,}",
    )
    return f"{outcome.object}{parts}: {made}"


class BLENDSHAPES_OT_generate(_Run, bpy.types.Operator):
    """Make facial shape keys for the active mesh object"""

    bl_idname = "blendshapes.generate"
    bl_label = "Generate Shape Keys"

    sets: Annotated[set[str], sets_property(_OF_OPERATOR)]
    conditions: Annotated[str, conditions_property(_OF_OPERATOR)]
    key_name: Annotated[str, key_name_property(_OF_OPERATOR)]
    table: Annotated[str, table_property(_OF_OPERATOR)]

    def _chosen(self, context: bpy.types.Context) -> Options:
        options = self._taken(context)
        sets = tuple(name for name, *_ in SETS if name in self.sets)
        table = user_table(self.conditions, self.key_name, self.table)
        if not sets and table is None:
            fix = " ".join(
                ["Choose at least one set, or a custom mix or set of your own.", *self._left_out]
            )
            raise AddonError("usage", "Nothing to generate.", fix)
        return replace(options, sets=sets, table=table)


class BLENDSHAPES_OT_update(_Run, bpy.types.Operator):
    """Make the generated keys anew with the present strengths, style and landmarks; keys that you
    made or edited stay as they are
    """

    bl_idname = "blendshapes.update"
    bl_label = "Regenerate Keys"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs keys that were generated."""
        return super().poll(context) and needs_keys(cls, context)

    def _chosen(self, context: bpy.types.Context) -> Options:
        ob = active_object(context)
        sets, table = request_of(ob)
        if not sets and not table:
            sets = sets_of(ob)  # joined into another mesh, whose key data it has now
        known = tuple(name for name, *_ in SETS if name in sets)
        if not known and not table:
            raise AddonError(
                "usage",
                "It is not known what the keys were made from.",
                "Tick their sets and generate again.",
            )
        return replace(self._taken(context), sets=known, table=table or None, only_existing=True)


class BLENDSHAPES_OT_remove(OfMesh, bpy.types.Operator):
    """Remove the shape keys that were generated and not edited since, also from the avatar's other
    parts
    """

    bl_idname = "blendshapes.remove"
    bl_label = "Remove Generated Keys"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs keys that were generated."""
        return super().poll(context) and needs_keys(cls, context)

    def execute(self, context: bpy.types.Context) -> Returned:
        """Remove them."""
        preview.stop()
        try:
            face = active_object(context)
            parts = moving(avatar_parts(face, found_landmarks(face)))
            removed = 0
            for number, ob in enumerate([face, *(part.ob for part in parts if count(part.ob))]):
                with object_mode(check_editable(ob)):
                    names = remove_keys(ob)
                removed = len(names) if number == 0 else removed
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        session.clear_status()
        self.report({"INFO"}, f"Removed {removed} shape key{'s' * (removed != 1)}")
        return {"FINISHED"}


class BLENDSHAPES_OT_inspect(Asking, bpy.types.Operator):
    """Look for the face of the active object again, without making keys"""

    bl_idname = "blendshapes.inspect"
    bl_label = "Find Face"
    bl_options = {"REGISTER"}

    _work: Job

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """From the window: wait in the background of the event loop."""
        if bpy.app.background:
            return self.execute(context)
        session.clear_status()
        try:
            self._work = inspection.begin(context)
        except Exception as error:
            return self._failed(error)
        return self._wait(context)

    def _step(
        self, context: bpy.types.Context, messages: Sequence[Message]
    ) -> Callable[[], Returned] | None:
        self._work.take(messages)
        return (
            (lambda: self._found(inspection.show(context, self._work)))
            if self._work.finished
            else None
        )

    def execute(self, context: bpy.types.Context) -> Returned:
        """From scripts and in background mode: wait."""
        session.clear_status()
        try:
            return self._found(inspection.inspect_now(context))
        except Exception as problem:
            self.report({"ERROR"}, str(as_addon_error(problem)))
            return {"CANCELLED"}

    def _found(self, seen: inspection.Inspection) -> Returned:
        face_view.show(bpy.context, active_object(bpy.context), seen.landmarks)
        self.report(
            {"INFO"}, f"Face detected: affects {seen.face_vertices:,} of {seen.vertices:,} vertices"
        )
        return {"FINISHED"}
