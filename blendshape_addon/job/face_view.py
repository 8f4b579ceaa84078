# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D view set to the face, and given back as it was: where the user has moved it meanwhile, it
stays. Only the view's own data is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector
from numpy.typing import NDArray

from ..blender_io.landmark_store import found_landmarks, shown_vertices
from . import session

Doubles = NDArray[np.float64]

KNOWN = frozenset(
    {*(f"eye_{end}_{side}" for end in ("inner", "outer") for side in ("left", "right")), "chin"}
)
# of the height from chin to eyes: what is shown of a face, from a little below the chin to the hair
FACE = 2.6
MIDDLE = 0.3  # of that height: how far below the eyes the middle of the view is
FILLED = 0.85  # of the room in the view that the face takes
SENSOR = (
    72.0  # millimetres: a view of Blender's shows 72 / lens of its distance along its longer side
)
SAME = 1e-4  # of the distance, and of a turn: what a view may differ by and not have been moved


@dataclass(frozen=True)
class View:
    """How a 3D view looks: its middle and turn in the world, its distance in units of the world,
    and Blender's name of its perspective.
    """

    middle: tuple[float, ...]
    turn: tuple[float, ...]
    distance: float
    perspective: str

    def like(self, other: View) -> bool:
        """Whether nobody has moved it."""
        way = float(np.abs(np.array(self.middle) - np.array(other.middle)).max())
        turned = 1 - abs(float(np.dot(self.turn, other.turn)))
        near = max(way, abs(self.distance - other.distance)) <= SAME * max(
            self.distance, other.distance
        )
        return near and turned <= SAME and self.perspective == other.perspective


@dataclass(frozen=True)
class Room:
    """What a 3D view has room for. width, height: of its region in pixels; left, right: what other
    regions cover of it there; lens: millimetres.
    """

    width: int
    height: int
    left: int
    right: int
    lens: float


_kept: dict[int, tuple[View, View]] = {}  # by the view's address: how it was, and how it was set


def axes_of(at: Mapping[str, Doubles]) -> Doubles | None:
    """float64 (3,3): rows are the face's left, its back and up, by its landmarks (3,); None where
    they are not known or lie on one line.
    """
    if not at.keys() >= KNOWN:
        return None
    left, right = (at[f"eye_inner_{side}"] + at[f"eye_outer_{side}"] for side in ("left", "right"))
    across, up = (
        left - right,
        (left + right) / 4 - at["chin"],
    )  # a face's left is at +X when it looks along -Y
    back = np.cross(up, across)
    axes = np.stack([across, back, np.cross(across, back)])
    length = np.linalg.norm(axes, axis=1, keepdims=True)
    return np.asarray(axes / length) if (length > 0).all() else None


def view_of(at: Mapping[str, Doubles], room: Room, perspective: str) -> View | None:
    """The view of a face from its front that fills the room, by its landmarks (3,) in the world;
    None where they are not known.
    """
    axes = axes_of(at)
    if axes is None or min(room.width, room.height) <= 0:
        return None
    eyes = np.mean([at[name] for name in KNOWN if name != "chin"], axis=0)
    half = float(np.linalg.norm(eyes - at["chin"]))
    free = max(room.width - room.left - room.right, room.width // 4)
    pixel = FACE * half / (FILLED * min(free, room.height))  # units of the world
    middle = eyes - MIDDLE * half * axes[2] + pixel * (room.right - room.left) / 2 * axes[0]
    turn = Matrix(np.stack([axes[0], axes[2], -axes[1]], axis=1).tolist()).to_quaternion()
    distance = pixel * max(room.width, room.height) * room.lens / SENSOR
    return View(
        tuple(map(float, middle)),
        (turn.w, turn.x, turn.y, turn.z),
        distance,
        "PERSP" if perspective == "CAMERA" else perspective,
    )


def show(
    context: bpy.types.Context,
    ob: bpy.types.Object,
    places: Mapping[str, tuple[float, float, float]],
) -> None:
    """Set the 3D view to the object's face. places: its landmarks in the object's space as it is
    stored, or as it is posed.
    """
    preferences = session.preferences(context)
    area = _area(context)
    if (
        bpy.app.background
        or area is None
        or not places
        or (preferences is not None and not preferences.frame)
    ):
        return
    space: Any = area.spaces.active
    matrix = np.array(ob.matrix_world, np.float64)
    at = {
        name: matrix[:3, :3] @ np.array(place, np.float64) + matrix[:3, 3]
        for name, place in places.items()
    }
    if space.region_quadviews:
        return
    set_view(space.region_3d, view_of(at, _room(area, space), space.region_3d.view_perspective))
    area.tag_redraw()


def show_posed(context: bpy.types.Context, ob: bpy.types.Object) -> None:
    """The same where the object's landmarks are kept: where the pose puts the face."""
    if not bpy.app.background:
        show(context, ob, found_landmarks(ob, shown_vertices(ob)))


def set_view(region: Any, view: View | None) -> None:
    """Set a view, and keep how it was when it was set first."""
    if view is None:
        return
    now, key = read(region), int(region.as_pointer())
    before, after = _kept.get(key, (now, now))
    _kept[key] = (before if now.like(after) else now, view)
    _write(region, view)


def give_back(context: bpy.types.Context) -> None:
    """All views as they were, but for those that were moved since."""
    for region in _regions(context):
        put_back(region)
    _kept.clear()


def put_back(region: Any) -> None:
    """One view as it was, unless it was moved since."""
    before, after = _kept.pop(int(region.as_pointer()), (None, None))
    if before is not None and after is not None and read(region).like(after):
        _write(region, before)


def kept(context: bpy.types.Context) -> bool:
    """Whether there is a view to give back. For drawing."""
    return any(
        (found := _kept.get(int(region.as_pointer()))) is not None and read(region).like(found[1])
        for region in _regions(context)
    )


def forget() -> None:
    """Another file is opened."""
    _kept.clear()


def read(region: Any) -> View:
    """How a view looks now."""
    return View(
        tuple(region.view_location),
        tuple(region.view_rotation),
        float(region.view_distance),
        str(region.view_perspective),
    )


def _write(region: Any, view: View) -> None:
    region.view_perspective = view.perspective
    region.view_location, region.view_rotation, region.view_distance = (
        Vector(view.middle),
        Quaternion(view.turn),
        view.distance,
    )


def _regions(context: bpy.types.Context) -> list[Any]:
    manager: Any = context.window_manager
    areas = (
        [
            area
            for window in manager.windows
            for area in window.screen.areas
            if area.type == "VIEW_3D"
        ]
        if _kept
        else []
    )
    return [area.spaces.active.region_3d for area in areas]


def _area(context: bpy.types.Context) -> bpy.types.Area | None:
    """The 3D view that was clicked in, or the largest of the window."""
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area
    areas = (
        [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
        if context.window is not None
        else []
    )
    return max(areas, key=lambda area: area.width * area.height, default=None)


def _room(area: bpy.types.Area, space: Any) -> Room:
    window = next(region for region in area.regions if region.type == "WINDOW")
    over = {
        region.type: region.width
        for region in area.regions
        if region.type in ("TOOLS", "UI") and region.width > 1
    }
    upon = bpy.context.preferences.system.use_region_overlap
    return Room(
        window.width,
        window.height,
        over.get("TOOLS", 0) * upon,
        over.get("UI", 0) * upon,
        float(space.lens),
    )
