# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators in Blender's own menus, which is also what makes the search (F3) find them."""

import bpy

from ..ops.export_operator import BLENDSHAPES_OT_export
from ..ops.face_operators import (
    BLENDSHAPES_OT_import_recording,
    BLENDSHAPES_OT_play_recording,
    BLENDSHAPES_OT_play_sample,
    BLENDSHAPES_OT_play_shapes,
    BLENDSHAPES_OT_test_stop,
    BLENDSHAPES_OT_track_start,
    BLENDSHAPES_OT_track_stop,
)
from ..ops.landmark_hand import BLENDSHAPES_OT_place_landmarks
from ..ops.landmark_operators import BLENDSHAPES_OT_edit_landmarks, BLENDSHAPES_OT_reset_landmarks
from ..ops.live_operators import (
    BLENDSHAPES_OT_live_end,
    BLENDSHAPES_OT_live_keep,
    BLENDSHAPES_OT_live_start,
)
from ..ops.operators import (
    BLENDSHAPES_OT_generate,
    BLENDSHAPES_OT_inspect,
    BLENDSHAPES_OT_remove,
    BLENDSHAPES_OT_update,
)
from ..ops.sheet_operators import BLENDSHAPES_OT_contact_sheet
from ..ops.vrchat_operators import BLENDSHAPES_OT_vrchat_check
from .report import BLENDSHAPES_OT_copy_report

# Further operators are added here by their identifiers
ENTRIES = [
    BLENDSHAPES_OT_generate.bl_idname,
    BLENDSHAPES_OT_update.bl_idname,
    BLENDSHAPES_OT_remove.bl_idname,
    BLENDSHAPES_OT_inspect.bl_idname,
    BLENDSHAPES_OT_edit_landmarks.bl_idname,
    BLENDSHAPES_OT_place_landmarks.bl_idname,
    BLENDSHAPES_OT_reset_landmarks.bl_idname,
    BLENDSHAPES_OT_live_start.bl_idname,
    BLENDSHAPES_OT_live_keep.bl_idname,
    BLENDSHAPES_OT_live_end.bl_idname,
    BLENDSHAPES_OT_play_shapes.bl_idname,
    BLENDSHAPES_OT_play_sample.bl_idname,
    BLENDSHAPES_OT_play_recording.bl_idname,
    BLENDSHAPES_OT_import_recording.bl_idname,
    BLENDSHAPES_OT_test_stop.bl_idname,
    BLENDSHAPES_OT_track_start.bl_idname,
    BLENDSHAPES_OT_track_stop.bl_idname,
    BLENDSHAPES_OT_vrchat_check.bl_idname,
    BLENDSHAPES_OT_export.bl_idname,
    BLENDSHAPES_OT_contact_sheet.bl_idname,
    BLENDSHAPES_OT_copy_report.bl_idname,
]


class BLENDSHAPES_MT_menu(bpy.types.Menu):
    """Facial shape keys."""

    bl_idname = "BLENDSHAPES_MT_menu"
    bl_label = "BlendShapes"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        self.layout.operator_context = "INVOKE_DEFAULT"
        for name in ENTRIES:
            self.layout.operator(name)


def _append(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.menu(BLENDSHAPES_MT_menu.bl_idname, icon="SHAPEKEY_DATA")


_HOSTS = ("VIEW3D_MT_object", "MESH_MT_shape_key_context_menu")


def register() -> None:
    """Add the menu to Object and to the arrow beside the list of shape keys."""
    for name in _HOSTS:
        host = getattr(bpy.types, name, None)
        if host is not None:  # the bpy module has no windows, but these menus
            host.append(_append)


def unregister() -> None:
    """Take it away again."""
    for name in _HOSTS:
        host = getattr(bpy.types, name, None)
        if host is not None:
            host.remove(_append)
