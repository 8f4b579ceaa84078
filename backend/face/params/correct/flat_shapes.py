# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/flat_shapes.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number

FITTED = (
    "{}; fitted on three heads of two makers, godette, pm_bizdude and pm_crimsom: see"
    " docs/experiments/fields.md"
)


@dataclass(frozen=True)
class FlatShapes:
    """How eyes and mouths move that are flat parts before the skin."""

    shut: float = number(
        0.97,
        "share of the eye's height",
        0.5,
        1,
        "an eye without lids closes by it; an estimate, not fitted",
    )
    lash: float = number(
        0.6,
        "share of the lash's height",
        0,
        1,
        "the lash above such an eye lies flatter by it; an estimate, not fitted",
    )
    rise: float = number(
        0.33,
        "half widths of the mouth",
        0,
        1.5,
        FITTED.format("the upper rim of a mouth's strip rises by it at jawOpen"),
    )
    fall: float = number(
        1.5,
        "half widths of the mouth",
        0,
        2,
        FITTED.format("the lower rim of a mouth's strip falls by it at jawOpen"),
    )
    wider: float = number(
        0.2,
        "half widths of the mouth",
        0,
        1,
        FITTED.format("the ends of a mouth's strip go out by it at jawOpen"),
    )
    chin: float = number(
        0.2,
        "share of jawOpen",
        0,
        1,
        "the skin behind such a mouth goes by it: a chin moves little when a mouth is drawn; an "
        "estimate, not fitted",
    )
    across: float = number(
        0.5,
        "share of a strip's width",
        0.1,
        0.9,
        "that each of its pieces has at least which are lips of their own; narrower ones hard edges"
        " have cut; an estimate, not fitted",
    )
    rim_places: int = number(
        9,
        "places from corner to corner",
        3,
        50,
        "where the line between the rims is read; an estimate, not fitted",
    )
    rim_column: float = number(
        0.3,
        "half widths of the mouth",
        0.05,
        1,
        "vertices so near to a place count for the line there; an estimate, not fitted",
    )


FLAT_SHAPES = FlatShapes()
