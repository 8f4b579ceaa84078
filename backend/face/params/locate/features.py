# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `locate/features.py`: a face by its eyes and its mouth alone. Distances are those
between both eyes' middles, where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number

LOOKED = (
    "five cartoon heads that the encoder misses, by 2 makers, have room within it: they were looked"
    " at, not fitted"
)


@dataclass(frozen=True)
class EyePairs:
    """Two eyes that mirror each other."""

    fewest: int = number(
        6, "vertices", 3, 50, f"of a part or of a hole's edge that may be an eye; {LOOKED}"
    )
    skins: int = number(3, "parts", 1, 10, f"that are tried for the skin; {LOOKED}")
    parts_most: int = number(
        200, "parts", 10, 5000, "of which pairs are looked at; an estimate, not fitted"
    )
    size_from: float = number(
        0.07,
        "distances between the eyes",
        0.02,
        0.2,
        f"half an eye is larger; 0.10 and more on {LOOKED}",
    )
    size_to: float = number(
        0.35,
        "distances between the eyes",
        0.2,
        0.8,
        f"half an eye is smaller; 0.27 and less on {LOOKED}",
    )
    round: float = number(
        0.6,
        "of its greater spread across the way ahead",
        0.2,
        1,
        f"the lesser one of an eye: brows are longer; {LOOKED}",
    )
    twins: float = number(
        0.2,
        "of its size",
        0.02,
        1,
        f"within which an eye's mirror image is as large and as high; {LOOKED}",
    )
    skin: float = number(
        1.1,
        "sizes of an eye beyond its middle",
        0.8,
        2,
        f"where there is skin on its outer side: ears stand out; {LOOKED}",
    )
    front_sizes: float = number(
        2.0,
        "sizes of an eye above and below its middle",
        0.5,
        6,
        f"within which the skin around it is looked at; {LOOKED}",
    )
    front_high: float = number(
        0.3, "distances between the eyes", 0.05, 1, f"the same, the greater counts; {LOOKED}"
    )
    front_wide: float = number(
        2.0, "distances between the eyes", 0.6, 4, f"the same to the sides; {LOOKED}"
    )
    around: float = number(
        4.0,
        "distances between the eyes around them",
        1,
        10,
        f"in which the rest of the face is; {LOOKED}",
    )


@dataclass(frozen=True)
class MouthPart:
    """A mouth below the eyes and between them, and one that is a part of its own."""

    below_from: float = number(
        0.2,
        "distances between the eyes",
        0.1,
        0.8,
        f"a mouth is farther below them: 0.24 on a muzzle in other proportions; {LOOKED}",
    )
    below_to: float = number(
        2.2, "distances between the eyes", 1, 5, f"a mouth is nearer below them; {LOOKED}"
    )
    wide_from: float = number(
        0.1, "distances between the eyes", 0.02, 0.4, f"half a mouth is wider; {LOOKED}"
    )
    wide_to: float = number(
        0.9, "distances between the eyes", 0.4, 2, f"half a mouth is narrower; {LOOKED}"
    )
    flat: float = number(
        0.75,
        "of its width",
        0.2,
        1,
        f"a mouth's height is less: noses are as high as wide; {LOOKED}",
    )
    centred: float = number(
        0.1,
        "distances between the eyes",
        0.02,
        0.5,
        f"by which a mouth's middle is off theirs at most; {LOOKED}",
    )
    behind: float = number(
        0.5,
        "distances between the eyes",
        0,
        2,
        f"behind their middle that a mouth's front may lie; {LOOKED}",
    )


@dataclass(frozen=True)
class MouthSlit:
    """A mouth that is a slit in the skin, followed from section to section."""

    sections: float = number(
        0.06, "distances between the eyes", 0.01, 0.3, f"from one section to the next; {LOOKED}"
    )
    nudge: float = number(
        1e-4,
        "distances between the eyes",
        1e-6,
        1e-2,
        "by which sections lie aside, so that none goes through vertices; an estimate, not fitted",
    )
    widest: int = number(24, "sections on each side", 4, 200, f"at most; {LOOKED}")
    fewest: int = number(
        8, "segments of a section's outline", 3, 100, "at least; an estimate, not fitted"
    )
    inside_fewest: int = number(
        4, "segments where the mouth may be", 2, 50, "at least; an estimate, not fitted"
    )
    points: int = number(
        256, "points of an outline", 16, 5000, "that are compared; an estimate, not fitted"
    )
    gap: float = number(
        0.1, "distances between the eyes", 0.01, 0.5, f"that lips are apart at most; {LOOKED}"
    )
    deep: float = number(
        0.25,
        "distances between the eyes",
        0.05,
        1,
        f"that the way around through the mouth is long at least; {LOOKED}",
    )
    facing: float = number(
        0.2,
        "cosine between a lip's normal and the way to the other lip",
        -0.5,
        0.9,
        f"from which on they face each other; {LOOKED}",
    )
    jump: float = number(
        0.3,
        "distances between the eyes",
        0.05,
        1,
        f"by which a slit goes on from section to section at most; {LOOKED}",
    )


EYE_PAIRS = EyePairs()
MOUTH_PART = MouthPart()
MOUTH_SLIT = MouthSlit()
