# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `analyse/standing.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Standing:
    """What stands before an upper lid and is one with its skin (`analyse/standing.py`)."""

    least: float = number(
        0.03,
        "eye heights",
        0.01,
        0.2,
        "that a vertex stands before the skin behind it: folds of gene's lid by 0.04 to 0.08,"
        " lashes by more; skin that has no layers does not (nine training heads)",
    )
    most: float = number(
        0.7,
        "eye heights",
        0.3,
        2,
        "a lash stands before the skin by no more; the fringe of jeeliz_lama by up to 0.97",
    )
    high: float = number(
        0.65,
        "eye heights above the edge",
        0.3,
        1.5,
        "what reaches higher hangs down from elsewhere, as jeeliz_lama's fringe; an estimate, not"
        " fitted",
    )
    aside: float = number(
        1.4, "half widths of the eye", 1, 2, "from its middle, as lashes are sought; not fitted"
    )
    below: float = number(
        0.3, "eye heights below the edge", 0, 1, "where they are sought; an estimate, not fitted"
    )
    reach: float = number(
        1.0, "eye heights above the edge", 0.5, 2, "where they are sought; an estimate, not fitted"
    )
    far: float = number(
        1.0, "eye heights", 0.5, 3, "behind the edge, where skin is sought; an estimate, not fitted"
    )
    facing: float = number(
        0.3,
        "cosine to the front",
        0,
        0.9,
        "of faces behind: the inside of a lid faces the eye; at 0.05 single vertices of"
        " MakeHuman's and Vitruvian's lids stand, at 0.3 none on four rigs",
    )
    few: int = number(
        4,
        "vertices",
        1,
        20,
        "that hang together, fewer of which are no lash: single ones are creases of a lid (two"
        " modelled heads)",
    )
    share: float = number(
        0.25,
        "share of a piece's vertices",
        0.05,
        0.9,
        "that stand in one that is a lash as a whole; an estimate, not fitted",
    )
    beside: float = number(
        0.2, "half widths of the eye", 0.05, 1, "what stands covers the skin beside it; not fitted"
    )
    under: float = number(
        0.5,
        "share of the way over which a lid's pull fades",
        0,
        0.9,
        "the skin under what stands goes down with the edge, over no more than this share: artists"
        " of gene and uka move it wholly up to 0.2 and 0.5 eye heights, and nothing at twice that",
    )
    at_once: int = number(
        64,
        "vertices",
        8,
        4096,
        "that are looked behind at once: next to each other, few faces lie behind them; for speed",
    )


STANDING = Standing()
