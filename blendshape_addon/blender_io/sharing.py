# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of an avatar given back to its objects: each gets what its vertices move, and where
objects share a mesh, what suits all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .avatar import Target

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Doubles = NDArray[np.float64]

# of a shape's largest movement, by which two objects that share a mesh, or two mirrored halves, may
# differ and be served by one key
ALIKE = 0.1

# how much more a mirrored half must move than the modelled one, for its movement to be taken
TWICE = 2.0


@dataclass(frozen=True)
class Share:
    """What one target gets of the shapes. indices: int32 (f,) of its own vertices; offsets: float32
    (N,f,3), to be stored in its mesh.

    unlike: flags (N,), shapes that move it halfway, because a Mirror modifier shows both sides what
    is meant for one.
    """

    target: Target
    indices: Ints
    offsets: Floats
    unlike: NDArray[np.bool_]


def split(targets: Sequence[Target], indices: Ints, offsets: Floats) -> list[Share]:
    """What each target gets of indices int32 (F,) and offsets float32 (N,F,3) of the joined
    mesh.
    """
    shares = []
    for number, target in enumerate(targets):
        mine = (indices >= target.start) & (indices < target.start + target.size)
        own = np.ascontiguousarray(indices[mine] - target.start, np.int32)
        moved = offsets if mine.all() else offsets[:, mine]
        unlike = np.zeros(len(offsets), bool)
        if target.copies:
            own, moved, unlike = _with_copies(target, own, moved, indices, offsets, part=number > 0)
        if not np.array_equal(target.back, np.eye(3)):
            moved = moved.astype(np.float64) @ target.back.T
        if target.stored is not None:
            moved = np.einsum("fij,nfj->nfi", target.stored[own], moved)
        shares.append(Share(target, own, np.ascontiguousarray(moved, np.float32), unlike))
    return shares


def settled(shares: Sequence[Share], meshes: Sequence[str]) -> tuple[list[Share | None], list[str]]:
    """The shares so that every mesh is served once, None for an object whose mesh another object's
    share serves; and what moves halfway, in sentences.

    meshes: the name of each share's mesh. A shape that one mesh would have to show differently in
    two places is the mean of both: that is nearest to each, and where both sides move together, as
    they mostly do, each goes its way once. The face's own object, the first, keeps what its
    mirrored halves share.
    """
    found: list[Share | None] = []
    warnings: list[str] = []
    for number, share in enumerate(shares):
        if meshes[number] in meshes[:number]:
            found.append(None)
            continue
        alike = [
            other for other, mesh in zip(shares, meshes, strict=True) if mesh == meshes[number]
        ]
        unlike = (
            np.any([other.unlike for other in alike], axis=0)
            if number
            else np.zeros(len(share.unlike), bool)
        )
        if len(alike) > 1:
            indices = np.unique(np.concatenate([other.indices for other in alike])).astype(np.int32)
            whole = [_on(other, indices) for other in alike]
            apart = np.any([~agree(whole[0], other) for other in whole[1:]], axis=0)
            offsets = whole[0]
            offsets[apart] = np.mean([other[apart] for other in whole], axis=0)
            share, unlike = replace(share, indices=indices, offsets=offsets), unlike | apart
        found.append(share)
        if not unlike.any():
            continue
        names, halved = " and ".join(repr(other.target.name) for other in alike), int(unlike.sum())
        if len(alike) > 1:
            warnings.append(
                f"{names} share one mesh, so {halved} shapes that should move one of them move each"
                " halfway: make them single-user first."
            )
        else:
            warnings.append(
                f"The Mirror modifier of {names} shows both sides alike, so {halved} shapes of one"
                " side move both halfway: apply it first."
            )
    return found, warnings


def _on(share: Share, indices: Ints) -> Floats:
    """The share's offsets on sorted vertices that hold its own, (N,f,3)."""
    offsets = np.zeros((len(share.offsets), len(indices), 3), np.float32)
    offsets[:, np.searchsorted(indices, share.indices)] = share.offsets
    return offsets


def agree(first: Floats, second: Floats) -> NDArray[np.bool_]:
    """Which shapes (N,) of two offsets float32 (N,V,3) are the same to a viewer."""
    size = np.maximum(
        *(np.abs(offsets).max(axis=(1, 2), initial=0.0) for offsets in (first, second))
    )
    return np.asarray(np.abs(first - second).max(axis=(1, 2), initial=0.0) <= ALIKE * size)


def _with_copies(
    target: Target, own: Ints, moved: Floats, indices: Ints, offsets: Floats, *, part: bool
) -> tuple[Ints, Floats, NDArray[np.bool_]]:
    """What the modelled half gets, for the mirrored ones too; and which shapes differ between the
    halves.

    On a part these are the mean of the halves. On the face's object, where a side that is not
    modelled may be all that a shape moves, the movement of a mirrored half takes the place of one
    that is still on the modelled half.
    """
    whole = np.zeros((len(offsets), target.size, 3), np.float32)
    whole[:, own] = moved
    unlike, halves = np.zeros(len(offsets), bool), []
    for copy in target.copies:
        there = (indices >= copy.start) & (indices < copy.start + len(copy.source))
        other = np.zeros_like(whole)
        other[:, copy.source[indices[there] - copy.start]] = (
            offsets[:, there].astype(np.float64) @ copy.back.T
        )
        unlike |= ~agree(whole[:, copy.source], other[:, copy.source])
        halves.append(other)
    if part:
        shown = np.ones(target.size, np.float32)  # how often each vertex is
        for copy in target.copies:
            shown[copy.source] += 1
        whole[unlike] = (
            whole[unlike] + np.sum([other[unlike] for other in halves], axis=0)
        ) / shown[:, None]
    else:
        for other in halves:
            size, size_there = (np.linalg.norm(field, axis=(1, 2)) for field in (whole, other))
            taken = size_there > TWICE * size
            whole[taken] = other[taken]
    rows = np.flatnonzero(whole.any(axis=(0, 2))).astype(np.int32)
    rows = np.union1d(rows, own).astype(np.int32)
    return rows, whole[:, rows], unlike
