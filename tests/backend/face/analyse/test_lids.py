# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertices go with an eye's lids, and how far."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.face.analyse.head import head_of
from backend.face.analyse.lids import Lid
from backend.face.analyse.opening_sides import lip_lid_side
from backend.face.analyse.surface import surface_of
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import Ints, loose_parts, part_boxes, weld
from scripts.samples.modelled import anatomy


def lid_of(v: Floats, triangles: Ints, landmarks: Mapping[str, Floats]) -> Lid:
    """The lids of a head's left eye."""
    boxes = part_boxes(v, loose_parts(v, triangles))
    return head_of(
        surface_of(
            v, triangles, weld(v), boxes, lip_lid_side(v, triangles, landmarks), landmarks=landmarks
        ),
        landmarks,
    ).lids["left"]


def test_find_lids_pulls_less_what_hangs_farther_before_the_eye() -> None:
    made, made_of = anatomy(None, 1.0)
    bare = lid_of(made.vertices, made_of, made.landmarks).opening
    middle = np.abs(bare.columns) < 0.3
    x, edge = bare.columns[middle], np.maximum(bare.upper.points, bare.lower.points)[middle]
    share = []
    for before in (0.2, 0.475, 0.7):  # heights of the opening, in which COVER tells how far
        strip = np.stack([x, edge[:, 1] + 0.05, edge[:, 2] + np.float32(before)], axis=1)
        strip = np.concatenate([strip, strip + np.array([0, 0.05, 0], np.float32)])
        v = np.concatenate([made.vertices, strip * bare.unit @ bare.axes + bare.origin]).astype(
            np.float32
        )
        count, low = len(x), len(made.vertices)
        quads = [(low + k, low + k + 1, low + count + k) for k in range(count - 1)]
        triangles = np.concatenate([made_of, np.array(quads, np.int32)])
        share.append(lid_of(v, triangles, made.landmarks).top[low : low + count])
    assert share[0].min() > 0.9 and not share[2].any()
    np.testing.assert_allclose(share[1], share[0] / 2, atol=0.02)


def test_a_layer_over_both_eyes_goes_as_the_skin_below_it_does() -> None:
    """As a fringe's shadow, a part of its own: near the lids it once was a lash and rode the edge,
    while the rest of it stayed.
    """
    made, made_of = anatomy(None, 1.0)
    v, marks = made.vertices, made.landmarks
    boxes = part_boxes(v, loose_parts(v, made_of))
    skin = surface_of(
        v, made_of, weld(v), boxes, lip_lid_side(v, made_of, marks), landmarks=marks
    ).skins[0]
    low, high = marks["lid_lower_left"][1], marks["brow_outer_left"][1] + 0.4
    under = skin & (v[:, 1] > low) & (v[:, 1] < high) & (np.abs(v[:, 0]) < 1.1) & (v[:, 2] > -0.3)
    faces = made_of[under[made_of].all(axis=1)]
    below = np.unique(faces)
    layer = np.arange(len(v), len(v) + len(below))
    over = np.concatenate([v, v[below] + np.array([0, 0, 0.02], np.float32)])
    triangles = np.concatenate([made_of, np.searchsorted(below, faces) + len(v)]).astype(np.int32)
    lid = lid_of(over, triangles, marks)
    assert not (lid.lash | lid.lower_lash)[layer].any()
    moves = lid.top[below] > 0.3
    assert moves.sum() > 20
    apart = np.abs(lid.top[layer] - lid.top[below])[moves]
    assert (apart < 0.15).mean() > 0.95, "but for what lies behind the edge"
