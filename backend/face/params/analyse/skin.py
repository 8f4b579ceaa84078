# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of what is skin, lies on it or divides it: `analyse/face_skin.py`,
`opening_sides.py`, `surface.py`, `decals.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class FaceSkin:
    """Which part is the face's skin (`analyse/face_skin.py`)."""

    face: float = number(
        1.0,
        "canonical units, the distance between the eyes",
        0.5,
        1.5,
        "the skin of a face reaches farther; an estimate, not fitted",
    )
    layers: float = number(
        0.05,
        "canonical units",
        0.005,
        0.2,
        "within which layers before a face lie with its skin; an estimate, not fitted",
    )


@dataclass(frozen=True)
class OpeningSides:
    """On which side of the mouth or an eye a vertex lies (`analyse/opening_sides.py`)."""

    low_from: float = number(
        1.3,
        "ways from the upper lip to the nose by those from the lower one to the chin",
        1.1,
        1.35,
        "up to which a mouth's sides are told from half those ways: heads by makers that are"
        " learnt have 0.6 to 1.3",
    )
    low_to: float = number(
        1.5,
        "ways from the upper lip to the nose by those from the lower one to the chin",
        1.36,
        3,
        "from which on the upper side is told from as far above as below. Of 70 modelled heads 14"
        " are above 1.3; 46 % of their upper lips' edges were on the chin's side, with it and `row`"
        " 5 %, and 10 % of the lower ones'; 1.6: 12 and 10 %",
    )
    row: float = number(
        0.2,
        "half widths of the mouth",
        0.05,
        0.9,
        "beside the middle from where it is then told, too: from the middle alone, the middle of"
        " the lip is higher up than the rest and rises to a peak (Blender's monkey)",
    )
    outside: int = number(
        32,
        "points of skin nearest to where a mouth's lower side is told from",
        1,
        500,
        "of which one may look ahead or down: the others are inside the mouth; an estimate, not"
        " fitted",
    )
    mouth_reach: float = number(
        1.0,
        "canonical units around the mouth",
        0.4,
        2,
        "in which ways along the surface are sought; an estimate, not fitted",
    )
    eye_reach: float = number(
        0.75, "canonical units around an eye", 0.3, 1.5, "the same; an estimate, not fitted"
    )
    behind: float = number(
        0.25,
        "half widths of the opening behind its surface",
        0.05,
        1,
        "from which on a vertex is inside, not on the rim; an estimate, not fitted",
    )
    fade: float = number(
        0.1,
        "side, 0 between lips to 1 on the upper one",
        0.01,
        0.5,
        "up to which the ways to opposite vertices fade; an estimate, not fitted",
    )
    clear: float = number(
        0.03,
        "side, 0 between lips to 1 on the upper one",
        0.001,
        0.3,
        "from which on a vertex surely lies on one; an estimate, not fitted",
    )
    ahead: float = number(
        8.0,
        "edges' mean length",
        1,
        1000,
        "what is farther out than the nearest of the front by more waits: with 2 to 16 it takes a"
        " third of the time of all at once on 671,510 vertices; changes the time, not the result",
    )
    fewest: int = number(
        8, "vertices of skin around an opening", 3, 100, "at least; an estimate, not fitted"
    )
    tie_x: float = number(
        2e-5,
        "squared canonical units per unit of x",
        0,
        1e-3,
        "by which equally near vertices differ, so that no last bit decides; an estimate, not"
        " fitted",
    )
    tie_y: float = number(
        3e-4, "the same per unit of y", 0, 1e-2, "as tie_x; an estimate, not fitted"
    )
    tie_z: float = number(
        2e-4, "the same per unit of z", 0, 1e-2, "as tie_x; an estimate, not fitted"
    )
    tie_aside: float = number(
        5e-4, "the same per unit of |x|", 0, 1e-2, "as tie_x; an estimate, not fitted"
    )


@dataclass(frozen=True)
class BulkyParts:
    """Parts that are too big for one of a face, such as hair (`analyse/surface.py`)."""

    bulk: float = number(
        0.5,
        "canonical units",
        0.2,
        1.5,
        "half the least extent of a part that is hair or a hat, whatever it hangs next to; an"
        " estimate, not fitted",
    )
    close: float = number(
        0.05,
        "canonical units from the skin",
        0.005,
        0.3,
        "within which most of a shell over it lies; an estimate, not fitted",
    )
    front_aside: float = number(
        0.8,
        "canonical units from the middle",
        0.3,
        2,
        "within which that is looked at, where the face is; an estimate, not fitted",
    )
    front_top: float = number(
        0.45, "canonical units, y", 0, 1.5, "the upper end of that; an estimate, not fitted"
    )
    front_bottom: float = number(
        -1.0, "canonical units, y", -2, -0.3, "the lower end of that; an estimate, not fitted"
    )
    front_back: float = number(
        -0.5, "canonical units, z", -2, 0, "the rear end of that; an estimate, not fitted"
    )
    sampled: int = number(
        256, "vertices of a part", 16, 10_000, "that are looked at; an estimate, not fitted"
    )


@dataclass(frozen=True)
class Decals:
    """Sheets that lie on the skin, as blushes do (`analyse/decals.py`). Between `from` and `to`
    nothing hangs on a hair: from a part that goes its own way to one that goes wholly along.
    """

    on_skin_from: float = number(
        0.8,
        "share of a part's vertices",
        0.3,
        0.97,
        "that lie as near to the skin as a sheet does, and within the face; an estimate, not"
        " fitted",
    )
    on_skin_to: float = number(
        0.95, "share of a part's vertices", 0.5, 1.2, "the same; an estimate, not fitted"
    )
    before_from: float = number(
        0.4,
        "share of a part's vertices",
        0,
        0.8,
        "that lie before the skin; an estimate, not fitted",
    )
    before_to: float = number(
        0.6, "share of a part's vertices", 0.2, 1, "the same; an estimate, not fitted"
    )
    taken_from: float = number(
        0.2,
        "share of a part's vertices",
        0.05,
        0.8,
        "that go with lids or are a brow, from which on it is no decal: they have something to do"
        " there; an estimate, not fitted",
    )
    taken_to: float = number(
        0.1,
        "share of a part's vertices",
        0,
        0.5,
        "that go with lids or are a brow, below which it wholly is one; an estimate, not fitted",
    )
    fewest: int = number(4, "vertices", 3, 50, "of a part that is a decal; an estimate, not fitted")


FACE_SKIN = FaceSkin()
OPENING_SIDES = OpeningSides()
BULKY_PARTS = BulkyParts()
DECALS = Decals()
