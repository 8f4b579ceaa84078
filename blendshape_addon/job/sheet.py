# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: the neutral head and shape keys of an avatar, labelled, in one picture that
Cycles renders on the CPU.

Whole heads with all that is seen of them: eyes, teeth and hair that are objects of their own, in
the avatar's own colours.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender_io.as_seen import at_rest, offset_of, see, visible
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.parts import avatar_meshes
from ..shared import replace_file
from ..typed import mesh_of
from .face_view import KNOWN, axes_of
from .sheet_looks import emission, looks

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

COLUMNS = 10
TILE = 190  # pixels
SAMPLES = 8  # for smooth edges; nothing else is sampled
# surfaces that are seen through before one that is not: strands of hair lie behind each other
LAYERS = 24
LABEL = 0.2  # of a tile's width, below it
LETTER = 0.115  # of a tile's width: the height of a line of text
NARROW, WIDE = (
    0.56,
    1.05,
)  # of that height: the mean width of Latin and of Japanese letters in Blender's font
PAPER, INK = (0.62, 0.66, 0.72), (0.015, 0.015, 0.02)  # linear colours
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


def add_label(
    scene: bpy.types.Scene,
    text: str,
    x: float,
    z: float,
    width: float,
    material: bpy.types.Material,
) -> None:
    """A centred line of text, made narrower where it would not fit."""
    curve = cast("bpy.types.TextCurve", bpy.data.curves.new(text, "FONT"))
    curve.body, curve.align_x, curve.size = text, "CENTER", width * LETTER
    curve.materials.append(material)
    ob = bpy.data.objects.new(text, curve)
    ob.location, ob.rotation_euler = (x, 0, z), (math.pi / 2, 0, 0)
    scene.collection.objects.link(ob)
    long = LETTER * sum(
        WIDE if unicodedata.east_asian_width(letter) in "WF" else NARROW for letter in text
    )
    ob.scale.x = min(1.0, 0.95 / max(long, 1e-9))


def surround(scene: bpy.types.Scene) -> None:
    """A bright surrounding; what is drawn shines by itself."""
    scene.world = bpy.data.worlds.new("Sheet")
    if scene.world.node_tree is None:  # before Blender 5, which always has nodes
        scene.world.use_nodes = True
    tree: Any = scene.world.node_tree
    tree.nodes.clear()
    output, background = (
        tree.nodes.new("ShaderNodeOutputWorld"),
        tree.nodes.new("ShaderNodeBackground"),
    )
    background.inputs["Color"].default_value = (*PAPER, 1)
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])


def plain_rendering(scene: Any, samples: int) -> None:
    """Cycles on the processor, and colours as they are. The scene's type names neither Cycles nor
    what colour management is installed.
    """
    scene.render.engine = "CYCLES"
    (
        scene.cycles.device,
        scene.cycles.samples,
        scene.cycles.use_denoising,
        scene.cycles.use_adaptive_sampling,
    ) = "CPU", samples, False, False
    scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 0, LAYERS
    scene.view_settings.view_transform = "Standard"


@contextmanager
def nothing_left() -> Iterator[None]:
    """Remove every data-block that is made inside, and nothing else."""
    kinds = (
        "scenes",
        "objects",
        "meshes",
        "curves",
        "materials",
        "lights",
        "cameras",
        "worlds",
        "images",
    )
    before = {kind: set(getattr(bpy.data, kind)) for kind in kinds}
    window = bpy.context.window
    shown = window.scene if window is not None else None
    try:
        yield
    finally:
        if window is not None and shown is not None:
            window.scene = shown
        bpy.data.batch_remove(
            [
                block
                for kind in kinds
                for block in getattr(bpy.data, kind)
                if block not in before[kind]
            ]
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Send what C code prints to nowhere: Cycles writes a line per sample, and Blender has no
    switch for it.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def render_sheet(
    ob: bpy.types.Object,
    out: Path,
    turn: float = 15.0,
    names: Collection[str] | None = None,
    tile: int = TILE,
    samples: int = SAMPLES,
) -> int:
    """Render the object's shapes into a PNG, or a JPEG where `out` ends in .jpg; how many tiles
    there are.

    turn: degrees by which heads look aside. names: keys to show, all of them by default. tile:
    pixels of a tile's side. Nothing is left behind in the file. Raises OSError if `out` cannot be
    written.
    """
    pieces, frame = head_of(ob)
    shown = ["", *(name for name in pieces[0].keys if names is None or name in names)]
    size, columns = frame.size, min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    step = (size, size * (1 + LABEL))
    with nothing_left():
        scene = bpy.data.scenes.new("Contact sheet")
        head, text = Head(pieces, frame, shown), emission("Label", INK)
        still = head.still()
        for number, name in enumerate(shown):
            x, z = (number % columns) * step[0], -(number // columns) * step[1]
            for mesh in (still, head.posed(name or "Neutral", name)):
                part = bpy.data.objects.new(name or "Neutral", mesh)
                part.location, part.rotation_euler = (x, 0, z), (0, 0, math.radians(turn))
                scene.collection.objects.link(part)
            add_label(scene, name or "Neutral", x, z - size * (0.5 + 0.6 * LABEL), size, text)
        surround(scene)
        camera = bpy.data.cameras.new("Camera")
        wide = tile * columns >= round(
            tile * rows * (1 + LABEL)
        )  # the scale of an orthographic camera is that of the longer side
        camera.type, camera.ortho_scale = "ORTHO", step[0] * columns if wide else step[1] * rows
        camera.clip_end = size * 100
        eye = bpy.data.objects.new("Camera", camera)
        eye.location = (
            step[0] * (columns - 1) / 2,
            -10 * size,
            -step[1] * (rows - 1) / 2 - size * LABEL / 2,
        )
        eye.rotation_euler = (math.pi / 2, 0, 0)
        scene.collection.objects.link(eye)
        scene.camera = eye
        plain_rendering(scene, samples)
        scene.render.resolution_x, scene.render.resolution_y = (
            tile * columns,
            round(tile * rows * (1 + LABEL)),
        )
        scene.render.resolution_percentage = 100
        scene.render.image_settings.file_format = "JPEG" if out.suffix == ".jpg" else "PNG"
        scene.render.image_settings.color_mode, scene.render.image_settings.quality = "RGB", 80
        with tempfile.TemporaryDirectory(
            prefix="blendshapes-"
        ) as folder:  # Blender reads #, // and {} in a name of its own as more than signs
            drawn = Path(folder) / f"sheet{out.suffix}"
            scene.render.filepath = str(drawn)
            with quiet():
                bpy.ops.render.render(write_still=True, scene=scene.name)
            replace_file(out, drawn.read_bytes())
    return len(shown)
