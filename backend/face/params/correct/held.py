# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/held.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Held:
    """How joined lips move together."""

    joined_to: float = number(
        0.6,
        "half widths of the mouth",
        0,
        1.2,
        "up to which around the middle of joined lips these move together; an estimate, not fitted",
    )
    joined_from: float = number(
        1.8,
        "half widths of the mouth",
        1.2,
        4,
        "from which on around the middle of joined lips nothing is held; an estimate, not fitted",
    )
    together: float = number(
        0.25,
        "times for each square of edges in half a mouth's width",
        0.01,
        4,
        "offsets there are made even so often: what one lip does and the other does not is "
        "spread as far on a fine mesh as on a coarse one. The sample head has 10 edges, "
        "Blender's monkey 2; an estimate, not fitted",
    )
    rounds: int = number(
        48,
        "times",
        1,
        500,
        "offsets are made even no oftener; an estimate, not fitted",
    )


HELD = Held()
