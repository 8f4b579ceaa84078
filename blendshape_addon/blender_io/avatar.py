# SPDX-License-Identifier: GPL-3.0-or-later
"""Several objects of an avatar as one mesh as it is seen, and shapes of that mesh given back to
each object as it is stored.

The joined mesh has the axes of the face's object, with that object's stretching and mirroring, see
as_seen.shown_axes.

A Mirror modifier's other half is added to what the child sees, since half a face is no face; it
gets no keys of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import bpy
import numpy as np
from numpy.typing import NDArray

from . import evidence
from .as_seen import at_rest, shown_axes
from .landmark_store import corrected_landmarks, told_lost
from .mesh_arrays import Entries
from .mesh_io import AvatarArrays, gather, space_between
from .parts import ROLES, Part

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Doubles = NDArray[np.float64]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Copy:
    """What a Mirror modifier adds. start: its first vertex in the joined mesh; source: int32 (C,),
    the vertices of the object that it copies; back: float64 (3,3), from an offset of the copy to
    that of the source.
    """

    start: int
    source: Ints
    back: Doubles


@dataclass(frozen=True)
class Target:
    """An object that gets keys. Holds its identity, not a reference: undo may replace it. start,
    size: its vertices in the joined mesh; back: float64 (3,3), from offsets of the joined mesh to
    its own space; stored: float32 (V,3,3), from there to offsets that are stored, None where they
    are the same.
    """

    identity: int
    name: str
    start: int
    size: int
    back: Doubles
    copies: tuple[Copy, ...] = ()
    stored: Floats | None = None


@dataclass
class _Joined:
    vertices: list[Floats] = field(default_factory=list)
    triangles: list[Ints] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)
    mask: list[Floats] = field(default_factory=list)
    roles: list[Ints] = field(default_factory=list)
    evidence: list[evidence.Piece] = field(default_factory=list)
    count: int = 0

    def add(
        self, vertices: Floats, triangles: Ints, weights: Floats, mask: Floats, role: str
    ) -> int:
        """Append a mesh whose triangles count from its own first vertex; that vertex' number."""
        return self.append(vertices, triangles + self.count, weights, mask, role)

    def append(
        self, vertices: Floats, triangles: Ints, weights: Floats, mask: Floats, role: str
    ) -> int:
        """Append a mesh whose triangles already count from the beginning."""
        start, self.count = self.count, self.count + len(vertices)
        self.vertices.append(vertices)
        self.triangles.append(triangles)
        self.weights.append(weights)
        self.mask.append(mask)
        self.roles.append(np.full(len(vertices), ROLES.index(role), np.int32))
        return start


def gather_avatar(
    ob: bpy.types.Object,
    parts: Sequence[Part] = (),
    group: str = "",
    use_selection: bool = False,
    *,
    entries: Mapping[int, Entries] | None = None,
) -> tuple[AvatarArrays, tuple[Target, ...]]:
    """The face's object and its parts as one mesh, and who gets what of it; the first target is the
    face's object. Object mode. entries: weights that were read before, by the objects' identities.

    Raises AddonError as mesh_io.gather does.
    """
    with at_rest():
        return _gather(ob, parts, (group, use_selection), entries or {})


def _gather(
    ob: bpy.types.Object,
    parts: Sequence[Part],
    inside: tuple[str, bool],
    entries: Mapping[int, Entries],
) -> tuple[AvatarArrays, tuple[Target, ...]]:
    face = gather(ob, *inside, entries.get(int(ob.session_uid)))
    axes = np.eye(4)
    axes[:3, :3] = shown_axes(ob)
    joined, targets, findings = _Joined(), [], [*face.findings, *told_lost(ob)]
    mask = np.ones(len(face.vertices), np.float32) if face.mask is None else face.mask
    weights = (
        np.ones(len(face.vertices), np.float32) if face.head_weights is None else face.head_weights
    )
    targets.append(_add(joined, ob, face, weights=weights, mask=mask, role="auto", space=axes))
    for part in parts:
        space = space_between(part.ob, ob)
        if space is None:
            continue
        own = gather(part.ob, entries=entries.get(int(part.ob.session_uid)))
        if not len(own.vertices):
            continue
        ones = np.ones(len(own.vertices), np.float32)
        # what is no kind of its own is skin, whose weights say where it ends
        weights = (
            own.head_weights
            if own.head_weights is not None and part.role in ("auto", "face")
            else ones
        )
        role = (
            "auto" if part.why == "place" else part.role
        )  # only what the user or a name says goes before what the file says
        targets.append(
            _add(joined, part.ob, own, weights=weights, mask=ones, role=role, space=axes @ space)
        )
        findings.extend(own.findings)
    roles = np.concatenate(joined.roles)
    mesh = replace(
        face,
        vertices=np.concatenate(joined.vertices),
        triangles=np.ascontiguousarray(np.concatenate(joined.triangles), np.int32),
        head_weights=None if face.head_weights is None else np.concatenate(joined.weights),
        mask=None if face.mask is None else np.concatenate(joined.mask),
        roles=roles if roles.any() else None,
        bones=_moved(face.bones, axes[:3, :3]),
        up=_upwards(face.up, axes[:3, :3]),
        landmarks=_moved(corrected_landmarks(ob, face.vertices), axes[:3, :3]),
        findings=tuple(findings),
        evidence=evidence.joined(joined.evidence),
        back=None,
    )
    return mesh, tuple(targets)


def landmarks_of(target: Target, landmarks: Mapping[str, Point]) -> dict[str, Point]:
    """Landmarks of the joined mesh in the space of the face's object, which is the first target."""
    return _moved(landmarks, target.back)


def _moved(points: Mapping[str, Point], matrix: Doubles) -> dict[str, Point]:
    if np.array_equal(matrix, np.eye(3)):
        return dict(points)
    moved = {name: matrix @ np.array(point, np.float64) for name, point in points.items()}
    return {
        name: (float(point[0]), float(point[1]), float(point[2])) for name, point in moved.items()
    }


def _upwards(up: Point | None, axes: Doubles) -> Point | None:
    """A direction in the space of the face's object, as it is seen: what is level there stays
    level.
    """
    if up is None or np.array_equal(axes, np.eye(3)):
        return up
    normal = np.linalg.inv(axes).T @ np.array(up, np.float64)
    normal /= np.linalg.norm(normal)
    return float(normal[0]), float(normal[1]), float(normal[2])


def _add(
    joined: _Joined,
    ob: bpy.types.Object,
    own: AvatarArrays,
    *,
    weights: Floats,
    mask: Floats,
    role: str,
    space: Doubles,
) -> Target:
    """space: the matrix (4,4) from the object's space to the joined mesh'."""
    role = role if role in ROLES else "auto"
    vertices, triangles = own.vertices, own.triangles
    if not np.array_equal(space, np.eye(4)):
        vertices = np.ascontiguousarray(
            vertices.astype(np.float64) @ space[:3, :3].T + space[:3, 3], np.float32
        )
    if np.linalg.det(space[:3, :3]) < 0:
        triangles = np.ascontiguousarray(
            triangles[:, ::-1]
        )  # mirrored, their fronts would look inwards
    start = joined.add(vertices, triangles, weights, mask, role)
    joined.evidence.append(
        evidence.Piece(own.evidence, ob.name, len(vertices), len(triangles), space)
    )
    # copies come right after, so that the target itself stays one piece
    copies = []
    source, places = np.arange(len(vertices), dtype=np.int32), vertices.astype(np.float64)
    for reflection, threshold in _reflections(ob, space):
        twins = places @ reflection[:3, :3].T + reflection[:3, 3]
        apart = np.linalg.norm(twins - places, axis=1) > threshold
        numbers = np.where(
            apart, joined.count + np.cumsum(apart) - 1, np.arange(len(places)) + start
        ).astype(np.int32)
        first = joined.append(
            np.ascontiguousarray(twins[apart], np.float32),
            np.ascontiguousarray(numbers[triangles][:, ::-1], np.int32),
            weights[apart],
            mask[apart],
            role,
        )
        twin = evidence.Piece(
            own.evidence.some(source[apart]), ob.name, int(apart.sum()), len(triangles), space
        )
        joined.evidence.append(twin)
        copies.append(Copy(first, source[apart], np.linalg.inv(reflection[:3, :3])))
    return Target(
        identity=int(ob.session_uid),
        name=ob.name,
        start=start,
        size=len(vertices),
        back=np.linalg.inv(space[:3, :3]),
        copies=tuple(copies),
        stored=own.back,
    )


def _reflections(ob: bpy.types.Object, space: Doubles) -> list[tuple[Doubles, float]]:
    """The reflections (4,4) in the joined mesh' space, and how near vertices are merged, of the
    object's Mirror modifiers.

    Each of several axes mirrors the modelled part alone, which is enough to see a face.
    """
    found = []
    for modifier in ob.modifiers:
        if not isinstance(modifier, bpy.types.MirrorModifier) or not modifier.show_viewport:
            continue
        frame = np.eye(4)
        if modifier.mirror_object is not None:
            other = space_between(modifier.mirror_object, ob)
            frame = np.eye(4) if other is None else other
        for axis in np.flatnonzero(list(modifier.use_axis)):
            flip = np.eye(4)
            flip[axis, axis] = -1
            inside = frame @ flip @ np.linalg.inv(frame)
            found.append(
                (
                    space @ inside @ np.linalg.inv(space),
                    modifier.merge_threshold if modifier.use_mirror_merge else 0.0,
                )
            )
    return found
