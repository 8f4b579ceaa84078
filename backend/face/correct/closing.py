# SPDX-License-Identifier: GPL-3.0-or-later
"""Lids that close, narrow and move: the upper edge comes to lie on the lower one, lashes ride, eyes
hold still. All in the canonical frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analyse.lids import Lid
from ..geometry.blocks import nearest
from ..geometry.frame import Floats
from ..params.correct import CLOSING
from ..params.geometry import BLOCKS
from . import large_faces, strips


def _local(lid: Lid, offsets: Floats) -> Floats:
    """Offsets (F,3) along the opening's axes and in its units, each axis in one piece as `at` gives
    them.
    """
    return np.asarray(
        np.asfortranarray(offsets @ lid.opening.axes.T) / lid.opening.unit, np.float32
    )


def _space(lid: Lid, offsets: Floats) -> Floats:
    """Offsets (F,3) from the opening's axes and units back to the canonical frame."""
    return np.asarray((offsets * lid.opening.unit) @ lid.opening.axes, np.float32)


def _gain(lid: Lid, here: Floats) -> float:
    """Factor on a shape (F,3), in the opening's units, after which it closes the opening as well as
    a factor can: it bends nothing. 1 where it closes nothing.
    """
    closing = lid.opening.lower.of(here)[:, 1] - lid.opening.upper.of(here)[:, 1]
    power = float(closing @ closing)
    return float(lid.gap @ closing / power) if power > 1e-6 else 1.0


def closing(lid: Lid, blink: Floats, model_trust: float = 0.0) -> Floats:
    """What has to be added to a blink so that the upper edge comes to lie on the lower one, lashes
    ride it and eyes hold still.

    Args:
        lid: of the eye
        blink: float32 (F,3), canonical
        model_trust: 0 to 1, how far the model is believed about lids that lap and about what lies
            in the opening

    Returns:
        Offsets float32 (F,3), canonical.
    """
    own = _local(lid, blink)
    here = own * np.float32(np.clip(_gain(lid, own), CLOSING.gain_least, CLOSING.gain_most))
    opening = lid.opening
    up = opening.lower.of(here)
    rise = np.zeros_like(up)
    lowest = (1 - model_trust) * lid.meeting
    rise[:, 1] = (
        np.clip(up[:, 1], lowest * lid.gap, max(CLOSING.lower_rise, lowest) * lid.gap) - up[:, 1]
    )
    added = opening.at(rise) * lid.bottom[:, None]
    goal = opening.lower.points + _even(opening.lower.of(here + added))
    for _ in range(CLOSING.passes):
        down = opening.upper.of(here + added)
        ends = opening.upper.points + down
        along = np.argsort(goal[:, 0], kind="stable")
        missing = (
            np.stack(
                [np.interp(ends[:, 0], goal[along, 0], goal[along, i]) for i in range(3)], axis=1
            ).astype(np.float32)
            - ends
        )
        missing[:, 0] = 0
        missing[:, 1] -= np.clip(missing[:, 1], 0, model_trust * CLOSING.lap * lid.gap)
        missing = _plain(opening.columns, _even(missing))
        missing[:, 2] = np.clip(missing[:, 2], -CLOSING.deep, CLOSING.deep) + CLOSING.fold
        added = added + opening.at(missing) * lid.top[:, None]
    lash = lid.ride[:, None]
    moved = opening.upper.of(here + added)
    edge, lower = opening.at(moved), opening.at(goal - opening.lower.points)
    least = (
        np.minimum(edge[:, 1], 0) * lid.top**2
    )  # a lid of several layers comes down as one, or the eye shows between them
    added[:, 1] += np.where(lid.skin, np.minimum(least - (here + added)[:, 1], 0) * lid.top, 0)
    strip = strips.along(lid, _even(moved), lid.ride)
    _edge, lower = _met(lid, edge, lower)
    added = added * (1 - lash) + lash * (strip + _drooped(lid) - here)
    low = lid.lower_ride[:, None]
    added = added * (1 - low) + low * (lower - here)
    held = lid.eye | lid.corner
    added[held] = (np.float32(model_trust) - 1) * here[
        held
    ]  # balls and flat eyes are held still later, but a lash may pass for one
    before = _before_eye(lid, here + added)
    return _space(lid, (added + before + ridden(lid, before) + here - own).astype(np.float32))


def ridden(lid: Lid, moved: Floats) -> Floats:
    """What upper lashes (F,3) do when the skin moves: what its edge does.

    Args:
        lid: of the eye
        moved: float32 (F,3), the skin's offsets
    """
    return np.asarray(lid.opening.at(lid.opening.upper.of(moved)) * lid.ride[:, None], np.float32)


def _met(lid: Lid, upper: Floats, lower: Floats) -> tuple[Floats, Floats]:
    """What the upper and the lower edge do at every vertex (F,3), both their mean beyond the
    corners.
    """
    mean = lid.past * (upper + lower) / 2
    return upper * (1 - lid.past) + mean, lower * (1 - lid.past) + mean


def _before_eye(lid: Lid, moved: Floats) -> Floats:
    """Offsets (F,3), in the opening's units, that bring closed lids, moved (F,3), out of what lies
    behind them: an eye bulges in its middle.
    """
    out = np.zeros_like(moved)
    local, closed = lid.opening.local, lid.opening.skin & (lid.top > CLOSING.covering)
    if lid.eye.any() and closed.any():
        closed_at = local[closed] + moved[closed]
        front = _front_of(closed_at, local[lid.eye]) + CLOSING.fold
        before = (local[closed, 2] > lid.upper[closed, 2] - CLOSING.inside) & (
            front < lid.upper[closed, 2] + CLOSING.bulge
        )
        out[closed, 2] = np.where(before, np.maximum(front - closed_at[:, 2], 0), 0)
        outer = local[:, 2] > lid.upper[:, 2] - CLOSING.inside
        free = (closed & outer).astype(np.float32)
        out[:, 2] += large_faces.lifted(lid, local + moved + out, free, _front_of)
    return out


def covering(lid: Lid, shape: Floats) -> Floats:
    """What has to be added, (F,3), to a shape that closes the lids so that they lie before the eye.

    Args:
        lid: of the eye
        shape: float32 (F,3), canonical
    """
    before = _before_eye(lid, _local(lid, shape))
    return _space(lid, (before + ridden(lid, before)).astype(np.float32))


def moved_lids(lid: Lid, up: float | Floats, low: float | Floats) -> Floats:
    """Offsets float32 (F,3), canonical, of lids that move, lashes with them.

    Args:
        lid: of the eye
        up: of the opening, that the upper edge goes up; one number or one for each column (C,)
        low: the same of the lower edge
    """
    rises = np.zeros((2, len(lid.gap), 3), np.float32)
    rises[0, :, 1], rises[1, :, 1] = up * lid.gap, low * lid.gap
    top, bottom = (
        np.maximum(lid.top, lid.ride)[:, None],
        np.maximum(lid.bottom, lid.lower_ride)[:, None],
    )
    upper, lower = _met(lid, lid.opening.at(rises[0]), lid.opening.at(rises[1]))
    return _space(lid, upper * top + lower * bottom)


def _drooped(lid: Lid) -> Floats:
    """Offsets (F,3), in the opening's units, of lashes that turn down about their edge."""
    away = lid.opening.local - lid.upper
    turned = np.zeros_like(away)
    droop = np.radians(CLOSING.droop)
    cos, sin = np.cos(droop) - 1, np.sin(droop)
    turned[:, 1] = away[:, 1] * cos - away[:, 2] * sin
    turned[:, 2] = away[:, 2] * cos + away[:, 1] * sin
    return np.asarray(turned * lid.outward[:, None], np.float32)


def limited(lid: Lid, shape: Floats, least: float = 1.0) -> Floats:
    """What has to be added to a shape so that it closes no more than `CLOSING.narrow` of the
    opening: blinks are driven along with it.

    Args:
        lid: of the eye
        shape: float32 (F,3), canonical
        least: factor down to which the whole shape is scaled before the lids alone are held back

    Returns:
        Offsets float32 (F,3), canonical.
    """
    own = _local(lid, shape)
    here = own * np.float32(np.clip(CLOSING.narrow * _gain(lid, own), least, 1))
    opening = lid.opening
    down, up = -opening.upper.of(here)[:, 1], opening.lower.of(here)[:, 1]
    over = np.maximum(down + up - CLOSING.narrow * lid.gap, 0)
    share = np.maximum(down, 0) / np.maximum(np.maximum(down, 0) + np.maximum(up, 0), 1e-6)
    lift, drop = opening.at(
        _even(np.stack([over * share, over * (1 - share)], axis=1).astype(np.float32))
    ).T
    added = np.zeros_like(here)
    added[:, 1] = lift * np.maximum(lid.top, lid.ride) - drop * np.maximum(
        lid.bottom, lid.lower_ride
    )
    added[lid.eye | lid.corner] = -here[lid.eye | lid.corner]
    return _space(lid, added + here - own)


def _front_of(points: Floats, eye: Floats) -> Floats:
    """How far out an eye's vertices (E,3) stand at points (N,3): the highest of cones on them, so
    that small moves make small changes.
    """
    if len(points) * len(eye) > BLOCKS.pairs:
        eye = eye[_standing_out(eye)]
    if len(points) * len(eye) > BLOCKS.pairs:
        return _front_in_blocks(points, eye)
    front = np.empty(len(points), np.float32)
    (x, y), (eye_x, eye_y, height) = points[:, :2].T[..., None], np.ascontiguousarray(eye.T)
    for first in range(0, len(points), CLOSING.at_once):
        some = slice(first, first + CLOSING.at_once)
        away, across = x[some] - eye_x, y[some] - eye_y
        away *= away
        across *= across
        away += across
        np.sqrt(away, out=away)
        away *= -CLOSING.slope
        away += height
        away.max(axis=1, out=front[some])
    return front


def _standing_out(eye: Floats) -> NDArray[np.bool_]:
    """Which of an eye's vertices (E,3) may be its front anywhere: not those below the cone on what
    stands out most in their cell of a grid, as all of its back does.
    """
    low, high = eye[:, :2].min(axis=0), eye[:, :2].max(axis=0)
    side = max(float(np.sqrt(np.prod(high - low) * CLOSING.of_cell / len(eye))), 1e-6)
    place = np.floor((eye[:, :2] - low) / side).astype(np.intp)
    cell = place[:, 0] * (int(place[:, 1].max()) + 1) + place[:, 1]
    order = np.lexsort((-eye[:, 2], cell))
    begins = np.flatnonzero(np.diff(cell[order], prepend=-1))
    top = np.empty(len(eye), np.intp)
    top[order] = np.repeat(order[begins], np.diff(begins, append=len(order)))
    x, y = (eye[:, :2] - eye[top, :2]).T
    above = eye[top, 2] - CLOSING.slope * np.hypot(x, y) - eye[:, 2]
    return np.asarray(above < BLOCKS.slack * max(1.0, float(np.abs(eye).max())))


def _front_in_blocks(points: Floats, eye: Floats) -> Floats:
    """What `_front_of` gives, of more points and vertices than can all be compared."""

    def far(squares: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(CLOSING.slope * np.sqrt(squares))

    def score(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[Any]:
        x, y = points[rows, :2].T[..., None] - eye[columns, :2].T[:, None]
        return np.asarray(far(x * x + y * y) - eye[columns, 2])

    top = nearest(points[:, :2], eye[:, :2], -eye[:, 2], score, far)
    x, y = (points[:, :2] - eye[top, :2]).T
    return np.asarray(eye[top, 2] - CLOSING.slope * np.hypot(x, y), np.float32)


def _even(values: Floats) -> Floats:
    """Values (C,N) along an edge without spikes and ripples: the median of some, then some
    times the mean of three neighbours; values jump between layers of skin.
    """
    beside, last = CLOSING.median_columns // 2, len(values) - 1
    column = np.arange(len(values))
    around = (column + np.arange(-beside, beside + 1)[:, None]).clip(0, last)
    even = np.sort(values[around], axis=0)[beside]
    before, after = (column - 1).clip(0), (column + 1).clip(max=last)
    for _ in range(CLOSING.evened):
        even = (even[before] + even + even[after]) / 3
    return np.asarray(even, np.float32)


def _plain(columns: Floats, values: Floats) -> Floats:
    """The polynomial nearest to values (C,N) along an edge, whose columns are at (C,)."""
    terms = np.vander(columns.astype(np.float64), CLOSING.stroke + 1)
    return np.asarray(
        terms @ np.linalg.lstsq(terms, values.astype(np.float64), rcond=1e-6)[0], np.float32
    )
