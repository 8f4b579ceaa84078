# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the shapes of each set, as the file of sets has them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .naming import STYLES, styled


@functools.cache
def standards() -> Mapping[str, tuple[str, ...]]:
    """Set -> the names of its shapes."""
    return {name: tuple(entry["shapes"]) for name, entry in _sets().items()}


def recipes(name: str) -> Mapping[str, Mapping[str, float]]:
    """Shape of a set -> the shapes of ARKit that it is made of, with their weights."""
    shapes: Mapping[str, Mapping[str, float]] = _sets()[name]["shapes"]
    return shapes


@functools.cache
def _sets() -> Mapping[str, Any]:
    path = Path(__file__).resolve().parents[2] / "backend" / "face" / "shapes" / "shape_sets.json"
    sets: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["sets"]
    return sets


def sets_with(made: Callable[[str], bool]) -> tuple[str, ...]:
    """Which sets shapes are from. made: whether there is a key of a name. Of sets that share names,
    as few as hold all that was made.
    """
    for style in STYLES[1:]:
        of_set = {
            name: {shape for shape in shapes if made(styled(shape, style))}
            for name, shapes in standards().items()
        }
        found: list[str] = []
        while any(of_set.values()):
            most = max(of_set, key=lambda name: len(of_set[name]))
            found.append(most)
            of_set = {name: shapes - of_set[most] for name, shapes in of_set.items()}
        if found:
            return tuple(found)
    return ()
