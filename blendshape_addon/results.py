# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of what was made: each shape with how sure it is and what to know about it; a click shows it on the face."""

from typing import Any

import bpy

from . import preview
from .job import LOW
from .properties import BlendShapesResult
from .typed import Icon

_ICONS: dict[str, Icon] = {"added": "ADD", "updated": "FILE_REFRESH", "kept": "LOCKED"}


class BLENDSHAPES_UL_results(bpy.types.UIList):
    """Rows of `window_manager.blendshapes.results`."""

    bl_idname = "BLENDSHAPES_UL_results"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: object,
        item: Any,
        icon: int | None,
        active_data: object,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        """One row: what became of it, its name, its note as an icon, and how sure it is."""
        result: BlendShapesResult = item
        row = layout.row(align=True)
        row.label(text=result.name, icon="HIDE_OFF" if preview.shown() == result.name else _ICONS.get(result.state, "DOT"), translate=False)
        if result.note:
            row.label(text="", icon="ERROR" if result.confidence < LOW else "INFO")
        side = row.row()
        side.alignment = "RIGHT"
        side.label(text=f"{result.confidence:.0%}", translate=False)
