# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate, regenerate, remove, and a look for the face."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import bpy

from ..blender_io.asked import request_of, sets_of
from ..blender_io.generated import count
from ..blender_io.key_writer import remove_keys
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..blender_io.parts import avatar_parts, moving
from ..errors import AddonError, as_addon_error
from ..job import face_view, inspection, preview, session
from ..job.generation import Job
from ..job.options import Options
from ..job.tables import Table, user_table
from ..shared_protocol import Message
from ..translations import error_text, tr
from ..typed import Returned, active_object
from .asking import Asking, OfMesh, needs_keys
from .option_properties import (
    SETS,
    conditions_property,
    key_name_property,
    sets_property,
    table_property,
)
from .run import OF_OPERATOR, Run


class BLENDSHAPES_OT_generate(Run, bpy.types.Operator):
    """Make facial shape keys for the active mesh object"""

    bl_idname = "blendshapes.generate"
    bl_label = "Generate Shape Keys"

    sets: Annotated[set[str], sets_property(OF_OPERATOR)]
    conditions: Annotated[str, conditions_property(OF_OPERATOR)]
    key_name: Annotated[str, key_name_property(OF_OPERATOR)]
    table: Annotated[str, table_property(OF_OPERATOR)]

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


def asked_before(ob: bpy.types.Object) -> tuple[tuple[str, ...], Table | None]:
    """The sets and the table that the object's keys were made from. Raises AddonError `usage` where
    that is not known.
    """
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
    return known, table or None


class BLENDSHAPES_OT_update(Run, bpy.types.Operator):
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
        sets, table = asked_before(active_object(context))
        return replace(self._taken(context), sets=sets, table=table, only_existing=True)


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
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        session.clear_status()
        keys = tr("1 shape key" if removed == 1 else "{count} shape keys").format(count=removed)
        self.report({"INFO"}, tr("Removed {keys}").format(keys=keys))
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
            self.report({"ERROR"}, error_text(as_addon_error(problem)))
            return {"CANCELLED"}

    def _found(self, seen: inspection.Inspection) -> Returned:
        face_view.show(bpy.context, active_object(bpy.context), seen.landmarks)
        self.report(
            {"INFO"},
            tr("Face detected: affects {moving} of {all} vertices").format(
                moving=f"{seen.face_vertices:,}", all=f"{seen.vertices:,}"
            ),
        )
        return {"FINISHED"}
