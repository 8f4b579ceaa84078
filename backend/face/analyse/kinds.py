# SPDX-License-Identifier: GPL-3.0-or-later
"""What each loose part of a head is, with probabilities: skin, hair, lash, brow, eye and so on.
Learnt from heads whose parts are known.

A loose part is what hangs together after welding. part_inputs.py describes it by a few dozen
numbers, and a small network of two hidden layers names it. Scores: kinds.json's `about`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.frame import Floats
from ..geometry.mesh import Ints, part_boxes
from ..params.analyse import FACE_SKIN, KINDS, PART_INPUTS
from .face_skin import face_skin
from .part_inputs import described

Flags = NDArray[np.bool_]

CLASSES = (
    "skin",
    "hair",
    "lash",
    "brow",
    "eye",
    "teeth",
    "tongue",
    "mouth",
    "flat",
    "decal",
    "worn",
    "body",
)
DATA = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Kinds:
    """parts: int32 (V,), of loose parts, by number. sure: float32 (P,C), the probability of each of
    CLASSES for each part; rows of zeros for parts that do not come near the face.
    """

    parts: Ints
    sure: Floats

    def of(self, *names: str) -> Floats:
        """The probability (V,) that a vertex is of one of the named classes."""
        return np.asarray(
            self.sure[:, [CLASSES.index(name) for name in names]].sum(axis=1)[self.parts],
            np.float32,
        )


def kinds_of(
    vertices: Floats, triangles: Ints, parts: Ints, skin: Flags, landmarks: Mapping[str, Floats]
) -> Kinds:
    """The Kinds of a head.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        parts: int32 (V,), labels of the loose ones
        skin: bool (V,), of the part that carries the landmarks
        landmarks: name -> (3,), canonical
    """
    which, rows = described(vertices, triangles, parts, skin, landmarks)
    sure = np.zeros((int(parts.max(initial=-1)) + 1, len(CLASSES)), np.float32)
    if len(which):
        sure[which] = _network().probabilities(rows)
    return Kinds(parts, sure)


@dataclass(frozen=True)
class Network:
    """mean, spread (D,): of what goes in. members: several networks, asked alike, each of layers
    with weights (N,M) and offsets (M,): on a part unlike those learnt they differ, and none is
    believed.
    """

    mean: Floats
    spread: Floats
    members: tuple[tuple[tuple[Floats, Floats], ...], ...]

    def probabilities(self, rows: Floats) -> Floats:
        """Of each class (N,C) for rows (N,D) of `described`."""
        said = (rows - self.mean) / self.spread
        said = np.clip(said, -PART_INPUTS.clip, PART_INPUTS.clip).astype(np.float32)
        return np.asarray(
            np.mean([_asked(layers, said) for layers in self.members], axis=0), np.float32
        )


def _asked(layers: tuple[tuple[Floats, Floats], ...], x: Floats) -> Floats:
    for number, (weights, offsets) in enumerate(layers):
        x = x @ weights + offsets
        if number + 1 < len(layers):
            x = np.maximum(x, 0)
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(x / x.sum(axis=1, keepdims=True), np.float32)


@cache
def _network() -> Network:
    return network_of(json.loads(DATA.read_text(encoding="utf-8")))


def network_of(data: Mapping[str, Any]) -> Network:
    """The Network of kinds.json, which scripts/train/kinds.py writes."""
    if data["classes"] != list(CLASSES):
        raise ValueError("kinds.json names other classes")
    members = tuple(
        tuple(
            (np.array(one["weights"], np.float32), np.array(one["offsets"], np.float32))
            for one in layers
        )
        for layers in data["members"]
    )
    return Network(
        np.array(data["mean"], np.float32), np.array(data["spread"], np.float32), members
    )


def skin_and_still(
    vertices: Floats,
    triangles: Ints,
    parts: Ints,
    landmarks: Mapping[str, Floats],
    *,
    roles: Ints | None = None,
) -> tuple[Flags, Flags]:
    """Find the face's skin, and what surely is hair or worn and so follows no lid and no lip: hair
    that hangs before a face is not taken for its skin.

    Args:
        vertices: float32 (V,3), canonical
        triangles: int32 (T,3)
        parts: int32 (V,), loose ones
        landmarks: float32 (3,), canonical, by name
        roles: int32 (V,), what the user says, which counts more

    Returns:
        Flags (V,) of each.
    """
    skin = face_skin(vertices, parts, landmarks)
    kinds = kinds_of(vertices, triangles, parts, skin, landmarks)
    if skin.any() and kinds.of("skin", "body")[skin][0] < KINDS.sure_skin:
        large = np.zeros(len(kinds.sure), bool)
        large[parts[part_boxes(vertices, parts)[:, 3:].max(axis=1) > FACE_SKIN.face / 2]] = True
        large[parts[skin]] = False
        likely = np.where(large, kinds.sure[:, CLASSES.index("skin")], 0)
        tried = [
            (parts == part, part)
            for part in np.argsort(-likely, kind="stable")[: KINDS.others]
            if likely[part] > 0
        ]
        asked = [
            (kinds_of(vertices, triangles, parts, other, landmarks), other, part)
            for other, part in tried
        ]
        if asked:
            again, other, _part = max(
                asked, key=lambda one: float(one[0].sure[one[2], CLASSES.index("skin")])
            )
            if again.of("hair", "worn")[skin][0] > KINDS.still:
                skin, kinds = other, again
    still = (kinds.of("hair", "worn") > KINDS.still) & ~skin
    return skin, np.asarray(still & (True if roles is None else roles == 0))
