# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample head as an object under the name by which scripts outside the repository import it; it
is in `samples`.
"""

from .samples.object import add_sample_head

__all__ = ["add_sample_head"]
