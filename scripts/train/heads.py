# SPDX-License-Identifier: GPL-3.0-or-later
"""Training variants of the rigs: identities, anime-like and random smooth warps with exact
displacements, mirrored copies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.face.analyse.opening_sides import opposites, sides, ways
from backend.face.geometry.frame import frame_of_landmarks
from backend.face.geometry.landmarks import NAMES, SIDES, mirrored
from backend.face.geometry.mesh import loose_parts, part_boxes
from backend.face.geometry.normals import seamless_normals

from ..samples.rig import Floats, Ints, Rig

Warp = Callable[[Floats], Floats]
MUZZLED = 0.12  # share of the warps that give a head a snout
# how far the decoder's variants go towards anime proportions: beyond, the artists' habits are
# others
PROPORTIONS = 0.4
NEAR = 4.0  # canonical units: vertices farther from the face are never given to the decoder


@dataclass
class Head:
    """A rig in its own canonical frame, ready for drawing variants. targets (K,V,3), known (K,)
    bool, scales (K,): the size of each shape.

    mixes: (weights (K,), offsets (V,3), scale). active, still: vertices that some shape moves, and
    the others near the face. interest (A,): how likely an active one is drawn, by the part of a
    shape that it moves: lids and lips are few, cheeks are many. sides, opposite (V,2): of mouth and
    eye, as opening_sides.py finds them.
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
    sides: Floats
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
    found = sides(vertices, rig.triangles, marks)
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
        sides=found,
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


def random_warp(
    landmarks: Floats, rng: np.random.Generator, strength: float, anime: float = 1.0
) -> Warp:
    """A smooth warp of canonical space around landmarks (L,3): bigger eyes, smaller nose and mouth,
    a pointed chin, and smooth noise.

    anime: how far towards such proportions at most.

    Local scalings fall off as Gaussians, so the warp stays smooth and a displaced point is warped
    exactly.
    """
    at = dict(zip(NAMES, landmarks, strict=True))
    balls: list[tuple[Floats, float, Floats]] = []
    anime = rng.uniform(-0.3, anime) * strength

    def scales(most: tuple[float, float, float], spread: float) -> Floats:
        """Relative growth (3,) along the axes: `most` on anime heads, with noise."""
        return np.asarray(
            np.exp(np.array(most) * anime + rng.normal(0, spread, 3) * strength) - 1, np.float32
        )

    eye = scales((0.45, 0.75, 0.0), 0.12)
    for side in SIDES:
        centre = np.mean(
            [at[f"{n}_{side}"] for n in ("eye_inner", "eye_outer", "lid_upper", "lid_lower")],
            axis=0,
            dtype=np.float32,
        )
        balls.append((centre, 0.45, eye))
    mouth = np.mean([at["mouth_left"], at["mouth_right"]], axis=0, dtype=np.float32)
    balls.append((mouth, 0.45, scales((-0.45, -0.3, -0.3), 0.2)))
    balls.append(
        (at["nose_tip"] - np.array([0, 0, 0.25], np.float32), 0.3, scales((-0.4, -0.3, -0.9), 0.15))
    )
    stretch = np.exp(
        rng.normal(0, 0.08, 3) * strength + np.array([0, 0, -0.35]) * max(anime, 0) * rng.uniform()
    )
    chin = rng.normal(0.12, 0.15) * strength
    centres = rng.normal(0, 1.0, (8, 3)) + np.array([0, -0.4, -0.3])
    pushes = rng.normal(0, 0.10 * strength, (8, 3)) * np.array([0.6, 1, 1])
    widths = rng.uniform(0.5, 1.2, 8)
    if rng.random() < MUZZLED:  # a snout: nose and mouth pushed out as one
        snout = (at["nose_tip"] + mouth) / 2 - np.array([0, 0, 0.2])
        centres = np.concatenate([centres, snout[None]])
        pushes = np.concatenate([pushes, [[0, rng.normal(0, 0.1), rng.uniform(0.2, 0.7)]]])
        widths = np.append(widths, rng.uniform(0.35, 0.6))

    def warp(points: Floats) -> Floats:
        p = points.astype(np.float32)
        move = np.zeros_like(p)
        for centre, radius, scale in balls:
            away = p - centre.astype(np.float32)
            move += (
                np.exp(-(away**2).sum(-1, keepdims=True) / (2 * radius**2))
                * away
                * scale.astype(np.float32)
            )
        for centre, push, width in zip(centres, pushes, widths, strict=True):
            away = p - centre.astype(np.float32)
            move += np.exp(-(away**2).sum(-1, keepdims=True) / (2 * width**2)) * push.astype(
                np.float32
            )
        out = (p + move) * stretch.astype(np.float32)
        low = np.clip((mouth[1] - p[..., 1]) / 1.0, 0, 1.5)
        out[..., 0] *= 1 - np.float32(chin) * low**2 * (p[..., 2] > -1.5)
        return np.ascontiguousarray(out, np.float32)

    return warp


@dataclass(frozen=True)
class DecoderSample:
    """Vertices of one variant in its canonical frame. vertices, normals (S,3), parts (S,6), sides
    (S,2), ways (S,6), landmarks (L,3), targets (K,S,3), known (K,), scales (K,), and at most one
    mix: weights (K,), offsets (S,3), scale (0 when there is none).
    """

    vertices: Floats
    normals: Floats
    parts: Floats
    sides: Floats
    ways: Floats
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
    """Sides (S,2) and ways (S,6) as they are found on a user's mesh: a little off, and now and then
    not at all, where an opening is drawn or welded.
    """
    found = true * rng.uniform(0.85, 1.15, 2) + rng.normal(0, 0.03, 2)
    seen = (rng.random(2) > 0.08).astype(np.float32)
    return np.asarray(np.where(true != 0, found, 0) * seen, np.float32), np.asarray(
        across * np.repeat(seen, 3), np.float32
    )


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
    active = min(count * 2 // 3, len(head.active))
    still = min(count - active, len(head.still))
    chosen = np.concatenate(
        [
            rng.choice(head.active, active, replace=False, p=head.interest),
            rng.choice(head.still, still, replace=False),
        ]
    )
    chosen = (
        np.concatenate([chosen, rng.choice(chosen, count - len(chosen))])
        if len(chosen) < count
        else chosen
    )
    warped = warp(vertices)
    landmarks = landmarks_of(head, vertices, warp)
    frame = frame_of_landmarks(dict(zip(NAMES, landmarks, strict=True)))
    everything = frame.to_canonical(warped)
    turn = (frame.rotation.T / frame.scale).astype(np.float32)
    base = warped[chosen]
    labels = loosened(head.parts, everything, frame.to_canonical(landmarks), rng)
    targets = np.zeros((len(conditions), count, 3), np.float32)
    moving = np.flatnonzero(head.known)
    targets[moving] = (warp(vertices[chosen][None] + head.targets[moving][:, chosen]) - base) @ turn
    mix_weights, mix_offsets, mix_scale = (
        np.zeros(len(conditions), np.float32),
        np.zeros((count, 3), np.float32),
        0.0,
    )
    if head.mixes:
        mix_weights, offsets, mix_scale = head.mixes[rng.integers(len(head.mixes))]
        mix_offsets = (warp(vertices[chosen] + offsets[chosen]) - base) @ turn
    boxes = part_boxes(everything, labels)
    side, across = seen_openings(
        head.sides[chosen], ways(everything, head.opposite, head.sides)[chosen], rng
    )
    sample = DecoderSample(
        vertices=everything[chosen],
        normals=seamless_normals(everything, head.triangles)[chosen],
        parts=boxes[chosen],
        sides=side,
        ways=across,
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
        sides=s.sides,
        ways=s.ways * np.tile(MIRROR, 2),
        landmarks=s.landmarks[LANDMARK_SWAP] * MIRROR,
        targets=s.targets[swap] * MIRROR.astype(np.float16),
        known=s.known[swap],
        scales=s.scales[swap],
        mix_weights=s.mix_weights[swap],
        mix_offsets=s.mix_offsets * MIRROR,
        mix_scale=s.mix_scale,
        rig=s.rig,
    )
