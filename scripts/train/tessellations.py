# SPDX-License-Identifier: GPL-3.0-or-later
"""Heads that training never shows: new identities of the training rigs, also in other
tessellations, with their offsets carried exactly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import weld
from backend.face.geometry.normals import vertex_normals

from ..samples.rig import Anchor, Floats, Ints, Rig
from .heads import random_identity

# cosine between a triangle's normals before and after a collapse, below which it counts as folded
FOLD = 0.3

Triangles = NDArray[np.int64]


def identity(rig: Rig, rng: np.random.Generator) -> Rig:
    """A random person of a rig's kind, drawn as training draws them, from other numbers."""
    return replace(
        rig,
        vertices=np.ascontiguousarray(random_identity(cast(Any, rig), rng), np.float32),
        identities=None,
    )


def with_shapes(
    rig: Rig, carry: NDArray[np.intp], share: Floats, triangles: Ints, anchors: dict[str, Anchor]
) -> Rig:
    """A rig of new vertices, each a mean of old ones: carry (N,C) indices, share (C,) their
    weights. Everything linear is carried exactly.
    """

    def moved(offsets: NDArray[np.floating[Any]]) -> Floats:
        return np.ascontiguousarray(np.einsum("nci,c->ni", offsets[carry], share), np.float32)

    return replace(
        rig,
        vertices=moved(rig.vertices),
        triangles=triangles,
        shapes={name: moved(offsets) for name, offsets in rig.shapes.items()},
        mixes=[(weights, moved(offsets)) for weights, offsets in rig.mixes],
        identities=None,
        anchors=anchors,
    )


def subdivided(rig: Rig) -> Rig:
    """Each triangle cut into four at the middles of its edges, as a careless artist would: the
    surface stays, vertices are four times as many.
    """
    t = rig.triangles.astype(np.int64)
    edges = np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    a, b, c = np.split(which.ravel() + len(rig.vertices), 3)
    corner = t.T
    cut = np.concatenate(
        [
            np.stack(x, axis=1)
            for x in ((corner[0], a, c), (a, corner[1], b), (c, b, corner[2]), (a, b, c))
        ]
    )
    old = np.arange(len(rig.vertices))
    carry = np.concatenate([np.stack([old, old], axis=1), unique])
    return with_shapes(
        rig, carry, np.array([0.5, 0.5], np.float32), cut.astype(np.int32), rig.anchors
    )


def _edges(t: Triangles) -> Triangles:
    """Both ends (3T,2) of the edges of triangles (T,3), the lower number first."""
    return np.sort(np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), axis=1)


def _fixed(rig: Rig, t: Triangles) -> NDArray[np.bool_]:
    """Flags (V,) of what stays: borders, seams and what landmarks hang on."""
    fixed = np.zeros(len(rig.vertices), bool)
    for anchor in rig.anchors.values():
        fixed[anchor.indices] = True
    group = weld(rig.vertices)
    fixed |= np.bincount(group)[group] > 1
    edges, counts = np.unique(_edges(t), axis=0, return_counts=True)
    fixed[edges[counts != 2]] = True
    return fixed


def _folded(v: NDArray[np.float64], t: Triangles, new: Triangles) -> NDArray[np.bool_]:
    """Flags (T,) of triangles that turn over when their corners become `new` (T,3)."""
    gone = (new[:, 0] == new[:, 1]) | (new[:, 1] == new[:, 2]) | (new[:, 2] == new[:, 0])
    before, after = (np.cross(v[x[:, 1]] - v[x[:, 0]], v[x[:, 2]] - v[x[:, 0]]) for x in (t, new))
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.asarray(~gone & ((before * after).sum(axis=1) < FOLD * size + 1e-30))


def _collapsed(
    v: NDArray[np.float64], t: Triangles, fixed: NDArray[np.bool_], rng: np.random.Generator
) -> Triangles:
    """The triangles (T,3) after vertices that are nobody's neighbours were collapsed onto their
    nearest one, unless a triangle would fold.
    """
    edges = np.unique(_edges(t), axis=0)
    both = np.concatenate([edges, edges[:, ::-1]])
    length = np.linalg.norm(v[both[:, 0]] - v[both[:, 1]], axis=1)
    nearest = np.full(len(v), np.inf)
    np.minimum.at(nearest, both[:, 0], length)
    rank = np.where(
        fixed, -1.0, rng.random(len(v)) / np.maximum(nearest, 1e-12) * np.median(length)
    )
    best = np.full(len(v), -1.0)
    np.maximum.at(best, both[:, 0], rank[both[:, 1]])
    first = both[np.lexsort((length, both[:, 0]))]
    first = first[np.unique(first[:, 0], return_index=True)[1]]
    target = np.arange(len(v))
    target[first[:, 0]] = first[:, 1]
    chosen = (rank > best) & (rank > 0)
    chosen[t[_folded(v, t, np.where(chosen, target, np.arange(len(v)))[t])]] = False
    chosen &= np.bincount(both[:, 0], minlength=len(v)) > 3
    t = np.where(chosen, target, np.arange(len(v)))[t]
    t = t[(t[:, 0] != t[:, 1]) & (t[:, 1] != t[:, 2]) & (t[:, 2] != t[:, 0])]
    _, once = np.unique(np.sort(t, axis=1), axis=0, return_index=True)
    return t[np.sort(once)]


def decimated(rig: Rig, share: float, rng: np.random.Generator) -> Rig:
    """About `share` of the vertices stay where they are; the others are collapsed along edges, so
    that lips and lids stay apart.
    """
    v, t = rig.vertices.astype(np.float64), rig.triangles.astype(np.int64)
    fixed = _fixed(rig, t)
    wanted, used = round(share * len(v)), len(np.unique(t))
    for _ in range(60):
        if used <= wanted:
            break
        t = _collapsed(v, t, fixed, rng)
        used = len(np.unique(t))
    left = np.union1d(np.unique(t), np.flatnonzero(fixed))
    index = np.full(len(v), -1)
    index[left] = np.arange(len(left))
    anchors = {
        name: replace(anchor, indices=index[anchor.indices].astype(np.int32))
        for name, anchor in rig.anchors.items()
    }
    return with_shapes(
        rig, left[:, None], np.ones(1, np.float32), index[t].astype(np.int32), anchors
    )


def folds(rig: Rig) -> float:
    """Share of the triangles that face against their corners' normals: a check on a
    tessellation.
    """
    corner = rig.vertices[rig.triangles].astype(np.float64)
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    return float(
        (
            np.einsum(
                "ti,ti->t",
                face,
                vertex_normals(rig.vertices, rig.triangles)[rig.triangles].mean(axis=1),
            )
            < 0
        ).mean()
    )
