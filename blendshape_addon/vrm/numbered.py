# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a file for an importer, in which every vertex says which one it is, and three morph
targets say where the axes of the file come to lie.

An importer leaves out vertices that no face has, may put some together or change their order, and
turns each vertex of a skinned mesh into the pose that it shows. Attributes and morph targets come
along, so nothing has to be guessed.
"""

from __future__ import annotations

import numpy as np

from .arrays import add_floats
from .glb import objects, pack, parse
from .meshes import count_targets, named, pad_targets, primitives

ATTRIBUTE = "_BLENDSHAPES_VERTEX"  # custom attributes begin with an underscore
PROBES = tuple(f"blendshapes axis {axis}" for axis in "xyz")


def numbered(data: bytes) -> bytes:
    """The copy of a .glb or .vrm. Each vertex has ATTRIBUTE: the number of its mesh + 1, of its
    primitive, and its own. Each mesh has the morph targets PROBES at its end, which move all
    vertices by 1 along an axis. Raises AddonError `vrm_unwritable`.
    """
    glb = parse(data)
    meshes = objects(glb.content, "meshes")
    found = [primitives(glb, mesh) for mesh in meshes]
    axes: dict[int, list[int]] = {}  # size -> accessors of the probes
    for number, (mesh, parts) in enumerate(zip(meshes, found, strict=True)):
        if not parts:
            continue
        size = count_targets(mesh)
        pad_targets(mesh, size)
        for part in parts:
            numbers = np.empty((part.size, 3), np.float32)
            numbers[:, 0], numbers[:, 1] = number + 1, part.place
            numbers[:, 2] = np.arange(part.size)
            part.data["attributes"][ATTRIBUTE] = add_floats(glb, numbers)
            if part.size not in axes:
                axes[part.size] = [
                    add_floats(glb, np.tile(row, (part.size, 1)))
                    for row in np.eye(3, dtype=np.float32)
                ]
            part.data["targets"].extend({"POSITION": axis} for axis in axes[part.size])
        extras = mesh.get("extras")
        mesh["extras"] = {
            **(extras if isinstance(extras, dict) else {}),
            "targetNames": [*named(mesh, size), *PROBES],
        }
    return pack(glb)
