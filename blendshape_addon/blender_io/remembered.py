# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each key in the last run that made it, kept with the keys themselves: so it is
right after undo, reload, copying, in any scene.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy

from ..typed import keys_of, mesh_of
from .generated import RESULTS, count, made_names

_STATES = frozenset({"added", "updated", "kept"})


@dataclass(frozen=True)
class Told:
    """Of one key. state: added, updated or kept. confidence: 0 to 1. note: what to know about it,
    or ``. size: the farthest way of a vertex of any of the avatar's objects, in units of the
    world.
    """

    state: str = ""
    confidence: float = 1.0
    note: str = ""
    size: float = 0.0


@dataclass(frozen=True)
class Record:
    """stamp: of the run that wrote last, or ``. rows: by the key's name."""

    stamp: str = ""
    rows: Mapping[str, Told] = field(default_factory=dict)


_NOTHING = Record()


def record_of(ob: bpy.types.Object) -> Record:
    """What is recorded with the object's keys; nothing for what is absent or malformed. Quick, for
    drawing.
    """
    key = mesh_of(ob).shape_keys
    text: Any = key.get(RESULTS) if key is not None else None
    return _read(text) if isinstance(text, str) else _NOTHING


def listed(ob: bpy.types.Object) -> set[str]:
    """Names of the keys that the add-on made here, edited since or not, and of those that it kept.
    Quick, for drawing.
    """
    key = mesh_of(ob).shape_keys
    if key is None:
        return set()
    names = [block.name for block in key.key_blocks if block != key.reference_key]
    return made_names(ob, names) | (record_of(ob).rows.keys() & set(names))


def any_listed(ob: bpy.types.Object) -> bool:
    """Whether there are some. Quick, for drawing."""
    return count(ob) > 0 or any(name in keys_of(ob).key_blocks for name in record_of(ob).rows)


EDITED = "edited by hand"


def resize(ob: bpy.types.Object, name: str, before: float, now: float) -> None:
    """The strength of a key was changed: so is its size."""
    told = record_of(ob).rows.get(name)
    if told is not None and before > 0:
        notes = [note for note in told.note.split(", ") if note and note != "weak"]
        _tell(ob, name, replace(told, size=told.size * now / before, note=", ".join(notes)))


def copy(ob: bpy.types.Object, name: str, to: str) -> None:
    """A key was made from another: it is as large, and the user's."""
    told = record_of(ob).rows.get(name)
    if told is not None:
        _tell(ob, to, replace(told, note=EDITED))


def mark(ob: bpy.types.Object, name: str, note: str) -> None:
    """Say something about a key."""
    told = record_of(ob).rows.get(name)
    if told is not None:
        _tell(ob, name, replace(told, note=note))


def _tell(ob: bpy.types.Object, name: str, told: Told) -> None:
    remember(ob, record_of(ob).stamp, {name: told})


def remember(ob: bpy.types.Object, stamp: str, rows: Mapping[str, Told]) -> None:
    """Add what a run did; what is recorded of keys that are gone goes."""
    key = keys_of(ob)
    known = {
        **{name: told for name, told in record_of(ob).rows.items() if name in key.key_blocks},
        **rows,
    }
    told = {name: [row.state, row.confidence, row.note, row.size] for name, row in known.items()}
    key[RESULTS] = json.dumps({"stamp": stamp, "rows": told})


def call_anew(ob: bpy.types.Object, names: Mapping[str, str]) -> None:
    """Keys go by other names now, old name -> new name."""
    before = record_of(ob)
    if before.rows:
        rows = {
            names.get(name, name): [row.state, row.confidence, row.note, row.size]
            for name, row in before.rows.items()
        }
        keys_of(ob)[RESULTS] = json.dumps({"stamp": before.stamp, "rows": rows})


@functools.lru_cache(maxsize=64)
def _read(text: str) -> Record:
    """A file may say anything; what is not as this module writes it is left out."""
    try:
        told: Any = json.loads(text)
        rows = {
            str(name): row
            for name, values in told["rows"].items()
            if (row := _row(values)) is not None
        }
        return Record(str(told["stamp"]), rows)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _NOTHING


def _row(values: Sequence[Any]) -> Told | None:
    state, confidence, note, size = values
    good = (
        state in _STATES
        and isinstance(note, str)
        and all(isinstance(n, int | float) and math.isfinite(n) for n in (confidence, size))
    )
    return Told(state, float(confidence), note, float(size)) if good else None
