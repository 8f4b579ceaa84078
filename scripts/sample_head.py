# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample head under the name by which scripts outside the repository import it; it is in
`samples`.
"""

from .samples.head import build
from .samples.head_skin import MATERIALS, OPENINGS
from .samples.surface import HeadSpec

__all__ = ["MATERIALS", "OPENINGS", "HeadSpec", "build"]
