# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and mouths that lie before the skin as flat parts, as faces of few polygons have them: where
they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, squared
from . import covered
from .surface import Flags, Surface

# of the found eye's width times its height, the least that a plate before the skin has for being
# the eye
PLATE = 0.5
WIDEST = 2.0  # widths of the found eye that it has at most
ASIDE = 0.5  # widths that its middle lies aside at most
FULL = 0.5  # of its box that is covered at least, seen from ahead: a round plate covers pi/4
ACROSS = (15, 15)  # places at which that is looked at
FLAT = 0.3  # of its second largest spread that it is thick at most: a ball is no plate
WING = 2.2  # half widths of an eye that is a plate, which half the lash above it may reach
STRIP = (0.5, 2.5)  # half widths of the found mouth between which half a strip for a mouth is wide
THIN = 0.25  # half widths that half of it is high at most: it is closed
BENT, SLICES = (
    0.8,
    8,
)  # the same of one that is thin but bent up or down, and slices across in which it is thin


def eye(
    vertices: Floats,
    triangles: Ints,
    parts: Ints,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    side: str,
) -> dict[str, Floats]:
    """The landmarks of an eye (3,) that is a plate before the skin, as on faces of few polygons:
    where the plate ends. Nothing where there is none.

    vertices (V,3) canonical; triangles (T,3); parts (V,): labels of the loose ones; skin (V,): the
    face's.
    """
    names = [f"{name}_{side}" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")]
    inner, outer, top, low = (landmarks[name] for name in names)
    middle, wide = (inner + outer + top + low) / 4, float(np.linalg.norm(inner - outer))
    near = np.flatnonzero(~skin & (squared(vertices - middle) < wide * wide))
    best: dict[str, Floats] = {}
    largest = PLATE * wide * float(np.linalg.norm(top - low))
    for part in np.unique(parts[near]):
        points = vertices[parts == part]
        first, last = points.min(axis=0), points.max(axis=0)
        size, centre = last - first, (first + last) / 2
        if (
            size[:2].max() > WIDEST * wide
            or (np.abs(centre - middle) > ASIDE * wide).any()
            or size[0] * size[1] < largest
        ):
            continue
        if (
            _filled(vertices[triangles[parts[triangles[:, 0]] == part]], centre, size / 2) < FULL
        ):  # a lash around the eye, or of one that is closed
            continue
        spread = np.linalg.svd(points - points.mean(axis=0, dtype=np.float32), compute_uv=False)
        if spread[2] > FLAT * spread[1]:  # a ball
            continue
        largest = float(size[0] * size[1])
        ends = [points[points[:, axis].argsort(kind="stable")[[0, -1]]] for axis in (0, 1)]
        across = ends[0] if inner[0] < outer[0] else ends[0][::-1]
        best = dict(zip(names, (*across, ends[1][1], ends[1][0]), strict=True))
    return best


def _filled(corners: Floats, centre: Floats, reach: Floats) -> float:
    """The share of a box around a centre (3,), up to `reach` (3,), that triangles with corners
    (T,3,3) cover, seen from ahead.
    """
    x, y = (
        float(far) * (1 - 1 / count) for far, count in zip(reach[:2], ACROSS, strict=True)
    )  # the middles of as many cells
    places = covered.grid(centre[:2], (x, y), ACROSS)
    return sum(
        len(which) > 0 for which, _ahead in covered.depths(corners.astype(np.float64), places)
    ) / len(places)


def mouth(
    vertices: Floats, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]
) -> dict[str, Floats]:
    """The corners (3,) of a mouth that is a closed strip before the skin: where the widest such
    strip ends. Nothing where there is none.

    vertices (V,3) canonical; parts (V,): labels of the loose ones; skin (V,): the face's.
    """
    found = strips(vertices, parts, skin, landmarks)
    if not found:
        return {}
    points = vertices[max(found, key=lambda strip: float(np.ptp(vertices[strip, 0])))]
    ends = points[points[:, 0].argsort(kind="stable")[[0, -1]]]
    return dict(
        zip(
            sorted(("mouth_left", "mouth_right"), key=lambda name: float(landmarks[name][0])),
            ends,
            strict=True,
        )
    )


def strips(
    vertices: Floats, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]
) -> list[Flags]:
    """Vertices (V,) of each loose part that is a closed mouth before the skin: about as wide as it,
    and thin.
    """
    left, right, lips = (
        landmarks["mouth_left"],
        landmarks["mouth_right"],
        (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2,
    )
    half = float(np.abs(left - right)[0]) / 2
    found = []
    for part in np.unique(parts[~skin & (squared(vertices - lips) < half * half)]):
        mine = parts == part
        points = vertices[mine]
        low, top = points.min(axis=0), points.max(axis=0)
        wide, high = (top - low)[:2] / 2
        if not (
            STRIP[0] * half < wide < STRIP[1] * half
            and (np.abs((low + top) / 2 - lips) < ASIDE * half).all()
        ):
            continue
        if high < THIN * half or (high < BENT * half and _thick(points) < THIN * half):
            found.append(mine)
    return found


def _thick(points: Floats) -> float:
    """Half the median height of points (N,3) in slices across."""
    x = points[:, 0]
    place = np.minimum(
        (SLICES * (x - x.min()) / max(float(np.ptp(x)), 1e-9)).astype(int), SLICES - 1
    )
    return float(np.median([np.ptp(points[place == k, 1]) for k in np.unique(place)])) / 2


@dataclass(frozen=True)
class FlatEye:
    """An eye without an opening that lies on the skin. plate, lash (F,): vertices of the eye and of
    the lash above it. level, top: y of the eye's middle and of its upper end, canonical.
    """

    plate: Flags
    lash: Flags
    level: float
    top: float


def drawn_eye(there: Surface, landmarks: Mapping[str, Floats], side: str) -> FlatEye | None:
    """The eye of a side that is drawn on the skin. None where nothing lies there."""
    corners = landmarks[f"eye_inner_{side}"], landmarks[f"eye_outer_{side}"]
    upper, lower = landmarks[f"lid_upper_{side}"], landmarks[f"lid_lower_{side}"]
    half, high = float(np.abs(corners[0] - corners[1])[0]) / 2, float((upper - lower)[1])
    middle = np.array(
        [(corners[0] + corners[1])[0] / 2, (upper + lower)[1] / 2, (upper + lower)[2] / 2],
        np.float32,
    )
    if min(half, high) < 1e-4:
        return None
    count, loose = int(there.owner.max()) + 1, ~there.skins[0]
    low, top = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, there.owner[loose], there.vertices[loose])
    np.maximum.at(top, there.owner[loose], there.vertices[loose])
    with np.errstate(invalid="ignore"):  # parts that have no loose vertex are nowhere
        centre, extent = (low + top) / 2 - middle, (top - low) / 2
        here = (
            (np.abs(centre[:, 0]) < half)
            & (np.abs(centre[:, 2]) < high)
            & (extent[:, 0] < WING * half)
            & (extent[:, 1] < 0.75 * high)
        )
        lash = here & (centre[:, 1] > 0.25 * high) & (centre[:, 1] < 0.6 * high)
        plate = here & (np.abs(centre[:, 1]) < 0.25 * high) & (extent[:, 0] < 1.4 * half)
    if not plate.any() or extent[plate, 1].max() < 0.25 * high:
        return None
    return FlatEye(
        plate[there.owner] & loose, lash[there.owner] & loose, float(middle[1]), float(upper[1])
    )
