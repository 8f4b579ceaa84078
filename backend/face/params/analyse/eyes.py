# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of what finds eyes that are parts, and brows: `analyse/eyeballs.py`, `covered.py`,
`flat_features.py` and `brow_strips.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Eyeballs:
    """Which parts are balls, or the front of one, behind the lids (`analyse/eyeballs.py`)."""

    round: float = number(
        0.08,
        "share of the mean distance to the centre",
        0.01,
        0.3,
        "spread of the distances up to which a part is a ball; an estimate, not fitted",
    )
    even: float = number(
        0.85,
        "shortest by longest side of the box",
        0.5,
        1.1,
        "of a whole ball at least; an estimate, not fitted",
    )
    dome: float = number(
        0.3,
        "depth by longest side of the box",
        0.05,
        1,
        "at least, where only the front of a ball is modelled; an estimate, not fitted",
    )
    dome_aside: float = number(
        0.3,
        "half sizes of the part",
        0,
        1,
        "that the middle of such a front lies aside at most; an estimate, not fitted",
    )
    size_from: float = number(
        0.08,
        "canonical units, half the longest side",
        0.01,
        0.3,
        "an eyeball is larger; an estimate, not fitted",
    )
    size_to: float = number(
        0.95,
        "canonical units, half the longest side",
        0.4,
        2,
        "an eyeball is smaller: those of cartoon heads meet in the middle; an estimate, not fitted",
    )
    reach: float = number(
        0.6,
        "canonical units",
        0.1,
        2,
        "that an eyeball's centre lies from the lids' middle at most; an estimate, not fitted",
    )
    reach_radii: float = number(
        1.1,
        "of the ball's own radii",
        0.5,
        3,
        "the same for large balls; the greater counts; an estimate, not fitted",
    )
    shell: float = number(
        1.2,
        "radii around the ball's centre",
        1,
        2,
        "within which iris, cornea and pupil turn along; an estimate, not fitted",
    )
    most_of_part: float = number(
        0.9,
        "share of a part's vertices",
        0.5,
        1,
        "that must lie in the shell for the part to turn along; an estimate, not fitted",
    )


@dataclass(frozen=True)
class CoveredEyes:
    """How much of an eye its lids cover (`analyse/covered.py`)."""

    places_across: int = number(
        9, "places across the eye's middle", 3, 50, "that are looked at; an estimate, not fitted"
    )
    places_up: int = number(5, "places up", 2, 50, "the same; an estimate, not fitted")
    reach_across: float = number(
        0.5,
        "half widths of the eye from its middle",
        0.1,
        1,
        "up to which the places lie: where every open eye shows; an estimate, not fitted",
    )
    reach_up: float = number(
        0.15, "half widths of the eye", 0.03, 0.5, "the same up and down; an estimate, not fitted"
    )
    tall: float = number(
        1.0,
        "half widths of the eye",
        0.3,
        3,
        "above and below the middle within which it is looked for what is seen of an eye; an"
        " estimate, not fitted",
    )
    tall_rows: int = number(
        15, "rows of places", 3, 100, "over that height; an estimate, not fitted"
    )
    lid_depth: float = number(
        0.15,
        "canonical units",
        0.02,
        0.5,
        "behind the line between an eye's corners that its lids lie at most; what is farther in is"
        " a socket; an estimate, not fitted",
    )
    layer: float = number(
        0.8,
        "share of the places",
        0.3,
        1,
        "at which a piece lies close before the lids, from which on it is a layer on them; an"
        " estimate, not fitted",
    )
    behind: float = number(
        0.5,
        "canonical units",
        0.1,
        2,
        "behind closed lids within which the eye is; an estimate, not fitted",
    )


@dataclass(frozen=True)
class FlatEyes:
    """Eyes that lie before the skin, or on it, as flat parts (`analyse/flat_features.py`)."""

    least_area: float = number(
        0.5,
        "share of the found eye's width times its height",
        0.1,
        1,
        "the least that a flat part before the skin has for being the eye; an estimate, not fitted",
    )
    widest: float = number(
        2.0, "widths of the found eye", 1, 5, "of a flat part at most; an estimate, not fitted"
    )
    aside: float = number(
        0.5,
        "widths of the found eye",
        0.1,
        2,
        "that a flat part's middle lies aside at most; an estimate, not fitted",
    )
    filled: float = number(
        0.5,
        "share of its box, seen from ahead",
        0.1,
        0.78,
        "that a flat part covers at least: a round one covers pi/4, a lash less; an estimate, not"
        " fitted",
    )
    filled_places: int = number(
        15,
        "places along each side of the box",
        3,
        100,
        "at which that is looked at; an estimate, not fitted",
    )
    thick: float = number(
        0.3,
        "of a part's second largest spread",
        0.05,
        0.8,
        "its smallest one at most: a ball is not flat; an estimate, not fitted",
    )
    least_size: float = number(
        1e-4,
        "canonical units",
        1e-6,
        1e-2,
        "an eye that is narrower or lower is none; an estimate, not fitted",
    )
    drawn_wide: float = number(
        1.4,
        "half widths of the eye",
        0.8,
        3,
        "half the width of a drawn eye's flat part at most; an estimate, not fitted",
    )
    drawn_tall: float = number(
        0.75,
        "heights of the eye",
        0.3,
        2,
        "half the height of a part of a drawn eye at most; an estimate, not fitted",
    )
    drawn_high: float = number(
        0.25,
        "heights of the eye",
        0.05,
        1,
        "half the height of the tallest flat part at least; an estimate, not fitted",
    )
    level: float = number(
        0.25,
        "heights of the eye from its middle",
        0.05,
        0.5,
        "nearer parts are flat parts of the eye, higher ones its lash; an estimate, not fitted",
    )
    lash_level: float = number(
        0.6,
        "heights of the eye above its middle",
        0.3,
        1.5,
        "a lash's middle is lower; an estimate, not fitted",
    )
    wing: float = number(
        2.2,
        "half widths of the eye",
        1,
        5,
        "that half the lash above a drawn eye may reach; an estimate, not fitted",
    )
    rim: float = number(
        2.0,
        "sizes of the drawn eye",
        1,
        4,
        "a part around it, up to so wide and high, is its rim and is squashed with it: pm_crimsom's"
        " is 1.5 times as large (1 head); an estimate, not fitted",
    )


@dataclass(frozen=True)
class BrowStrips:
    """Brows that are parts of their own (`analyse/brow_strips.py`)."""

    near: float = number(
        0.35,
        "canonical units around the brow's middle",
        0.1,
        1,
        "within which a flat small part above the eye is a brow; an estimate, not fitted",
    )
    end: float = number(
        0.05,
        "share of a strip's vertices",
        0.005,
        0.3,
        "that are its end; an estimate, not fitted",
    )
    flat: float = number(
        0.6,
        "half heights by half widths of the part",
        0.1,
        1.5,
        "of a strip at most; an estimate, not fitted",
    )
    flat_more: float = number(
        0.02,
        "canonical units",
        0,
        0.1,
        "that half a strip may be higher than that, so that short ones count; an estimate, not"
        " fitted",
    )
    long_from: float = number(
        0.25,
        "lengths of the brow between its landmarks",
        0.05,
        0.6,
        "half a strip is wider; an estimate, not fitted",
    )
    long_to: float = number(
        0.9,
        "lengths of the brow between its landmarks",
        0.5,
        2,
        "half a strip is smaller in every direction; an estimate, not fitted",
    )


EYEBALLS = Eyeballs()
COVERED_EYES = CoveredEyes()
FLAT_EYES = FlatEyes()
BROW_STRIPS = BrowStrips()
