# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and mouths that are flat parts before the skin: an eye is squashed to a line, a mouth is a
strip whose rims part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..analyse.flat_features import FlatEye
from ..analyse.surface import Flags, Surface
from ..geometry.frame import Floats
from ..geometry.mesh import all_corners, among
from ..params.correct import FLAT_SHAPES
from . import bent_strips


def shut(eye: FlatEye, vertices: Floats, loose: Flags, blink: Floats) -> Floats:
    """What has to be added to a blink of an eye that lies on the skin: it is squashed to a line in
    its middle, and the lash above it comes down to there and lies flatter. Brows and what else
    lies before the skin stay: there is no lid that could take them along.

    Args:
        eye: the flat eye
        vertices: float32 (F,3), canonical
        loose: flags (F,), what is no skin
        blink: offsets float32 (F,3), canonical

    Returns:
        Offsets float32 (F,3).
    """
    added = np.zeros_like(blink)
    added[loose] = -blink[loose]
    added[eye.eye, 1] += FLAT_SHAPES.shut * (eye.level - vertices[eye.eye, 1])
    added[eye.lash, 1] += FLAT_SHAPES.shut * (eye.level - eye.top) + FLAT_SHAPES.lash * (
        eye.top - vertices[eye.lash, 1]
    )
    return added


def parted(
    surface: Surface, found: Sequence[Flags], landmarks: Mapping[str, Floats]
) -> tuple[Flags, Floats] | None:
    """jawOpen of mouths that are closed strips before the skin: the upper rim rises and the lower
    one falls, along the strip.

    A rim is told by where a vertex and the faces at it lie, since the rims of strips that are
    outlined lie on each other. What hard edges have cut moves as one.

    Args:
        surface: the face's mesh
        found: bool (F,) of each strip
        landmarks: name -> (3,), canonical

    Returns:
        Vertices bool (F,) of such strips, and offsets float32 (F,3); None where there is no strip.
    """
    if not found:
        return None
    left, right = landmarks["mouth_left"], landmarks["mouth_right"]
    half = float(np.abs(left - right)[0]) / 2
    x = np.clip((surface.vertices[:, 0] - (left + right)[0] / 2) / half, -1, 1)
    moved = np.zeros_like(surface.vertices)
    # half widths from the middle, where the line between the rims is read
    rims = np.linspace(-1, 1, FLAT_SHAPES.rim_places)
    for strip in found:
        faces = surface.triangles[all_corners(strip, surface.triangles)]
        one = surface.group if _cut(surface, strip) else np.arange(len(strip))
        corners, middles = one[faces].reshape(-1), surface.vertices[faces].mean(axis=1)
        count = np.maximum(np.bincount(corners, minlength=len(strip)), 1)
        around = np.stack(
            [np.bincount(corners, np.repeat(each, 3), len(strip)) for each in middles.T], axis=1
        )
        own = surface.vertices[strip]
        level = (own + (around / count[:, None])[one][strip]) / 2
        along, fallen = x[strip], np.zeros(len(own), np.float32)
        curve = bent_strips.bent(own, level, among(np.flatnonzero(strip), faces), half)
        if curve is not None:
            along, over, rise = curve
            upper = over > 0
            # rims go over the line between the ends, on their own side of it
            fallen = np.where(upper, np.minimum(rise, 0), np.maximum(rise, 0))
        else:
            aside = np.abs(along - rims[:, None])
            between = [
                np.median(level[near, 1])
                for near in aside
                <= np.maximum(FLAT_SHAPES.rim_column, aside.min(axis=1, keepdims=True))
            ]
            upper = level[:, 1] > np.interp(along, rims, between)
        if not upper.any() or upper.all():
            continue
        up = (own[upper].mean(axis=0) - own[~upper].mean(axis=0)) * np.array([0, 1, 1], np.float32)
        if curve is not None:
            up = np.array([0, 1, 0], np.float32)
        far = np.where(upper, FLAT_SHAPES.rise, -FLAT_SHAPES.fall) * half * (1 - along**2)
        moved[strip] = far[:, None] * up / max(float(np.linalg.norm(up)), 1e-9)
        moved[strip, 0] += FLAT_SHAPES.wider * half * x[strip]
        moved[strip, 1] -= fallen
    return np.logical_or.reduce(found), moved


def _cut(surface: Surface, strip: Flags) -> bool:
    """Whether hard edges have cut a strip (F,) into pieces: lips of their own reach across it."""
    x, pieces = surface.vertices[strip, 0], surface.pieces[strip]
    wide = [float(np.ptp(x[pieces == piece])) for piece in np.unique(pieces)]
    return min(wide) < FLAT_SHAPES.across * float(np.ptp(x))
