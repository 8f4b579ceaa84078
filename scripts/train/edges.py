# SPDX-License-Identifier: GPL-3.0-or-later
"""The edges of lids and lips that meet on a head, read off what the artist's own shapes do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import connected_parts, loose_parts

from ..samples.rig import Floats, Rig

LIP_COLUMNS = 14  # strips across a mouth, in each of which an edge is looked for
LID_COLUMNS = 9  # the same across an eye


EDGE = 0.8  # of the farthest way in a strip, from which on a vertex belongs to the lid's edge


WORTH = 0.25  # of the eye's height: a strip whose edge the artist moves less says nothing


# of the eye's height: a strip in which the artist's own lids stay farther apart is beyond the eye
MEET = 0.15


# share of a welded skin above which the piece around the nose is all of it: less is an island of
# its UV map
SEWN = 0.7


Shapes = Mapping[str, Floats]


Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Edges:
    """Two edges that meet. upper, lower (N,): vertices that face each other. rest (N,): how far
    lower lies below upper, along down (3,) unit, on the neutral head. unit: what gaps are measured
    in.
    """

    upper: Indices
    lower: Indices
    down: Floats
    rest: Floats
    unit: float

    def gap(self, offsets: Floats) -> Floats:
        """What is left between the edges (N,) after offsets (V,3), in units; negative where they
        have passed each other.
        """
        return np.asarray(
            (self.rest + (offsets[self.lower] - offsets[self.upper]) @ self.down) / self.unit,
            np.float32,
        )


def skin_of(rig: Rig, marks: Shapes) -> NDArray[np.bool_]:
    """Vertices (V,) of the loose part that the nose belongs to, without what is only sewn to it, as
    lashes may be.
    """
    nose = np.linalg.norm(rig.vertices - marks["nose_tip"], axis=1).argmin()
    parts, raw = (
        loose_parts(rig.vertices, rig.triangles),
        connected_parts(len(rig.vertices), rig.triangles),
    )
    skin, piece = parts == parts[nose], raw == raw[nose]
    return np.asarray(piece if piece.sum() > SEWN * skin.sum() else skin)


def lid_edges(rig: Rig, side: str, skin: NDArray[np.bool_]) -> Edges:
    """In each strip across the eye: the lowest vertex that the artist's blink moves nearly as far
    as any there, and the highest one that it does not, next to where the first one lands. Of an
    edge's thickness the front counts.
    """
    v, blink, marks = (
        rig.vertices,
        rig.shapes[f"eyeBlink{side.title()}"],
        rig.landmarks(rig.vertices, rig.shapes),
    )
    inner, outer = marks[f"eye_inner_{side}"], marks[f"eye_outer_{side}"]
    way = marks[f"lid_lower_{side}"] - marks[f"lid_upper_{side}"]
    height = float(np.linalg.norm(way))
    down = way / height
    far = np.linalg.norm(blink, axis=1)
    lid = (
        skin if far[skin].max() > 0.6 * far.max() else np.ones(len(v), bool)
    )  # cartoon lids may be parts of their own
    descent, level = blink @ down, v @ down
    along = (v - inner) @ (outer - inner) / float((outer - inner) @ (outer - inner))
    strip = np.where(
        (along > 0.05) & (along < 0.95) & lid, np.floor(along * LID_COLUMNS), -1
    ).astype(int)
    upper: list[int] = []
    lower: list[int] = []
    resting = np.flatnonzero(lid & (descent < 0.1 * descent.max()))
    wide = float(np.linalg.norm(outer - inner)) / LID_COLUMNS
    for column in range(LID_COLUMNS):
        mine = np.flatnonzero(strip == column)
        if len(mine) and descent[mine].max() > WORTH * height:
            edge = mine[descent[mine] >= EDGE * descent[mine].max()]
            front = float(v[edge[level[edge] > level[edge].max() - 0.15 * height], 2].max())
            top = int(edge[(level - 0.6 * np.maximum(front - v[:, 2], 0))[edge].argmax()])
            away = v[resting] - (v + blink)[top]
            near = resting[
                (np.abs(away[:, 0]) < wide) & (np.linalg.norm(away, axis=1) < 0.6 * height)
            ]
            if len(near):
                upper.append(top)
                behind = np.maximum(v[near, 2].max() - v[near, 2], 0)
                lower.append(
                    int(
                        near[
                            (
                                -level[near] - 0.6 * behind - 0.3 * np.abs((v - v[top])[near, 0])
                            ).argmax()
                        ]
                    )
                )
    top_, low = np.array(upper, np.intp), np.array(lower, np.intp)
    edges = Edges(top_, low, down.astype(np.float32), level[low] - level[top_], height)
    meet = edges.gap(blink) < MEET
    return Edges(top_[meet], low[meet], edges.down, edges.rest[meet], height)


def opening_of(rig: Rig) -> Floats | None:
    """Offsets (V,3) of whatever parts the lips on this rig."""
    if "jawOpen" in rig.shapes:
        return rig.shapes["jawOpen"]
    mixed = [offsets for weights, offsets in rig.mixes if weights.get("jawOpen", 0) > 0]
    if mixed:
        return mixed[0]
    return (
        rig.shapes["mouthLowerDownLeft"] + rig.shapes["mouthLowerDownRight"]
        if "mouthLowerDownLeft" in rig.shapes
        else None
    )


def lip_pairs(rig: Rig, skin: NDArray[np.bool_]) -> Edges | None:
    """In each strip across the mouth the foremost pair of close vertices of which only one follows
    the jaw.
    """
    jaw, v, marks = opening_of(rig), rig.vertices, rig.landmarks(rig.vertices, rig.shapes)
    if jaw is None:
        return None
    left, right = marks["mouth_left"], marks["mouth_right"]
    wide, lips = float(np.linalg.norm(left - right)), (marks["lip_upper"] + marks["lip_lower"]) / 2
    far = np.linalg.norm(jaw, axis=1)
    if not far[skin].any():
        return None
    far = far / far[skin].max()
    along = (v - right) @ (left - right) / wide**2
    near = skin & (np.abs(v[:, 1] - lips[1]) < 0.3 * wide) & (v[:, 2] > lips[2] - 0.3 * wide)
    upper, lower = [], []
    for column in range(LIP_COLUMNS):
        mine = near & (np.floor(along * LIP_COLUMNS) == column) & (along > 0.15) & (along < 0.85)
        if mine.any():
            middle = (far[mine].min() + far[mine].max()) / 2
            above, below = (
                np.flatnonzero(mine & (far < middle)),
                np.flatnonzero(mine & (far >= middle)),
            )
            if len(above) and len(below) and far[mine].max() - far[mine].min() > 0.25:
                away = np.linalg.norm(v[above][:, None] - v[below][None], axis=2)
                behind = 0.5 * (v[above, 2][:, None] + v[below, 2][None])
                first, second = np.unravel_index(int((away - behind).argmin()), away.shape)
                upper.append(above[first])
                lower.append(below[second])
    if not upper:
        return None
    top, low = np.array(upper, np.intp), np.array(lower, np.intp)
    return Edges(top, low, np.array([0, -1, 0], np.float32), np.zeros(len(top), np.float32), wide)
