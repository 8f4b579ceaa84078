# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample head as a Blender object with plain materials."""

from __future__ import annotations

from typing import Any

import bpy

from .head import build
from .head_skin import MATERIALS
from .surface import HeadSpec

COLOURS = {  # linear RGB
    "skin": (0.62, 0.36, 0.26),
    "lips": (0.45, 0.13, 0.12),
    "mouth": (0.16, 0.03, 0.03),
    "eye_white": (0.75, 0.75, 0.74),
    "iris": (0.06, 0.16, 0.26),
    "pupil": (0.004, 0.004, 0.005),
    "lash": (0.010, 0.008, 0.007),
    "brow": (0.035, 0.020, 0.012),
    "teeth": (0.70, 0.67, 0.58),
    "tongue": (0.45, 0.12, 0.12),
    "hair": (0.05, 0.027, 0.016),
}
ROUGHNESS = {"eye_white": 0.15, "iris": 0.15, "pupil": 0.1, "teeth": 0.25, "lips": 0.4}


def material(name: str) -> bpy.types.Material:
    """A plain material in the colour of a part."""
    made = bpy.data.materials.new(name)
    made.diffuse_color = (*COLOURS[name], 1)
    made.use_nodes = True
    tree: Any = made.node_tree  # what an input holds depends on its name
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*COLOURS[name], 1)
    shader.inputs["Roughness"].default_value = ROUGHNESS.get(name, 0.6)
    return made


def add_sample_head(spec: HeadSpec | None = None, name: str = "SampleHead") -> bpy.types.Object:
    """Model the head, link it into the scene and make it the active object."""
    head = build(spec or HeadSpec())
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(head.vertices.tolist(), [], head.polygons)
    for part in MATERIALS:
        mesh.materials.append(material(part))
    mesh.polygons.foreach_set("material_index", head.material.astype("int32"))
    mesh.update()
    mesh.shade_smooth()
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    ob.select_set(True)
    return ob
