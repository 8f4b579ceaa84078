# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs made ready for training: in their canonical frame, with the sizes of their shapes, what
moves, and random identities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.face.analyse.opening_sides import lip_lid_side, opposites
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.landmarks import NAMES
from backend.face.geometry.mesh import loose_parts

from ..samples.rig import Floats, Ints, Rig
from .warps import Warp

NEAR = 4.0  # canonical units: vertices farther from the face are never given to the decoder


@dataclass
class Head:
    """A rig in its own canonical frame, ready for drawing variants. targets (K,V,3), known (K,)
    bool, scales (K,): the size of each shape.

    mixes: (weights (K,), offsets (V,3), scale). active, still: vertices that some shape moves, and
    the others near the face. interest (A,): how likely an active one is drawn, by the part of a
    shape that it moves: lids and lips are few, cheeks are many. lip_lid_side, opposite (V,2): of
    mouth and eye, as opening_sides.py finds them.
    """

    name: str
    vertices: Floats
    triangles: Ints
    parts: Ints
    targets: Floats
    known: NDArray[np.bool_]
    scales: Floats
    mixes: list[tuple[Floats, Floats, float]]
    identities: NDArray[np.float16] | None
    identity_names: list[str]
    whole_avatar: bool
    anchors: list[tuple[Ints, int]]
    active: Ints
    still: Ints
    interest: NDArray[np.float64]
    lip_lid_side: Floats
    opposite: Ints


def shape_scale(offsets: Floats) -> float:
    """Mean length of the 5 % of vertices that move most among those that move at all, in the
    offsets' unit.
    """
    far = np.linalg.norm(offsets, axis=1)
    moving = np.sort(far[far > 0.02 * far.max()]) if far.max() > 0 else far[:1]
    return float(moving[-max(1, len(moving) // 20) :].mean())


def canonical(rig: Rig, conditions: list[str]) -> Head:
    frame = frame_of_landmarks(rig.landmarks(rig.vertices, rig.shapes))
    vertices = frame.to_canonical(rig.vertices)
    turn = (frame.rotation.T / frame.scale).astype(np.float32)
    targets = np.zeros((len(conditions), len(vertices), 3), np.float32)
    known = np.array([name in rig.shapes for name in conditions])
    for k in np.flatnonzero(known):
        targets[k] = rig.shapes[conditions[k]] @ turn
    scales = np.array([max(shape_scale(t), 0.01) for t in targets], np.float32)
    mixes = []
    for weights, offsets in rig.mixes:
        row = np.array([weights.get(n, 0) for n in conditions], np.float32)
        mixes.append((row, offsets @ turn, max(shape_scale(offsets @ turn), 0.01)))
    share = (np.linalg.norm(targets, axis=2) / scales[:, None]).max(axis=0)
    moves = share > 0.02
    interest = np.clip(share[moves], 0.1, 1).astype(np.float64)
    near = np.linalg.norm(vertices, axis=1) < NEAR
    identities = None
    if rig.identities is not None:
        identities = (rig.identities.astype(np.float32) @ turn).astype(np.float16)
    marks = {n: frame.to_canonical(p) for n, p in rig.landmarks(rig.vertices, rig.shapes).items()}
    found = lip_lid_side(vertices, rig.triangles, marks)
    return Head(
        name=rig.name,
        vertices=vertices,
        triangles=rig.triangles,
        parts=loose_parts(vertices, rig.triangles),
        targets=targets,
        known=known,
        scales=scales,
        mixes=mixes,
        identities=identities,
        identity_names=rig.identity_names,
        whole_avatar=rig.whole_avatar,
        anchors=[
            (rig.anchors[n].indices, conditions.index(s) if (s := rig.anchors[n].shape) else -1)
            for n in NAMES
        ],
        active=np.flatnonzero(moves).astype(np.int32),
        still=np.flatnonzero(near & ~moves).astype(np.int32),
        interest=interest / interest.sum(),
        lip_lid_side=found,
        opposite=opposites(vertices, rig.triangles, marks, found),
    )


def random_identity(head: Head, rng: np.random.Generator) -> Floats:
    """Neutral vertices (V,3) of a random person of this rig's kind."""
    if head.identities is None:
        return head.vertices
    names = head.identity_names
    if not names:  # statistical modes: coefficients are normal
        weights = rng.normal(0, 0.7, len(head.identities))
        chosen = np.arange(len(head.identities))
    else:
        whole = [
            i
            for i, n in enumerate(names)
            if n.startswith(("macrodetails", "Gender", "Race", "Age", "BodyType"))
        ]
        detail = [
            i
            for i, n in enumerate(names)
            if i not in set(whole) and not n.startswith(("asym", "Fantasy"))
        ]
        chosen = (
            np.concatenate([rng.choice(whole, 1), rng.choice(detail, 10, replace=False)])
            if whole
            else rng.choice(detail, 10, replace=False)
        )
        weights = rng.uniform(0, 1, len(chosen))
    return head.vertices + np.tensordot(
        weights.astype(np.float32), head.identities[chosen].astype(np.float32), 1
    )


def landmarks_of(head: Head, vertices: Floats, warp: Warp) -> Floats:
    """Positions (L,3) of the landmarks on the warped variant."""
    return np.stack(
        [
            warp(vertices[i] + (head.targets[k][i] if k >= 0 else 0)).mean(axis=0, dtype=np.float32)
            for i, k in head.anchors
        ]
    )
