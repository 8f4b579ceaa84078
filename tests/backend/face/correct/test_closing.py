# SPDX-License-Identifier: GPL-3.0-or-later
"""Lashes that grow out of an upper lid's skin, on a modelled head: they come down with the edge."""

from __future__ import annotations

import numpy as np
import pytest

from backend.face.analyse.head import Head, head_of
from backend.face.analyse.surface import Flags, surface_of
from backend.face.correct import closing
from backend.face.geometry.frame import Floats
from backend.face.geometry.mesh import loose_parts, part_boxes, weld
from scripts.samples.modelled import anatomy

from .test_contacts import facing


def with_lash(up: float, forward: float) -> tuple[Head, Floats, Flags, Flags]:
    """A modelled head with a band that grows out of the left eye's upper edge, of its own vertices,
    in its outer half: beside the nose skin stands as far before the eye.

    Args:
        up: how far its tip lies above the edge, heights of the eye
        forward: how far its tip lies before the edge, heights of the eye

    Returns:
        The head, its vertices (F,3), and flags (F,) of the band's roots and of its tips.
    """
    made, triangles = anatomy()
    edge, _lower = facing(made, "eye_left", 0.7)
    roots = edge[np.argsort(made.vertices[edge, 0])][-6:]
    marks = made.landmarks
    high = float((marks["lid_upper_left"] - marks["lid_lower_left"])[1])
    count, rows = len(made.vertices), np.linspace(0, 1, 4)[1:]
    band = [made.vertices[roots] + high * np.array([0, t * up, t * forward]) for t in rows]
    index = np.stack([roots, *(count + np.arange(3 * len(roots)).reshape(3, -1))])
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = np.concatenate(
        [np.stack(each, axis=-1).reshape(-1, 3) for each in ((a, b, c), (c, b, d))]
    )
    vertices = np.concatenate([made.vertices, *band]).astype(np.float32)
    everything = np.concatenate([triangles, faces]).astype(np.int32)
    parts = part_boxes(vertices, loose_parts(vertices, everything))
    unknown = np.zeros((len(vertices), 2), np.float32)
    there = surface_of(vertices, everything, weld(vertices), parts, unknown, landmarks=marks)
    numbers = np.arange(len(vertices))
    return head_of(there, marks), vertices, np.isin(numbers, roots), np.isin(numbers, index[-1])


def plain() -> Head:
    """The modelled head without a band."""
    made, triangles = anatomy()
    parts = part_boxes(made.vertices, loose_parts(made.vertices, triangles))
    unknown = np.zeros((len(made.vertices), 2), np.float32)
    there = surface_of(
        made.vertices, triangles, weld(made.vertices), parts, unknown, landmarks=made.landmarks
    )
    return head_of(there, made.landmarks)


def test_closing_keeps_the_width_of_a_lash_that_is_one_with_the_skin() -> None:
    head, vertices, roots, tips = with_lash(0.3, 0.5)
    lid = head.lids["left"]
    assert head.labels.skin[tips].all(), "it is one with the skin"
    assert lid.lash[tips].all() and not lid.skin[tips].any()
    blink = closing.closing(lid, np.zeros_like(vertices))
    assert (blink[tips, 1] < 0.9 * blink[roots, 1]).all()


def test_closing_brings_skin_under_such_a_lash_farther_down() -> None:
    dressed, bare = with_lash(0.3, 0.5)[0].lids["left"], plain().lids["left"]
    count = len(bare.top)
    above = bare.opening.local[:, 1] - bare.upper[:, 1]
    outer = bare.skin & (np.abs(bare.opening.local[:, 0] - 0.45) < 0.2)
    outer &= bare.opening.local[:, 2] > bare.upper[:, 2] - 0.05
    under, far = outer & (above > 0.1) & (above < 0.3), outer & (above > 0.55)
    assert under.any() and (dressed.top[:count][under] > bare.top[under] + 0.05).all()
    assert far.any() and (dressed.top[:count][far] < 0.1).all()


@pytest.mark.parametrize(
    ("up", "forward"), [(0.3, -0.3), (1.2, 0.8), (0.3, 0.9)], ids=["behind", "high", "far"]
)
def test_standing_is_not_what_lies_behind_or_hangs_far_before(up: float, forward: float) -> None:
    head, _vertices, _roots, tips = with_lash(up, forward)
    assert not head.lids["left"].lash[tips].any()


def test_standing_is_nothing_on_heads_without_such_a_lash() -> None:
    head = plain()
    for lid in head.lids.values():
        assert not (lid.lash & head.surface.skins[0]).any()


def test_a_squint_brings_the_lower_lid_up_by_a_quarter_of_the_eye_to_a_third() -> None:
    lid = plain().lids["left"]
    squint = closing.moved_lids(lid, 0.0, 0.6)
    held = squint + closing.limited(lid, squint)
    up = lid.opening.lower.of(held @ lid.opening.axes.T / lid.opening.unit)[:, 1]
    middle = lid.gap > 0.8 * lid.gap.max()
    share = (up[middle] / lid.gap[middle]).mean()
    assert 0.25 < share < 0.33, "as makers' lower lids do"
