# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/mouth.py` and `correct/fields.py`; amplitudes are in fields.json."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class MouthFields:
    """Where the written shapes of the mouth and the nose act."""

    least_half: float = number(
        1e-3,
        "canonical units",
        1e-6,
        0.05,
        "half width that a mouth has at least; an estimate, not fitted",
    )
    large_from: float = number(
        0.24,
        "canonical units",
        0.05,
        0.3,
        "half width up to which a mouth is a small drawn one; an estimate, not fitted",
    )
    large_to: float = number(
        0.36,
        "canonical units",
        0.28,
        0.8,
        "half width from which on its artist draws a mouth large, with cheeks and chin going "
        "along; an estimate, not fitted",
    )
    bow_most: float = number(
        1.5,
        "square of half widths from the middle",
        0.5,
        4,
        "beyond it the slit's height follows its corners no further; an estimate, not fitted",
    )
    bow_deep_most: float = number(
        2.0,
        "square of half widths from the middle",
        0.5,
        6,
        "beyond it the lips' surface goes back no further; an estimate, not fitted",
    )
    inwards: float = number(
        0.5,
        "share",
        0,
        1,
        "of a way behind the lips that counts as distance from the slit; an estimate, not fitted",
    )
    lip_depth: float = number(
        0.1,
        "half widths of the mouth",
        0,
        0.5,
        "skin no deeper behind the lips' surface is as near as skin on it; an estimate, not fitted",
    )
    reach: float = number(
        1.2,
        "half widths of the mouth",
        0.4,
        3,
        "from the slit over which the lips' movement fades; an estimate, not fitted",
    )
    broad: float = number(
        1.7,
        "half widths of the mouth",
        0.5,
        4,
        "from the slit over which the cheeks' movement fades; an estimate, not fitted",
    )
    small: float = number(
        0.45,
        "share of the amplitude",
        0.1,
        1,
        "of a small drawn mouth; an estimate, not fitted",
    )
    exaggerated: float = number(
        0.6,
        "share of the amplitude",
        0,
        2,
        "that artists of small mouths exaggerate the shapes by that part lips, stretch or "
        "slide; an estimate, not fitted",
    )
    smile_small: float = number(
        0.6,
        "share of the amplitude",
        0.1,
        1,
        "of the smile of a small drawn mouth; an estimate, not fitted",
    )
    middle: float = number(
        0.85,
        "half widths from the middle",
        0.2,
        2,
        "over which the middle of the lips acts; an estimate, not fitted",
    )
    corner_most: float = number(
        1.2,
        "half widths from the middle",
        0.8,
        2,
        "where the pull of a corner grows no further; an estimate, not fitted",
    )
    half_lip: float = number(
        0.45,
        "half widths from the middle",
        0.1,
        0.9,
        "the middle of one side of a lip; an estimate, not fitted",
    )
    half_lip_wide: float = number(
        0.5,
        "half widths of the mouth",
        0.1,
        1.5,
        "over which one side of a lip acts; an estimate, not fitted",
    )
    other_side: float = number(
        0.4,
        "share of the amplitude",
        0,
        1,
        "of mouthLeft and mouthRight beyond the other corner; an estimate, not fitted",
    )
    shrug_lower: float = number(
        0.25,
        "share of the amplitude",
        0,
        1,
        "of mouthShrugUpper on the lower lip; an estimate, not fitted",
    )
    shrug_upper: float = number(
        0.5,
        "share of the amplitude",
        0,
        1,
        "of mouthShrugLower on the upper lip; an estimate, not fitted",
    )
    puff_aside: float = number(
        0.3,
        "share of the way out",
        0,
        2,
        "that cheeks go aside at cheekPuff, for each half width from the middle; an estimate, "
        "not fitted",
    )
    puff_most: float = number(
        1.5,
        "half widths from the middle",
        0.5,
        4,
        "where they go aside no further; an estimate, not fitted",
    )
    wing_aside: float = number(
        0.16,
        "canonical units",
        0.02,
        0.6,
        "of a nose's wing from its tip; an estimate, not fitted",
    )
    wing_down: float = number(
        0.02,
        "canonical units",
        0,
        0.3,
        "of a nose's wing from its tip; an estimate, not fitted",
    )
    wing_back: float = number(
        0.12,
        "canonical units",
        0,
        0.6,
        "of a nose's wing from its tip; an estimate, not fitted",
    )
    wing_wide: float = number(
        0.16,
        "canonical units",
        0.03,
        0.6,
        "over which a nose's wing fades aside; an estimate, not fitted",
    )
    wing_tall: float = number(
        0.18,
        "canonical units",
        0.03,
        0.6,
        "over which a nose's wing fades up and down; an estimate, not fitted",
    )
    wing_deep: float = number(
        0.3,
        "canonical units",
        0.03,
        1,
        "over which a nose's wing fades in and out; an estimate, not fitted",
    )


@dataclass(frozen=True)
class BrowFields:
    """Where the written shapes of the brows act."""

    aside: float = number(
        0.25,
        "canonical units",
        0.05,
        1,
        "of a brow over which skin goes along; an estimate, not fitted",
    )
    above: float = number(
        0.3,
        "canonical units",
        0.05,
        1,
        "a brow over which skin goes along; an estimate, not fitted",
    )
    below: float = number(
        0.17,
        "canonical units",
        0.05,
        1,
        "a brow over which skin goes along; an estimate, not fitted",
    )
    deep: float = number(
        0.6,
        "canonical units",
        0.1,
        2,
        "in front of and behind a brow over which skin goes along; an estimate, not fitted",
    )
    faded: float = number(
        2.0,
        "times these",
        1,
        4,
        "beyond which skin would move by less than 0.01 and is left out; an estimate, not fitted",
    )
    beyond_middle: float = number(
        0.12,
        "canonical units",
        0,
        0.5,
        "beyond the face's middle, where a side's brow acts no more; an estimate, not fitted",
    )
    before_middle: float = number(
        0.1,
        "canonical units",
        0,
        0.5,
        "before the face's middle, where a side's brow acts wholly; an estimate, not fitted",
    )
    strip_skin: float = number(
        0.1,
        "share of the amplitude",
        0,
        1,
        "of the skin below brows that are strips, on small drawn faces; an estimate, not fitted",
    )
    strip_skin_large: float = number(
        0.7,
        "share of the amplitude",
        0,
        1,
        "how much more of it on faces with a large mouth; an estimate, not fitted",
    )
    inner_from: float = number(
        1.0,
        "share of the brow, from its inner end",
        0.5,
        1.5,
        "where the inner end acts no more; an estimate, not fitted",
    )
    inner_to: float = number(
        0.1,
        "share of the brow, from its inner end",
        -0.5,
        0.5,
        "up to where the inner end acts wholly; an estimate, not fitted",
    )
    outer_from: float = number(
        0.1,
        "share of the brow, from its inner end",
        -0.5,
        0.5,
        "up to where the outer end acts not at all; an estimate, not fitted",
    )
    outer_to: float = number(
        0.8,
        "share of the brow, from its inner end",
        0.5,
        1.5,
        "from where on the outer end acts wholly; an estimate, not fitted",
    )
    down_outer: float = number(
        0.45,
        "share of the amplitude",
        0,
        1,
        "of browDown at the outer end; an estimate, not fitted",
    )
    moved: float = number(
        0.01,
        "canonical units",
        0.0005,
        0.1,
        "vertices that no shape of the brows moves by more are left out; an estimate, not fitted",
    )


MOUTH_FIELDS = MouthFields()
BROW_FIELDS = BrowFields()
