# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for a key that is mixed from several shapes: lips and lids that meet do not pass
each other; and shapes of lids made for mixing.

Each condition's own shape keeps its contacts, see contacts.py, but two that close an eye in part
close it together by more than it is open. All in the canonical frame.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..analyse.head import Head
from ..analyse.lids import Lid
from ..analyse.openings import Opening
from ..geometry.frame import Floats
from ..geometry.landmarks import SIDES
from ..params.correct import MEETING
from .closing import covering, moved_lids
from .contacts import led

BUILT = tuple(
    f"{name}{side.title()}" for name in ("lidArc", "lidOuter", "lidInner") for side in SIDES
)


def built(head: Head, levers: Collection[str] = BUILT) -> dict[str, Floats]:
    """Shapes of lids that no condition is, for keys that are mixed. None where eyes have no lids.

    lidArc: both edges go up alike, so that closed lids stay closed and their line bends up in the
    middle. lidOuter, lidInner: the upper edge comes down at its outer or its inner end.

    Args:
        head: the face's mesh and what is known of it
        levers: those of BUILT, with or without a side, that are wanted

    Returns:
        Offsets float32 (F,3), canonical, by name.
    """
    found: dict[str, Floats] = {}
    if not {*levers} & {*BUILT, *(name.removesuffix("Left") for name in BUILT)}:
        return found
    for side, lid in head.lids.items():
        outwards = np.clip(0.5 + 0.5 * lid.opening.columns * (1 if side == "left" else -1), 0, 1)
        arc = MEETING.arc * (1 - MEETING.arc_flat * np.clip(lid.opening.columns, -1, 1) ** 2)
        rises = {
            "lidArc": (arc, arc),
            "lidOuter": (-MEETING.tilt * outwards, 0 * arc),
            "lidInner": (-MEETING.tilt * (1 - outwards), 0 * arc),
        }
        found |= {
            f"{name}{side.title()}": moved_lids(lid, up, low) for name, (up, low) in rises.items()
        }
    return found


def held_apart(head: Head, shape: Floats, sealed: bool) -> Floats:
    """A mixed shape whose lips and lids meet at most.

    Args:
        head: the face's mesh and what is known of it
        shape: float32 (F,3), canonical
        sealed: the lips stay together

    Returns:
        Offsets float32 (F,3).
    """
    slit = head.slit
    if slit is not None:
        apart = slit.lower.of(shape) - slit.upper.of(shape)
        if not sealed:
            apart = _passing(apart, slit)
        if np.abs(apart).max(initial=0) > MEETING.slack * slit.unit[0]:
            shape = shape + led(slit, head.surface.lip_lid_side[:, 0], head.labels.skin, apart)
    for lid in head.lids.values():
        shape = _met(lid, shape)
    return shape


def _passing(apart: Floats, slit: Opening) -> Floats:
    """Of what brings edges nearer (C,3), canonical, what leads the lower one past the upper one."""
    room = np.maximum((slit.upper.points - slit.lower.points)[:, 1], 0) * slit.unit[1]
    up = apart @ slit.axes[1]
    over = np.where(up > room, up - room, 0)
    return np.asarray(over[:, None] * slit.axes[1], np.float32)


def _met(lid: Lid, shape: Floats) -> Floats:
    """The shape (F,3) with the upper lid held back where it would pass the lower one, lashes with
    it, and closed lids before the eye.
    """
    opening = lid.opening
    closing = (
        (opening.lower.of(shape) - opening.upper.of(shape)) @ opening.axes[1] / opening.unit[1]
    )
    over = np.maximum(closing - lid.gap, 0)
    if over.max(initial=0) > MEETING.slack:
        shape = np.asarray(
            shape + moved_lids(lid, over / np.maximum(lid.gap, 1e-6), np.zeros_like(over)),
            np.float32,
        )
    if closing.sum() > MEETING.closed * lid.gap.sum():
        shape = np.asarray(shape + covering(lid, shape), np.float32)
    return shape
