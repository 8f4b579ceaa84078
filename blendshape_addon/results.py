# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of what was made: each shape with how sure it is and what to know about it; a click shows it on the face."""

import bpy

from . import preview
from .job import LOW

_ICONS = {"added": "ADD", "updated": "FILE_REFRESH", "kept": "LOCKED"}


class BLENDSHAPES_UL_results(bpy.types.UIList):
    """Rows of `window_manager.blendshapes.results`."""

    bl_idname = "BLENDSHAPES_UL_results"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: object,
        item: bpy.types.PropertyGroup,
        icon: int,
        active_data: object,
        active_property: str,
        index: int = 0,
        flt_flag: int = 0,
    ) -> None:
        """One row: what became of it, its name, its note as an icon, and how sure it is."""
        row = layout.row(align=True)
        row.label(text=item.name, icon="HIDE_OFF" if preview.shown() == item.name else _ICONS.get(item.state, "DOT"), translate=False)
        if item.note:
            row.label(text="", icon="ERROR" if item.confidence < LOW else "INFO")
        side = row.row()
        side.alignment = "RIGHT"
        side.label(text=f"{item.confidence:.0%}", translate=False)
