# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys the add-on made: recorded in custom properties of the Key data-block, which save, undo, append and duplicate carry along.

A shape key can hold no custom property itself, so the data-block holds name -> fingerprint of the offsets. A key that was edited by hand
afterwards no longer has its fingerprint, one that was renamed no longer has its name: both are the user's own from then on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .typed import keys_of, mesh_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

RECORD = "blendshape_auto_generator"
REQUEST = "blendshape_auto_generator_request"
_PROJECTIONS = 8
_AT_ONCE = 16  # keys at a time: one pass over the signs for all of them
_SEED = 1


def made_by_us(ob: bpy.types.Object, base: Floats) -> set[str]:
    """Names of the keys that are recorded, not locked, and still have the offsets that were written."""
    key = mesh_of(ob).shape_keys
    if key is None:
        return set()
    prints = recorded(ob)
    locked = {block.name for block in key.key_blocks if getattr(block, "lock_shape", False)}
    blocks = [block for block in key.key_blocks if block.name in prints and block.name not in locked and block != key.reference_key]
    # coordinates are rounded to 24 bits when they are written and whenever the basis is edited
    tolerance = 8 * np.finfo(np.float32).eps * float(np.abs(base).max(initial=0.0)) * max(base.size, 1) ** 0.5
    everything = Fingerprints(len(base))
    ours: set[str] = set()
    for first in range(0, len(blocks), _AT_ONCE):
        some = blocks[first : first + _AT_ONCE]
        offsets = np.empty((len(some), *base.shape), np.float32)
        for row, block in enumerate(some):
            block.points.foreach_get("co", offsets[row].reshape(-1))
        offsets -= base
        for block, found in zip(some, everything.of(offsets), strict=True):
            if np.abs(found - prints[block.name]).max() <= tolerance:
                ours.add(block.name)
    return ours


class Fingerprints:
    """Sums of offsets under fixed random signs, so that rounding moves them little and any edit much.

    size: vertices of the mesh. indices: int32 (F,), the only ones that move; None for all.
    """

    def __init__(self, size: int, indices: Ints | None = None) -> None:
        signs = _signs(3 * size)
        self._signs = signs if indices is None else signs.reshape(_PROJECTIONS, size, 3)[:, indices].reshape(_PROJECTIONS, -1)

    def of(self, offsets: Floats) -> NDArray[np.float64]:
        """Fingerprints (N,8) of offsets float32 (N,F,3)."""
        return np.asarray(offsets.reshape(len(offsets), self._signs.shape[1]).astype(np.float64) @ self._signs.T)


def count(ob: bpy.types.Object) -> int:
    """How many keys are recorded, edited since or not; quick, for drawing."""
    record = _property(ob, RECORD)
    return len(record.keys()) if hasattr(record, "keys") else 0


def recorded(ob: bpy.types.Object) -> dict[str, NDArray[np.float64]]:
    """Fingerprint by key name, as recorded in the file; what is malformed there is left out."""
    record = _property(ob, RECORD)
    if not hasattr(record, "to_dict"):
        return {}
    found: dict[str, NDArray[np.float64]] = {}
    for name, values in record.to_dict().items():
        if isinstance(values, list) and len(values) == _PROJECTIONS and all(isinstance(value, float) for value in values):
            found[name] = np.array(values)
    return found


def record(ob: bpy.types.Object, prints: Mapping[str, NDArray[np.float64]]) -> None:
    """Record the fingerprints of the keys that are there."""
    key = keys_of(ob)
    present = {block.name for block in key.key_blocks}
    key[RECORD] = {name: known.tolist() for name, known in prints.items() if name in present}


def remember_request(ob: bpy.types.Object, sets: tuple[str, ...], table: Mapping[str, Mapping[str, float]] | None) -> None:
    """Add to what was asked for, so that an update asks for the same again."""
    before_sets, before_table = request_of(ob)
    names = [*before_sets, *(name for name in sets if name not in before_sets)]
    keys_of(ob)[REQUEST] = json.dumps({"sets": names, "table": {**before_table, **(table or {})}})


def request_of(ob: bpy.types.Object) -> tuple[tuple[str, ...], dict[str, dict[str, float]]]:
    """The sets and the table that the object's keys were asked for with; empty for what is malformed or absent."""
    text = _property(ob, REQUEST)
    try:
        told: Any = json.loads(text) if isinstance(text, str) else {}
        sets, table = told.get("sets", []), told.get("table", {})
        good = isinstance(table, dict) and all(isinstance(row, dict) for row in table.values()) and all(isinstance(name, str) for name in sets)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return (), {}
    return (tuple(sets), table) if good else ((), {})


def _property(ob: bpy.types.Object, name: str) -> Any:
    """A custom property of the shape keys, which a file may hold anything under; None without keys."""
    key = mesh_of(ob).shape_keys
    return key.get(name) if key is not None else None


_sign_cache: dict[int, NDArray[np.float64]] = {}


def _signs(size: int) -> NDArray[np.float64]:
    """(8, size) of -1 and 1; the same in every Blender, since PCG64's stream is fixed by numpy's policy. One size is remembered."""
    if size not in _sign_cache:
        _sign_cache.clear()
        raw = np.random.Generator(np.random.PCG64(_SEED)).bytes(_PROJECTIONS * size)
        _sign_cache[size] = (np.frombuffer(raw, np.uint8).reshape(_PROJECTIONS, size) & 1) * 2.0 - 1.0
    return _sign_cache[size]
