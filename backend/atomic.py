# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all: written under a temporary name in the same folder, which
then takes the file's name.

The temporary name cannot be guessed, and where this module opens it, it must not be there yet. So
nobody who may write into the folder can put a symbolic link in its way and have another file
overwritten; a link under the file's own name is replaced, not followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

_TOKEN_BYTES = 8  # of chance in a temporary name: too much to try out
_DIGEST_SIGNS = 12  # by which a temporary name is known to belong to a file


def temporary_beside(path: Path, suffix: str = "") -> Path:
    """A name in the folder of `path` that nobody can foresee, for whoever writes by means of its
    own. It is short however long `path`'s name is.
    """
    return path.with_name(f"{_prefix(path)}{secrets.token_hex(_TOKEN_BYTES)}.part{suffix}")


def leftovers(path: Path) -> list[Path]:
    """The temporary files that a process that was killed left of writing `path`."""
    return [left for left in path.parent.glob(f"{_prefix(path)}*") if ".part" in left.name]


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path`, in a folder that is there. Raises OSError; then neither a part of the
    new nor a change of an old file is left.
    """
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as file:  # x: it must not be there, not even as a link
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    return f".blendshapes-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:_DIGEST_SIGNS]}-"
