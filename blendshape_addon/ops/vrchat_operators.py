# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRChat check inside Blender: its operators, with what they found."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Annotated

import bpy

from ..blender_io import vrchat_check
from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..blender_io.standards import standards
from ..blender_io.vrchat_facts import facts
from ..blender_io.vrchat_words import Finding
from ..errors import AddonError
from ..job import live, preview, session
from ..translations import error_text, tr
from ..typed import Returned, active_object, own_operators
from .asking import OfMesh
from .vrchat_fixes import ASKED_FOR, AT_ONCE, MAKING, mend, set_of

_AGAIN_SECONDS = 0.2  # between two looks at whether the keys are made

_findings: list[Finding] = []
_checked: list[int] = []  # identity of the object that the findings are about


def known_sets() -> Mapping[str, tuple[str, ...]]:
    """Key names of the shipped sets by the sets' names."""
    return standards()


def put_previews_away() -> None:
    """Nothing that is only shown is checked or exported."""
    preview.stop()
    now = live.current()
    if now is not None:
        now.rest()


def look(ob: bpy.types.Object) -> list[Finding]:
    """Check the object and remember the findings for the panel."""
    put_previews_away()
    with object_mode(check_editable(ob)):
        _findings[:] = vrchat_check.check(facts(ob))
    _checked[:] = [ob.session_uid]
    return list(_findings)


def findings_of(ob: bpy.types.Object) -> list[Finding]:
    """What the last check found, where it was about this object."""
    return list(_findings) if _checked == [ob.session_uid] else []


def forget() -> None:
    """Another file is opened."""
    _findings.clear()
    _checked.clear()


def for_all(finding: Finding) -> bool:
    """Whether Fix All mends it."""
    return bool(finding.fix) and finding.level != "note" and finding.fix not in ASKED_FOR


class BLENDSHAPES_OT_vrchat_check(OfMesh, bpy.types.Operator):
    """Look for what would keep this avatar's face from working in VRChat; changes nothing"""

    bl_idname = "blendshapes.vrchat_check"
    bl_label = "Check for VRChat"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Check."""
        try:
            findings = look(active_object(context))
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        problems = [finding for finding in findings if finding.level in ("warning", "error")]
        for finding in problems:
            self.report({"WARNING"}, finding.said(tr))
        notes = sum(finding.level == "note" for finding in findings)
        told = (
            tr("{count} issues found").format(count=len(problems))
            if problems
            else tr("Nothing was found that keeps the face from working in VRChat")
        )
        more = tr("{count} to know").format(count=notes)
        self.report({"INFO"}, f"{told}, {more}" if notes else told)
        return {"FINISHED"}


class BLENDSHAPES_OT_vrchat_fix(OfMesh, bpy.types.Operator):
    """Fix this issue, or every fixable one; Ctrl-Z takes it back"""

    bl_idname = "blendshapes.vrchat_fix"
    bl_label = "Fix"
    bl_options = {"REGISTER", "UNDO"}

    code: Annotated[
        str,
        bpy.props.StringProperty(
            name="Finding",
            description="Which issue to fix; empty: all of them",
            options={"SKIP_SAVE"},
        ),
    ]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """In a window what has to be generated is, as by Generate, with progress and ESC; it is an
        undo step of its own.
        """
        if bpy.app.background:
            return self.execute(context)
        ob = active_object(context)
        try:
            asked = self._asked(ob)
        except AddonError:
            return self.execute(context)  # which says it
        sets = {set_of(finding) for finding in asked if finding.fix in MAKING}
        done = self._mend(ob, [finding for finding in asked if finding.fix not in MAKING], not sets)
        if sets and done is not None:
            own_operators().generate("INVOKE_DEFAULT", sets=sets)
        bpy.app.timers.register(_look_again, first_interval=_AGAIN_SECONDS)
        return {"FINISHED"} if done else {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Check anew, so that what was undone meanwhile is not mended twice; mend; check again."""
        ob = active_object(context)
        try:
            asked = self._asked(ob)
        except AddonError as error:
            self.report({"ERROR"}, error_text(error))
            return {"CANCELLED"}
        done = self._mend(ob, asked)
        with contextlib.suppress(AddonError):
            look(ob)
        return {"FINISHED"} if done else {"CANCELLED"}

    def _asked(self, ob: bpy.types.Object) -> list[Finding]:
        """What is there now of what is to be mended."""
        return [
            finding
            for finding in look(ob)
            if finding.fix and (self.code == finding.code if self.code else for_all(finding))
        ]

    def _mend(
        self, ob: bpy.types.Object, asked: Sequence[Finding], alone: bool = True
    ) -> list[str] | None:
        """What was done; None where it failed before anything was. alone: nothing else is done, so
        that it is said where there was nothing to do.
        """
        done: list[str] = []
        try:
            mended: set[str] = set()
            for finding in asked:
                if finding.fix in AT_ONCE and finding.fix in mended:
                    continue
                mended.add(finding.fix)
                with object_mode(ob):
                    done.append(mend(ob, finding))
        except (AddonError, RuntimeError) as error:
            self.report({"ERROR"}, error_text(error))
            return done or None
        if done or alone:
            self.report({"INFO"}, "; ".join(done) or tr("There was nothing to fix"))
        return done


def _look_again() -> float | None:
    """When the keys are made, what the panel says is looked at again."""
    if session.status.running:
        return _AGAIN_SECONDS
    ob = next((ob for ob in bpy.data.objects if [ob.session_uid] == _checked), None)
    if ob is not None:
        with contextlib.suppress(AddonError):
            look(ob)
        session.redraw(bpy.context)
    return None


CLASSES = (
    BLENDSHAPES_OT_vrchat_check,
    BLENDSHAPES_OT_vrchat_fix,
)
