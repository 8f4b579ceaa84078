# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/sizes.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Sizes:
    """How far shapes are scaled towards the sizes that makers give them."""

    least: float = number(
        0.4,
        "factor on a shape",
        0.1,
        1,
        "no shape is scaled down further; an estimate, not fitted",
    )
    most: float = number(
        3.0,
        "factor on a shape",
        1,
        10,
        "no shape is scaled up further; 3 and 4 are nearly the same: usable of gene and uka "
        "is 0.73 and 0.75 (2 heads, docs/experiments/training.md)",
    )
    noise: float = number(
        9.0,
        "factor on a shape",
        2,
        30,
        "a shape that is too small by more counts as none and stays as it is: makers of one "
        "kind of head differ by a factor of 5; an estimate; without it none of 21 heads "
        "changes: a guard (docs/reference/rules.md)",
    )
    widest: float = number(
        2.0,
        "factor on a shape",
        1,
        5,
        "the subtle and the bold end of the style differ from its middle by no more; an estimate,"
        " not fitted",
    )
    peak_vertices: int = number(
        8192,
        "vertices",
        256,
        1 << 20,
        "in which the peak is sought: of more, every second, third and so on; an estimate, not"
        " fitted",
    )
    peak_quantile: float = number(
        0.9,
        "quantile",
        0.5,
        1,
        "of the vertices that move, the movement that is the shape's peak; an estimate, not fitted",
    )
    peak_moved: float = number(
        0.3,
        "share of the farthest vertex",
        0,
        0.9,
        "vertices that move less do not count for the peak; an estimate, not fitted",
    )
    many_heads: float = number(
        6.0,
        "heads",
        1,
        50,
        "from which on the median of a figure is as sure as it gets; an estimate, not fitted",
    )
    other_kind: float = number(
        0.5,
        "heads",
        0,
        10,
        "what the median of the other kind of head, drawn or not, counts for; an estimate; 2 "
        "and 4 instead leave jeeliz_boy's usable shapes the same and make uka's fewer (2 "
        "heads, docs/experiments/training.md)",
    )
    figure_weight: float = number(
        2.0,
        "makers",
        0.1,
        10,
        "what a head in a figure's median counts for beside a maker in a peak's: figures are what a"
        " shape is for; an estimate, not fitted",
    )
    alike: float = number(
        0.5,
        "cosine",
        0,
        0.95,
        "of a shape's figures with those wanted, above which they tell its size; an estimate, not"
        " fitted",
    )
    tiny: float = number(
        0.1,
        "share of the figures wanted",
        0,
        0.5,
        "above which a shape's figures tell its size; an estimate, not fitted",
    )
    beside_from: float = number(
        0.25,
        "share of the peak",
        0,
        0.5,
        "a figure below it is not believed: the landmark lies beside what moves; an estimate;"
        " without it 4 of 21 heads change, and fewer of jeeliz_lama's shapes are usable by "
        "0.17 (docs/reference/rules.md)",
    )
    beside_to: float = number(
        0.6,
        "share of the peak",
        0.45,
        1,
        "a figure above it is wholly believed; an estimate, not fitted",
    )
    bold: float = number(
        1.4,
        "factor on a shape of a drawn head",
        1,
        2,
        "makers of drawn heads are bolder than their medians tell, taken figure by figure: shapes"
        " of the drawn heads of data/avatars that have more than vowels (gene, uka, jeeliz_boy,"
        " jeeliz_lama: 4 heads, 2 makers) are 1.02, 1.03, 0.77 and 1.12 times as large as their"
        " artists', without it 0.84 to 1.04",
    )
    stays: float = number(
        0.5,
        "share of a logarithm",
        0,
        1,
        "what a shape of a drawn head keeps of its size above makers' median: there makers differ"
        " by factors (smiles 0.05 to 0.55 of the mouth's width), and a bold shape is no error."
        " Without it jeeliz_boy has 3 usable shapes of 8, with it 7; gene and uka have as many",
    )


SIZES = Sizes()
