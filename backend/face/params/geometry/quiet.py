# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `geometry/quiet.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Quiet:
    """Where a dense face keeps still (`geometry/quiet.py`)."""

    fewest: int = number(
        1 << 15,
        "vertices of a face",
        1 << 10,
        1 << 30,
        "from which on a network is asked for some vertices first, and not for those around them"
        " where nothing moves; an estimate, not fitted",
    )
    cell: float = number(
        0.1,
        "canonical units",
        0.02,
        0.5,
        "side of a cell: a shape moves what lies two cells away otherwise; of 0.1, 0.15 and 0.2 the"
        " one that leaves out most on the sample head of 42,000 to 671,510 vertices"
        " (docs/experiments/engine.md)",
    )
    one_in: int = number(
        32,
        "vertices",
        1,
        1 << 12,
        "of a cell, of which one is asked for first, at least one; with 8 to 64 no vertex of the"
        " sample head that moves is left out (docs/experiments/engine.md)",
    )
    least: float = number(
        0.001,
        "canonical units",
        0,
        0.002,
        "what moves less in every shape keeps still: half of correct.Border.still, below which"
        " all movement is taken away; with half and with all of it no vertex of the sample head"
        " that moves is left out (docs/experiments/engine.md)",
    )


QUIET = Quiet()
