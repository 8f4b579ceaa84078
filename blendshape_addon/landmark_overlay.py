# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks drawn over the face in the 3D view: what is found in one colour, what the user placed in another."""

from __future__ import annotations

from dataclasses import dataclass, field

import blf
import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Vector

from .job import found_landmarks
from .landmarks import LINES, title
from .typed import of_object

FOUND, PLACED, NEAR, LINE = (1.0, 0.72, 0.1, 1.0), (0.25, 0.85, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0), (1.0, 0.72, 0.1, 0.5)
_SIZE = 9.0  # pixels at a UI scale of 1


@dataclass
class Overlay:
    """What is drawn: the landmarks of an object, and which of them is under the mouse or in the hand."""

    identity: int
    near: str = ""
    _handles: list[object] = field(default_factory=list)

    def show(self) -> None:
        """Begin to draw in all 3D views."""
        if not self._handles:
            self._handles.append(bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL"))

    def hide(self) -> None:
        """Draw no longer."""
        while self._handles:
            bpy.types.SpaceView3D.draw_handler_remove(self._handles.pop(), "WINDOW")

    def _draw(self) -> None:
        context = bpy.context
        ob = next((ob for ob in bpy.data.objects if ob.session_uid == self.identity), None)
        if ob is None or context.region_data is None:
            return
        placed = {mark.name for mark in of_object(ob).landmarks if mark.corrected}
        draw(on_screen(context, ob), placed, self.near, context.preferences.system.ui_scale)


def on_screen(context: bpy.types.Context, ob: bpy.types.Object) -> dict[str, Vector]:
    """Name -> place in the region in pixels, of the landmarks before the camera."""
    found: dict[str, Vector] = {}
    if context.region is None or context.region_data is None:
        return found
    for name, place in found_landmarks(ob).items():
        point = location_3d_to_region_2d(context.region, context.region_data, ob.matrix_world @ Vector(place))
        if point is not None:
            found[name] = point
    return found


def draw(points: dict[str, Vector], placed: set[str], near: str, scale: float) -> None:
    """Draw lines, points and the name of the near one."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    ends = [points[name] for pair in LINES if set(pair) <= points.keys() for name in pair]
    if ends:
        shader.uniform_float("color", LINE)
        batch_for_shader(shader, "LINES", {"pos": [(p.x, p.y, 0.0) for p in ends]}).draw(shader)
    for name, point in points.items():
        size = _SIZE * scale * (1.5 if name == near else 1.0) / 2
        shader.uniform_float("color", NEAR if name == near else PLACED if name in placed else FOUND)
        corners = [(point.x + x * size, point.y + y * size, 0.0) for x, y in ((-1, 0), (0, -1), (1, 0), (0, 1))]
        batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)]).draw(shader)
    gpu.state.blend_set("NONE")
    if near in points:
        blf.size(0, 12 * scale)
        blf.color(0, *NEAR)
        blf.position(0, points[near].x + _SIZE * scale, points[near].y + _SIZE * scale, 0)
        blf.draw(0, title(near))


_overlay: Overlay | None = None


def current() -> Overlay | None:
    """What is drawn now, None when nothing is."""
    return _overlay


def show(ob: bpy.types.Object) -> Overlay:
    """Draw the landmarks of this object."""
    global _overlay
    hide()
    _overlay = Overlay(int(ob.session_uid))
    _overlay.show()
    return _overlay


def hide() -> None:
    """Draw nothing."""
    global _overlay
    if _overlay is not None:
        _overlay.hide()
        _overlay = None
