# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab of the sidebar: where its panels are, and how they draw what is said in sentences."""

import textwrap

import bpy

from ..job import session
from ..translations import tr
from ..typed import Icon, PanelMixin

_CHARACTER = 9.0  # pixels, a little more than the interface font's mean width
STAGES = {
    "start": "Starting",
    "locate": "Detecting face",
    "model": "Computing the shapes",
    "rules": "Refining eyelids and lips",
}


class Tab(PanelMixin):
    """Where the panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "BlendShapes"


class OfMeshTab(Tab):
    """A part of the tab that only makes sense with a mesh."""

    bl_parent_id = "BLENDSHAPES_PT_generate"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh."""
        return context.object is not None and context.object.type == "MESH"


def progress_text() -> str:
    """The stage in words, and how long it may still take."""
    status = session.status
    stage = tr(STAGES.get(status.stage, status.stage))
    return (
        stage
        if status.seconds_left is None
        else f"{stage}, {tr('{seconds:.0f} s left').format(seconds=max(status.seconds_left, 1))}"
    )


def text_width(context: bpy.types.Context) -> int:
    """Characters that fit into a line of the sidebar."""
    width = context.region.width if context.region is not None else 0
    return max(16, int(width / (_CHARACTER * context.preferences.system.ui_scale)))


def draw_lines(layout: bpy.types.UILayout, text: str, icon: Icon, width: int) -> None:
    """A text of several lines with an icon before the first."""
    column = layout.column(align=True)
    column.scale_y = 0.85
    width = width if text.isascii() else width // 2 + 2
    for number, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1", translate=False)
