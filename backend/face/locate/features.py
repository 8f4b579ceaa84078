# SPDX-License-Identifier: GPL-3.0-or-later
"""A face by its features alone, where the encoder knows none like it: two eyes that mirror each
other, and a mouth below and between them.

Muzzles and blocky heads are unlike what encoders learn from, but their meshes say plainly what is
what: eyes are holes in the skin or round parts before it, a mouth is a part that is wider than
high, or a slit: a place where the surface folds in between lips that face each other. All here is
in level axes: x to the character's left, y up, z ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Doubles
from ..geometry.landmarks import NAMES, SIDES
from ..geometry.mesh import Ints, all_corners, connected_parts, nearest
from .marks import estimated

FEWEST = 6  # vertices of a part or of a hole's edge from which on it may be an eye
# Numbers below hold the five cartoon heads of data/avatars that the encoder misses, by 2 makers,
# with room: they were looked at.
EYE = (
    0.07,
    0.35,
    # half an eye's width and height, in distances between both eyes' middles; those five have 0.10
    # to 0.27
)
ROUND = (
    0.6  # of its greater spread across the way ahead, the lesser one of an eye: brows are longer
)
TWINS = 0.2  # of its size within which an eye's mirror image is as large and as high
SKIN = (
    1.1  # sizes of an eye beyond its middle where there is skin on its outer side: ears stand out
)
BELOW = (0.3, 2.2)  # distances between the eyes' middles by which a mouth is below them
MOUTH = (0.1, 0.9)  # half a mouth's width in the same
# of its width that a part's height is at most for being a mouth: noses are as high as wide
FLAT = 0.75
CENTRED = 0.1  # distances between the eyes by which a mouth's middle is off theirs at most
# distances between the eyes from one section of the skin to the next, in which its slit is followed
SECTIONS = 0.06
GAP, DEEP = (
    0.1,
    0.25,
    # distances between the eyes that lips are apart at most, and that the way around through the
    # mouth is long at least
)
# cosine between a lip's normal and the way to the other lip from which on they face each other
FACING = 0.2
JUMP = 0.3  # distances between the eyes by which a slit goes on from section to section at most
POINTS = 256  # of a section's outline that are compared
AROUND = 4.0  # distances between the eyes around them in which the rest of the face is
WIDEST = 24  # sections on each side


@dataclass(frozen=True)
class _Eye:
    """Half an eye's size (3,), middle (3,) and its vertices (N,3)."""

    half: Doubles
    middle: Doubles
    points: Doubles
    hole: bool


def landmarks(
    places: Doubles, triangles: Ints, group: Ints, parts: Ints, head: NDArray[np.bool_]
) -> dict[str, Doubles]:
    """The landmarks of a face (3,) by name, or nothing where its eyes and its mouth are not plain
    to see; what is not seen lies where it usually is.

    places (V,3): level. triangles (T,3): looking outwards. group, parts (V,): vertices in one place
    share one, and loose parts. head (V,): where the head is.
    """
    for skin, pair in _pairs(places, triangles, group, parts, head):
        apart = float(np.linalg.norm(pair[0].middle[:2] - pair[1].middle[:2]))
        middle = (pair[0].middle + pair[1].middle) / 2
        mouth = _part(places, parts, head, skin, middle, apart) or _slit(
            places, triangles[all_corners(parts == skin, triangles)], group, middle, apart
        )
        if mouth:
            found = dict(mouth)
            for side, sign, eye in zip(SIDES, (1, -1), pair, strict=True):
                found |= _eye(eye, side, sign)
            near = places[head & (np.abs(places - middle).max(axis=1) < AROUND * apart)]
            guessed = {
                name: near[nearest(at[None].astype(np.float32), near.astype(np.float32))[0]]
                for name, at in estimated(found).items()
            }
            return {name: (found | guessed)[name] for name in NAMES}
    return {}


def _boxes(places: Doubles, label: Ints) -> tuple[Doubles, Doubles, Ints]:
    """Middles and half sizes (P,3) of parts by their labels (N,), and how many vertices each has
    (P,).
    """
    count = int(label.max(initial=-1)) + 1
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, label, places)
    np.maximum.at(high, label, places)
    return (low + high) / 2, (high - low) / 2, np.bincount(label, minlength=count).astype(np.int32)


def _pairs(
    places: Doubles, triangles: Ints, group: Ints, parts: Ints, head: NDArray[np.bool_]
) -> Iterator[tuple[int, tuple[_Eye, _Eye]]]:
    """Pairs of what may be eyes, left and right, likeliest first, and the part that is the skin
    around them.
    """
    middles, halves, count = _boxes(places, parts)
    area = np.bincount(parts[triangles[:, 0]], minlength=len(count))
    inside = np.bincount(parts, head, len(count)) > 0.5 * count
    skins = np.argsort(-np.where(np.bincount(parts, head, len(count)) > 0, area, 0))[:3]
    for holes in (True, False):
        for skin in skins:
            if holes:
                eyes = _holes(places, triangles[parts[triangles[:, 0]] == skin], group, head)
            else:
                some = np.flatnonzero(inside & (count >= FEWEST) & (np.arange(len(count)) != skin))
                eyes = (
                    [_Eye(halves[k], middles[k], places[parts == k], False) for k in some]
                    if len(some) < 200
                    else []
                )
            box = places[(parts == skin) & head]
            found = [
                (one, other)
                for one in eyes
                for other in eyes
                if one.middle[0] > other.middle[0]
                and _twins(one, other)
                and _before(one, other, box)
            ]
            for pair in sorted(found, key=lambda p: -p[0].middle[1]):
                yield int(skin), pair


def _holes(places: Doubles, triangles: Ints, group: Ints, head: NDArray[np.bool_]) -> list[_Eye]:
    """Edges of holes in a part's triangles (T,3)."""
    own = group[triangles]
    ends = np.sort(np.concatenate([own[:, :2], own[:, 1:], own[:, ::2]]), axis=1)
    edges, count = np.unique(ends[:, 0].astype(np.int64) << 32 | ends[:, 1], return_counts=True)
    edges = edges[count == 1]
    if not len(edges):
        return []
    rim = np.stack([edges >> 32, edges & 0xFFFFFFFF, edges >> 32], axis=1).astype(np.int32)
    label = connected_parts(int(group.max()) + 1, rim)
    first = np.zeros(int(group.max()) + 1, np.intp)
    first[group] = np.arange(len(group))
    found = []
    for one in np.unique(label[rim[:, 0]]):
        own_rim = first[np.unique(rim[label[rim[:, 0]] == one])]
        points = places[own_rim]
        if len(points) >= FEWEST and head[own_rim].all():
            low, high = points.min(axis=0), points.max(axis=0)
            found.append(_Eye((high - low) / 2, (low + high) / 2, points, True))
    return found


def _twins(one: _Eye, other: _Eye) -> bool:
    """Whether two may be the eyes of one face."""
    apart = one.middle[0] - other.middle[0]
    size = one.half[:2].max()
    if not EYE[0] * apart < size < EYE[1] * apart or not EYE[0] * apart < one.half[1]:
        return False
    unlike = max(np.abs(one.half - other.half).max(), np.abs(one.middle - other.middle)[1:].max())
    if unlike > TWINS * size:
        return False
    spread = np.linalg.eigvalsh(np.cov(one.points[:, :2].T))
    return bool(spread[0] > ROUND**2 * spread[1]) or one.half[2] > one.half[0]


def _before(one: _Eye, other: _Eye, skin: Doubles) -> bool:
    """Whether a pair lies on the front of the skin (N,3), which goes on around it."""
    middle, size = (one.middle + other.middle) / 2, float(one.half[:2].max())
    apart = one.middle[0] - other.middle[0]
    near = skin[
        (np.abs(skin[:, 1] - middle[1]) < max(2 * size, 0.3 * apart))
        & (np.abs(skin[:, 0] - middle[0]) < 2 * apart)
    ]
    if len(near) < FEWEST:
        return False
    if (
        not near[:, 0].min() < other.middle[0] - SKIN * other.half[0]
        or not near[:, 0].max() > one.middle[0] + SKIN * one.half[0]
    ):
        return False
    return bool(one.middle[2] + one.half[2] > (near[:, 2].min() + near[:, 2].max()) / 2)


def _eye(eye: _Eye, side: str, sign: int) -> dict[str, Doubles]:
    """Landmarks (3,) of an eye: where its rim, or the front of its part, ends on four sides."""
    front = eye.points[eye.points[:, 2] >= eye.middle[2] - (1e-9 if not eye.hole else np.inf)]
    x, y = front[:, 0] * sign, front[:, 1]
    corners = {
        "eye_inner": x.argmin(),
        "eye_outer": x.argmax(),
        "lid_upper": y.argmax(),
        "lid_lower": y.argmin(),
    }
    return {f"{name}_{side}": front[k] for name, k in corners.items()}


def _part(
    places: Doubles, parts: Ints, head: NDArray[np.bool_], skin: int, eyes: Doubles, apart: float
) -> dict[str, Doubles]:
    """The landmarks of a mouth that is a part of its own, the highest one below the eyes' middle
    (3,).
    """
    middles, halves, count = _boxes(places, parts)
    drop = (eyes[1] - middles[:, 1]) / apart
    fits = (
        (np.bincount(parts, head, len(count)) == count)
        & (np.arange(len(count)) != skin)
        & (count >= FEWEST)
    )
    fits &= (
        (drop > BELOW[0]) & (drop < BELOW[1]) & (np.abs(middles[:, 0] - eyes[0]) < CENTRED * apart)
    )
    fits &= (
        (halves[:, 0] > MOUTH[0] * apart)
        & (halves[:, 0] < MOUTH[1] * apart)
        & (halves[:, 1] < FLAT * halves[:, 0])
    )
    fits &= middles[:, 2] + halves[:, 2] > eyes[2] - 0.5 * apart
    if not fits.any():
        return {}
    number = int(np.flatnonzero(fits)[np.argmin(drop[fits])])
    points = places[parts == number]
    front = points[points[:, 2] >= np.quantile(points[:, 2], 0.5)]
    centre = front[np.abs(front[:, 0] - middles[number, 0]) < 0.5 * halves[number, 0]]
    centre = centre if len(centre) else front
    level, ahead = float(np.median(centre[:, 1])), float(centre[:, 2].max())
    lip = np.array([middles[number, 0], level, ahead])
    return {
        "mouth_left": points[points[:, 0].argmax()],
        "mouth_right": points[points[:, 0].argmin()],
        "lip_upper": lip,
        "lip_lower": lip,
    }


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
    there = ~np.isnan(points[:, :, 0])
    whole = there.sum(axis=1) == 2
    return points[whole][there[whole]].reshape(-1, 2, 2), np.unique(
        keys[whole][there[whole]], return_inverse=True
    )[1].reshape(-1, 2).astype(np.int32)


def _lips(
    places: Doubles, triangles: Ints, x: float, apart: float, inside: Doubles
) -> tuple[Doubles, Doubles] | None:
    """Pairs of places (N,3) of upper and lower lips that face each other in a section, those
    farthest ahead first. inside (2,2): lowest and highest y and z that are looked at.
    """
    segments, keys = _outline(places, triangles, x)
    if len(segments) < 8:
        return None
    label = connected_parts(int(keys.max()) + 1, np.concatenate([keys, keys[:, :1]], axis=1))[
        keys[:, 0]
    ]
    middle, way = segments.mean(axis=1), segments[:, 1] - segments[:, 0]
    along = _order(keys)
    mine = np.flatnonzero(
        (along >= 0) & (middle > inside[0]).all(axis=1) & (middle < inside[1]).all(axis=1)
    )
    if len(mine) < 4:
        return None
    length = np.linalg.norm(way, axis=1)
    total = np.bincount(label, length)
    start = np.zeros(len(segments))
    order = np.argsort(along + label.astype(np.int64) * (len(segments) + 1), kind="stable")
    start[order] = np.cumsum(length[order])
    normal = _facing(places, triangles, x)
    mine = mine[:: max(1, len(mine) // POINTS)]
    gap = middle[None, mine] - middle[mine, None]  # from the first to the second
    far = np.linalg.norm(gap, axis=2)
    round_ = np.abs(start[mine, None] - start[None, mine])
    round_ = np.minimum(round_, np.maximum(total[label[mine]][:, None] - round_, 0))
    facing = (gap * normal[mine][:, None]).sum(axis=2) > FACING * far
    upper = gap[:, :, 0] < 0
    good = (
        (label[mine][:, None] == label[mine][None])
        & (far < GAP * apart)
        & (round_ > DEEP * apart)
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


def _slit(
    places: Doubles, triangles: Ints, group: Ints, eyes: Doubles, apart: float
) -> dict[str, Doubles]:
    """The landmarks of a mouth that is a slit in the skin's triangles (T,3), below the eyes' middle
    (3,).
    """
    first = np.zeros(int(group.max()) + 1, np.intp)
    first[group[::-1]] = np.arange(len(group))[::-1]
    own = first[group[triangles]].astype(np.int32)
    low = np.array([eyes[1] - BELOW[1] * apart, eyes[2] - apart])
    high = np.array([eyes[1] - BELOW[0] * apart, np.inf])
    nudge = 1e-4 * apart  # no plane through vertices
    found = _lips(places, own, float(eyes[0]) + nudge, apart, np.stack([low, high]))
    if found is None:
        return {}
    lips = found[0][0], found[1][0]
    ends = []
    for sign in (1, -1):
        last = (lips[0] + lips[1]) / 2
        for k in range(1, WIDEST):
            there = _lips(
                places,
                own,
                float(eyes[0]) + nudge + sign * k * SECTIONS * apart,
                apart,
                np.stack([low, high]),
            )
            if there is None:
                break
            between = (there[0] + there[1]) / 2
            near = np.linalg.norm((between - last)[:, 1:], axis=1)
            good = near < JUMP * apart
            if not good.any():
                break
            last = between[good][between[good][:, 2].argmax()]
        ends.append(last)
    if ends[0][0] - ends[1][0] < 2 * MOUTH[0] * apart:
        return {}
    return {
        "mouth_left": ends[0],
        "mouth_right": ends[1],
        "lip_upper": lips[0],
        "lip_lower": lips[1],
    }
