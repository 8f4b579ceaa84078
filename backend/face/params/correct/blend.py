# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/blend.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class Blend:
    """How the model's shapes and the written ones are mixed."""

    believed_from: float = number(
        0.7,
        "cosine",
        0,
        0.85,
        "between model and fields, up to which they are mixed by `doubted`; an estimate, not "
        "fitted",
    )
    believed_to: float = number(
        0.9,
        "cosine",
        0.7,
        1,
        "between model and fields, from which on the model is taken; an estimate, not fitted",
    )
    doubted: float = number(
        0.33,
        "share of the model",
        0,
        1,
        "where it is doubted: core of gene and uka, left out of training, is 0.75 and 0.73 "
        "with the mixture and 0.71 and 0.62 with the model alone (2 heads, "
        "scripts/train/README.md)",
    )
    lips_model: float = number(
        0.2,
        "share of the model",
        0,
        1,
        "in the lips of small drawn mouths; wide mouths are the model's; an estimate, not fitted",
    )
    bolder: float = number(
        2.5,
        "factor on a shape",
        1,
        10,
        "a shy model's mouth is made bolder by no more; an estimate, not fitted",
    )
    shyest: float = number(
        0.75,
        "share of the field",
        0,
        1.5,
        "a shape of the mouth may not fall below it; an estimate; 1 instead gives a raccoon "
        "rel 0.82 for 0.79 (1 head, docs/experiments/training.md), and without it 3 of 21 "
        "heads change (docs/reference/rules.md)",
    )
    hardly: float = number(
        5.0,
        "factor on a shape",
        2,
        50,
        "a shape that lacks more hardly moves at all and is left as it is; an estimate, not fitted",
    )
    drawn_jaw: float = number(
        0.65,
        "share of the model",
        0,
        1,
        "of jawForward, jawLeft and jawRight on small drawn mouths: a model learns these from"
        " realistic heads; an estimate; without it 3 of 21 heads change, and fewer of gene's "
        "shapes are usable by 0.03 (docs/reference/rules.md)",
    )
    sneer_from: float = number(
        0.1,
        "half widths of the mouth from the slit",
        0,
        0.3,
        "up to which a sneer does not move lips: it does not part them; an estimate; without "
        "it 3 of 21 heads change (docs/reference/rules.md)",
    )
    sneer_to: float = number(
        0.6,
        "half widths of the mouth from the slit",
        0.3,
        2,
        "from which on a sneer moves the skin wholly; an estimate, not fitted",
    )
    inside_away: float = number(
        1.6,
        "half widths of the mouth",
        0.5,
        4,
        "up, down and behind the slit, within which small parts are teeth and tongue; an "
        "estimate, not fitted",
    )
    inside_aside: float = number(
        1.3,
        "half widths of the mouth",
        0.5,
        3,
        "aside of the middle, within which small parts are teeth and tongue; an estimate, not "
        "fitted",
    )
    behind_from: float = number(
        0.1,
        "half widths behind the lips' surface",
        0,
        1,
        "from where on what is inside a wide mouth begins to keep still when lips move; an"
        " estimate, not fitted: in ICT's and MakeHuman's mouth shapes nothing inside moves",
    )
    behind_to: float = number(
        0.3,
        "half widths behind the lips' surface",
        0.1,
        2,
        "the same, from where on it keeps wholly still; an estimate, not fitted",
    )
    inside_slide: float = number(
        0.2,
        "half widths of the mouth",
        0,
        1,
        "teeth and tongue of a small mouth slide along with it at mouthLeft and mouthRight, or "
        "they would show; an estimate, not fitted",
    )
    lid_soon: float = number(
        10.0,
        "times the lids' pull",
        1,
        100,
        "parts that are no skin take the fields wholly where the lids pull them by more than a "
        "tenth; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Jaw:
    """How chin, cheeks and parts inside the mouth go with jawOpen on small drawn mouths."""

    lip_away: float = number(
        0.3,
        "half widths of the mouth from the slit",
        0.05,
        1,
        "skin of the lower lip that is nearer tells how far the lip goes; an estimate, not fitted",
    )
    lip_quantile: float = number(
        0.75,
        "quantile",
        0.3,
        1,
        "of its movement that counts as the way of the lower lip; an estimate, not fitted",
    )
    around_from: float = number(
        0.8,
        "half widths of the mouth from the slit",
        0.1,
        1.2,
        "up to which skin goes along wholly; an estimate, not fitted",
    )
    around_to: float = number(
        1.5,
        "half widths of the mouth from the slit",
        1.2,
        5,
        "the nearest to the slit at which skin goes along by `still` only; an estimate, not fitted",
    )
    around_way: float = number(
        1.5,
        "times the lower lip's way",
        0.5,
        5,
        "over which the way of the skin around falls to `still`: over less than 1.1 it would "
        "fold; an estimate, not fitted",
    )
    still: float = number(
        0.3,
        "share of the model",
        0,
        1,
        "chin, cheeks and the depth of a small mouth go along by it; an estimate; without it "
        "15 of 21 heads change (docs/reference/rules.md)",
    )
    deep_from: float = number(
        0.3,
        "half widths of the mouth",
        0,
        0.8,
        "behind the lips at which skin begins to go along less; an estimate, not fitted",
    )
    deep_to: float = number(
        1.3,
        "half widths of the mouth",
        0.8,
        4,
        "behind the lips at which skin goes along by `still` only; an estimate, not fitted",
    )
    part_quantile: float = number(
        0.9,
        "quantile",
        0.3,
        1,
        "of a part's movement that counts as its way; an estimate, not fitted",
    )
    follows_from: float = number(
        0.35,
        "share of the lower lip's way",
        0,
        0.45,
        "from which on a part follows the jaw; an estimate, not fitted",
    )
    follows_to: float = number(
        0.5,
        "share of the lower lip's way",
        0.4,
        1,
        "from which on a part follows the jaw wholly; an estimate, not fitted",
    )
    helped: float = number(
        2.2,
        "factor on a part's way",
        1,
        10,
        "a part that follows the jaw is helped by no more; an estimate; without it 9 of 21 "
        "heads change (docs/reference/rules.md)",
    )
    oval_away: float = number(
        0.8,
        "half widths of the mouth from the slit",
        0.2,
        2,
        "within which a mouth opens in an oval; an estimate, not fitted",
    )
    oval_rise: float = number(
        0.15,
        "share of the lower lip's way",
        0,
        0.6,
        "the upper lip's rise; an estimate; without it 10 of 21 heads change "
        "(docs/reference/rules.md)",
    )
    oval_corners: float = number(
        0.12,
        "share of the lower lip's way",
        0,
        0.6,
        "the corners' rise; an estimate, not fitted",
    )
    oval_wider: float = number(
        0.5,
        "share of the lower lip's way",
        0,
        1.5,
        "how much the middle widens; an estimate, not fitted",
    )
    oval_deep_from: float = number(
        0.4,
        "half widths of the mouth",
        0,
        0.6,
        "behind the lips at which the oval begins to fade; an estimate, not fitted",
    )
    oval_deep_to: float = number(
        0.8,
        "half widths of the mouth",
        0.6,
        2,
        "behind the lips at which the oval has faded; an estimate, not fitted",
    )
    oval_corner_from: float = number(
        0.5,
        "half widths of the mouth from its middle",
        0.1,
        0.7,
        "from which on skin begins to go as a corner does; an estimate, not fitted",
    )
    oval_corner_to: float = number(
        0.9,
        "half widths of the mouth from its middle",
        0.7,
        1.5,
        "from which on skin goes as a corner does; an estimate, not fitted",
    )
    oval_middle: float = number(
        0.8,
        "half widths of the mouth from its middle",
        0.2,
        2,
        "over which the upper lip rises; an estimate, not fitted",
    )


@dataclass(frozen=True)
class Tongue:
    """How a tongue comes out."""

    out: float = number(
        0.35,
        "half widths of the mouth",
        0,
        1.5,
        "before the lips that a tongue comes out; an estimate, not fitted",
    )
    most: float = number(
        2.5, "factor on a shape", 1, 10, "a model is helped by no more; an estimate, not fitted"
    )
    goes: float = number(
        0.7,
        "share of the lower teeth's way",
        0,
        1,
        "that a drawn head's tongue goes along with the jaw: gene's artist lets it go by 0.87 at"
        " jawOpen and by 0.43 and 0.52 at aa and oh (1 head), artists of heads that only measure"
        " by less",
    )
    moved: float = number(
        0.001,
        "canonical units",
        1e-05,
        0.05,
        "a model that moves the tip by less is not scaled; an estimate, not fitted",
    )
    sunk: float = number(
        0.25,
        "half widths of the mouth",
        0,
        1,
        "a tongue sinks by it: artists of gene, uka and of a head never trained on 0.15 to 0.4 "
        "(3 heads)",
    )
    tip_quantile: float = number(
        0.9,
        "quantile",
        0.5,
        1,
        "vertices of a tongue that lie farther to the front are its tip; also the height that "
        "must pass below the upper lip; an estimate, not fitted",
    )


BLEND = Blend()
JAW = Jaw()
TONGUE = Tongue()
