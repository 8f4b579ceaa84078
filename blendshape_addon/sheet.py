# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: the neutral face and shape keys of an object, labelled, in one picture that Cycles renders on the CPU."""

from __future__ import annotations

import colorsys
import math
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from .landmark_store import found_landmarks
from .shared import replace_file
from .typed import keys_of, mesh_of

Floats = NDArray[np.float32]

COLUMNS = 10
TILE = 190  # pixels
SAMPLES = 20
MARGIN = 0.12  # of the face's size, around it
MOVES = 0.2  # of the largest movement: what counts as the face
LABEL = 0.2  # of a tile's width, below it


def shapes_of(ob: bpy.types.Object) -> dict[str, Floats]:
    """Coordinates float32 (V,3) of the neutral face and of every shape key at full value, by name; as large as in the world, and looking along -Y."""
    turn = np.asarray(facing(ob) @ np.array(ob.matrix_world.to_3x3(), np.float64), np.float32)
    keys = keys_of(ob).key_blocks
    found = {}
    for key in keys:
        flat = np.empty(len(mesh_of(ob).vertices) * 3, np.float32)
        key.points.foreach_get("co", flat)
        found["Neutral" if key == keys_of(ob).reference_key else key.name] = flat.reshape(-1, 3) @ turn.T
    return found


def facing(ob: bpy.types.Object) -> NDArray[np.float64]:
    """The rotation float64 (3,3) of the world in which the object's face looks along -Y with its eyes level and its chin below, as its landmarks say;
    none where they are not known."""
    matrix = np.array(ob.matrix_world.to_3x3(), np.float64)
    at = {name: matrix @ np.array(place, np.float64) for name, place in found_landmarks(ob).items()}
    if not {f"eye_{end}_{side}" for end in ("inner", "outer") for side in ("left", "right")} | {"chin"} <= at.keys():
        return np.eye(3)
    left, right = (at[f"eye_inner_{side}"] + at[f"eye_outer_{side}"] for side in ("left", "right"))
    across, up = left - right, (left + right) / 4 - at["chin"]  # a face's left is at +X when it looks along -Y
    back = np.cross(up, across)
    axes = np.stack([across, back, np.cross(across, back)])
    length = np.linalg.norm(axes, axis=1, keepdims=True)
    return np.eye(3) if not (length > 0).all() else np.asarray(axes / length)


def face_box(shapes: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Corners (3,) of the box that holds every vertex that some shape moves visibly, with a margin."""
    neutral = shapes["Neutral"]
    way = np.max([np.abs(points - neutral).max(axis=1) for points in shapes.values()], axis=0)
    moved = way > MOVES * way.max()
    points = neutral[moved] if moved.any() else neutral
    low, high = points.min(axis=0), points.max(axis=0)
    return low - MARGIN * (high - low).max(), high + MARGIN * (high - low).max()


def tint(number: int) -> bpy.types.Material:
    """A pale colour for the material slot of this number, where the file has none of its own."""
    material = bpy.data.materials.new(f"Tint {number}")
    material.use_nodes = True
    colour = (*colorsys.hsv_to_rgb(0.07 + 0.618 * number, 0.35, 0.7), 1.0)
    tree: Any = material.node_tree  # what an input holds depends on its name
    tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    return material


class Cut:
    """The faces of a mesh inside a box, as arrays, so that a whole avatar leaves room for its neighbours on the sheet."""

    def __init__(self, mesh: bpy.types.Mesh, neutral: Floats, low: Floats, high: Floats) -> None:
        inside = ((neutral >= low) & (neutral <= high)).all(axis=1)
        corners, starts, totals, materials = (np.empty(n, np.int32) for n in (len(mesh.loops), *(len(mesh.polygons),) * 3))
        mesh.loops.foreach_get("vertex_index", corners)
        mesh.polygons.foreach_get("loop_start", starts)
        mesh.polygons.foreach_get("loop_total", totals)
        mesh.polygons.foreach_get("material_index", materials)
        keep = np.logical_and.reduceat(inside[corners], starts)
        if not keep.any():  # shapes that move next to nothing
            keep = np.ones_like(keep)
        self.vertices, compact = np.unique(corners[np.repeat(keep, totals)], return_inverse=True)
        self.corners, self.totals, self.materials = compact.astype(np.int32), totals[keep], materials[keep]
        self.slots: list[bpy.types.Material] = []

    def mesh(self, name: str, coordinates: Floats) -> bpy.types.Mesh:
        """A new mesh of these faces with the given coordinates (V,3) of the whole."""
        mesh = bpy.data.meshes.new(name)
        mesh.vertices.add(len(self.vertices))
        mesh.loops.add(len(self.corners))
        mesh.polygons.add(len(self.totals))
        mesh.vertices.foreach_set("co", coordinates[self.vertices].ravel())
        mesh.loops.foreach_set("vertex_index", self.corners)
        mesh.polygons.foreach_set("loop_start", np.concatenate([[0], np.cumsum(self.totals)[:-1]]).astype(np.int32))
        mesh.polygons.foreach_set("material_index", self.materials)
        for material in self.slots:
            mesh.materials.append(material)
        mesh.update(calc_edges=True)
        mesh.shade_smooth()
        return mesh


def emission(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    """A material that shines in one colour, for labels."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree: Any = material.node_tree
    tree.nodes.clear()
    shine, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    shine.inputs["Color"].default_value = (*colour, 1)
    tree.links.new(shine.outputs["Emission"], output.inputs["Surface"])
    return material


def add_label(scene: bpy.types.Scene, text: str, x: float, z: float, width: float, material: bpy.types.Material) -> None:
    """A centred line of text, made narrower where it would not fit."""
    curve = cast("bpy.types.TextCurve", bpy.data.curves.new(text, "FONT"))
    curve.body, curve.align_x, curve.size = text, "CENTER", width * 0.115
    curve.materials.append(material)
    ob = bpy.data.objects.new(text, curve)
    ob.location, ob.rotation_euler = (x, 0, z), (math.pi / 2, 0, 0)
    scene.collection.objects.link(ob)
    bpy.context.view_layer.update()
    ob.scale.x = min(1.0, 0.95 * width / max(ob.dimensions.x, 1e-9))


def light(scene: bpy.types.Scene) -> None:
    """A key light from above the viewer's left, and a bright surrounding."""
    sun = cast("bpy.types.SunLight", bpy.data.lights.new("Sun", "SUN"))
    sun.energy, sun.angle = 2.2, 0.3
    ob = bpy.data.objects.new("Sun", sun)
    ob.rotation_euler = (math.radians(52), 0, math.radians(-28))
    scene.collection.objects.link(ob)
    scene.world = bpy.data.worlds.new("Sheet")
    scene.world.use_nodes = True
    tree: Any = scene.world.node_tree
    background = tree.nodes["Background"]
    background.inputs["Color"].default_value, background.inputs["Strength"].default_value = (0.62, 0.66, 0.72, 1), 0.45


def plain_rendering(scene: Any, samples: int) -> None:
    """Cycles on the processor, and colours as they are. The scene's type names neither Cycles nor what colour management is installed."""
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = "CPU", samples, False, 3
    scene.view_settings.view_transform = "Standard"


@contextmanager
def nothing_left() -> Iterator[None]:
    """Remove every data-block that is made inside, and nothing else."""
    kinds = ("scenes", "objects", "meshes", "curves", "materials", "lights", "cameras", "worlds", "images")
    before = {kind: set(getattr(bpy.data, kind)) for kind in kinds}
    window = bpy.context.window
    shown = window.scene if window is not None else None
    try:
        yield
    finally:
        if window is not None and shown is not None:
            window.scene = shown
        bpy.data.batch_remove([block for kind in kinds for block in getattr(bpy.data, kind) if block not in before[kind]])


@contextmanager
def quiet() -> Iterator[None]:
    """Send what C code prints to nowhere: Cycles writes a line per sample, and Blender has no switch for it."""
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
    """Render the object's shapes into a PNG, or a JPEG where `out` ends in .jpg; how many tiles there are.

    turn: degrees by which heads look aside. names: keys to show, all of them by default. tile: pixels of a tile's side. Nothing is left behind in
    the file. Raises OSError if `out` cannot be written.
    """
    shapes = shapes_of(ob)
    low, high = face_box(shapes)  # of all keys, so that every sheet of a face shows the same of it
    cut = Cut(mesh_of(ob), shapes["Neutral"], low, high)
    shapes = {name: points for name, points in shapes.items() if names is None or name in names or name == "Neutral"}
    size = float(max(high[0] - low[0], high[2] - low[2]))
    columns = min(COLUMNS, len(shapes))
    rows = math.ceil(len(shapes) / columns)
    step = (size, size * (1 + LABEL))
    with nothing_left():
        scene = bpy.data.scenes.new("Contact sheet")
        cut.slots = [m if m and m.use_nodes else tint(number) for number, m in enumerate(mesh_of(ob).materials)]
        text = emission("Label", (0.015, 0.015, 0.02))
        middle = (low + high) / 2
        for number, (name, coordinates) in enumerate(shapes.items()):
            x, z = (number % columns) * step[0], -(number // columns) * step[1]
            face = bpy.data.objects.new(name, cut.mesh(name, coordinates - middle))
            face.location, face.rotation_euler = (x, 0, z), (0, 0, math.radians(turn))
            scene.collection.objects.link(face)
            add_label(scene, name, x, z - size * (0.5 + 0.6 * LABEL), size, text)
        light(scene)
        camera = bpy.data.cameras.new("Camera")
        wide = tile * columns >= round(tile * rows * (1 + LABEL))  # the scale of an orthographic camera is that of the longer side
        camera.type, camera.ortho_scale = "ORTHO", step[0] * columns if wide else step[1] * rows
        camera.clip_end = size * 100
        eye = bpy.data.objects.new("Camera", camera)
        eye.location = (step[0] * (columns - 1) / 2, -10 * size, -step[1] * (rows - 1) / 2 - size * LABEL / 2)
        eye.rotation_euler = (math.pi / 2, 0, 0)
        scene.collection.objects.link(eye)
        scene.camera = eye
        plain_rendering(scene, samples)
        scene.render.resolution_x, scene.render.resolution_y = tile * columns, round(tile * rows * (1 + LABEL))
        scene.render.resolution_percentage = 100
        scene.render.image_settings.file_format = "JPEG" if out.suffix == ".jpg" else "PNG"
        scene.render.image_settings.color_mode, scene.render.image_settings.quality = "RGB", 80
        with tempfile.TemporaryDirectory(prefix="blendshapes-") as folder:  # Blender reads #, // and {} in a name of its own as more than signs
            drawn = Path(folder) / f"sheet{out.suffix}"
            scene.render.filepath = str(drawn)
            with quiet():
                bpy.ops.render.render(write_still=True, scene=scene.name)
            replace_file(out, drawn.read_bytes())
    return len(shapes)
