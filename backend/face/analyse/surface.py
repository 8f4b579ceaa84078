# SPDX-License-Identifier: GPL-3.0-or-later
"""The face's surface, as everything that looks for a part of it reads it: vertices, triangles,
loose parts, skin, hair and eyeballs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, connected_parts, distinct_rows, nearest, squared
from ..params.analyse import BULKY_PARTS
from .eyeballs import eyeballs
from .face_skin import face_skin

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Surface:
    """A face's surface of F vertices.

    Args:
        vertices: float32 (F,3), canonical
        triangles: int32 (T,3), among them
        group: int32 (F,), vertices in one place share one
        owner: int32 (F,), the loose part; of the skin's part what hangs together without welding
        lip_lid_side: float32 (F,2), on which side of the mouth and the eye each lies, 1 above
            to -1 below
        skins: flags (F,) of the skin's part, and of the largest piece of it that needs no welding:
            lashes and transparent shells may be sewn to the lids
        bulky: flags (F,) of parts that are no skin and hair or worn, or too big in every direction
            for one of a face
        pieces: int32 (F,), what hangs together without welding
        boxes: float32 (F,6), of parts
        balls: of `eyeballs`
        placed: all landmarks are the user's
    """

    vertices: Floats
    triangles: Ints
    group: Ints
    owner: Ints
    lip_lid_side: Floats
    skins: list[Flags]
    bulky: Flags
    pieces: Ints
    boxes: Floats
    balls: Mapping[str, tuple[NDArray[np.intp], Floats]]
    placed: bool = False


def surface_of(
    vertices: Floats,
    triangles: Ints,
    group: Ints,
    parts: Floats,
    lip_lid_side: Floats,
    *,
    landmarks: Mapping[str, Floats],
    placed: bool = False,
    still: Flags | None = None,
) -> Surface:
    """Describe a face's surface; its skin is the part that most landmarks lie on.

    Args:
        vertices: float32 (F,3), canonical
        triangles: int32 (T,3), among them
        group: int32 (F,), vertices in one place share one
        parts: float32 (F,6), boxes of loose parts
        lip_lid_side: float32 (F,2), on which side of the mouth and the eye each lies, 1 above
            to -1 below
        landmarks: float32 (3,), canonical, by name
        placed: all landmarks are the user's
        still: flags (F,), hair and what is worn, as far as that is known
    """
    owner = distinct_rows(parts)[1].astype(np.int32)
    skin = np.zeros(len(vertices), bool)
    loose = np.ones(len(vertices), bool) if still is None or still.all() else ~still
    skin[loose] = face_skin(vertices[loose], owner[loose], landmarks)
    raw = (
        connected_parts(len(vertices), triangles)
        if len(triangles)
        else np.zeros(len(vertices), np.int32)
    )
    main = raw == np.bincount(raw[skin]).argmax()
    owner[skin & ~main] = owner.max() + 1 + raw[skin & ~main]
    balls, big = eyeballs(vertices, parts, landmarks), bulky(vertices, owner, parts, skin)
    if still is not None:
        big |= still
    for ball, _centre in balls.values():
        big[ball] = False
    return Surface(
        vertices,
        triangles,
        group,
        owner,
        lip_lid_side,
        skins=[skin, main],
        bulky=big,
        pieces=raw,
        boxes=parts,
        balls=balls,
        placed=placed,
    )


def bulky(vertices: Floats, owner: Ints, parts: Floats, skin: Flags) -> Flags:
    """Vertices (F,) of parts that are big in every direction and hang away from the skin where the
    face is; a shell over it keeps close.

    Args:
        vertices: float32 (F,3), canonical
        owner: int32 (F,), numbers of loose parts
        parts: float32 (F,6), boxes
        skin: bool (F,), the face's
    """
    found = (
        ~skin
        & (parts[:, 3] > BULKY_PARTS.bulk)
        & (parts[:, 4] > BULKY_PARTS.bulk)
        & (parts[:, 5] > BULKY_PARTS.bulk)
    )
    if not found.any():
        return found
    x, y, z = vertices.T
    front = (x > -BULKY_PARTS.front_aside) & (x < BULKY_PARTS.front_aside)
    front &= (y > BULKY_PARTS.front_bottom) & (y < BULKY_PARTS.front_top)
    front &= z > BULKY_PARTS.front_back
    face = vertices[skin & front]
    for part in np.unique(owner[found]):
        mine = np.flatnonzero((owner == part) & front)
        mine = mine[:: max(1, len(mine) // BULKY_PARTS.sampled)]
        if len(mine) and len(face):
            near = squared(vertices[mine] - face[nearest(vertices[mine], face)])
            found[owner == part] = np.median(near) > BULKY_PARTS.close**2
    return np.asarray(found)
