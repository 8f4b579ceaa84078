# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing shapes as shape keys, all or nothing, without touching keys that the add-on did not make.

Which keys it made is recorded in a custom property of the Key data-block: name -> fingerprint of the offsets. A key that was edited by
hand afterwards no longer has its fingerprint and is treated as the user's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from .errors import AddonError
from .mesh_io import base_coordinates

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

RECORD = "blendshape_auto_generator"
MAX_NAME_BYTES = 63  # Blender cuts longer names
_PROJECTIONS = 8
_SEED = 1


@dataclass(frozen=True)
class Shape:
    """A key to be written. offsets: float32 (F,3) in object space, of the vertices in the indices that go with it."""

    name: str
    offsets: Floats


@dataclass
class Written:
    """What became of the shapes, by name."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """A line about the keys that were left as they are."""
        if not self.kept:
            return []
        names = ", ".join(self.kept[:5]) + (f" and {len(self.kept) - 5} more" if len(self.kept) > 5 else "")
        return [f"Kept {len(self.kept)} keys that were made or edited by hand ({names}); allow overwriting to replace them."]


def write_keys(ob: bpy.types.Object, indices: Ints, shapes: Sequence[Shape], overwrite: bool = False) -> Written:
    """Write the shapes as relative keys with value 0; vertices that are not in `indices` (int32 (F,)) get exactly the basis' place.

    Object mode, editable mesh. A key of the same name is replaced if the add-on made it and nobody edited it since, or with `overwrite`;
    otherwise it is kept. On any failure the mesh is as before. Raises AddonError: `mesh_changed`, `absolute_keys`, `reserved_name`,
    `mesh_not_finite`.
    """
    base = base_coordinates(ob)
    _check(ob, base, indices, shapes)
    key = ob.data.shape_keys
    existing = {} if key is None else {block.name: block for block in key.key_blocks}
    ours = made_by_us(ob, base)
    result = Written()
    for shape in shapes:
        known = shape.name in existing
        free = not known or overwrite or shape.name in ours
        (result.kept if not free else result.updated if known else result.added).append(shape.name)
    kept = set(result.kept)
    with _all_or_nothing(ob, result):
        if ob.data.shape_keys is None:
            ob.shape_key_add(name="Basis", from_mix=False)
        reference = ob.data.shape_keys.reference_key
        prints = recorded(ob)
        coordinates = np.empty_like(base)
        for shape in shapes:
            if shape.name in kept:
                continue
            block = existing.get(shape.name)
            if block is None:
                block = ob.shape_key_add(name=shape.name, from_mix=False)
                block.value = 0.0  # Blender 5 starts with 1
            block.relative_key = reference
            np.copyto(coordinates, base)
            coordinates[indices] += shape.offsets
            block.points.foreach_set("co", coordinates.reshape(-1))
            prints[shape.name] = fingerprint(coordinates - base)
        _record(ob, prints)
    ob.data.update()
    return result


def remove_keys(ob: bpy.types.Object) -> list[str]:
    """Remove the keys that the add-on made and nobody edited since; their names. Object mode, editable mesh."""
    names = sorted(made_by_us(ob, base_coordinates(ob))) if ob.data.shape_keys is not None else []
    for name in names:
        ob.shape_key_remove(ob.data.shape_keys.key_blocks[name])
    if names:
        _record(ob, {name: known for name, known in recorded(ob).items() if name not in names})
        ob.data.update()
    return names


def made_by_us(ob: bpy.types.Object, base: Floats) -> set[str]:
    """Names of the keys that are recorded, not locked, and still have the offsets that were written."""
    key = ob.data.shape_keys
    if key is None:
        return set()
    prints = recorded(ob)
    coordinates = np.empty_like(base)
    # coordinates are rounded to 24 bits when they are written and whenever the basis is edited
    tolerance = 8 * np.finfo(np.float32).eps * float(np.abs(base).max(initial=0.0)) * max(base.size, 1) ** 0.5
    ours: set[str] = set()
    for block in key.key_blocks:
        known = prints.get(block.name)
        if known is None or block == key.reference_key or getattr(block, "lock_shape", False):
            continue
        block.points.foreach_get("co", coordinates.reshape(-1))
        if np.abs(fingerprint(coordinates - base) - known).max() <= tolerance:
            ours.add(block.name)
    return ours


def fingerprint(offsets: Floats) -> NDArray[np.float64]:
    """(8,): sums of the offsets float32 (V,3) under fixed random signs, so that rounding moves it little and any edit much."""
    return _signs(offsets.size) @ offsets.reshape(-1).astype(np.float64)


def recorded(ob: bpy.types.Object) -> dict[str, NDArray[np.float64]]:
    """Fingerprint by key name, as recorded in the file; what is malformed there is left out."""
    record = ob.data.shape_keys.get(RECORD) if ob.data.shape_keys is not None else None
    if not hasattr(record, "to_dict"):
        return {}
    found: dict[str, NDArray[np.float64]] = {}
    for name, values in record.to_dict().items():
        if isinstance(values, list) and len(values) == _PROJECTIONS and all(isinstance(value, float) for value in values):
            found[name] = np.array(values)
    return found


def _record(ob: bpy.types.Object, prints: Mapping[str, NDArray[np.float64]]) -> None:
    key = ob.data.shape_keys
    present = {block.name for block in key.key_blocks}
    key[RECORD] = {name: known.tolist() for name, known in prints.items() if name in present}


_sign_cache: dict[int, NDArray[np.float64]] = {}


def _signs(size: int) -> NDArray[np.float64]:
    """(8, size) of -1 and 1; the same in every Blender, since PCG64's stream is fixed by numpy's policy. One size is remembered."""
    if size not in _sign_cache:
        _sign_cache.clear()
        raw = np.random.Generator(np.random.PCG64(_SEED)).bytes(_PROJECTIONS * size)
        _sign_cache[size] = (np.frombuffer(raw, np.uint8).reshape(_PROJECTIONS, size) & 1) * 2.0 - 1.0
    return _sign_cache[size]


def _check(ob: bpy.types.Object, base: Floats, indices: Ints, shapes: Sequence[Shape]) -> None:
    """Refuse everything that can be refused before the first write."""
    key = ob.data.shape_keys
    if key is not None and not key.use_relative:
        raise AddonError("absolute_keys", f"The shape keys of {ob.name!r} are absolute.", "Switch on Relative in the Shape Keys panel.")
    if len(indices) and (indices.min() < 0 or indices.max() >= len(base)):
        raise AddonError("mesh_changed", f"{ob.name!r} has changed while its shapes were computed.", "Generate again.")
    for shape in shapes:
        if key is not None and shape.name == key.reference_key.name:
            message = f"A shape is called {shape.name!r} like the reference key."
            raise AddonError("reserved_name", message, "Rename the shape in your table, or the reference key.")
        if len(shape.name.encode()) > MAX_NAME_BYTES:
            raise AddonError("table_invalid", f"The name {shape.name!r} is too long.", f"Use at most {MAX_NAME_BYTES} bytes.")
        if shape.offsets.shape != (len(indices), 3) or not np.isfinite(shape.offsets).all():
            raise AddonError(
                "mesh_not_finite", f"The shape {shape.name!r} has offsets that are not numbers.", "Please report this with the model."
            )


@contextmanager
def _all_or_nothing(ob: bpy.types.Object, plan: Written) -> Iterator[None]:
    """Put everything back if the block inside fails: new keys go, replaced ones get their coordinates and relations again."""
    had_keys = ob.data.shape_keys is not None
    prints, active, size = recorded(ob), ob.active_shape_key_index, len(ob.data.vertices)
    before = {}
    for name in plan.updated:
        block = ob.data.shape_keys.key_blocks[name]
        before[name] = (np.empty(3 * size, np.float32), block.relative_key.name)
        block.points.foreach_get("co", before[name][0])
    try:
        yield
    except BaseException:
        if not had_keys:
            ob.shape_key_clear()
            raise
        blocks = ob.data.shape_keys.key_blocks
        for name in plan.added:
            if name in blocks:
                ob.shape_key_remove(blocks[name])
        for name, (coordinates, relative) in before.items():
            blocks[name].points.foreach_set("co", coordinates)
            blocks[name].relative_key = blocks[relative]
        _record(ob, prints)
        ob.active_shape_key_index = active
        raise
    ob.active_shape_key_index = active
