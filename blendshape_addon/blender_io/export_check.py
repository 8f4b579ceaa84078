# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an exported file holds what was to be exported: the avatar's meshes and no others, all
keys in order, and the same movements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils.kdtree import KDTree
from numpy.typing import NDArray

from ..translations import tr
from ..typed import keys_of, mesh_of, positions_of
from .export_read import Shaped, of_file
from .key_export import some

ALIKE = 1e-3  # of a key's largest movement: what the file's may differ by
_NEAR = 1e-5  # of the mesh's extent: how far apart a vertex is from its copy in a file

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Wanted:
    """An object that is exported, in its own space, and float32 (4,4) from there to the world: of
    skinned meshes glTF has the places in the world. used: bool (V,), whether a face has the vertex;
    glTF leaves the others out.
    """

    own: Shaped
    world: Floats
    used: NDArray[np.bool_]

    def in_world(self) -> Shaped:
        """The same in the world's space."""
        turn = self.world[:3, :3].T
        base = self.own.base @ turn + self.world[:3, 3]
        return Shaped(self.own.name, base, self.own.names, self.own.offsets @ turn)


def wanted(objects: Iterable[bpy.types.Object]) -> list[Wanted]:
    """What a file of these objects is to hold, with their keys as they are now."""
    return [
        Wanted(_shaped(ob), np.array(ob.matrix_world, np.float32), _used(mesh_of(ob)))
        for ob in objects
    ]


def _used(mesh: bpy.types.Mesh) -> NDArray[np.bool_]:
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    used = np.zeros(len(mesh.vertices), bool)
    used[corners] = True
    return used


def _shaped(ob: bpy.types.Object) -> Shaped:
    mesh = mesh_of(ob)
    base = np.empty((len(mesh.vertices), 3), np.float32)
    if mesh.shape_keys is None:
        positions_of(mesh).foreach_get("vector", base.reshape(-1))
        return Shaped(ob.name, base, (), np.zeros((0, len(base), 3), np.float32))
    key = keys_of(ob)
    key.reference_key.points.foreach_get("co", base.reshape(-1))
    blocks = [block for block in key.key_blocks if block != key.reference_key]
    offsets = np.empty((len(blocks), len(base), 3), np.float32)
    for number, block in enumerate(blocks):
        block.points.foreach_get("co", offsets[number].reshape(-1))
    return Shaped(ob.name, base, tuple(block.name for block in blocks), offsets - base)


def differences(path: Path, objects: Sequence[Wanted]) -> list[str]:
    """What a file holds otherwise, in sentences; nothing for one that holds just these objects."""
    there = {shaped.name: shaped for shaped in of_file(path)}
    told = []
    others = [name for name in there if name not in {each.own.name for each in objects}]
    if others:
        told.append(tr("In the file, and not of the avatar: {names}").format(names=some(others)))
    for each in objects:
        if each.own.name in there:
            told += _compared(each, there[each.own.name])
        elif each.used.any():
            told.append(tr("Not in the file: {names}").format(names=each.own.name))
    return told


def _compared(scene: Wanted, file: Shaped) -> list[str]:
    name, names = scene.own.name, scene.own.names
    missing = [key for key in names if key not in file.names]
    if missing:
        text = tr("{object} lacks keys in the file: {names}")
        return [text.format(object=name, names=some(missing))]
    if names != file.names:
        return [tr("The keys of {object} are in another order in the file").format(object=name)]
    if not names:
        return []
    own = scene.own
    if own.base.shape == file.base.shape and _far(own.base - file.base) <= _near(own):
        rows = np.arange(len(own.base))
    else:
        own, rows = _matched(scene, file)
    apart = _apart(own, file, rows, scene.used)
    other = [key for key, much in zip(names, apart, strict=True) if not much <= ALIKE]
    if other:
        text = tr("Keys of {object} move otherwise in the file: {names}")
        return [text.format(object=name, names=some(other))]
    return []


def _apart(
    scene: Shaped, file: Shaped, rows: NDArray[np.int64], used: NDArray[np.bool_]
) -> Doubles:
    """How far each key's movement differs, (K,), as a part of its largest. rows: the scene's vertex
    of each of the file's.
    """
    found, least = np.zeros(len(scene.names)), _extent(scene) * 1e-6
    for number in range(len(scene.names)):
        largest, arrived = _far(scene.offsets[number][used]), _far(file.offsets[number])
        differ = _far(file.offsets[number] - scene.offsets[number][rows])
        found[number] = max(differ - least, abs(largest - arrived) - least, 0) / max(largest, least)
    return found


def _matched(scene: Wanted, file: Shaped) -> tuple[Shaped, NDArray[np.int64]]:
    """The scene's vertex of each of the file's, which splits vertices and puts them in another
    order: that at the same place, of several the one that moves alike. With the scene in the space
    of the two that the file fits into.
    """
    tried: list[tuple[float, int, Shaped, NDArray[np.int64], Any]] = []
    for own in (scene.own, scene.in_world()):
        tree = KDTree(len(own.base))
        for number, place in enumerate(own.base):
            tree.insert(place, number)
        tree.balance()
        nearest = [tree.find(place) for place in file.base]
        rows = np.array([number for _place, number, _much in nearest], np.int64)
        tried.append((max(much for _place, _number, much in nearest), len(tried), own, rows, tree))
        if tried[-1][0] <= _near(own):
            break
    _much, _number, own, rows, tree = min(tried, key=lambda each: each[:2])
    near = _near(own)
    differ = np.abs(file.offsets - own.offsets[:, rows]).max(axis=(0, 2), initial=0)
    for row in np.flatnonzero(differ > near):
        same = [number for _place, number, _much in tree.find_range(file.base[row], near)]
        if same:
            each = np.abs(file.offsets[:, row, None] - own.offsets[:, same]).max(axis=(0, 2))
            rows[row] = same[int(each.argmin())]
    return own, rows


def _far(vectors: Floats) -> float:
    """The length of the longest."""
    return float(np.linalg.norm(vectors, axis=1).max(initial=0))


def _extent(shaped: Shaped) -> float:
    return float(np.ptp(shaped.base, axis=0).max()) if len(shaped.base) else 0.0


def _near(shaped: Shaped) -> float:
    return max(_extent(shaped) * _NEAR, 1e-9)
