# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of the keys that the add-on made: each with how far it moves and what to know about it;
a click shows it on the face.
"""

from typing import Any

import bpy

from ..blender_io.remembered import Told, listed, record_of
from ..job import preview
from ..job.generation import LOW, STILL
from ..translations import tr
from ..typed import Icon, active_object

_ICONS: dict[str, Icon] = {"kept": "LOCKED"}
_NOTHING = Told()


class BLENDSHAPES_UL_results(bpy.types.UIList):
    """Rows of the mesh's own keys; those that are the user's alone are left out."""

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
        """One row: its name, what should be looked at as an icon, and how far it moves."""
        told = record_of(active_object(context)).rows.get(item.name, _NOTHING)
        row = layout.row(align=True)
        row.label(
            text=item.name,
            icon="HIDE_OFF"
            if preview.shown() == item.name
            else _ICONS.get(told.state, "SHAPEKEY_DATA"),
            translate=False,
        )
        if told.note:
            row.label(text="", icon="ERROR" if told.confidence < LOW else "INFO")
        side = row.row()
        side.alignment = "RIGHT"
        side.label(text=size_text(context, told), translate=False)

    def filter_items(self, context: bpy.types.Context, data: Any, property: str) -> tuple[Any, Any]:
        """Which keys are listed: those that the add-on made, by the name that is searched for; in
        the mesh's own order.
        """
        names, wanted = listed(active_object(context)), self.filter_name.casefold()
        shown = [
            block.name in names and (wanted in block.name.casefold()) != self.use_filter_invert
            for block in getattr(data, property)
        ]
        return [self.bitflag_filter_item if one else 0 for one in shown], []


def size_text(context: bpy.types.Context, told: Told) -> str:
    """How far a key moves the face at most, in the scene's units, or what became of it instead."""
    if told.state == "kept":
        return tr("kept")
    if told.note == STILL:
        return tr(STILL)
    if not told.size:
        return ""
    units = context.scene.unit_settings
    system = "METRIC" if units.system == "NONE" else units.system
    return str(
        bpy.utils.units.to_string(system, "LENGTH", told.size * units.scale_length, precision=2)
    )
