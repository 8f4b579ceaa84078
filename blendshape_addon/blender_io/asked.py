# SPDX-License-Identifier: GPL-3.0-or-later
"""What the keys of an object were asked for with, kept with them, so that an update asks for the
same again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import bpy

from ..typed import keys_of, mesh_of
from .generated import REQUEST, attribute_of, marks
from .old_record import old_record
from .standards import sets_with


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
