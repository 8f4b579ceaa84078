# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/correct`, a module for each job."""

from .blend import BLEND, JAW, TONGUE
from .border import BORDER
from .brows import BROWS
from .closing import CLOSING
from .contacts import CONTACTS
from .fields import BROW_FIELDS, MOUTH_FIELDS
from .flat_shapes import FLAT_SHAPES
from .held import HELD
from .meeting import MEETING
from .rigid_parts import RIGID_PARTS
from .sizes import SIZES

__all__ = [
    "BLEND",
    "BORDER",
    "BROWS",
    "BROW_FIELDS",
    "CLOSING",
    "CONTACTS",
    "FLAT_SHAPES",
    "HELD",
    "JAW",
    "MEETING",
    "MOUTH_FIELDS",
    "RIGID_PARTS",
    "SIZES",
    "TONGUE",
]
