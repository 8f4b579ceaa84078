# SPDX-License-Identifier: GPL-3.0-or-later
"""Test Face: shapes in a row, recordings, live tracking. What is only shown leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import bpy
from bpy_extras.io_utils import ImportHelper

from ..blender_io.key_export import some
from ..blender_io.mesh_io import check_editable
from ..errors import AddonError, as_addon_error
from ..job import face_view, playing, receiving, recorded
from ..tracking.recordings import Recording
from ..translations import error_text, tr
from ..typed import OperatorMixin, Returned, active_object, mesh_of, of_window
from .asking import OfMesh

if TYPE_CHECKING:
    Helper = OperatorMixin
else:
    Helper = ImportHelper

# Where trackers send to, if nobody tells them otherwise
PORTS = {"vrchat": 9000, "vmc": 39539, "ifacialmocap": 49983}


class _OfKeys(OfMesh):
    """An operator that needs a mesh with shape keys."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs shape keys."""
        if not super().poll(context):
            return False
        if mesh_of(active_object(context)).shape_keys is None:
            cls.poll_message_set("This mesh has no shape keys")
            return False
        return True

    def _play(
        self, context: bpy.types.Context, recording: Recording, row: bool = False
    ) -> Returned:
        ob = check_editable(active_object(context))
        playing.start(context, ob, recording, row, of_window(context).track_turn)
        face_view.show_posed(context, ob)
        return {"FINISHED"}

    def _keep(self, context: bpy.types.Context, recording: Recording) -> Returned:
        """Write the action, and tell what came of it."""
        kept = recorded.keep(context, check_editable(active_object(context)), recording)
        if kept.unused:
            self.report(
                {"WARNING"}, tr("No key moves by: {names}").format(names=some(list(kept.unused)))
            )
        if kept.driven:
            self.report(
                {"WARNING"},
                tr("Their drivers go before the action: {names}").format(
                    names=some(list(kept.driven))
                ),
            )
        if kept.before:
            self.report(
                {"INFO"}, tr("The action {name} is kept with the file").format(name=kept.before)
            )
        self.report(
            {"INFO"},
            tr("Action {name}: {count} keys, frames {first} to {last}").format(
                name=kept.action, count=kept.keys, first=kept.frames[0], last=kept.frames[1]
            ),
        )
        return {"FINISHED"}

    def _refused(self, problem: Exception) -> Returned:
        self.report({"ERROR"}, error_text(as_addon_error(problem)))
        return {"CANCELLED"}


class BLENDSHAPES_OT_play_shapes(_OfKeys, bpy.types.Operator):
    """Play all generated shapes in a row on the timeline; nothing of it stays"""

    bl_idname = "blendshapes.play_shapes"
    bl_label = "Play All Shapes"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Play."""
        try:
            return self._play(context, recorded.all_shapes(active_object(context)), row=True)
        except AddonError as error:
            return self._refused(error)


class BLENDSHAPES_OT_play_sample(_OfKeys, bpy.types.Operator):
    """Play a short recording of a face on the timeline; nothing of it stays"""

    bl_idname = "blendshapes.play_sample"
    bl_label = "Play Sample"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Play."""
        try:
            return self._play(context, recorded.sample())
        except AddonError as error:
            return self._refused(error)


class _OfFile(_OfKeys, Helper):
    """An operator that reads a recording."""

    filename_ext = ".csv"
    check_extension = None  # both types are taken
    filter_glob: Annotated[str, bpy.props.StringProperty(default="*.csv;*.txt", options={"HIDDEN"})]

    def _recording(self) -> Recording:
        own: Any = self  # `filepath` comes from ImportHelper
        return recorded.read(Path(bpy.path.abspath(own.filepath)))


class BLENDSHAPES_OT_play_recording(_OfFile, bpy.types.Operator):
    """Play a recording of Live Link Face (.csv) or Face Cap (.txt); nothing of it stays unless you
    keep it
    """

    bl_idname = "blendshapes.play_recording"
    bl_label = "Play Recording..."
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Play."""
        try:
            return self._play(context, self._recording())
        except AddonError as error:
            return self._refused(error)


class BLENDSHAPES_OT_import_recording(_OfFile, bpy.types.Operator):
    """Import a recording of Live Link Face (.csv) or Face Cap (.txt) as an action on the keys"""

    bl_idname = "blendshapes.import_recording"
    bl_label = "Import Recording..."
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Import."""
        try:
            return self._keep(context, self._recording())
        except AddonError as error:
            return self._refused(error)


class BLENDSHAPES_OT_keep_recording(_OfKeys, bpy.types.Operator):
    """Keep the recording that plays as an action on the shape keys"""

    bl_idname = "blendshapes.keep_recording"
    bl_label = "Keep as Action"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a recording that plays."""
        play = playing.current()
        return super().poll(context) and play is not None and play.routes is not None

    def execute(self, context: bpy.types.Context) -> Returned:
        """Keep it."""
        play = playing.current()
        if play is None:
            return {"CANCELLED"}
        try:
            return self._keep(context, play.recording)
        except AddonError as error:
            return self._refused(error)


class BLENDSHAPES_OT_test_stop(bpy.types.Operator):
    """Stop; keys, frame and range are as they were before"""

    bl_idname = "blendshapes.test_stop"
    bl_label = "Stop"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs something that plays."""
        return playing.current() is not None

    def execute(self, context: bpy.types.Context) -> Returned:
        """Stop."""
        playing.stop()
        face_view.give_back(context)
        return {"FINISHED"}


class BLENDSHAPES_OT_track_start(_OfKeys, bpy.types.Operator):
    """Move the face by live tracking that is sent to this port; nothing of it stays"""

    bl_idname = "blendshapes.track_start"
    bl_label = "Start Live"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Listen."""
        shown = of_window(context)
        try:
            ob = check_editable(active_object(context))
            port = shown.track_port or PORTS[shown.track_source]
            receiver = receiving.start(ob, shown.track_address, port, shown.track_turn)
        except AddonError as error:
            return self._refused(error)
        face_view.show_posed(context, ob)
        self.report(
            {"INFO"},
            tr("Listening to {address}, port {port}").format(
                address=receiver.address, port=receiver.port
            ),
        )
        return {"FINISHED"}


class BLENDSHAPES_OT_track_stop(bpy.types.Operator):
    """Stop live tracking; the keys are as they were before"""

    bl_idname = "blendshapes.track_stop"
    bl_label = "Stop Live"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs live tracking."""
        return receiving.current() is not None

    def execute(self, context: bpy.types.Context) -> Returned:
        """Stop."""
        receiving.stop()
        face_view.give_back(context)
        return {"FINISHED"}


CLASSES = (
    BLENDSHAPES_OT_play_shapes,
    BLENDSHAPES_OT_play_sample,
    BLENDSHAPES_OT_play_recording,
    BLENDSHAPES_OT_import_recording,
    BLENDSHAPES_OT_keep_recording,
    BLENDSHAPES_OT_test_stop,
    BLENDSHAPES_OT_track_start,
    BLENDSHAPES_OT_track_stop,
)
