# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `locate/points.py`: what the encoder sees of a head. It was trained on crops made
so: another value asks for another training (`scripts/train`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number

TRAINED = "what the encoder was trained on; an estimate, not fitted"


@dataclass(frozen=True)
class Crop:
    """The part of a surface that the encoder sees, as points."""

    count: int = number(
        1024, "points", 64, 16_384, f"of a crop that landmarks are read from; {TRAINED}"
    )
    coarse_count: int = number(
        384,
        "points",
        32,
        16_384,
        f"of a crop that only asks whether a face is there; {TRAINED}",
    )
    glance_count: int = number(
        128,
        "points",
        32,
        16_384,
        "of a crop that is only compared with others: the surest are looked at again; followed from"
        " there 18 heads end where they do with `coarse_count` (docs/experiments/engine.md)",
    )
    centre_y: float = number(-0.3, "canonical units", -1, 0.5, f"a crop's middle; {TRAINED}")
    centre_z: float = number(-0.3, "canonical units", -1, 0.5, f"a crop's middle; {TRAINED}")
    radius: float = number(2.2, "canonical units", 1, 4, f"a crop's radius; {TRAINED}")
    cell: float = number(
        0.1,
        "canonical units",
        0.02,
        0.5,
        f"of the grid in which a crop looks at what is in front; {TRAINED}",
    )
    depth: float = number(
        0.7,
        "canonical units",
        0.1,
        4,
        "behind the foremost point of a cell that a crop still sees: through a fringe, not to the"
        f" back of the head; {TRAINED}",
    )
    grid: int = number(
        1024,
        "cells in the surface's radius of inertia",
        64,
        65_536,
        "in which triangles draw their priorities: finer than what shapes a face; an estimate, not"
        " fitted",
    )


CROP = Crop()
