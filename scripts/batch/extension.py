# SPDX-License-Identifier: GPL-3.0-or-later
"""What the batch shares with the extension's own command: arguments and names. None of it needs bpy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from scripts.generate import ALIAS, load_extension

if TYPE_CHECKING:
    from blendshape_addon.arguments import READABLE, asked, free_names, parser
    from blendshape_addon.environment import BLENDER, clean_environment
    from blendshape_addon.errors import NOT_THE_INPUT, AddonError
else:
    load_extension()
    _arguments: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.arguments")
    _environment: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.environment")
    _errors: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.errors")
    READABLE, asked, free_names, parser = _arguments.READABLE, _arguments.asked, _arguments.free_names, _arguments.parser
    BLENDER, clean_environment = _environment.BLENDER, _environment.clean_environment
    NOT_THE_INPUT, AddonError = _errors.NOT_THE_INPUT, _errors.AddonError

__all__ = ["BLENDER", "NOT_THE_INPUT", "READABLE", "AddonError", "asked", "clean_environment", "free_names", "parser"]
