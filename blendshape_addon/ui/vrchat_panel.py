# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the VRChat check and of the export."""

import bpy

from ..job import session
from ..ops.export_operator import BLENDSHAPES_OT_export
from ..ops.vrchat_operators import (
    BLENDSHAPES_OT_vrchat_check,
    BLENDSHAPES_OT_vrchat_fix,
    findings_of,
    for_all,
)
from ..translations import tr
from ..typed import Icon, active_object
from .tab import OfMeshTab, draw_lines, progress_text, text_width

_LEVELS = ("error", "warning", "note", "ok")  # in the order in which they are shown
ICONS: dict[str, Icon] = {"ok": "CHECKMARK", "note": "INFO", "warning": "ERROR", "error": "CANCEL"}
LABELS = {
    "rename_mesh": "Rename to Body",
    "rename_keys": "Fix Names",
    "remove_keys": "Remove Duplicates",
    "make_visemes": "Generate Visemes",
    "fill_visemes": "Make Non-Empty",
    "add_alias": "Add a Copy of That Name",
    "clean_keys": "Clean Up",
    "reset_values": "Set Values to 0",
    "join_parts": "Join the Parts into Body",
    "unmute_keys": "Unmute at 0",
    "bake_keys": "Bake into the Keys",
    "make_relative": "Make Them Relative",
    "widen_range": "Let Sliders Go from 0 to 1",
    "unpin": "Show All Keys",
    "show_mesh": "Show the Mesh",
    "make_missing": "Generate the Missing Keys",
    "add_eye_bones": "Add Eye Bones",
}


class BLENDSHAPES_PT_vrchat(OfMeshTab, bpy.types.Panel):
    """What the check found, with what can be done about it."""

    bl_idname = "BLENDSHAPES_PT_vrchat"
    bl_label = "Check & Export"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout = self.layout
        layout.operator(BLENDSHAPES_OT_vrchat_check.bl_idname, icon="VIEWZOOM")
        status, width = session.status, text_width(context)
        if status.running:  # what a button below generates
            layout.progress(
                factor=status.fraction, text=progress_text(), type="BAR", translate=False
            )
        shown = sorted(
            findings_of(active_object(context)), key=lambda finding: _LEVELS.index(finding.level)
        )
        for finding in shown:
            box = layout.column(align=True)
            draw_lines(box, finding.said(tr), ICONS[finding.level], width)
            if finding.fix:
                row = box.row()
                row.operator(
                    BLENDSHAPES_OT_vrchat_fix.bl_idname,
                    text=LABELS[finding.fix],
                    icon="TOOL_SETTINGS",
                ).code = finding.code
        if sum(map(for_all, shown)) > 1:
            layout.operator(
                BLENDSHAPES_OT_vrchat_fix.bl_idname, text="Fix All", icon="MODIFIER"
            ).code = ""
        layout.separator()
        layout.operator(BLENDSHAPES_OT_export.bl_idname, icon="EXPORT")
