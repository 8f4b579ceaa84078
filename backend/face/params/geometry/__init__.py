# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/geometry`."""

from .blocks import BLOCKS
from .mesh import MESH, MIRROR, ORIENTATION, PLANE, SMOOTHING
from .quiet import QUIET
from .twins import LIKENESS

__all__ = ["BLOCKS", "LIKENESS", "MESH", "MIRROR", "ORIENTATION", "PLANE", "QUIET", "SMOOTHING"]
