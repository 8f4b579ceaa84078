# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own presets of a destination, kept and offered as Blender keeps all presets."""

import bpy
from bl_operators.presets import AddPresetBase

from ..ops.option_properties import REGIONS

FOLDER = "blendshapes"  # below the user's presets
_VALUES = ("sets", "strength", "style", *(row[0] for row in REGIONS), "naming", "alias", "guide")


class BLENDSHAPES_MT_presets(bpy.types.Menu):
    """Presets: sets, strengths and naming as you saved them."""

    bl_idname = "BLENDSHAPES_MT_presets"
    bl_label = "Presets"
    preset_subdir = FOLDER
    preset_operator = "script.execute_preset"

    def draw(self, context: bpy.types.Context) -> None:
        """The presets, and what adds and removes one."""
        layout = self.layout
        if bpy.utils.preset_paths(FOLDER):
            self.draw_preset(context)
            layout.separator()
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator(BLENDSHAPES_OT_preset_add.bl_idname, text="Save Preset...", icon="ADD")
        if type(self).bl_label != "Presets":  # Blender calls the menu by the preset that was chosen
            remove = layout.operator(
                BLENDSHAPES_OT_preset_add.bl_idname, text="Remove Preset", icon="REMOVE"
            )
            remove.remove_active = True


class BLENDSHAPES_OT_preset_add(AddPresetBase, bpy.types.Operator):  # type: ignore[misc]  # without types of its own
    """Save the sets, strengths and naming as a preset of your own, or remove the chosen one"""

    bl_idname = "blendshapes.preset_add"
    bl_label = "Save Preset"
    preset_menu = "BLENDSHAPES_MT_presets"
    preset_subdir = FOLDER
    # whole paths: with Python 3.13, Blender 4.3 does not see what preset_defines defines
    preset_values = [f"bpy.context.scene.blendshapes.{name}" for name in _VALUES]


CLASSES = (BLENDSHAPES_MT_presets, BLENDSHAPES_OT_preset_add)
