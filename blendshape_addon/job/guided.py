# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user's own keys change in the shapes that are made: their sizes, their forms, and the
strengths of single keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender_io import guides, tuned
from ..blender_io.generated import attribute_of, made_by_us
from ..blender_io.key_writer import Shape
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.naming import names_for
from ..typed import mesh_of
from .options import Options

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Guided:
    """What the user's keys change. factors: of each generated shape; shapes: those that are the
    user's own; notes: for the user.
    """

    factors: Mapping[str, float]
    shapes: Mapping[str, Floats]
    notes: Mapping[str, str]


NOT_GUIDED = Guided({}, {}, {})


def guided(ob: bpy.types.Object, indices: Ints, made: Mapping[str, Floats], shape: bool) -> Guided:
    """How the user's own vowels and blinks guide generated shapes, name -> offsets (F,3). shape:
    also take the user's shapes themselves.
    """
    key = mesh_of(ob).shape_keys
    if key is None:
        return NOT_GUIDED
    base = base_coordinates(ob)
    ours = made_by_us(ob, base)
    own: dict[str, Floats] = {}
    coordinates = np.empty_like(base)
    for block in key.key_blocks:
        if block == key.reference_key or block.name in ours or guides.role_of(block.name) is None:
            continue
        block.points.foreach_get("co", coordinates.reshape(-1))
        own[block.name] = coordinates[indices] - base[indices]
    found = guides.guides(own, made)
    if not found:
        return NOT_GUIDED
    styled = guides.styles(found, own, made) if shape else {}
    factors = {
        name: factor for name, factor in guides.factors(found, list(made)).items() if factor != 1
    }
    notes = {
        name: f"{factor:.0%} of its size, as in your own keys" for name, factor in factors.items()
    }
    return Guided(
        factors,
        styled,
        {**dict.fromkeys(found, ""), **notes, **dict.fromkeys(styled, "your own shape")},
    )


def strengthened(ob: bpy.types.Object, shapes: Sequence[Shape], asked: Options) -> list[Shape]:
    """Those that are to be written, with the strengths that their keys have."""
    own = {} if asked.plain else tuned.strengths(ob)
    return [
        replace(shape, strength=own.get(attribute_of(shape.name), 1.0))
        for shape in shapes
        if not asked.only or attribute_of(shape.name) in asked.only
    ]


def key_names(
    face: bpy.types.Object,
    blocks: Sequence[Sequence[str]],
    style: str,
    known: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Wanted name -> key name, on the face; all objects get the same. blocks: the wanted names, set
    by set; style: of naming.STYLES; known: the names of all sets.
    """
    key = mesh_of(face).shape_keys
    existing = [] if key is None else [block.name for block in key.key_blocks]
    result: dict[str, str] = {}
    for block in blocks:
        foreign = {
            name for names in known.values() if not set(block) <= set(names) for name in names
        } - set(block)
        used = set(result.values())
        for name, own in names_for(block, style, existing, foreign).items():
            result[name] = name if own in used else own  # two standards may come to one spelling
            used.add(result[name])
    return result
