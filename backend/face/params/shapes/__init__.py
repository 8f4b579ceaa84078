# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/shapes`."""

from .deriving import COMBINING, DERIVING, TRUSTING
from .figures import FIGURES
from .solving import GOAL, SOLVING

__all__ = [
    "COMBINING",
    "DERIVING",
    "FIGURES",
    "GOAL",
    "SOLVING",
    "TRUSTING",
]
