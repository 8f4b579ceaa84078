# SPDX-License-Identifier: GPL-3.0-or-later
"""Single keys made stronger, mirrored, and put back to what was generated.

What was generated is kept from the first such change on, as an attribute of the vertices, so that a
strength can be set again and again, what was edited by hand stays, and the way back is exact. A
strength is kept with the keys, and generating anew goes by it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import keys_of, mesh_of
from .at_vertices import keep, read
from .generated import MADE, MARK, REST, STRENGTHS, Ownership, attribute_of, ownership, record
from .in_step import ROUNDINGS, Look, numbers_of
from .mesh_arrays import base_coordinates

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

MAX_STRENGTH = 10.0


def strengths(ob: bpy.types.Object) -> dict[str, float]:
    """Attribute of a key -> its strength, of those that have one of their own; what is malformed is
    left out. Quick, for drawing.
    """
    key = mesh_of(ob).shape_keys
    text: Any = key.get(STRENGTHS) if key is not None else None
    try:
        told: Any = json.loads(text) if isinstance(text, str) else {}
        return {
            str(mark): float(factor)
            for mark, factor in told.items()
            if math.isfinite(float(factor)) and 0 <= float(factor) <= MAX_STRENGTH
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def strength_of(ob: bpy.types.Object, name: str) -> float:
    """The strength of a key, 1 for what was generated. Quick, for drawing."""
    return strengths(ob).get(attribute_of(name), 1.0)


def note(ob: bpy.types.Object, factors: Mapping[str, float]) -> None:
    """Remember strengths, attribute of a key -> factor; those that are 1 are forgotten."""
    before = strengths(ob)
    now = {mark: factor for mark, factor in {**before, **factors}.items() if factor != 1}
    if now == before:
        return
    if now:
        keys_of(ob)[STRENGTHS] = json.dumps(now)
    else:
        del keys_of(ob)[STRENGTHS]


def note_made(ob: bpy.types.Object, mark: str, offsets: Floats) -> None:
    """Keep what was generated of a key, by its attribute: float32 (V,3)."""
    keep(ob, mark.replace(MARK, MADE), "FLOAT_VECTOR", offsets)


def call_anew(ob: bpy.types.Object, names: Mapping[str, str]) -> None:
    """Keys go by other names now, old name -> new name."""
    marks = {attribute_of(before): attribute_of(now) for before, now in names.items()}
    told = strengths(ob)
    if told:
        keys_of(ob)[STRENGTHS] = json.dumps({marks.get(m, m): f for m, f in told.items()})


def alone_intact(ob: bpy.types.Object, base: Floats, name: str) -> bool:
    """Whether a key is surely as it was made under its own name, told without a look at the others:
    on a mesh whose vertices are just where they were, nothing can have happened to all keys at
    once. base: float32 (V,3), the reference key.
    """
    numbers, rest = read(ob, attribute_of(name), 1), read(ob, REST, 3)
    if numbers is None or rest is None or not np.array_equal(rest, base):
        return False
    return Look(base, rest).intact([numbers], [keys_of(ob).key_blocks[name]])[0]


class Tuned:
    """A key of an object that may be changed, in Object Mode.

    made: what was generated, float32 (V,3), None where that is not known. intact: whether the key
    is still that, at its strength.

    Raises AddonError `usage` for a key that is not there or is locked.
    """

    def __init__(self, ob: bpy.types.Object, name: str) -> None:
        key = mesh_of(ob).shape_keys
        if key is None or name not in key.key_blocks or name == key.reference_key.name:
            raise AddonError("usage", f"There is no shape key {name!r}.", "Choose one in Results.")
        if getattr(key.key_blocks[name], "lock_shape", False):
            raise AddonError("usage", f"The key {name!r} is locked.", "Unlock it first.")
        self.ob, self.name, self.base = ob, name, base_coordinates(ob)
        self._owned: Ownership | None = None
        self.mark, self.intact = attribute_of(name), alone_intact(ob, self.base, name)
        if not self.intact:
            self._owned = ownership(ob, self.base)
            marks = {own: mark for mark, own in self._owned.keys.items()}
            self.intact = name in marks
            self.mark = marks.get(name, self.mark)
        self.strength = strengths(ob).get(self.mark, 1.0)
        self.made = self._made()

    def offsets(self) -> Floats:
        """The key as it is, float32 (V,3)."""
        points = np.empty_like(self.base)
        keys_of(self.ob).key_blocks[self.name].points.foreach_get("co", points.reshape(-1))
        return points - self.base

    def keep_made(self) -> None:
        """Keep what was generated, where that is known, before the key is edited."""
        if self.made is not None:
            note_made(self.ob, self.mark, self.made)

    def set_strength(self, factor: float) -> None:
        """Write the key anew with another strength; what was edited by hand stays.

        Raises AddonError `usage` where it is not known what was generated.
        """
        if self.made is None:
            raise AddonError(
                "usage",
                f"It is not known what of {self.name!r} was generated and what you edited.",
                "Reset the shape first.",
            )
        edited = 0 if self.intact else self.offsets() - self.made * np.float32(self.strength)
        self._write(np.asarray(edited + self.made * np.float32(factor), np.float32), self.intact)
        self.keep_made()
        note(self.ob, {self.mark: factor})

    def reset(self) -> bool:
        """Write the key as it was generated; False where that is not known."""
        if self.made is None:
            return False
        self._write(self.made, True)
        note(self.ob, {self.mark: 1.0})
        return True

    def replace(self, offsets: Floats, strength: float) -> None:
        """Write other offsets, float32 (V,3): from then on the key counts as edited by hand."""
        self._write(offsets, False)
        self.keep_made()
        note(self.ob, {self.mark: strength})

    def _made(self) -> Floats | None:
        rest, kept = (
            read(self.ob, REST, 3),
            read(self.ob, self.mark.replace(MARK, MADE), 3),
        )
        room = ROUNDINGS * np.finfo(np.float32).eps * float(np.abs(self.base).max(initial=0.0))
        if kept is not None and rest is not None and np.abs(rest - self.base).max() <= room:
            return kept
        if self.intact and self.strength > 0:
            return self.offsets() / np.float32(self.strength)
        return None

    def _write(self, offsets: Floats, ours: bool) -> None:
        key = keys_of(self.ob)
        block = key.key_blocks[self.name]
        block.relative_key = key.reference_key
        block.points.foreach_set("co", np.ascontiguousarray(self.base + offsets).reshape(-1))
        if ours and self._owned is None:
            keep(self.ob, self.mark, "FLOAT", numbers_of(self.offsets()))
        elif ours and self._owned is not None:
            record(self.ob, self.base, self._owned, {self.mark: self.name})
        mesh_of(self.ob).update()
