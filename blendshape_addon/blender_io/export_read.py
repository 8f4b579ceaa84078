# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape keys as an exported file has them: read back without importing it into the scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..vrm.arrays import floats
from ..vrm.glb import entry, objects, parse
from ..vrm.meshes import count_targets, named, primitives

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Shaped:
    """An object of a file that has a mesh. name: the object's. base: float32 (V,3), its vertices
    as the file numbers them. names: of its keys, in order. offsets: float32 (K,V,3), what each
    adds at 1.
    """

    name: str
    base: Floats
    names: tuple[str, ...]
    offsets: Floats


def of_file(path: Path) -> list[Shaped]:
    """The objects of a .fbx or .glb file. Raises whatever a damaged file makes it raise."""
    return _of_fbx(path) if path.suffix.lower() == ".fbx" else _of_glb(path)


def _of_fbx(path: Path) -> list[Shaped]:
    from io_scene_fbx import parse_fbx  # comes with Blender's exporter, which has written the file

    root, _version = parse_fbx.parse(str(path))
    top = {each.id: each for each in root.elems}
    things = {each.props[0]: each for each in top[b"Objects"].elems}
    below: dict[int, list[int]] = {}
    for link in top[b"Connections"].elems:
        if link.props[0] == b"OO":
            below.setdefault(link.props[2], []).append(link.props[1])

    def of_kind(above: int, sort: bytes, kind: bytes) -> list[int]:
        return [
            number
            for number in below.get(above, ())
            if (things[number].id, things[number].props[2]) == (sort, kind)
        ]

    found = []
    for number, thing in things.items():
        if (thing.id, thing.props[2]) != (b"Model", b"Mesh"):
            continue
        for mesh in of_kind(number, b"Geometry", b"Mesh"):
            base = _vectors(things[mesh], b"Vertices")
            names, offsets = [], []
            for group in of_kind(mesh, b"Deformer", b"BlendShape"):
                for channel in of_kind(group, b"Deformer", b"BlendShapeChannel"):
                    names.append(_name(things[channel]))
                    moved = np.zeros_like(base)
                    for shape in of_kind(channel, b"Geometry", b"Shape"):
                        rows = np.asarray(_array(things[shape], b"Indexes"), np.int64)
                        moved[rows] = _vectors(things[shape], b"Vertices")
                    offsets.append(moved)
            found.append(Shaped(_name(thing), base, tuple(names), _stacked(offsets, len(base))))
    return found


def _of_glb(path: Path) -> list[Shaped]:
    glb = parse(path.read_bytes())
    found = []
    for node in objects(glb.content, "nodes"):
        if "mesh" not in node:
            continue
        mesh = entry(glb.content, "meshes", node["mesh"])
        size = count_targets(mesh)
        bases, moved = [], []
        for part in primitives(glb, mesh):
            bases.append(floats(glb, part.points))
            targets = objects(part.data, "targets")
            empty = np.zeros_like(bases[-1])
            moved.append(
                _stacked(
                    [
                        floats(glb, each["POSITION"]) if "POSITION" in each else empty
                        for each in targets
                    ]
                    or [empty] * size,
                    len(empty),
                )
            )
        if bases:
            found.append(
                Shaped(
                    str(node.get("name", "")),
                    _upright(np.concatenate(bases)),
                    tuple(named(mesh, size)),
                    _upright(np.concatenate(moved, axis=1)),
                )
            )
    return found


def _upright(vectors: Floats) -> Floats:
    """Blender's axes of glTF's: Z up instead of Y."""
    turned: Floats = np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)
    return turned


def _name(thing: Any) -> str:
    return str(bytes(thing.props[1]).split(b"\0\1")[0].decode("utf-8", "replace"))


def _array(thing: Any, name: bytes) -> Any:
    return next((each.props[0] for each in thing.elems if each.id == name and each.props), ())


def _vectors(thing: Any, name: bytes) -> Floats:
    return np.asarray(_array(thing, name), np.float32).reshape(-1, 3)


def _stacked(offsets: list[Floats], size: int) -> Floats:
    return np.stack(offsets) if offsets else np.zeros((0, size, 3), np.float32)
