# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys the add-on made. Each of them has a hidden attribute on the mesh with one number per
vertex: its offset along a fixed direction.

Whatever is done to a mesh is done to keys and attributes alike: vertices that are deleted, merged,
added between others, sorted, joined or separated keep key and number in step. An edit of a key by
hand breaks the step at the vertices that it moves; the key is the user's from then on. Two things
break it for all keys at once. Another attribute, with the place that each vertex had, tells them
apart: a transform that was applied, which is then found (affine.py), and a basis that was moved
while the keys stayed. A key that was renamed is known by its numbers. An edit that is at right
angles to the direction at every vertex would not be seen; the direction is that of no axis.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import keys_of, mesh_of
from .at_vertices import forget, keep, read
from .in_step import Look, numbers_of
from .old_record import OLD_RECORD, old_record, sums_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

REQUEST = "blendshape_auto_generator_request"
RESULTS = "blendshape_auto_generator_results"  # see remembered.py
# Blender's lists and Geometry Nodes hide what begins with .sculpt; exporters leave it out
MARK = ".sculpt_blendshapes_"
REST = f"{MARK}rest"
MADE = ".sculpt_blendshape_made_"  # and a key's own ending: what was generated, see tuned.py
STRENGTHS = "blendshape_auto_generator_strengths"


@dataclass(frozen=True)
class Ownership:
    """The keys that the add-on made, attribute -> name. kept: those that are locked, the user's for
    now.

    exact: whether all attributes say what the keys are now, so that none must be written again when
    one is.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True


@functools.lru_cache(maxsize=4096)
def attribute_of(name: str) -> str:
    """The attribute that goes with a key that is made under a name; the same on all objects, so
    that joined meshes agree.
    """
    return MARK + hashlib.blake2s(name.encode(), digest_size=8).hexdigest()


def made_by_us(ob: bpy.types.Object, base: Floats) -> set[str]:
    """Names of the keys that the add-on made, nobody edited since, and are not locked. Object mode.
    base: float32 (V,3), the reference key.
    """
    return set(ownership(ob, base).keys.values())


def count(ob: bpy.types.Object) -> int:
    """How many keys were made here, edited since or not; quick, for drawing."""
    key = mesh_of(ob).shape_keys
    if key is None:
        return 0
    return min(
        len({*marks(ob), *(attribute_of(name) for name in _old(ob))}), len(key.key_blocks) - 1
    )


def made_names(ob: bpy.types.Object, names: Iterable[str]) -> set[str]:
    """Those of some keys' names under which the add-on made keys here, edited since or not; quick,
    for drawing.
    """
    known = {*marks(ob), *(attribute_of(name) for name in _old(ob))}
    return {name for name in names if attribute_of(name) in known}


def _old(ob: bpy.types.Object) -> set[str]:
    """Names of the keys that a file of an older version records."""
    key = mesh_of(ob).shape_keys
    record: Any = key.get(OLD_RECORD) if key is not None else None
    return set(record.keys()) if hasattr(record, "keys") else set()


def marks(ob: bpy.types.Object) -> list[str]:
    """Names of the attributes of keys."""
    return [
        one.name for one in mesh_of(ob).attributes if one.name.startswith(MARK) and one.name != REST
    ]


def made_attributes(ob: bpy.types.Object) -> list[str]:
    """Names of the attributes that keep what was generated."""
    return [one.name for one in mesh_of(ob).attributes if one.name.startswith(MADE)]


def ownership(ob: bpy.types.Object, base: Floats) -> Ownership:
    """Whose the keys are. Object mode; in edit mode all are the user's. base: float32 (V,3), the
    reference key.
    """
    key = mesh_of(ob).shape_keys
    if key is None:
        return Ownership()
    keys: dict[str, str] = {}
    exact = True
    blocks = {block.name: block for block in key.key_blocks if block != key.reference_key}
    numbers = {name: values for name in marks(ob) if (values := read(ob, name, 1)) is not None}
    if numbers:
        look = Look(base, read(ob, REST, 3))
        named = {attribute_of(name): name for name in blocks if attribute_of(name) in numbers}
        intact = look.intact(
            [numbers[mark] for mark in named], [blocks[name] for name in named.values()]
        )
        keys = {
            mark: name for (mark, name), whole in zip(named.items(), intact, strict=True) if whole
        }
        others = [block for name, block in blocks.items() if name not in keys.values()]
        orphans = {mark: values for mark, values in numbers.items() if mark not in keys}
        keys.update(
            _renamed(
                look,
                orphans,
                others,
                {mark: name for mark, name in named.items() if mark not in keys},
            )
        )
        exact = look.exact
    for name in _of_old_record(
        ob,
        base,
        [
            blocks[name]
            for name in old_record(ob)
            if name in blocks and attribute_of(name) not in numbers
        ],
    ):
        keys[attribute_of(name)] = name
        exact = False
    locked = {name for name, block in blocks.items() if getattr(block, "lock_shape", False)}
    kept_ = {mark: name for mark, name in keys.items() if name in locked}
    return Ownership(
        {mark: name for mark, name in keys.items() if name not in locked}, kept_, exact
    )


def _renamed(
    look: Look,
    orphans: Mapping[str, Floats],
    others: Sequence[bpy.types.ShapeKey],
    edited: Mapping[str, str],
) -> dict[str, str]:
    """Attributes whose key goes by another name now -> that name. edited: attributes whose own key
    is there but is no longer theirs.

    Where a key is there under its own name, another like it is a copy that the user made, unless
    the two names were exchanged. A key that moves nothing is like any other that does: it is known
    by its name alone.
    """
    found: dict[str, str] = {}
    wanted = {
        mark: values
        for mark, values in orphans.items()
        if np.isfinite(values).all() and values.any()
    }
    for block in others:
        if not wanted:
            break
        [(_first, offsets)] = look.offsets([block])
        for mark, values in wanted.items():
            if (
                edited.get(mark) != block.name
                and look.likely(values, offsets[0])
                and look.intact([values], [block])[0]
            ):
                found[mark] = block.name
                del wanted[mark]
                break
    while True:  # each name in turn that has a key of its own
        copies = [mark for mark in found if mark in edited and edited[mark] not in found.values()]
        if not copies:
            return found
        for mark in copies:
            del found[mark]


def _of_old_record(
    ob: bpy.types.Object, base: Floats, blocks: Sequence[bpy.types.ShapeKey]
) -> list[str]:
    """Those that still have the offsets that an early version recorded; the mesh must still have
    all its vertices.
    """
    record, look = old_record(ob), Look(base, None)
    tolerance = 8 * np.finfo(np.float32).eps * float(np.abs(base).max(initial=0.0)) * base.size**0.5
    ours = []
    for first, offsets in look.offsets(blocks):
        for block, sums in zip(blocks[first:], sums_of(offsets), strict=False):
            if np.abs(sums - record[block.name]).max() <= tolerance:
                ours.append(block.name)
    return ours


def record(
    ob: bpy.types.Object,
    base: Floats,
    owned: Ownership,
    written: Mapping[str, str],
    moved: tuple[Ints, Mapping[str, Floats]] | None = None,
) -> None:
    """Keep what has become of the keys. Object mode. base: the reference key; written: attribute ->
    key, of those that were written just now; moved: where these are known, the vertices int32 (F,)
    that move and `numbers_of` their offsets by attribute, float32 (F,).

    What belongs to no key of the add-on's goes: of keys that were deleted, and of those that were
    edited.
    """
    key = keys_of(ob)
    others = {
        mark: name
        for mark, name in {**owned.keys, **owned.kept}.items()
        if mark not in written and name not in written.values()
    }
    for name in marks(ob):
        if name not in others and name not in written:
            forget(ob, name)
    there = {*others, *(attribute_of(block.name) for block in key.key_blocks)} - written.keys()
    for name in made_attributes(ob):
        if not owned.exact or name.replace(MADE, MARK) not in there:
            forget(ob, name)  # of a mesh that was turned since, or written anew
    stale = {**written} if owned.exact else {**written, **others}
    points, values = np.empty_like(base), np.zeros(len(base), np.float32)
    rows, numbers = moved if moved is not None else (np.empty(0, np.int32), {})
    for mark, name in stale.items():
        if mark in numbers:
            values[rows] = numbers[mark]
            keep(ob, mark, "FLOAT", values)
            continue
        key.key_blocks[name].points.foreach_get("co", points.reshape(-1))
        keep(ob, mark, "FLOAT", numbers_of(points - base))
    if written or others:
        keep(ob, REST, "FLOAT_VECTOR", base)
    else:
        forget(ob, REST)
        key.pop(REQUEST, None)
        key.pop(RESULTS, None)
        key.pop(STRENGTHS, None)
    key.pop(OLD_RECORD, None)


def call_anew(ob: bpy.types.Object, names: Mapping[str, str]) -> None:
    """Say that keys are made under other names from now on, old name -> new name; the keys
    themselves have been renamed.
    """
    attributes = mesh_of(ob).attributes
    for before, now in names.items():
        for own in (MARK, MADE):
            attribute = attributes.get(attribute_of(before).replace(MARK, own))
            renamed = attribute_of(now).replace(MARK, own)
            if attribute is not None and renamed not in attributes:
                attribute.name = renamed
    old = keys_of(ob).get(OLD_RECORD)
    if old is not None and hasattr(old, "to_dict"):
        keys_of(ob)[OLD_RECORD] = {
            names.get(name, name): values for name, values in old.to_dict().items()
        }


@dataclass(frozen=True)
class Kept:
    """All that is recorded on an object, to be put back."""

    arrays: Mapping[str, Floats]
    old: Any
    strengths: Any


def kept(ob: bpy.types.Object) -> Kept:
    """What is recorded now."""
    numbers = marks(ob)
    arrays = {
        name: values
        for name in [*marks(ob), REST, *made_attributes(ob)]
        if (values := read(ob, name, 1 if name in numbers else 3)) is not None
    }
    key = mesh_of(ob).shape_keys
    old: Any = key.get(OLD_RECORD) if key is not None else None
    strengths = key.get(STRENGTHS) if key is not None else None
    return Kept(arrays, old.to_dict() if hasattr(old, "to_dict") else old, strengths)


def put_back(ob: bpy.types.Object, before: Kept) -> None:
    """Have recorded what was."""
    for name in [*marks(ob), REST, *made_attributes(ob)]:
        if name not in before.arrays:
            forget(ob, name)
    for name, values in before.arrays.items():
        keep(ob, name, "FLOAT" if values.ndim == 1 else "FLOAT_VECTOR", values)
    if before.strengths is not None:
        keys_of(ob)[STRENGTHS] = before.strengths
    if before.old is not None:
        keys_of(ob)[OLD_RECORD] = before.old
