# SPDX-License-Identifier: GPL-3.0-or-later
"""What the decoder is shown: vertices of a variant with their offsets, warped or mirrored, their
loose parts cut and joined as other makers do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.face.analyse.opening_sides import opposite_edge
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.landmarks import NAMES, mirrored
from backend.face.geometry.mesh import part_boxes
from backend.face.geometry.normals import seamless_normals

from ..samples.rig import Floats, Ints
from .heads import Head, landmarks_of, random_identity
from .warps import random_warp

# how far the decoder's variants go towards anime proportions: beyond, the artists' habits are
# others
PROPORTIONS = 0.4


@dataclass(frozen=True)
class DecoderSample:
    """Vertices of one variant in its canonical frame. vertices, normals (S,3), parts (S,6),
    lip_lid_side (S,2), opposite_edge (S,6), landmarks (L,3), targets (K,S,3), known (K,), scales
    (K,), and at most one mix: weights (K,), offsets (S,3), scale (0 when there is none).
    """

    vertices: Floats
    normals: Floats
    parts: Floats
    lip_lid_side: Floats
    opposite_edge: Floats
    landmarks: Floats
    targets: NDArray[np.float16]
    known: NDArray[np.bool_]
    scales: Floats
    mix_weights: Floats
    mix_offsets: Floats
    mix_scale: float
    rig: str


# canonical units: a loose part below this size is a body of its own, like teeth, a tongue or a lash
SMALL = 1.3


def loosened(parts: Ints, vertices: Floats, landmarks: Floats, rng: np.random.Generator) -> Ints:
    """Labels (V,) of loose parts as other makers would have cut them: everything welded, small
    parts joined, a lid or a mouth cut out.
    """
    kind = rng.random()
    if kind < 0.15:
        return np.zeros_like(parts)
    parts = parts.copy()
    boxes = part_boxes(vertices, parts)
    small = boxes[:, 3:].max(axis=1) < SMALL / 2
    if kind < 0.35:
        joined = rng.permutation(np.unique(parts[small]))[: rng.integers(2, 7)]
        parts[np.isin(parts, joined)] = joined[0] if len(joined) else 0
    if rng.random() < 0.4:
        at = landmarks[[NAMES.index(n) for n in ("lid_upper_left", "lid_upper_right", "lip_upper")]]
        for number, centre in enumerate(at[rng.random(3) < 0.6]):
            away = np.linalg.norm(
                (vertices - centre) / np.array([1, rng.uniform(0.5, 1), 1], np.float32), axis=1
            )
            parts[~small & (away < rng.uniform(0.2, 0.6))] = parts.max() + 1 + number
    return parts


def seen_openings(true: Floats, across: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """`lip_lid_side` (S,2) and `opposite_edge` (S,6) as they are found on a user's mesh: a little
    off, and now and then not at all, where an opening is drawn or welded.
    """
    found = true * rng.uniform(0.85, 1.15, 2) + rng.normal(0, 0.03, 2)
    seen = (rng.random(2) > 0.08).astype(np.float32)
    return np.asarray(np.where(true != 0, found, 0) * seen, np.float32), np.asarray(
        across * np.repeat(seen, 3), np.float32
    )


def _chosen(head: Head, count: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Which vertices (count,) are drawn: two thirds of them where shapes move."""
    active = min(count * 2 // 3, len(head.active))
    still = min(count - active, len(head.still))
    chosen = np.concatenate(
        [
            rng.choice(head.active, active, replace=False, p=head.interest),
            rng.choice(head.still, still, replace=False),
        ]
    )
    if len(chosen) < count:
        chosen = np.concatenate([chosen, rng.choice(chosen, count - len(chosen))])
    return np.asarray(chosen, np.int32)


def decoder_sample(
    head: Head, conditions: list[str], count: int, rng: np.random.Generator
) -> DecoderSample:
    """Draw a variant and `count` of its vertices, two thirds of them where shapes move."""
    vertices = random_identity(head, rng) if rng.random() < 0.85 else head.vertices
    warp = random_warp(
        landmarks_of(head, vertices, lambda p: p),
        rng,
        rng.uniform(0, 1) if rng.random() < 0.7 else 0.0,
        PROPORTIONS,
    )
    chosen = _chosen(head, count, rng)
    warped = warp(vertices)
    landmarks = landmarks_of(head, vertices, warp)
    frame = frame_of_landmarks(dict(zip(NAMES, landmarks, strict=True)))
    everything = frame.to_canonical(warped)
    turn = (frame.rotation.T / frame.scale).astype(np.float32)
    labels = loosened(head.parts, everything, frame.to_canonical(landmarks), rng)

    def carried(offsets: Floats) -> Floats:
        """Offsets (...,S,3) of the chosen vertices on the variant, in its own frame."""
        return np.asarray((warp(vertices[chosen] + offsets) - warped[chosen]) @ turn)

    targets = np.zeros((len(conditions), count, 3), np.float32)
    moving = np.flatnonzero(head.known)
    targets[moving] = carried(head.targets[moving][:, chosen])
    mix_weights, mix_scale = np.zeros(len(conditions), np.float32), 0.0
    mix_offsets = np.zeros((count, 3), np.float32)
    if head.mixes:
        mix_weights, offsets, mix_scale = head.mixes[rng.integers(len(head.mixes))]
        mix_offsets = carried(offsets[chosen])
    boxes = part_boxes(everything, labels)
    across = opposite_edge(everything, head.opposite, head.lip_lid_side)[chosen]
    side, across = seen_openings(head.lip_lid_side[chosen], across, rng)
    sample = DecoderSample(
        vertices=everything[chosen],
        normals=seamless_normals(everything, head.triangles)[chosen],
        parts=boxes[chosen],
        lip_lid_side=side,
        opposite_edge=across,
        landmarks=frame.to_canonical(landmarks),
        targets=targets.astype(np.float16),
        known=head.known,
        scales=head.scales,
        mix_weights=mix_weights,
        mix_offsets=mix_offsets,
        mix_scale=mix_scale,
        rig=head.name,
    )
    return mirror_sample(sample, conditions) if rng.random() < 0.5 else sample


MIRROR = np.array([-1, 1, 1], np.float32)
LANDMARK_SWAP = np.array([NAMES.index(mirrored(n)) for n in NAMES])


def swaps(conditions: list[str]) -> Ints:
    """Index (K,) of each condition's counterpart; jawLeft and mouthLeft count as one-sided shapes
    as well.
    """
    return np.array([conditions.index(mirrored(n)) for n in conditions], np.int32)


def mirror_sample(s: DecoderSample, conditions: list[str]) -> DecoderSample:
    swap = swaps(conditions)
    return DecoderSample(
        vertices=s.vertices * MIRROR,
        normals=s.normals * MIRROR,
        parts=np.concatenate([s.parts[:, :3] * MIRROR, s.parts[:, 3:]], axis=1),
        lip_lid_side=s.lip_lid_side,
        opposite_edge=s.opposite_edge * np.tile(MIRROR, 2),
        landmarks=s.landmarks[LANDMARK_SWAP] * MIRROR,
        targets=s.targets[swap] * MIRROR.astype(np.float16),
        known=s.known[swap],
        scales=s.scales[swap],
        mix_weights=s.mix_weights[swap],
        mix_offsets=s.mix_offsets * MIRROR,
        mix_scale=s.mix_scale,
        rig=s.rig,
    )
