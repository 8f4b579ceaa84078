# SPDX-License-Identifier: GPL-3.0-or-later
"""What the batch shares with the extension's own command: arguments and names. None of it needs
bpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from scripts.generate import ALIAS, load_extension

if TYPE_CHECKING:
    from blendshape_addon.errors import DEATHS, NOT_THE_INPUT, AddonError
    from blendshape_addon.foreign import READABLE, one_line
    from blendshape_addon.job.arguments import (
        Parser,
        asked,
        free_names,
        note_of,
        parser,
    )
    from blendshape_addon.process.environment import BLENDER, clean_environment
    from blendshape_addon.shared import seconds_for
else:
    load_extension()
    _arguments: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.job.arguments")
    _environment: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.process.environment")
    _errors: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.errors")
    Parser, asked, free_names = (
        _arguments.Parser,
        _arguments.asked,
        _arguments.free_names,
    )
    note_of, parser = _arguments.note_of, _arguments.parser
    BLENDER, clean_environment = _environment.BLENDER, _environment.clean_environment
    DEATHS, NOT_THE_INPUT, AddonError = _errors.DEATHS, _errors.NOT_THE_INPUT, _errors.AddonError
    _foreign: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.foreign")
    READABLE, one_line = _foreign.READABLE, _foreign.one_line
    seconds_for: Any = importlib.import_module(f"{ALIAS}.blendshape_addon.shared").seconds_for

__all__ = [
    "BLENDER",
    "DEATHS",
    "NOT_THE_INPUT",
    "READABLE",
    "AddonError",
    "Parser",
    "asked",
    "clean_environment",
    "free_names",
    "note_of",
    "one_line",
    "parser",
    "seconds_for",
]
