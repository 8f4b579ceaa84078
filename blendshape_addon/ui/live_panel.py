# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the expression sliders."""

import re

import bpy

from ..job import live, session
from ..ops.live_operators import (
    HOLDER,
    BLENDSHAPES_OT_live_end,
    BLENDSHAPES_OT_live_keep,
    BLENDSHAPES_OT_live_reset,
    BLENDSHAPES_OT_live_start,
)
from ..typed import of_window
from .tab import OfMeshTab, draw_lines, progress_text, text_width


class BLENDSHAPES_PT_live(OfMeshTab, bpy.types.Panel):
    """Sliders that show on the face at once."""

    bl_idname = "BLENDSHAPES_PT_live"
    bl_label = "Expression Sliders"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, shown, now = self.layout, of_window(context), live.current()
        if session.status.running:
            layout.label(text=progress_text(), translate=False)
            return
        if now is None:
            layout.operator(BLENDSHAPES_OT_live_start.bl_idname, icon="PLAY")
            return
        layout.label(text=now.name, icon="OUTLINER_OB_MESH", translate=False)
        if now.why:
            draw_lines(layout, now.why, "ERROR", text_width(context))
        row = layout.row(align=True)
        row.prop(shown, "live_name", text="")
        row.operator(BLENDSHAPES_OT_live_keep.bl_idname, text="Keep Shape", icon="SHAPEKEY_DATA")
        row = layout.row(align=True)
        row.operator(BLENDSHAPES_OT_live_reset.bl_idname, icon="LOOP_BACK")
        row.operator(BLENDSHAPES_OT_live_end.bl_idname, text="Stop Preview", icon="X")
        layout.prop(shown, "live_filter", text="", icon="VIEWZOOM")
        sliders, heading = getattr(context.window_manager, HOLDER, None), ""
        if sliders is None:
            return
        column = layout.column(align=True)
        for index, condition in enumerate(now.conditions):
            if shown.live_filter.casefold() not in condition.name.casefold():
                continue
            word = "".join(re.findall(r"^[a-z]+", condition.name))
            if word != heading and heading:
                column.separator()
            heading = word
            column.prop(sliders, f"c{index}", slider=True, translate=False)
