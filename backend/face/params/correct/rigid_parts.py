# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/rigid_parts.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class RigidParts:
    """How eyeballs, flat eyes and teeth move in one piece."""

    look_up: float = number(
        12.0,
        "degrees",
        0,
        45,
        "mean angle of the training rigs whose shapes turn the eyes, MakeHuman and Vitruvian, "
        "up and down; the number of heads was not kept",
    )
    look_aside: float = number(
        18.0,
        "degrees",
        0,
        60,
        "mean angle of the training rigs whose shapes turn the eyes, MakeHuman and Vitruvian, "
        "in and out; the number of heads was not kept",
    )
    pupil: float = number(
        1.0,
        "half widths of the eye",
        0.2,
        3,
        "a flat eye's pupil lies so far before the point about which a ball would turn; an "
        "estimate, not fitted",
    )
    pupil_alone: float = number(
        0.5,
        "half widths of the eye",
        0.1,
        2,
        "the same where white and iris are one flat part, whose rim must stay behind the lids; an "
        "estimate, not fitted",
    )
    whole: float = number(
        0.7,
        "share of its radii",
        0.1,
        0.95,
        "no vertex of a ball that was pressed flat comes nearer to its middle; an estimate, not "
        "fitted",
    )
    smaller: float = number(
        0.8,
        "share of the widest part behind the lids",
        0.2,
        1,
        "a part up to so wide is an iris or a light upon it; an estimate, not fitted",
    )
    bowl_cut: float = number(
        0.0001,
        "share of the largest singular value",
        1e-08,
        0.1,
        "a white's curvature below it counts as none; an estimate, not fitted",
    )
    upper_teeth: float = number(
        0.25,
        "share of the farthest row's way at jawOpen",
        0,
        0.9,
        "a row of teeth that rises less far stays when the jaw moves; an estimate, not fitted",
    )
    lower_teeth: float = number(
        0.5,
        "share of the farthest row's way at jawOpen",
        0.1,
        0.9,
        "a row that falls less far is an upper one, which a model lets go along by a little:"
        " lower rows of training heads fall by 0.61 and more (uka, pm_crimsom, jeeliz_boy, gene:"
        " 4 heads, 3 makers)",
    )
    raised_teeth: float = number(
        0.02,
        "canonical units",
        0,
        0.3,
        "upper teeth must rise by more with the lip to be believed; an estimate, not fitted",
    )
    lifted_from: float = number(
        0.02,
        "canonical units",
        0,
        0.04,
        "a lid must move by more to be brought out of the eyeball; an estimate, not fitted",
    )
    lifted_to: float = number(
        0.06,
        "canonical units",
        0.04,
        0.5,
        "a lid that moves by more is brought out of the eyeball wholly; an estimate, not fitted",
    )
    clear: float = number(
        1.01,
        "radii of the eyeball",
        1,
        1.1,
        "a closed lid lies there: its faces are flat and cut the dome between their corners; an "
        "estimate, not fitted",
    )
    beside: float = number(
        0.94,
        "cosine",
        0.5,
        0.999,
        "directions from the middle of an eye that are as near lie next to each other; an "
        "estimate, not fitted",
    )
    front: float = number(
        0.3,
        "share of a vertex's distance from the eye's middle",
        0,
        0.9,
        "a lid lies farther than that before the middle of the eye; an estimate, not fitted",
    )


RIGID_PARTS = RigidParts()
