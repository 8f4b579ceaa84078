# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `shapes/derived.py`, `shapes/combinations.py` and `shapes/confidence.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Deriving:
    """Shapes built by rule from others (`shapes/derived.py`)."""

    half: float = number(
        0.25,
        "canonical units",
        0.02,
        1,
        "on both sides of the face's middle over which left fades into right; an estimate, not "
        "fitted",
    )
    lower_lip_from: float = number(
        0.3,
        "share of the jaw's way",
        0,
        0.45,
        "where the upper lip ends; an estimate, not fitted",
    )
    lower_lip_to: float = number(
        0.6,
        "share of the jaw's way",
        0.45,
        1,
        "where the lower lip begins; an estimate, not fitted",
    )
    tongue_aside: float = number(
        0.16,
        "canonical units",
        0.02,
        0.6,
        "that the tip of a tongue goes left and right; an estimate, not fitted",
    )
    tongue_up: float = number(
        0.14,
        "canonical units",
        0.02,
        0.6,
        "that the tip of a tongue goes up; an estimate, not fitted",
    )
    tongue_down: float = number(
        0.12,
        "canonical units",
        0.02,
        0.6,
        "that the tip of a tongue goes down; an estimate, not fitted",
    )
    tongue_power: float = number(
        1.5,
        "exponent",
        0.5,
        4,
        "of how far tongueOut moves a vertex, which says how far it goes along; an estimate, "
        "not fitted",
    )
    nose_aside: float = number(
        0.04,
        "canonical units",
        0.005,
        0.2,
        "that a nose's wing goes out at nasalDilation; an estimate, not fitted",
    )
    nose_power: float = number(
        2.0,
        "exponent",
        0.5,
        5,
        "of how far noseSneer moves a vertex, which says how far it goes along; an estimate, "
        "not fitted",
    )


@dataclass(frozen=True)
class Combining:
    """Poses that are driven together, and when they hold (`shapes/combinations.py`)."""

    blink: float = number(
        0.9,
        "weight",
        0.3,
        1,
        "to which the clips of the common face tracking template take a blink",
    )
    crossed: float = number(
        0.23,
        "share of the eye's opening",
        0,
        0.6,
        "the lids may pass each other by it where a blink is driven with a squint: the median of "
        "makers, whose own do by 0.05 to 0.66 (ICT-FaceKit, MakeHuman, Vitruvian, and gene and "
        "uka, who are one maker's: 5 heads, 4 makers)",
    )
    rounding: float = number(
        1e-4,
        "share of the eye's opening",
        0,
        1e-2,
        "by which more than that is not told: squints are made smaller until they hold, in float32",
    )
    apart: float = number(
        0.2,
        "share of what the jaw opens",
        0,
        0.6,
        "the lips may still be apart by it; an estimate, not fitted",
    )
    together: float = number(
        1.5,
        "times the larger half",
        1,
        2,
        "both sides together may move so far: halves that add up in the middle tear it; an "
        "estimate, not fitted",
    )
    wide: float = number(
        0.3,
        "share of the widest column",
        0,
        0.9,
        "a column that is less high says nothing; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Trusting:
    """How confident shapes of a kind are (`shapes/confidence.py`)."""

    agreement: float = number(
        0.8,
        "cosine",
        0.5,
        1,
        "that counts as sure: between two artists it is 0.67 over all shapes and 0.81 over the "
        "clear ones",
    )


DERIVING = Deriving()
COMBINING = Combining()
TRUSTING = Trusting()
