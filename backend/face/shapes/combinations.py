# SPDX-License-Identifier: GPL-3.0-or-later
"""Do shapes hold that are driven together? Measured on what was made, not assumed.

Which ones: the poses that the clips of the common face tracking template drive at once, 1 each but
for blinks, which its clips take to `COMBINING.blink`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..analyse.edges import Edge
from ..analyse.head import Head
from ..analyse.openings import Opening
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..geometry.mesh import squared
from ..params.shapes import COMBINING

PAIRS = ("mouthUpperUp", "mouthLowerDown", "mouthPress", "noseSneer")
DRIVEN = (
    *("jawOpen", "mouthClose"),
    *(name + side.title() for name in ("eyeBlink", "eyeSquint", *PAIRS) for side in SIDES),
)  # the conditions that are looked at


@dataclass(frozen=True)
class Combination:
    """A pose.

    Args:
        name: what is told of it
        conditions: what is driven together
        value: how far it is from holding
        good: it holds
        words: a sentence that says so
    """

    name: str
    conditions: tuple[str, ...]
    value: float
    good: bool
    words: str


def combinations(head: Head, shapes: Mapping[str, Floats]) -> list[Combination]:
    """What can be measured on this mesh; shapes that are not there are left out.

    Args:
        head: looked at
        shapes: condition -> offsets float32 (F,3), canonical
    """
    found = []
    for side, lid in head.lids.items():
        blink, squint = f"eyeBlink{side.title()}", f"eyeSquint{side.title()}"
        if {blink, squint} <= shapes.keys():
            passed = _passed(lid.opening, COMBINING.blink * shapes[blink] + shapes[squint])
            words = f"{blink} + {squint}: the lids overlap by {passed:.0%} of the eye's opening"
            found.append(
                Combination(
                    f"blink and squint {side}",
                    (blink, squint),
                    passed,
                    passed <= COMBINING.crossed + COMBINING.rounding,
                    words,
                )
            )
    if {"jawOpen", "mouthClose"} <= shapes.keys() and head.slit is not None:
        apart = _apart(head.slit, shapes["jawOpen"], shapes["mouthClose"])
        words = f"jawOpen + mouthClose: a gap of {apart:.0%} is left between the lips"
        found.append(
            Combination(
                "closed mouth on an open jaw",
                ("jawOpen", "mouthClose"),
                apart,
                apart <= COMBINING.apart,
                words,
            )
        )
    for name in PAIRS:
        both = tuple(name + side.title() for side in SIDES)
        if set(both) <= shapes.keys():
            more = _together(shapes[both[0]], shapes[both[1]])
            words = f"{both[0]} + {both[1]}: combined movement is {more:.0%} of one side"
            found.append(
                Combination(f"both sides of {name}", both, more, more <= COMBINING.together, words)
            )
    return found


def held_squints(head: Head, shapes: Mapping[str, Floats]) -> dict[str, Floats]:
    """Squints with which a blink does not pass the other lid by more than `COMBINING.crossed`.

    Both sides are made smaller alike.

    Args:
        head: looked at
        shapes: condition -> offsets float32 (F,3), canonical

    Returns:
        The squints that become smaller; nothing where all hold, or a blink alone does not.
    """
    share, squints = 1.0, []
    for side, lid in head.lids.items():
        blink, squint = f"eyeBlink{side.title()}", f"eyeSquint{side.title()}"
        if not {blink, squint} <= shapes.keys():
            continue
        squints.append(squint)
        share = min(share, _holding(lid.opening, COMBINING.blink * shapes[blink], shapes[squint]))
    return {name: shapes[name] * np.float32(share) for name in squints} if share < 1 else {}


def _holding(opening: Opening, blink: Floats, squint: Floats) -> float:
    """The largest share of a squint (F,3), 0 to 1, with which no column's lids pass each other
    farther than they may beside a blink (F,3); 1 where these alone do.
    """
    before = _gaps(opening)
    wide = before > COMBINING.wide * before.max()
    room = (_gaps(opening, blink) + COMBINING.crossed * before.max())[wide]
    less = room - (_gaps(opening, blink + squint) + COMBINING.crossed * before.max())[wide]
    over = (room > 0) & (less > room)
    return float((room[over] / less[over]).min(initial=1.0))


def _gaps(opening: Opening, offsets: Floats | None = None) -> Floats:
    """Height of the opening in each column (C,), negative where the edges have passed each other;
    in the opening's units.
    """

    def height(edge: Edge) -> Floats:
        moved = 0 if offsets is None else edge.of(offsets) @ opening.axes[1] / opening.unit[1]
        return np.asarray(edge.points[:, 1] + moved, np.float32)

    return height(opening.upper) - height(opening.lower)


def _passed(opening: Opening, offsets: Floats) -> float:
    """How far the lids pass each other at most, in openings; 0 where they do not."""
    before, after = _gaps(opening), _gaps(opening, offsets)
    wide = before > COMBINING.wide * before.max()
    return float(max((-after[wide] / before.max()).max(initial=0.0), 0.0))


def _apart(slit: Opening, jaw: Floats, close: Floats) -> float:
    """How far the lips stay apart at most, of what the jaw opens them."""
    rest, opened, closed = _gaps(slit), _gaps(slit, jaw), _gaps(slit, jaw + close)
    by = opened - rest
    wide = by > COMBINING.wide * max(float(by.max()), 1e-9)
    return (
        float(max(((closed - rest)[wide] / by.max()).max(initial=0.0), 0.0)) if wide.any() else 0.0
    )


def _together(left: Floats, right: Floats) -> float:
    """How far both together move at most, in units of what the larger alone does; 1 where neither
    moves.
    """
    one, other, both = (
        float(np.sqrt(squared(moved).max(initial=0))) for moved in (left, right, left + right)
    )
    return both / max(one, other) if max(one, other) > 1e-9 else 1.0
