# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/locate`, a module for each job."""

from .crop import CROP
from .cut import CUT, TRUST, WORN
from .features import EYE_PAIRS, MOUTH_PART, MOUTH_SLIT
from .marks import GUESSES, MARKS
from .proposals import PROPOSALS
from .refine import REFINE_EYES, REFINE_MOUTH
from .search import FINDING, PROGRESS, SEARCH

__all__ = [
    "CROP",
    "CUT",
    "EYE_PAIRS",
    "FINDING",
    "GUESSES",
    "MARKS",
    "MOUTH_PART",
    "MOUTH_SLIT",
    "PROGRESS",
    "PROPOSALS",
    "REFINE_EYES",
    "REFINE_MOUTH",
    "SEARCH",
    "TRUST",
    "WORN",
]
