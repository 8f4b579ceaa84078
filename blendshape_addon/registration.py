# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering with Blender: one explicit list, undone in reverse; the child never outlives the
extension.
"""

from __future__ import annotations

import atexit
import traceback

import bpy

from . import translations
from .job import (
    chosen,
    commands,
    face_view,
    inspection,
    landmark_overlay,
    live,
    other_face,
    pictures,
    playing,
    preview,
    receiving,
    session,
    warming,
)
from .ops import (
    export_operator,
    face_operators,
    fix_operators,
    landmark_hand,
    landmark_operators,
    live_operators,
    look_operators,
    operators,
    runtime_operators,
    shape_operators,
    sheet_operators,
    use_other,
    vrchat_operators,
)
from .typed import PROPERTY, declare, describe, forget_hints, persistent
from .ui import (
    face_panel,
    guide,
    landmark_panel,
    live_panel,
    menus,
    panels,
    preferences,
    presets,
    properties,
    report,
    results,
    sheet_panel,
    vrchat_panel,
)

CLASSES = (
    preferences.BlendShapesPreferences,
    *chosen.CLASSES,
    properties.BlendShapesSettings,
    properties.BlendShapesLandmark,
    properties.BlendShapesObject,
    properties.BlendShapesResult,
    properties.BlendShapesWindow,
    operators.BLENDSHAPES_OT_generate,
    operators.BLENDSHAPES_OT_update,
    operators.BLENDSHAPES_OT_remove,
    operators.BLENDSHAPES_OT_inspect,
    *fix_operators.CLASSES,
    *look_operators.CLASSES,
    *shape_operators.CLASSES,
    *face_operators.CLASSES,
    report.BLENDSHAPES_OT_copy_report,
    live_operators.BLENDSHAPES_OT_live_start,
    live_operators.BLENDSHAPES_OT_live_keep,
    live_operators.BLENDSHAPES_OT_live_reset,
    live_operators.BLENDSHAPES_OT_live_end,
    landmark_operators.BLENDSHAPES_OT_edit_landmarks,
    landmark_operators.BLENDSHAPES_OT_place_landmark,
    landmark_operators.BLENDSHAPES_OT_reset_landmarks,
    landmark_hand.BLENDSHAPES_OT_place_landmarks,
    use_other.BLENDSHAPES_OT_use_other,
    runtime_operators.BLENDSHAPES_OT_check_python,
    runtime_operators.BLENDSHAPES_OT_prepare_runtime,
    runtime_operators.BLENDSHAPES_OT_remove_runtime,
    menus.BLENDSHAPES_MT_menu,
    *presets.CLASSES,
    results.BLENDSHAPES_UL_results,
    panels.BLENDSHAPES_PT_generate,
    results.BLENDSHAPES_PT_results,
    face_panel.BLENDSHAPES_PT_face,
    panels.BLENDSHAPES_PT_regions,
    live_panel.BLENDSHAPES_PT_live,
    landmark_panel.BLENDSHAPES_PT_landmarks,
    panels.BLENDSHAPES_PT_parts,
    *vrchat_operators.CLASSES,
    *export_operator.CLASSES,
    vrchat_panel.BLENDSHAPES_PT_vrchat,
    *sheet_operators.CLASSES,
    sheet_panel.BLENDSHAPES_PT_sheet,
    panels.BLENDSHAPES_PT_options,
)
# Where the properties hang, all under the name `blendshapes`
_HOLDERS = {
    bpy.types.Scene: properties.BlendShapesSettings,
    bpy.types.Object: properties.BlendShapesObject,
    bpy.types.WindowManager: properties.BlendShapesWindow,
}
COMMAND = "blendshapes"

_commands: list[object] = []
_keys: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


def register() -> None:
    """Register classes, the scene's settings, the handler and the commands `blender --command
    blendshapes` and `blendshapes_sheet`.
    """
    for cls in CLASSES:
        declare(cls)
        describe(cls)
        bpy.utils.register_class(cls)
    forget_hints()
    for holder, group in _HOLDERS.items():
        setattr(holder, PROPERTY, bpy.props.PointerProperty(type=group))
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    menus.register()
    guide.register()
    _register_keys()
    translations.register(session.ROOT_PACKAGE)
    for name, command in (
        (COMMAND, commands.run_command),
        (sheet_operators.COMMAND, sheet_operators.run_command),
    ):
        _commands.append(bpy.utils.register_cli_command(name, command))
    atexit.register(session.backend.stop)
    warming.begin()


def unregister() -> None:
    """Undo `register`, going on after a failure, and end the child."""
    atexit.unregister(session.backend.stop)
    warming.end()
    preview.stop()
    live.end()
    pictures.forget()
    live_operators.hide_sliders()
    landmark_overlay.hide()
    inspection.close()
    other_face.close()
    translations.unregister(session.ROOT_PACKAGE)
    menus.unregister()
    guide.unregister()
    while _keys:
        keymap, item = _keys.pop()
        keymap.keymap_items.remove(item)
    session.rest()
    session.clear_status()
    chosen.forget()
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    for name, handler in _HANDLERS:
        if handler in getattr(bpy.app.handlers, name):
            getattr(bpy.app.handlers, name).remove(handler)
    for holder in _HOLDERS:
        if hasattr(holder, PROPERTY):
            delattr(holder, PROPERTY)
    for cls in reversed(CLASSES):
        try:
            bpy.utils.unregister_class(cls)
        except RuntimeError:
            traceback.print_exc()  # e.g. a half-finished register; the others must go all the same


def _register_keys() -> None:
    """A key to hold while a shape is shown; without a preview, it does what it does without the
    extension.
    """
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:
        return  # without a window
    keymap = configuration.keymaps.new(name="Object Mode", space_type="EMPTY")
    name = look_operators.BLENDSHAPES_OT_before_after.bl_idname
    _keys.append((keymap, keymap.keymap_items.new(name, look_operators.HELD, "PRESS")))


@persistent
def _forget(*_: object) -> None:
    """Another file is opened: what the panel shows no longer holds."""
    preview.stop()
    pictures.forget()
    face_view.forget()
    inspection.forget()
    landmark_overlay.hide()
    live.end()
    live_operators.hide_sliders()
    session.clear_status()


@persistent
def _rest(*_: object) -> None:
    """The file is saved: nothing that is only shown goes with it. Live tracking goes on."""
    if not receiving.rest():
        preview.stop()
    now = live.current()
    if now is not None:
        now.rest()


@persistent
def _sweep(*_: object) -> None:
    """After an undo, a redo or loading: what a show left in that state goes, too."""
    live.sweep()
    if not receiving.rest():
        preview.stop()
    playing.sweep()
    pictures.changed()


@persistent
def _watch(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Something in the scene changed: pictures are looked at again, and sliders end with their
    face. Not at once, since Blender is about to draw.
    """
    pictures.changed(depsgraph)
    now = live.current()
    if now is not None and now.lost() and not bpy.app.timers.is_registered(live_operators.end):
        bpy.app.timers.register(live_operators.end, first_interval=0.0)


_HANDLERS = (
    ("load_pre", _forget),
    ("load_post", _sweep),
    ("save_pre", _rest),
    ("undo_post", _sweep),
    ("redo_post", _sweep),
    ("depsgraph_update_post", _watch),
)
