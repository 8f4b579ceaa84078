# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks drawn over the face in the 3D view: what is found in one colour, what the user placed
in another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import blf
import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Vector

from ..blender_io.anchors import Point
from ..blender_io.landmark_store import found_landmarks, shown_vertices
from ..blender_io.landmarks import LINES, title
from ..translations import tr
from ..typed import of_object

WRONG = (1.0, 0.35, 0.3, 1.0)
FOUND, PLACED, NEAR, LINE = (
    (1.0, 0.72, 0.1, 1.0),
    (0.25, 0.85, 1.0, 1.0),
    (1.0, 1.0, 1.0, 1.0),
    (1.0, 0.72, 0.1, 0.5),
)
_SIZE = 9.0  # pixels at a UI scale of 1


@dataclass
class Overlay:
    """What is drawn: the landmarks of an object, which of them is under the mouse or in the hand,
    and what is wrong with where it is pulled.
    """

    identity: int
    near: str = ""
    wrong: str = ""
    _handles: list[object] = field(default_factory=list)

    def show(self) -> None:
        """Begin to draw in all 3D views."""
        if not self._handles:
            self._handles.append(
                bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL")
            )

    def hide(self) -> None:
        """Draw no longer."""
        while self._handles:
            bpy.types.SpaceView3D.draw_handler_remove(self._handles.pop(), "WINDOW")

    def _draw(self) -> None:
        context = bpy.context
        ob = next((ob for ob in bpy.data.objects if ob.session_uid == self.identity), None)
        if ob is None or context.region_data is None:
            return
        placed, scale = (
            {mark.name for mark in of_object(ob).landmarks if mark.corrected},
            context.preferences.system.ui_scale,
        )
        draw(on_screen(context, ob), placed, self.near, scale)
        if self.wrong:
            write(self.wrong, 20 * scale, 40 * scale, scale, WRONG)


def on_screen(context: bpy.types.Context, ob: bpy.types.Object) -> dict[str, Vector]:
    """Name -> place in the region in pixels, of the landmarks before the camera, where the face is
    seen now.
    """
    return projected(context, ob, found_landmarks(ob, shown_vertices(ob)))


def projected(
    context: bpy.types.Context, ob: bpy.types.Object, places: Mapping[str, Point]
) -> dict[str, Vector]:
    """Name -> place in the region in pixels, of places in the object's space before the camera."""
    found: dict[str, Vector] = {}
    if context.region is None or context.region_data is None:
        return found
    for name, place in places.items():
        point = location_3d_to_region_2d(
            context.region, context.region_data, ob.matrix_world @ Vector(place)
        )
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
        corners = [
            (point.x + x * size, point.y + y * size, 0.0)
            for x, y in ((-1, 0), (0, -1), (1, 0), (0, 1))
        ]
        batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)]).draw(
            shader
        )
    gpu.state.blend_set("NONE")
    if near in points:
        write(
            tr(title(near)),
            points[near].x + _SIZE * scale,
            points[near].y + _SIZE * scale,
            scale,
            NEAR,
        )


def write(
    text: str, x: float, y: float, scale: float, color: tuple[float, float, float, float]
) -> None:
    """A line of text, from its lower left corner."""
    blf.size(0, 12 * scale)
    blf.color(0, *color)
    blf.position(0, x, y, 0)
    blf.draw(0, text)


@dataclass
class Guide(Overlay):
    """What is drawn while landmarks are placed by hand: those that are placed, and a small face
    that shows where the wanted one goes.
    """

    places: dict[str, Point] = field(default_factory=dict)
    wanted: str = ""
    prompt: str = ""

    def _draw(self) -> None:
        context = bpy.context
        ob = next((ob for ob in bpy.data.objects if ob.session_uid == self.identity), None)
        if ob is None or context.region_data is None:
            return
        scale = context.preferences.system.ui_scale
        draw(projected(context, ob, self.places), set(self.places), "", scale)
        self._picture(scale)

    def _picture(self, scale: float) -> None:
        """The small face in the corner, seen from the front, with the prompt above it."""
        area = bpy.context.area
        tools = (
            next((region.width for region in area.regions if region.type == "TOOLS"), 0)
            if area is not None
            else 0
        )  # lie upon the view
        unit, left, bottom = _FACE * scale, _EDGE * scale + tools, _EDGE * scale
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        gpu.state.blend_set("ALPHA")
        shader.uniform_float("color", _BACK)
        ground = [
            (left, bottom, 0.0),
            (left + 2 * unit, bottom, 0.0),
            (left + 2 * unit, bottom + 2.4 * unit, 0.0),
            (left, bottom + 2.4 * unit, 0.0),
        ]
        batch_for_shader(shader, "TRIS", {"pos": ground}, indices=[(0, 1, 2), (0, 2, 3)]).draw(
            shader
        )
        points = {
            name: Vector((left + unit * (1 + x), bottom + unit * (1.3 + y)))
            for name, (x, y) in PICTURE.items()
        }
        turns = [2 * math.pi * step / _ROUND for step in range(_ROUND)]
        outline = [
            (
                left + unit * (1 + 0.8 * math.cos(turn)),
                bottom + unit * (1.15 + 0.98 * math.sin(turn)),
                0.0,
            )
            for turn in turns
        ]
        shader.uniform_float("color", LINE)
        batch_for_shader(
            shader,
            "LINES",
            {
                "pos": [
                    point
                    for pair in zip(outline, [*outline[1:], outline[0]], strict=True)
                    for point in pair
                ]
            },
        ).draw(shader)
        draw(points, set(self.places), self.wanted, scale)
        write(self.prompt, left, bottom + 2.5 * unit, 1.3 * scale, NEAR)
        if self.wrong:
            write(self.wrong, left, bottom + 2.75 * unit, scale, WRONG)


_FACE, _EDGE, _ROUND, _BACK = (
    90.0,
    24.0,
    32,
    (0.1, 0.1, 0.1, 0.7),
)  # pixels at a UI scale of 1: half the picture's width, its distance from the edge
# Where each landmark is in the picture, from its middle, in halves of its width; the character's
# left is on the right
_HALF = {
    "eye_inner": (0.16, 0.12),
    "eye_outer": (0.56, 0.15),
    "lid_upper": (0.36, 0.24),
    "lid_lower": (0.36, 0.03),
    "brow_inner": (0.14, 0.4),
    "brow_outer": (0.6, 0.42),
}
PICTURE = {
    **{f"{name}_left": place for name, place in _HALF.items()},
    **{f"{name}_right": (-x, y) for name, (x, y) in _HALF.items()},
    "mouth_left": (0.26, -0.58),
    "mouth_right": (-0.26, -0.58),
    "lip_upper": (0.0, -0.5),
    "lip_lower": (0.0, -0.68),
    "nose_tip": (0.0, -0.24),
    "chin": (0.0, -1.0),
}

_overlay: Overlay | None = None


def guide(ob: bpy.types.Object) -> Guide:
    """Draw the guide for placing landmarks on this object."""
    global _overlay
    hide()
    found = Guide(int(ob.session_uid))
    _overlay = found
    found.show()
    return found


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
