# SPDX-License-Identifier: GPL-3.0-or-later
"""Placing all landmarks by hand, by clicks in order: where no face is found, or the wrong one."""

from __future__ import annotations

from typing import Literal

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..blender_io import landmark_store, landmarks
from ..blender_io.anchors import Point
from ..blender_io.mesh_io import check_editable
from ..errors import as_addon_error
from ..job import inspection, landmark_overlay
from ..shared_marks import marks
from ..translations import error_text, tr
from ..typed import Returned, active_object, status_text
from .asking import OfMesh
from .landmark_operators import below, region_at, shown_surface

# The inner corners of the eyes come first: where they are tells the mirror plane
FIRST = ("eye_inner_left", "eye_inner_right")
ONE_SIDE = ("eye_outer_left", "lid_upper_left", "lid_lower_left", "mouth_left")
MIDDLE = ("lip_upper", "lip_lower", "nose_tip", "chin")
BROWS = ("brow_inner_left", "brow_outer_left")
EXCHANGED = (
    "Left and right are exchanged: left is the character's left, which is on the right when it"
    " looks at you."
)


def order(symmetric: bool) -> tuple[str, ...]:
    """Which landmarks are asked for one after the other; those that a face cannot be without come
    first.
    """
    if symmetric:
        return (*FIRST, *ONE_SIDE, *MIDDLE, *BROWS)
    others = [name for name in marks.NAMES if name in marks.NEEDED and name not in FIRST]
    return (*FIRST, *others, *MIDDLE, *(name for name in marks.NAMES if name.startswith("brow")))


class Clicks:
    """What was clicked so far on an object, and what comes next."""

    def __init__(self, ob: bpy.types.Object) -> None:
        self.surface = shown_surface(ob)
        self.given: dict[str, Point] = {}
        self.plane: landmarks.Plane | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that are asked for."""
        return order(self.plane is not None or len(self.given) < len(FIRST))

    @property
    def next(self) -> str:
        """The one that is asked for now, or nothing when all are there."""
        return next((name for name in self.names if name not in self.given), "")

    def places(self) -> dict[str, Point]:
        """Those that were clicked, and their mirror images where the mesh is symmetric."""
        found = dict(self.given)
        if self.plane is None:
            return found
        one, other = (
            np.array(found[name]) for name in FIRST
        )  # both were clicked: what lies between them is alike on both sides
        middle = (one + np.array(landmarks.reflected(_point(other), self.plane))) / 2
        found[FIRST[0]] = _point(middle)
        for name, place in list(found.items()):
            twin = landmarks.partner(name)
            if twin is not None and name != FIRST[1]:
                found[twin] = landmarks.reflected(place, self.plane)
        return found

    def add(self, ob: bpy.types.Object, place: Point) -> str:
        """Take a click for the next landmark; what is wrong with it, in a sentence: then it was not
        taken.
        """
        before, name = self.places(), self.next
        self.given[name] = place
        if len(self.given) == len(FIRST):
            self.plane = landmarks.plane_of_face(
                self.surface, *(self.given[first] for first in FIRST)
            )
        now = self.places()
        wrong = landmarks.refusal(
            ob,
            before,
            {mark: at for mark, at in now.items() if before.get(mark) != at},
            self.surface,
        )
        if wrong:
            self.undo()
        return wrong

    def undo(self) -> None:
        """Take the last click back."""
        if self.given:
            self.given.popitem()
        if len(self.given) < len(FIRST):
            self.plane = None

    def enough(self) -> bool:
        """Whether the rest can be estimated."""
        return set(marks.NEEDED) <= self.places().keys()

    def finish(self, ob: bpy.types.Object) -> list[str]:
        """Keep them on the object in the place of all that were there; names of those that are
        estimated. Raises AddonError `mesh_invalid`.
        """
        places = self.places()
        landmarks.check(ob, {}, places, self.surface)
        guessed = landmarks.estimates(ob, places, self.surface)
        landmark_store.forget(ob)
        landmark_store.put(ob, places | guessed, self.surface, True, guessed)
        return list(guessed)


def _point(place: NDArray[np.float64]) -> Point:
    return float(place[0]), float(place[1]), float(place[2])


class BLENDSHAPES_OT_place_landmarks(OfMesh, bpy.types.Operator):
    """Click where the landmarks are, one after the other; for faces that are not found, or that are
    none
    """

    bl_idname = "blendshapes.place_landmarks"
    bl_label = "Place Landmarks by Hand"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Without a window nobody clicks."""
        self.report(
            {"ERROR"},
            tr(
                "Landmarks are placed by hand in a 3D view; scripts place them with"
                " blendshapes.place_landmark."
            ),
        )
        return {"CANCELLED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """Ask for the first one."""
        if bpy.app.background or context.area is None or context.area.type != "VIEW_3D":
            return self.execute(context)
        if landmark_overlay.current() is not None:
            landmark_overlay.hide()  # pressed again: the operator that shows it sees that and ends
            return {"CANCELLED"}
        try:
            ob = check_editable(context.object)
            inspection.stop()
            self._clicks = Clicks(ob)
        except Exception as problem:
            self.report({"ERROR"}, error_text(as_addon_error(problem)))
            return {"CANCELLED"}
        self._identity, self._area = int(ob.session_uid), context.area
        self._overlay = landmark_overlay.guide(ob)
        self._ask(context)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """One event. What is not for the landmarks turns and moves the view."""
        ob = active_object(context) if context.object is not None else None
        if (
            ob is None
            or int(ob.session_uid) != self._identity
            or landmark_overlay.current() is not self._overlay
            or ob.mode != "OBJECT"
        ):
            return self._end(context, "CANCELLED")
        region = region_at(self._area, event)
        if event.value != "PRESS" or (region is None and event.type == "LEFTMOUSE"):
            return {"PASS_THROUGH"}
        if event.type in {"ESC", "RIGHTMOUSE"}:
            return self._end(context, "CANCELLED")
        if event.type == "BACK_SPACE":
            self._clicks.undo()
            self._ask(context)
            return {"RUNNING_MODAL"}
        if event.type in {"RET", "NUMPAD_ENTER"}:
            return self._finish(context, ob)
        if event.type == "LEFTMOUSE" and region is not None:
            with context.temp_override(area=self._area, region=region):
                wrong = self._click(
                    bpy.context, ob, Vector((event.mouse_x - region.x, event.mouse_y - region.y))
                )
            if not wrong and not self._clicks.next:
                return self._finish(context, ob)
            self._ask(context, wrong)
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Another file is opened."""
        landmark_overlay.hide()

    def _click(self, context: bpy.types.Context, ob: bpy.types.Object, mouse: Vector) -> str:
        place = below(context, ob, mouse)
        if place is None:
            return (
                "There is no surface of this object here: turn the view with the middle button, or"
                " click on the face."
            )
        wrong = self._clicks.add(ob, place)
        if not wrong and len(self._clicks.given) == len(FIRST):
            left, right = (
                landmark_overlay.projected(context, ob, self._clicks.given).get(name)
                for name in FIRST
            )
            if left is not None and right is not None and left.x < right.x:
                self._clicks.undo()
                self._clicks.undo()
                return EXCHANGED
        return wrong

    def _ask(self, context: bpy.types.Context, wrong: str = "") -> None:
        """Say what comes next."""
        clicks = self._clicks
        done = tr("Enter: Confirm") if clicks.enough() else ""
        keys = [tr("Backspace: back"), tr("Esc: Cancel")]
        self._overlay.places, self._overlay.wanted, self._overlay.wrong = (
            clicks.places(),
            clicks.next,
            tr(wrong) if wrong else "",
        )
        self._overlay.prompt = tr("Click: {name} ({number} of {count})").format(
            name=tr(landmarks.title(clicks.next)),
            number=len(clicks.given) + 1,
            count=len(clicks.names),
        )
        status_text(
            context, "   ".join(text for text in (self._overlay.prompt, done, *keys) if text)
        )
        self._area.tag_redraw()

    def _finish(self, context: bpy.types.Context, ob: bpy.types.Object) -> Returned:
        if not self._clicks.enough():
            self._ask(
                context,
                "There are not enough landmarks yet: eyes and corners of the mouth are needed.",
            )
            return {"RUNNING_MODAL"}
        try:
            guessed = self._clicks.finish(ob)
        except Exception as problem:
            self._clicks.undo()
            self._ask(context, as_addon_error(problem).message)
            return {"RUNNING_MODAL"}
        inspection.forget()
        text = tr("{count} landmarks are placed.").format(count=len(marks.NAMES) - len(guessed))
        if guessed:
            names = ", ".join(tr(landmarks.title(name)) for name in guessed)
            estimated = tr("Estimated, look at them with Edit Landmarks: {names}")
            text = f"{text} {estimated.format(names=names)}"
        self.report({"INFO"}, text)
        return self._end(context, "FINISHED")

    def _end(
        self, context: bpy.types.Context, result: Literal["FINISHED", "CANCELLED"]
    ) -> Returned:
        if landmark_overlay.current() is self._overlay:
            landmark_overlay.hide()
        status_text(context, None)
        self._area.tag_redraw()
        return {result}
