# SPDX-License-Identifier: GPL-3.0-or-later
"""What the interface says in other languages, through Blender's own mechanism: it follows the language of the preferences."""

from __future__ import annotations

import bpy

from .translations_ja import JAPANESE

_CONTEXTS = ("*", "Operator")


def tr(text: str) -> str:
    """The text in the language of Blender's interface."""
    return str(bpy.app.translations.pgettext_iface(text))


def dictionary() -> dict[str, dict[tuple[str, str], str]]:
    """What bpy.app.translations.register takes: locale -> (context, text) -> translation."""
    japanese = {(context, text): translated for text, translated in JAPANESE.items() for context in _CONTEXTS}
    return {"ja_JP": japanese}


def register(package: str) -> None:
    """Hand the translations over."""
    bpy.app.translations.register(package, dictionary())


def unregister(package: str) -> None:
    """Take them back."""
    bpy.app.translations.unregister(package)
