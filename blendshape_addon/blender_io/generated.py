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
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ..typed import keys_of, mesh_of
from .affine import LEAST, WORST, affine_maps, direction_by_keys, roughly
from .old_record import OLD_RECORD, old_record, sums_of
from .standards import sets_with

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]

REQUEST = "blendshape_auto_generator_request"
RESULTS = "blendshape_auto_generator_results"  # see remembered.py
# Blender's lists and Geometry Nodes hide what begins with .sculpt; exporters leave it out
MARK = ".sculpt_blendshapes_"
REST = f"{MARK}rest"
MADE = ".sculpt_blendshape_made_"  # and a key's own ending: what was generated, see tuned.py
STRENGTHS = "blendshape_auto_generator_strengths"
ALONG = np.array(
    [0.5519, 0.5303, 0.6436], np.float64
)  # no axis, no diagonal: what is edited along one of those is seen
ALONG /= np.linalg.norm(ALONG)
_ALONG = ALONG.astype(np.float32)
# of the largest coordinate, in 24 bits, that places may be off by, as after two bevels; 13
# micrometres on a figure of 1.7 m
ROUNDINGS = 64
# of a key's largest offset: what maps that were found, and edits nobody can see, may be off by
EXACT = 3e-6
LITTLE = 16  # of which one part is more than a vertex is off that nothing has moved
STAYED = (
    1.0,
    0.5,
    # of the basis' way that keys did not go along: with the basis moved by a script, and with a
    # smooth subdivision in Blender
)
# keys that must have gone the same other way, as with a fractal subdivision, to show that it was
# not by hand
SEVERAL = 3
# of the way that all keys went: how far apart they may be after it, as with a bevel between
# vertices that went different ways
CLOSE = 3e-3
_AT_ONCE = 16  # keys whose coordinates are held at a time
_FEW = 50  # moving vertices by which a renamed key is looked for, before all are looked at


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
        look = _Look(base, read(ob, REST, 3))
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


class _Look:
    """How keys and attributes of one mesh compare. exact: whether all were found to be in step just
    as they are.
    """

    def __init__(self, base: Floats, rest: Floats | None) -> None:
        self._base, self._rest = base, rest
        self._rounding = (
            ROUNDINGS * float(np.finfo(np.float32).eps) * float(np.abs(base).max(initial=0.0))
        )
        self._found: list[tuple[Doubles, Doubles]] | None = None
        self.exact = rest is not None and bool(np.array_equal(rest, base))

    def intact(self, numbers: Sequence[Floats], blocks: Sequence[bpy.types.ShapeKey]) -> list[bool]:
        """Of each key, whether it is as it was made. All at once: what happened to a vertex
        happened to all keys.
        """
        off = np.zeros(len(self._base), np.bool_)
        wrong = [False] * len(blocks)
        sizes = np.zeros(len(blocks), np.float32)
        for first, offsets in self.offsets(blocks):
            here = slice(first, first + len(offsets))
            sizes[here] = np.abs(offsets).max(axis=(1, 2), initial=0.0)
            far = self._off(np.stack(numbers[here]) - offsets @ _ALONG, ALONG, sizes[here])
            off |= far.any(axis=0)
            wrong[here] = far.any(axis=1).tolist()
        if not off.any():
            return [True] * len(blocks)
        where = np.flatnonzero(off)
        offsets = np.concatenate([some[:, where] for _first, some in self.offsets(blocks)])
        left = self._unexplained(
            np.stack([values[where] for values in numbers]), offsets, where, sizes
        )
        if any(wrong[row] and not left[row].any() for row in range(len(blocks))):
            self.exact = False
        return [not row.any() for row in left]

    def offsets(self, blocks: Sequence[bpy.types.ShapeKey]) -> Iterator[tuple[int, Floats]]:
        """The number of the first and the offsets float32 (N,V,3) of some keys at a time."""
        for first in range(0, len(blocks), _AT_ONCE):
            some = blocks[first : first + _AT_ONCE]
            offsets = np.empty((len(some), *self._base.shape), np.float32)
            for row, block in enumerate(some):
                block.points.foreach_get("co", offsets[row].reshape(-1))
            offsets -= self._base
            yield first, offsets

    def likely(self, numbers: Floats, offsets: Floats) -> bool:
        """Whether a key of offsets (V,3) may be that of the numbers (V,), by a few of the vertices
        that they move.
        """
        moving = np.flatnonzero(numbers)
        few = moving[:: max(len(moving) // _FEW, 1)]
        return not self._unexplained(
            numbers[None, few], offsets[None, few], few, np.abs(offsets).max()[None]
        ).any()

    def _off(self, apart: Floats, along: Doubles, sizes: Floats) -> Flags:
        """Where what lies between numbers and what is seen (N,W) is more than rounding. sizes:
        (N,), the keys' largest offsets.
        """
        tolerance = np.linalg.norm(along) * (self._rounding + EXACT * sizes)
        return np.asarray(~(np.abs(apart) <= tolerance[:, None]))  # what is no number is off, too

    def _unexplained(
        self, numbers: Floats, offsets: Floats, where: NDArray[np.intp], sizes: Floats
    ) -> Flags:
        """(N,W): where keys are out of step with their numbers at the vertices `where`, given what
        explains most of what may have happened there.
        """
        story = _Story(numbers, offsets, lambda apart, along: self._off(apart, along, sizes))
        story.add(ALONG)
        if self._rest is None or not story.least().any():
            return story.off()
        happened = [(self._base[where] - place[where], along) for place, along in self._happened()]
        for _moved, along in happened[1:]:
            story.add(along)
        moved = np.abs(happened[0][0]).max(axis=1, initial=0.0) > self._rounding
        shifted = np.abs(happened[0][0]).max(axis=1, initial=0.0) > self._rounding / LITTLE
        open_ = np.flatnonzero(moved & (story.least() > 1))
        if len(open_) >= LEAST:
            rough = roughly(
                self._rest[where[open_]].astype(np.float64),
                self._base[where[open_]].astype(np.float64),
            )
            likely = np.linalg.solve(rough.T, ALONG)
            lengths = (
                1,
                abs(float(np.linalg.det(rough))) ** (-1 / 3),
                float(np.linalg.norm(likely)),
            )
            turned = direction_by_keys(
                numbers[:, open_],
                offsets[:, open_],
                [*(along for _moved, along in happened), likely],
                lengths,
            )
            if turned is not None:
                story.add(turned)
                happened.append((np.zeros((len(where), 3)), turned))
        for away, along in happened:  # where a basis moved without the keys, all of them are off
            stuck = np.flatnonzero(shifted & (story.least() > 0))
            for share in STAYED if away.any() else ():
                story.add(along, stuck, share * away[stuck] @ along)
            if len(numbers) >= SEVERAL:
                story.add(along, stuck)
        return story.off()

    def _happened(self) -> list[tuple[Doubles, Doubles]]:
        """What may have happened to vertices: where each would be now, (V,3), and what the
        direction of the numbers has become, (3,).
        """
        if self._found is None:
            self._found = []
            if self._rest is not None:
                rest, base = self._rest.astype(np.float64), self._base.astype(np.float64)
                self._found.append((rest, ALONG))
                moved = np.abs(rest - base).max(axis=1) > self._rounding
                for one in affine_maps(rest[moved], base[moved], 2 * self._rounding):
                    if np.linalg.cond(one.matrix) < WORST:
                        self._found.append((one.of(rest), np.linalg.solve(one.matrix.T, ALONG)))
        return self._found


class _Story:
    """What explains most of the numbers (N,W) of offsets (N,W,3) at each vertex, of all that is
    tried. is_off: of differences and a direction.
    """

    def __init__(
        self, numbers: Floats, offsets: Floats, is_off: Callable[[Floats, Doubles], Flags]
    ) -> None:
        self._numbers, self._offsets, self._is_off = numbers, offsets, is_off
        self._tried: list[tuple[Doubles, NDArray[np.intp] | None, Floats | None]] = []
        self._left: list[NDArray[np.int_]] = []

    def add(
        self, along: Doubles, at: NDArray[np.intp] | None = None, missed: Doubles | None = None
    ) -> None:
        """Try that numbers are along a direction now. at: of some vertices, and there the basis
        went without the keys, as far along it as is told in `missed`, or as most keys say.
        """
        number = len(self._tried)
        self._tried.append((along, at, None if missed is None else missed.astype(np.float32)))
        left = np.full(self._numbers.shape[1], len(self._numbers) + 1)
        columns = np.arange(len(left)) if at is None else at
        left[columns] = self._under(number, columns).sum(axis=0)
        self._left.append(left)

    def least(self) -> NDArray[np.int_]:
        """(W,): how many keys nothing that was tried explains."""
        return np.asarray(np.min(self._left, axis=0))

    def off(self) -> Flags:
        """(N,W): which these are. Of two that explain as many at a vertex, the one that does at
        more of all vertices is taken.
        """
        left = np.array(self._left)
        ranks = np.argsort(-(left == self.least()).sum(axis=1), kind="stable")
        taken = ranks[left[ranks].argmin(axis=0)]
        off = np.ones(self._numbers.shape, np.bool_)
        for number in np.unique(taken):
            here = np.flatnonzero(taken == number)
            off[:, here] = self._under(int(number), here)
        return off

    def _under(self, number: int, columns: NDArray[np.intp]) -> Flags:
        along, at, missed = self._tried[number]
        apart = self._numbers[:, columns] - self._offsets[:, columns] @ along.astype(np.float32)
        if missed is not None and at is not None:
            apart -= missed[np.searchsorted(at, columns)]
        elif at is not None and len(columns):
            common = np.median(apart, axis=0)
            apart -= common
            apart -= np.clip(apart, -CLOSE * np.abs(common), CLOSE * np.abs(common))
        return self._is_off(apart, along)


def _renamed(
    look: _Look,
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
    record, look = old_record(ob), _Look(base, None)
    tolerance = 8 * np.finfo(np.float32).eps * float(np.abs(base).max(initial=0.0)) * base.size**0.5
    ours = []
    for first, offsets in look.offsets(blocks):
        for block, sums in zip(blocks[first:], sums_of(offsets), strict=False):
            if np.abs(sums - record[block.name]).max() <= tolerance:
                ours.append(block.name)
    return ours


def record(
    ob: bpy.types.Object, base: Floats, owned: Ownership, written: Mapping[str, str]
) -> None:
    """Keep what has become of the keys. Object mode. base: the reference key; written: attribute ->
    key, of those that were written just now.

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
    points = np.empty_like(base)
    for mark, name in stale.items():
        key.key_blocks[name].points.foreach_get("co", points.reshape(-1))
        keep(ob, mark, "FLOAT", (points - base) @ _ALONG)
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


def forget(ob: bpy.types.Object, name: str) -> None:
    """Remove an attribute that may be there."""
    attributes = mesh_of(ob).attributes
    if name in attributes:
        attributes.remove(attributes[name])


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


def read(ob: bpy.types.Object, name: str, wide: int) -> Floats | None:
    """An attribute of the vertices, float32 (V,) or (V,3); None where it is not as this module
    makes it.
    """
    attribute = mesh_of(ob).attributes.get(name)
    if (
        attribute is None
        or attribute.domain != "POINT"
        or attribute.data_type != ("FLOAT" if wide == 1 else "FLOAT_VECTOR")
    ):
        return None
    data = _data(attribute)
    if len(data) != len(mesh_of(ob).vertices):
        return None  # in edit mode there is nothing to be read
    values = np.empty((len(data),) if wide == 1 else (len(data), wide), np.float32)
    data.foreach_get("value" if wide == 1 else "vector", values.reshape(-1))
    return values


def keep(ob: bpy.types.Object, name: str, kind: Any, values: Floats) -> None:
    """Write an attribute of the vertices, which is then there."""
    attributes = mesh_of(ob).attributes
    attribute = attributes.get(name)
    if attribute is not None and (attribute.domain != "POINT" or attribute.data_type != kind):
        attributes.remove(attribute)
        attribute = None
    if attribute is None:
        attribute = attributes.new(name, kind, "POINT")
    _data(attribute).foreach_set(
        "value" if kind == "FLOAT" else "vector",
        np.ascontiguousarray(values, np.float32).reshape(-1),
    )


def _data(attribute: bpy.types.Attribute) -> Any:
    """Its values; what an attribute holds depends on its kind."""
    return cast("Any", attribute).data


def remember_request(
    ob: bpy.types.Object, sets: tuple[str, ...], table: Mapping[str, Mapping[str, float]] | None
) -> None:
    """Add to what was asked for, so that an update asks for the same again."""
    before_sets, before_table = request_of(ob)
    names = [*before_sets, *(name for name in sets if name not in before_sets)]
    keys_of(ob)[REQUEST] = json.dumps({"sets": names, "table": {**before_table, **(table or {})}})


def request_of(ob: bpy.types.Object) -> tuple[tuple[str, ...], dict[str, dict[str, float]]]:
    """The sets and the table that the object's keys were asked for with; empty for what is
    malformed or absent.
    """
    key = mesh_of(ob).shape_keys
    text = key.get(REQUEST) if key is not None else None
    try:
        told: Any = json.loads(text) if isinstance(text, str) else {}
        sets, table = told.get("sets", []), told.get("table", {})
        good = (
            isinstance(table, dict)
            and all(isinstance(row, dict) for row in table.values())
            and all(isinstance(name, str) for name in sets)
        )
    except (ValueError, AttributeError, TypeError, RecursionError):
        return (), {}
    return (tuple(sets), table) if good else ((), {})


def sets_of(ob: bpy.types.Object) -> tuple[str, ...]:
    """The sets that the keys are from, by the names that they were made under; where what was asked
    for is not recorded.
    """
    there = {*marks(ob), *(attribute_of(name) for name in old_record(ob))}
    return sets_with(lambda name: attribute_of(name) in there)
