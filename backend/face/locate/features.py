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
from ..geometry.mesh import LOW_HALF, Ints, all_corners, connected_parts, nearest
from ..params.locate import EYE_PAIRS, MOUTH_PART
from .marks import estimated
from .slit_mouth import slit_mouth


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

    Args:
        places: float32 (V,3), level
        triangles: int32 (T,3), looking outwards
        group: int32 (V,), vertices in one place share one
        parts: int32 (V,), labels of the loose ones
        head: bool (V,), where the head is
    """
    for skin, pair in _pairs(places, triangles, group, parts, head):
        apart = float(np.linalg.norm(pair[0].middle[:2] - pair[1].middle[:2]))
        middle = (pair[0].middle + pair[1].middle) / 2
        mouth = _part(places, parts, head, skin, eyes=middle, apart=apart)
        if not mouth:
            own = triangles[all_corners(parts == skin, triangles)]
            mouth = slit_mouth(places, own, group, middle, apart)
        if mouth:
            found = dict(mouth)
            for side, sign, eye in zip(SIDES, (1, -1), pair, strict=True):
                found |= _eye(eye, side, sign)
            near = places[head & (np.abs(places - middle).max(axis=1) < EYE_PAIRS.around * apart)]
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
    skins = np.argsort(-np.where(np.bincount(parts, head, len(count)) > 0, area, 0))
    skins = skins[: EYE_PAIRS.skins]
    for holes in (True, False):
        for skin in skins:
            if holes:
                eyes = _holes(places, triangles[parts[triangles[:, 0]] == skin], group, head)
            else:
                some = np.flatnonzero(
                    inside & (count >= EYE_PAIRS.fewest) & (np.arange(len(count)) != skin)
                )
                eyes = (
                    [_Eye(halves[k], middles[k], places[parts == k], False) for k in some]
                    if len(some) < EYE_PAIRS.parts_most
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
    rim = np.stack([edges >> 32, edges & LOW_HALF, edges >> 32], axis=1).astype(np.int32)
    label = connected_parts(int(group.max()) + 1, rim)
    first = np.zeros(int(group.max()) + 1, np.intp)
    first[group] = np.arange(len(group))
    found = []
    for one in np.unique(label[rim[:, 0]]):
        own_rim = first[np.unique(rim[label[rim[:, 0]] == one])]
        points = places[own_rim]
        if len(points) >= EYE_PAIRS.fewest and head[own_rim].all():
            low, high = points.min(axis=0), points.max(axis=0)
            found.append(_Eye((high - low) / 2, (low + high) / 2, points, True))
    return found


def _twins(one: _Eye, other: _Eye) -> bool:
    """Whether two may be the eyes of one face."""
    apart = one.middle[0] - other.middle[0]
    size = one.half[:2].max()
    if (
        not EYE_PAIRS.size_from * apart < size < EYE_PAIRS.size_to * apart
        or not EYE_PAIRS.size_from * apart < one.half[1]
    ):
        return False
    unlike = max(np.abs(one.half - other.half).max(), np.abs(one.middle - other.middle)[1:].max())
    if unlike > EYE_PAIRS.twins * size:
        return False
    spread = np.linalg.eigvalsh(np.cov(one.points[:, :2].T))
    return bool(spread[0] > EYE_PAIRS.round**2 * spread[1]) or one.half[2] > one.half[0]


def _before(one: _Eye, other: _Eye, skin: Doubles) -> bool:
    """Whether a pair lies on the front of the skin (N,3), which goes on around it."""
    middle, size = (one.middle + other.middle) / 2, float(one.half[:2].max())
    apart = one.middle[0] - other.middle[0]
    high = max(EYE_PAIRS.front_sizes * size, EYE_PAIRS.front_high * apart)
    near = skin[
        (np.abs(skin[:, 1] - middle[1]) < high)
        & (np.abs(skin[:, 0] - middle[0]) < EYE_PAIRS.front_wide * apart)
    ]
    if len(near) < EYE_PAIRS.fewest:
        return False
    if (
        not near[:, 0].min() < other.middle[0] - EYE_PAIRS.skin * other.half[0]
        or not near[:, 0].max() > one.middle[0] + EYE_PAIRS.skin * one.half[0]
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
    places: Doubles,
    parts: Ints,
    head: NDArray[np.bool_],
    skin: int,
    *,
    eyes: Doubles,
    apart: float,
) -> dict[str, Doubles]:
    """Find a mouth that is a part of its own, the highest one below the eyes.

    Args:
        places: float64 (V,3), level
        parts: int32 (V,), loose ones
        head: flags (V,), where the head is
        skin: the part that is the skin
        eyes: float64 (3,), the middle between the eyes
        apart: the distance between them

    Returns:
        The mouth's landmarks (3,) by name; nothing where there is none.
    """
    middles, halves, count = _boxes(places, parts)
    drop = (eyes[1] - middles[:, 1]) / apart
    fits = (
        (np.bincount(parts, head, len(count)) == count)
        & (np.arange(len(count)) != skin)
        & (count >= EYE_PAIRS.fewest)
    )
    fits &= (
        (drop > MOUTH_PART.below_from)
        & (drop < MOUTH_PART.below_to)
        & (np.abs(middles[:, 0] - eyes[0]) < MOUTH_PART.centred * apart)
    )
    fits &= (
        (halves[:, 0] > MOUTH_PART.wide_from * apart)
        & (halves[:, 0] < MOUTH_PART.wide_to * apart)
        & (halves[:, 1] < MOUTH_PART.flat * halves[:, 0])
    )
    fits &= middles[:, 2] + halves[:, 2] > eyes[2] - MOUTH_PART.behind * apart
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
