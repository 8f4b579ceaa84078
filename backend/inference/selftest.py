# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a provider compute what the CPU computes? A small head goes through both; numbers, not
promises, decide.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .runtime import first_line
from .settings import Settings

Floats = NDArray[np.float32]

ROWS = 512
TRIALS = 2  # runs of each size that are timed
SLACK = 1.1  # `auto` leaves a provider that takes so much longer than the CPU
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


def differs(name: str, wanted: Sequence[Floats], got: Sequence[Floats], precision: str) -> str:
    """Why `got` is not what the CPU gave, in words after the provider's name; "" if it is."""
    for number, (right, found) in enumerate(zip(wanted, got, strict=True)):
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


def examine(
    name: str, settings: Settings, session: Any, reference: Any, *, may_be_slow: bool
) -> str:
    """Why a provider is not fit: other numbers than the CPU's, a failure, or for `auto` that it is
    slower.

    Args:
        name: The model's, for sentences.
        settings: Precision and provider that are asked for.
        session: The InferenceSession on the provider.
        reference: One on the CPU.
        may_be_slow: Whether being slower than the CPU is no reason.

    Returns:
        Words that follow the provider's name, "" if it is fit.
    """
    spent = {True: 0.0, False: 0.0}
    for rows in (
        ROWS,
        ROWS * 3 - 1,
    ):  # a second size, because some compile anew for every size
        feeds = probe(reference.get_inputs(), rows)
        try:
            wanted = reference.run(None, feeds)
        except Exception:
            # the model does not take a small head; what it does take is found out by running it
            return ""
        if not finite(wanted):
            return ""  # the model's fault, not the provider's
        try:
            got = session.run(None, feeds)
        except Exception as error:
            return f"failed on a small head: {first_line(error)}"
        wrong = differs(name, wanted, got, settings.precision)
        if wrong:
            return wrong
        for one, is_cpu in ((session, False), (reference, True)):
            began = time.perf_counter()
            for _ in range(TRIALS):
                one.run(None, feeds)
            spent[is_cpu] += time.perf_counter() - began
    if settings.provider == "auto" and not may_be_slow and spent[False] > SLACK * spent[True]:
        return (
            f"is slower than the CPU here: {spent[False] / TRIALS * 500:.1f} ms a run against"
            f" {spent[True] / TRIALS * 500:.1f} ms"
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
