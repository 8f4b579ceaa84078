# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns of head and eyes, as trackers send them, in the face's own axes: x to its left, y to its
back, z up. A turn is a quaternion (w, x, y, z) of unit length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

Turn = tuple[float, float, float, float]
SIDES = ("left", "right")
PARTS = ("head", "neck", "lefteye", "righteye")  # what is turned, as `Heard` and `State` call it
WAYS = ("in", "out", "up", "down")
LOOKS = frozenset(f"eyelook{way}{side}" for way in WAYS for side in SIDES)
# An eye's turn where its eyeLook shape is at 1: 35 to 37 degrees in the examples of packets that
# iFacialMocap and Facemotion3d give
FULL_LOOK = math.radians(35)


def product(one: Turn, other: Turn) -> Turn:
    """The turn that makes the other one first."""
    a, b, c, d = one
    w, x, y, z = other
    return (
        a * w - b * x - c * y - d * z,
        a * x + b * w + c * z - d * y,
        a * y - b * z + c * w + d * x,
        a * z + b * y - c * x + d * w,
    )


def of_angles(left: float, down: float, aside: float = 0.0) -> Turn:
    """From radians: to the face's left, then down, then its top towards its left shoulder, each
    about the axes that the one before has turned.
    """
    turns = (
        (math.cos(left / 2), 0.0, 0.0, math.sin(left / 2)),
        (math.cos(down / 2), math.sin(down / 2), 0.0, 0.0),
        (math.cos(aside / 2), 0.0, math.sin(aside / 2), 0.0),
    )
    return product(product(turns[0], turns[1]), turns[2])


def of_unity(x: float, y: float, z: float, w: float) -> Turn | None:
    """From a quaternion in Unity's axes (to the right, up, forward; left-handed) of any length;
    None for none.
    """
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if length < 1e-6:
        return None
    return (w / length, x / length, z / length, -y / length)


def looks(side: str, turn: Turn) -> dict[str, float]:
    """An eye's turn as the eyeLook shapes of its side, folded name -> value of 0 or more."""
    w, x, y, z = turn
    ahead = (2 * (w * z - x * y), 1 - 2 * (x * x + z * z), -2 * (y * z + w * x))  # where -y goes to
    left = math.atan2(ahead[0], ahead[1]) / FULL_LOOK
    down = -math.asin(min(max(ahead[2], -1.0), 1.0)) / FULL_LOOK
    out = left if side == "left" else -left
    return {
        f"eyelookout{side}": max(out, 0.0),
        f"eyelookin{side}": max(-out, 0.0),
        f"eyelookdown{side}": max(down, 0.0),
        f"eyelookup{side}": max(-down, 0.0),
    }


def with_looks(tracked: Mapping[str, float], turns: Mapping[str, Turn]) -> Mapping[str, float]:
    """What is tracked, folded name -> value, with eyeLook shapes for eyes of which only turns were
    sent.
    """
    found: dict[str, float] = {}
    for side in SIDES:
        turn = turns.get(f"{side}eye")
        if turn is not None:
            shapes = looks(side, turn)
            if not shapes.keys() & tracked.keys():
                found.update(shapes)
    return {**tracked, **found} if found else tracked


def pose(tracked: Mapping[str, float], turns: Mapping[str, Turn]) -> dict[str, Turn]:
    """How bones are to be turned: `head` with what its neck does, `left_eye` and `right_eye` by
    their turns, else by their eyeLook shapes. What is not known is left out.
    """
    found: dict[str, Turn] = {}
    heads = [turns[part] for part in ("neck", "head") if part in turns]
    if heads:
        found["head"] = heads[0] if len(heads) == 1 else product(*heads)
    for side in SIDES:
        turn = turns.get(f"{side}eye")
        if turn is None and any(f"eyelook{way}{side}" in tracked for way in WAYS):
            into, out, up, down = (tracked.get(f"eyelook{way}{side}", 0.0) for way in WAYS)
            left = out - into if side == "left" else into - out
            turn = of_angles(left * FULL_LOOK, (down - up) * FULL_LOOK)
        if turn is not None:
            found[f"{side}_eye"] = turn
    return found
