# SPDX-License-Identifier: GPL-3.0-or-later
"""What the interface says in other languages, through Blender's own mechanism: it follows the
language of the preferences.
"""

from __future__ import annotations

from typing import Any

import bpy

from .translations_ja import JAPANESE

_CONTEXTS = ("*", "Operator")


def tr(text: str) -> str:
    """The text in the language of Blender's interface."""
    translations: Any = (
        bpy.app.translations
    )  # the stubs know neither what this returns nor keys with a context
    return str(translations.pgettext_iface(text))


def dictionary() -> dict[str, dict[tuple[str, str], str]]:
    """What bpy.app.translations.register takes: locale -> (context, text) -> translation."""
    japanese = {
        (context, text): translated
        for text, translated in JAPANESE.items()
        for context in _CONTEXTS
    }
    return {"ja_JP": japanese}


def register(package: str) -> None:
    """Hand the translations over."""
    translations: Any = bpy.app.translations
    translations.register(package, dictionary())


def unregister(package: str) -> None:
    """Take them back."""
    bpy.app.translations.unregister(package)
