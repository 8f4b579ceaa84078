# SPDX-License-Identifier: GPL-3.0-or-later
"""The landmarks that are kept on an object: placing one, its partner on the other side, and forgetting them. Object space throughout."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np
from numpy.typing import NDArray

from .job import found_landmarks
from .typed import of_object

Point = tuple[float, float, float]
Doubles = NDArray[np.float64]

# What is joined by lines in the overlay, so that one sees what belongs together
LINES = tuple(
    pair
    for side in ("left", "right")
    for pair in (
        (f"eye_inner_{side}", f"lid_upper_{side}"),
        (f"lid_upper_{side}", f"eye_outer_{side}"),
        (f"eye_outer_{side}", f"lid_lower_{side}"),
        (f"lid_lower_{side}", f"eye_inner_{side}"),
        (f"brow_inner_{side}", f"brow_outer_{side}"),
        (f"mouth_{side}", "lip_upper"),
        (f"mouth_{side}", "lip_lower"),
    )
)


def title(name: str) -> str:
    """A landmark's name in words: `Lid upper left`."""
    return name.replace("_", " ").capitalize()


def partner(name: str) -> str | None:
    """The same landmark on the other side of the face; None for one in the middle."""
    for one, other in (("_left", "_right"), ("_right", "_left")):
        if name.endswith(one):
            return name.removesuffix(one) + other
    return None


def mirrored(place: Point, landmarks: Mapping[str, Point]) -> Point | None:
    """The point on the other side of the face's own middle plane, which the pairs of landmarks tell; None with no pairs apart."""
    pairs = [(np.array(landmarks[name], np.float64), np.array(landmarks[other], np.float64)) for name, other in _pairs(landmarks)]
    if not pairs:
        return None
    across = np.sum([left - right for left, right in pairs], axis=0)
    length = float(np.linalg.norm(across))
    if length < 1e-12:
        return None
    across /= length
    middle = np.mean([(left + right) / 2 for left, right in pairs], axis=0)
    point = np.array(place, np.float64)
    point = point - 2 * float((point - middle) @ across) * across
    return float(point[0]), float(point[1]), float(point[2])


def place(ob: bpy.types.Object, name: str, point: Point, mirror: bool) -> list[str]:
    """Put a landmark on a place, and its partner on the mirrored place; the names of those that moved. Raises KeyError for an unknown name."""
    known = found_landmarks(ob)
    if name not in known:
        raise KeyError(name)
    moved = {name: point}
    other = partner(name)
    if mirror and other in known:
        # the plane is told by the other pairs, so that it does not move with the hand
        there = mirrored(point, {mark: at for mark, at in known.items() if mark not in (name, other)})
        if there is not None:
            moved[other] = there
    for mark_name, at in moved.items():
        mark = of_object(ob).landmarks[mark_name]
        mark.place, mark.corrected = at, True
    return list(moved)


def forget(ob: bpy.types.Object) -> None:
    """Forget all landmarks: they are searched for again."""
    of_object(ob).landmarks.clear()


def _pairs(landmarks: Mapping[str, Point]) -> list[tuple[str, str]]:
    return [(name, name.removesuffix("_left") + "_right") for name in landmarks if name.endswith("_left") and partner(name) in landmarks]
