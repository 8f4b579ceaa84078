# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn head as a Blender object with plain materials."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .drawn import MATERIALS, build

SIZE = 0.085  # metres: one canonical unit
HEIGHT = 1.45  # metres: where its eyes are
COLOURS = {  # linear RGB
    "skin": (0.97, 0.76, 0.65),
    "mouth_line": (0.55, 0.20, 0.17),
    "mouth": (0.36, 0.06, 0.07),
    "eye_white": (0.92, 0.92, 0.94),
    "iris": (0.02, 0.20, 0.46),
    "iris_light": (0.10, 0.55, 0.78),
    "pupil": (0.006, 0.03, 0.10),
    "eye_highlight": (1.0, 1.0, 1.0),
    "lash": (0.045, 0.016, 0.02),
    "brow": (0.36, 0.07, 0.11),
    "teeth": (0.95, 0.93, 0.90),
    "tongue": (0.76, 0.24, 0.24),
    "blush": (0.93, 0.47, 0.42),
    "hair": (0.79, 0.25, 0.36),
    "ribbon": (0.04, 0.30, 0.36),
    "cloth": (0.035, 0.05, 0.12),
    "collar": (0.80, 0.82, 0.86),
}


def material(name: str) -> bpy.types.Material:
    """A plain material in the colour of a part."""
    made = bpy.data.materials.new(name)
    made.diffuse_color = (*COLOURS[name], 1)
    if made.node_tree is None:  # before Blender 5, which always has nodes
        made.use_nodes = True
    tree: Any = made.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*COLOURS[name], 1)
    shader.inputs["Roughness"].default_value = 0.7
    return made


def add_drawn_head(name: str = "DrawnHead") -> bpy.types.Object:
    """Model the head, upright and looking along -Y, link it and make it the active object."""
    vertices, triangles, materials = build()
    turned = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]], axis=1) * SIZE
    turned[:, 2] += HEIGHT
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(turned.tolist(), [], triangles.tolist())
    for part in MATERIALS:
        mesh.materials.append(material(part))
    mesh.polygons.foreach_set("material_index", materials)
    mesh.update()
    mesh.shade_smooth()
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    ob.select_set(True)
    return ob
