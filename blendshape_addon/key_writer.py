# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing shapes as shape keys, all or nothing, on one object or several, without touching keys that the add-on did not make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from .errors import AddonError
from .generated import Fingerprints, made_by_us, record, recorded
from .mesh_arrays import base_coordinates
from .typed import keys_of, mesh_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_AT_ONCE = 16  # keys that are fingerprinted together
MAX_NAME_BYTES = 63  # Blender cuts longer names


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
    left_out: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """A line about the keys that were left as they are."""
        if not self.kept:
            return []
        names = ", ".join(self.kept[:5]) + (f" and {len(self.kept) - 5} more" if len(self.kept) > 5 else "")
        return [f"Kept {len(self.kept)} keys that were made or edited by hand ({names}); allow overwriting to replace them."]


@dataclass(frozen=True)
class Portion:
    """What one object gets. indices: int32 (F,) of its vertices. only_existing: keys that are not there are not added."""

    ob: bpy.types.Object
    indices: Ints
    shapes: Sequence[Shape]
    only_existing: bool = False


def write_keys(ob: bpy.types.Object, indices: Ints, shapes: Sequence[Shape], overwrite: bool = False) -> Written:
    """Write the shapes of one object; see `write_all`."""
    return write_all([Portion(ob, indices, shapes)], overwrite)[0]


def write_all(portions: Sequence[Portion], overwrite: bool = False) -> list[Written]:
    """Write shapes as relative keys with value 0; vertices that are not in a portion's `indices` get exactly the basis' place.

    Object mode, editable meshes. A key of the same name is replaced if the add-on made it and nobody edited it since, or with `overwrite`;
    otherwise it is kept. On any failure all meshes are as before. Raises AddonError: `mesh_changed`, `absolute_keys`, `reserved_name`,
    `mesh_not_finite`.
    """
    bases = [base_coordinates(portion.ob) for portion in portions]
    for portion, base in zip(portions, bases, strict=True):
        _check(portion.ob, base, portion.indices, portion.shapes)
    plans = [_plan(portion, base, overwrite) for portion, base in zip(portions, bases, strict=True)]
    with ExitStack() as undo:
        for portion, base, plan in zip(portions, bases, plans, strict=True):
            undo.enter_context(_all_or_nothing(portion.ob, plan))
            _write(portion, base, plan)
    for portion in portions:
        mesh_of(portion.ob).update()
    return plans


def _plan(portion: Portion, base: Floats, overwrite: bool) -> Written:
    """What will become of each shape."""
    key = mesh_of(portion.ob).shape_keys
    existing = set() if key is None else {block.name for block in key.key_blocks}
    ours = made_by_us(portion.ob, base)
    result = Written()
    for shape in portion.shapes:
        if shape.name not in existing:
            (result.left_out if portion.only_existing else result.added).append(shape.name)
        else:
            (result.updated if overwrite or shape.name in ours else result.kept).append(shape.name)
    return result


def _write(portion: Portion, base: Floats, plan: Written) -> None:
    ob = portion.ob
    wanted = {*plan.added, *plan.updated}
    if not wanted:
        return
    if mesh_of(ob).shape_keys is None:
        ob.shape_key_add(name="Basis", from_mix=False)
    key = keys_of(ob)
    reference = key.reference_key
    prints = recorded(ob)
    coordinates = np.array(base)
    rest = base[portion.indices]
    names: list[str] = []
    offsets = np.empty((_AT_ONCE, len(rest), 3), np.float32)
    fingerprints = Fingerprints(len(base), portion.indices)
    for shape in portion.shapes:
        if shape.name not in wanted:
            continue
        block = key.key_blocks.get(shape.name)
        if block is None:
            block = ob.shape_key_add(name=shape.name, from_mix=False)
            block.value = 0.0  # Blender 5 starts with 1
        block.relative_key = reference
        moved = rest + shape.offsets
        coordinates[portion.indices] = moved
        block.points.foreach_set("co", coordinates.reshape(-1))
        np.subtract(moved, rest, out=offsets[len(names)])
        names.append(shape.name)
        if len(names) == _AT_ONCE:
            prints.update(zip(names, fingerprints.of(offsets), strict=True))
            names.clear()
    prints.update(zip(names, fingerprints.of(offsets[: len(names)]), strict=True))
    record(ob, prints)


def remove_keys(ob: bpy.types.Object) -> list[str]:
    """Remove the keys that the add-on made and nobody edited since; their names. Object mode, editable mesh.

    A Basis that is then left alone stays: the user may have chosen it.
    """
    names = sorted(made_by_us(ob, base_coordinates(ob))) if mesh_of(ob).shape_keys is not None else []
    active = ob.active_shape_key.name if ob.active_shape_key is not None else ""
    for name in names:
        ob.shape_key_remove(keys_of(ob).key_blocks[name])
    if names:
        ob.active_shape_key_index = max(keys_of(ob).key_blocks.find(active), 0)
        record(ob, {name: known for name, known in recorded(ob).items() if name not in names})
        mesh_of(ob).update()
    return names


def _check(ob: bpy.types.Object, base: Floats, indices: Ints, shapes: Sequence[Shape]) -> None:
    """Refuse everything that can be refused before the first write."""
    key = mesh_of(ob).shape_keys
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
            raise AddonError("mesh_not_finite", f"The shape {shape.name!r} has offsets that are not numbers.", "Please report this with the model.")


@contextmanager
def _all_or_nothing(ob: bpy.types.Object, plan: Written) -> Iterator[None]:
    """Put everything back if the block inside fails: new keys go, replaced ones get their coordinates and relations again."""
    had_keys = mesh_of(ob).shape_keys is not None
    prints, active, size = recorded(ob), ob.active_shape_key_index, len(mesh_of(ob).vertices)
    before = {}
    for name in plan.updated:
        block = keys_of(ob).key_blocks[name]
        before[name] = (np.empty(3 * size, np.float32), block.relative_key.name)
        block.points.foreach_get("co", before[name][0])
    try:
        yield
    except BaseException:
        if not had_keys:
            ob.shape_key_clear()
            raise
        blocks = keys_of(ob).key_blocks
        for name in plan.added:
            if name in blocks:
                ob.shape_key_remove(blocks[name])
        for name, (coordinates, relative) in before.items():
            blocks[name].points.foreach_set("co", coordinates)
            blocks[name].relative_key = blocks[relative]
        record(ob, prints)
        ob.active_shape_key_index = active
        raise
    ob.active_shape_key_index = active
