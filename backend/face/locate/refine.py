# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks moved to where the mesh itself has its openings: an encoder sees a thousand points, the
edges of lids and lips are in the mesh.

Found landmarks are off by a tenth or a fifth of an eye. That is near enough to look for the opening
that they mean: a gap in the skin between two lids, two lips that lie on each other and are far
apart along the surface. Where none is found the landmarks stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analyse.openings import Flags, Opening, eye_opening
from ..geometry.frame import Doubles, Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import Ints, all_corners, connected_parts, squared, weld
from ..geometry.normals import corners_of, crossed
from ..geometry.ramp import smoothstep
from ..params.analyse import OPENING_SIDES

SHIFTS = (0.0, -0.3, 0.3, -0.6)  # heights of the opening by which it is looked for above and below
STRETCHES = (1.0, 1.5)  # and how much higher than the landmarks say
NEAR = 1.3  # widths of an eye around its middle in which its opening lies
INNER = 0.75  # of that, within which a border of the skin counts as one
COLUMNS = 12  # open columns from which on an opening is taken
# of the height that landmarks say, below which a gap between lids is a crack in what lies in the
# eye
LEAST = 0.3
# half widths on both sides of the middle that must be open: half an opening misplaces the lids
BOTH = 0.325
MET = (
    0.25,
    0.45,
    # of its greatest height, below which an opening that ends is wholly believed to come to its
    # corner, and from which on not
)
SHORT = (
    0.55,
    0.85,
    # half widths from the middle: what ends before that is ended by a lash or a fold, and what goes
    # beyond it by its corner
)
# half widths, a column of openings.py, over which its edges are smoothed: by half of it an end is
# read before it
STEP = 0.065
TOUCH = 0.25  # half widths of the mouth within which lips that lie on each other are
ENDS = 6  # vertices of half a slit from which on its end is taken for the corner
# half widths by which a corner is moved at most: lips that bend apart end a slit too early
NUDGE = 0.25
# half widths beyond which a corner that far off is not followed at all: nothing hangs on a hair
FADING = 0.03
# of the found half width, the least that a slit between lips that grow together at its ends may say
SMALLEST = 0.4
# side of the lips at a slit's end below which they grow together there: it is the corner, however
# far from the found one
TOGETHER = 0.25
CLOSED = (
    0.01,
    0.1,
    # beyond it: the least side, and how many half widths apart lips are at most, that are still
    # told apart
)
FRONT = 0.12  # half widths behind the foremost of them up to which an edge is a lip and not a bag


def eyes(
    vertices: Floats,
    triangles: Ints,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    which: Iterable[str] = SIDES,
    placed: bool = False,
) -> dict[str, Floats]:
    """The landmarks of the eyes' lids and corners (3,) that could be placed on an opening's edges.

    vertices (V,3) canonical, triangles (T,3), skin (V,): the face's. which: of left and right, the
    eyes that are looked at. placed: the landmarks are the user's own.
    """
    found: dict[str, Floats] = {}
    for side in which:
        corners = landmarks[f"eye_inner_{side}"], landmarks[f"eye_outer_{side}"]
        reach = NEAR * float(np.linalg.norm(corners[0] - corners[1]))
        near = squared(vertices - (corners[0] + corners[1]) / 2) < reach * reach
        inside = triangles[all_corners(near, triangles)]
        own = skin[near]
        if not len(inside) or not own.any():
            continue
        inside = (np.cumsum(near).astype(np.int32) - 1)[inside]
        points = vertices[near]
        raw = connected_parts(
            len(points), inside
        )  # a shell that is sewn to the lids hangs together with them only when welded
        skins = [own, raw == np.bincount(raw[own]).argmax()]
        opening = _opening(points, inside, weld(points), skins, landmarks, side, reach, placed)
        if opening is not None:
            found |= _edges(opening, landmarks, side)
    return found


def _opening(
    vertices: Floats,
    triangles: Ints,
    group: Ints,
    skins: list[Flags],
    landmarks: Mapping[str, Floats],
    side: str,
    reach: float,
    placed: bool,
) -> Opening | None:
    """The opening nearest to where the landmarks say, by tries from near to far. reach: of the
    vertices (V,3) around the eye.
    """
    names = [f"{name}_{side}" for name in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")]
    inner, outer, top, low = (landmarks[name] for name in names)
    for stretch in STRETCHES:
        for shift in SHIFTS:
            up = (top - low) * np.float32(shift)
            more = (top - low) * np.float32((stretch - 1) / 2)
            tried = dict(landmarks) | dict(
                zip(names, (inner + up, outer + up, top + up + more, low + up - more), strict=True)
            )
            opening = eye_opening(
                vertices, triangles, group, skins, tried, side=side, widest=placed, ends=True
            )
            if (
                opening is None
                and not (shift or stretch > 1)
                and _unbroken(vertices, triangles, group, skins[0], (inner + outer) / 2, reach)
            ):
                return None
            if (
                opening is None
                or len(opening.columns) < COLUMNS
                or opening.columns[0] > -BOTH
                or opening.columns[-1] < BOTH
            ):
                continue
            if (opening.upper.points - opening.lower.points)[:, 1].max() * opening.unit[
                1
            ] > LEAST * np.linalg.norm(top - low):
                return opening
    return None


def _unbroken(
    vertices: Floats, triangles: Ints, group: Ints, skin: Flags, middle: Floats, reach: float
) -> bool:
    """Whether the skin around an eye is one sheet that faces out everywhere, so that there is no
    opening, however long one looks: painted eyes.

    triangles (T,3): within `reach` of the eye's middle (3,); group (V,): vertices in one place
    share one.
    """
    own = triangles[all_corners(skin, triangles)]
    if not len(own) or (crossed(*corners_of(vertices, own))[2] <= 0).any():
        return False
    ends = np.sort(group[np.concatenate([own[:, :2], own[:, 1:], own[:, ::2]])], axis=1)
    edges, count = np.unique(ends[:, 0].astype(np.int64) << 32 | ends[:, 1], return_counts=True)
    inner = np.zeros(int(group.max()) + 1, bool)
    inner[group] = squared(vertices - middle) < (INNER * reach) ** 2
    return not (inner[edges >> 32] & inner[edges & 0xFFFFFFFF] & (count != 2)).any()


def _edges(opening: Opening, landmarks: Mapping[str, Floats], side: str) -> dict[str, Floats]:
    """Landmarks on an opening's edges: the lids at its middle, the corners where its columns
    end.
    """
    origin, gap = opening.origin, (opening.upper.points - opening.lower.points)[:, 1]
    between = (opening.upper.points + opening.lower.points)[:, 1:] / 2
    curve = np.column_stack([opening.columns, between, gap / gap.max()]).astype(np.float64)

    def space(point: NDArray[np.floating[Any]]) -> Floats:
        return np.asarray(
            origin + (point.astype(np.float32) * opening.unit) @ opening.axes, np.float32
        )

    found: dict[str, Floats] = {}
    ends = []
    for name in ("inner", "outer"):
        corner = landmarks[f"eye_{name}_{side}"]
        sign = 1 if (corner - origin) @ opening.axes[0] > 0 else -1
        share, end = _end(curve[::sign] * [sign, 1, 1, 1])
        ends.append(sign * end[0])
        if share > 0:
            found[f"eye_{name}_{side}"] = np.asarray(
                corner + np.float32(share) * (space(end * [sign, 1, 1]) - corner), np.float32
            )
    middle = (ends[0] + ends[1]) / 2
    for name, edge in (("upper", opening.upper), ("lower", opening.lower)):
        level = [np.interp(middle, opening.columns, edge.points[:, axis]) for axis in (1, 2)]
        found[f"lid_{name}_{side}"] = space(np.array([middle, *level]))
    return found


def _end(curve: Doubles) -> tuple[float, Doubles]:
    """How far an opening is believed to come to its corner, 0 to 1, and where that is (3,).

    curve (C,4): half widths out to the corner, rising, level and depth between the edges, share of
    the greatest height.
    """
    there, high = curve[:, 0], curve[:, 3]
    share = float(
        np.clip((MET[1] - np.interp(there[-1] - STEP, there, high)) / (MET[1] - MET[0]), 0, 1)
    )
    share *= float(np.clip((there[-1] - SHORT[0]) / (SHORT[1] - SHORT[0]), 0, 1))
    k = int(np.flatnonzero(high > MET[0])[-1])
    low = (
        there[k] + (high[k] - MET[0]) / (high[k] - high[k + 1]) * (there[k + 1] - there[k])
        if k + 1 < len(high)
        else np.inf
    )
    place = min(there[-1] - STEP / 2, low)
    return share, np.array([place, *(np.interp(place, there, curve[:, axis]) for axis in (1, 2))])


def mouth(
    vertices: Floats, skin: Flags, side: Floats, across: Floats, landmarks: Mapping[str, Floats]
) -> dict[str, Floats]:
    """The landmarks of lips and corners of the mouth (3,) that could be placed on the slit.

    skin (V,); side (V,): of the mouth's opening; across (V,3): the way to the other lip.
    """
    left, right = landmarks["mouth_left"], landmarks["mouth_right"]
    half = max(float(np.linalg.norm(left - right)) / 2, 1e-6)
    lips = (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2
    far = np.sqrt(squared(across))
    around = skin & (far > 0) & (np.abs(vertices[:, 0] - lips[0]) < 1.6 * half)
    around &= np.hypot(vertices[:, 1] - lips[1], vertices[:, 2] - lips[2]) < 1.2 * half
    mine = np.flatnonzero(around)
    if not len(mine):
        return {}
    _, first = np.unique(weld(vertices[mine]) * 2 + (side[mine] > 0), return_index=True)
    around = np.zeros_like(around)
    around[mine[first]] = True  # a vertex that was split counts once on each lip
    near = around & (np.abs(side) > 0.1)
    touching = near & (
        far < np.maximum(TOUCH * half, np.quantile(far[near], 0.1) if near.any() else 0)
    )
    middle = touching & (np.abs(vertices[:, 0] - lips[0]) < 0.3 * half)
    found: dict[str, Floats] = {}
    if not (middle & (side > 0)).any() or not (middle & (side < 0)).any():
        return found
    front = float(vertices[middle, 2].max()) - FRONT * half
    for name, sign in (("lip_upper", 1), ("lip_lower", -1)):
        edge = middle & (sign * side > 0) & (vertices[:, 2] > front - FRONT * half)
        if edge.any():
            nearest = np.flatnonzero(edge)[np.argsort(far[edge], kind="stable")[:4]]
            found[name] = vertices[nearest].mean(axis=0, dtype=np.float32) * np.array(
                [0, 1, 1], np.float32
            ) + lips * np.array([1, 0, 0], np.float32)
    out = vertices[:, 2] > front - half
    apart = far / np.clip(np.abs(side) / OPENING_SIDES.fade, 1e-6, 1)  # ways fade with the sides
    closed = around & out & (np.abs(side) > CLOSED[0]) & (apart < CLOSED[1] * half)
    for name, corner in (("mouth_left", left), ("mouth_right", right)):
        aside = (vertices[:, 0] - lips[0]) * (corner[0] - lips[0]) > 0
        some, least = aside & (closed | touching & out), SMALLEST
        if some.sum() < ENDS:
            continue
        last = _outermost(vertices, some, lips)
        if np.abs(side[last]).max() > TOGETHER:  # lips that bend apart
            last, least = _outermost(vertices, aside & touching & out, lips), 1 - NUDGE
        end = vertices[last].mean(axis=0, dtype=np.float32)
        wide = abs(float(end[0] - lips[0])) / half
        share = float(smoothstep(-FADING, 0, np.array([min(wide - least, 1 + NUDGE - wide)]))[0])
        if share > 0:
            found[name] = np.asarray(corner + np.float32(share) * (end - corner), np.float32)
    return found


def _outermost(vertices: Floats, some: Flags, lips: Floats) -> NDArray[np.intp]:
    """The outermost few (N,) of some vertices (V,) of a slit."""
    mine = np.flatnonzero(some)
    return np.asarray(
        mine[np.argsort(np.abs(vertices[mine, 0] - lips[0]), kind="stable")[-ENDS // 2 :]]
    )
