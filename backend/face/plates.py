# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and mouths that are plates before the skin, as faces of few polygons have them: where they are, how they shut and open.

There are no lids and no lips then: an eye is squashed to a line, a mouth is a strip whose rims part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .frame import Floats
from .mesh import Ints, all_corners, squared

if TYPE_CHECKING:
    from .contacts import Flags, Surface

PLATE = 0.5  # of the found eye's width times its height, the least that a plate before the skin has for being the eye
WIDEST = 2.0  # widths of the found eye that it has at most
ASIDE = 0.5  # widths that its middle lies aside at most
FULL = 0.5  # of its box that its faces cover at least: a round plate covers pi/4
FLAT = 0.3  # of its second largest spread that it is thick at most: a ball is no plate
SHUT, FLATTER = 0.97, 0.6  # of its height that an eye without lids closes by, and its lash
WING = 2.2  # half widths of an eye that is a plate, which half the lash above it may reach
STRIP = (0.5, 2.5)  # half widths of the found mouth between which half a strip for a mouth is wide
THIN = 0.25  # half widths that half of it is high at most: it is closed
RISE, FALL = 0.4, 0.9  # half widths that the upper rim of a strip rises and its lower one falls at jawOpen: an oval as high as artists draw
WIDER = 0.4  # and that its ends go out: drawn mouths widen as they open
STILL = 0.2  # of its own way that the skin behind such a mouth goes: a chin moves little when a mouth is drawn
RIMS = np.linspace(-1, 1, 9)  # half widths from the middle, where the line between the rims is read
COLUMN = 0.3  # half widths around it that vertices count


def eye(vertices: Floats, triangles: Ints, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats], side: str) -> dict[str, Floats]:
    """The landmarks of an eye (3,) that is a plate before the skin, as on faces of few polygons: where the plate ends. Nothing where there is none.

    vertices (V,3) canonical; triangles (T,3); parts (V,): labels of the loose ones; skin (V,): the face's.
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
        if size[:2].max() > WIDEST * wide or (np.abs(centre - middle) > ASIDE * wide).any() or size[0] * size[1] < largest:
            continue
        a, b, c = (vertices[triangles[parts[triangles[:, 0]] == part][:, i], :2].astype(np.float64) for i in range(3))
        covered = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum() / 2
        if covered < FULL * size[0] * size[1]:  # a lash around the eye
            continue
        spread = np.linalg.svd(points - points.mean(axis=0, dtype=np.float32), compute_uv=False)
        if spread[2] > FLAT * spread[1]:  # a ball
            continue
        largest = float(size[0] * size[1])
        ends = [points[points[:, axis].argsort(kind="stable")[[0, -1]]] for axis in (0, 1)]
        across = ends[0] if inner[0] < outer[0] else ends[0][::-1]
        best = dict(zip(names, (*across, ends[1][1], ends[1][0]), strict=True))
    return best


def shut(there: Surface, landmarks: Mapping[str, Floats], side: str, blink: Floats) -> Floats | None:
    """What has to be added to a blink (F,3) where there is no opening and the eye lies on the skin: it is squashed to a line in its middle, and
    the lash above it comes down to there and lies flatter. None where nothing lies there."""
    corners = landmarks[f"eye_inner_{side}"], landmarks[f"eye_outer_{side}"]
    upper, lower = landmarks[f"lid_upper_{side}"], landmarks[f"lid_lower_{side}"]
    half, high = float(np.abs(corners[0] - corners[1])[0]) / 2, float((upper - lower)[1])
    middle = np.array([(corners[0] + corners[1])[0] / 2, (upper + lower)[1] / 2, (upper + lower)[2] / 2], np.float32)
    if min(half, high) < 1e-4:
        return None
    count, loose = int(there.owner.max()) + 1, ~there.skins[0]
    low, top = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, there.owner[loose], there.vertices[loose])
    np.maximum.at(top, there.owner[loose], there.vertices[loose])
    with np.errstate(invalid="ignore"):  # parts that have no loose vertex are nowhere
        centre, extent = (low + top) / 2 - middle, (top - low) / 2
        here = (np.abs(centre[:, 0]) < half) & (np.abs(centre[:, 2]) < high) & (extent[:, 0] < WING * half) & (extent[:, 1] < 0.75 * high)
        lash = here & (centre[:, 1] > 0.25 * high) & (centre[:, 1] < 0.6 * high)
        plate = here & (np.abs(centre[:, 1]) < 0.25 * high) & (extent[:, 0] < 1.4 * half)
    if not plate.any() or extent[plate, 1].max() < 0.25 * high:
        return None
    flat, above = plate[there.owner] & loose, lash[there.owner] & loose
    added = np.zeros_like(blink)
    added[flat] = -blink[flat]
    added[flat, 1] += SHUT * (middle[1] - there.vertices[flat, 1])
    added[above] = -blink[above]
    added[above, 1] += SHUT * (middle[1] - upper[1]) + FLATTER * (upper[1] - there.vertices[above, 1])
    return added


def mouth(vertices: Floats, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]) -> dict[str, Floats]:
    """The corners (3,) of a mouth that is a closed strip before the skin: where the widest such strip ends. Nothing where there is none.

    vertices (V,3) canonical; parts (V,): labels of the loose ones; skin (V,): the face's.
    """
    strips = _strips(vertices, parts, skin, landmarks)
    if not strips:
        return {}
    points = vertices[max(strips, key=lambda strip: float(np.ptp(vertices[strip, 0])))]
    ends = points[points[:, 0].argsort(kind="stable")[[0, -1]]]
    return dict(zip(sorted(("mouth_left", "mouth_right"), key=lambda name: float(landmarks[name][0])), ends, strict=True))


def _strips(vertices: Floats, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]) -> list[Flags]:
    """Vertices (V,) of each loose part that is a closed mouth before the skin: about as wide as it, and thin."""
    left, right, lips = landmarks["mouth_left"], landmarks["mouth_right"], (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    half = float(np.abs(left - right)[0]) / 2
    found = []
    for part in np.unique(parts[~skin & (squared(vertices - lips) < half * half)]):
        mine = parts == part
        low, top = vertices[mine].min(axis=0), vertices[mine].max(axis=0)
        wide, high = (top - low)[:2] / 2
        if STRIP[0] * half < wide < STRIP[1] * half and high < THIN * half and (np.abs((low + top) / 2 - lips) < ASIDE * half).all():
            found.append(mine)
    return found


def parted(there: Surface, landmarks: Mapping[str, Floats]) -> tuple[Flags, Floats] | None:
    """Vertices (F,) of a mouth that is a closed strip before the skin, and its jawOpen (F,3): the upper rim rises and the lower one falls, along
    the strip. None where there is no such strip.

    A rim is told by where a vertex and the faces at it lie, since the rims of strips that are outlined lie on each other.
    """
    strips = _strips(there.vertices, there.owner, there.skins[0], landmarks)
    if not strips:
        return None
    left, right = landmarks["mouth_left"], landmarks["mouth_right"]
    half = float(np.abs(left - right)[0]) / 2
    x = np.clip((there.vertices[:, 0] - (left + right)[0] / 2) / half, -1, 1)
    moved = np.zeros_like(there.vertices)
    for strip in strips:
        faces = there.triangles[all_corners(strip, there.triangles)]
        count = np.bincount(faces.reshape(-1), minlength=len(strip))
        around = np.bincount(faces.reshape(-1), np.repeat(there.vertices[faces, 1].mean(axis=1), 3), len(strip)) / np.maximum(count, 1)
        level = (there.vertices[strip, 1] + around[strip]) / 2
        aside = np.abs(x[strip] - RIMS[:, None])
        between = [np.median(level[near]) for near in aside <= np.maximum(COLUMN, aside.min(axis=1, keepdims=True))]
        upper = level > np.interp(x[strip], RIMS, between)
        if not upper.any() or upper.all():
            continue
        up = (there.vertices[strip][upper].mean(axis=0) - there.vertices[strip][~upper].mean(axis=0)) * np.array([0, 1, 1], np.float32)
        far = np.where(upper, RISE, -FALL) * half * (1 - x[strip] ** 2)
        moved[strip] = far[:, None] * up / max(float(np.linalg.norm(up)), 1e-9)
        moved[strip, 0] += WIDER * half * x[strip]
    return np.logical_or.reduce(strips), moved
