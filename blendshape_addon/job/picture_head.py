# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a small picture of a shape: the face from its front with all that is seen there, as
arrays. Nothing is evaluated and nothing in the file changes, so it can be done at any time.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..blender_io.as_seen import PREVIEW, offset_of, visible
from ..blender_io.avatar_objects import find
from ..blender_io.expressions import is_expression
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.remembered import listed
from ..errors import AddonError
from ..typed import armature_of, keys_of, mesh_of
from .face_view import KNOWN, axes_of
from .preview import COMPANIONS
from .sheet_head import DEPTH, Cut, Frame

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

# Of the height from chin to eyes: what a picture shows, and how far below the eyes its middle is
SIDE, MIDDLE = 2.3, 0.3
AROUND = 1.5  # of a picture's side: what is cut out of the meshes, so that no edge is seen
TURN = 12.0  # degrees by which the face looks aside
# vertices of a mesh and triangles of a face, from where a picture would take too long at a time
MOST_VERTICES, MOST_TRIANGLES = 400_000, 250_000


@dataclass(frozen=True)
class Sight:
    """From the world to a picture. turn: float64 (3,3); frame: what is cut out; side: of what a
    picture shows, in units of the world.
    """

    turn: Doubles
    frame: Frame
    side: float


@dataclass(frozen=True)
class Part:
    """An object of it. identity: the object's; size: how many vertices it has. forth: float32
    (3,3), from offsets in its space to the picture's. rest: float32 (v,3), vertices of the cut in
    the picture's space; cut: its faces; slots: names of its materials, "" for none.
    """

    identity: int
    size: int
    forth: Floats
    rest: Floats
    cut: Cut
    slots: tuple[str, ...]


def sight_of(ob: bpy.types.Object) -> Sight | None:
    """How the object's face is looked at; None where its landmarks are not known."""
    matrix = _at_rest(ob)
    at = {
        name: matrix[:3, :3] @ np.array(place, np.float64) + matrix[:3, 3]
        for name, place in found_landmarks(ob).items()
    }
    axes = axes_of(at)
    if axes is None:
        return None
    eyes = axes @ np.mean([at[name] for name in KNOWN if name != "chin"], axis=0)
    chin = axes @ at["chin"]
    half = float(eyes[2] - chin[2])
    middle = eyes - np.array([0.0, 0.0, MIDDLE * half])
    size = AROUND * SIDE * half
    frame = Frame(middle, size, DEPTH * half, float(chin[2]), size)
    return Sight(axes, frame, SIDE * half)


def part_of(identity: int, sight: Sight) -> Generator[None, None, Part | None]:
    """What is seen of an object, in steps; None for nothing. Raises LookupError while its mode
    holds its keys, AddonError as base_coordinates does.
    """
    ob = find(identity)
    if ob is None or not 0 < len(mesh_of(ob).vertices) <= MOST_VERTICES:
        return None
    if ob.mode in ("EDIT", "SCULPT"):
        raise LookupError(ob.name)
    matrix = sight.turn @ _at_rest(ob)[:3]
    if not _near(ob, matrix, sight.frame):
        return None
    points = _with_own_keys(ob) @ matrix[:, :3].T.astype(np.float32)
    points += matrix[:, 3].astype(np.float32)
    inside = sight.frame.holds(points)
    if not inside.any():
        return None
    yield
    ob = find(identity)
    if ob is None or len(mesh_of(ob).vertices) != len(points):
        raise LookupError("the object has changed")
    cut = Cut(mesh_of(ob), inside)
    if not len(cut.totals):
        return None
    aside = _aside()
    rest = (points[cut.vertices] - sight.frame.middle.astype(np.float32)) @ aside.T
    slots = tuple(
        slot.material.name_full if slot.material is not None else "" for slot in ob.material_slots
    )
    return Part(
        int(ob.session_uid),
        len(points),
        forth=aside @ matrix[:, :3].astype(np.float32),
        rest=np.ascontiguousarray(rest, np.float32),
        cut=cut,
        slots=slots or ("",),
    )


class PictureHead:
    """All parts of a face. corners: int32 (C,), vertices of all faces' corners; triangles: int32
    (T,3), numbers of corners; slot: int32 (T,), whose material each has; uv: float32 (C,2).
    """

    def __init__(self, parts: list[Part], sight: Sight) -> None:
        self._parts, self.side, self.depth = parts, sight.side, sight.frame.depth
        self.slots = [name for part in parts for name in part.slots]
        corners, triangles, slot, vertices, slots, count = [], [], [], 0, 0, 0
        for part in parts:
            cut, split = part.cut, fans(part.cut.totals)
            if np.linalg.det(part.forth) < 0:  # mirrored: its front is where Blender shows it
                split = split[:, ::-1]
            corners.append(cut.corners + vertices)
            triangles.append(split + count)
            material = np.minimum(cut.materials, len(part.slots) - 1) + slots
            slot.append(np.repeat(material, cut.totals - 2))
            vertices += len(part.rest)
            slots += len(part.slots)
            count += len(cut.corners)
        self.corners = np.concatenate(corners).astype(np.int32)
        self.triangles = np.concatenate(triangles).astype(np.int32)
        self.slot = np.concatenate(slot).astype(np.int32)
        self.uv = np.concatenate([part.cut.uv for part in parts])

    def there(self) -> list[bpy.types.Object]:
        """Its objects as they are now. Raises LookupError where one is gone, another, or in a mode
        that holds its keys.
        """
        found = [find(part.identity) for part in self._parts]
        objects = [ob for ob in found if ob is not None]
        for ob, part in zip(objects, self._parts, strict=len(objects) == len(found)):
            if len(mesh_of(ob).vertices) != part.size or ob.mode in ("EDIT", "SCULPT"):
                raise LookupError(ob.name)
        if len(objects) < len(found):
            raise LookupError("an object is gone")
        return objects

    def posed(self, name: str) -> Floats:
        """float32 (V,3): all vertices with a key at full value, in the picture's space: X to the
        right, Z up, Y away. Raises LookupError as `there` does.
        """
        points = []
        for ob, part in zip(self.there(), self._parts, strict=True):
            at, key = part.rest, mesh_of(ob).shape_keys
            for wanted in (name, COMPANIONS.get(name, "")):
                block = key.key_blocks.get(wanted) if key is not None and wanted else None
                if block is not None and key is not None and block != key.reference_key:
                    moved = offset_of(ob, block, np.empty((part.size, 3), np.float32))
                    at = at + moved[part.cut.vertices].astype(np.float32) @ part.forth.T
            points.append(at)
        return np.asarray(np.concatenate(points), np.float32)

    def normals(self, points: Floats) -> Floats:
        """float32 (V,3): of vertices at these points, pointing where their faces' fronts do."""
        corners = self.corners[self.triangles]
        a, b, c = (points[corners[:, n]] for n in range(3))
        across = np.cross(b - a, c - a)
        found = np.stack(
            [
                np.bincount(corners.ravel(), np.repeat(across[:, axis], 3), len(points))
                for axis in range(3)
            ],
            axis=1,
        )
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(length > 0, length, 1), np.float32)


def gathered(identity: int) -> Generator[None, None, PictureHead | None]:
    """The face of the object with that identity, an object at a step; None where there is nothing
    to draw. Raises LookupError where the object is gone.
    """
    ob = find(identity)
    if ob is None or ob.type != "MESH":
        raise LookupError("the object is gone")
    sight = sight_of(ob)
    if sight is None or len(mesh_of(ob).vertices) > MOST_VERTICES:
        return None
    others = [
        int(other.session_uid)
        for other in bpy.context.scene.objects
        if other.type == "MESH" and other != ob and visible(other, ob) and not other.hide_render
    ]
    parts = []
    for number in (identity, *others):
        yield
        try:
            part = yield from part_of(number, sight)
        except AddonError:
            continue  # whose keys are broken
        if part is not None:
            parts.append(part)
    yield
    if not parts or sum(int((part.cut.totals - 2).sum()) for part in parts) > MOST_TRIANGLES:
        return None
    return PictureHead(parts, sight)


def fans(totals: Ints) -> Ints:
    """int32 (T,3): faces of so many corners each, (f,), split into triangles around their first
    corner, as numbers of corners.
    """
    starts, each = np.cumsum(totals) - totals, totals - 2
    face = np.repeat(np.arange(len(totals)), each)
    step = np.arange(len(face)) - np.repeat(np.cumsum(each) - each, each) + 1
    first = starts[face]
    return np.asarray(np.stack([first, first + step, first + step + 1], axis=1), np.int32)


def digest(points: Floats) -> int:
    """A number for points, another for others."""
    return zlib.crc32(points.tobytes())


def _at_rest(ob: bpy.types.Object) -> Doubles:
    """float64 (4,4): where the object is in the world; what hangs on a bone, as the bone rests."""
    parent, bone = ob.parent, None
    if parent is not None and parent.type == "ARMATURE" and ob.parent_type == "BONE":
        bone = armature_of(parent).bones.get(ob.parent_bone)
    if parent is None or bone is None:
        return np.array(ob.matrix_world, np.float64)
    tail = Matrix() if bone.use_relative_parent else Matrix.Translation((0, bone.length, 0))
    rest = parent.matrix_world @ bone.matrix_local @ tail
    return np.array(rest @ ob.matrix_parent_inverse @ ob.matrix_basis, np.float64)


def _aside() -> Floats:
    """float32 (3,3): the turn by which a face looks aside."""
    angle = np.radians(TURN)
    along, across = np.cos(angle), np.sin(angle)
    return np.array([[along, -across, 0], [across, along, 0], [0, 0, 1]], np.float32)


def _near(ob: bpy.types.Object, matrix: Doubles, frame: Frame) -> bool:
    """Whether an object's box touches the frame. matrix: (3,4), to the frame's space."""
    corners = np.array(ob.bound_box) @ matrix[:, :3].T + matrix[:, 3] - frame.middle
    reach = np.array([frame.size / 2, frame.depth, frame.size / 2])
    return bool((corners.min(axis=0) <= reach).all() and (corners.max(axis=0) >= -reach).all())


def _with_own_keys(ob: bpy.types.Object) -> Floats:
    """float32 (V,3): vertices with the user's own keys at their values that are no expressions, as
    those that give a face its form.
    """
    base, key = base_coordinates(ob), mesh_of(ob).shape_keys
    if key is None or not key.use_relative or ob.show_only_shape_key:
        return base
    made, mixed = listed(ob), base.astype(np.float64)
    for block in keys_of(ob).key_blocks:
        aside = block.name in made or block.name == PREVIEW or is_expression(block.name)
        if block.value and not block.mute and block != key.reference_key and not aside:
            mixed += offset_of(ob, block, base) * block.value
    return mixed.astype(np.float32)
