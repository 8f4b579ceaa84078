# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel that tries the face out: shapes in a row, recordings, live tracking."""

import bpy

from ..job import playing, receiving
from ..job.driven import Driven
from ..job.preview import unseen
from ..ops.face_operators import (
    PORTS,
    BLENDSHAPES_OT_import_recording,
    BLENDSHAPES_OT_keep_recording,
    BLENDSHAPES_OT_play_recording,
    BLENDSHAPES_OT_play_sample,
    BLENDSHAPES_OT_play_shapes,
    BLENDSHAPES_OT_test_stop,
    BLENDSHAPES_OT_track_start,
    BLENDSHAPES_OT_track_stop,
)
from ..tracking.packets import BAD, FOREIGN, PARTIAL, TAKEN
from ..translations import tr
from ..typed import active_object, mesh_of, of_window
from .tab import OfMeshTab, draw_lines, text_width


class BLENDSHAPES_PT_face(OfMeshTab, bpy.types.Panel):
    """Whether the shapes work when they are driven."""

    bl_idname = "BLENDSHAPES_PT_face"
    bl_label = "Test Face"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh with shape keys."""
        return super().poll(context) and mesh_of(active_object(context)).shape_keys is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout = self.layout
        if receiving.current() is not None:
            _draw_live(layout, context)
            return
        if playing.current() is not None:
            _draw_play(layout, context)
            return
        column = layout.column(align=True)
        row = column.row(align=True)
        row.operator(BLENDSHAPES_OT_play_shapes.bl_idname, icon="PLAY")
        row.operator(BLENDSHAPES_OT_play_sample.bl_idname, icon="PLAY")
        row = column.row(align=True)
        row.operator(BLENDSHAPES_OT_play_recording.bl_idname, icon="FILE_MOVIE")
        row.operator(
            BLENDSHAPES_OT_import_recording.bl_idname, text="Import...", icon="IMPORT"
        )  # beside Play Recording...
        shown = of_window(context)
        layout.prop(shown, "track_turn")
        column = layout.column(align=True)
        row = column.row(align=True)
        row.prop(shown, "track_source", text="")
        row.operator(BLENDSHAPES_OT_track_start.bl_idname, icon="RADIOBUT_ON")
        row = column.row(align=True)
        row.prop(shown, "track_address", text="")
        row.prop(shown, "track_port")
        if not shown.track_port:
            port = tr("Port {port}").format(port=PORTS[shown.track_source])
            column.label(text=port, icon="INFO", translate=False)


def _draw_play(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    play = playing.current()
    if play is None:
        return
    layout.label(text=playing.shape_now(context.scene), icon="SHAPEKEY_DATA", translate=False)
    layout.operator(BLENDSHAPES_OT_test_stop.bl_idname, icon="SNAP_FACE")
    if play.routes is not None:
        layout.operator(BLENDSHAPES_OT_keep_recording.bl_idname, icon="ACTION")
    _draw_why(layout, context, play.driven)


def _draw_live(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The button comes above the lines that come and go by themselves: it must not move away from
    under the mouse.
    """
    receiver = receiving.current()
    if receiver is None:
        return
    place = tr("Listening to {address}, port {port}").format(
        address=receiver.address, port=receiver.port
    )
    draw_lines(layout, place, "RADIOBUT_ON", text_width(context))
    layout.operator(BLENDSHAPES_OT_track_stop.bl_idname, icon="SNAP_FACE")
    counts = receiver.state.counts
    told = tr("{taken} packets; {foreign} of something else, {bad} bad").format(
        taken=counts[TAKEN], foreign=counts[FOREIGN], bad=counts[BAD]
    )
    draw_lines(layout, told, "INFO", text_width(context))
    if counts[PARTIAL]:
        partial = tr("{partial} packets with bits of numbers whose other bits have not come yet")
        draw_lines(layout, partial.format(partial=counts[PARTIAL]), "INFO", text_width(context))
    if receiver.silent():
        silent = tr("Nothing comes in: set this address and port in the tracking app")
        draw_lines(layout, silent, "ERROR", text_width(context))
    _draw_why(layout, context, receiver.driven)


def _draw_why(layout: bpy.types.UILayout, context: bpy.types.Context, driven: Driven) -> None:
    """Why less is seen than was asked for."""
    why = unseen(active_object(context))
    if why:
        draw_lines(layout, why, "ERROR", text_width(context))
    if driven.turning and not driven.bones:
        none = tr("No bone of head or eyes is free to turn")
        draw_lines(layout, none, "ERROR", text_width(context))
