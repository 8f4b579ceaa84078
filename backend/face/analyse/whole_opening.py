# SPDX-License-Identifier: GPL-3.0-or-later
"""The opening of an eye from corner to corner, looked for above and below where landmarks say: they
are off by a tenth or a fifth of an eye, and half an opening closes half an eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..geometry.frame import Floats
from ..geometry.mesh import LOW_HALF, Ints, all_corners, squared
from ..geometry.normals import corners_of, crossed
from ..params.analyse import WHOLE_OPENINGS
from .lid_edges import whole
from .openings import Flags, Opening, eye_opening


@dataclass(frozen=True)
class Around:
    """The mesh around an eye.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3) among them
        group: (V,), vertices in one place share one
        skins: flags (V,) of what may be skin
        reach: how far from the eye's middle its opening may lie, canonical
    """

    vertices: Floats
    triangles: Ints
    group: Ints
    skins: list[Flags]
    reach: float


def reach_of_eye(landmarks: Mapping[str, Floats], side: str) -> tuple[Floats, float]:
    """Find how far from an eye's middle its opening may lie.

    Args:
        landmarks: float32 (3,), canonical, by name
        side: left or right

    Returns:
        The middle float32 (3,) and the reach, canonical.
    """
    inner, outer = landmarks[f"eye_inner_{side}"], landmarks[f"eye_outer_{side}"]
    reach = WHOLE_OPENINGS.near * float(np.linalg.norm(inner - outer))
    return np.asarray((inner + outer) / 2, np.float32), reach


def whole_opening(
    around: Around, landmarks: Mapping[str, Floats], side: str, *, placed: bool, ends: bool
) -> Opening | None:
    """The opening nearest to where the landmarks say, by tries from near to far.

    Args:
        around: the mesh there
        landmarks: float32 (3,), canonical, by name
        side: left or right
        placed: the landmarks are the user's own
        ends: look for where it ends between two columns, too

    Returns:
        The opening, None where none reaches far enough on both sides of the middle.
    """
    names = [f"{name}_{side}" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")]
    inner, outer, top, low = (landmarks[name] for name in names)
    wanted = WHOLE_OPENINGS
    for stretch in (1.0, wanted.stretch):
        for shift in (0.0, -wanted.shift, wanted.shift, -wanted.shift_far):
            up = (top - low) * np.float32(shift)
            more = (top - low) * np.float32((stretch - 1) / 2)
            tried = dict(landmarks) | dict(
                zip(names, (inner + up, outer + up, top + up + more, low + up - more), strict=True)
            )
            opening = eye_opening(
                around.vertices,
                around.triangles,
                around.group,
                around.skins,
                tried,
                side=side,
                widest=placed,
                ends=ends,
            )
            if opening is None:
                if not shift and stretch == 1 and _unbroken(around, (inner + outer) / 2):
                    return None
                continue
            high = (opening.upper.points - opening.lower.points)[:, 1].max() * opening.unit[1]
            if (
                len(opening.columns) >= wanted.columns
                and whole(opening.columns)
                and high > wanted.least * np.linalg.norm(top - low)
            ):
                return opening
    return None


def _unbroken(around: Around, middle: Floats) -> bool:
    """Whether the skin around an eye is one sheet that faces out everywhere, so that there is no
    opening, however long one looks: painted eyes. middle (3,): of the eye, canonical.
    """
    group = around.group
    own = around.triangles[all_corners(around.skins[0], around.triangles)]
    if not len(own) or (crossed(*corners_of(around.vertices, own))[2] <= 0).any():
        return False
    ends = np.sort(group[np.concatenate([own[:, :2], own[:, 1:], own[:, ::2]])], axis=1)
    edges, count = np.unique(ends[:, 0].astype(np.int64) << 32 | ends[:, 1], return_counts=True)
    inner = np.zeros(int(group.max()) + 1, bool)
    near = squared(around.vertices - middle)
    inner[group] = near < (WHOLE_OPENINGS.inner * around.reach) ** 2
    return not (inner[edges >> 32] & inner[edges & LOW_HALF] & (count != 2)).any()
