# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `geometry/twins.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Likeness:
    """When a model need not look at two vertices (`geometry/twins.py`)."""

    within: float = number(
        5e-6,
        "canonical units",
        1e-8,
        1e-4,
        "vertices may lie so far from each other's mirror images, and the boxes of their parts: the"
        " rounding of coordinates of a body",
    )
    normals: float = number(
        0.25,
        "of unit normals",
        0,
        1,
        "those of mirror images may differ so much: quads are cut along the same diagonal on both"
        " sides, which does not mirror; 99 of 100 of the sample head's differ less",
    )
    lip_lid_side: float = number(
        0.05,
        "from 1, above an opening, to -1, below",
        0,
        1,
        "those of mirror images may differ so much where the halves of an opening do not mirror; an"
        " estimate, not fitted",
    )
    opposite_edge: float = number(
        0.005,
        "canonical units",
        0,
        1,
        "those of mirror images may differ so much where the halves of an opening do not mirror, a"
        " tenth of an edge around it: with ten times as much an open eye closed too far beside a"
        " closed one",
    )
    mirrored: float = number(
        0.995,
        "share of the vertices around an opening",
        0.5,
        1,
        "from which on, if they lie as mirror images, the opening's halves mirror: all do on sample"
        " heads, 0.48 at most where one eye is closed",
    )
    cut_lip_lid_side: float = number(
        0.25,
        "from 1, above an opening, to -1, below",
        0,
        1,
        "those of mirror images around an opening whose halves mirror may differ so much: ways lead"
        " along diagonals, which do not; by 0.18 on a sample head",
    )
    cut_opposite_edge: float = number(
        0.5,
        "canonical units",
        0,
        2,
        "the same of ways to the opposite edge, which fade by those sides; by 0.34 on a sample"
        " head",
    )
    reach: int = number(
        8,
        "vertices",
        1,
        64,
        "so many of those as far from the mirror plane are compared with each; more in one place"
        " are looked at twice; an estimate, not fitted",
    )
    fewest: float = number(
        0.1,
        "share of the vertices",
        0,
        1,
        "with fewer, twins are not worth their bookkeeping; an estimate, not fitted",
    )


LIKENESS = Likeness()
