# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on uses of the backend to judge landmarks; as shared.py, for what has numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.face.locate import marks
else:
    from ..backend.face.locate import marks

__all__ = ("marks",)
