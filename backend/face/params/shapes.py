# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/shapes`."""

from __future__ import annotations

from dataclasses import dataclass

from .number import number


@dataclass(frozen=True)
class Solving:
    """How the weights of keys with a goal are found on a head (`shapes/solving.py`)."""

    loose: float = number(
        0.7,
        "weight",
        0.05,
        5,
        "a weight so far from its start counts as much as a goal that is missed by its tolerance;"
        " an estimate, not fitted",
    )
    step: float = number(
        0.05,
        "weight",
        0.005,
        0.3,
        "over which the slope of a figure is read: figures are quantiles and have bends; an"
        " estimate, not fitted",
    )
    rounds: int = number(
        4,
        "linear problems",
        1,
        20,
        "solved one after the other: figures are nearly linear, more rounds change them by less"
        " than 0.005",
    )
    sweeps: int = number(
        25, "times over all weights", 1, 200, "at most, for one linear problem; not fitted"
    )
    alike: float = number(
        1e-6,
        "tolerances, squared",
        0,
        1e-3,
        "by which two costs differ at most that count as one: by rounding ONNX Runtime 1.19 and"
        " 1.31 ended with weights that are 3e-5 apart",
    )
    enough: float = number(
        1e-3,
        "weight",
        1e-5,
        0.05,
        "a sweep that changes every weight by less ends the linear problem; an estimate, not"
        " fitted",
    )
    size_least: float = number(
        0.4,
        "factor on the weights to start from",
        0.1,
        1,
        "all are scaled as one first, which keeps the set's direction; an estimate, not fitted",
    )
    size_most: float = number(
        2.0,
        "factor on the weights to start from",
        1,
        5,
        "all are scaled as one first, which keeps the set's direction; an estimate, not fitted",
    )
    counted: float = number(
        0.01,
        "share of a kind of head",
        0,
        0.2,
        "what only a kind is asked for that the head is of by less does not count; an estimate,"
        " not fitted",
    )


@dataclass(frozen=True)
class Goal:
    """What keys with a goal are asked for (`shapes/goals.py`)."""

    drawn_from: float = number(
        0.36,
        "height of the eyes' openings in widths of the mouth",
        0.1,
        0.45,
        "up to which a head is not drawn: 76 heads of ICT-FaceKit, MakeHuman, Vitruvian and Antonia"
        " have 0.15 to 0.36",
    )
    drawn_to: float = number(
        0.50,
        "height of the eyes' openings in widths of the mouth",
        0.4,
        1,
        "from which on a head is drawn: drawn heads of training, by 4 makers, have 0.55 to 2.4;"
        " jeeliz_lama and pm_crimsom lie between",
    )
    bold: float = number(
        1.33,
        "factor on the mouth's figures",
        1,
        2,
        "of the boldest style: makers' upper quartile of how far lips part beside their median and"
        " lower one, square roots of their ratios: aa 1.33, ih 1.67, ou 1.33, ee 1.26, oh 1.52 (25"
        " to 30 drawn heads). How far lids close is no matter of style",
    )
    told_from: float = number(
        0.1,
        "widths of the mouth",
        0,
        0.5,
        "a goal that parts the lips by less is not told when it is missed; an estimate, not fitted",
    )
    told_below: float = number(
        0.5,
        "share of the parting asked for",
        0,
        1,
        "a goal of which less is reached is told as missed; an estimate, not fitted",
    )


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
        0.2,
        "share of the eye's opening",
        0,
        0.6,
        "the lids may pass each other by it: the lid's own thickness and a squint's narrowing; "
        "an estimate, not fitted",
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


SOLVING = Solving()
GOAL = Goal()
FIGURES = Figures()
DERIVING = Deriving()
COMBINING = Combining()
TRUSTING = Trusting()
