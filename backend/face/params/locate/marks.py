# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `locate/marks.py`: landmarks that somebody placed."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number

LEARNT = "the share of the heads that the model has learnt from, to a tenth of a unit"


@dataclass(frozen=True)
class Marks:
    """Whether landmarks can be a face's."""

    far: float = number(
        0.35,
        "canonical units",
        0.2,
        1,
        "from the surface at most, a third of the way between the eyes; the sample head's brows,"
        " drawn on nothing, lie 0.2 from its surface",
    )
    far_of_mesh: float = number(
        0.1,
        "share of the mesh's extent",
        0.02,
        0.5,
        "the same where no frame tells the head's size; an estimate, not fitted",
    )
    least: float = number(
        0.02,
        "share of the mesh's extent",
        0.001,
        0.1,
        "what is nearer to the surface is on it; of an avatar of six heads that is half a unit",
    )
    spot: float = number(
        1e-3,
        "share of the mesh's extent",
        1e-5,
        0.02,
        "a head that is smaller is none; a head is 1/36 of an avatar with props",
    )
    twisted: float = number(
        0.05,
        "canonical units",
        0,
        0.3,
        "by which a landmark may be on the wrong side of what it must be beside: sealed lips lie"
        " together, and hands tremble; an estimate, not fitted",
    )
    behind: float = number(
        0.0,
        "canonical units",
        -0.1,
        0.1,
        "that inner corners of eyes stand before outer ones, and the nose before the eyes, in sum;"
        " below it they look into the head, so left and right are exchanged. 10 heads by 8 makers"
        " and 40 modelled ones: 0.11 (flat, its features float) to 0.81; exchanged, the same below"
        " nought",
    )
    eyes_behind: float = number(
        -0.15,
        "canonical units",
        -0.5,
        0,
        "the same of the eyes alone, where no nose is known; on those 10 heads from -0.1 on, which"
        " says little",
    )
    near: int = number(
        24,
        "vertices next to a point",
        3,
        1000,
        "whose triangles are looked at; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Guesses:
    """Where landmarks are that were left out, canonical."""

    brow: float = number(0.1, "canonical units above the upper lid", 0, 0.5, LEARNT)
    brow_eye: float = number(
        0.35, "heights of the eye above the upper lid", 0, 1, f"more than `brow`; {LEARNT}"
    )
    lips_ahead: float = number(0.1, "canonical units before the mouth's corners", 0, 0.4, LEARNT)
    lip_upper: float = number(0.04, "canonical units above the mouth's corners", 0, 0.3, LEARNT)
    lip_lower: float = number(0.06, "canonical units below the mouth's corners", 0, 0.3, LEARNT)
    nose_down: float = number(0.65, "share of the way from the eyes to the mouth", 0.3, 0.9, LEARNT)
    nose_ahead: float = number(0.2, "canonical units before the mouth's corners", 0, 0.8, LEARNT)
    chin: float = number(0.45, "canonical units below the lower lip", 0.1, 1.2, LEARNT)


MARKS = Marks()
GUESSES = Guesses()
