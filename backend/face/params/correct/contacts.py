# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/contacts.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Contacts:
    """How lids and lips are made to meet."""

    gain_least: float = number(
        0.6,
        "factor on a shape",
        0.1,
        1,
        "a lesser gain says that something else is wrong, and is not followed further; an estimate,"
        " not fitted",
    )
    gain_most: float = number(
        2.5,
        "factor on a shape",
        1,
        10,
        "a greater gain says that something else is wrong, and is not followed further; an"
        " estimate, not fitted",
    )
    gain_moved: float = number(
        1e-3,
        "canonical units",
        1e-5,
        0.02,
        "a shape that goes less far gets no gain; an estimate, not fitted",
    )
    edge_quantile: float = number(
        0.88,
        "quantile",
        0.5,
        1,
        "of the vertices next to a lid that move, the movement that is taken for its edge's; an"
        " estimate, not fitted",
    )
    edge_moved: float = number(
        0.5,
        "share of the farthest vertex",
        0,
        0.95,
        "vertices next to a lid that go less far do not count; an estimate, not fitted",
    )
    lip_vertices: int = number(
        16,
        "vertices",
        4,
        64,
        "next to the lips' landmarks that are taken for their edges: more would take in a bag or"
        " teeth behind; an estimate, not fitted",
    )
    squint_least: float = number(
        0.8,
        "factor on a squint",
        0.3,
        1,
        "down to which it is scaled as a whole to close no more, which keeps its direction; an"
        " estimate, not fitted",
    )
    lip_reach: float = number(
        0.7,
        "half widths of the mouth",
        0.1,
        2,
        "from a lip's edge over which a correction fades; an estimate, not fitted",
    )
    bag_from: float = number(
        0.3,
        "half widths of the mouth",
        0,
        0.6,
        "behind the lips at which a correction begins to fade; an estimate, not fitted",
    )
    bag_to: float = number(
        0.8,
        "half widths of the mouth",
        0.6,
        2,
        "behind the lips at which a correction has faded; an estimate, not fitted",
    )
    side_gain: float = number(
        6.0,
        "times the side, which is -1 to 1",
        1,
        50,
        "a vertex whose side is nearer to 0 than 1 over this is between the lips, and goes in part"
        " with both; an estimate, not fitted",
    )


CONTACTS = Contacts()
