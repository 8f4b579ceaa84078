# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/lids.py`: which parts lie in an opening. Heights are those that an eye's
landmarks say, half widths those between its corners.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class EyeParts:
    """Which parts lie in an opening as an eye, or as an eye's inner corner."""

    window_aside: float = number(
        1.4,
        "half widths from the middle",
        0.8,
        3,
        "within which parts of an eye are sought; an estimate, not fitted",
    )
    window_level: float = number(
        1.2,
        "heights beyond the edges",
        0.3,
        3,
        "the same up and down; an estimate, not fitted",
    )
    window_depth: float = number(
        2.5,
        "heights from the upper edge",
        0.5,
        6,
        "the same before and behind; an estimate, not fitted",
    )
    rim: float = number(
        0.2,
        "heights from the nearest edge",
        0.02,
        0.6,
        "within which an eye that is sewn to the lids goes with them; an estimate, not fitted:"
        " beyond it artists of four heads by three makers leave such whites where they are",
    )
    own: float = number(
        0.7,
        "share of a part's vertices",
        0.3,
        1,
        "a part has more of them in that window if it is this eye's; an estimate, not fitted",
    )
    fills_level: float = number(
        0.25,
        "share of the opening's height",
        0.05,
        0.45,
        "from its edges, beyond which a vertex fills it; an estimate, not fitted",
    )
    fills_aside: float = number(
        0.75,
        "half widths from the middle",
        0.3,
        1.2,
        "within which a vertex fills the opening; an estimate, not fitted",
    )
    floating: float = number(
        0.6,
        "share of a part's vertices",
        0.2,
        1,
        "that fill the opening in an eye, wherever it lies: pupils and highlights float in it; an"
        " estimate, not fitted",
    )
    back: float = number(
        0.05,
        "heights before the edges",
        0,
        0.5,
        "up to which a vertex is behind the lids; an estimate, not fitted",
    )
    behind: float = number(
        0.5,
        "share of a part's vertices",
        0.1,
        1,
        "an eye that does not float has more of them behind the lids; an estimate, not fitted",
    )
    probe_inner: float = number(
        0.3,
        "half widths from the middle",
        0.05,
        0.5,
        "where, beside the middle, an eye's faces must cover the opening; an estimate, not fitted",
    )
    probe_outer: float = number(
        0.6, "half widths from the middle", 0.3, 1, "the same; an estimate, not fitted"
    )
    probe_beside: float = number(
        0.15,
        "share of the way between the edges",
        0.02,
        0.45,
        "by which such places lie below and above the middle between them; an estimate, not fitted",
    )
    covered: float = number(
        0.5,
        "share of these places",
        0.1,
        1,
        "that an eye's faces cover: one of few vertices has them around its rim; an estimate, not"
        " fitted",
    )
    corner: float = number(
        0.6,
        "half widths inwards from the middle",
        0.2,
        1,
        "from which on what lies behind the edges is an eye's inner corner; an estimate, not"
        " fitted",
    )
    corner_behind: float = number(
        0.9,
        "share of its vertices",
        0.4,
        1,
        "that lie behind the edges in such a corner; an estimate, not fitted",
    )
    hollow: float = number(
        0.4,
        "radii of the eyeball",
        0.1,
        0.9,
        "a part of its shell that leaves so much around its axis free is a lash; an estimate, not"
        " fitted",
    )


EYE_PARTS = EyeParts()
