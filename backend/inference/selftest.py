# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a provider compute what the CPU computes? A small head goes through both; numbers, not
promises, decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROWS = 512
# Largest difference allowed, as a share of the CPU's largest number; tf32 and bf16 keep 10 and 8
# bits, int8 engines are coarser.
TOLERANCE = {"auto": 1e-2, "fp32": 1e-2, "fp16": 3e-2, "int8": 1e-1}


def probe(inputs: Sequence[Any], rows: int = ROWS) -> dict[str, Floats]:
    """Feeds for a model: points of an egg-shaped head in the canonical frame and its normals,
    numbers from -1 to 1 for all else.

    inputs: onnxruntime's NodeArgs. Axes that may have any size get 1 where they count heads or
    conditions, `rows` where they count points.
    """
    random = np.random.default_rng(7)
    feeds: dict[str, Floats] = {}
    for entry in inputs:
        shape = tuple(
            axis if isinstance(axis, int) else rows if _counts_points(entry, place) else 1
            for place, axis in enumerate(entry.shape)
        )
        feeds[entry.name] = random.uniform(-1, 1, shape).astype(np.float32)
        count = shape[-2] if len(shape) > 1 else 0
        if entry.name in ("vertices", "normals", "points"):
            feeds[entry.name] = np.ascontiguousarray(
                np.broadcast_to(_head(count, entry.name, shape[-1]), shape)
            )
    return feeds


def differs(name: str, expected: Sequence[Floats], got: Sequence[Floats], precision: str) -> str:
    """Why `got` is not what the CPU gave, in words after the provider's name; "" if it is."""
    for number, (right, found) in enumerate(zip(expected, got, strict=True)):
        if found.shape != right.shape:
            return f"gave {found.shape} instead of {right.shape} in output {number} of {name}"
        if not np.isfinite(found).all():
            return f"gave values that are not numbers for {name}"
        size = float(np.abs(right).max(initial=0.0)) or 1.0
        error = float(np.abs(found - right).max(initial=0.0)) / size
        if error > TOLERANCE[precision]:
            return (
                f"differs from the CPU by {error:.1%} on {name}, more than"
                f" {TOLERANCE[precision]:.0%}"
            )
    return ""


def finite(arrays: Sequence[Floats]) -> bool:
    """Whether all values are numbers."""
    return all(bool(np.isfinite(array).all()) for array in arrays)


def largest_shapes(
    inputs: Sequence[Any], rows: Mapping[str, int], usual: int, most: int
) -> dict[str, tuple[list[int], list[int], list[int]]]:
    """Smallest, usual and largest shape of every input, for engines that are built for a range.
    rows: most heads at a time, by input.
    """
    found: dict[str, tuple[list[int], list[int], list[int]]] = {}
    for entry in inputs:
        low, middle, high = [], [], []
        for place, axis in enumerate(entry.shape):
            many = _counts_points(entry, place)
            low.append(axis if isinstance(axis, int) else 1)
            middle.append(axis if isinstance(axis, int) else usual if many else 1)
            high.append(
                axis if isinstance(axis, int) else most if many else rows.get(entry.name, 1)
            )
        found[entry.name] = (low, middle, high)
    return found


def _counts_points(entry: Any, place: int) -> bool:
    """Whether an axis counts points: the last but one of (B,P,C), the first of (V,C); conditions
    (B,C) and latents have none.
    """
    return entry.name not in ("conditions", "latent") and place == len(entry.shape) - 2


def _head(count: int, name: str, columns: int) -> Floats:
    """(count, columns): an ellipsoid 2.2 x 3 x 2.4 canonical units large around (0, -0.4, -1), its
    normals, or both and zeros.
    """
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))  # the golden angle spreads points evenly
    height = 1 - 2 * (np.arange(count) + 0.5) / max(count, 1)
    ring = np.sqrt(1 - height**2)
    normals = np.stack([np.cos(turn) * ring, height, np.sin(turn) * ring], axis=1)
    vertices = normals * (1.1, 1.5, 1.2) + (0.0, -0.4, -1.0)
    both = {
        "vertices": vertices,
        "normals": normals,
        "points": np.concatenate([vertices, normals], axis=1),
    }[name]
    found = np.zeros((count, columns), np.float32)
    found[:, : both.shape[1]] = both[:, :columns]
    return found
