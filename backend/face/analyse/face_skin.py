# SPDX-License-Identifier: GPL-3.0-or-later
"""Which loose part of a mesh is the face's skin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, extent, part_boxes, squared
from ..params.analyse import FACE_SKIN

# landmarks that lie on the skin
MARKS = (
    "nose_tip",
    "chin",
    "mouth_left",
    "mouth_right",
    "eye_outer_left",
    "eye_outer_right",
    "lid_lower_left",
    "lid_lower_right",
)


def face_skin(
    vertices: Floats, parts: Ints, landmarks: Mapping[str, NDArray[np.floating[Any]]]
) -> NDArray[np.bool_]:
    """Vertices (V,) of the loose part on which most of the MARKS lie: of several layers there, such
    as a blush before the skin, the one that reaches farthest. Where that is as small as an eye, a
    flat part before the skin, what is smaller than a face does not count.

    Args:
        vertices: float32 (V,3), canonical
        parts: int32 (V,), labels of the loose ones
        landmarks: name -> (3,), canonical
    """
    found = _under(vertices, parts, landmarks)
    if extent(vertices[found]) < FACE_SKIN.face:
        large = part_boxes(vertices, parts)[:, 3:].max(axis=1) >= FACE_SKIN.face / 2
        if large.any():
            found = np.zeros(len(parts), bool)
            found[large] = _under(vertices[large], parts[large], landmarks)
    return found


def _under(
    vertices: Floats, parts: Ints, landmarks: Mapping[str, NDArray[np.floating[Any]]]
) -> NDArray[np.bool_]:
    """Vertices (V,) of the part on which most of the MARKS lie, whatever its size."""
    reach: Floats | None = None
    owners = []
    for name in MARKS:
        away = squared(vertices - landmarks[name])
        near = np.flatnonzero(
            np.sqrt(away) <= np.sqrt(away.min()) + np.float32(FACE_SKIN.layers)
        )  # squared again, a far one would not be its own nearest
        if (parts[near] != parts[near[0]]).any():
            reach = part_boxes(vertices, parts)[:, 3:].max(axis=1) if reach is None else reach
            near = near[[reach[near].argmax()]]
        owners.append(int(parts[near[0]]))
    return np.asarray(parts == np.bincount(owners).argmax())
