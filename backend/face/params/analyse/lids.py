# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/lids.py`: which vertices follow a lid's edge, and how far. Heights are
those that an eye's landmarks say, half widths those between its corners.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Lids:
    """How skin and lashes follow the edges of the lids."""

    meeting: float = number(
        0.1,
        "share of the opening",
        0,
        0.5,
        "that the lower lid rises by at least where eyes are tall, on heads unlike those learnt"
        " from; an estimate; without it 6 of 21 heads change (docs/reference/rules.md)",
    )
    tall_from: float = number(
        0.3,
        "canonical units, height of the opening",
        0,
        1,
        "from which on an eye begins to be tall; an estimate, not fitted",
    )
    tall_to: float = number(
        0.42,
        "canonical units, height of the opening",
        0.01,
        1.5,
        "from which on an eye wholly is; an estimate, not fitted",
    )
    meet: float = number(
        0.3,
        "half widths beyond the corner",
        0.05,
        1,
        "over which upper and lower lashes come to go the same way; an estimate, not fitted",
    )
    lash_from: float = number(
        0.6,
        "heights above the edge",
        0.1,
        1,
        "from which on what is no skin begins to leave the lid; an estimate, not fitted",
    )
    lash_to: float = number(
        1.1,
        "heights above the edge",
        0.5,
        3,
        "from which on it no longer rides; an estimate, not fitted",
    )
    whole: float = number(
        1.15,
        "heights above the edge",
        0.5,
        3,
        "a lash, or the line of a crease, that reaches no higher rides as a whole; an estimate, not"
        " fitted",
    )
    below: float = number(
        0.8,
        "heights below the lower edge",
        0.2,
        3,
        "over which a correction fades; an estimate, not fitted",
    )
    room_from: float = number(
        0.5,
        "heights above the upper edge",
        0.1,
        1,
        "the least over which a correction fades; an estimate, not fitted",
    )
    room_to: float = number(
        1.5,
        "heights above the upper edge",
        0.6,
        4,
        "the most over which a correction fades; an estimate, not fitted",
    )
    room_to_brow: float = number(
        0.75,
        "share of the way from the edge to the brow",
        0.2,
        1,
        "over which a correction fades, within room_from and room_to; an estimate, not fitted",
    )
    least_gap: float = number(
        0.05,
        "heights",
        0.005,
        0.3,
        "an opening counts as at least so high where a place between its edges is told; an"
        " estimate, not fitted",
    )
    cover_from: float = number(
        0.35,
        "heights before the edges",
        0.05,
        0.55,
        "from which on what is no skin begins to stop following the lids; an estimate, not fitted",
    )
    cover_to: float = number(
        0.6,
        "heights before the edges",
        0.4,
        2,
        "from which on it does not follow: hair hangs there; an estimate, not fitted",
    )
    inside_from: float = number(
        0.5,
        "heights behind the edges",
        0.1,
        1,
        "from which on following fades: the inside of a lid goes along; an estimate, not fitted",
    )
    inside_to: float = number(
        1.2,
        "heights behind the edges",
        0.6,
        4,
        "from which on nothing follows: the socket stays; an estimate, not fitted",
    )
    before: float = number(
        2.0,
        "heights before the eye's middle",
        0.5,
        6,
        "beyond which nothing follows; an estimate, not fitted",
    )
    outward_from: float = number(
        0.4,
        "share of a lash's extent that stands out from the face",
        0,
        0.58,
        "from which on it begins to droop at a blink; an estimate, not fitted",
    )
    outward_to: float = number(
        0.6,
        "share of a lash's extent that stands out from the face",
        0.45,
        1,
        "from which on it droops wholly; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Lashes:
    """Which parts, and pieces of the skin, are lashes."""

    rooted: float = number(
        0.2,
        "heights from an edge",
        0.05,
        0.6,
        "within which a lash begins; a brow does not; an estimate, not fitted",
    )
    upper_level: float = number(
        0.6,
        "heights from the upper edge",
        0.1,
        1.5,
        "within which a lash's vertices lie; an estimate, not fitted",
    )
    lower_level: float = number(
        0.45,
        "heights from the lower edge",
        0.1,
        1.5,
        "within which a lash's vertices lie; an estimate, not fitted",
    )
    ahead: float = number(
        0.5,
        "heights before the edge",
        0,
        2,
        "about which a lash's vertices lie; an estimate, not fitted",
    )
    ahead_reach: float = number(
        1.2,
        "heights from there",
        0.3,
        3,
        "within which they do; an estimate, not fitted",
    )
    near_edge: float = number(
        0.25,
        "share of a part's vertices",
        0.05,
        0.7,
        "that lie so next to an edge in a lash; an estimate, not fitted",
    )
    filling: float = number(
        0.12,
        "share of a part's vertices",
        0.01,
        0.5,
        "that fill the opening: less in a lash, more in an eye that is behind; an estimate, not"
        " fitted",
    )
    ring: float = number(
        0.2,
        "share of a lash's vertices next to the lower edge",
        0.05,
        0.6,
        "from which on it goes all around the eye; an estimate, not fitted",
    )
    under: float = number(
        0.3,
        "half widths from the middle",
        0.05,
        0.9,
        "within which some of it then lies next to the lower edge; an estimate, not fitted",
    )
    sewn: float = number(
        0.2,
        "heights from an edge",
        0.05,
        0.6,
        "within which a lash is sewn to the skin; an estimate, not fitted",
    )
    flap: float = number(
        0.6,
        "heights from an edge",
        0.2,
        2,
        "within which a lash that is sewn to the skin reaches; an estimate; without it gene's"
        " lids close by 0.98 and not 0.92 as far as her artist's, and no other of 21 heads "
        "changes (docs/reference/rules.md)",
    )
    flap_aside: float = number(
        1.6,
        "half widths from the middle",
        1,
        3,
        "within which such a lash lies; an estimate, not fitted",
    )
    flap_sewn: float = number(
        0.7,
        "share of its vertices",
        0.2,
        1,
        "that are sewn to the skin at most: more is skin; an estimate, not fitted",
    )


LIDS = Lids()
LASHES = Lashes()
