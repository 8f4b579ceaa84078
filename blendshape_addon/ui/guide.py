# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide that ships with the extension: pages on this computer, which the browser shows.
Blender's own Online Manual (F1, or the menu of a right click) leads there, too.
"""

import contextlib

import bpy

from ..job import session
from ..typed import Icon

FOLDER = session.ROOT / "help"
GUIDE, TROUBLES, ERRORS = "guide/panel.html", "guide/troubleshooting.html", "reference/errors.html"
_FIRST = {"ja_JP": "README.ja.html"}  # the first page by the interface's language
_ELSE = "guide/first-face.html"


def address(page: str) -> str:
    """A page's address, or `` in a source tree, where nothing is built."""
    file = FOLDER / page
    return file.as_uri() if file.is_file() else ""


def first_page() -> str:
    """The page for one who begins, in the interface's language if there is one."""
    translations = bpy.app.translations
    return _FIRST.get(str(translations.locale), _ELSE)


def draw_link(layout: bpy.types.UILayout, page: str, text: str, icon: Icon) -> None:
    """A button that opens a page, where it is there."""
    there = address(page)
    if there:
        layout.operator("wm.url_open", text=text, icon=icon).url = there


def _manual() -> tuple[str, tuple[tuple[str, str], ...]]:
    """What Blender's Online Manual opens for the buttons of this extension."""
    if not address(GUIDE):
        return "", ()
    names = ("bpy.ops.blendshapes*", "bpy.types.blendshapes*", "bpy.types.blendshapes*.*")
    return f"{FOLDER.as_uri()}/", tuple((name, GUIDE) for name in names)


def register() -> None:
    """Hand the pages to Blender's Online Manual."""
    bpy.utils.register_manual_map(_manual)


def unregister() -> None:
    """Take them back. Twice is once: Blender unregisters again what failed to register."""
    with contextlib.suppress(ValueError):
        bpy.utils.unregister_manual_map(_manual)
