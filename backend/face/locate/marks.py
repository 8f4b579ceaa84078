# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks that somebody placed: whether they can be a face's, and where those lie that he left
out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Doubles, Floats, frame_of_landmarks
from ..geometry.landmarks import EYE, NAMES, SIDES, mirrored
from ..params.locate import GUESSES, MARKS

__all__ = (
    "NAMES",
    "NEEDED",
    "around",
    "distances",
    "estimated",
    "fault",
    "nearest_triangles",
    "size",
    "title",
    "way_in",
)
Ints = NDArray[np.int32]
Points = Mapping[str, NDArray[np.floating[Any]]]
NEEDED: tuple[str, ...] = (
    *(f"{name}_{side}" for side in SIDES for name in EYE),
    "mouth_left",
    "mouth_right",
)  # what a frame is made of
# (what is above, what is below)
_ABOVE = (
    *((f"lid_upper_{side}", f"lid_lower_{side}") for side in SIDES),
    *(
        (f"{brow}_{side}", f"lid_lower_{side}")
        for side in SIDES
        for brow in ("brow_inner", "brow_outer")
    ),
    ("nose_tip", "lip_upper"),
    ("lip_upper", "lip_lower"),
    ("lip_upper", "chin"),
    ("lip_lower", "chin"),
)
# (what is nearer to the middle, what is farther)
_INNER = tuple(
    (f"{name}_inner_{side}", f"{name}_outer_{side}") for side in SIDES for name in ("eye", "brow")
)


def title(name: str) -> str:
    """A landmark's name in words: `Lid upper left`."""
    return name.replace("_", " ").capitalize()


def fault(
    points: Points,
    placed: Collection[str],
    away: Mapping[str, float],
    extent: float,
    believed: Collection[str] | None = None,
) -> str:
    """What is wrong with landmarks, in a sentence, or nothing. Left is the character's left where
    the space is not mirrored.

    Args:
        points: (3,) by name
        placed: those that somebody placed; what is only found is not judged
        away: how far each lies from the surface
        extent: the mesh's largest side, in the same unit
        believed: all that were ever placed, without it those that are judged
    """
    at = {name: np.asarray(point, np.float64) for name, point in points.items()}
    frame = frame_of_landmarks(at) if set(NEEDED) <= at.keys() else None
    if not all(np.isfinite(point).all() for point in at.values()):
        return "A landmark is not at a place that can be told in numbers."
    if frame is not None and (
        frame.scale < MARKS.spot * extent or not np.isfinite(frame.rotation).all()
    ):
        return "The landmarks lie on one spot."
    room = (
        MARKS.far_of_mesh * extent
        if frame is None
        else max(MARKS.far * min(frame.scale, extent), MARKS.least * extent)
    )
    for name in NAMES:
        if name in placed and away.get(name, 0.0) > room:
            return (
                f"{title(name)} is not on the head: it lies {away[name] / extent:.0%} of the mesh's"
                " size away from the surface."
            )
    if frame is None:
        return _crossed(at, placed)
    return _disordered(
        {name: frame.to_canonical(point) for name, point in at.items()},
        placed,
        placed if believed is None else believed,
    )


def _crossed(at: Mapping[str, Doubles], placed: Collection[str]) -> str:
    """Whether a pair runs the other way than the other pairs do."""
    pairs = {
        name: at[name] - at[mirrored(name)]
        for name in at
        if name.endswith("_left") and mirrored(name) in at
    }
    for name, way in pairs.items():
        others = np.sum([other for known, other in pairs.items() if known != name], axis=0)
        if (
            (name in placed or mirrored(name) in placed)
            and len(pairs) > 2
            and float(np.dot(way, others)) < 0
        ):
            return (
                f"{title(name)} and {title(mirrored(name)).lower()} are exchanged: left is the"
                " character's left."
            )
    return ""


def _disordered(
    at: Mapping[str, Floats], placed: Collection[str], believed: Collection[str]
) -> str:
    """The same in the landmarks' canonical frame."""
    if set(NEEDED) <= set(believed):
        inner, outer = (
            np.mean([at[f"eye_{which}_{side}"][2] for side in SIDES])
            for which in ("inner", "outer")
        )
        nose = "nose_tip" in at
        if inner - outer + (at["nose_tip"][2] if nose else 0.0) < (
            MARKS.behind if nose else MARKS.eyes_behind
        ):
            return (
                "Left and right are exchanged: left is the character's left, which is on the right"
                " when it looks at you."
            )
    for name in (name for name in NAMES if name in placed and name in at):
        pairs = [
            known
            for known in at
            if known.endswith("_left")
            and mirrored(known) in at
            and name not in (known, mirrored(known))
        ]
        middle = (
            np.mean([(at[known][0] + at[mirrored(known)][0]) / 2 for known in pairs])
            if pairs
            else 0.0
        )
        for side, sign in (("left", 1), ("right", -1)):
            if name.endswith(side) and sign * (at[name][0] - middle) < -MARKS.twisted:
                return (
                    f"{title(name)} is on the other side of the face: left is the character's left,"
                    " which is on the right when it looks at you."
                )
    for upper, lower in _ABOVE:
        if (
            {upper, lower} <= at.keys()
            and placed
            and {upper, lower} & set(placed)
            and at[upper][1] < at[lower][1] - MARKS.twisted
        ):
            return f"{title(upper)} is below {title(lower).lower()}."
    for near, far in _INNER:
        if (
            {near, far} <= at.keys()
            and {near, far} & set(placed)
            and abs(at[near][0]) > abs(at[far][0]) + MARKS.twisted
        ):
            return (
                f"{title(near)} is farther from the middle of the face than {title(far).lower()}."
            )
    return ""


def estimated(points: Points, outwards: float = 1.0) -> dict[str, Doubles]:
    """Where landmarks that are left out may be, from those that a frame needs; the caller puts them
    on the surface. The shares are those of the heads that the model has learnt from, to a tenth of
    a unit.

    Args:
        points: (3,) by name, all of NEEDED among them
        outwards: -1 in a space that is mirrored, where a face looks along its frame's -Z
    """
    at = {name: np.asarray(point, np.float64) for name, point in points.items()}
    frame = frame_of_landmarks(at)
    seen = {name: frame.to_canonical(point).astype(np.float64) for name, point in at.items()}
    mouth = (seen["mouth_left"] + seen["mouth_right"]) / 2
    guess: dict[str, Doubles] = {}
    for side in SIDES:
        high = float(seen[f"lid_upper_{side}"][1] - seen[f"lid_lower_{side}"][1])
        height = GUESSES.brow + GUESSES.brow_eye * high
        for which in ("inner", "outer"):
            corner = seen[f"eye_{which}_{side}"]
            guess[f"brow_{which}_{side}"] = np.array(
                [corner[0], seen[f"lid_upper_{side}"][1] + height, corner[2]]
            )
    ahead = np.array([0.0, 0.0, GUESSES.lips_ahead * outwards])
    guess["lip_upper"] = seen.get("lip_upper", mouth + ahead + [0.0, GUESSES.lip_upper, 0.0])
    guess["lip_lower"] = seen.get("lip_lower", mouth + ahead - [0.0, GUESSES.lip_lower, 0.0])
    guess["nose_tip"] = np.array(
        [mouth[0] / 2, GUESSES.nose_down * mouth[1], mouth[2] + GUESSES.nose_ahead * outwards]
    )
    level = min(mouth[1], guess["lip_lower"][1]) - GUESSES.chin
    guess["chin"] = np.array([mouth[0], level, mouth[2]])
    return {
        name: frame.to_object(guess[name]).astype(np.float64) for name in NAMES if name not in at
    }


def way_in(points: Points, outwards: float = 1.0) -> Doubles:
    """From in front of the face into it, unit (3,).

    Args:
        points: (3,) by name, all of NEEDED among them
        outwards: as in `estimated`
    """
    return np.asarray(-outwards * frame_of_landmarks(points).rotation[2])


def size(points: Points) -> float:
    """The canonical unit in the points' own; all of NEEDED must be there."""
    return frame_of_landmarks(points).scale


def around(vertices: Floats, triangles: Ints, points: NDArray[np.floating[Any]]) -> Ints:
    """The triangles (U,3) at the NEAR vertices that are nearest to any of some points.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
        points: float (N,3)
    """
    chosen = np.zeros(len(vertices), bool)
    axes = np.ascontiguousarray(np.asarray(vertices, np.float32).T)
    for point in points.astype(np.float32):
        x, y, z = ((axis - at) ** 2 for axis, at in zip(axes, point, strict=True))
        apart = x + y + z
        chosen[
            np.argpartition(apart, MARKS.near)[: MARKS.near]
            if len(apart) > MARKS.near
            else slice(None)
        ] = True
    return np.asarray(triangles[chosen[triangles].any(axis=1)], np.int32)


def nearest_triangles(
    vertices: Floats, triangles: Ints, points: NDArray[np.floating[Any]]
) -> list[tuple[int, float]]:
    """Of each point, which of some triangles is nearest to it, and how far that is.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (U,3), at least one
        points: float (N,3)
    """
    corners = vertices[triangles].astype(np.float64)
    longest = np.linalg.norm(corners[:, 1:] - corners[:, :1], axis=2).max(axis=1)
    found = []
    for point in np.asarray(points, np.float64):
        apart = np.linalg.norm(corners[:, 0] - point, axis=1)
        # a triangle is no nearer than its first corner less the longer side there
        few = np.flatnonzero(~(apart - longest > apart.min() * (1 + 1e-9)))
        away = _from_triangles(corners[few] - point)
        number = int(away.argmin())
        found.append((int(few[number]), float(away[number])))
    return found


def _from_triangles(corners: Doubles) -> Doubles:
    """How far the origin is from triangles (U,3,3), (U,)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    found = np.minimum.reduce([_to_edge(a, b), _to_edge(b, c), _to_edge(c, a)])
    normal = np.cross(b - a, c - a)
    area = (normal**2).sum(axis=1)
    flat = area <= 0
    area[flat] = 1.0
    shares = [
        (np.cross(one, other) * normal).sum(axis=1) / area
        for one, other in ((b, c), (c, a), (a, b))
    ]
    inside = ~flat & (np.minimum.reduce(shares) >= 0)
    height = np.abs((a * normal).sum(axis=1)) / np.sqrt(area)
    return np.asarray(np.where(inside, np.minimum(height, found), found))


def _to_edge(a: Doubles, b: Doubles) -> Doubles:
    """How far the origin is from the edges between a and b (U,3)."""
    way = b - a
    length = (way**2).sum(axis=1)
    share = np.clip(-(a * way).sum(axis=1) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    return np.asarray(np.linalg.norm(a + share[:, None] * way, axis=1))


def distances(vertices: Floats, triangles: Ints, points: Points) -> dict[str, float]:
    """How far points lie from the surface, by name.

    Args:
        vertices: float32 (V,3)
        triangles: int32 (T,3)
        points: (3,) by name
    """
    if not points:
        return {}
    at = np.array([np.asarray(point, np.float64) for point in points.values()])
    close = around(vertices, triangles, at)
    if not len(close):
        return dict.fromkeys(points, np.inf)
    found = nearest_triangles(vertices, close, at)
    return {name: away for name, (_number, away) in zip(points, found, strict=True)}
