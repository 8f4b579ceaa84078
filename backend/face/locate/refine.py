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

from ..analyse.openings import Flags, Opening
from ..analyse.whole_opening import Around, reach_of_eye, whole_opening
from ..geometry.frame import Doubles, Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import Ints, all_corners, connected_parts, squared, weld
from ..geometry.ramp import smoothstep
from ..params.analyse import OPENING_SIDES
from ..params.locate import REFINE_EYES, REFINE_MOUTH


def eyes(
    vertices: Floats,
    triangles: Ints,
    skin: Flags,
    landmarks: Mapping[str, Floats],
    *,
    which: Iterable[str] = SIDES,
    placed: bool = False,
) -> dict[str, Floats]:
    """Find the landmarks of the eyes' lids and corners that can be placed on an opening's edges.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        skin: flags (V,), the face's
        landmarks: float32 (3,), canonical, by name
        which: of left and right, the eyes that are looked at
        placed: the landmarks are the user's own

    Returns:
        Landmarks (3,) by name.
    """
    found: dict[str, Floats] = {}
    for side in which:
        middle, reach = reach_of_eye(landmarks, side)
        near = squared(vertices - middle) < reach * reach
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
        around = Around(points, inside, weld(points), skins, reach)
        opening = whole_opening(around, landmarks, side, placed=placed, ends=True)
        if opening is not None:
            found |= _edges(opening, landmarks, side)
    return found


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
    along, high = curve[:, 0], curve[:, 3]
    met_from, met_to = REFINE_EYES.met_from, REFINE_EYES.met_to
    short_from, short_to = REFINE_EYES.short_from, REFINE_EYES.short_to
    share = float(
        np.clip(
            (met_to - np.interp(along[-1] - REFINE_EYES.step, along, high)) / (met_to - met_from),
            0,
            1,
        )
    )
    share *= float(np.clip((along[-1] - short_from) / (short_to - short_from), 0, 1))
    k = int(np.flatnonzero(high > met_from)[-1])
    low = (
        along[k] + (high[k] - met_from) / (high[k] - high[k + 1]) * (along[k + 1] - along[k])
        if k + 1 < len(high)
        else np.inf
    )
    place = min(along[-1] - REFINE_EYES.step / 2, low)
    return share, np.array([place, *(np.interp(place, along, curve[:, axis]) for axis in (1, 2))])


def mouth(
    vertices: Floats, skin: Flags, side: Floats, across: Floats, landmarks: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Find the landmarks of lips and corners of the mouth that can be placed on the slit.

    Args:
        vertices: float32 (V,3), canonical
        skin: flags (V,), the face's
        side: float32 (V,), of the mouth's opening
        across: float32 (V,3), the way to the other lip
        landmarks: float32 (3,), canonical, by name

    Returns:
        Landmarks (3,) by name.
    """
    far = np.sqrt(squared(across))
    lips, half = _lips(landmarks)
    around = _once(vertices, skin & (far > 0) & near_mouth(vertices, landmarks), side)
    if not around.any():
        return {}
    near = around & (np.abs(side) > REFINE_MOUTH.sure_side)
    least = np.quantile(far[near], REFINE_MOUTH.near_lip_share) if near.any() else 0
    touching = near & (far < np.maximum(REFINE_MOUTH.near_lip * half, least))
    middle = touching & (np.abs(vertices[:, 0] - lips[0]) < REFINE_MOUTH.middle * half)
    if not (middle & (side > 0)).any() or not (middle & (side < 0)).any():
        return {}
    front = float(vertices[middle, 2].max()) - REFINE_MOUTH.front * half
    found: dict[str, Floats] = {}
    for name, sign in (("lip_upper", 1), ("lip_lower", -1)):
        edge = middle & (sign * side > 0) & (vertices[:, 2] > front - REFINE_MOUTH.front * half)
        if edge.any():
            first = np.argsort(far[edge], kind="stable")[: REFINE_MOUTH.nearest]
            place = vertices[np.flatnonzero(edge)[first]].mean(axis=0, dtype=np.float32)
            level, aside = np.array([0, 1, 1], np.float32), np.array([1, 0, 0], np.float32)
            found[name] = place * level + lips * aside
    out = vertices[:, 2] > front - half
    apart = far / np.clip(
        np.abs(side) / OPENING_SIDES.fade, 1e-6, 1
    )  # opposite_edge fades near the corners
    closed = around & out & (np.abs(side) > REFINE_MOUTH.closed_side)
    closed &= apart < REFINE_MOUTH.closed_apart * half
    touching &= out
    for name in ("mouth_left", "mouth_right"):
        corner = landmarks[name]
        aside = (vertices[:, 0] - lips[0]) * (corner[0] - lips[0]) > 0
        slit = aside & (closed | touching), aside & touching
        end, share = _mouth_end(vertices, side, slit, lips, half)
        if share > 0:
            found[name] = np.asarray(corner + np.float32(share) * (end - corner), np.float32)
    return found


def _lips(landmarks: Mapping[str, Floats]) -> tuple[Floats, float]:
    """The middle between the lips (3,), and the mouth's half width."""
    half = float(np.linalg.norm(landmarks["mouth_left"] - landmarks["mouth_right"])) / 2
    return (landmarks["lip_upper"] + landmarks["lip_lower"]) / 2, max(half, 1e-6)


def near_mouth(vertices: Floats, landmarks: Mapping[str, Floats]) -> Flags:
    """Which vertices (V,) lie around the mouth, where its lips are sought.

    Args:
        vertices: float32 (V,3), canonical
        landmarks: float32 (3,), canonical, by name
    """
    lips, half = _lips(landmarks)
    away = vertices - lips
    near = np.abs(away[:, 0]) < REFINE_MOUTH.around_wide * half
    near &= np.hypot(away[:, 1], away[:, 2]) < REFINE_MOUTH.around_high * half
    return np.asarray(near)


def _once(vertices: Floats, around: Flags, side: Floats) -> Flags:
    """Of some vertices (V,) one in each place, but of one that was split one on each lip. side
    (V,).
    """
    mine = np.flatnonzero(around)
    if not len(mine):
        return around
    _, first = np.unique(weld(vertices[mine]) * 2 + (side[mine] > 0), return_index=True)
    once = np.zeros(len(around), bool)
    once[mine[first]] = True
    return once


def _mouth_end(
    vertices: Floats, side: Floats, slit: tuple[Flags, Flags], lips: Floats, half: float
) -> tuple[Floats, float]:
    """Where a slit ends (3,) on one side, and how far that is believed to be the corner, 0 to 1.

    slit: flags (V,) of its vertices, and of those that touch the other lip. side (V,). lips (3,):
    the middle between them. half: the mouth's half width.
    """
    some, touching = slit
    if some.sum() < REFINE_MOUTH.ends:
        return lips, 0.0
    last, least = _outermost(vertices, some, lips), REFINE_MOUTH.smallest
    if np.abs(side[last]).max() > REFINE_MOUTH.together:
        if abs(float(side[last[-1]])) < REFINE_MOUTH.alone:  # of few vertices, the last one is it
            last = last[-1:]
        else:  # lips that bend apart
            last, least = _outermost(vertices, touching, lips), 1 - REFINE_MOUTH.nudge
    end = vertices[last].mean(axis=0, dtype=np.float32)
    wide = abs(float(end[0] - lips[0])) / half
    room = min(wide - least, 1 + REFINE_MOUTH.nudge - wide)
    return end, float(smoothstep(-REFINE_MOUTH.fading, 0, np.array([room]))[0])


def _outermost(vertices: Floats, some: Flags, lips: Floats) -> NDArray[np.intp]:
    """The outermost few (N,) of some vertices (V,) of a slit, the last one farthest out."""
    mine = np.flatnonzero(some)
    return np.asarray(
        mine[
            np.argsort(np.abs(vertices[mine, 0] - lips[0]), kind="stable")[
                -REFINE_MOUTH.ends // 2 :
            ]
        ]
    )
