# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeing and correcting landmarks: drag them on the face, or place them by a script."""

from collections.abc import Sequence
from typing import Annotated, Literal

import bpy
from bpy_extras.view3d_utils import (
    region_2d_to_location_3d,
    region_2d_to_origin_3d,
    region_2d_to_vector_3d,
)
from mathutils import Vector

from ..blender_io import landmark_store, landmarks
from ..blender_io.anchors import Point, Surface
from ..blender_io.avatar_objects import find
from ..blender_io.landmark_store import found_landmarks, keep_landmarks
from ..blender_io.mesh_arrays import triangles_of
from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..errors import AddonError, as_addon_error
from ..job import face_view, inspection, landmark_overlay
from ..shared_marks import marks
from ..translations import error_text, tr
from ..typed import Returned, active_object, mesh_of, of_object, of_window, status_text
from .asking import OfMesh

_REACH = 14.0  # pixels at a UI scale of 1 around a landmark within which it is taken


def _ensure(context: bpy.types.Context) -> None:
    """Keep the face's landmarks on the active object, looking for them if they are not known.
    Raises AddonError.
    """
    ob = check_editable(context.object)
    if not found_landmarks(ob):
        known = inspection.known_landmarks(ob) or inspection.inspect_now(context).landmarks
        with object_mode(ob):
            surface = landmark_store.seen_surface(ob)
        keep_landmarks(ob, known, surface)


def shown_surface(ob: bpy.types.Object) -> Surface:
    """The object's mesh as it is on the screen."""
    with object_mode(ob):
        return Surface(landmark_store.shown_vertices(ob), triangles_of(mesh_of(ob)))


class BLENDSHAPES_OT_edit_landmarks(OfMesh, bpy.types.Operator):
    """Show the landmarks on the face and drag them to where they belong; the other side follows"""

    bl_idname = "blendshapes.edit_landmarks"
    bl_label = "Edit Landmarks"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Returned:
        """Without a window: only find them and keep them on the object."""
        try:
            _ensure(context)
        except Exception as problem:
            self.report({"ERROR"}, error_text(as_addon_error(problem)))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """Show them, and wait for the hand."""
        if bpy.app.background or context.area is None or context.area.type != "VIEW_3D":
            return self.execute(context)
        if landmark_overlay.current() is not None:
            # pressed again: the operator that shows them sees that and ends
            landmark_overlay.hide()
            return {"CANCELLED"}
        if self.execute(context) == {"CANCELLED"}:
            return {"CANCELLED"}
        ob = active_object(context)
        self._identity, self._held = int(ob.session_uid), ""
        self._before, self._surface = landmark_store.snapshot(ob), shown_surface(ob)
        self._steps: list[list[landmark_store.Kept]] = []  # before each drag
        self._overlay = landmark_overlay.show(ob)
        self._area = context.area
        face_view.show_posed(context, ob)
        status_text(
            context, tr("Drag landmarks with the left button   Enter: Confirm   Esc: Cancel")
        )
        context.window_manager.modal_handler_add(self)
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Returned:
        """One event."""
        ob = find(self._identity)
        shown = landmark_overlay.current() is self._overlay
        if ob is None or not shown or not of_object(ob).landmarks:  # which an undo took away
            return self._end(context, "FINISHED")
        if event.type == "Z" and (event.ctrl or event.oskey):
            if event.value == "PRESS" and not event.shift:
                self._take_back(ob)
            return {"RUNNING_MODAL"}  # Blender's own undo would take back what was done before
        if event.type == "ESC" and event.value == "PRESS":
            landmark_store.restore(ob, self._before)
            return self._end(context, "CANCELLED")
        if event.type in {"RET", "NUMPAD_ENTER"} and event.value == "PRESS":
            return self._end(context, "FINISHED")
        region = region_at(self._area, event)
        if region is None and not self._held:
            return {"PASS_THROUGH"}
        region = region or next(region for region in self._area.regions if region.type == "WINDOW")
        mouse = Vector((event.mouse_x - region.x, event.mouse_y - region.y))
        if event.type == "MOUSEMOVE":
            with context.temp_override(area=self._area, region=region):
                if self._held:
                    self._drag(bpy.context, ob, mouse)
                else:
                    self._overlay.near = self._nearest(bpy.context, ob, mouse)
            self._area.tag_redraw()
            return {"RUNNING_MODAL"} if self._held else {"PASS_THROUGH"}
        if event.type == "LEFTMOUSE" and event.value == "PRESS" and self._overlay.near:
            self._held = self._overlay.near
            self._steps.append(landmark_store.snapshot(ob))
            return {"RUNNING_MODAL"}
        if event.type == "LEFTMOUSE" and event.value == "RELEASE" and self._held:
            self._held = ""
            landmarks.complete(ob, self._surface)
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Another file is opened."""
        landmark_overlay.hide()

    def _take_back(self, ob: bpy.types.Object) -> None:
        """The last drag, also one that goes on."""
        self._held, self._overlay.wrong = "", ""
        if self._steps:
            landmark_store.restore(ob, self._steps.pop())
            self._area.tag_redraw()

    def _nearest(self, context: bpy.types.Context, ob: bpy.types.Object, mouse: Vector) -> str:
        reach = _REACH * context.preferences.system.ui_scale
        places = landmark_overlay.on_screen(context, ob)
        name = min(places, key=lambda name: (places[name] - mouse).length, default="")
        return name if name and (places[name] - mouse).length < reach else ""

    def _drag(self, context: bpy.types.Context, ob: bpy.types.Object, mouse: Vector) -> None:
        """Onto the surface below the mouse; beside it, at the depth where the landmark is."""
        place = below(context, ob, mouse)
        if place is None and context.region is not None and context.region_data is not None:
            here = ob.matrix_world @ Vector(
                found_landmarks(ob, self._surface.vertices).get(self._held, (0.0, 0.0, 0.0))
            )
            there = region_2d_to_location_3d(context.region, context.region_data, mouse, here)
            place = _point(ob.matrix_world.inverted_safe() @ there)
        if place is None:
            return
        try:
            landmarks.place(ob, self._held, place, of_window(context).mirror, self._surface)
            self._overlay.wrong = ""
        except AddonError as refused:
            self._overlay.wrong = refused.message

    def _end(
        self, context: bpy.types.Context, result: Literal["FINISHED", "CANCELLED"]
    ) -> Returned:
        landmark_overlay.hide()
        face_view.give_back(context)
        status_text(context, None)
        self._area.tag_redraw()
        return {result}


class BLENDSHAPES_OT_place_landmark(OfMesh, bpy.types.Operator):
    """Put a landmark on a place in the object's space; for scripts"""

    bl_idname = "blendshapes.place_landmark"
    bl_label = "Place Landmark"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    landmark: Annotated[
        str,
        bpy.props.StringProperty(name="Landmark", description="Its name, such as lid_upper_left"),
    ]
    place: Annotated[
        Sequence[float],
        bpy.props.FloatVectorProperty(name="Place", description="In the object's space", size=3),
    ]
    mirror: Annotated[
        bool,
        bpy.props.BoolProperty(
            name="Mirror",
            description="Move the landmark on the other side of the face as well",
            default=True,
        ),
    ]

    def execute(self, context: bpy.types.Context) -> Returned:
        """Place it."""
        try:
            self._place(context)
        except KeyError:
            names = ", ".join(found_landmarks(active_object(context)) or marks.NAMES)
            wrong = AddonError(
                "usage", f"There is no landmark {self.landmark!r}.", f"Landmarks are {names}."
            )
            self.report({"ERROR"}, error_text(wrong))
            return {"CANCELLED"}
        except Exception as problem:
            self.report({"ERROR"}, error_text(as_addon_error(problem)))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _place(self, context: bpy.types.Context) -> None:
        try:
            _ensure(context)
        except AddonError as error:
            if (
                error.code != "no_face"
            ):  # where none is found, the landmarks are what tells the face
                raise
        ob = active_object(context)
        with object_mode(ob):
            surface = landmark_store.seen_surface(ob)
            landmarks.place(
                ob,
                self.landmark,
                (self.place[0], self.place[1], self.place[2]),
                self.mirror,
                surface,
            )
            guessed = landmarks.complete(ob, surface)
        if guessed:
            names = ", ".join(tr(landmarks.title(name)) for name in guessed)
            self.report(
                {"INFO"},
                tr("{count} landmarks are estimated from those that you placed: {names}").format(
                    count=len(guessed), names=names
                ),
            )


class BLENDSHAPES_OT_reset_landmarks(OfMesh, bpy.types.Operator):
    """Forget the landmarks of this mesh, also those that you placed; they are looked for again"""

    bl_idname = "blendshapes.reset_landmarks"
    bl_label = "Reset Landmarks"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs landmarks on the mesh."""
        return super().poll(context) and len(of_object(active_object(context)).landmarks) > 0

    def execute(self, context: bpy.types.Context) -> Returned:
        """Forget them."""
        landmark_store.forget(active_object(context))
        inspection.forget()
        return {"FINISHED"}


def below(context: bpy.types.Context, ob: bpy.types.Object, mouse: Vector) -> Point | None:
    """The place on the object's surface below the mouse, in its space; None beside it."""
    region, view, inverse = context.region, context.region_data, ob.matrix_world.inverted_safe()
    if region is None or view is None:
        return None
    origin = inverse @ region_2d_to_origin_3d(region, view, (mouse.x, mouse.y))
    way = (inverse.to_3x3() @ region_2d_to_vector_3d(region, view, mouse)).normalized()
    hit, place, _normal, _face = ob.ray_cast(
        origin, way, depsgraph=context.evaluated_depsgraph_get()
    )
    return _point(place) if hit else None


def _point(place: Vector) -> Point:
    return place[0], place[1], place[2]


def region_at(area: bpy.types.Area, event: bpy.types.Event) -> bpy.types.Region | None:
    """The 3D view's own region when the mouse is over it and over none of the regions that lie upon
    it.
    """
    over = [
        r
        for r in area.regions
        if r.x <= event.mouse_x < r.x + r.width
        and r.y <= event.mouse_y < r.y + r.height
        and r.width > 1
    ]
    window = next((region for region in over if region.type == "WINDOW"), None)
    return window if all(region.type == "WINDOW" for region in over) else None
