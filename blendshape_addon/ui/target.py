# SPDX-License-Identifier: GPL-3.0-or-later
"""The top of the tab: which mesh it is about, what is known before the click, what came of the last
one.
"""

from collections.abc import Sequence
from typing import Any

import bpy

from ..blender_io.findings import NOTES, Finding
from ..blender_io.generated import count
from ..errors import AddonError
from ..foreign import one_line
from ..job import chosen, inspection, session
from ..job.checked import scene_findings
from ..job.chosen import BLENDSHAPES_OT_forget_named, BLENDSHAPES_OT_use_named
from ..job.other_face import suggestion
from ..job.outcome import LOW
from ..ops.fix_operators import BUTTONS
from ..ops.landmark_hand import BLENDSHAPES_OT_place_landmarks
from ..ops.operators import BLENDSHAPES_OT_inspect
from ..ops.option_properties import COUNTS
from ..ops.use_other import BLENDSHAPES_OT_use_other
from ..translations import said, tr
from ..typed import active_object, of_scene
from . import guide
from .report import BLENDSHAPES_OT_copy_report
from .tab import draw_lines

NO_FACE = (
    "No face detected on this mesh"  # how the child's sentence begins, whose number is left out
)
_MISSING = frozenset(
    {"runtime_missing", "model_missing", "model_unreadable", "model_contract", "child_start"}
)
_WARNINGS = 5
_FINDINGS = 8  # that are shown before the click
_PATH_SHOWN = 1024  # characters: what is longer cannot be used
_BYTES_PER_VERTEX = 36  # of a shape: three numbers, and about three copies of them while it is made


def draw_target(layout: bpy.types.UILayout, context: bpy.types.Context, width: int) -> None:
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
            draw_lines(box, said(warning), "ERROR", width)
    if any(modifier.type in ("SUBSURF", "MULTIRES") for modifier in ob.modifiers):
        draw_lines(
            box,
            tr("Keys are written to the mesh below the subdivision, which follows them"),
            "MOD_SUBSURF",
            width,
        )


def draw_named(layout: bpy.types.UILayout, named: chosen.Named, width: int) -> None:
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
        column,
        said(NO_FACE if error.message.startswith(NO_FACE) else error.message),
        "ERROR",
        width,
    )
    if error.fix:
        draw_lines(layout, said(error.fix), "FORWARD", width)
    if error.code in _MISSING:
        row = layout.row()
        row.operator(
            "preferences.addon_show", text="Open Preferences", icon="PREFERENCES"
        ).module = session.ROOT_PACKAGE
    if error.code == "no_face":
        other = suggestion(bpy.context)
        if other:
            use: Any = layout.operator(
                BLENDSHAPES_OT_use_other.bl_idname,
                text=tr("Use {name} instead").format(name=other),
                icon="OBJECT_DATA",
                translate=False,
            )
            use.name = other
        layout.operator(BLENDSHAPES_OT_place_landmarks.bl_idname, icon="GREASEPENCIL")
    row = layout.row(align=True)
    row.operator(BLENDSHAPES_OT_copy_report.bl_idname, icon="COPYDOWN")
    guide.draw_link(row, guide.TROUBLES, "Troubleshooting", "HELP")


def faceless(context: bpy.types.Context) -> bool:
    """Whether it is known that no face is detected on the mesh, as it is asked for now."""
    seen = inspection.look(context)
    return seen is not None and seen.error is not None and seen.error.code == "no_face"


def draw_outcome(layout: bpy.types.UILayout, context: bpy.types.Context, width: int) -> None:
    """What came of the last run, where it was about this object and nothing has been undone
    since.
    """
    status = session.status
    if not status.is_of(context.object):
        return
    if status.error is not None:
        if faceless(context) and status.error.code == "no_face":
            return  # the box above says it
        _draw_error(layout.box(), status.error, width)
        return
    if not status.result:
        return
    box = layout.box()
    draw_lines(box, status.result, "CHECKMARK" if status.made else "INFO", width)
    if status.engine:
        draw_lines(box, status.engine, "SYSTEM", width)
    posed = {pose.words for pose in status.poses}  # which Results shows, with a button each
    warnings = [warning for warning in status.warnings if warning not in posed]
    for warning in warnings[:_WARNINGS]:
        draw_lines(box, said(warning), "DOT", width)
    if len(warnings) > _WARNINGS:
        box.label(
            text=tr("and {count} more").format(count=len(warnings) - _WARNINGS),
            icon="BLANK1",
            translate=False,
        )
    if status.warnings:
        box.operator(BLENDSHAPES_OT_copy_report.bl_idname, icon="COPYDOWN")
