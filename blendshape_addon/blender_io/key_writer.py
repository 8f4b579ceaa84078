# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing shapes as shape keys, all or nothing, on one object or several, without touching keys
that the add-on did not make.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import keys_of, mesh_of
from . import tuned
from .generated import (
    Ownership,
    attribute_of,
    count,
    kept,
    ownership,
    put_back,
    record,
)
from .in_step import numbers_of
from .mesh_arrays import base_coordinates

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

MAX_NAME_BYTES = 63  # Blender cuts longer names
_NAMED = 5  # keys that a line about kept ones names


@dataclass(frozen=True)
class Shape:
    """A key to be written. offsets: float32 (F,3) in object space, of the vertices in the indices
    that go with it. strength: the key's own factor on them.
    """

    name: str
    offsets: Floats
    strength: float = 1.0


@dataclass
class Written:
    """What became of the shapes, by name. renamed: shape -> its key, where the user gave that
    another name.
    """

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def key_of(self, shape: str) -> str:
        """The key that a shape is kept in."""
        return self.renamed.get(shape, shape)

    @property
    def warnings(self) -> list[str]:
        """A line about the keys that were left as they are."""
        if not self.kept:
            return []
        names = ", ".join(self.kept[:_NAMED]) + (", ..." if len(self.kept) > _NAMED else "")
        keys = "1 hand-edited key" if len(self.kept) == 1 else f"{len(self.kept)} hand-edited keys"
        return [f"Kept {keys} ({names}). Enable Replace Edited Keys to overwrite."]


@dataclass(frozen=True)
class Portion:
    """What one object gets. indices: int32 (F,) of its vertices. only_existing: keys that are not
    there are not added.
    """

    ob: bpy.types.Object
    indices: Ints
    shapes: Sequence[Shape]
    only_existing: bool = False


def write_keys(
    ob: bpy.types.Object, indices: Ints, shapes: Sequence[Shape], overwrite: bool = False
) -> Written:
    """Write the shapes of one object; see `write_all`."""
    return write_all([Portion(ob, indices, shapes)], overwrite)[0]


def write_all(portions: Sequence[Portion], overwrite: bool = False) -> list[Written]:
    """Write shapes as relative keys with value 0; vertices that are not in a portion's `indices`
    get exactly the basis' place.

    Object mode, editable meshes. A shape's key is replaced if the add-on made it, under whatever
    name it goes now, and nobody edited it since, or with `overwrite`; otherwise it is kept. On any
    failure all meshes are as before. Raises AddonError: `mesh_changed`, `absolute_keys`,
    `reserved_name`, `mesh_not_finite`.
    """
    bases = [base_coordinates(portion.ob) for portion in portions]
    for portion, base in zip(portions, bases, strict=True):
        _check(portion.ob, base, portion.indices, portion.shapes)
    owners = [ownership(portion.ob, base) for portion, base in zip(portions, bases, strict=True)]
    plans = [
        _plan(portion, owned, overwrite) for portion, owned in zip(portions, owners, strict=True)
    ]
    with ExitStack() as undo:
        for portion, base, owned, plan in zip(portions, bases, owners, plans, strict=True):
            undo.enter_context(_all_or_nothing(portion.ob, plan))
            _write(portion, base, owned, plan)
    for portion in portions:
        mesh_of(portion.ob).update()
    return plans


def _plan(portion: Portion, owned: Ownership, overwrite: bool) -> Written:
    """What will become of each shape. A key that was made for it and renamed since is its key
    still.
    """
    key = mesh_of(portion.ob).shape_keys
    existing = set() if key is None else {block.name for block in key.key_blocks}
    asked = {attribute_of(shape.name) for shape in portion.shapes}
    others = {
        name for mark, name in {**owned.keys, **owned.kept}.items() if mark in asked
    }  # are the keys of other shapes that are written, too
    ours = set(owned.keys.values())
    result = Written()
    for shape in portion.shapes:
        renamed = {**owned.keys, **owned.kept}.get(attribute_of(shape.name))
        name = renamed or shape.name
        if name != shape.name:
            result.renamed[shape.name] = name
        if name not in existing:
            (result.left_out if portion.only_existing else result.added).append(shape.name)
        elif renamed is None and name in others:
            result.kept.append(shape.name)
        else:
            (result.updated if overwrite or name in ours else result.kept).append(shape.name)
    return result


def _write(portion: Portion, base: Floats, owned: Ownership, plan: Written) -> None:
    ob = portion.ob
    wanted = {*plan.added, *plan.updated}
    if not wanted:
        return
    if mesh_of(ob).shape_keys is None:
        ob.shape_key_add(name="Basis", from_mix=False)
    key = keys_of(ob)
    reference = key.reference_key
    coordinates = np.array(base).reshape(-1)
    rest = base[portion.indices]
    # twice as fast as by rows
    numbered = (portion.indices[:, None].astype(np.intp) * 3 + np.arange(3)).reshape(-1)
    written: dict[str, str] = {}
    numbers: dict[str, Floats] = {}
    for shape in portion.shapes:
        if shape.name not in wanted:
            continue
        name = plan.key_of(shape.name)
        block = key.key_blocks.get(name)
        if block is None:
            block = ob.shape_key_add(name=name, from_mix=False)
            block.value = 0.0  # Blender 5 starts with 1
        block.relative_key = reference
        places = rest + shape.offsets * np.float32(shape.strength)
        coordinates[numbered] = places.reshape(-1)
        block.points.foreach_set("co", coordinates)
        mark = attribute_of(shape.name)
        written[mark], numbers[mark] = name, numbers_of(places - rest)
    record(ob, base, owned, written, (portion.indices, numbers))
    for shape in portion.shapes:
        if shape.strength != 1 and attribute_of(shape.name) in written:
            made = np.zeros_like(base)
            made[portion.indices] = shape.offsets
            tuned.note_made(ob, attribute_of(shape.name), made)
    tuned.note(
        ob,
        {
            attribute_of(shape.name): shape.strength
            for shape in portion.shapes
            if attribute_of(shape.name) in written
        },
    )


def remove_keys(ob: bpy.types.Object) -> list[str]:
    """Remove the keys that the add-on made and nobody edited since; their names. Object mode,
    editable mesh.

    A Basis that is then left alone stays: the user may have chosen it. Nothing else of the add-on's
    is left on the mesh, but for locked keys.
    """
    if mesh_of(ob).shape_keys is None:
        return []
    base = base_coordinates(ob)
    owned = ownership(ob, base)
    names = sorted(owned.keys.values())
    active = ob.active_shape_key.name if ob.active_shape_key is not None else ""
    for name in names:
        ob.shape_key_remove(keys_of(ob).key_blocks[name])
    if names:
        ob.active_shape_key_index = max(keys_of(ob).key_blocks.find(active), 0)
    if names or count(ob):
        record(ob, base, Ownership({}, owned.kept, owned.exact), {})
        mesh_of(ob).update()
    return names


def _check(ob: bpy.types.Object, base: Floats, indices: Ints, shapes: Sequence[Shape]) -> None:
    """Refuse everything that can be refused before the first write."""
    key = mesh_of(ob).shape_keys
    if key is not None and not key.use_relative:
        raise AddonError(
            "absolute_keys",
            f"The shape keys of {ob.name!r} are absolute.",
            "Switch on Relative in the Shape Keys panel.",
        )
    if len(indices) and (indices.min() < 0 or indices.max() >= len(base)):
        raise AddonError(
            "mesh_changed",
            f"{ob.name!r} has changed while its shapes were computed.",
            "Generate again.",
        )
    for shape in shapes:
        if key is not None and shape.name == key.reference_key.name:
            message = f"A shape is called {shape.name!r} like the reference key."
            raise AddonError(
                "reserved_name", message, "Rename the shape in your table, or the reference key."
            )
        if len(shape.name.encode()) > MAX_NAME_BYTES:
            raise AddonError(
                "table_invalid",
                f"The name {shape.name!r} is too long.",
                f"Use at most {MAX_NAME_BYTES} bytes.",
            )
        if shape.offsets.shape != (len(indices), 3) or not np.isfinite(shape.offsets).all():
            raise AddonError(
                "mesh_not_finite",
                f"The shape {shape.name!r} has offsets that are not numbers.",
                "Please report this with the model.",
            )


@contextmanager
def _all_or_nothing(ob: bpy.types.Object, plan: Written) -> Iterator[None]:
    """Put everything back if the block inside fails: new keys go, replaced ones get their
    coordinates and relations again.
    """
    had_keys = mesh_of(ob).shape_keys is not None
    known, active, size = kept(ob), ob.active_shape_key_index, len(mesh_of(ob).vertices)
    before = {}
    for name in map(plan.key_of, plan.updated):
        block = keys_of(ob).key_blocks[name]
        before[name] = (np.empty(3 * size, np.float32), block.relative_key.name)
        block.points.foreach_get("co", before[name][0])
    try:
        yield
    except BaseException:
        if not had_keys:
            ob.shape_key_clear()
            put_back(ob, known)
            raise
        blocks = keys_of(ob).key_blocks
        for name in map(plan.key_of, plan.added):
            if name in blocks:
                ob.shape_key_remove(blocks[name])
        for name, (coordinates, relative) in before.items():
            blocks[name].points.foreach_set("co", coordinates)
            blocks[name].relative_key = blocks[relative]
        put_back(ob, known)
        ob.active_shape_key_index = active
        raise
    ob.active_shape_key_index = active
