# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `locate/refine.py`: landmarks moved to the mesh's openings."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class RefineEyes:
    """Lids and corners of eyes. Half widths are those between an eye's corners."""

    met_from: float = number(
        0.25,
        "share of its greatest height",
        0.05,
        0.43,
        "an opening that ends lower is wholly believed to come to its corner; with it "
        "landmarks are off by 0.067 of an eye's width, by 0.071 where the last open column is"
        " the end; the number of heads was not kept (docs/experiments/training.md)",
    )
    met_to: float = number(
        0.45,
        "share of its greatest height",
        0.31,
        1,
        "one that ends higher is not believed; an estimate, not fitted",
    )
    short_from: float = number(
        0.55,
        "half widths from the middle",
        0.2,
        0.8,
        "what ends before that is ended by a lash or a fold; an estimate, not fitted",
    )
    short_to: float = number(
        0.85,
        "half widths from the middle",
        0.67,
        1.2,
        "what goes beyond it is ended by its corner; an estimate, not fitted",
    )
    step: float = number(
        0.065,
        "half widths",
        0.01,
        0.2,
        "over which the edges are smoothed, a column of openings; an end is read half of it before;"
        " an estimate, not fitted",
    )
    beside: float = number(
        0.1,
        "canonical units",
        0.02,
        0.3,
        "above and below the encoder's place that eyes are looked for where it has none, step by"
        " step: it sees eyes up to 0.2 beside their place on warped heads of two makers",
    )
    beside_steps: int = number(2, "steps", 1, 6, "up and down, of these")
    beside_deep: float = number(
        0.1,
        "canonical units",
        0.02,
        0.5,
        "that lids found so may lie before or behind the encoder's: 0.06 where it was one, 0.13 and"
        " more where folds of a muzzle and of a brow were none",
    )


@dataclass(frozen=True)
class RefineMouth:
    """Lips and corners of the mouth. Half widths are those between the found corners."""

    around_wide: float = number(
        1.6,
        "half widths from the lips' middle",
        1,
        3,
        "within which lips are sought; an estimate, not fitted",
    )
    around_high: float = number(
        1.2,
        "half widths from the lips' middle",
        0.4,
        3,
        "the same up, down and in depth; an estimate, not fitted",
    )
    sure_side: float = number(
        0.1,
        "side, 0 between lips to 1 on the upper one",
        0.01,
        0.5,
        "that a vertex of a lip surely has; an estimate, not fitted",
    )
    near_lip: float = number(
        0.25,
        "half widths",
        0.05,
        1,
        "within which lips that lie on each other are; an estimate, not fitted",
    )
    near_lip_share: float = number(
        0.1,
        "share of the lips' vertices",
        0.01,
        0.5,
        "that count as lying on each other at least; an estimate, not fitted",
    )
    middle: float = number(
        0.3,
        "half widths from the lips' middle",
        0.05,
        0.8,
        "within which the middles of lips are read; an estimate, not fitted",
    )
    nearest: int = number(
        4,
        "vertices nearest to the other lip",
        1,
        50,
        "whose mean is a lip's middle; an estimate, not fitted",
    )
    front: float = number(
        0.12,
        "half widths behind the foremost of them",
        0.02,
        0.5,
        "up to which an edge is a lip and not a bag; an estimate, not fitted",
    )
    closed_side: float = number(
        0.01,
        "side, 0 between lips to 1 on the upper one",
        0,
        0.2,
        "the least at which lips are still told apart towards a corner; an estimate, not fitted",
    )
    closed_apart: float = number(
        0.1,
        "half widths",
        0.01,
        0.5,
        "between such lips at most; an estimate, not fitted",
    )
    ends: int = number(
        6,
        "vertices of half a slit",
        2,
        50,
        "from which on its end is taken for the corner; an estimate, not fitted",
    )
    alone: float = number(
        0.15,
        "side, 0 between lips to 1 on the upper one",
        0.01,
        0.25,
        "of a slit's last vertex, below which it is the corner by itself, where those before it"
        " are of one lip: slits of few vertices; an estimate, not fitted",
    )
    nudge: float = number(
        0.25,
        "half widths",
        0.02,
        1,
        "by which a corner is moved at most: lips that bend apart end a slit too early; an"
        " estimate, not fitted",
    )
    fading: float = number(
        0.03,
        "half widths",
        0.001,
        0.3,
        "beyond which a corner that far off is not followed at all: nothing hangs on a hair; an"
        " estimate, not fitted",
    )
    smallest: float = number(
        0.4,
        "of the found half width",
        0.1,
        0.9,
        "the least that a slit between lips that grow together at its ends may say; an estimate,"
        " not fitted",
    )
    together: float = number(
        0.25,
        "side, 0 between lips to 1 on the upper one",
        0.02,
        0.9,
        "at a slit's end, below which lips grow together there: it is the corner, however far from"
        " the found one; an estimate, not fitted",
    )


REFINE_EYES = RefineEyes()
REFINE_MOUTH = RefineMouth()
