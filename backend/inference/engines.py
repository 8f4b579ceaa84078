# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the engines lie that a provider compiles."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from .folders import cache_folder
from .providers import keeps_engines
from .settings import Settings

MAX_SHORT = 260  # characters of a short path
LONGEST_NAME = 40  # characters of a folder's name for runtime, device and precision


def engine_cache(
    settings: Settings, name: str, model_hash: str, runtime: str, device: str
) -> Path | None:
    """A folder for compiled engines of one model, made if need be; None where the provider keeps
    none or the folder cannot be made.

    An engine is of use only to the same model, runtime, device and precision; all four are in the
    path, as a digest where their names are long: TensorRT adds names of nearly 100 characters, and
    Windows takes 260 in all.
    """
    folder = cache_folder(settings)
    if not keeps_engines(name) or folder is None:
        return None
    safe = "".join(
        c if c.isalnum() or c in ".-" else "_"
        for c in f"{runtime}-{device}-{settings.device}-{settings.precision}"
    )
    if len(safe) > LONGEST_NAME:
        digest = hashlib.sha256(safe.encode()).hexdigest()[:12]
        safe = f"{safe[: LONGEST_NAME - 13]}-{digest}"
    folder = folder / "engines" / name / model_hash[:16] / safe
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # compiling anew is slower, not wrong
    return _narrow(folder) if os.access(folder, os.W_OK) else None


def _narrow(folder: Path) -> Path | None:
    """The folder in letters that every provider takes. TensorRT opens its engines by names in
    Windows' old code page, where an account's Japanese name is another or none; Windows' short name
    of the folder is plain. None where it has none.
    """
    if sys.platform != "win32" or str(folder).isascii():
        return folder
    import ctypes

    short = ctypes.create_unicode_buffer(MAX_SHORT)
    found = ctypes.windll.kernel32.GetShortPathNameW(str(folder), short, MAX_SHORT)
    return Path(short.value) if 0 < found < MAX_SHORT and short.value.isascii() else None
