# SPDX-License-Identifier: GPL-3.0-or-later
"""What the batch shares with the extension's own command: arguments and names. None of it needs bpy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from scripts.generate import ALIAS, load_extension

if TYPE_CHECKING:
    from blendshape_addon.arguments import READABLE, asked, free_names, parser
    from blendshape_addon.errors import NOT_THE_INPUT, AddonError
else:
    load_extension()
    _arguments: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.arguments")
    _errors: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.errors")
    READABLE, asked, free_names, parser = _arguments.READABLE, _arguments.asked, _arguments.free_names, _arguments.parser
    NOT_THE_INPUT, AddonError = _errors.NOT_THE_INPUT, _errors.AddonError

__all__ = ["NOT_THE_INPUT", "READABLE", "AddonError", "asked", "free_names", "parser"]
