# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's folders for settings and caches."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings

FOLDER = "blendshape-auto-generator"


def config_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where a user's settings of programs lie: %APPDATA%, ~/Library/Application Support, or
    XDG_CONFIG_HOME; None for a user without a home.
    """
    return _user_folder("APPDATA", "Application Support", "XDG_CONFIG_HOME", ".config", environment)


def cache_folder(settings: Settings, environment: Mapping[str, str] | None = None) -> Path | None:
    """Where compiled engines are kept: the setting cache_dir, or the user's cache folder; None for
    a user without a home.
    """
    return (
        Path(settings.cache_dir)
        if settings.cache_dir
        else _user_folder("LOCALAPPDATA", "Caches", "XDG_CACHE_HOME", ".cache", environment)
    )


def _user_folder(
    windows: str, mac: str, xdg: str, default: str, environment: Mapping[str, str] | None
) -> Path | None:
    environment = os.environ if environment is None else environment
    named = (
        environment.get(windows if sys.platform == "win32" else xdg)
        if sys.platform != "darwin"
        else None
    )
    if named:
        return Path(named) / FOLDER
    try:
        home = Path.home()
    except (
        RuntimeError,
        KeyError,
        OSError,
    ):  # neither HOME nor an entry for this user, as in containers
        return None
    if sys.platform == "win32":
        return home / FOLDER
    return (home / "Library" / mac if sys.platform == "darwin" else home / default) / FOLDER
