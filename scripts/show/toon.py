# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials in the manner of drawn films: two tones, a light ring on the hair, ink around it all.

Nothing is lit. Cycles has no shader that turns light into a tone, so normals decide the tone.
"""

from __future__ import annotations

from typing import Any

import bpy

from scripts.samples.drawn import MATERIALS

Colour = tuple[float, float, float]  # linear RGB

LIGHT = (0.287, -0.766, 0.575)  # where the light comes from; of length 1
SHADE: Colour = (0.80, 0.62, 0.74)  # the darker tone, times the colour
SOFT = 0.06  # of the cosine: how wide the edge between the tones is
FACE_EDGE, EDGE = 0.02, 0.30  # cosine at the edge: faces are nearly all light
LIGHT_RING: Colour = (1.0, 0.66, 0.70)
INK: Colour = (0.10, 0.03, 0.035)
THICK = 0.0011  # metres, of the ink
LIT = frozenset({"skin", "hair", "ribbon", "cloth", "collar"})  # materials with two tones
FLAT = frozenset(MATERIALS) - LIT
SHINE = "shine"  # the attribute that says how far inside the light ring a vertex is


def _empty(name: str) -> tuple[bpy.types.Material, Any]:
    made = bpy.data.materials.new(name)
    if made.node_tree is None:  # before Blender 5, which always has nodes
        made.use_nodes = True
    tree: Any = made.node_tree
    tree.nodes.clear()
    return made, tree


def toon(name: str, colour: Colour) -> bpy.types.Material:
    """The material of a part in its colour."""
    made, tree = _empty(f"Toon {name}")
    new, join = tree.nodes.new, tree.links.new
    emission, output = new("ShaderNodeEmission"), new("ShaderNodeOutputMaterial")
    join(emission.outputs[0], output.inputs[0])
    emission.inputs[0].default_value = (*colour, 1)
    if name in FLAT:
        return made
    geometry, cosine, ramp = (
        new("ShaderNodeNewGeometry"),
        new("ShaderNodeVectorMath"),
        new("ShaderNodeValToRGB"),
    )
    cosine.operation = "DOT_PRODUCT"
    cosine.inputs[1].default_value = LIGHT
    dark, light = ramp.color_ramp.elements
    dark.position = FACE_EDGE if name == "skin" else EDGE
    light.position = dark.position + SOFT
    dark.color = (*(c * s for c, s in zip(colour, SHADE, strict=True)), 1)
    light.color = (*colour, 1)
    join(geometry.outputs["Normal"], cosine.inputs[0])
    join(cosine.outputs["Value"], ramp.inputs[0])
    tone = ramp.outputs[0]
    if name == "hair":
        attribute, inside, mix = (
            new("ShaderNodeAttribute"),
            new("ShaderNodeMath"),
            new("ShaderNodeMixRGB"),
        )
        attribute.attribute_name = SHINE
        inside.operation = "GREATER_THAN"
        inside.inputs[1].default_value = 0.0
        mix.inputs["Color2"].default_value = (*LIGHT_RING, 1)
        join(attribute.outputs["Fac"], inside.inputs[0])
        join(inside.outputs[0], mix.inputs["Fac"])
        join(tone, mix.inputs["Color1"])
        tone = mix.outputs[0]
    join(tone, emission.inputs[0])
    return made


def ink() -> bpy.types.Material:
    """What is seen of a hull that is turned inside out: its far side, around the silhouette."""
    made, tree = _empty("Ink")
    new, join = tree.nodes.new, tree.links.new
    mix, geometry, output = (
        new("ShaderNodeMixShader"),
        new("ShaderNodeNewGeometry"),
        new("ShaderNodeOutputMaterial"),
    )
    emission, nothing = new("ShaderNodeEmission"), new("ShaderNodeBsdfTransparent")
    emission.inputs[0].default_value = (*INK, 1)
    join(geometry.outputs["Backfacing"], mix.inputs[0])
    join(emission.outputs[0], mix.inputs[1])
    join(nothing.outputs[0], mix.inputs[2])
    join(mix.outputs[0], output.inputs[0])
    return made


def dress(ob: bpy.types.Object, names: tuple[str, ...], colours: dict[str, Colour]) -> None:
    """Give the object toon materials in place of its own, and ink around it."""
    mesh: Any = ob.data
    for place, name in enumerate(names):
        mesh.materials[place] = toon(name, colours[name])
    line = ink()
    for _name in names:
        mesh.materials.append(line)
    hull: Any = ob.modifiers.new("Ink", "SOLIDIFY")
    hull.thickness, hull.offset = -THICK, 1
    hull.use_flip_normals, hull.use_rim = True, False
    hull.material_offset = len(names)
