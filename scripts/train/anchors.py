# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks of a training rig, by what its shapes do, so that a landmark means the same on every
one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..samples.rig import Anchor, Floats, Ints, Rig


def _length(offsets: Floats) -> Floats:
    return np.asarray(np.linalg.norm(offsets, axis=-1), np.float32)


def extreme(candidates: Ints, score: Floats, part: float) -> Ints:
    """The share of the candidates with the highest score, at least one."""
    count = max(1, round(part * len(candidates)))
    return np.asarray(candidates[np.argsort(-score[candidates], kind="stable")[:count]], np.int32)


def _eye_anchors(rig: Rig, side: str, sign: int) -> dict[str, Anchor]:
    """The lid margin is what a blink moves down farthest; the lower lid is where it lands; the
    corners end the moved strip.
    """
    v, blink = rig.vertices, f"eyeBlink{side.title()}"
    offsets = rig.shapes[blink]
    far, down = _length(offsets), -offsets[:, 1]
    height = v[np.argmax(down), 1] + 0.5 * offsets[np.argmax(down), 1]
    moved = np.flatnonzero((far > 0.3 * far.max()) & (np.abs(v[:, 1] - height) < far.max()))
    low, high = v[moved, 0].min(), v[moved, 0].max()
    margin = np.flatnonzero(
        (down > 0.1 * down.max()) & (np.abs(v[:, 0] - (low + high) / 2) < 0.15 * (high - low))
    )
    return {
        f"lid_upper_{side}": Anchor(extreme(margin, down, 0.15)),
        f"lid_lower_{side}": Anchor(extreme(margin, down, 0.15), blink),
        f"eye_inner_{side}": Anchor(extreme(moved, -sign * v[:, 0], 0.03)),
        f"eye_outer_{side}": Anchor(extreme(moved, sign * v[:, 0], 0.03)),
    }


def _brow_anchors(rig: Rig, side: str, sign: int, offsets: Floats) -> dict[str, Anchor]:
    """The ends of what a brow shape (V,3) moves most on one side."""
    far = _length(offsets)
    strip = np.flatnonzero((far > 0.5 * far.max()) & (sign * rig.vertices[:, 0] > 0))
    return {
        f"brow_inner_{side}": Anchor(extreme(strip, -sign * rig.vertices[:, 0], 0.05)),
        f"brow_outer_{side}": Anchor(extreme(strip, sign * rig.vertices[:, 0], 0.05)),
    }


def _corner_anchors(smile: Mapping[str, Floats]) -> dict[str, Anchor]:
    """Mouth corners: what a one-sided smile (V,3) moves farthest."""
    return {
        f"mouth_{side}": Anchor(
            np.flatnonzero(_length(d) > 0.93 * _length(d).max()).astype(np.int32)
        )
        for side, d in smile.items()
    }


def _middle_anchors(rig: Rig, jaw: Floats, corners: Mapping[str, Anchor]) -> dict[str, Anchor]:
    """Lips, nose tip and chin on the middle line. jaw: offsets (V,3) that open the mouth: the lips
    are the foremost pair of close vertices of which only one follows.
    """
    v = rig.vertices
    far = _length(jaw)
    mouth = np.mean([v[a.indices].mean(axis=0) for a in corners.values()], axis=0)
    eyes = np.mean(
        [
            v[rig.anchors[f"{n}_{s}"].indices].mean(axis=0)
            for n in ("eye_inner", "eye_outer")
            for s in ("left", "right")
        ],
        axis=0,
    )
    unit = float(np.linalg.norm(eyes - mouth))
    middle = np.abs(v[:, 0] - mouth[0]) < 0.04 * unit
    near = middle & (np.abs(v[:, 1] - mouth[1]) < 0.3 * unit) & (v[:, 2] > mouth[2] - 0.15 * unit)
    upper, lower = (
        np.flatnonzero(near & (far < 0.25 * far.max())),
        np.flatnonzero(near & (far > 0.5 * far.max())),
    )
    gap = np.linalg.norm(v[upper][:, None] - v[lower][None], axis=2) - 0.25 * (
        v[upper, 2][:, None] + v[lower, 2][None]
    )
    first, second = np.unravel_index(int(gap.argmin()), gap.shape)
    between = np.flatnonzero(
        (np.abs(v[:, 0] - mouth[0]) < 0.15 * unit)
        & (v[:, 1] > mouth[1])
        & (v[:, 1] < eyes[1])
        & (v[:, 2] < mouth[2] + unit)
    )
    jawline = np.flatnonzero(
        (np.abs(v[:, 0] - mouth[0]) < 0.1 * unit) & (far > 0.1 * far.max()) & (v[:, 1] < mouth[1])
    )
    return {
        "lip_upper": Anchor(upper[[first]].astype(np.int32)),
        "lip_lower": Anchor(lower[[second]].astype(np.int32)),
        "nose_tip": Anchor(extreme(between, v[:, 2], 0.0)),
        "chin": Anchor(extreme(jawline, v[:, 2] - v[:, 1], 0.0)),
    }


def nearest(vertices: Floats, place: Floats) -> Anchor:
    """The few vertices (V,3) whose mean is nearest to a place (3,)."""
    by_distance = np.argsort(np.linalg.norm(vertices - place, axis=1), kind="stable")[:4]
    means = np.cumsum(vertices[by_distance], axis=0) / np.arange(1, 5)[:, None]
    count = int(np.linalg.norm(means - place, axis=1).argmin()) + 1
    return Anchor(np.asarray(by_distance[:count], np.int32))


def mouth_anchors(rig: Rig, smile: Mapping[str, Floats], jaw: Floats) -> None:
    """Set the anchors of the mouth's corners and of the lips by what the rig's shapes do, of one
    that has all anchors already. Its lids may meet half-way, so a blink tells no lower lid.
    """
    corners = _corner_anchors(smile)
    middle = _middle_anchors(rig, jaw, corners)
    rig.anchors |= corners | {n: middle[n] for n in ("lip_upper", "lip_lower")}


def find_anchors(
    rig: Rig, brows: Mapping[str, Floats], smile: Mapping[str, Floats], jaw: Floats
) -> None:
    """Set the rig's anchors by what its shapes do, so that a landmark means the same on every rig.
    brows, smile: side -> offsets (V,3).
    """
    for side, sign in (("left", 1), ("right", -1)):
        rig.anchors |= _eye_anchors(rig, side, sign) | _brow_anchors(rig, side, sign, brows[side])
    corners = _corner_anchors(smile)
    rig.anchors |= corners | _middle_anchors(rig, jaw, corners)
