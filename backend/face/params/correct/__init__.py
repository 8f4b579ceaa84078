# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/correct`, a module for each job."""

from .behind_chin import BEHIND_CHIN
from .bent_strips import BENT_STRIPS
from .blend import BLEND, JAW, TONGUE
from .border import BORDER
from .brows import BROWS
from .closing import CLOSING
from .contacts import CONTACTS
from .fields import BROW_FIELDS, MOUTH_FIELDS
from .flat_shapes import FLAT_SHAPES
from .held import HELD
from .large_faces import LARGE_FACES
from .meeting import MEETING
from .rigid_parts import RIGID_PARTS
from .sizes import SIZES
from .strips import STRIPS

__all__ = [
    "BEHIND_CHIN",
    "BENT_STRIPS",
    "BLEND",
    "BORDER",
    "BROWS",
    "BROW_FIELDS",
    "CLOSING",
    "CONTACTS",
    "FLAT_SHAPES",
    "HELD",
    "JAW",
    "LARGE_FACES",
    "MEETING",
    "MOUTH_FIELDS",
    "RIGID_PARTS",
    "SIZES",
    "STRIPS",
    "TONGUE",
]
