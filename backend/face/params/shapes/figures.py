# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `shapes/figures.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Figures:
    """Where figures of a face are read (`shapes/figures.py`)."""

    parted: float = number(
        1.1,
        "ways from between the lips to the chin",
        0.5,
        3,
        "that lips part by at most: a little above the most that artists of eight training heads"
        " by six makers have at jawOpen (0.63 0.63 0.80 0.82 0.86 0.93 1.05 1.07)",
    )
    parted_least: float = number(
        0.2,
        "widths of the mouth",
        0,
        1,
        "that lips may part by wherever the chin is: artists of muzzles have 0.22 (two heads)",
    )
    drawn_mouth: float = number(
        0.41,
        "distances between the eyes",
        0.2,
        0.8,
        "that a drawn head's mouth is wide, the mean of gene and uka 0.28, godette 0.25,"
        " pm_bizdude and pm_crimsom 0.52, jeeliz_boy 0.6 (6 heads, 4 makers)",
    )
    other_mouth: float = number(
        0.8,
        "distances between the eyes",
        0.4,
        1.2,
        "that another head's mouth is wide: ICT-FaceKit 0.68, MakeHuman 0.94, Vitruvian and"
        " Antonia 0.80",
    )
    by_face: float = number(
        0.8,
        "exponent",
        0,
        1,
        "of the usual width of a mouth by its own, on how far lips part: 0 goes by the mouth, 1 by"
        " the face. Over the jawOpen of nine training heads by six makers it is 0.82",
    )
    by_face_least: float = number(
        0.6, "usual width by its own", 0.3, 1, "that counts at least; an estimate, not fitted"
    )
    by_face_most: float = number(
        2.5, "usual width by its own", 1, 5, "that counts at most; an estimate, not fitted"
    )
    near_mouth: int = number(
        8,
        "vertices",
        3,
        40,
        "next to a landmark of mouth and chin that are looked at; an estimate, not fitted",
    )
    near_eye: int = number(
        6,
        "vertices",
        3,
        40,
        "next to a landmark of lids and brows that are looked at; an estimate, not fitted",
    )
    near_lips: int = number(
        24,
        "vertices",
        4,
        120,
        "next to the middle between the lips that are looked at; an estimate, not fitted",
    )
    soft: float = number(
        1.5,
        "times as many vertices",
        1,
        5,
        "are looked at where the mean counts: less the farther off, so that no vertex comes in "
        "or falls out at once; an estimate, not fitted",
    )
    deep: float = number(
        0.35,
        "widths of the mouth",
        0.05,
        1,
        "in front of and behind the mouth's middle within which a vertex may be of its lips; "
        "also what a way inwards counts for; an estimate, not fitted",
    )
    lip_edge: float = number(
        0.08,
        "quantile",
        0,
        0.4,
        "of the vertices next to the lips that counts as an edge; an estimate, not fitted",
    )
    lid_rim: float = number(
        0.2,
        "quantile",
        0,
        0.45,
        "of the vertices next to a lid's landmark that counts as its edge; an estimate, not fitted",
    )


FIGURES = Figures()
