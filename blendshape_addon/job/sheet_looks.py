# SPDX-License-Identifier: GPL-3.0-or-later
"""How materials look on a contact sheet: a material's own picture or colour, softly shaded, without
a lamp; clay where it has none that can be drawn.

Nodes are known by their types: Blender translates their names. Nothing is sampled but edges, so a
sheet has no noise and takes seconds.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

Colour = tuple[float, float, float]

PLAIN: Colour = (
    0.8,
    0.8,
    0.8,
)  # what Blender gives a new material: it says nothing about the avatar
LIGHT = (
    -0.35,
    -0.75,
    0.55,
)  # from where the light falls, heads looking along -Y: from above the viewer's left
OWN_SHADE = (
    0.72,
    1.0,
    # of its colour: a material of the avatar's away from the light and towards it; textures hold
    # shade of their own
)
CLAY_SHADE = (0.3, 1.0)  # the same of clay, whose form nothing else shows
CLIPPED = 0.5  # alpha from where a cut-out is drawn, as in glTF
_OTHER = re.compile(
    r"normal|bump|rough|metal|specular|coat|sheen|subsurf|sphere|sph"
    r" |matcap|rim|outline|shade(?!r)|toon|alpha|^fac|emissi|strength|vector",
    re.IGNORECASE,
)
# Makers' names of what lies over the face and eyes and shows only with a picture or an expression:
# blushes, pale and tearful faces, other pupils
DECALS = re.compile(
    r"頬|照れ|赤面|青ざめ|チーク|涙|星目|ぐるぐる|はぁと|ハート|しいたけ|blush|tear|sweat",
    re.IGNORECASE,
)
_HUE, _HUES, _SATURATION, _VALUE = (
    0.07,
    0.618,
    0.22,
    0.72,
)  # of clay: skin first, then as far apart as the golden ratio takes them


@dataclass(frozen=True)
class Look:
    """What a material is drawn with. image: its picture, or None; colour: linear, times the
    picture. blend: `OPAQUE`, `CLIP` or `BLEND` by the picture's alpha. culled: seen from its front
    alone. lost: it has a picture that is not there. shift, scale: of the picture's coordinates.
    """

    image: bpy.types.Image | None = None
    colour: Colour | None = None
    blend: str = "OPAQUE"
    culled: bool = False
    lost: bool = False
    shift: Colour = (0.0, 0.0, 0.0)
    scale: Colour = (1.0, 1.0, 1.0)


def look_of(material: bpy.types.Material | None) -> Look:
    """What can be told of a material; nothing of one that has no nodes."""
    tree: Any = material.node_tree if material is not None else None
    if material is None or tree is None:
        return Look()
    output = next(
        (node for node in tree.nodes if node.type == "OUTPUT_MATERIAL" and node.is_active_output),
        None,
    )
    if output is None:
        return Look()
    culled, lost = material.use_backface_culling, False
    for emitted in (False, True):  # a surface's own colour first; what only shines shows that
        for node, factor in _upstream(output, emitted, (1.0, 1.0, 1.0), set()):
            if node.type == "TEX_IMAGE" and node.image is not None:
                if not node.image.size[0]:
                    lost = True
                    continue
                return Look(node.image, factor, _blend(tree, node), culled, False, *_mapping(node))
    for node, factor in _upstream(output, True, (1.0, 1.0, 1.0), set()):
        colour = _plain(node)
        if colour is not None and not np.allclose(colour, PLAIN, atol=1e-3):
            return Look(None, _times(colour, factor), "OPAQUE", culled, lost)
    return Look(lost=lost)


def _upstream(
    node: Any, emitted: bool, factor: Colour, seen: set[str]
) -> Iterator[tuple[Any, Colour]]:
    """The nodes that give a node its colour, the nearest first, each with the colours that are
    multiplied in on the way.
    """
    if node.name in seen:
        return
    seen.add(node.name)
    yield node, factor
    if node.type in ("MIX", "MIX_RGB") and node.blend_type == "MULTIPLY":
        for socket in node.inputs:
            if socket.type == "RGBA" and socket.enabled and not socket.is_linked:
                factor = _times(factor, _rgb(socket.default_value))
    for socket in node.inputs:
        shines = "emissi" in socket.name.casefold()
        if not socket.is_linked or (
            _OTHER.search(socket.name)
            and not (shines and emitted and "strength" not in socket.name.casefold())
        ):
            continue
        for link in socket.links:
            yield from _upstream(link.from_node, emitted, factor, seen)


def _plain(node: Any) -> Colour | None:
    """The colour that is set at a shader itself, None where it has none, or an input of another
    kind is meant.
    """
    if not any(socket.type == "SHADER" for socket in node.outputs) or node.type in (
        "BSDF_TRANSPARENT",
        "HOLDOUT",
    ):
        return None
    for socket in node.inputs:
        if socket.type == "RGBA" and not socket.is_linked and not _OTHER.search(socket.name):
            return _rgb(socket.default_value)
    return None


def _blend(tree: Any, image: Any) -> str:
    """How a picture's alpha counts in a material: not at all, as a cut-out where arithmetic follows
    it, else as it is.
    """
    alpha = next(
        (socket for socket in image.outputs if socket.type == "VALUE" and socket.is_linked), None
    )
    if alpha is None:
        return "OPAQUE"
    return "CLIP" if any(link.to_node.type == "MATH" for link in alpha.links) else "BLEND"


def _mapping(image: Any) -> tuple[Colour, Colour]:
    """How a picture's coordinates are shifted and scaled."""
    for link in next((socket.links for socket in image.inputs if socket.type == "VECTOR"), ()):
        if link.from_node.type == "MAPPING":
            told = {
                socket.name: socket.default_value
                for socket in link.from_node.inputs
                if hasattr(socket, "default_value")
            }
            return _rgb(told.get("Location", (0, 0, 0))), _rgb(told.get("Scale", (1, 1, 1)))
    return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def looks(slots: Sequence[bpy.types.Material | None]) -> list[bpy.types.Material]:
    """New materials for slots: their own looks; clay for those without, and for all where most
    pictures of an avatar are lost.
    """
    told = [look_of(material) for material in slots]
    lost, there = sum(one.lost for one in told), sum(one.image is not None for one in told)
    clay = Look()
    return [
        draw(clay if lost > there else one, number, slot)
        for number, (one, slot) in enumerate(zip(told, slots, strict=True))
    ]


def draw(look: Look, number: int, slot: bpy.types.Material | None = None) -> bpy.types.Material:
    """A new material of that look; clay of the slot's number where nothing is known, and nothing
    where that would only hide the face.
    """
    seen = surface(look, number, slot)
    if seen is not None:
        return _made("Look", *seen)
    material, tree = empty("Decal")
    nothing, output = (
        tree.nodes.new("ShaderNodeBsdfTransparent"),
        tree.nodes.new("ShaderNodeOutputMaterial"),
    )
    tree.links.new(nothing.outputs["BSDF"], output.inputs["Surface"])
    return material


def surface(
    look: Look, number: int, slot: bpy.types.Material | None = None
) -> tuple[Look, tuple[float, float]] | None:
    """What a slot's material is drawn with, and how bright it is away from the light and towards
    it: its own look, else clay of the slot's number; None where that would only hide the face.
    """
    if look.image is not None or look.colour is not None:
        return look, OWN_SHADE
    if slot is not None and DECALS.search(slot.name):
        return None
    return Look(colour=clay(number)), CLAY_SHADE


def clay(number: int) -> Colour:
    """A pale colour for the material slot of this number."""
    return _rgb(colorsys.hsv_to_rgb(_HUE + _HUES * number, _SATURATION, _VALUE))


def tint(number: int) -> bpy.types.Material:
    """Clay in a pale colour for the material slot of this number."""
    return _made(f"Tint {number}", Look(colour=clay(number)), CLAY_SHADE)


def _either(tree: Any, gone: Any, behind: Any) -> Any:
    """The socket that says how much nothing is seen, for one reason or the other."""
    if gone is None:
        return behind
    most = tree.nodes.new("ShaderNodeMath")
    most.operation = "MAXIMUM"
    tree.links.new(gone, most.inputs[0])
    tree.links.new(behind, most.inputs[1])
    return most.outputs["Value"]


def _made(name: str, look: Look, shade: tuple[float, float]) -> bpy.types.Material:
    """A material that shines in its colour, less where it turns away from the light."""
    material, tree = empty(name)
    output, shine = tree.nodes.new("ShaderNodeOutputMaterial"), tree.nodes.new("ShaderNodeEmission")
    geometry, towards, range_ = (
        tree.nodes.new(f"ShaderNode{kind}") for kind in ("NewGeometry", "VectorMath", "MapRange")
    )
    towards.operation = "DOT_PRODUCT"
    towards.inputs[1].default_value = tuple(np.array(LIGHT) / np.linalg.norm(LIGHT))
    tree.links.new(geometry.outputs["Normal"], towards.inputs[0])
    tree.links.new(towards.outputs["Value"], range_.inputs["Value"])
    for socket, value in zip(
        ("From Min", "From Max", "To Min", "To Max"), (-0.4, 0.9, *shade), strict=True
    ):
        range_.inputs[socket].default_value = value
    tree.links.new(range_.outputs["Result"], shine.inputs["Strength"])
    shine.inputs["Color"].default_value = (*(look.colour or PLAIN), 1.0)
    gone = None  # the socket that says how much nothing is seen
    if look.image is not None:
        picture, product = (
            tree.nodes.new("ShaderNodeTexImage"),
            tree.nodes.new("ShaderNodeVectorMath"),
        )
        picture.image, product.operation = look.image, "MULTIPLY"
        if (look.shift, look.scale) != ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)):
            mapping, map_ = tree.nodes.new("ShaderNodeMapping"), tree.nodes.new("ShaderNodeUVMap")
            mapping.inputs["Location"].default_value, mapping.inputs["Scale"].default_value = (
                look.shift,
                look.scale,
            )
            tree.links.new(map_.outputs["UV"], mapping.inputs["Vector"])
            tree.links.new(mapping.outputs["Vector"], picture.inputs["Vector"])
        product.inputs[1].default_value = look.colour or (1.0, 1.0, 1.0)
        tree.links.new(picture.outputs["Color"], product.inputs[0])
        tree.links.new(product.outputs["Vector"], shine.inputs["Color"])
        if look.blend != "OPAQUE":
            less = tree.nodes.new("ShaderNodeMath")
            less.operation = "LESS_THAN" if look.blend == "CLIP" else "SUBTRACT"
            alpha, fixed = (0, 1) if look.blend == "CLIP" else (1, 0)
            less.inputs[fixed].default_value = CLIPPED if look.blend == "CLIP" else 1.0
            tree.links.new(picture.outputs["Alpha"], less.inputs[alpha])
            gone = less.outputs["Value"]
    if look.culled:
        gone = _either(tree, gone, geometry.outputs["Backfacing"])
    surface = shine.outputs["Emission"]
    if gone is not None:
        mix, nothing = (
            tree.nodes.new("ShaderNodeMixShader"),
            tree.nodes.new("ShaderNodeBsdfTransparent"),
        )
        tree.links.new(gone, mix.inputs[0])
        tree.links.new(surface, mix.inputs[1])
        tree.links.new(nothing.outputs["BSDF"], mix.inputs[2])
        surface = mix.outputs["Shader"]
    tree.links.new(surface, output.inputs["Surface"])
    return material


def emission(name: str, colour: Colour) -> bpy.types.Material:
    """A material that shines in one colour, for labels."""
    material, tree = empty(name)
    shine, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    shine.inputs["Color"].default_value = (*colour, 1)
    tree.links.new(shine.outputs["Emission"], output.inputs["Surface"])
    return material


def empty(name: str) -> tuple[bpy.types.Material, Any]:
    """A new material and its nodes, none of them."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before Blender 5, which always has nodes
        material.use_nodes = True
    tree: Any = material.node_tree  # what an input holds depends on its name
    tree.nodes.clear()
    return material, tree


def _times(one: Colour, other: Colour) -> Colour:
    return one[0] * other[0], one[1] * other[1], one[2] * other[2]


def _rgb(value: Sequence[float]) -> Colour:
    return float(value[0]), float(value[1]), float(value[2])
