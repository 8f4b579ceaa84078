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
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared import replace_file
from .sheet_head import Head, head_of
from .sheet_looks import emission

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


def add_label(
    scene: bpy.types.Scene,
    text: str,
    x: float,
    z: float,
    *,
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


def _look_at(scene: bpy.types.Scene, size: float, columns: int, rows: int) -> None:
    """A camera that sees all tiles. size: of a tile without its label."""
    wide, high = size * columns, size * (1 + LABEL) * rows
    camera = bpy.data.cameras.new("Camera")
    # the scale of an orthographic camera is that of the longer side
    camera.type, camera.ortho_scale = "ORTHO", max(wide, high)
    camera.clip_end = size * 100
    eye = bpy.data.objects.new("Camera", camera)
    eye.location = ((wide - size) / 2, -10 * size, (size - high) / 2)
    eye.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(eye)
    scene.camera = eye


def render_sheet(
    ob: bpy.types.Object,
    out: Path,
    turn: float = 15.0,
    *,
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
            below = z - size * (0.5 + 0.6 * LABEL)
            add_label(scene, name or "Neutral", x, below, width=size, material=text)
        surround(scene)
        _look_at(scene, size, columns, rows)
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
