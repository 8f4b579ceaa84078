# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the landmarks."""

import bpy

from ..job import landmark_overlay
from ..ops.landmark_hand import BLENDSHAPES_OT_place_landmarks
from ..ops.landmark_operators import BLENDSHAPES_OT_edit_landmarks, BLENDSHAPES_OT_reset_landmarks
from ..translations import tr
from ..typed import active_object, of_object, of_window
from .tab import OfMeshTab


class BLENDSHAPES_PT_landmarks(OfMeshTab, bpy.types.Panel):
    """Where the face's points are."""

    bl_idname = "BLENDSHAPES_PT_landmarks"
    bl_label = "Landmarks"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, kept = self.layout, of_object(active_object(context)).landmarks
        shown = landmark_overlay.current() is not None
        layout.operator(
            BLENDSHAPES_OT_edit_landmarks.bl_idname,
            text="Done" if shown else "Edit Landmarks",
            icon="CHECKMARK" if shown else "PIVOT_CURSOR",
        )
        layout.prop(of_window(context), "mirror")
        layout.operator(BLENDSHAPES_OT_place_landmarks.bl_idname, icon="GREASEPENCIL")
        if kept:
            placed = sum(mark.corrected and not mark.estimated for mark in kept)
            text = tr("{placed} of {count} set manually").format(placed=placed, count=len(kept))
            layout.label(text=text, icon="OUTLINER_DATA_EMPTY", translate=False)
            guessed = sum(mark.estimated for mark in kept)
            if guessed:
                layout.label(
                    text=tr("{count} estimated from them").format(count=guessed),
                    icon="BLANK1",
                    translate=False,
                )
            layout.operator(BLENDSHAPES_OT_reset_landmarks.bl_idname, icon="LOOP_BACK")
