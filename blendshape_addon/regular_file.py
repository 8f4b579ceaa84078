# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files that somebody names, with the backend's own care: the one module of it that the add-on shares, since it loads nothing else."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_shared: Any = importlib.import_module("..backend.regular_file", __package__)

check_name: Callable[[str], None] = _shared.check_name
read: Callable[..., bytes] = _shared.read
RefusedError: Any = _shared.RefusedError
TooLargeError: Any = _shared.TooLargeError
