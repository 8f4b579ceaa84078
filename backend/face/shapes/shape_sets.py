# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape sets: tables from key names to weights of conditions, and turning them into a matrix.

The sets are data, in shape_sets.json beside this file, with their sources; a user's own table has
the form of one set's `shapes`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ...values import is_number

Floats = NDArray[np.float32]
Table = dict[str, dict[str, float]]
DATA = Path(__file__).with_name("shape_sets.json")
MAX_KEYS = 1024
MAX_NAME_BYTES = 63  # longer names of shape keys are cut by Blender
MAX_WEIGHT = 10.0
_FORM = 'A table is JSON of the form {"Key name": {"jawOpen": 0.6, "mouthSmileLeft": 0.3}}.'


@dataclass(frozen=True)
class ShapeSet:
    """A set that is asked for by name.

    Args:
        name: by which it is asked for
        title: as users read it
        source: where its names and weights come from
        shapes: key -> {condition: weight}
    """

    name: str
    title: str
    source: str
    shapes: Table


def load_sets(path: Path = DATA) -> dict[str, ShapeSet]:
    """The shape sets by name, validated. Raises BackendError `table_invalid` if the file is not as
    it must be.
    """
    data = read_table_json(path.read_text(encoding="utf-8"))
    sets = data.get("sets") if isinstance(data, dict) else None
    if not isinstance(sets, dict):
        raise BackendError(
            "table_invalid", f"{path.name} holds no sets.", "Reinstall the extension."
        )
    loaded: dict[str, ShapeSet] = {}
    for name, entry in sets.items():
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("source"), str)
            or not isinstance(entry.get("title"), str)
        ):
            raise BackendError(
                "table_invalid",
                f"The set {name} in {path.name} has no title or source.",
                "Reinstall the extension.",
            )
        loaded[name] = ShapeSet(
            name, entry["title"], entry["source"], parse_table(entry.get("shapes"))
        )
    return loaded


def choose_sets(names: Sequence[str], sets: Mapping[str, ShapeSet]) -> dict[str, Table]:
    """The tables of the named sets, in the order asked for, repeats left out, also of a key that
    two sets share with the same weights.

    Raises BackendError `unknown_set`, which names the known.
    """
    for name in names:
        if name not in sets:
            raise BackendError(
                "unknown_set", f"There is no shape set {name!r}.", f"Choose from {', '.join(sets)}."
            )
    chosen: dict[str, Table] = {}
    for name in names:
        before = {
            key: row
            for other, table in chosen.items()
            if other != name
            for key, row in table.items()
        }
        chosen[name] = {
            key: row for key, row in sets[name].shapes.items() if before.get(key) != row
        }
    return chosen


def read_table_json(text: str) -> object:
    """Parse JSON text; unlike json.loads alone, a name that occurs twice in one object is an error.
    Raises BackendError `table_invalid`.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result: dict[str, object] = {}
        for name, value in pairs:
            if name in result:
                raise ValueError(f"{name!r} occurs twice")
            result[name] = value
        return result

    try:
        data: object = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise BackendError(
            "table_invalid", f"The table is not proper JSON: {error}.", _FORM
        ) from error
    return data


def parse_table(data: object) -> Table:
    """A table from JSON-like data, checked. Raises BackendError `table_invalid` with the key and
    the reason.
    """
    if not isinstance(data, dict) or not data:
        raise BackendError("table_invalid", "The table is empty or not an object.", _FORM)
    if len(data) > MAX_KEYS:
        raise BackendError(
            "table_invalid", f"The table has {len(data)} keys; it may have {MAX_KEYS}.", "Split it."
        )
    return {_key_name(key): _row(key, row) for key, row in data.items()}


def weights_of(table: Mapping[str, Mapping[str, float]], conditions: Sequence[str]) -> Floats:
    """Weights float32 (N,K): a row per key of the table, a column per condition.

    Raises BackendError `unknown_condition` for a condition that is not among `conditions`, with the
    closest names.
    """
    column = {name: index for index, name in enumerate(conditions)}
    weights = np.zeros((len(table), len(conditions)), np.float32)
    for row, (key, wanted) in enumerate(table.items()):
        for name, weight in wanted.items():
            if name not in column:
                raise _unknown(name, key, conditions)
            weights[row, column[name]] = weight
    return weights


def _key_name(key: object) -> str:
    if not isinstance(key, str) or not key.strip() or not key.isprintable():
        raise BackendError(
            "table_invalid",
            f"{key!r} cannot be the name of a shape key.",
            "Use letters, digits and punctuation.",
        )
    if len(key.encode("utf-8", errors="replace")) > MAX_NAME_BYTES:
        raise BackendError(
            "table_invalid",
            f"The name {key!r} is too long.",
            f"Use at most {MAX_NAME_BYTES} bytes; Blender cuts the rest.",
        )
    return key


def _row(key: str, row: object) -> dict[str, float]:
    if not isinstance(row, dict) or not row:
        raise BackendError("table_invalid", f"The key {key!r} has no conditions.", _FORM)
    weights: dict[str, float] = {}
    for name, weight in row.items():
        if not isinstance(name, str) or not is_number(weight) or abs(weight) > MAX_WEIGHT:
            what = (
                f"The weight of {name!r} in the key {key!r} is {weight!r}, not a number from"
                f" -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}."
            )
            raise BackendError("table_invalid", what, _FORM)
        weights[name] = float(weight)
    if not any(weights.values()):
        raise BackendError(
            "table_invalid",
            f"All weights of the key {key!r} are 0, so it would move nothing.",
            "Give one a value.",
        )
    return weights


def _unknown(name: str, key: str, conditions: Sequence[str]) -> BackendError:
    lower = {condition.lower(): condition for condition in conditions}
    close = [
        lower[match]
        for match in difflib.get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)
    ]
    fix = (
        f"Did you mean {' or '.join(close)}?"
        if close
        else f"The model knows {', '.join(conditions)}."
    )
    return BackendError(
        "unknown_condition",
        f"The model has no condition {name!r}, which the key {key!r} asks for.",
        fix,
    )
