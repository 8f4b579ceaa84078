# SPDX-License-Identifier: GPL-3.0-or-later
"""Several objects of an avatar as one mesh in the space of the face's object, and shapes of that mesh given back to each object.

A Mirror modifier's other half is added to what the child sees, since half a face is no face; it gets no keys of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import bpy
import numpy as np
from numpy.typing import NDArray

from .mesh_io import AvatarArrays, gather, space_between
from .parts import ROLES, Part

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Doubles = NDArray[np.float64]

TWICE = 2.0  # how much more a mirrored half must move than the modelled one, for its movement to be taken


@dataclass(frozen=True)
class Copy:
    """What a Mirror modifier adds. start: its first vertex in the joined mesh; source: int32 (C,), the vertices of the object that it
    copies; back: float64 (3,3), from an offset of the copy to that of the source."""

    start: int
    source: Ints
    back: Doubles


@dataclass(frozen=True)
class Target:
    """An object that gets keys. Holds its identity, not a reference: undo may replace it. start, size: its vertices in the joined mesh;
    back: float64 (3,3), from offsets of the joined mesh to its own space."""

    identity: int
    name: str
    start: int
    size: int
    back: Doubles
    copies: tuple[Copy, ...] = ()


@dataclass
class _Joined:
    vertices: list[Floats] = field(default_factory=list)
    triangles: list[Ints] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)
    mask: list[Floats] = field(default_factory=list)
    roles: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(self, vertices: Floats, triangles: Ints, weights: Floats, mask: Floats, role: str) -> int:
        """Append a mesh whose triangles count from its own first vertex; that vertex' number."""
        return self.append(vertices, triangles + self.count, weights, mask, role)

    def append(self, vertices: Floats, triangles: Ints, weights: Floats, mask: Floats, role: str) -> int:
        """Append a mesh whose triangles already count from the beginning."""
        start, self.count = self.count, self.count + len(vertices)
        self.vertices.append(vertices)
        self.triangles.append(triangles)
        self.weights.append(weights)
        self.mask.append(mask)
        self.roles.append(np.full(len(vertices), ROLES.index(role), np.int32))
        return start


def gather_avatar(
    ob: bpy.types.Object, parts: Sequence[Part] = (), group: str = "", use_selection: bool = False
) -> tuple[AvatarArrays, tuple[Target, ...]]:
    """The face's object and its parts as one mesh, and who gets what of it. Object mode. Raises AddonError as mesh_io.gather does."""
    face = gather(ob, group, use_selection)
    joined, targets, warnings = _Joined(), [], list(face.warnings)
    mask = np.ones(len(face.vertices), np.float32) if face.mask is None else face.mask
    weights = np.ones(len(face.vertices), np.float32) if face.head_weights is None else face.head_weights
    targets.append(_add(joined, ob, face, face.vertices, weights, mask, "auto", np.eye(4)))
    for part in parts:
        space = space_between(part.ob, ob)
        if space is None:
            continue
        own = gather(part.ob)
        vertices = np.ascontiguousarray(own.vertices.astype(np.float64) @ space[:3, :3].T + space[:3, 3], np.float32)
        if not len(vertices):
            continue
        ones = np.ones(len(vertices), np.float32)
        # what is no kind of its own is skin, whose weights say where it ends
        weights = own.head_weights if own.head_weights is not None and part.role in ("auto", "face") else ones
        targets.append(_add(joined, part.ob, own, vertices, weights, ones, part.role, space))
        warnings.extend(f"{part.ob.name}: {line}" for line in own.warnings if "mirror" in line.lower())
    roles = np.concatenate(joined.roles)
    mesh = replace(
        face,
        vertices=np.concatenate(joined.vertices),
        triangles=np.ascontiguousarray(np.concatenate(joined.triangles), np.int32),
        head_weights=None if face.head_weights is None else np.concatenate(joined.weights),
        mask=None if face.mask is None else np.concatenate(joined.mask),
        roles=roles if roles.any() else None,
        landmarks=dict(corrected_landmarks(ob)),
        warnings=tuple(warnings),
    )
    return mesh, tuple(targets)


def corrected_landmarks(ob: bpy.types.Object) -> dict[str, tuple[float, float, float]]:
    """The landmarks that the user placed on the object, by name, in its space."""
    return {mark.name: (mark.place[0], mark.place[1], mark.place[2]) for mark in ob.blendshapes.landmarks if mark.corrected}


def split(targets: Sequence[Target], indices: Ints, offsets: Floats) -> list[tuple[Target, Ints, Floats]]:
    """Each target with its own vertices int32 (f,) and offsets float32 (N,f,3) in its own space, from those of the joined mesh.

    indices int32 (F,), offsets float32 (N,F,3).
    """
    portions = []
    for target in targets:
        mine = (indices >= target.start) & (indices < target.start + target.size)
        own = np.ascontiguousarray(indices[mine] - target.start, np.int32)
        moved = offsets[:, mine]
        if target.copies:
            own, moved = _with_copies(target, own, moved, indices, offsets)
        if not np.array_equal(target.back, np.eye(3)):
            moved = moved.astype(np.float64) @ target.back.T
        portions.append((target, own, np.ascontiguousarray(moved, np.float32)))
    return portions


def _with_copies(target: Target, own: Ints, moved: Floats, indices: Ints, offsets: Floats) -> tuple[Ints, Floats]:
    """The same where the movement of a mirrored half takes the place of one that is still on the modelled half."""
    whole = np.zeros((len(offsets), target.size, 3), np.float32)
    whole[:, own] = moved
    for copy in target.copies:
        there = (indices >= copy.start) & (indices < copy.start + len(copy.source))
        other = np.zeros_like(whole)
        other[:, copy.source[indices[there] - copy.start]] = offsets[:, there].astype(np.float64) @ copy.back.T
        size, size_there = (np.linalg.norm(field, axis=(1, 2)) for field in (whole, other))
        taken = size_there > TWICE * size
        whole[taken] = other[taken]
    rows = np.flatnonzero(whole.any(axis=(0, 2))).astype(np.int32)
    rows = np.union1d(rows, own).astype(np.int32)
    return rows, whole[:, rows]


def _add(
    joined: _Joined, ob: bpy.types.Object, own: AvatarArrays, vertices: Floats, weights: Floats, mask: Floats, role: str, space: Doubles
) -> Target:
    """space: the matrix (4,4) from the object's space to the joined mesh'."""
    role = role if role in ROLES else "auto"
    start = joined.add(vertices, own.triangles, weights, mask, role)
    # copies come right after, so that the target itself stays one piece
    copies = []
    source, places = np.arange(len(vertices), dtype=np.int32), vertices.astype(np.float64)
    for reflection, threshold in _reflections(ob, space):
        twins = places @ reflection[:3, :3].T + reflection[:3, 3]
        apart = np.linalg.norm(twins - places, axis=1) > threshold
        numbers = np.where(apart, joined.count + np.cumsum(apart) - 1, np.arange(len(places)) + start).astype(np.int32)
        first = joined.append(
            np.ascontiguousarray(twins[apart], np.float32),
            np.ascontiguousarray(numbers[own.triangles][:, ::-1], np.int32),
            weights[apart],
            mask[apart],
            role,
        )
        copies.append(Copy(first, source[apart], np.linalg.inv(reflection[:3, :3])))
    return Target(int(ob.session_uid), ob.name, start, len(vertices), np.linalg.inv(space[:3, :3]), tuple(copies))


def _reflections(ob: bpy.types.Object, space: Doubles) -> list[tuple[Doubles, float]]:
    """The reflections (4,4) in the joined mesh' space, and how near vertices are merged, of the object's Mirror modifiers.

    Each of several axes mirrors the modelled part alone, which is enough to see a face.
    """
    found = []
    for modifier in ob.modifiers:
        if modifier.type != "MIRROR" or not modifier.show_viewport:
            continue
        frame = np.eye(4)
        if modifier.mirror_object is not None:
            other = space_between(modifier.mirror_object, ob)
            frame = np.eye(4) if other is None else other
        for axis in np.flatnonzero(list(modifier.use_axis)):
            flip = np.eye(4)
            flip[axis, axis] = -1
            inside = frame @ flip @ np.linalg.inv(frame)
            found.append((space @ inside @ np.linalg.inv(space), modifier.merge_threshold if modifier.use_mirror_merge else 0.0))
    return found
