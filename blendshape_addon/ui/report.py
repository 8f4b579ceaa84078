# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user copies when something goes wrong: what happened and on what; the home folder is left
out.
"""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path, PurePath

import bpy

from ..job import inspection, session
from ..translations import tr
from ..typed import Returned, keys_of, mesh_of, of_scene

_LAST_LINES = 40  # of the log: a traceback with what came before it
_HOMES = re.compile(
    r"(?:[A-Za-z]:)?[/\\]+(?:Users|home)[/\\]+[^/\\\s:;,'\"]+", re.IGNORECASE
)  # also Windows' short form, C:\Users\NAME~1


def report_text(context: bpy.types.Context) -> str:
    """The report as text."""
    status, hello = session.status, session.backend.hello or {}
    lines = [
        "BlendShape Auto-Generator report",
        (
            f"Blender {bpy.app.version_string}, {platform.system()} {platform.machine()}, extension"
            f" {session.version()}"
        ),
        (
            f"Backend: {json.dumps(hello.get('versions', 'not running'))}, providers"
            f" {', '.join(hello.get('providers', [])) or 'unknown'}"
        ),
    ]
    ob = context.object
    if ob is not None and ob.type == "MESH":
        modifiers = ", ".join(modifier.type for modifier in ob.modifiers) or "none"
        keys = 0 if mesh_of(ob).shape_keys is None else len(keys_of(ob).key_blocks)
        lines.append(
            f"Mesh: {len(mesh_of(ob).vertices)} vertices, {len(mesh_of(ob).polygons)} faces,"
            f" {keys} keys, modifiers {modifiers}, mode {ob.mode}"
        )
    scene = of_scene(context)
    lines.append(
        f"Asked for: {', '.join(sorted(scene.sets)) or 'no set'}, strength {scene.strength:g},"
        f" style {scene.style:g}"
    )
    seen = inspection.look(context)
    if seen is not None:
        lines.append(
            f"Face: {seen.state}, confidence {seen.confidence:.2f}, {seen.face_vertices} of"
            f" {seen.vertices} vertices, model {seen.model}"
        )
    error = status.error or (seen.error if seen is not None else None)
    if error is not None:
        lines += [f"Error [{error.code}]: {error.message}", f"Fix: {error.fix}"]
    elif status.result:
        lines.append(f"Result: {status.result}")
    lines += [f"Warning: {warning}" for warning in status.warnings]
    if status.trace:
        lines += ["", status.trace.rstrip()]
    lines.append(f"Log file of the backend: {log_file()}")
    tail = session.backend.log_tail().splitlines()[-_LAST_LINES:]
    if tail:
        lines += ["", "Log of the backend:", *tail]
    return without_homes("\n".join(lines), _home()) + "\n"


def log_file() -> str:
    """The path of the file with the child's messages, or why there is none."""
    log = session.backend.log
    if log is None:
        return "none, it has not been started"
    return str(log) if log.is_file() else "none, it wrote nothing"


def without_homes(text: str, home: PurePath | None) -> str:
    """The text with ~ for the folder `home`, and for any other folder that is named like a home:
    its name is a person's.
    """
    if home is not None and home != type(home)(home.anchor):
        for spelling in (str(home), home.as_posix(), str(home).replace("\\", "\\\\")):
            text = re.sub(
                re.escape(spelling) + r"(?![^/\\\s:;,'\"])", "~", text, flags=re.IGNORECASE
            )
    return _HOMES.sub("~", text)


def _home() -> Path | None:
    """The user's home folder; None where nobody says whose process this is."""
    try:
        return Path.home()
    except RuntimeError:
        return None


class BLENDSHAPES_OT_copy_report(bpy.types.Operator):
    """Copy what happened, with versions and the log, to the clipboard, to paste it where you ask
    for help
    """

    bl_idname = "blendshapes.copy_report"
    bl_label = "Copy Report"

    def execute(self, context: bpy.types.Context) -> Returned:
        """Copy it."""
        context.window_manager.clipboard = report_text(context)
        self.report({"INFO"}, tr("The report is on the clipboard"))
        return {"FINISHED"}
