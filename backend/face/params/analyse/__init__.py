# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/analyse`, a module for each job."""

from .eye_parts import EYE_PARTS
from .eyes import BROW_STRIPS, COVERED_EYES, EYEBALLS, FLAT_EYES
from .kinds import FACE_SPACE, KINDS, PART_INPUTS
from .lid_sheets import SHEETS
from .lids import LASHES, LIDS
from .mouth import FLAT_MOUTHS, INSIDE_MOUTH, TONGUE_SHAPE
from .openings import FADING, OPENINGS, WHOLE_OPENINGS
from .rest import CERTAINTY, REST_EYES, REST_MOUTH
from .skin import BULKY_PARTS, DECALS, FACE_SKIN, OPENING_SIDES
from .standing import STANDING

__all__ = [
    "BROW_STRIPS",
    "BULKY_PARTS",
    "CERTAINTY",
    "COVERED_EYES",
    "DECALS",
    "EYEBALLS",
    "EYE_PARTS",
    "FACE_SKIN",
    "FACE_SPACE",
    "FADING",
    "FLAT_EYES",
    "FLAT_MOUTHS",
    "INSIDE_MOUTH",
    "KINDS",
    "LASHES",
    "LIDS",
    "OPENINGS",
    "OPENING_SIDES",
    "PART_INPUTS",
    "REST_EYES",
    "REST_MOUTH",
    "SHEETS",
    "STANDING",
    "TONGUE_SHAPE",
    "WHOLE_OPENINGS",
]
