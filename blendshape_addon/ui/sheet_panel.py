# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the contact sheets."""

from pathlib import Path
from typing import Any

import bpy

from ..job import session
from ..ops.sheet_operators import BLENDSHAPES_OT_contact_sheet, BLENDSHAPES_OT_open_sheet
from ..translations import tr
from ..typed import active_object, mesh_of
from .tab import OfMeshTab


class BLENDSHAPES_PT_sheet(OfMeshTab, bpy.types.Panel):
    """A look at all shapes at once."""

    bl_idname = "BLENDSHAPES_PT_sheet"
    bl_label = "Contact Sheet"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh with shape keys."""
        return super().poll(context) and mesh_of(active_object(context)).shape_keys is not None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, status = self.layout, session.status
        if status.drawing:
            layout.progress(factor=status.drawn, text=status.drawing, type="BAR", translate=False)
            layout.label(text="Esc cancels", icon="X")
            return
        layout.operator(BLENDSHAPES_OT_contact_sheet.bl_idname, icon="IMAGE_DATA")
        for number, file in enumerate(status.sheets):
            text = tr("Open {name}").format(name=Path(file).name)
            opened: Any = layout.operator(
                BLENDSHAPES_OT_open_sheet.bl_idname, text=text, icon="FILE_IMAGE", translate=False
            )
            opened.number = number
