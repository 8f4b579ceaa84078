# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that the project models itself, with ARKit's shapes by construction: what a lid, a lip or a
tooth is, is known, not learnt.

Every shape is a field over the head in the canonical frame, written down from what the shape's name
means: lids travel from one edge to the other over the eyeball, the jaw turns about its hinge,
corners of the mouth are pulled. The numbers are this project's own modelling. Axes: canonical, +X
the character's left, +Y up, +Z out of the face; lengths in canonical units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backend.face.geometry.landmarks import NAMES, SIDES

from . import stylised
from .anatomy import PARTS, Anatomy, Habits, framed, smooth, way
from .hair import locks
from .head import build, random_spec
from .modelled_eye import SIGN, eye_shapes
from .modelled_mouth import mouth_shapes
from .rig import Anchor, Floats, Ints, Rig

LOCKS = 0.5  # share of random heads with loose hair
STYLISED = 0.75  # share of random heads that are anime, cartoon or muzzled
OVERLAYS = 0.35  # share of random heads with a sheet before the skin


def brow_shapes(head: Anatomy) -> dict[str, Floats]:
    """Brows and the skin below them; `browInnerUp` is both sides' at once."""
    shapes: dict[str, Floats] = {"browInnerUp": np.zeros_like(head.vertices)}
    for side in SIDES:
        s, cap = SIGN[side], side.title()
        inner, outer = head.landmarks[f"brow_inner_{side}"], head.landmarks[f"brow_outer_{side}"]
        line = outer - inner
        t = np.asarray(
            np.clip((head.vertices - inner) @ line / (line @ line), -0.3, 1.2)[:, None], np.float32
        )
        away = head.vertices - (inner + np.clip(t, 0, 1) * line)
        above = np.where(away[:, 1:2] > 0, 0.30, 0.17)
        skin = np.exp(
            -((away[:, 0:1] / 0.25) ** 2) - (away[:, 1:2] / above) ** 2 - (away[:, 2:3] / 0.6) ** 2
        ) * head.of("skin")
        skin *= smooth(-0.12, 0.1, s * head.vertices[:, 0:1]) * head.habits.brow_skin
        field = (skin + head.of(f"brow_{side}")).astype(np.float32)
        inwards = smooth(1.0, 0.1, t)
        shapes[f"browDown{cap}"] = field * (way(-0.04 * s, -0.14, 0.02) * (0.45 + 0.55 * inwards))
        shapes[f"browOuterUp{cap}"] = field * way(0, 0.15, 0) * smooth(0.1, 0.8, t)
        shapes["browInnerUp"] = shapes["browInnerUp"] + field * way(0.01 * s, 0.16, 0.01) * inwards
    return shapes


def restyled(head: Anatomy, rng: np.random.Generator) -> Anatomy:
    """Parts as cartoon and anime makers put them: brows that float before the skin, eyes as flat
    flat eyes, other teeth and tongues.
    """
    v = head.vertices.copy()
    if rng.random() < 0.5:
        for name in ("brow_left", "brow_right"):
            v[head.part == PARTS.index(name)] += way(0, 0, float(rng.uniform(0, 0.08)))[0]
    if rng.random() < 0.4:
        depth = rng.uniform(0.1, 0.5)
        for name in ("eye_left", "eye_right"):
            mine = head.part == PARTS.index(name)
            front = v[mine, 2].max()
            v[mine, 2] = front - (front - v[mine, 2]) * depth
    for names in (("teeth_upper", "teeth_lower"), ("tongue",)):
        mine = np.isin(head.part, [PARTS.index(n) for n in names])
        if mine.any() and rng.random() < 0.6:
            middle = v[mine].mean(axis=0)
            v[mine] = (
                middle
                + (v[mine] - middle) * rng.uniform([0.55, 0.6, 0.4], [1.15, 1.3, 1.2])
                + rng.normal(0, [0.0, 0.02, 0.05])
            )
    return replace(head, vertices=v.astype(np.float32))


BUILDERS: tuple[Callable[[Anatomy], dict[str, Floats]], ...] = (
    eye_shapes,
    brow_shapes,
    mouth_shapes,
)


def joined(head: Anatomy, triangles: Ints, vertices: Floats, more: Ints) -> tuple[Anatomy, Ints]:
    """The head with something around it that no shape moves, and the triangles of both."""
    count = len(vertices)
    merged = replace(
        head,
        vertices=np.concatenate([head.vertices, vertices]),
        part=np.concatenate([head.part, np.full(count, PARTS.index("hair"), np.int32)]),
        ring=np.concatenate([head.ring, np.full(count, 2, np.float32)]),
        turn=np.concatenate([head.turn, np.zeros(count, np.float32)]),
        opening=np.concatenate([head.opening, np.zeros(count, np.int32)]),
    )
    return merged, np.concatenate([triangles, more + len(head.vertices)])


def overlay(head: Anatomy, triangles: Ints, rng: np.random.Generator) -> tuple[Floats, Ints, Ints]:
    """A sheet before the skin, as anime avatars have for a blush or a pale face: vertices (N,3),
    triangles, and the skin's vertices (N,) below.
    """
    v, at = head.vertices, head.landmarks
    skin = (head.part == PARTS.index("skin")) & (head.ring >= 0.05)
    if rng.random() < 0.5:  # the upper face
        inside = skin & (v[:, 1] > rng.uniform(-0.6, -0.2)) & (v[:, 2] > rng.uniform(-1.0, -0.3))
    else:  # the cheeks
        centre = at["lid_lower_left"] + np.array([0.05, -rng.uniform(0.15, 0.35), 0], np.float32)
        away = (np.abs(v[:, :2] - [0, centre[1]]) - [centre[0], 0]) / rng.uniform(
            [0.12, 0.08], [0.35, 0.3]
        )
        inside = skin & ((away**2).sum(axis=1) < 1) & (v[:, 2] > -0.8)
    some = triangles[inside[triangles].all(axis=1)]
    source, index = np.unique(some, return_inverse=True)
    lifted = v[source] + np.array([0, 0, rng.uniform(0.003, 0.05)], np.float32)
    return lifted, index.reshape(-1, 3).astype(np.int32), source.astype(np.int32)


def sample(rng: np.random.Generator | None = None) -> tuple[Anatomy, Ints]:
    """The demo's head in random proportions and style, or as it is without a generator."""
    built = build(random_spec(rng) if rng else None)
    axes = np.array([1, 1, -1], np.float32)
    marks = {name: built.landmarks[name][[0, 2, 1]] * axes for name in NAMES}
    head = framed(
        Anatomy(
            vertices=built.vertices[:, [0, 2, 1]] * axes,
            part=built.part,
            ring=built.ring,
            turn=built.turn,
            opening=built.opening,
            landmarks=marks,
        )
    )
    return (restyled(head, rng) if rng else head), built.triangles


def anatomy(
    rng: np.random.Generator | None = None, stylised_share: float = STYLISED
) -> tuple[Anatomy, Ints]:
    """A modelled head and its triangles: the demo's without a generator, else one of random make,
    with locks of hair or without.
    """
    if rng is None:
        return sample()
    head, triangles = stylised.head(rng) if rng.random() < stylised_share else sample(rng)
    return joined(head, triangles, *locks(rng)) if rng.random() < LOCKS else (head, triangles)


def sheeted(head: Anatomy, triangles: Ints, rng: np.random.Generator) -> tuple[Floats, Ints, Ints]:
    """Vertices and triangles of a head, now and then with a sheet before its skin, and which vertex
    of the head each of the sheet's follows.
    """
    if rng.random() >= OVERLAYS:
        return head.vertices, triangles, np.empty(0, np.int32)
    layer, more, source = overlay(head, triangles, rng)
    return (
        np.concatenate([head.vertices, layer]),
        np.concatenate([triangles, more + len(head.vertices)]),
        source,
    )


def kind_of(head: Anatomy) -> str:
    """What the training calls a modelled head: by whether its shapes go as on realistic ones."""
    return "modelled" if head.habits == Habits() else "stylised"


def modelled(rng: np.random.Generator | None = None, stylised_share: float = STYLISED) -> Rig:
    """A modelled head with its shapes as a training rig, called after its kind."""
    head, triangles = anatomy(rng, stylised_share)
    rig = rig_of(head, triangles)
    if rng is None:
        return rig
    vertices, triangles, source = sheeted(head, triangles, rng)
    shapes = {
        name: np.concatenate([offsets, offsets[source]]) for name, offsets in rig.shapes.items()
    }
    return replace(rig, vertices=vertices, triangles=triangles, shapes=shapes)


def rig_of(head: Anatomy, triangles: Ints) -> Rig:
    """A head of known parts with its shapes as a training rig, called after its kind."""
    shapes = {
        name: np.ascontiguousarray(offsets, np.float32)
        for make in BUILDERS
        for name, offsets in make(head).items()
    }
    anchors = {
        name: Anchor(np.array([np.linalg.norm(head.vertices - p, axis=1).argmin()], np.int32))
        for name, p in head.landmarks.items()
    }
    return Rig(kind_of(head), head.vertices, triangles, shapes, anchors=anchors)
