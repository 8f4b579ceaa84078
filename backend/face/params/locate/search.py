# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of the search for a face: `locate/search.py` and `encoder_search.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Search:
    """How the encoder's answers are followed to a face (`locate/encoder_search.py`)."""

    keep: int = number(5, "proposals", 1, 50, "that are followed; an estimate, not fitted")
    glimpsed: int = number(
        2,
        "proposals",
        1,
        20,
        "that are followed of those that look where avatars look; an estimate, not fitted",
    )
    plain: float = number(
        0.999,
        "confidence",
        0.5,
        1.05,
        "above which other sizes of what looks where avatars look are not looked at; an estimate,"
        " not fitted",
    )
    batch: int = number(
        32, "proposals", 1, 1024, "that the encoder looks at at once; an estimate, not fitted"
    )
    follow: int = number(
        3, "steps", 1, 20, "of each proposal that is followed; an estimate, not fitted"
    )
    settle: int = number(10, "steps", 1, 100, "of the winner at most; an estimate, not fitted")
    settle_soon: int = number(
        4,
        "steps",
        1,
        100,
        "the same in a whole mesh from what was seen first in a part of it: of six avatars whose"
        " names tell hair four rest by then, the others come to no rest at all",
    )
    size_step: float = number(
        2.5,
        "times",
        1.1,
        10,
        "by which a step changes the size at most: no more than the encoder has learnt; an"
        " estimate, not fitted",
    )
    rest: float = number(
        5e-4,
        "canonical units",
        1e-6,
        0.05,
        "a shorter step ends the settling; with 0.002 scores are the same, but uka's shapes "
        "differ by more than 1 % where she lies (1 head, docs/experiments/figures.md)",
    )
    foreseen: float = number(
        3e-4,
        "canonical units",
        0,
        5e-4,
        "a way ends where its next step would be shorter, if steps go on to shorten as the last one"
        " did; landmarks of avatars move by 0.0016 of an eye's width at most",
    )
    roughly: float = number(
        0.01,
        "canonical units",
        5e-4,
        0.1,
        "the same of a way that is gone on in a larger mesh; an estimate, not fitted",
    )
    cycle: int = number(
        6,
        "steps",
        1,
        60,
        "at the end whose mean counts: a multiple of the short cycles that crops fall into; an"
        " estimate, not fitted",
    )
    again: float = number(
        1e-4,
        "canonical units, sines and logarithm of the size",
        1e-7,
        4e-4,
        "between a frame and one passed before that is the same: the way goes round, as it would"
        " for ever; an estimate, not fitted",
    )
    astray: float = number(
        0.2,
        "confidence",
        0.01,
        1,
        "lost while settling that says that the way led astray; an estimate, not fitted",
    )
    alike: float = number(
        0.2,
        "canonical units, sines and logarithm of the size",
        0.01,
        1,
        "within which two ways have ended at the same frame; an estimate, not fitted",
    )
    drawn_some: int = number(
        4,
        "followed proposals",
        1,
        50,
        "that end at one frame, from which on a face draws them there, if one of them looked surely"
        " like one; an estimate, not fitted",
    )
    drawn_some_sure: float = number(
        0.95,
        "confidence",
        0.3,
        1,
        "that one of those must have had on its way; an estimate, not fitted",
    )
    drawn_all: int = number(
        5,
        "followed proposals",
        1,
        50,
        "the same, if one of them looked a little like a face: the more agree, the less; an"
        " estimate, not fitted",
    )
    drawn_all_sure: float = number(
        0.25,
        "confidence",
        0,
        1,
        "that one of those must have had on its way; an estimate; godette is found by it (1 "
        "head, docs/experiments/training.md)",
    )
    steady: float = number(
        0.7,
        "confidence",
        0.2,
        1,
        "in a symmetric place that draws proposals, however little the encoder believes it in the"
        " end; an estimate, not fitted",
    )
    lopsided_from: float = number(
        0.15,
        "share of mirrored points with a partner",
        0,
        0.4,
        "from which on a find the other way up begins to be believed; an estimate, not fitted",
    )
    lopsided_to: float = number(
        0.45,
        "share of mirrored points with a partner",
        0.2,
        1,
        "from which on a find the other way up is believed; an estimate, not fitted",
    )
    eyes_alike: float = number(
        0.9,
        "share of the wider eye's height",
        0.5,
        1,
        "below which the other eye is closed and its landmarks are the wider one's in the mirror;"
        " 0.97 at least on the avatars whose halves mirror, 0.76 to 0.86 where a blink is nine"
        " tenths done",
    )
    symmetric: float = number(
        0.7,
        "share of mirrored points with a partner",
        0.3,
        1,
        "from which on a face is taken for symmetric; an estimate, not fitted",
    )
    resting: int = number(
        24,
        "proposals",
        2,
        200,
        "that are followed because a look moves them least, where no face was believed: with these"
        " 11 of 23 avatars are found at their place whatever the encoder believes, and of 37 heads"
        " and bodies without a face none (docs/experiments/figures.md)",
    )
    resting_among: int = number(
        400,
        "proposals",
        50,
        5000,
        "among which these are, the likeliest: two directions up that something hints at have 342",
    )
    resting_on: int = number(
        12,
        "proposals",
        2,
        200,
        "of these that are followed further; with all of them 13 avatars are found, not 11",
    )
    resting_together: int = number(
        2, "of these", 1, 20, "that must end at one frame; the same count of heads"
    )
    jitter: float = number(
        4.0,
        "degrees",
        0.5,
        15,
        "by which frames are turned whose landmarks are averaged; by one draw of points alone they"
        " vary by a tenth of the eye's width",
    )
    jitter_room: float = number(
        1.2,
        "radii of a crop",
        1,
        2,
        "within which points are kept for such frames; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Finding:
    """When a face counts as found (`locate/search.py`)."""

    thinned: int = number(
        16_384,
        "points",
        512,
        1_000_000,
        "that the coarse search looks at; an estimate, not fitted",
    )
    sure: float = number(
        0.6,
        "confidence",
        0.2,
        1,
        "below it there is no face; an estimate; of 63 scenes 41 have a find above it, of "
        "which 38 are right (docs/experiments/figures.md)",
    )
    likely: float = number(
        0.2,
        "confidence",
        0.02,
        0.8,
        "the same where head weights or a mask say where the head is: then a doubtful face is"
        " better than none, and is warned of; an estimate, not fitted",
    )
    hardly: float = number(
        0.1,
        "confidence",
        0.07,
        0.5,
        "the same of a glimpse inside the user's mask, whose word counts for more than the search;"
        " cube, sphere and neck get 0.06",
    )
    certain: float = number(
        0.99,
        "confidence",
        0.5,
        1,
        "above it no other size and no other direction is tried; an estimate, not fitted",
    )
    doubt: float = number(
        0.85, "confidence", 0.3, 1.05, "below it the report warns; an estimate, not fitted"
    )
    margin: float = number(
        0.15,
        "share of the marked head's size",
        0,
        1,
        "by which the eyes may lie outside its box; an estimate, not fitted",
    )
    agreed: float = number(
        0.1,
        "canonical units, mean way between landmarks",
        0.01,
        0.5,
        "within which a face seen with hair and without is one; half of Search.alike; an estimate,"
        " not fitted",
    )
    featured: float = number(
        0.75,
        "confidence",
        0.2,
        1,
        "in a face of which eyes and mouth are plain to see and which the encoder does not "
        "know; an estimate; of five cartoon heads that are found so, by 2 makers, four are "
        "right (docs/experiments/figures.md)",
    )
    rested: float = number(
        0.7,
        "confidence",
        0.2,
        0.84,
        "in a place where ways come to rest and the mesh has open eyes and lips; below what is not"
        " warned of",
    )
    beside: float = number(
        0.75,
        "canonical units between the middles of the eyes",
        0.1,
        3,
        "within which features are those of a face that was found; an estimate, not fitted",
    )
    twice: float = number(2.0, "times its size", 1.1, 5, "the same; an estimate, not fitted")


@dataclass(frozen=True)
class Progress:
    """What a search reports of itself: shares of its work."""

    begun: float = number(0.05, "share", 0, 0.2, "an estimate, not fitted")
    tries_from: float = number(
        0.1, "share", 0, 0.4, "before the first try; an estimate, not fitted"
    )
    tries: float = number(0.7, "share", 0.1, 0.85, "of all tries; an estimate, not fitted")
    found: float = number(0.85, "share", 0.5, 1.05, "an estimate, not fitted")


SEARCH = Search()
FINDING = Finding()
PROGRESS = Progress()
