# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab."""

import textwrap

import bpy

from . import session
from .operators import BLENDSHAPES_OT_generate, BLENDSHAPES_OT_remove

_CHARACTER = 9.0  # pixels, a little more than the interface font's mean width


class _Tab:
    """Where the panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "BlendShapes"


class BLENDSHAPES_PT_generate(_Tab, bpy.types.Panel):
    """Object, sets, strength, Generate, and what came of it."""

    bl_idname = "BLENDSHAPES_PT_generate"
    bl_label = "BlendShapes"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, chosen, status = self.layout, context.scene.blendshapes, session.status
        ob = context.object
        if ob is not None and ob.type == "MESH":
            layout.label(text=ob.name, icon="OUTLINER_OB_MESH")
        else:
            layout.label(text="No mesh is active", icon="INFO")
        column = layout.column(align=True)
        column.enabled = not status.running
        column.prop(chosen, "sets", expand=True)
        column.separator()
        column.prop(chosen, "strength", slider=True)
        row = layout.row()
        row.scale_y = 1.4
        if status.running:
            row.progress(factor=status.fraction, text=f"{status.stage}  (Esc cancels)", type="BAR")
        else:
            row.operator(BLENDSHAPES_OT_generate.bl_idname, icon="SHAPEKEY_DATA")
        if status.running:
            return
        width = max(16, int(context.region.width / (_CHARACTER * context.preferences.system.ui_scale)))
        if status.result:
            _lines(layout, status.result, "ERROR" if status.failed else "CHECKMARK", width)
        if status.engine and not status.failed:
            _lines(layout, status.engine, "SYSTEM", width)
        for warning in status.warnings[:5]:
            _lines(layout, warning, "DOT", width)


class BLENDSHAPES_PT_options(_Tab, bpy.types.Panel):
    """What most runs leave alone."""

    bl_idname = "BLENDSHAPES_PT_options"
    bl_parent_id = "BLENDSHAPES_PT_generate"
    bl_label = "Options"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, chosen = self.layout, context.scene.blendshapes
        layout.enabled = not session.status.running
        layout.use_property_split = True
        layout.use_property_decorate = False
        ob = context.object
        if ob is not None and ob.type == "MESH":
            layout.prop_search(chosen, "group", ob, "vertex_groups")
        layout.prop(chosen, "use_selection")
        layout.prop(chosen, "overwrite")
        layout.prop(chosen, "table")
        layout.prop(chosen, "conditions")
        layout.prop(chosen, "key_name")
        layout.prop(chosen, "model")
        layout.operator(BLENDSHAPES_OT_remove.bl_idname, icon="TRASH")


def _lines(layout: bpy.types.UILayout, text: str, icon: str, width: int) -> None:
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")
