# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair and what is worn, by what names say, kept out of everything: the face is looked for, cut out
and moved as if they were not there.

So no lid and no lip can take them along, and nothing before the face is taken for a part of it.
What a name says is believed only as far as the face that is found bears it out: a face that is
called hair stays a face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..evidence.evidence import HANGING, INDICES, Classes, Evidence, Flags, classes_of, worn_or_hair
from ..evidence.names import CLASSES, FACIAL, kind_of
from ..geometry.frame import Floats
from ..geometry.landmarks import NAMES, SIDES
from ..geometry.mesh import (
    SIDE_BONES,
    AvatarMesh,
    Ints,
    all_corners,
    among,
    nearest,
    part_boxes,
)
from ..params.locate import FINDING, TRUST, WORN
from .cut import framed
from .face import Face, Place

BARE = ("nose_tip", "chin", "mouth_left", "mouth_right")  # landmarks before which no hair hangs
TRUE_NAME = "skin"  # what is called hair and is the face
FACE = [
    CLASSES.index(name) for name in (*FACIAL, "jaw", "ear")
]  # what bones of hair are not of a part with


Find = Callable[[AvatarMesh, AvatarMesh | None], Place]


def located(mesh: AvatarMesh, names: Sequence[str], find: Find) -> Face:
    """The face of a checked mesh, without hair and what is worn where the mesh brings evidence of
    them.

    names: of the landmarks. find: looks for it in a mesh, or in a part of another, then with the
    likeliest directions up alone, as search.find does. Raises BackendError as `find` and cut.framed
    do.
    """
    told = _told(mesh, mesh.parts) if mesh.evidence is not None else None
    hidden = np.zeros(len(mesh.vertices), bool) if told is None else told.hidden()
    asked, whole = mesh, None
    for _ in range(WORN.tries):
        if told is None or not hidden.any():
            break
        face = _without(asked, hidden, find)
        if (
            face is None or face.confidence < FINDING.doubt
        ):  # names may hide the face itself, or it lies on its side
            if whole is not None:
                return (
                    face
                    if face is not None and face.confidence >= whole.confidence
                    else _only_seen(whole, hidden)
                )
            if (seen := _in_whole(mesh, find, face)) is face:
                return seen
            face = whole = seen
            up = face.frame.rotation[1].astype(np.float64)
            bones = {name: at for name, at in mesh.bones.items() if name in SIDE_BONES}
            asked = replace(mesh, up=(float(up[0]), float(up[1]), float(up[2])), bones=bones)
        told, fewer = _borne_out(mesh, told, hidden, face, names)
        if face is not whole and np.array_equal(fewer, hidden):
            return face
        hidden = fewer
    return framed(find(mesh, None)) if whole is None else whole


def _in_whole(mesh: AvatarMesh, find: Find, part: Face | None) -> Face:
    """The face as it is found in the whole mesh; the one that a part of it shows where the whole
    shows none. Raises BackendError.
    """
    try:
        return framed(find(mesh, None))
    except BackendError as error:
        if part is None or error.code != "no_face":
            raise
        return part


def _only_seen(face: Face, hidden: Flags) -> Face:
    """The face without hidden vertices (V,)."""
    seen = ~hidden[face.indices]
    per_vertex = (
        "indices",
        "vertices",
        "normals",
        "parts",
        "lip_lid_side",
        "opposite_edge",
        "movement_mask",
        "still",
    )
    return replace(face, **{name: getattr(face, name)[seen] for name in per_vertex})


@dataclass(frozen=True)
class _Told:
    """What names say. own (V,): vertices that are hair or worn by them, without those that the user
    calls something else. parts (V,): loose ones; apart: those to whose other vertices it does not
    spread.
    """

    evidence: Evidence
    classes: Classes
    own: Flags
    parts: Ints
    apart: frozenset[int] = frozenset()

    def hidden(self) -> Flags:
        """The same (V,) with the rest of loose parts of which names say it of enough; of bones that
        only their place tells, what is wholly theirs.
        """
        parts, count = self.parts, np.bincount(self.parts)
        by_name = self.own & ~self.classes.hanging
        whole = np.bincount(parts, by_name) >= WORN.spread * count
        whole &= np.bincount(parts, np.isin(self.classes.bone, FACE) & ~self.own) == 0
        whole[list(self.apart)] = False
        hung = np.bincount(parts, self.own) >= WORN.hung * count
        return np.asarray(by_name | (self.own & hung[parts]) | whole[parts])


def _told(
    mesh: AvatarMesh,
    parts: Ints,
    evidence: Evidence | None = None,
    apart: frozenset[int] = frozenset(),
) -> _Told:
    """What names of a mesh that has evidence say, or other evidence about it."""
    evidence = evidence or mesh.evidence or Evidence()
    classes = classes_of(evidence, mesh.triangles, len(mesh.vertices))
    own = worn_or_hair(classes) | classes.hanging
    return _Told(
        evidence, classes, own if mesh.roles is None else own & (mesh.roles == 0), parts, apart
    )


def _without(mesh: AvatarMesh, hidden: Flags, find: Find) -> Face | None:
    """The face of the mesh without hidden vertices (V,), by the numbers of the whole mesh; None
    where there is none.
    """
    left = np.flatnonzero(~hidden).astype(np.int32)
    triangles = all_corners(~hidden, mesh.triangles)
    if np.count_nonzero(triangles) < TRUST.fewest:
        return None
    per_vertex = {
        name: values[left]
        for name in ("head_weights", "mask", "roles")
        if (values := getattr(mesh, name)) is not None
    }
    own = None if mesh.evidence is None else mesh.evidence.of(~hidden, triangles)
    bare = replace(
        mesh,
        vertices=mesh.vertices[left],
        triangles=among(left, mesh.triangles),
        evidence=own,
        **per_vertex,
    )
    try:
        face = framed(find(bare, mesh))
    except BackendError as error:
        if error.code != "no_face":
            raise
        return None
    return replace(face, indices=left[face.indices], triangles=left[face.triangles])


def _borne_out(
    mesh: AvatarMesh, told: _Told, hidden: Flags, face: Face, names: Sequence[str]
) -> tuple[_Told, Flags]:
    """What names say without those that call the face itself hair, and what is hidden then (V,): no
    brows and lashes of the hair's material.
    """
    at = dict(zip(names, face.landmarks, strict=False))
    if not set(NAMES) <= at.keys():
        return told, hidden
    places = face.frame.to_canonical(mesh.vertices)
    carrying = _carrying(places, hidden, at)
    if len(carrying):
        spread = carrying[~told.own[carrying]]
        apart = told.apart | {int(part) for part in told.parts[spread]}
        told = _told(
            mesh,
            told.parts,
            _disbelieved(told, mesh.triangles, carrying[told.own[carrying]]),
            apart,
        )
    found = told.hidden()
    found[_features(places, found, told.classes, told.parts, at)] = False
    return told, found


def _carrying(places: Floats, hidden: Flags, at: dict[str, Floats]) -> NDArray[np.intp]:
    """Vertices that are hidden and on which the face lies: there is nothing else at its landmarks.
    places (V,3), at (3,): canonical; hidden (V,).
    """
    marks = np.stack([at[name] for name in BARE])
    to_hidden, to_others = (
        np.linalg.norm(_nearest(marks, places[some]) - marks, axis=1) for some in (hidden, ~hidden)
    )
    carried = (to_others > WORN.far) & (to_hidden < to_others / 2)
    if np.count_nonzero(carried) < WORN.carried:
        return np.zeros(0, np.intp)
    return np.asarray(np.unique(np.flatnonzero(hidden)[nearest(marks[carried], places[hidden])]))


def _disbelieved(told: _Told, triangles: Ints, vertices: NDArray[np.intp]) -> Evidence:
    """The evidence with other names for what calls these vertices (N,) hair or worn."""
    own: dict[str, Any] = {}
    for index, kind in INDICES.items():
        places = getattr(told.evidence, index)
        if places is None:
            continue
        some = (
            places[np.isin(triangles, vertices).any(axis=1)]
            if index == "triangle_materials"
            else places[vertices]
        )
        texts = list(getattr(told.evidence, kind))
        for place in np.unique(some[some >= 0]):
            if kind_of(texts[place]) in ("", *HANGING):
                texts[place] = TRUE_NAME
        own[kind] = tuple(texts)
    return replace(told.evidence, **own)


def _nearest(marks: Floats, points: Floats) -> Floats:
    """The nearest of points (N,3) to each mark (M,3); infinitely far where there are none."""
    return points[nearest(marks, points)] if len(points) else np.full_like(marks, np.inf)


def _features(
    places: Floats, hidden: Flags, classes: Classes, parts: Ints, at: dict[str, Floats]
) -> Flags:
    """Vertices (V,) of hidden loose parts that lie and look as a brow or a lash does, and that no
    bone and no group calls hair.
    """
    named = hidden & ((classes.bone > 1) | (classes.group > 0) | classes.hanging)
    whole = (np.bincount(parts, hidden) == np.bincount(parts)) & (np.bincount(parts, named) == 0)
    found = np.zeros(len(parts), bool)
    boxes = part_boxes(places, parts)
    reach = np.array([WORN.near_x, WORN.near_y, WORN.near_z], np.float32)
    for side in SIDES:
        brow = (at[f"brow_inner_{side}"] + at[f"brow_outer_{side}"]) / 2
        for middle, (wide, high) in (
            (brow, (WORN.brow_wide, WORN.brow_high)),
            (at[f"lid_upper_{side}"], (WORN.lash_wide, WORN.lash_high)),
            (at[f"lid_lower_{side}"], (WORN.lash_wide, WORN.lash_high)),
        ):
            near = (np.abs(boxes[:, :3] - middle) < reach).all(axis=1)
            found |= (
                near
                & (boxes[:, 3] < wide)
                & (boxes[:, 4] < high)
                & (boxes[:, 4] < boxes[:, 3])
                & whole[parts]
            )
    return found
