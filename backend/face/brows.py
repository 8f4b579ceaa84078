# SPDX-License-Identifier: GPL-3.0-or-later
"""Brows that are parts of their own, as drawn faces have them: strips that float before the skin. Where they end says where the brow is, and where
they would sink into the skin behind them they are led out. All in the canonical frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from .frame import Floats
from .landmarks import SIDES
from .mesh import distinct_rows, squared

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

NEAR = 0.35  # canonical units around a brow's middle within which a flat small part above the eye is a brow
END = 0.05  # share of a strip's vertices that are its end
LEVEL = 0.08  # canonical units over which the skin behind a strip is levelled
AROUND, DEEP = 0.3, 1.0  # canonical units around and behind a strip within which skin is what it floats before
STEEP = 0.6  # of its rise that a strip is led out at most: a steeper forehead is none
LITTLE = 0.3  # of the skin's slide under it, by which a strip sinks at a blink
FEW = 8  # vertices of skin below which nothing is behind


def strip(parts: Floats, landmarks: Mapping[str, Floats], side: str) -> Flags:
    """Vertices (F,) of flat small parts next to the line of the brow of a side and above its eye, by their boxes, parts (F,6)."""
    inner, outer, lid = (landmarks[f"{name}_{side}"] for name in ("brow_inner", "brow_outer", "lid_upper"))
    middle, length = (inner + outer) / 2, float(np.linalg.norm(outer - inner))
    boxes, which = distinct_rows(parts)
    centre, extent = boxes[:, :3], boxes[:, 3:]
    near = (np.sqrt(squared(centre - middle)) < NEAR) & (np.abs(centre[:, 1] - middle[1]) < centre[:, 1] - lid[1])  # no crease of the lid
    flat = (extent[:, 1] < 0.6 * extent[:, 0] + 0.02) & (extent[:, 0] > 0.25 * length) & (extent.max(axis=1) < 0.9 * length)
    return np.asarray((near & flat)[which])


def ends(vertices: Floats, parts: Floats, landmarks: Mapping[str, Floats]) -> dict[str, Floats]:
    """The landmarks of brows (3,) where brows are strips: their ends. vertices (F,3), parts (F,6)."""
    found: dict[str, Floats] = {}
    for side in SIDES:
        mine = vertices[strip(parts, landmarks, side)]
        if not len(mine):
            continue
        out = np.argsort(mine[:, 0] if side == "left" else -mine[:, 0], kind="stable")
        count = max(1, round(END * len(out)))
        found[f"brow_inner_{side}"] = mine[out[:count]].mean(axis=0, dtype=np.float32)
        found[f"brow_outer_{side}"] = mine[out[-count:]].mean(axis=0, dtype=np.float32)
    return found


def ride(shapes: Mapping[str, Floats], vertices: Floats, parts: Floats, skin: Flags, landmarks: Mapping[str, Floats]) -> None:
    """Lead the strips of shapes, condition -> offsets (F,3), changed in place, out to where they float as far before the skin as at rest: a brow that
    goes up follows the forehead and does not sink into it. skin (F,)."""
    for mine, under in _over(vertices, parts, skin, landmarks):
        at = vertices[mine]
        rest = at[:, 2] - _level(at, vertices[under])
        for offsets in shapes.values():
            if offsets[mine].any():
                there = at + offsets[mine]
                sunk = rest - (there[:, 2] - _level(there, vertices[under] + offsets[under]))
                offsets[mine, 2] += np.clip(sunk, 0, STEEP * np.abs(offsets[mine, 1]))


def follow(blinks: Iterable[Floats], vertices: Floats, parts: Floats, skin: Flags, landmarks: Mapping[str, Floats]) -> None:
    """Let strips, in place, sink a little with the skin under them at blinks, offsets (F,3) each, in one piece, and stay before it: right above a
    large eye it slides down with the lid."""
    for mine, under in _over(vertices, parts, skin, landmarks):
        at, near = vertices[mine], vertices[under]
        weights, rest = _weights(at, near), at[:, 2] - _level(at, near)
        for offsets in blinks:
            slid = (weights @ offsets[under]).mean(axis=0)
            offsets[mine] = LITTLE * slid
            there = at + offsets[mine]
            offsets[mine, 2] += np.clip(rest - (there[:, 2] - _level(there, near + offsets[under])), 0, STEEP * float(np.abs(slid[1])))


def _over(vertices: Floats, parts: Floats, skin: Flags, landmarks: Mapping[str, Floats]) -> Iterator[tuple[Places, Places]]:
    """The vertices of each side's strip, and those of the skin around and behind it."""
    for side in SIDES:
        mine = np.flatnonzero(strip(parts, landmarks, side))
        if not len(mine):
            continue
        at = vertices[mine]
        low, high = at.min(axis=0) - (AROUND, AROUND, DEEP), at.max(axis=0) + (AROUND, AROUND, DEEP)
        under = np.flatnonzero(skin & ((vertices > low) & (vertices < high)).all(axis=1))
        if len(under) >= FEW:
            yield mine, under


def _level(points: Floats, skin: Floats) -> Floats:
    """z (N,) of the skin (S,3) before or behind points (N,3)."""
    return np.asarray(_weights(points, skin) @ skin[:, 2], np.float32)


def _weights(points: Floats, skin: Floats) -> Floats:
    """How much each vertex of the skin (S,3) is what lies before or behind points (N,3): (N,S), rows sum to 1."""
    far = (points[:, :1] - skin[:, 0]) ** 2 + (points[:, 1:2] - skin[:, 1]) ** 2
    weight = np.exp((far.min(axis=1, keepdims=True) - far) / np.float32(LEVEL**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)
