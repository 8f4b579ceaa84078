# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that the add-on made: each with how far it moves and what to know about it; a click
shows it on the face, with tools for that one.
"""

from typing import Any

import bpy

from ..blender_io.naming import other_side
from ..blender_io.remembered import EDITED, Told, any_listed, listed, record_of
from ..blender_io.tuned import strength_of
from ..job import pictures, preview, sculpting, session
from ..job.outcome import LOW, NOTES, STILL, WEAK
from ..ops.look_operators import BLENDSHAPES_OT_show_pose, BLENDSHAPES_OT_stop_preview
from ..ops.shape_operators import (
    BLENDSHAPES_OT_sculpt_done,
    BLENDSHAPES_OT_sculpt_shape,
    BLENDSHAPES_OT_shape_mirror,
    BLENDSHAPES_OT_shape_regenerate,
    BLENDSHAPES_OT_shape_reset,
    BLENDSHAPES_OT_shape_strength,
)
from ..translations import tr
from ..typed import Icon, active_object, keys_of, of_window
from .tab import OfMeshTab, draw_lines, text_width

_ICONS: dict[str, Icon] = {"kept": "LOCKED"}
_NOTHING = Told()
ROWS, PICTURES = 6, 5  # rows of the list without and with pictures
HIGH = 2.4  # a row with a picture, of one without


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
        ob = active_object(context)
        told = record_of(ob).rows.get(item.name, _NOTHING)
        row = layout.row(align=True)
        if not with_pictures(context):
            _draw_name(row, item.name, told, _ICONS.get(told.state, "SHAPEKEY_DATA"))
            size = row.row()
            size.alignment = "RIGHT"
            _draw_size(context, size, told)
            return
        picture = row.row()
        picture.scale_x = HIGH
        drawn = pictures.of(ob, item.name)
        if drawn:
            picture.template_icon(drawn, scale=1.0)
        else:
            picture.label(text="", icon="IMAGE_DATA")
        lines = row.column(align=True)
        lines.scale_y = 0.5
        _draw_name(lines.row(align=True), item.name, told, _ICONS.get(told.state, "NONE"))
        _draw_size(context, lines.row(align=True), told)

    def filter_items(self, context: bpy.types.Context, data: Any, property: str) -> tuple[Any, Any]:
        """Which keys are listed: those that the add-on made, by the name that is searched for; in
        the mesh's own order.
        """
        names, wanted = listed(active_object(context)), of_window(context).search.casefold()
        shown = [
            block.name in names and wanted in block.name.casefold()
            for block in getattr(data, property)
        ]
        return [self.bitflag_filter_item if one else 0 for one in shown], []

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """Nothing: the search is above the list, where it is seen."""


def with_pictures(context: bpy.types.Context) -> bool:
    """Whether the list has pictures, which the user may switch off."""
    preferences = session.preferences(context)
    return preferences is not None and preferences.pictures and not pictures.why()


def alarming(told: Told) -> bool:
    """Whether a key is to be looked at, which its colour says."""
    return bool({STILL, WEAK, *NOTES.values()} & set(told.note.split(", ")))


def size_text(context: bpy.types.Context, told: Told) -> str:
    """How far a key moves the face at most, in the scene's units, with the first that is to be
    known about it in a word; or what became of it instead.
    """
    if told.state == "kept":
        return tr("kept")
    if told.note == STILL:
        return tr(STILL)
    if not told.size:
        return ""
    units = context.scene.unit_settings
    system = "METRIC" if units.system == "NONE" else units.system
    size = str(
        bpy.utils.units.to_string(system, "LENGTH", told.size * units.scale_length, precision=2)
    )
    notes = told.note.split(", ")
    word = next((note for note in (WEAK, *NOTES.values(), EDITED) if note in notes), "")
    return f"{tr(word)}: {size}" if word else size


def _draw_name(layout: bpy.types.UILayout, name: str, told: Told, icon: Icon) -> None:
    """A key's name, and a sign where something is to be known about it."""
    layout.label(text=name, icon="HIDE_OFF" if preview.shown() == name else icon, translate=False)
    if told.note:
        layout.label(text="", icon="ERROR" if told.confidence < LOW else "INFO")


def _draw_size(context: bpy.types.Context, layout: bpy.types.UILayout, told: Told) -> None:
    """How far a key moves, in red where it is to be looked at."""
    layout.alert = alarming(told)
    layout.label(text=size_text(context, told), translate=False)


class BLENDSHAPES_PT_results(OfMeshTab, bpy.types.Panel):
    """Each shape, a look at it, and tools for it."""

    bl_idname = "BLENDSHAPES_PT_results"
    bl_label = "Results"
    bl_options = OfMeshTab.bl_options - {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs keys that were generated."""
        return (
            super().poll(context)
            and not session.status.running
            and any_listed(active_object(context))
        )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, ob = self.layout, active_object(context)
        name = sculpting.sculpted(ob)
        if name:
            layout.label(
                text=tr("Sculpting {name}").format(name=name),
                icon="SCULPTMODE_HLT",
                translate=False,
            )
            layout.operator(BLENDSHAPES_OT_sculpt_done.bl_idname, icon="CHECKMARK")
            return
        layout.label(text="Click a shape to see it on the face")
        _draw_search(layout, context)
        column = layout.column()
        seen = with_pictures(context)
        if seen:
            column.scale_y = HIGH
        column.template_list(
            BLENDSHAPES_UL_results.bl_idname,
            "",
            keys_of(ob),
            "key_blocks",
            of_window(context),
            "key",
            rows=PICTURES if seen else ROWS,
            maxrows=PICTURES if seen else ROWS,
        )
        if preview.why():
            draw_lines(layout, preview.why(), "ERROR", text_width(context))
        if preview.shown():
            _draw_tools(layout, context, preview.shown())
        _draw_poses(layout, context)


def _draw_search(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What the list is searched for, and whether it has pictures."""
    row, preferences = layout.row(align=True), session.preferences(context)
    row.prop(of_window(context), "search", text="", icon="VIEWZOOM")
    if preferences is None:
        return
    row.prop(preferences, "pictures", text="", icon="IMAGE_DATA")
    if preferences.pictures and pictures.why():
        told = tr("No pictures: {reason}").format(reason=pictures.why())
        draw_lines(layout, told, "INFO", text_width(context))


def _draw_tools(layout: bpy.types.UILayout, context: bpy.types.Context, name: str) -> None:
    """What can be done with the shape that is shown."""
    ob = active_object(context)
    told = record_of(ob).rows.get(name, _NOTHING)
    if told.note:
        draw_lines(layout, ", ".join(map(tr, told.note.split(", "))), "INFO", text_width(context))
    column = layout.column(align=True)
    if name in listed(ob):
        strength = tr("Strength {number}").format(number=f"{strength_of(ob, name):.2f}")
        row = column.row(align=True)
        _tool(row, BLENDSHAPES_OT_shape_strength, strength, "MOD_THICKNESS", name)
        _tool(row, BLENDSHAPES_OT_sculpt_shape, tr("Sculpt"), "SCULPTMODE_HLT", name)
        row = column.row(align=True)
        mirror = row.row(align=True)
        mirror.enabled = bool(other_side(name, keys_of(ob).key_blocks.keys()))
        _tool(mirror, BLENDSHAPES_OT_shape_mirror, tr("Mirror"), "MOD_MIRROR", name)
        _tool(row, BLENDSHAPES_OT_shape_regenerate, tr("Regenerate"), "FILE_REFRESH", name)
        row = column.row(align=True)
        _tool(row, BLENDSHAPES_OT_shape_reset, tr("Reset"), "LOOP_BACK", name)
        row.operator(BLENDSHAPES_OT_stop_preview.bl_idname, icon="HIDE_ON")
    else:
        column.operator(BLENDSHAPES_OT_stop_preview.bl_idname, icon="HIDE_ON")
    layout.label(text="Hold Y over the 3D view: before", icon="EVENT_Y")


def _tool(
    layout: bpy.types.UILayout, tool: type[bpy.types.Operator], text: str, icon: Icon, name: str
) -> None:
    pressed: Any = layout.operator(tool.bl_idname, text=text, icon=icon, translate=False)
    pressed.key_name = name


def _draw_poses(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Shapes that do not hold when they are driven together, each with a button that shows it."""
    ob, status = active_object(context), session.status
    if not status.is_of(ob):
        return
    there = keys_of(ob).key_blocks
    for number, pose in enumerate(status.poses):
        draw_lines(layout, pose.said(), "ERROR", text_width(context))
        if all(name in there for name in pose.keys):
            pressed: Any = layout.operator(BLENDSHAPES_OT_show_pose.bl_idname, icon="HIDE_OFF")
            pressed.number = number
