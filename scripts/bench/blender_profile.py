# SPDX-License-Identifier: GPL-3.0-or-later
"""A throw-away Blender profile with the built extension in it."""

from __future__ import annotations

import os
from pathlib import Path

EXTENSION = "bl_ext.user_default.blendshape_auto_generator"


def enter(folder: Path) -> None:
    """Make an empty folder Blender's profile; must come before the first import of bpy."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(folder)


def install(archive: Path) -> None:
    """Install a built zip into the profile and enable it, as Preferences > Get Extensions > Install
    from Disk does.
    """
    import bpy

    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True, overwrite=True
    )
    if EXTENSION not in bpy.context.preferences.addons:
        raise SystemExit(f"{archive.name} was not enabled.")
