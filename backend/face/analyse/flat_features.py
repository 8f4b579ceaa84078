# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and mouths that lie before the skin as flat parts, as faces of few polygons have them: where
they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..geometry.frame import Doubles, Floats
from ..geometry.mesh import Ints, squared
from ..params.analyse import FLAT_EYES, FLAT_MOUTHS
from . import covered
from .surface import Flags, Surface


def eye(
    vertices: Floats,
    triangles: Ints,
    parts: Ints,
    skin: Flags,
    *,
    landmarks: Mapping[str, Floats],
    side: str,
) -> dict[str, Floats]:
    """Find an eye that is a flat part before the skin, as on faces of few polygons.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        parts: int32 (V,), labels of the loose ones
        skin: flags (V,), the face's
        landmarks: float32 (3,), canonical, by name
        side: left or right

    Returns:
        The landmarks (3,) of that eye, where the part ends, by name; nothing where there is none.
    """
    names = [f"{name}_{side}" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")]
    inner, outer, top, low = (landmarks[name] for name in names)
    middle, wide = np.mean([inner, outer, top, low], axis=0), float(np.linalg.norm(inner - outer))
    near = np.flatnonzero(~skin & (squared(vertices - middle) < wide * wide))
    best: dict[str, Floats] = {}
    largest = FLAT_EYES.least_area * wide * float(np.linalg.norm(top - low))
    for part in np.unique(parts[near]):
        points = vertices[parts == part]
        first, last = points.min(axis=0), points.max(axis=0)
        size, centre = last - first, (first + last) / 2
        if (
            size[:2].max() > FLAT_EYES.widest * wide
            or (np.abs(centre - middle) > FLAT_EYES.aside * wide).any()
            or size[0] * size[1] < largest
        ):
            continue
        if (
            _filled(vertices[triangles[parts[triangles[:, 0]] == part]], centre, size / 2)
            < FLAT_EYES.filled
        ):  # a lash around the eye, or of one that is closed
            continue
        spread = np.linalg.svd(points - points.mean(axis=0, dtype=np.float32), compute_uv=False)
        if spread[2] > FLAT_EYES.thick * spread[1]:  # a ball
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
    count = FLAT_EYES.filled_places
    x, y = (float(far) * (1 - 1 / count) for far in reach[:2])  # the middles of as many cells
    places = covered.grid(centre[:2], (x, y), (count, count))
    return sum(
        len(which) > 0 for which, _ahead in covered.depths(corners.astype(np.float64), places)
    ) / len(places)


def mouth(
    vertices: Floats, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]
) -> dict[str, Floats]:
    """The corners (3,) of a mouth that is a closed strip before the skin: where the widest such
    strip ends. Nothing where there is none.

    Args:
        vertices: float32 (V,3), canonical
        parts: int32 (V,), labels of the loose ones
        skin: bool (V,), the face's
        landmarks: name -> (3,), canonical
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

    Args:
        vertices: float32 (V,3), canonical
        parts: int32 (V,), labels of the loose ones
        skin: bool (V,), the face's
        landmarks: name -> (3,), canonical
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
            FLAT_MOUTHS.wide_from * half < wide < FLAT_MOUTHS.wide_to * half
            and (np.abs((low + top) / 2 - lips) < FLAT_MOUTHS.aside * half).all()
        ):
            continue
        if high < FLAT_MOUTHS.thin * half or (
            high < FLAT_MOUTHS.bent * half and _thick(points) < FLAT_MOUTHS.thin * half
        ):
            found.append(mine)
    return found


def _thick(points: Floats) -> float:
    """Half the median height of points (N,3) in slices across."""
    x = points[:, 0]
    place = np.minimum(
        (FLAT_MOUTHS.slices * (x - x.min()) / max(float(np.ptp(x)), 1e-9)).astype(int),
        FLAT_MOUTHS.slices - 1,
    )
    return float(np.median([np.ptp(points[place == k, 1]) for k in np.unique(place)])) / 2


@dataclass(frozen=True)
class FlatEye:
    """An eye without an opening that lies on the skin. eye, lash (F,): vertices of the eye with
    its rim and of the lash above it. level, top: y of the eye's middle and of its upper end,
    canonical.
    """

    eye: Flags
    lash: Flags
    level: float
    top: float


def drawn_eye(surface: Surface, landmarks: Mapping[str, Floats], side: str) -> FlatEye | None:
    """The eye of a side that is drawn on the skin. None where nothing lies there.

    Args:
        surface: the face's
        landmarks: name -> (3,), canonical
        side: left or right
    """
    corners = landmarks[f"eye_inner_{side}"], landmarks[f"eye_outer_{side}"]
    upper, lower = landmarks[f"lid_upper_{side}"], landmarks[f"lid_lower_{side}"]
    half, high = float(np.abs(corners[0] - corners[1])[0]) / 2, float((upper - lower)[1])
    middle = np.array(
        [(corners[0] + corners[1])[0] / 2, (upper + lower)[1] / 2, (upper + lower)[2] / 2],
        np.float32,
    )
    if min(half, high) < FLAT_EYES.least_size:
        return None
    count, loose = int(surface.owner.max()) + 1, ~surface.skins[0]
    low, top = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, surface.owner[loose], surface.vertices[loose])
    np.maximum.at(top, surface.owner[loose], surface.vertices[loose])
    with np.errstate(invalid="ignore"):  # parts that have no loose vertex are nowhere
        centre, extent = (low + top) / 2 - middle, (top - low) / 2
        here = (
            (np.abs(centre[:, 0]) < half)
            & (np.abs(centre[:, 2]) < high)
            & (extent[:, 0] < FLAT_EYES.wing * half)
            & (extent[:, 1] < FLAT_EYES.drawn_tall * high)
        )
        lash = (
            here
            & (centre[:, 1] > FLAT_EYES.level * high)
            & (centre[:, 1] < FLAT_EYES.lash_level * high)
        )
        flat = (
            here
            & (np.abs(centre[:, 1]) < FLAT_EYES.level * high)
            & (extent[:, 0] < FLAT_EYES.drawn_wide * half)
        )
    if not flat.any() or extent[flat, 1].max() < FLAT_EYES.drawn_high * high:
        return None
    flat |= _rims(low, top, flat)
    return FlatEye(
        flat[surface.owner] & loose,
        (lash & ~flat)[surface.owner] & loose,
        float(middle[1]),
        float(upper[1]),
    )


def _rims(low: Doubles, top: Doubles, flat: Flags) -> Flags:
    """Which parts (P,) lie around an eye as its rim does: seen from ahead their boxes hold its
    own, and are not much larger.

    Args:
        low: float64 (P,3), least corners of the parts' boxes
        top: float64 (P,3), greatest ones
        flat: flags (P,), the eye's parts
    """
    least, most = low[flat, :2].min(axis=0), top[flat, :2].max(axis=0)
    around = ((low[:, :2] <= least) & (top[:, :2] >= most)).all(axis=1)
    small = (top[:, :2] - low[:, :2] < FLAT_EYES.rim * (most - least)).all(axis=1)
    return np.asarray(around & small)
