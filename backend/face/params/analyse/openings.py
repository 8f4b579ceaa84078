# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/openings.py`: the edges of lids and lips, column by column."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Openings:
    """How the edges of an opening are found. Heights are those that an eye's landmarks say, half
    widths those between its corners or the mouth's.
    """

    columns: int = number(41, "columns across an opening", 11, 401, "an estimate, not fitted")
    beyond: float = number(
        1.3,
        "half widths from the middle",
        1,
        2,
        "as far as which columns are looked at; an estimate, not fitted",
    )
    reach: float = number(
        1.1,
        "heights of the opening from its middle",
        0.6,
        3,
        "within which its edges are sought; an estimate, not fitted",
    )
    front: float = number(
        0.8, "heights of the opening", 0.2, 3, "the same in front; an estimate, not fitted"
    )
    back: float = number(
        0.7, "heights of the opening", 0.2, 3, "the same behind; an estimate, not fitted"
    )
    bend: float = number(
        0.6,
        "share of the bend through corners and middle",
        0,
        2,
        "by which an eye's middle line may bend back beyond its corners; an estimate, not fitted",
    )
    least_size: float = number(
        1e-4,
        "canonical units",
        1e-6,
        1e-2,
        "an opening that is narrower or lower is none; an estimate, not fitted",
    )
    behind: float = number(
        2.0,
        "heights",
        1.1,
        5,
        "of a height that one height behind makes up for: the inside of a lid hangs lower than its"
        " edge. Steeper, the edge is sought higher up where the skin beside the nose leans back; an"
        " estimate, not fitted",
    )
    fold_behind: float = number(
        1.0,
        "heights",
        0.3,
        1.9,
        "the same for lids that lean back behind the fold above them; an estimate, not fitted",
    )
    fold: float = number(
        0.85,
        "share of the opening's height",
        0.5,
        1,
        "that such lids leave open at most; an estimate, not fitted",
    )
    rim: float = number(
        0.25,
        "heights",
        0.01,
        0.6,
        "that a lid may be thick: its edge is sought so far ahead; an estimate, not fitted",
    )
    rim_slope: float = number(
        0.5,
        "heights per height ahead",
        0.1,
        2,
        "that a lid's rim rises at most; an estimate, not fitted",
    )
    rim_turn: float = number(
        1.6,
        "times the thickness of a lid",
        1.1,
        3,
        "within which skin that goes on ahead is no rim; an estimate, not fitted",
    )
    rim_share: float = number(
        0.5,
        "share of the open columns",
        0.1,
        0.95,
        "in which a lid's rim must end in a turn; an estimate, not fitted",
    )
    leave: float = number(
        8.0,
        "heights per squared height",
        1,
        50,
        "what leaving the edge of the last column costs; an estimate, not fitted",
    )
    start: float = number(
        0.25,
        "half widths from the middle",
        0.05,
        0.6,
        "columns within it say where an edge begins to be followed; an estimate, not fitted",
    )
    cover: float = number(
        0.15,
        "heights behind its edges",
        0.02,
        0.6,
        "from which on skin no longer closes a column; an estimate, not fitted",
    )
    hole: float = number(
        0.55,
        "share of the way between the edges",
        0.1,
        0.95,
        "that must be free of skin: lids have a thickness; an estimate, not fitted",
    )
    inner: float = number(
        0.6,
        "half widths from the middle",
        0.2,
        1,
        "columns within it must be open; an estimate, not fitted",
    )
    open: float = number(
        0.4,
        "share of the inner columns",
        0.1,
        0.9,
        "that must be open; an estimate, not fitted",
    )
    both: float = number(
        0.325,
        "half widths on both sides of the middle",
        0.05,
        0.8,
        "that must be open: half an opening misplaces the lids; an estimate, not fitted",
    )
    cracks: int = number(
        2,
        "columns",
        1,
        10,
        "beyond such a gap an opening is taken for two; an estimate, not fitted",
    )
    fewest: int = number(
        4, "columns", 2, 20, "of an eye's opening at least; an estimate, not fitted"
    )
    finer: int = number(
        16,
        "parts of the way from the last open column to the next",
        2,
        100,
        "by which an eye's opening goes on: no whole column hangs on a hair; an estimate, not"
        " fitted",
    )
    layer: float = number(
        0.04,
        "heights of the opening",
        0.005,
        0.2,
        "over which what lies on an edge counts as its layers; an estimate, not fitted",
    )
    layers: int = number(8, "layers", 1, 50, "that are looked at; an estimate, not fitted")
    bag: float = number(
        2.5,
        "half widths of the mouth",
        0.5,
        6,
        "of a height that one behind makes up for at lips: the bag behind them reaches up and down;"
        " an estimate, not fitted",
    )
    open_bag: float = number(
        0.5,
        "half widths of the mouth",
        0.3,
        2,
        "the same where the mouth may be open: a lip that hangs lies behind the other by more than"
        " below it. The sample head with its jaw at 0.6 and at 0.35 with a smile: 0.3 and 0.5 find"
        " the edge, from 0.8 on what is found lies 3 mm too far out",
    )
    open_slit: float = number(
        1.5,
        "half widths of the mouth",
        0.5,
        4,
        "within which lips are sought that are open: a jaw that hangs; an estimate, not fitted",
    )
    slit: float = number(
        0.5,
        "half widths of the mouth",
        0.2,
        1.5,
        "from the line between its corners and its middle within which lips are sought; an"
        " estimate, not fitted",
    )
    shut_lids: float = number(
        0.9,
        "half widths of the eye",
        0.3,
        2,
        "the same for an eye whose lids are closed: its landmarks lie farther off; an estimate, not"
        " fitted",
    )
    known: float = number(
        0.02,
        "side, 0 between lips to 1 on the upper one",
        0.001,
        0.3,
        "sides nearer to 0 say nothing; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Fading:
    """Where a movement of lids fades beside an eye."""

    ends: float = number(
        1.05,
        "half widths from the middle",
        1,
        1.5,
        "it fades at least up to there, where the corners are; an estimate, not fitted",
    )
    least: float = number(
        0.2, "half widths", 0.02, 0.5, "over which it fades at least; an estimate, not fitted"
    )
    steep: float = number(
        1.0,
        "half widths for each that the last column is open",
        0.2,
        3,
        "over which it fades: where the side of an eye is steep, the skin beside it gives way; an"
        " estimate, not fitted",
    )
    widest: float = number(
        0.6, "half widths", 0.3, 2, "over which it fades at most; an estimate, not fitted"
    )


@dataclass(frozen=True)
class WholeOpenings:
    """How an eye's opening is looked for around where landmarks say (`analyse/whole_opening.py`).
    Heights are those that landmarks say, half widths those between an eye's corners.
    """

    shift: float = number(
        0.3,
        "heights of the opening",
        0.05,
        0.55,
        "by which it is looked for above and below; an estimate, not fitted",
    )
    shift_far: float = number(
        0.6,
        "heights of the opening",
        0.2,
        2,
        "by which it is looked for below at last; an estimate, not fitted",
    )
    stretch: float = number(
        1.5,
        "times the height that landmarks say",
        1.05,
        4,
        "the same again, so much higher; an estimate, not fitted",
    )
    near: float = number(
        1.3,
        "widths of an eye around its middle",
        0.6,
        3,
        "in which its opening lies; an estimate, not fitted",
    )
    inner: float = number(
        0.75,
        "share of that",
        0.3,
        1,
        "within which a border of the skin counts as one; an estimate, not fitted",
    )
    columns: int = number(
        12,
        "open columns",
        3,
        41,
        "from which on an opening is taken; an estimate, not fitted",
    )
    least: float = number(
        0.3,
        "share of the height that landmarks say",
        0.05,
        0.8,
        "a lower gap between lids is a crack in what lies in the eye; an estimate, not fitted",
    )


OPENINGS = Openings()
WHOLE_OPENINGS = WholeOpenings()
FADING = Fading()
