# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys are expressions, by their names."""

from __future__ import annotations

import functools
import re

from .guides import role_of
from .naming import folded
from .standards import standards

_VROID = re.compile(r"Fcl_(ALL|MTH|EYE|BRW|HA)_", re.IGNORECASE)


def is_expression(name: str) -> bool:
    """Whether a key's name says that it is an expression of a face at rest, in any of the known
    standards, and no trait of the face.
    """
    return (
        role_of(name) is not None
        or folded(name) in _expressions()
        or name.startswith("vrc.")
        or _VROID.search(name) is not None
    )


@functools.cache
def _expressions() -> frozenset[str]:
    return frozenset(folded(name) for names in standards().values() for name in names)
