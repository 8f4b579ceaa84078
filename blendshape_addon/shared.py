# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on uses of the backend's modules; everything else it asks the child for.

For Blender both are packages of one extension, for mypy and the command line packages of their own,
so no other modules but shared_marks.py and shared_protocol.py import across. Standard library only:
commands of machines without numpy load this, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend import regular_file, streams
    from backend.atomic import leftovers, replace_file, temporary_beside
    from backend.errors import CODES, NOT_THE_INPUT, BackendError, as_backend_error
    from backend.face.evidence import names
    from backend.limits import (
        BASE_SECONDS,
        MAX_TIMEOUT,
        MEMORY_EXIT,
        SECONDS_PER_VERTEX,
        seconds_for,
    )
else:
    from ..backend import regular_file, streams
    from ..backend.atomic import leftovers, replace_file, temporary_beside
    from ..backend.errors import CODES, NOT_THE_INPUT, BackendError, as_backend_error
    from ..backend.face.evidence import names
    from ..backend.limits import (
        BASE_SECONDS,
        MAX_TIMEOUT,
        MEMORY_EXIT,
        SECONDS_PER_VERTEX,
        seconds_for,
    )

__all__ = (
    "BASE_SECONDS",
    "CODES",
    "MAX_TIMEOUT",
    "MEMORY_EXIT",
    "NOT_THE_INPUT",
    "SECONDS_PER_VERTEX",
    "BackendError",
    "as_backend_error",
    "leftovers",
    "names",
    "regular_file",
    "replace_file",
    "seconds_for",
    "streams",
    "temporary_beside",
)
