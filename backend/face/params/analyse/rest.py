# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/rest.py`: what a face at rest keeps shapes from being right."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number

LESS = "an estimate, not fitted"


@dataclass(frozen=True)
class RestMouth:
    """Mouths that are joined, open, hidden or smiling."""

    middle: float = number(
        0.5,
        "half widths from an opening's middle",
        0.1,
        1,
        "within which its columns say what it is; an estimate, not fitted",
    )
    fewest: int = number(3, "columns", 1, 15, "of the middle at least; an estimate, not fitted")
    joined: float = number(
        0.2,
        "side of the upper less that of the lower lip",
        0.02,
        0.8,
        "below which they are joined; 33 heads with a slit: 0.54 and more, one chibi head 0.22; the"
        " sample heads with welded lips: 0.16 and less",
    )
    open: float = number(
        0.25,
        "half widths of the mouth between lips, by their median",
        0.05,
        1,
        "from which on it is open; of 33 neutral heads the most is 0.2; with the jaw at 0.3: 0.48",
    )
    smiling: float = number(
        0.28,
        "half widths of the mouth",
        0.1,
        0.8,
        "that the corners stand above the lips' middle, from which on it smiles; 33 neutral heads:"
        " up to 0.26 (a llama; 0.2 on people)",
    )
    hidden: float = number(
        0.7,
        "share of places on and around the lips",
        0.2,
        1,
        "with something close before them, from which on the mouth is hidden; an estimate, not"
        " fitted",
    )
    hidden_across: int = number(
        7, "places across", 2, 50, "that are looked at; an estimate, not fitted"
    )
    hidden_up: int = number(5, "places up", 2, 50, "the same; an estimate, not fitted")
    hidden_wide: float = number(
        0.8,
        "half widths of the mouth",
        0.2,
        2,
        "from the middle up to which these places lie; an estimate, not fitted",
    )
    hidden_high: float = number(
        0.6, "half widths of the mouth", 0.1, 2, "the same up and down; an estimate, not fitted"
    )
    before_from: float = number(
        0.05,
        "canonical units before the lips",
        0,
        0.5,
        "from which on something hides them; an estimate, not fitted",
    )
    before_to: float = number(
        0.9,
        "canonical units before the lips",
        0.2,
        3,
        "up to which something hides them; an estimate, not fitted",
    )
    tongue_out: float = number(
        0.02,
        "canonical units before the lips",
        0,
        0.2,
        "that a tongue sticks out at least; on 2 neutral heads it begins 0.1 behind them",
    )
    tongue_deep: float = number(
        0.2,
        "canonical units behind the lips",
        0.05,
        1,
        "that it begins: what a ring or a straw is made of does not; an estimate, not fitted",
    )
    tongue_slim: float = number(
        0.9,
        "half widths of the mouth",
        0.2,
        1.5,
        "half a tongue's own width at most; an estimate, not fitted",
    )


@dataclass(frozen=True)
class RestEyes:
    """Eyes that are closed or narrow."""

    narrow: float = number(
        0.19,
        "height to width of the opening",
        0.05,
        0.5,
        "below which an eye is half closed; 31 neutral heads with lids: 0.23 and more; eyes that"
        " artists closed by half: 0.15 to 0.2 on realistic heads",
    )
    shut_jump: float = number(
        0.4,
        "sides between upper and lower lid",
        0.05,
        1.5,
        "of an eye without an opening, from which on it is closed; an estimate, not fitted",
    )
    shut_apart: float = number(
        0.45,
        "half widths of the eye",
        0.1,
        1.5,
        "between such lids at most; an estimate, not fitted",
    )
    over_lid: float = number(
        0.75,
        "share of places in an eye's middle",
        0.2,
        1,
        "that its lids cover, from which on it is closed. 25 heads, 9 of 5 makers and modelled"
        " ones: with all of the artist's blink 0.8 and more are covered; of the neutral ones 0.56"
        " at most where 0.25 have an eye behind. Not told by it: eyes behind which nothing lies",
    )
    over_behind: float = number(
        0.3,
        "share of places in an eye's middle",
        0.05,
        1,
        "with something of an eye behind, from which on it is closed; on the same 25 heads 0.33"
        " have one with all of the artist's blink",
    )
    over_seen: float = number(
        0.02,
        "share of places above and below",
        0,
        0.2,
        "at which an eye is seen all the same, beyond which it is nearly closed; on the same 25"
        " heads 0.01 with all of the artist's blink, 0.03 and more with half of it where the middle"
        " is covered",
    )


@dataclass(frozen=True)
class Certainty:
    """How much less sure a finding makes the face and the shapes that it concerns."""

    joined_face: float = number(0.7, "factor", 0, 1, f"lips that are joined; {LESS}")
    joined_shapes: float = number(0.4, "factor", 0, 1, f"lips that are joined; {LESS}")
    open_face: float = number(0.8, "factor", 0, 1, f"an open mouth; {LESS}")
    open_shapes: float = number(0.7, "factor", 0, 1, f"an open mouth; {LESS}")
    tongue_face: float = number(0.8, "factor", 0, 1, f"a tongue that is out; {LESS}")
    tongue_shapes: float = number(0.5, "factor", 0, 1, f"a tongue that is out; {LESS}")
    smiling_face: float = number(0.9, "factor", 0, 1, f"a mouth that smiles; {LESS}")
    smiling_shapes: float = number(0.8, "factor", 0, 1, f"a mouth that smiles; {LESS}")
    hidden_face: float = number(0.7, "factor", 0, 1, f"a mouth that is hidden; {LESS}")
    hidden_shapes: float = number(0.6, "factor", 0, 1, f"a mouth that is hidden; {LESS}")
    closed_face: float = number(0.8, "factor", 0, 1, f"an eye that is closed; {LESS}")
    closed_shapes: float = number(0.6, "factor", 0, 1, f"an eye that is closed; {LESS}")
    narrow_face: float = number(0.9, "factor", 0, 1, f"an eye that is half closed; {LESS}")
    narrow_shapes: float = number(0.8, "factor", 0, 1, f"an eye that is half closed; {LESS}")
    missing_face: float = number(0.7, "factor", 0, 1, f"an eye that was not found; {LESS}")
    missing_shapes: float = number(0.4, "factor", 0, 1, f"an eye that was not found; {LESS}")
    no_eyes_face: float = number(0.5, "factor", 0, 1, f"no eyes at all; {LESS}")
    no_eyes_shapes: float = number(0.5, "factor", 0, 1, f"no eyes at all; {LESS}")


REST_MOUTH = RestMouth()
REST_EYES = RestEyes()
CERTAINTY = Certainty()
