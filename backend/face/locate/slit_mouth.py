# SPDX-License-Identifier: GPL-3.0-or-later
"""A mouth that is a slit: a place where the surface folds in between lips that face each other,
followed from section to section. In level axes: x to the character's left, y up, z ahead.
"""

from __future__ import annotations

import numpy as np

from ..geometry.frame import Doubles
from ..geometry.mesh import Ints, connected_parts
from ..params.locate import MOUTH_PART, MOUTH_SLIT


def _outline(places: Doubles, triangles: Ints, x: float) -> tuple[Doubles, Ints]:
    """Where a plane cuts triangles (T,3): segments (S,2,2) of y and z, and the mesh edges (S,2)
    that each goes between, as numbers.
    """
    level = places[:, 0] - x
    over = level[triangles] > 0
    cut = triangles[over.any(axis=1) & ~over.all(axis=1)]
    pieces, numbers = [], []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        one, other = cut[:, a], cut[:, b]
        crosses = (level[one] > 0) != (level[other] > 0)
        share = np.where(
            crosses, level[one] / np.where(crosses, level[one] - level[other], 1), np.nan
        )
        pieces.append(places[one, 1:] + share[:, None] * (places[other, 1:] - places[one, 1:]))
        numbers.append(np.minimum(one, other).astype(np.int64) << 32 | np.maximum(one, other))
    points, keys = np.stack(pieces, axis=1), np.stack(numbers, axis=1)
    crosses = ~np.isnan(points[:, :, 0])
    whole = crosses.sum(axis=1) == 2
    return points[whole][crosses[whole]].reshape(-1, 2, 2), np.unique(
        keys[whole][crosses[whole]], return_inverse=True
    )[1].reshape(-1, 2).astype(np.int32)


def _lips(
    places: Doubles, triangles: Ints, x: float, apart: float, inside: Doubles
) -> tuple[Doubles, Doubles] | None:
    """Pairs of places (N,3) of upper and lower lips that face each other in a section, those
    farthest ahead first. inside (2,2): lowest and highest y and z that are looked at.
    """
    segments, keys = _outline(places, triangles, x)
    if len(segments) < MOUTH_SLIT.fewest:
        return None
    label = connected_parts(int(keys.max()) + 1, np.concatenate([keys, keys[:, :1]], axis=1))[
        keys[:, 0]
    ]
    middle, way = segments.mean(axis=1), segments[:, 1] - segments[:, 0]
    along = _order(keys)
    mine = np.flatnonzero(
        (along >= 0) & (middle > inside[0]).all(axis=1) & (middle < inside[1]).all(axis=1)
    )
    if len(mine) < MOUTH_SLIT.inside_fewest:
        return None
    length = np.linalg.norm(way, axis=1)
    total = np.bincount(label, length)
    start = np.zeros(len(segments))
    order = np.argsort(along + label.astype(np.int64) * (len(segments) + 1), kind="stable")
    start[order] = np.cumsum(length[order])
    normal = _facing(places, triangles, x)
    mine = mine[:: max(1, len(mine) // MOUTH_SLIT.points)]
    gap = middle[None, mine] - middle[mine, None]  # from the first to the second
    far = np.linalg.norm(gap, axis=2)
    round_ = np.abs(start[mine, None] - start[None, mine])
    round_ = np.minimum(round_, np.maximum(total[label[mine]][:, None] - round_, 0))
    facing = (gap * normal[mine][:, None]).sum(axis=2) > MOUTH_SLIT.facing * far
    upper = gap[:, :, 0] < 0
    good = (
        (label[mine][:, None] == label[mine][None])
        & (far < MOUTH_SLIT.gap * apart)
        & (round_ > MOUTH_SLIT.deep * apart)
        & facing
        & facing.T
        & upper
    )
    one, other = np.nonzero(good)
    if not len(one):
        return None
    ahead = np.argsort(-(middle[mine[one], 1] + middle[mine[other], 1]), kind="stable")
    column = np.full((len(ahead), 1), x)
    return np.hstack([column, middle[mine[one[ahead]]]]), np.hstack(
        [column, middle[mine[other[ahead]]]]
    )


def _facing(places: Doubles, triangles: Ints, x: float) -> Doubles:
    """The normals (S,2), y and z, of the triangles that `_outline` cuts, in its order; not unit
    where they lean.
    """
    over = places[triangles, 0] - x > 0
    cut = triangles[over.any(axis=1) & ~over.all(axis=1)]
    a, b, c = (places[cut[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    return np.asarray(normal[:, 1:] / np.maximum(np.linalg.norm(normal, axis=1), 1e-30)[:, None])


def _order(keys: Ints) -> Ints:
    """The place (S,) of each segment along its outline; -1 for those of outlines that branch."""
    count = int(keys.max()) + 1
    beside: list[list[int]] = [[] for _ in range(count)]
    for number, (one, other) in enumerate(keys.tolist()):
        beside[one].append(number)
        beside[other].append(number)
    found = np.full(len(keys), -1, np.int32)
    ends = [n for n in range(count) if len(beside[n]) == 1]
    for seed in [*ends, *range(count)]:
        at, place = seed, 0
        while True:
            following = [s for s in beside[at] if found[s] < 0]
            if not following:
                break
            found[following[0]] = place
            place += 1
            one, other = keys[following[0]].tolist()
            at = other if one == at else one
    return found


def slit_mouth(
    places: Doubles, triangles: Ints, group: Ints, eyes: Doubles, apart: float
) -> dict[str, Doubles]:
    """The landmarks of a mouth that is a slit in the skin, below the eyes.

    Args:
        places: float64 (V,3), level
        triangles: int32 (T,3), the skin's
        group: int32 (V,), vertices in one place share one
        eyes: float (3,), the middle between them
        apart: how far they are from each other
    """
    first = np.zeros(int(group.max()) + 1, np.intp)
    first[group[::-1]] = np.arange(len(group))[::-1]
    own = first[group[triangles]].astype(np.int32)
    low = np.array([eyes[1] - MOUTH_PART.below_to * apart, eyes[2] - apart])
    high = np.array([eyes[1] - MOUTH_PART.below_from * apart, np.inf])
    nudge = MOUTH_SLIT.nudge * apart  # no plane through vertices
    found = _lips(places, own, float(eyes[0]) + nudge, apart, np.stack([low, high]))
    if found is None:
        return {}
    lips = found[0][0], found[1][0]
    ends = []
    for sign in (1, -1):
        last = (lips[0] + lips[1]) / 2
        for k in range(1, MOUTH_SLIT.widest):
            beside = _lips(
                places,
                own,
                float(eyes[0]) + nudge + sign * k * MOUTH_SLIT.sections * apart,
                apart,
                np.stack([low, high]),
            )
            if beside is None:
                break
            between = (beside[0] + beside[1]) / 2
            near = np.linalg.norm((between - last)[:, 1:], axis=1)
            good = near < MOUTH_SLIT.jump * apart
            if not good.any():
                break
            last = between[good][between[good][:, 2].argmax()]
        ends.append(last)
    if ends[0][0] - ends[1][0] < 2 * MOUTH_PART.wide_from * apart:
        return {}
    return {
        "mouth_left": ends[0],
        "mouth_right": ends[1],
        "lip_upper": lips[0],
        "lip_lower": lips[1],
    }
