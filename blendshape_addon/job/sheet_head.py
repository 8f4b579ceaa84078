# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an avatar is on a contact sheet: the head with all that is seen of it, cut out of the
meshes, and how a key moves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender_io.as_seen import at_rest, offset_of, see, visible
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.parts import avatar_meshes
from ..typed import mesh_of
from .face_view import KNOWN, axes_of
from .sheet_looks import looks

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

MOVES = 0.2  # of the largest movement: what counts as the face where there are no landmarks

HALF_MOVING = 0.5  # of what moves is below the eyes

# of the object's extent, which a face is more than on any body: what moves less is no face
LEAST = 0.03

MARGIN = 0.06  # of the head's size, around it

MOSTLY = 0.5  # of an object's vertices in the frame: it lies on the head

# Of the height from the chin to the eyes, which are in the middle of a head's height: how much is
# shown below the chin; how far hair and ears may go above the eyes, aside and behind before they
# are cut
BELOW, ABOVE, SIDE, DEPTH = 0.35, 2.6, 1.9, 3.0

NECK = 0.75  # of that height: what is farther aside below the chin is a shoulder


def facing(ob: bpy.types.Object) -> NDArray[np.float64]:
    """The rotation float64 (3,3) of the world in which the object's face looks along -Y with its
    eyes level and its chin below, as its landmarks say; none where they are not known.
    """
    matrix = np.array(ob.matrix_world.to_3x3(), np.float64)
    at = {name: matrix @ np.array(place, np.float64) for name, place in found_landmarks(ob).items()}
    axes = axes_of(at)
    return np.eye(3) if axes is None else axes


@dataclass(frozen=True)
class Frame:
    """What a tile shows, in the space in which the face looks along -Y. middle: float64 (3,); size:
    of the tile's side; depth: before and behind; chin: its height; neck: how far aside what is
    below it is shown.
    """

    middle: Doubles
    size: float
    depth: float
    chin: float
    neck: float

    def holds(self, points: Floats) -> Flags:
        """Which points (V,3) are in it; shoulders are not."""
        away = np.abs(points - self.middle)
        near = (away <= np.array([self.size / 2, self.depth, self.size / 2])).all(axis=1)
        return np.asarray(
            near & ((points[:, 2] >= self.chin) | (away[:, :2].max(axis=1) <= self.neck))
        )


def frame_of(ob: bpy.types.Object, pieces: Sequence[Piece]) -> Frame:
    """The whole head with its hair, from a little below the chin: by the landmarks, or by what
    moves where there are none.
    """
    turn, matrix = facing(ob), np.array(ob.matrix_world, np.float64)
    at = {
        name: turn @ (matrix[:3, :3] @ np.array(place, np.float64) + matrix[:3, 3])
        for name, place in found_landmarks(ob).items()
    }
    if at.keys() >= KNOWN:
        eyes, chin = np.mean([at[name] for name in KNOWN if name != "chin"], axis=0), at["chin"]
        half = float(eyes[2] - chin[2])
    else:
        low, high = _moving_box(pieces[0])
        half = HALF_MOVING * float((high - low).max())
        middle, bottom = (low + high) / 2, float(low[2])
        eyes, chin = (
            np.array([middle[0], middle[1], bottom + half]),
            np.array([middle[0], middle[1], bottom]),
        )
    bottom, top, side, front, back = (
        float(chin[2]) - BELOW * half,
        float(eyes[2]) + half,
        half,
        float(eyes[1]),
        float(eyes[1]),
    )
    for piece in pieces:
        away = piece.rest - eyes
        near = (
            (np.abs(away[:, 0]) < SIDE * half)
            & (np.abs(away[:, 1]) < DEPTH * half)
            & (away[:, 2] > -half)
            & (away[:, 2] < ABOVE * half)
        )
        if near.any():
            top = max(top, float(piece.rest[near, 2].max()))
            side = max(side, float(np.abs(away[near, 0]).max()))
            front, back = (
                min(front, float(piece.rest[near, 1].min())),
                max(back, float(piece.rest[near, 1].max())),
            )
    size = (1 + MARGIN) * max(top - bottom, 2 * side)
    return Frame(
        np.array([eyes[0], (front + back) / 2, (top + bottom) / 2]),
        size,
        DEPTH * half,
        float(chin[2]),
        NECK * half,
    )


def _moving_box(piece: Piece) -> tuple[Doubles, Doubles]:
    """Corners (3,) of the box that holds every vertex that some key moves visibly; of all where
    that is none or next to nothing.
    """
    way = np.zeros(len(piece.rest))
    for name in piece.keys:
        way = np.maximum(way, np.abs(piece.at(name) - piece.rest).max(axis=1, initial=0.0))
    moved = way > MOVES * way.max(initial=0.0)
    points = piece.rest[moved].astype(np.float64)
    if not len(points) or np.ptp(points, axis=0).max() < LEAST * np.ptp(piece.rest, axis=0).max(
        initial=0.0
    ):
        points = piece.rest.astype(np.float64)
    return points.min(axis=0), points.max(axis=0)


class Piece:
    """An object of the avatar. rest: float32 (V,3), its vertices as they are seen, armatures at
    rest, in the space in which the face looks along -Y. keys: its shape keys by name.
    """

    def __init__(self, ob: bpy.types.Object, turn: Doubles) -> None:
        matrix = np.array(ob.matrix_world, np.float64)
        self._matrix, self._moved = (
            (turn @ matrix[:3, :3]).astype(np.float32),
            (turn @ matrix[:3, 3]).astype(np.float32),
        )
        self._ob, self._base = ob, base_coordinates(ob)
        self._seen = see(ob).vertices
        self.rest = self._seen @ self._matrix.T + self._moved
        key = mesh_of(ob).shape_keys
        self.keys = (
            {}
            if key is None
            else {block.name: block for block in key.key_blocks if block != key.reference_key}
        )
        self.slots = [slot.material for slot in ob.material_slots] or [None]

    def at(self, name: str) -> Floats:
        """The vertices float32 (V,3) with a key at full value, as they rest where the object has
        none of that name.
        """
        block = self.keys.get(name)
        if block is None:
            return self.rest
        offset = offset_of(self._ob, block, self._base).astype(np.float32)
        return np.asarray((self._seen + offset) @ self._matrix.T + self._moved)

    def cut(self, frame: Frame) -> Cut:
        """Its faces inside the frame."""
        return Cut(mesh_of(self._ob), frame.holds(self.rest))


def head_of(ob: bpy.types.Object) -> tuple[list[Piece], Frame]:
    """The object, first, and what else is seen of the avatar: its other meshes, and those that lie
    on the head. And the frame of all.
    """
    others = [
        other
        for other in avatar_meshes(ob, found_landmarks(ob))
        if visible(other, ob) and not other.hide_render
    ]
    with at_rest():
        turn = facing(ob)
        pieces = [
            Piece(ob, turn),
            *(Piece(other, turn) for other in others if len(mesh_of(other).vertices)),
        ]
        frame, known = frame_of(ob, pieces), {ob.name, *(other.name for other in others)}
        for other in bpy.context.scene.objects:
            if (
                other.type == "MESH"
                and other.name not in known
                and visible(other, ob)
                and not other.hide_render
                and len(mesh_of(other).vertices)
            ):
                piece = Piece(other, turn)
                if frame.holds(piece.rest).mean() > MOSTLY:
                    pieces.append(piece)
        return pieces, frame


class Cut:
    """The faces of a mesh whose vertices are all inside (V,), as arrays. vertices: int (v,), those
    that they have; corners: int32 (c,), numbers of those; totals, materials: int32 (f,); uv:
    float32 (c,2), the active map, zeros without.
    """

    def __init__(self, mesh: bpy.types.Mesh, inside: Flags) -> None:
        corners, starts, totals, materials = (
            np.empty(n, np.int32) for n in (len(mesh.loops), *(len(mesh.polygons),) * 3)
        )
        mesh.loops.foreach_get("vertex_index", corners)
        mesh.polygons.foreach_get("loop_start", starts)
        mesh.polygons.foreach_get("loop_total", totals)
        mesh.polygons.foreach_get("material_index", materials)
        keep = (
            np.logical_and.reduceat(inside[corners], starts)
            if len(starts)
            else np.zeros(0, np.bool_)
        )
        taken = np.repeat(keep, totals)
        self.vertices, compact = np.unique(corners[taken], return_inverse=True)
        self.corners, self.totals, self.materials = (
            compact.astype(np.int32).reshape(-1),
            totals[keep],
            materials[keep],
        )
        self.uv = np.zeros((len(corners), 2), np.float32)
        layer = next((one for one in mesh.uv_layers if one.active_render), None)
        if layer is not None and len(layer.uv) == len(corners):
            layer.uv.foreach_get("vector", self.uv.reshape(-1))
        self.uv = self.uv[taken]


class Head:
    """All pieces of a head cut to a frame, which can be posed. What no shape moves is one mesh for
    all tiles.
    """

    def __init__(self, pieces: Sequence[Piece], frame: Frame, shown: Sequence[str]) -> None:
        self._pieces, self._frame, self._cuts = (
            pieces,
            frame,
            [piece.cut(frame) for piece in pieces],
        )
        slots: list[bpy.types.Material | None] = []
        corners, materials, count = [], [], 0
        for piece, cut in zip(pieces, self._cuts, strict=True):
            corners.append(cut.corners + count)
            materials.append(np.minimum(cut.materials, len(piece.slots) - 1) + len(slots))
            slots += piece.slots
            count += len(cut.vertices)
        self._corners, self._materials = (
            np.concatenate(corners).astype(np.int32),
            np.concatenate(materials).astype(np.int32),
        )
        self._totals, self._uv = (
            np.concatenate([cut.totals for cut in self._cuts]),
            np.concatenate([cut.uv for cut in self._cuts]),
        )
        self._looks = looks(slots)
        self._rest = self._points("")
        moved = np.zeros(count, np.bool_)
        for key in shown:
            moved |= (self._points(key) != self._rest).any(axis=1)
        loose = loose_parts(self._corners, self._totals, count)
        moved = np.isin(loose, loose[moved])  # whole loose parts, so that nothing tears
        self._moving = moved[
            self._corners[np.concatenate([[0], np.cumsum(self._totals)])[: len(self._totals)]]
        ]

    def _points(self, key: str) -> Floats:
        """float32 (V,3): all vertices with a key at full value, the frame's middle at the
        origin.
        """
        points = [
            piece.at(key)[cut.vertices] - self._frame.middle
            for piece, cut in zip(self._pieces, self._cuts, strict=True)
        ]
        return np.asarray(np.concatenate(points), np.float32)

    def still(self) -> bpy.types.Mesh:
        """A new mesh of what no shape moves."""
        return self._mesh("Still", self._rest, ~self._moving)

    def posed(self, name: str, key: str) -> bpy.types.Mesh:
        """A new mesh of the rest, with a key at full value."""
        return self._mesh(name, self._points(key), self._moving)

    def _mesh(self, name: str, points: Floats, taken: Flags) -> bpy.types.Mesh:
        corners, totals = np.repeat(taken, self._totals), self._totals[taken]
        vertices, compact = np.unique(self._corners[corners], return_inverse=True)
        mesh = bpy.data.meshes.new(name)
        mesh.vertices.add(len(vertices))
        mesh.loops.add(int(totals.sum()))
        mesh.polygons.add(len(totals))
        mesh.vertices.foreach_set("co", points[vertices].ravel())
        mesh.loops.foreach_set("vertex_index", compact.astype(np.int32).ravel())
        mesh.polygons.foreach_set(
            "loop_start", np.concatenate([[0], np.cumsum(totals)])[: len(totals)].astype(np.int32)
        )
        mesh.polygons.foreach_set("material_index", self._materials[taken])
        for material in self._looks:
            mesh.materials.append(material)
        mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", self._uv[corners].ravel())
        mesh.update(calc_edges=True)
        mesh.shade_smooth()
        return mesh


def loose_parts(corners: Ints, totals: Ints, count: int) -> Ints:
    """int32 (count,): a number for each vertex, the same for those that faces join. corners: int32
    (c,), totals: int32 (f,) as in `Cut`.
    """
    labels = np.arange(count, dtype=np.int32)
    if not len(totals):
        return labels
    starts = np.concatenate([[0], np.cumsum(totals)[:-1]])
    while True:
        least = np.repeat(np.minimum.reduceat(labels[corners], starts), totals)
        fresh = labels.copy()
        np.minimum.at(fresh, corners, least)
        fresh = fresh[fresh]
        if np.array_equal(fresh, labels):
            return labels
        labels = fresh
