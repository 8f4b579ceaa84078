# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are read. Names that they bring, made fit for a file's name and for a terminal: an
object may be called anything. Strings in, strings out.
"""

from __future__ import annotations

import re
import unicodedata

IMPORTED = (".glb", ".gltf", ".vrm", ".fbx", ".obj")
READABLE = (".blend", *IMPORTED)
# of a file's name in UTF-8: file systems hold 255, and endings such as _vrchat.png and a number
# come behind it
STEM_BYTES = 180
_NO_FILE = re.compile(
    r'[\x00-\x1f\x7f<>:"/\\|?*]'
)  # what a name of a file cannot hold on Windows, / and NUL anywhere
_DEVICES = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE | re.DOTALL
)  # Windows' own, ending or not
_SILENT = (
    "Cc",
    "Cf",
    "Cs",
    "Zl",
    "Zp",
)  # controls, marks that turn the line round, halves of letters, line ends


def file_stem(name: str) -> str:
    """A name for a file, without an ending, that every file system takes and that stays in its
    folder.
    """
    stem = shortened(_NO_FILE.sub("_", name.encode("utf-8", "replace").decode("utf-8"))).rstrip(
        ". "
    )
    if not stem.strip("."):
        return "unnamed"
    return f"_{stem}" if _DEVICES.fullmatch(stem) else stem


def shortened(stem: str) -> str:
    """The beginning of a file's name that leaves room for endings."""
    return (
        stem.encode("utf-8", "surrogateescape")[:STEM_BYTES].decode("utf-8", "ignore")
        if too_long(stem)
        else stem
    )


def too_long(stem: str) -> bool:
    """Whether a file's name leaves no room for endings."""
    return len(stem.encode("utf-8", "surrogateescape")) > STEM_BYTES


def one_line(text: str) -> str:
    """A text for one line of a terminal: what would steer the terminal or begin another line is
    spelled out.
    """
    return "".join(
        _spelled(sign) if unicodedata.category(sign) in _SILENT else sign for sign in text
    )


def _spelled(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
