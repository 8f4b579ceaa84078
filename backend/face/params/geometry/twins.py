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
        "those of mirror images may differ so much, as ways lead along such diagonals; an estimate,"
        " not fitted",
    )
    opposite_edge: float = number(
        0.005,
        "canonical units",
        0,
        1,
        "those of mirror images may differ so much, a tenth of an edge around an opening: with ten"
        " times as much an open eye closed too far beside a closed one",
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
