# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold on the final mesh whatever the model says: smooth skin, contacts, bodies, borders, and exact zeros where nothing should move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import BackendError
from ..values import WAY
from . import bodies, brows, contacts, fields, rest, sheets
from .frame import Floats
from .landmarks import NAMES, SIDES
from .locate import Face
from .mesh import AvatarMesh, Ints, among, squared, weld
from .mirror import Each, Pairs, make_alike, pairs_of
from .smoothing import Neighbours, neighbours

STILL = 0.002  # canonical units, about 0.1 mm on a person: movement below is the model's noise and becomes an exact zero
SHARE = 0.02  # of a shape's largest movement: bounds STILL, so that a shape that is meant to be tiny survives
MOVING = 3.0  # times STILL: movement above is kept as it is


@dataclass(frozen=True)
class Ground:
    """What the mesh alone says, whatever the model. around: who is next to whom among the face's vertices. there: what contacts and fields are read
    from, None for a model whose landmarks are others. own: the fields of this face. pairs: which vertex is which one's mirror image, None on a face
    that is not symmetric. lain: what lies on the skin, of `sheets.lying`, None where that is not asked."""

    around: Neighbours
    there: contacts.Surface | None
    own: fields.Fields | None = None
    pairs: Pairs | None = None
    lain: sheets.Lain | None = None


def read_landmarks(face: Face, mesh: AvatarMesh, names: Sequence[str]) -> dict[str, Floats]:
    """The face's landmarks, name -> (3,), canonical, with those of brows at the ends of what they mean where the user has not placed them."""
    found = dict(zip(names, face.landmarks, strict=False))
    if not set(NAMES) <= found.keys():
        return found
    return found | {name: at for name, at in brows.ends(face.vertices, face.parts, found).items() if name not in mesh.landmarks}


def surface(face: Face, mesh: AvatarMesh, inside: Ints, group: Ints, landmarks: Mapping[str, Floats]) -> contacts.Surface | None:
    """What contacts are read from, None for a model whose landmarks are others. inside (T,3): triangles among the face's vertices; group (F,):
    vertices in one place share one. landmarks: name -> (3,), canonical."""
    if not set(NAMES) <= landmarks.keys():
        return None
    placed = set(NAMES) <= mesh.landmarks.keys()
    return contacts.surface(face.vertices, inside, group, face.parts, face.sides, landmarks, placed)


def at_rest(face: Face, mesh: AvatarMesh, names: Sequence[str]) -> list[rest.Finding]:
    """What is not as a neutral face has it, see `rest.findings`. names: of the face's landmarks."""
    landmarks = read_landmarks(face, mesh, names)
    return rest.findings(surface(face, mesh, among(face.indices, face.triangles), weld(mesh.vertices[face.indices]), landmarks), landmarks)


def ground(face: Face, mesh: AvatarMesh, landmarks: Mapping[str, Floats]) -> Ground:
    """Look at the mesh of a face. landmarks: name -> (3,), canonical."""
    inside = among(face.indices, face.triangles)
    around = neighbours(mesh.vertices[face.indices], inside)
    there = surface(face, mesh, inside, around.group, landmarks)
    if there is None:
        return Ground(around, None)
    own = fields.fields_of(there, face.parts, landmarks, face.familiar)
    others = np.any(list(own.strips.values()), axis=0)
    lids, _slit = contacts.lids_of(there, landmarks), contacts.slit_of(there, landmarks)  # which are kept
    for lid in lids.values():
        others |= lid.lash | lid.lower_lash | lid.eye
    lain = sheets.lying(there, others) if face.familiar < 1 and len(lids) == len(SIDES) else None  # else it may be a plate that is an eye
    size = np.bincount(there.owner)[there.owner]  # of a vertex's part: left and right parts are of one size
    return Ground(around, there, own, pairs_of(face.vertices, face.normals, there.skins[0], size), lain)


def touch(face: Face, known: Ground, landmarks: Mapping[str, Floats], shapes: dict[str, Floats], each: Each = map) -> None:
    """Let lids, lips, eyes and teeth do what they must. shapes: condition -> offsets (F,3), brought up to date in place. each: as of `make_alike`."""
    there = known.there
    probed = {name: shapes[name] for name in contacts.PROBED if name in shapes}
    lids = contacts.lids_of(there, landmarks) if there is not None else {}
    for name, gain in contacts.gains(face.vertices, landmarks, probed).items():
        if contacts.BLINKS.get(name) not in lids:  # where edges are found, they say better how far a lid must go
            shapes[name] = probed[name] = shapes[name] * np.float32(gain)
    if there is None:
        return
    for name, more in contacts.corrections(there, landmarks, probed, lids, face.familiar).items():
        shapes[name] = shapes[name] + more
    balls = {
        side: (ball[lids[side].eye[ball]] if side in lids else ball, centre)  # without a lash in its shell
        for side, (ball, centre) in there.balls.items()
    }
    bodies.turn_eyes(shapes, face.vertices, balls, face.familiar)
    for name, side in contacts.BLINKS.items():
        if name in shapes and side in balls:
            before = shapes[name].copy()
            bodies.lift_lids(shapes[name], face.vertices, there.skins[0], *balls[side])
            if side in lids:
                shapes[name] += lids[side].ridden(shapes[name] - before)
    for side, lid in lids.items():
        if side not in balls:
            bodies.turn_plates(shapes, face.vertices, there.owner, side, lid.eye, float(lid.opening.unit[0]))
    if {"jawOpen", "tongueOut"} <= shapes.keys():
        bodies.move_teeth(shapes, face.vertices, face.parts, there.pieces, (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2)
    brows.ride({name: shapes[name] for name in shapes if name.startswith("brow")}, face.vertices, face.parts, there.skins[0], landmarks)
    if face.familiar < 1:
        brows.follow([shapes[name] for name in contacts.BLINKS if name in shapes], face.vertices, face.parts, there.skins[0], landmarks)
    if known.lain is not None:
        sheets.follow(shapes, known.lain, face.familiar)
    if known.pairs is not None:
        make_alike(known.pairs, shapes, each)


def finish(face: Face, shape: Floats, weight: float, strength: float, out: Floats) -> bool:
    """A shape float32 (F,3), canonical, times `weight`, faded at the head's border and with exact zeros where that is noise: sparse keys are what
    avatars pay download size for. Then in object space and times `strength` in out (F,3), which may be the shape itself; whether any of it moves.

    Raises BackendError `mesh_not_finite`.
    """
    free = face.freedom * np.float32(abs(weight))
    far = np.sqrt(squared(shape))
    far *= free
    most = float(far.max(initial=0))
    still = min(STILL, SHARE * most) + 1e-12
    rows = np.flatnonzero(far > still)  # most of a face stays where it is
    t = far[rows]
    t /= still
    t -= 1
    t /= MOVING - 1
    np.clip(t, 0, 1, out=t)
    share = t * t * (3 - 2 * t) * face.freedom[rows]
    turn = face.frame.rotation * face.frame.scale * weight * strength
    moved = (shape.take(rows, axis=0, mode="clip") * share[:, None]) @ turn.astype(np.float32)
    if not np.isfinite(most) or not np.isfinite(moved).all():
        raise BackendError("mesh_not_finite", "The shapes' coordinates grew too large for 32 bits.", "Scale the avatar down.")
    out[:] = 0
    np.put(out.view(WAY), rows, np.ascontiguousarray(moved).view(WAY))  # three times as fast as out[rows]
    return bool(moved.any())
