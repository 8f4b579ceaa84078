# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes of a glTF file: their primitives, their vertices, their morph targets with names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Ints, floats, indices, length
from .glb import Glb, Json, mapping, objects, unwritable

MOST_TARGETS = 10_000
_PACKED = ("KHR_draco_mesh_compression",)


@dataclass(frozen=True)
class Primitive:
    """One of a mesh. place: its number in the mesh; points: the accessor of its positions; size:
    elements of that; used: int64, vertices that its faces have, each once, in order.
    """

    place: int
    data: Json
    points: int
    size: int
    used: Ints


def primitives(glb: Glb, mesh: Json) -> list[Primitive]:
    """Those of a mesh that have positions. Raises AddonError `vrm_unwritable`."""
    found = []
    for place, data in enumerate(objects(mesh, "primitives")):
        attributes = mapping(data, "attributes")
        if "POSITION" not in attributes:
            continue
        if any(name in mapping(data, "extensions") for name in _PACKED):
            raise unwritable("its meshes are compressed with Draco")
        points = attributes["POSITION"]
        size = length(glb, points)
        used = (
            np.unique(indices(glb, data["indices"]))
            if "indices" in data
            else np.arange(size, dtype=np.int64)
        )
        if used[-1] >= size:
            raise unwritable("its faces have vertices that are not there")
        found.append(Primitive(place, data, points, size, used))
    return found


def count_targets(mesh: Json) -> int:
    """How many morph targets a mesh has. Raises AddonError `vrm_unwritable` where its primitives
    have different numbers; those without any do not count.
    """
    counts = {len(objects(data, "targets")) for data in objects(mesh, "primitives")} - {0}
    if len(counts) > 1 or max(counts, default=0) > MOST_TARGETS:
        raise unwritable("the primitives of a mesh have different numbers of morph targets")
    return max(counts, default=0)


def positioned(mesh: Json) -> list[bool]:
    """Of each target, whether it moves positions; importers leave out the others."""
    return [
        any(
            "POSITION" in target
            for data in objects(mesh, "primitives")
            for target in objects(data, "targets")[place : place + 1]
        )
        for place in range(count_targets(mesh))
    ]


def pad_targets(mesh: Json, size: int) -> None:
    """Give primitives without morph targets as many empty ones as the others have."""
    for data in objects(mesh, "primitives"):
        if not objects(data, "targets"):
            data["targets"] = [{} for _ in range(size)]


def named(mesh: Json, size: int) -> list[str]:
    """Names of the first targets of a mesh as its extras have them, "" for those without one."""
    extras = mesh.get("extras")
    names: Any = extras.get("targetNames") if isinstance(extras, dict) else None
    found = [name if isinstance(name, str) else "" for name in names] if _listed(names) else []
    return (found + [""] * size)[:size]


def name_targets(mesh: Json, names: list[str]) -> None:
    """Write the names of all targets where the mesh has names, and for the mesh in any case."""
    for holder in (mesh, *objects(mesh, "primitives")):
        extras = holder.get("extras")
        if holder is mesh or (isinstance(extras, dict) and _listed(extras.get("targetNames"))):
            holder["extras"] = {
                **(extras if isinstance(extras, dict) else {}),
                "targetNames": list(names),
            }


def _listed(value: object) -> bool:
    return isinstance(value, list)


def floats_of(glb: Glb, primitive: Primitive, attribute: str) -> Any:
    """An attribute of a primitive, float32 (N,3), or None where it has none. Raises AddonError
    `vrm_unwritable`.
    """
    attributes = mapping(primitive.data, "attributes")
    if attribute not in attributes:
        return None
    values = floats(glb, attributes[attribute])
    if values.shape != (primitive.size, 3):
        raise unwritable(f"{attribute} does not belong to the positions")
    return values
