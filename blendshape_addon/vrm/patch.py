# SPDX-License-Identifier: GPL-3.0-or-later
"""A .vrm file with more morph targets and expressions, and nothing else about it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from . import expressions
from .arrays import Floats
from .expressions import Bound, Expression
from .glb import pack, parse
from .targets import Change, movement, write_targets

Plan = Callable[[str, Mapping[str, bool]], Sequence[Expression]]

EMOTIONS = ("happy", "angry", "sad", "relaxed", "surprised")
CLOSED = 0.5  # of a blink, or of an open mouth: from there on a second one would be too much


def patched(data: bytes, changes: list[Change], plan: Plan) -> tuple[bytes, Bound]:
    """The new file, and what was bound. plan: from the file's version, OLD or NEW, and the names of
    all keys, with whether they move anything, to the expressions that are wanted. Raises AddonError
    `vrm_unwritable`.
    """
    glb = parse(data)
    version = expressions.version_of(glb.content)
    targets = write_targets(glb, changes)
    moves = {name: any(target.moves for target in held) for name, held in targets.items()}
    wanted = plan(version, moves)
    if version == expressions.NEW:
        wanted = with_overrides(wanted, lambda key: movement(glb, targets.get(key, ())))
    bound = expressions.bind(glb.content, wanted, targets)
    return pack(glb), bound


def with_overrides(
    wanted: Sequence[Expression], moved: Callable[[str], Floats]
) -> list[Expression]:
    """Emotions that close the eyes keep blinks away while they show, and those that open the mouth
    speech. moved: key -> float32 (N,3), how far it moves all vertices.
    """
    whole = {
        one.name: np.asarray(
            sum(np.float32(weight) * moved(key) for key, weight in one.keys.items()), np.float32
        )
        for one in wanted
        if one.name in (*EMOTIONS, "blink", "aa")
    }
    found = []
    for one in wanted:
        overrides: dict[str, str] = {}
        if one.name in EMOTIONS:
            if _share(whole[one.name], whole.get("blink")) >= CLOSED:
                overrides["overrideBlink"] = "block"
            if _share(whole[one.name], whole.get("aa")) >= CLOSED:
                overrides["overrideMouth"] = "blend"
        found.append(replace(one, overrides=overrides))
    return found


def _share(own: Floats, other: Floats | None) -> float:
    """How much of another movement is in this one: 1 for all of it."""
    if other is None or not other.any():
        return 0.0
    return float(np.vdot(own, other) / np.vdot(other, other))
