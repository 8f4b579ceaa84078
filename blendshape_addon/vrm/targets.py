# SPDX-License-Identifier: GPL-3.0-or-later
"""Morph targets for the meshes of a file: added after those that are there, or in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .arrays import Floats, add_sparse, floats
from .glb import Glb, Json, entry, mapping, objects, unwritable
from .meshes import Primitive, count_targets, name_targets, named, primitives
from .normals import Turning


@dataclass(frozen=True)
class Change:
    """What a mesh gets. mesh: its number; known: names of the targets that are there, as they were
    imported; moved: key -> accessor of positions -> float32 (N,3), how far each vertex of it goes,
    along the axes and in the units of the file; replaced: key -> the number of the target that is
    written anew.
    """

    mesh: int
    known: tuple[str, ...]
    moved: Mapping[str, Mapping[int, Floats]]
    replaced: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A morph target of a mesh. moves: whether it moves any vertex."""

    mesh: int
    place: int
    moves: bool


def write_targets(glb: Glb, changes: list[Change]) -> dict[str, list[Target]]:
    """Write all changes; every named target of the file, by its name. Raises AddonError
    `vrm_unwritable`.
    """
    found: dict[str, list[Target]] = {}
    by_mesh = {change.mesh: change for change in changes}
    for number, mesh in enumerate(objects(glb.content, "meshes")):
        change = by_mesh.get(number)
        names = named(mesh, count_targets(mesh)) if change is None else _write(glb, mesh, change)
        for place, name in enumerate(names):
            if name:
                moves = any(values.any() for values in _positions(glb, mesh, place))
                found.setdefault(name, []).append(Target(number, place, moves))
    return found


def movement(glb: Glb, targets: Sequence[Target]) -> Floats:
    """How far a key's targets move the vertices of all meshes, float32 (N,3). Raises AddonError
    `vrm_unwritable`.
    """
    places = {target.mesh: target.place for target in targets}
    parts: list[Floats] = []
    for number, mesh in enumerate(objects(glb.content, "meshes")):
        if number in places:
            parts.extend(_positions(glb, mesh, places[number]))
        else:
            parts.extend(np.zeros((part.size, 3), np.float32) for part in primitives(glb, mesh))
    return np.vstack(parts)


def _positions(glb: Glb, mesh: Json, place: int) -> Iterator[Floats]:
    """Of each primitive, how far a target moves its vertices, float32 (N,3)."""
    for part in primitives(glb, mesh):
        target = dict(enumerate(objects(part.data, "targets"))).get(place, {})
        values = (
            floats(glb, target["POSITION"])
            if "POSITION" in target
            else np.zeros((part.size, 3), np.float32)
        )
        if values.shape != (part.size, 3) or not np.isfinite(values).all():
            raise unwritable("a morph target does not belong to its mesh")
        yield values


def _write(glb: Glb, mesh: Json, change: Change) -> list[str]:
    """Write one mesh's targets; the names of the keys that all of them are."""
    before = count_targets(mesh)
    _check_animations(glb, change.mesh)
    parts = primitives(glb, mesh)
    _fill(glb, parts, before)
    turning = Turning(glb, parts) if _have_normals(mesh) else None
    names = [
        own or imported for own, imported in zip(named(mesh, before), change.known, strict=True)
    ]
    for name, moved in change.moved.items():
        normals = {} if turning is None else turning.of(moved)
        place = change.replaced.get(name, len(names))
        if place == len(names):
            names.append(name)
        written: dict[int, Json] = {}  # primitives that share positions share targets
        for part in parts:
            if part.points not in written:
                values = moved[part.points]
                if values.shape != (part.size, 3):
                    raise unwritable("the shapes are those of another mesh")
                target = {"POSITION": add_sparse(glb, values)}
                if part.points in normals and "NORMAL" in part.data["attributes"]:
                    target["NORMAL"] = add_sparse(glb, normals[part.points])
                written[part.points] = target
            target = dict(written[part.points])
            if place < len(part.data["targets"]):
                part.data["targets"][place] = target
            else:
                part.data["targets"].append(target)
    name_targets(mesh, names)
    _lengthen_weights(glb, change.mesh, len(names))
    return [*change.known, *names[before:]]


def _fill(glb: Glb, parts: list[Primitive], size: int) -> None:
    """Give primitives without morph targets as many that move nothing as the others have."""
    still: dict[int, int] = {}
    for part in parts:
        if not objects(part.data, "targets"):
            if size and part.size not in still:
                still[part.size] = add_sparse(glb, np.zeros((part.size, 3), np.float32))
            part.data["targets"] = [{"POSITION": still[part.size]} for _ in range(size)]


def _have_normals(mesh: Json) -> bool:
    return any(
        "NORMAL" in target
        for data in objects(mesh, "primitives")
        for target in objects(data, "targets")
    )


def _lengthen_weights(glb: Glb, mesh: int, size: int) -> None:
    """Have 0 for the new targets where a mesh, or a node with it, says how far targets are on."""
    holders = [entry(glb.content, "meshes", mesh)]
    holders += [node for node in objects(glb.content, "nodes") if node.get("mesh") == mesh]
    for holder in holders:
        weights = holder.get("weights")
        if isinstance(weights, list):
            holder["weights"] = (weights + [0.0] * size)[:size]


def _check_animations(glb: Glb, mesh: int) -> None:
    """Raise AddonError `vrm_unwritable` if the file's own animations move the targets of a mesh:
    they have a number for each, and would have to be written anew.
    """
    nodes = objects(glb.content, "nodes")
    for animation in objects(glb.content, "animations"):
        for channel in objects(animation, "channels"):
            target = mapping(channel, "target")
            node = target.get("node")
            if target.get("path") == "weights" and (
                not isinstance(node, int)
                or not 0 <= node < len(nodes)
                or nodes[node].get("mesh") == mesh
            ):
                raise unwritable("an animation in it moves the face's morph targets")
