# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of `backend/face/correct`, a module for each job."""

from .border import BORDER
from .closing import CLOSING
from .contacts import CONTACTS
from .sizes import SIZES

__all__ = ["BORDER", "CLOSING", "CONTACTS", "SIZES"]
