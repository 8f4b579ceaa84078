# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `geometry/blocks.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Blocks:
    """How points are searched that are too many to look at each (`geometry/blocks.py`). All of them
    change the time and hardly the result.
    """

    pairs: int = number(
        1 << 27,
        "pairs of points",
        1,
        1 << 40,
        "above it only blocks of neighbours are compared, which is faster from there on; heads of"
        " less than 30,000 vertices stay below, whose shapes so stay the same to the last bit",
    )
    table: int = number(
        1 << 22,
        "pairs of points",
        1,
        1 << 40,
        "no table of what lies beside what is larger; heads of less than 30,000 vertices stay"
        " below, whose shapes so stay the same to the last bit",
    )
    most: int = number(
        128,
        "points",
        1,
        1 << 16,
        "of a block; of 32 to 512 the fastest on the sample head of 171,000 vertices",
    )
    part: int = number(
        16,
        "points",
        1,
        1 << 12,
        "of a block, for which it is looked anew who can be nearest; of 8, 16 and 32 the fastest"
        " on the sample head of 671,510 vertices",
    )
    together: int = number(
        256,
        "points",
        1,
        1 << 16,
        "of several blocks, for which it is looked together which of the others are far from all;"
        " of 128, 256 and 512 the fastest on the sample head of 671,510 vertices",
    )
    joined: int = number(
        16,
        "blocks",
        2,
        1 << 10,
        "of neighbours, of which it is first looked whether any may be near; an estimate, not"
        " fitted",
    )
    slack: float = number(
        1e-5,
        "share of the largest score",
        0,
        0.01,
        "by so much a block may seem too far through rounding; an estimate, not fitted",
    )
    scores_at_once: int = number(
        1 << 17,
        "scores",
        1 << 10,
        1 << 24,
        "bounds the table of scores, so that it fits into a core's cache; an estimate, not fitted",
    )


BLOCKS = Blocks()
