# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators that make keys share: options from the panel, the job, what came of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import bpy

from ..blender_io.avatar_objects import find
from ..blender_io.mesh_io import check_editable
from ..job import chosen, inspection, live, preview, session
from ..job.generation import Job, first_look, generate_for_object
from ..job.options import Options
from ..job.outcome import Outcome, Result
from ..job.reading import Reading
from ..shared_protocol import Message
from ..translations import said, tr
from ..typed import Returned, active_object, of_scene, of_window
from .asking import Asking
from .option_properties import (
    REGIONS,
    Flags,
    alias_property,
    group_property,
    guide_property,
    model_property,
    naming_property,
    overwrite_property,
    parts_property,
    region_property,
    selection_property,
    strength_property,
    style_property,
    turn_eyes_property,
    vrm_property,
)

OF_OPERATOR: Flags = frozenset({"SKIP_SAVE"})
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
    ("Facial Area", ("group", "use_selection", "parts", "model")),
    ("Output", ("naming", "alias", "vrm", "overwrite")),
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
    *("parts", "naming", "alias", "guide", "turn_eyes", "vrm"),
    *_REGIONS,
)


class Run(Asking):
    """An operator that makes keys."""

    bl_options = {"REGISTER", "UNDO"}

    _work: Job | Reading
    _reading: Reading
    _options: Options
    _first: bool  # only the face is looked for yet: where a part lies says what it is
    _left_out: list[str]

    def _chosen(self, context: bpy.types.Context) -> Options:
        """What to make, and how."""
        raise NotImplementedError

    # Those that a caller leaves out are taken from the scene
    strength: Annotated[float, strength_property(OF_OPERATOR)]
    style: Annotated[float, style_property(OF_OPERATOR)]
    brows: Annotated[float, region_property(0, OF_OPERATOR)]
    eyes: Annotated[float, region_property(1, OF_OPERATOR)]
    cheeks: Annotated[float, region_property(2, OF_OPERATOR)]
    mouth: Annotated[float, region_property(3, OF_OPERATOR)]
    jaw: Annotated[float, region_property(4, OF_OPERATOR)]
    tongue: Annotated[float, region_property(5, OF_OPERATOR)]
    group: Annotated[str, group_property(OF_OPERATOR)]
    use_selection: Annotated[bool, selection_property(OF_OPERATOR)]
    overwrite: Annotated[bool, overwrite_property(OF_OPERATOR)]
    model: Annotated[str, model_property(OF_OPERATOR)]
    parts: Annotated[bool, parts_property(OF_OPERATOR)]
    naming: Annotated[str, naming_property(OF_OPERATOR)]
    alias: Annotated[bool, alias_property(OF_OPERATOR)]
    guide: Annotated[str, guide_property(OF_OPERATOR)]
    turn_eyes: Annotated[bool, turn_eyes_property(OF_OPERATOR)]
    vrm: Annotated[str, vrm_property(OF_OPERATOR)]

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
            self._reading = Reading(check_editable(active_object(context)), self._options)
            session.backend.start()  # it gets ready while the avatar is read
            self._work = self._reading
            self._read()
        except Exception as error:
            return self._failed(error)
        return self._wait(context)

    def _read(self) -> None:
        """Read on for a moment; when all is read, ask the child."""
        self._reading.step()
        if not self._reading.finished:
            return
        face = check_editable(find(self._reading.identity))
        marks = inspection.known_landmarks(face)
        look = first_look(face, self._options, session.backend, marks, patient=False)
        self._first = look is not None
        self._work = look if look is not None else self._job(face, marks)

    def _job(self, face: bpy.types.Object, marks: Mapping[str, tuple[float, float, float]]) -> Job:
        return Job(
            face,
            self._options,
            session.backend,
            landmarks=marks,
            entries=self._reading.entries,
        )

    def _step(
        self, context: bpy.types.Context, messages: Sequence[Message]
    ) -> Callable[[], Returned] | None:
        """Write the keys when all is there."""
        if isinstance(self._work, Reading):
            self._read()
            return None
        self._work.take(messages)
        if not self._work.finished:
            return None
        if self._first:
            self._first = False
            self._work = self._job(self._work.objects()[0], self._work.landmarks)
            return None
        if not self._work.prepared:
            self._work.prepare()  # and write in a later tick: in between, the window lives
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
            sets=(),
            strength=self.strength,
            group=self.group,
            use_selection=self.use_selection,
            overwrite=self.overwrite,
            model=self.model or chosen.of_preferences(context),
            regions={name: getattr(self, name) for name in _REGIONS if getattr(self, name) != 1},
            parts=self.parts,
            naming=self.naming,
            alias=self.alias,
            guide=self.guide,
            style=self.style,
            turn_eyes=self.turn_eyes,
            vrm=self.vrm,
        )

    def _takes(self, name: str) -> bool:
        """Whether an option comes from the scene."""
        return hasattr(self, name) and not self.properties.is_property_set(name)

    def _done(self, context: bpy.types.Context, outcome: Outcome) -> Returned:
        posed = {pose.words: pose.said() for pose in outcome.poses}
        status, warnings = session.status, [*self._left_out, *outcome.warnings]
        status.end(bpy.data.objects.get(outcome.object), _told(outcome), warnings=warnings)
        status.made = outcome.made
        if session.engine_is_another(outcome.report):
            status.engine = session.engine_line(outcome.report)
        status.poses = list(outcome.poses)
        list_results(context, outcome.results)
        for warning in warnings:
            self.report({"WARNING"}, posed.get(warning) or said(warning))
        self.report({"INFO"}, status.result)
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
    counts = dict(outcome.counts)
    added, updated = counts.pop("{count} added", 0), counts.pop("{count} updated", 0)
    if added and updated:
        made = tr("Added {keys} to {object} and updated {updated}")
    elif updated:
        made = tr("Updated {keys} on {object}")
    elif added:
        made = tr("Added {keys} to {object}")
    else:
        made = tr("Nothing was made on {object}")
    keys = tr("1 shape key") if (added or updated) == 1 else tr("{count} shape keys")
    told = [
        made.format(
            object=outcome.object, keys=keys.format(count=added or updated), updated=updated
        )
    ]
    if outcome.parts and len(outcome.parts) < outcome.asked_parts:
        told.append(
            tr("{count} of {all} separate parts move").format(
                count=len(outcome.parts), all=outcome.asked_parts
            )
        )
    elif outcome.parts:
        told[0] += f" {tr('and {count} separate parts').format(count=len(outcome.parts))}"
    return ", ".join([*told, *(tr(text).format(count=count) for text, count in counts.items())])
