# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab of the sidebar: where its panels are, and how they draw what is said in sentences."""

import re
import textwrap

import bpy

from ..job import session
from ..translations import tr
from ..typed import Icon, PanelMixin

_WIDE = 1.8  # a Japanese character, of a letter
# What stays together in a line: a word of letters or of katakana, else each character, with what
# may not begin a line
_PIECES = re.compile(
    r"\s+|(?:[ァ-ヴー]{1,12}|[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)"
    r"[、。・」』）！？：…ぁぃぅぇぉっゃゅょァィゥェォッャュョー]*"
)
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


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text. width: letters that fit into one; Japanese, which has no spaces, breaks
    where it may.
    """
    if text.isascii():
        return textwrap.wrap(text, width)
    lines, line, used = [], "", 0.0
    for piece in _PIECES.findall(text):
        size = sum(_WIDE if letter >= "\u2e80" else 1.0 for letter in piece)
        if line and used + size > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        if line or not piece.isspace():
            line, used = line + piece, used + size
    lines.append(line.rstrip())
    # a word that is longer than a line, such as a path
    return [part for one in lines for part in textwrap.wrap(one, width)]


def draw_lines(layout: bpy.types.UILayout, text: str, icon: Icon, width: int) -> None:
    """A text of several lines with an icon before the first."""
    column = layout.column(align=True)
    column.scale_y = 0.85
    for number, line in enumerate(wrapped(text, width)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1", translate=False)
