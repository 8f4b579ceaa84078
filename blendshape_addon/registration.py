# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering with Blender: one explicit list, undone in reverse; the child never outlives the extension."""

from __future__ import annotations

import atexit
import traceback

import bpy
from bpy.app.handlers import persistent

from . import commands, operators, panels, preferences, properties, runtime_operators, session

CLASSES = (
    preferences.BlendShapesPreferences,
    properties.BlendShapesSettings,
    operators.BLENDSHAPES_OT_generate,
    operators.BLENDSHAPES_OT_remove,
    runtime_operators.BLENDSHAPES_OT_check_python,
    runtime_operators.BLENDSHAPES_OT_prepare_runtime,
    runtime_operators.BLENDSHAPES_OT_remove_runtime,
    panels.BLENDSHAPES_PT_generate,
    panels.BLENDSHAPES_PT_options,
)
COMMAND = "blendshapes"

_commands: list[object] = []


def register() -> None:
    """Register classes, the scene's settings, the handler and the command `blender --command blendshapes`."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.blendshapes = bpy.props.PointerProperty(type=properties.BlendShapesSettings)
    bpy.app.handlers.load_pre.append(_forget)
    _commands.append(bpy.utils.register_cli_command(COMMAND, commands.run_command))
    atexit.register(session.backend.stop)


def unregister() -> None:
    """Undo `register`, going on after a failure, and end the child."""
    atexit.unregister(session.backend.stop)
    session.backend.stop()
    session.clear_status()
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    if _forget in bpy.app.handlers.load_pre:
        bpy.app.handlers.load_pre.remove(_forget)
    if hasattr(bpy.types.Scene, "blendshapes"):
        del bpy.types.Scene.blendshapes
    for cls in reversed(CLASSES):
        try:
            bpy.utils.unregister_class(cls)
        except RuntimeError:
            traceback.print_exc()  # e.g. a half-finished register; the others must go all the same


@persistent
def _forget(*_: object) -> None:
    """Another file is opened: what the panel shows no longer holds."""
    session.clear_status()
