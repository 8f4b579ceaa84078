# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample head under the name by which scripts outside the repository import it; it is in
`samples`.
"""

from .samples.head import MATERIALS, OPENINGS, build
from .samples.surface import HeadSpec

__all__ = ["MATERIALS", "OPENINGS", "HeadSpec", "build"]
