# SPDX-License-Identifier: GPL-3.0-or-later
"""How far shapes of each kind may be trusted, from how they have done on heads that the model had
not learnt from: confidence.json, with its source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..params.shapes import TRUSTING
from .derived import DERIVED

Floats = NDArray[np.float32]
TABLE = Path(__file__).with_name("confidence.json")


@cache
def cosines(path: Path = TABLE) -> Mapping[str, float]:
    """Mean cosine with artists' shapes by condition, those of both sides without the side."""
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["cosines"]
    return found


def confidence_of(conditions: Sequence[str]) -> Floats:
    """How sure shapes of these conditions are (K,), 0 to 1: the cosine by what artists reach; 1 for
    names that nothing is known about.
    """
    known, sure = cosines(), TRUSTING.agreement
    return np.array(
        [min(known.get(_kind(name), sure) / sure, 1.0) for name in conditions], np.float32
    )


def _kind(name: str) -> str:
    """The condition without its side; of a derived one, that of what it is made from."""
    name = DERIVED[name].carrier if name in DERIVED else name
    return name.removesuffix("Left").removesuffix("Right")
