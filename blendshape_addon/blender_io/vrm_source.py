# SPDX-License-Identifier: GPL-3.0-or-later
"""A .vrm file that is imported to be written again with more shape keys: which vertex of the file
each imported one is, and the way back for what moves it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import keys_of, mesh_of
from ..vrm.expressions import Bound
from ..vrm.glb import entry, parse, read_limited
from ..vrm.meshes import positioned, primitives
from ..vrm.numbered import ATTRIBUTE, PROBES
from ..vrm.patch import patched
from ..vrm.targets import Change
from .at_vertices import read
from .expression_plan import planned
from .mesh_arrays import base_coordinates

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_FLAT = 1e-6  # a determinant below it: the file squeezes a vertex's surroundings to nothing


@dataclass(frozen=True)
class _Mesh:
    """An imported mesh. number: of the file's mesh; primitive, vertex: int64 (V,), which vertex of
    the file each is; axes: float64 (V,3,3), columns are where the file's axes lie; known: names of
    the keys that the file has, in its order.
    """

    number: int
    primitive: Ints
    vertex: Ints
    axes: NDArray[np.float64]
    known: tuple[str, ...]


class VrmSource:
    """The file, and what became of its meshes."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises AddonError `vrm_needed`, `vrm_unwritable`, OSError."""
        if path.suffix.lower() != ".vrm":
            raise AddonError(
                "vrm_needed",
                f"{path} is no .vrm, so none can be made of it.",
                "Give --export glb, and make the .vrm with the VRM add-on or UniVRM.",
            )
        self.data = read_limited(path)
        self._meshes: dict[str, _Mesh] = {}  # by the mesh's name

    def take_numbers(self) -> None:
        """After the import: remember what the copy that was imported says of its vertices, and take
        that out of the meshes again. Raises AddonError `vrm_unmatched`.
        """
        for ob in [ob for ob in bpy.data.objects if ob.type == "MESH"]:
            mesh = mesh_of(ob)
            if mesh.name not in self._meshes and ATTRIBUTE in mesh.attributes:
                self._meshes[mesh.name] = _taken(ob)

    def written(self, objects: Mapping[str, Collection[str]]) -> tuple[bytes, Bound]:
        """The file with the keys that the meshes have now, and what expressions were bound.
        objects: of each object with new keys, the names of those that were written.

        Raises AddonError `vrm_unmatched`, `vrm_unwritable`.
        """
        glb = parse(self.data)
        changes: dict[int, Change] = {}
        for name, held in self._meshes.items():
            meshes = (ob for ob in bpy.data.objects if ob.type == "MESH")
            users = [ob for ob in meshes if mesh_of(ob).name == name]
            keys = {key for user in users for key in objects.get(user.name, ())}
            if not keys:
                continue
            ob = users[0]
            if held.number in changes:
                raise _unmatched(f"two objects made of one mesh of the file got keys, {ob.name!r}")
            mesh = entry(glb.content, "meshes", held.number)
            known = _aligned(held, positioned(mesh))
            parts = primitives(glb, mesh)
            sizes = {part.place: (part.points, part.size) for part in parts}
            for part in parts:
                there = held.vertex[held.primitive == part.place]
                if not np.array_equal(np.sort(there), part.used):
                    raise _unmatched(f"{ob.name!r} has other vertices than the file")
            moved = {
                key: dict(_by_points(held, sizes, offsets)) for key, offsets in _offsets(ob, keys)
            }
            replaced = {key: known.index(key) for key in moved if key in known}
            changes[held.number] = Change(held.number, known, moved, replaced)
        return patched(self.data, list(changes.values()), planned)


def _taken(ob: bpy.types.Object) -> _Mesh:
    """What a mesh says, without its marks and probes."""
    mesh = mesh_of(ob)
    numbers = read(ob, ATTRIBUTE, 3)
    keys = mesh.shape_keys
    if numbers is None or keys is None or any(name not in keys.key_blocks for name in PROBES):
        raise _unmatched(f"Blender's importer lost which vertices {ob.name!r} has")
    base = base_coordinates(ob)
    whole = np.round(numbers).astype(np.int64)
    if len({*whole[:, 0].tolist()}) != 1 or whole[0, 0] < 1:
        raise _unmatched(f"{ob.name!r} is made of several meshes of the file")
    axes = np.empty((len(base), 3, 3), np.float64)
    for axis, name in enumerate(PROBES):
        axes[:, :, axis] = _points(keys.key_blocks[name]) - base
    for name in PROBES:
        ob.shape_key_remove(keys.key_blocks[name])
    if len(keys.key_blocks) == 1:
        ob.shape_key_clear()
    mesh.attributes.remove(mesh.attributes[ATTRIBUTE])
    known = (
        ()
        if mesh.shape_keys is None
        else tuple(block.name for block in mesh.shape_keys.key_blocks[1:])
    )
    return _Mesh(int(whole[0, 0]) - 1, whole[:, 1], whole[:, 2], axes, known)


def _aligned(held: _Mesh, imported: list[bool]) -> tuple[str, ...]:
    """Names of all the targets that the file's mesh has, "" for those that were not imported."""
    names = iter(held.known)
    if sum(imported) != len(held.known):
        raise _unmatched("Blender's importer made other shape keys than the file has")
    return tuple(next(names) if there else "" for there in imported)


def _offsets(ob: bpy.types.Object, names: Collection[str]) -> Iterator[tuple[str, Floats]]:
    """Of each of the keys, in the order that they have, how far it moves the vertices."""
    base = base_coordinates(ob)
    for block in keys_of(ob).key_blocks:
        if block.name in names:
            yield block.name, _points(block) - base


def _by_points(
    held: _Mesh, sizes: Mapping[int, tuple[int, int]], offsets: Floats
) -> Iterator[tuple[int, Floats]]:
    """Accessor of positions -> float32 (N,3), the same movement in the file's space."""
    rows = np.flatnonzero(offsets.any(axis=1))
    axes = held.axes[rows]
    if len(rows) and float(np.abs(np.linalg.det(axes)).min()) < _FLAT:
        raise _unmatched("a bone has the size 0 in the file")
    back = np.linalg.solve(axes, offsets[rows][:, :, None].astype(np.float64))[:, :, 0]
    found: dict[int, Floats] = {}
    for place, (points, size) in sizes.items():
        values = found.setdefault(points, np.zeros((size, 3), np.float32))
        own = held.primitive[rows] == place
        values[held.vertex[rows[own]]] = back[own]
    yield from found.items()


def _points(block: bpy.types.ShapeKey) -> Floats:
    points = np.empty((len(block.points), 3), np.float32)
    block.points.foreach_get("co", points.reshape(-1))
    return points


def _unmatched(why: str) -> AddonError:
    return AddonError(
        "vrm_unmatched",
        f"The shapes cannot be written back into the .vrm: {why}.",
        "Use --export glb, or the VRM add-on for Blender.",
    )
