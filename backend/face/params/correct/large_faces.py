# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `correct/large_faces.py`."""

from __future__ import annotations

from dataclasses import dataclass

from ..number import number


@dataclass(frozen=True)
class LargeFaces:
    """How large faces of a closed lid come to lie before the eye."""

    parts: int = number(
        4,
        "parts of a side",
        1,
        16,
        "into which faces of lids and eyes are divided, to see where one passes the other; an"
        " estimate, not fitted",
    )
    lever: float = number(
        0.2,
        "sum of squared shares",
        0.01,
        1,
        "of corners that may move: with less of them in reach a face is not led out wholly; an"
        " estimate, not fitted",
    )
    deepest: float = number(
        0.1,
        "eye heights",
        0.01,
        1,
        "that a face is led out by, for what lies deeper is no bulge of the eye; an estimate, not"
        " fitted",
    )


LARGE_FACES = LargeFaces()
