# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `locate/proposals.py`: frames that may show a face."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Proposals:
    """Frames that may show a face (`locate/proposals.py`)."""

    headings: int = number(
        8,
        "headings around the up axis",
        3,
        64,
        "45 degrees apart; the encoder copes with 38 degrees",
    )
    size_head: float = number(
        6.0,
        "canonical units in the extent along up",
        3,
        12,
        "of a head, the likeliest; an estimate, not fitted",
    )
    size_body: float = number(
        20.0,
        "canonical units in the extent along up",
        10,
        40,
        "of a body, tried second; an estimate, not fitted",
    )
    size_face: float = number(
        3.2,
        "canonical units in the extent along up",
        1.5,
        6,
        "of a face, tried third; an estimate, not fitted",
    )
    size_figurine: float = number(
        11.0,
        "canonical units in the extent along up",
        6,
        20,
        "of a figurine, tried fourth; an estimate, not fitted",
    )
    size_props: float = number(
        36.0,
        "canonical units in the extent along up",
        20,
        100,
        "of a body with props, tried last; an estimate, not fitted",
    )
    depth_fringe: float = number(
        1.0,
        "canonical units from the top of the mesh",
        0.3,
        2,
        "to the eyes of a head cut off at its fringe; an estimate, not fitted",
    )
    depth_head: float = number(
        2.0,
        "canonical units from the top of the mesh",
        1,
        3,
        "to the eyes of a head; an estimate, not fitted",
    )
    depth_hair: float = number(
        3.0,
        "canonical units from the top of the mesh",
        1.5,
        5,
        "to the eyes of a head with much hair; an estimate, not fitted",
    )
    depth_ears: float = number(
        4.2,
        "canonical units from the top of the mesh",
        2,
        8,
        "to the eyes of a head with tall hair or ears; an estimate, not fitted",
    )
    other_up: float = number(
        10.0,
        "degrees",
        1,
        45,
        "nearer directions count as one that may be up; an estimate, not fitted",
    )
    ends: float = number(
        0.001,
        "share of the points",
        0,
        0.02,
        "that the mesh's top and bottom leave out; an estimate, not fitted",
    )
    slab: float = number(
        0.6,
        "canonical units",
        0.2,
        1.5,
        "above and below the eyes' height that are looked at; an estimate, not fitted",
    )
    slab_reach: float = number(
        3.0,
        "canonical units",
        1,
        6,
        "from that slab's middle; an estimate, not fitted",
    )
    slab_fewest: int = number(4, "points", 1, 100, "of a slab at least; an estimate, not fitted")
    line: float = number(
        0.6,
        "canonical units",
        0.1,
        2,
        "to both sides of the middle, where a face's front is; an estimate, not fitted",
    )
    front: float = number(
        0.95,
        "share of the points there",
        0.5,
        1,
        "that lie behind the front; an estimate, not fitted",
    )
    eyes_behind: float = number(
        0.2,
        "canonical units",
        0,
        1,
        "that eyes lie behind the front; an estimate, not fitted",
    )


PROPOSALS = Proposals()
