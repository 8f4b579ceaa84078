# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn head on a stage: its keys are moved, and each frame is rendered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np
from PIL import Image

from scripts.samples import drawn_hair
from scripts.samples.drawn import MATERIALS
from scripts.samples.drawn_object import COLOURS, HEIGHT, SIZE
from scripts.show import toon

Pose = Mapping[str, float]  # values of shape keys

PAPER = (0.80, 0.87, 0.95)  # linear RGB, behind the head
LENS, AWAY, MIDDLE = 85.0, 1.0, (0.0, 0.085, HEIGHT + 0.008)  # mm, metres
SAMPLES = 8  # for smooth edges; nothing else is sampled
SWAY = 7.0  # degrees by which the head is seen from one side and the other


def both(name: str, value: float = 1.0) -> dict[str, float]:
    """A key's left and right."""
    return {f"{name}Left": value, f"{name}Right": value}


SMILE = both("mouthSmile") | both("cheekSquint", 0.5)
LAUGH = (
    both("eyeBlink", 0.97) | both("mouthSmile", 0.9) | {"jawOpen": 0.55} | both("browOuterUp", 0.4)
)
SURPRISE = both("eyeWide", 0.8) | both("browOuterUp", 0.9) | {"browInnerUp": 0.8, "jawOpen": 0.5}
LEFT = {"eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9, "mouthSmileLeft": 0.4}
RIGHT = {"eyeLookInLeft": 0.9, "eyeLookOutRight": 0.9, "mouthSmileRight": 0.4}
POUT = {"browInnerUp": 0.7, "mouthPucker": 0.8} | both("eyeLookDown", 0.3)


@dataclass(frozen=True)
class Scene:
    """A pose of the film. frames: of the way to it. hold: of it, milliseconds."""

    pose: Pose
    frames: int
    hold: int


FILM = (
    Scene({}, 2, 700),
    Scene(both("eyeBlink"), 2, 60),
    Scene({}, 2, 350),
    Scene({"vrc.v_aa": 1.0}, 3, 260),
    Scene({"vrc.v_ih": 1.0}, 3, 260),
    Scene({"vrc.v_ou": 1.0}, 3, 260),
    Scene({"vrc.v_e": 1.0}, 3, 260),
    Scene({"vrc.v_oh": 1.0}, 3, 300),
    Scene({}, 2, 150),
    Scene(SMILE, 3, 500),
    Scene(SMILE | {"eyeBlinkLeft": 1.0}, 2, 450),
    Scene(SMILE, 2, 150),
    Scene(LEFT, 3, 450),
    Scene(RIGHT, 4, 450),
    Scene({}, 2, 120),
    Scene({"jawOpen": 1.0}, 3, 450),
    Scene(SURPRISE, 3, 500),
    Scene(POUT, 3, 450),
    Scene(LAUGH, 4, 900),
)


def easing(step: int, steps: int) -> float:
    """How far a movement is, 0 to 1, after a step of several: slow, fast, slow."""
    share = step / steps
    return share * share * (3 - 2 * share)


def frames() -> Iterator[tuple[Pose, int, float]]:
    """Poses of the film, in order: the pose, how long it is seen in ms, and degrees of the view."""
    total = sum(scene.frames for scene in FILM)
    shown, before = 0, FILM[-1].pose
    for scene in FILM:
        for step in range(1, scene.frames + 1):
            share, shown = easing(step, scene.frames), shown + 1
            names = sorted({*before, *scene.pose})
            pose = {
                name: before.get(name, 0.0) * (1 - share) + scene.pose.get(name, 0.0) * share
                for name in names
            }
            hold = scene.hold if step == scene.frames else 50
            yield pose, hold, SWAY * math.sin(2 * math.pi * shown / total)
        before = scene.pose


class Stage:
    """The drawn head with its keys in toon colours before a camera."""

    def __init__(self, ob: bpy.types.Object, size: int) -> None:
        """size: of the square picture, pixels."""
        mesh: Any = ob.data
        self._keys = mesh.shape_keys.key_blocks
        self._scene: Any = bpy.context.scene
        points = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", points)
        x, y, z = points.reshape(-1, 3).T
        canonical = np.stack([x, z - HEIGHT, -y], axis=1) / SIZE
        ring = mesh.attributes.new(toon.SHINE, "FLOAT", "POINT")
        ring.data.foreach_set("value", drawn_hair.shine(canonical).astype(np.float32))
        toon.dress(ob, MATERIALS, COLOURS)
        self._render(size)
        lens: Any = bpy.data.cameras.new("Camera")
        lens.lens = LENS
        self._camera = bpy.data.objects.new("Camera", lens)
        self._scene.collection.objects.link(self._camera)
        self._scene.camera = self._camera

    def _render(self, size: int) -> None:
        scene = self._scene
        scene.render.engine = "CYCLES"
        scene.cycles.device, scene.cycles.samples = "CPU", SAMPLES
        scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
        scene.cycles.max_bounces, scene.cycles.transparent_max_bounces = 0, 16
        scene.view_settings.view_transform = "Standard"
        scene.render.resolution_x = scene.render.resolution_y = size
        scene.render.use_persistent_data = True
        scene.world = bpy.data.worlds.new("Paper")
        if scene.world.node_tree is None:  # before Blender 5, which always has nodes
            scene.world.use_nodes = True
        background = next(n for n in scene.world.node_tree.nodes if n.type == "BACKGROUND")
        background.inputs[0].default_value = (*PAPER, 1)

    def shot(self, pose: Pose, turn: float = 0.0) -> Image.Image:
        """The head in a pose, seen `turn` degrees from its left."""
        for key in self._keys:
            key.value = pose.get(key.name, 0.0)
        angle = math.radians(turn)
        x, y, z = MIDDLE
        self._camera.location = (x + math.sin(angle) * AWAY, y - math.cos(angle) * AWAY, z)
        self._camera.rotation_euler = (math.pi / 2, 0, angle)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "shot.png"
            self._scene.render.filepath = str(path)
            operators: Any = bpy.ops
            operators.render.render(write_still=True)
            with Image.open(path) as picture:
                return picture.convert("RGB")
