# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab, from top to bottom in the order in which one works."""

import textwrap
from collections.abc import Sequence
from typing import Any

import bpy

from ..blender_io.findings import NOTES, Finding
from ..blender_io.generated import count
from ..blender_io.remembered import any_listed, record_of
from ..errors import AddonError
from ..foreign import one_line
from ..job import chosen, face_view, inspection, preview, session
from ..job.checked import scene_findings
from ..job.chosen import BLENDSHAPES_OT_forget_named, BLENDSHAPES_OT_use_named
from ..job.generation import LOW
from ..job.other_face import USE_OTHER
from ..job.other_face import suggestion as suggested
from ..job.preview import BLENDSHAPES_OT_stop_preview
from ..ops.fix_operators import BUTTONS
from ..ops.operators import (
    BLENDSHAPES_OT_generate,
    BLENDSHAPES_OT_inspect,
    BLENDSHAPES_OT_remove,
    BLENDSHAPES_OT_update,
)
from ..typed import Icon, PanelMixin, active_object, keys_of, of_object, of_scene, of_window
from .properties import COUNTS, REGIONS, SETS
from .report import BLENDSHAPES_OT_copy_report
from .results import BLENDSHAPES_UL_results
from .translations import tr

NO_FACE = (
    "No face detected on this mesh"  # how the child's sentence begins, whose number is left out
)
BY_HAND = "blendshapes.place_landmarks"
_CHARACTER = 9.0  # pixels, a little more than the interface font's mean width
_MISSING = frozenset(
    {"runtime_missing", "model_missing", "model_unreadable", "model_contract", "child_start"}
)
_WARNINGS = 5
_FINDINGS = 8  # that are shown before the click
_PATH_SHOWN = 1024  # characters: what is longer cannot be used
_BYTES_PER_VERTEX = 36  # of a shape: three numbers, and about three copies of them while it is made
STAGES = {
    "start": "Starting",
    "locate": "Detecting face",
    "model": "Computing the shapes",
    "rules": "Refining eyelids and lips",
}
ROLES = {
    "auto": "face",
    "face": "face",
    "eyes": "eyes",
    "lashes": "lashes",
    "brows": "brows",
    "teeth": "teeth",
    "tongue": "tongue",
    "none": "ignored",
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


class BLENDSHAPES_PT_generate(Tab, bpy.types.Panel):
    """What will happen on which mesh, sets, strength, Generate, and what came of it."""

    bl_idname = "BLENDSHAPES_PT_generate"
    bl_label = "BlendShapes"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene, status = self.layout, of_scene(context), session.status
        width = text_width(context)
        _draw_target(layout, context, width)
        for named in chosen.asked(context.scene):
            _draw_named(layout, named, width)
        row = layout.row(align=True)
        row.enabled = not status.running
        row.prop(scene, "destination", text="")
        wanted = row.row(align=True)
        wanted.alignment = "RIGHT"
        wanted.label(
            text=tr("{count} shapes").format(count=sum(COUNTS[name] for name in scene.sets)),
            translate=False,
        )
        row = layout.row()
        row.scale_y = 1.5
        if status.running:
            row.progress(factor=status.fraction, text=progress_text(), type="BAR", translate=False)
            layout.label(
                text="Esc cancels", icon="X"
            )  # the icon of the key would say Esc once more
            return
        row.enabled = not _faceless(context)  # the reason is in the box above, with what helps
        row.operator(BLENDSHAPES_OT_generate.bl_idname, icon="SHAPEKEY_DATA")
        row = layout.row(align=True)
        row.operator(BLENDSHAPES_OT_update.bl_idname, text="Regenerate", icon="FILE_REFRESH")
        row.operator(BLENDSHAPES_OT_remove.bl_idname, text="Remove", icon="TRASH")
        if face_view.kept(context):
            layout.operator(face_view.BLENDSHAPES_OT_give_view_back.bl_idname, icon="LOOP_BACK")
        _draw_outcome(layout, context, width)


class BLENDSHAPES_PT_results(OfMeshTab, bpy.types.Panel):
    """Each shape, how sure it is, and a look at it."""

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
        layout.label(text="Click a shape to see it on the face")
        layout.template_list(
            BLENDSHAPES_UL_results.bl_idname,
            "",
            keys_of(ob),
            "key_blocks",
            of_window(context),
            "key",
            rows=6,
        )
        told = record_of(ob).rows.get(preview.shown())
        if told is not None and told.note:
            draw_lines(
                layout, ", ".join(map(tr, told.note.split(", "))), "INFO", text_width(context)
            )
        if preview.why():
            draw_lines(layout, preview.why(), "ERROR", text_width(context))
        if preview.shown():
            layout.operator(BLENDSHAPES_OT_stop_preview.bl_idname, icon="HIDE_ON")


class BLENDSHAPES_PT_regions(OfMeshTab, bpy.types.Panel):
    """How strong the shapes are, altogether and by region of the face."""

    bl_idname = "BLENDSHAPES_PT_regions"
    bl_label = "Tune"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene = self.layout, of_scene(context)
        layout.enabled = not session.status.running
        column = layout.column(align=True)
        column.prop(scene, "strength", slider=True)
        column.prop(scene, "style", slider=True)
        column = layout.column(align=True)
        for name, *_ in REGIONS:
            column.prop(scene, name, slider=True)


class BLENDSHAPES_PT_parts(OfMeshTab, bpy.types.Panel):
    """What else belongs to the face."""

    bl_idname = "BLENDSHAPES_PT_parts"
    bl_label = "Separate Parts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene = self.layout, of_scene(context)
        layout.enabled = not session.status.running
        layout.prop(scene, "parts")
        seen = inspection.look(context)
        parts = seen.parts if seen is not None else []
        if not parts:
            layout.label(text="No other objects belong to this avatar", icon="INFO")
        column = layout.column(align=True)
        column.enabled = scene.parts
        for name, role, why in parts:
            ob = bpy.data.objects.get(name)
            if ob is None:
                continue
            row = column.split(factor=0.55, align=True)
            row.label(text=name, icon="OUTLINER_OB_MESH", translate=False)
            automatic = f"{tr('Automatic')}: {tr(ROLES.get(role, role))}"
            row.prop_menu_enum(
                of_object(ob),
                "part",
                text=automatic if why != "user" else tr(ROLES.get(role, role)).capitalize(),
                translate=False,
            )


class BLENDSHAPES_PT_options(OfMeshTab, bpy.types.Panel):
    """Sets by themselves, and what most runs leave alone."""

    bl_idname = "BLENDSHAPES_PT_options"
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw."""
        layout, scene = self.layout, of_scene(context)
        layout.enabled = not session.status.running
        layout.label(text="Custom")
        column = layout.column(align=True)
        for name, *_ in SETS:
            row = column.row(align=True)
            row.prop(scene, f"sets_{name}")
            count = row.row(align=True)
            count.alignment = "RIGHT"
            count.label(text=str(COUNTS[name]), translate=False)
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(scene, "naming")
        layout.prop(scene, "alias")
        layout.prop(scene, "guide")
        layout.prop(scene, "turn_eyes")
        layout.prop(scene, "overwrite")
        layout.separator()
        layout.prop_search(scene, "group", context.object, "vertex_groups")
        layout.prop(scene, "use_selection")
        layout.separator()
        unchosen = {
            named.kind for named in chosen.asked(context.scene)
        }  # Blender looks at the disk for what is drawn as a path
        for name in ("table", "conditions", "key_name", "model"):
            if name not in unchosen:
                layout.prop(scene, name)


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


def _draw_target(layout: bpy.types.UILayout, context: bpy.types.Context, width: int) -> None:
    """On which mesh what will happen."""
    ob = context.object
    if ob is None or ob.type != "MESH":
        draw_lines(layout.box(), tr("Select the face mesh"), "INFO", width)
        return
    box = layout.box()
    row = box.row(align=True)
    row.label(text=ob.name, icon="OUTLINER_OB_MESH", translate=False)
    row.operator(BLENDSHAPES_OT_inspect.bl_idname, text="", icon="VIEWZOOM", emboss=False)
    seen = inspection.look(context)
    if seen is None or seen.state in ("looking", "given up"):
        preferences = session.preferences(context)
        by_itself = preferences is None or preferences.inspect
        looking = seen.state == "looking" if seen is not None else by_itself
        box.label(
            text="Detecting face..." if looking else "Face detection not run",
            icon="SORTTIME" if looking else "QUESTION",
        )
    elif seen.error is not None:
        _draw_error(box, seen.error, width)
    else:
        _draw_seen(box, context, seen, width)
    _draw_findings(
        box,
        seen.findings if seen is not None and seen.state == "found" else scene_findings(ob),
        width,
    )
    if seen is not None:
        for warning in seen.warnings[:_WARNINGS]:
            draw_lines(box, tr(warning), "ERROR", width)
    if any(modifier.type in ("SUBSURF", "MULTIRES") for modifier in ob.modifiers):
        draw_lines(
            box,
            tr("Keys are written to the mesh below the subdivision, which follows them"),
            "MOD_SUBSURF",
            width,
        )


def _draw_named(layout: bpy.types.UILayout, named: chosen.Named, width: int) -> None:
    """A path that the file names: is it to be used? The whole path is shown, as text."""
    box = layout.box()
    draw_lines(box, named.question, "QUESTION", width)
    draw_lines(box, _shown(named.path), "BLANK1", width)
    if named.problem:
        draw_lines(
            box,
            tr("It cannot be used: it {reason}").format(reason=tr(named.problem)),
            "ERROR",
            width,
        )
    row = box.row(align=True)
    if not named.problem:
        use: Any = row.operator(BLENDSHAPES_OT_use_named.bl_idname)
        use.kind, use.path = named.kind, named.path
    leave: Any = row.operator(BLENDSHAPES_OT_forget_named.bl_idname)
    leave.kind = named.kind


def _shown(path: str) -> str:
    """A path for the eye: it may be of any length and hold anything."""
    return one_line(path if len(path) <= _PATH_SHOWN else f"{path[:_PATH_SHOWN]} ...")


def _draw_seen(
    box: bpy.types.UILayout, context: bpy.types.Context, seen: inspection.Inspection, width: int
) -> None:
    column = box.column(align=True)
    column.scale_y = 0.85
    sure = seen.confidence >= LOW
    doubtful = (
        not sure or seen.warnings or any(finding.code not in NOTES for finding in seen.findings)
    )
    column.label(
        text=tr("Face detected") if sure else tr("Face detected, not sure"),
        icon="ERROR" if doubtful else "CHECKMARK",
        translate=False,
    )
    moving = tr("Affects {moving} of {all} vertices").format(
        moving=f"{seen.face_vertices:,}", all=f"{seen.vertices:,}"
    )
    column.label(text=moving, icon="VERTEXSEL", translate=False)
    parts = (
        [name for name, role, _why in seen.parts if role != "none"]
        if of_scene(context).parts
        else []
    )
    if parts:
        column.label(
            text=tr("+ {count} separate parts").format(count=len(parts)),
            icon="OUTLINER_DATA_MESH",
            translate=False,
        )
    shapes = sum(COUNTS[name] for name in of_scene(context).sets)
    memory = seen.memory_mb + shapes * seen.face_vertices * _BYTES_PER_VERTEX / 2**20
    engine = tr("{model} on {provider}, about {memory} MB").format(
        model=seen.model, provider=seen.provider, memory=f"{memory:.0f}"
    )
    column.label(text=engine, icon="SYSTEM", translate=False)
    made = count(active_object(context))
    if made:
        column.label(
            text=tr("{count} generated keys").format(count=made),
            icon="SHAPEKEY_DATA",
            translate=False,
        )


def _draw_findings(box: bpy.types.UILayout, known: Sequence[Finding], width: int) -> None:
    """What should be known before the click, the weightiest first, each kind with its one button
    where one helps.
    """
    findings = sorted(known, key=lambda finding: finding.code in NOTES)
    told = [(finding, finding.said(tr)) for finding in findings]
    last = {
        BUTTONS[finding.code]: number
        for number, (finding, _text) in enumerate(told[:_FINDINGS])
        if finding.code in BUTTONS
    }
    for number, (finding, text) in enumerate(told[:_FINDINGS]):
        draw_lines(box, text, "INFO" if finding.code in NOTES else "ERROR", width)
        if last.get(BUTTONS.get(finding.code, "")) == number:
            box.operator(BUTTONS[finding.code])
    if len(told) > _FINDINGS:
        box.label(
            text=tr("and {count} more").format(count=len(told) - _FINDINGS),
            icon="BLANK1",
            translate=False,
        )


def _draw_error(layout: bpy.types.UILayout, error: AddonError, width: int) -> None:
    """What went wrong, what to do about it, and the report to copy."""
    column = layout.column()
    column.alert = True
    draw_lines(
        column, tr(NO_FACE if error.message.startswith(NO_FACE) else error.message), "ERROR", width
    )
    if error.fix:
        draw_lines(layout, tr(error.fix), "FORWARD", width)
    if error.code in _MISSING:
        row = layout.row()
        row.operator(
            "preferences.addon_show", text="Open Preferences", icon="PREFERENCES"
        ).module = session.ROOT_PACKAGE
    if error.code == "no_face":
        other = suggested(bpy.context)
        if other:
            use: Any = layout.operator(
                USE_OTHER,
                text=tr("Use {name} instead").format(name=other),
                icon="OBJECT_DATA",
                translate=False,
            )
            use.name = other
        layout.operator(BY_HAND, icon="GREASEPENCIL")
    layout.operator(BLENDSHAPES_OT_copy_report.bl_idname, icon="COPYDOWN")


def _faceless(context: bpy.types.Context) -> bool:
    """Whether it is known that no face is detected on the mesh, as it is asked for now."""
    seen = inspection.look(context)
    return seen is not None and seen.error is not None and seen.error.code == "no_face"


def _draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context, width: int) -> None:
    """What came of the last run, where it was about this object and nothing has been undone
    since.
    """
    status = session.status
    if not status.is_of(context.object):
        return
    if status.error is not None:
        if _faceless(context) and status.error.code == "no_face":
            return  # the box above says it
        _draw_error(layout.box(), status.error, width)
        return
    if not status.result:
        return
    box = layout.box()
    draw_lines(box, status.result, "CHECKMARK" if status.made else "INFO", width)
    if status.engine:
        draw_lines(box, status.engine, "SYSTEM", width)
    for warning in status.warnings[:_WARNINGS]:
        draw_lines(box, warning, "DOT", width)
    if len(status.warnings) > _WARNINGS:
        box.label(
            text=tr("and {count} more").format(count=len(status.warnings) - _WARNINGS),
            icon="BLANK1",
            translate=False,
        )
    if status.warnings:
        box.operator(BLENDSHAPES_OT_copy_report.bl_idname, icon="COPYDOWN")
