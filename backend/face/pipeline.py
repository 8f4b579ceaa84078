# SPDX-License-Identifier: GPL-3.0-or-later
"""From a mesh to shape keys, in six steps that follow each other:

locate     where the face is and where its landmarks are            locate/search.py
frame      the face cut out, in a frame of its own: what may move   locate/cut.py
analyse    what its mesh says: lids, lips, parts, mirror image      analyse/head.py
predict    the network's shapes, smoothed along the surface         geometry/smoothing.py
correct    what shapes must do on this mesh whatever they are       correct/
mix        keys from conditions, in object space                    keys.py, correct/border.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..values import Twins
from .analyse import rest
from .analyse.brow_strips import ends
from .analyse.head import Head, head_of, looked_over
from .analyse.surface import surface_of
from .correct import border
from .correct.fields import fields_of
from .evidence.evidence import turned_by_bones
from .geometry.frame import Floats
from .geometry.landmarks import NAMES
from .geometry.mesh import AvatarMesh, Ints, among, distinct_rows, squared, weld
from .geometry.mirror import Each
from .geometry.quiet import cells_of
from .geometry.smoothing import neighbours, smoothed
from .geometry.twins import evened, needed, twins_of
from .keys import Looked, Pair, Plain
from .locate.cut import framed
from .locate.face import Face
from .locate.search import find
from .params.geometry import QUIET
from .params.pipeline import PIPELINE

locate = find
frame = framed

Network = Callable[
    [tuple[Floats, ...], Floats, Twins | None], Floats
]  # arrays of the face, rows of weights (N,K), and vertices that are alike -> offsets (N,F,3)

EYE_BONES = {"left_eye", "right_eye"}  # where an avatar has both, they turn its eyes


def analyse(face: Face, mesh: AvatarMesh, names: Sequence[str]) -> Looked:
    """Look at the mesh of a face. names: of its landmarks; none for a model that is not
    corrected.
    """
    inside = among(face.indices, face.triangles)
    around = neighbours(mesh.vertices[face.indices], inside)
    landmarks = read_landmarks(face, mesh, names)
    head = _head(face, mesh, inside, around.group, landmarks)
    if head is None:
        return Looked(around, landmarks)
    findings = rest.findings(head)
    # fields last: what is in passing made for the others is not held beside them
    looked = looked_over(head, face.normals, around, face.model_trust < 1, face.still)
    return Looked(around, landmarks, findings, looked, fields_of(head, face.model_trust))


def at_rest(face: Face, mesh: AvatarMesh, names: Sequence[str]) -> list[rest.Finding]:
    """What is not as a neutral face has it. names: of the face's landmarks."""
    inside, group = among(face.indices, face.triangles), weld(mesh.vertices[face.indices])
    return rest.findings(_head(face, mesh, inside, group, read_landmarks(face, mesh, names)))


def read_landmarks(face: Face, mesh: AvatarMesh, names: Sequence[str]) -> dict[str, Floats]:
    """The face's landmarks, name -> (3,), canonical, with those of brows at the ends of what they
    mean where the user has not placed them.
    """
    found = dict(zip(names, face.landmarks, strict=False))
    if not set(NAMES) <= found.keys():
        return found
    own = ~face.still
    return found | {
        name: at
        for name, at in ends(face.vertices[own], face.parts[own], found).items()
        if name not in mesh.landmarks
    }


def _head(
    face: Face, mesh: AvatarMesh, inside: Ints, group: Ints, landmarks: Mapping[str, Floats]
) -> Head | None:
    """inside (T,3): triangles among the face's vertices; group (F,): vertices in one place share
    one.
    """
    if not set(NAMES) <= landmarks.keys():
        return None
    placed = set(NAMES) <= mesh.landmarks.keys()
    return head_of(
        surface_of(
            face.vertices,
            inside,
            group,
            parts=face.parts,
            lip_lid_side=face.lip_lid_side,
            landmarks=landmarks,
            placed=placed,
            still=face.still,
        ),
        landmarks,
    )


def predict(network: Network, face: Face, asked: Floats, alike: bool = True) -> Floats:
    """The network's shapes float32 (N,F,3), canonical; 0 where nothing reads them.

    Args:
        network: what computes them
        face: cut out, with the network's inputs
        asked: float32 (N,K), rows of weights
        alike: the network may leave out what is a mirror image or a copy of what it sees, and sees
            both halves of a symmetric face alike
    """
    seen: tuple[Floats, ...] = (
        face.vertices,
        face.normals,
        face.parts,
        face.lip_lid_side,
        face.opposite_edge,
    )
    twins = twins_of(seen, face.landmarks) if alike else None
    if twins is not None:
        seen = evened(seen, twins)
    unread = _unread(face) if alike else np.zeros(len(face.indices), bool)
    everything = tuple(np.ascontiguousarray(array, np.float32) for array in (*seen, face.latent))
    if alike and len(unread) >= QUIET.fewest:
        unread = unread | _quiet(network, face, everything, asked)
    offsets = network(everything, asked, needed(twins, ~unread) if unread.any() else twins)
    offsets[:, unread] = 0
    return offsets


def _quiet(
    network: Network, face: Face, everything: tuple[Floats, ...], asked: Floats
) -> NDArray[np.bool_]:
    """Vertices (F,) that no shape moves, as far as some of them tell; none where lips and lids are,
    whose vertices differ from those beside them.

    Args:
        network: what computes shapes
        face: cut out
        everything: what the network sees, the last of it of the whole face
        asked: float32 (N,K), rows of weights
    """
    quiet: NDArray[np.bool_] = ~face.still & ~face.lip_lid_side.any(axis=1)
    some = np.flatnonzero(quiet)
    if not len(some):
        return quiet
    cells = cells_of(face.vertices[some])
    probes = some[cells.probes]
    *seen, latent = everything
    moved = np.zeros(len(probes), np.float32)
    for shape in network((*(array[probes] for array in seen), latent), asked, None):
        np.maximum(moved, squared(shape), out=moved)
    quiet[some] = cells.quiet(np.sqrt(moved) * face.movement_mask[probes])
    return quiet


def _unread(face: Face) -> NDArray[np.bool_]:
    """Vertices (F,) whose shapes nothing reads: parts that are still, as hair, but for what hangs
    next to a landmark, where figures are measured.
    """
    part = distinct_rows(face.parts)[1]
    unread = face.still & (np.bincount(part, ~face.still)[part] == 0)
    hair = np.flatnonzero(unread)
    for landmark in face.landmarks:
        near = squared(face.vertices[hair] - landmark) < PIPELINE.read**2
        unread[hair[near]] = False
    return np.asarray(unread & ~unread.all())


def smooth(offsets: Floats, looked: Looked, each: Each, shared: int) -> None:
    """Take the network's roughness out of shapes, in place.

    Args:
        offsets: float32 (N,F,3)
        looked: the head, with its neighbours
        each: works on several at once
        shared: how many of these share the memory allowed
    """
    p = PIPELINE
    step = p.smoothed_bytes // shared // (offsets[0].nbytes + 1)
    step = min(max(step, p.smoothed_least), p.smoothed_most)

    def some(first: int) -> None:
        offsets[first : first + step] = smoothed(offsets[first : first + step], looked.around)

    for _ in each(some, range(0, len(offsets), step)):
        pass


def correct(
    keys: Pair | Plain,
    looked: Looked,
    face: Face,
    offsets: Floats,
    each: Each,
    *,
    mesh: AvatarMesh,
    turn_eyes: bool = False,
) -> None:
    """Let the network's shapes, in place, do what they must on this mesh.

    Args:
        keys: of the model
        looked: what the mesh says
        face: the face they are of
        offsets: float32 (N,F,3), canonical
        each: `map`, or that of threads
        mesh: the avatar's
        turn_eyes: looks turn eyeballs also where bones do
    """
    skinned = turned_by_bones(mesh.evidence, len(mesh.vertices))
    by_bones = mesh.bones.keys() >= EYE_BONES or skinned.any()
    keys.correct(
        looked,
        face,
        offsets,
        each,
        part_roles=None if mesh.roles is None else mesh.roles[face.indices],
        on_bones=skinned[face.indices] if by_bones and not turn_eyes else None,
    )


def mix(keys: Pair | Plain, face: Face, row: int, strength: float, out: Floats) -> bool:
    """A key in object space, in `out`; whether any of it moves. Raises BackendError
    `mesh_not_finite`.

    Args:
        keys: the finished shapes
        face: whose frame they are in
        row: number of the key
        strength: factor on the key
        out: float32 (F,3), what is written to
    """
    return border.finish(face, *keys.key(row), strength, out)
