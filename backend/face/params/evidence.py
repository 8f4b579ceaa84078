# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/evidence`."""

from __future__ import annotations

from dataclasses import dataclass

from .number import number


@dataclass(frozen=True)
class NameLimits:
    """How names are read (`evidence/names.py`)."""

    longest: int = number(
        128, "characters", 16, 4096, "of a name that are read; an estimate, not fitted"
    )
    most: int = number(
        4096, "names", 64, 65_536, "of one kind that a mesh may bring; an estimate, not fitted"
    )
    pieces: int = number(
        4, "words", 1, 10, "that one compound is made of at most; an estimate, not fitted"
    )
    remembered: int = number(
        4096, "names", 0, 1 << 20, "whose class is kept in memory; an estimate, not fitted"
    )


@dataclass(frozen=True)
class Bones:
    """What bones say without a telling name (`evidence/evidence.py`)."""

    chain: int = number(
        2,
        "bones, one after the other",
        1,
        10,
        "of no telling name below the head's from which on they hold what hangs; an estimate, not"
        " fitted",
    )
    mirrored: float = number(
        0.1,
        "share of their distance",
        0,
        0.5,
        "by which two bones may differ in height and depth and be a pair of eyes; an estimate, not"
        " fitted",
    )


NAME_LIMITS = NameLimits()
BONES = Bones()
