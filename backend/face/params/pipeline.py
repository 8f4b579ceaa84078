# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/pipeline.py`."""

from __future__ import annotations

from dataclasses import dataclass

from .number import number


@dataclass(frozen=True)
class Pipeline:
    """How many shapes are smoothed at once, and where a network need not look: changes time and
    memory, not the result.
    """

    smoothed_bytes: int = number(
        1 << 21,
        "bytes of shapes",
        1 << 14,
        1 << 28,
        "smoothed at once: their copies take several times as much, and a cancel is seen in"
        " between; on 20,774 vertices all take 0.6 of the time that they take with half of it",
    )
    smoothed_least: int = number(
        2,
        "shapes",
        1,
        16,
        "smoothed at once, however large: what follows each other in memory is quicker to work on;"
        " an estimate, not fitted",
    )
    smoothed_most: int = number(
        8, "shapes", 1, 64, "smoothed at once, however small; an estimate, not fitted"
    )
    read: float = number(
        0.5,
        "canonical units",
        0.2,
        10,
        "of hair and what is worn, which does not move, shapes are computed so near to a landmark:"
        " figures are measured on the 6 to 24 vertices next to one; an estimate, not fitted",
    )


PIPELINE = Pipeline()
