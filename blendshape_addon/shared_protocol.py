# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipe's frames, which are the backend's; as shared.py, for what has numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.protocol import PROTOCOL, Array, FrameReader, Message, frame
else:
    from ..backend.protocol import PROTOCOL, Array, FrameReader, Message, frame

__all__ = ("PROTOCOL", "Array", "FrameReader", "Message", "frame")
