# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files that somebody names: plain files on this computer and nothing else, and never more
of them than was agreed.

Opening a pipe waits for ever, /dev/zero never ends, and on Windows a mere look at \\\\host\\share
tells that host the user's name and password hash. So a name is judged by its text before anything
touches it, links are read before they are followed, and what was opened is looked at once more,
since it may be another file by then. Standard library only: the add-on uses this module, too.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import stat
import sys
from pathlib import Path
from typing import BinaryIO

MOST_LINKS = 40  # links on the way to one file, as many as Linux follows
LONGEST_PATH = 1024  # characters, as Blender has it; what is longer is no path that a person chose

_LOCAL_LONG = re.compile(
    r"[\\/]{2}\?[\\/](?=[A-Za-z]:[\\/])"
)  # \\?\C:\ is the drive C: by its long name
_DEVICE_FOLDERS = ("/dev", "/proc", "/sys")
_DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])$")
_HIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)  # would show another path than the one that is opened
_COPY = "Copy the file into a folder on this computer, or give the network drive a letter."
_PLAIN = "Choose a plain file in a folder on this computer."


class RefusedError(OSError):
    """A file that is not read. reason: what is wrong, to be put after its name; fix: a sentence
    that says what to do.
    """

    def __init__(self, reason: str, fix: str = _PLAIN) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class TooLargeError(RefusedError):
    """A file that has more bytes than was agreed, or grows beyond them while it is read."""


def check_name(path: str | os.PathLike[str], windows: bool = sys.platform == "win32") -> None:
    """Judge a path by its text alone; nothing is touched. windows: also judge the names that
    Windows takes for devices.

    Raises RefusedError: another computer (\\\\host, //host, \\\\?\\UNC), a device (/dev, \\\\.\\,
    NUL, COM1), a text that is no path.
    """
    text = os.fspath(path)
    if not text or len(text) > LONGEST_PATH or _HIDDEN.search(text):
        raise RefusedError("is empty, too long, or has characters that cannot be seen")
    text = _LOCAL_LONG.sub("", text, count=1)
    slashes = text.replace("\\", "/")
    if slashes.startswith(("//./", "//?/")) and not slashes.upper().startswith("//?/UNC/"):
        raise RefusedError("is a device and not a file")
    if slashes.startswith("//"):
        raise RefusedError("lies on another computer", _COPY)
    plain = posixpath.normpath(text)
    if any(plain == folder or plain.startswith(f"{folder}/") for folder in _DEVICE_FOLDERS):
        raise RefusedError("is a device and not a file")
    if windows and any(
        _DEVICES.match(re.split(r"[.:]", part, maxsplit=1)[0].strip().upper())
        for part in ntpath.splitdrive(slashes)[1].split("/")
    ):
        raise RefusedError("is a device and not a file")


def status(path: str | os.PathLike[str]) -> os.stat_result:
    """What is at a path, links followed after they were judged. Raises RefusedError as check_name
    does, other OSError for what is not there.
    """
    return Path(_followed(path)).lstat()


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a plain file on this computer."""
    try:
        return stat.S_ISREG(status(path).st_mode)
    except OSError:
        return False


def opened(path: str | os.PathLike[str], most: int, anywhere: bool = False) -> BinaryIO:
    """A plain file of at most `most` bytes, open for reading. It may still grow: `read` looks at
    that.

    anywhere: the place is not somebody's word but this program's or the user's own folder, which
    may lie on a network. Raises RefusedError, TooLargeError, other OSError for what is not there or
    may not be read.
    """
    place = os.fspath(path) if anywhere else _followed(path)
    if not stat.S_ISREG(
        Path(place).stat().st_mode
    ):  # before it is opened, since opening some devices does something
        raise RefusedError("is not a plain file")
    flags = os.O_RDONLY
    for name in (
        "O_BINARY",
        "O_NOINHERIT",
        "O_CLOEXEC",
        "O_NOCTTY",
        "O_NONBLOCK",
    ):  # a pipe that took its place since does not block
        flags |= getattr(os, name, 0)
    if not anywhere:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(place, flags)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise RefusedError("is not a plain file")
        if found.st_size > most:
            raise _too_large(most)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read(path: str | os.PathLike[str], most: int, anywhere: bool = False) -> bytes:
    """The bytes of a plain file, at most `most`, whatever the file says about its size. Raises as
    `opened` does.
    """
    with opened(path, most, anywhere) as file:
        size = min(os.fstat(file.fileno()).st_size, most)
        data = file.read(size + 1)
        if len(data) > size:  # it grew since
            data += file.read(most + 1 - len(data))
    if len(data) > most:
        raise _too_large(most)
    return data


def _too_large(most: int) -> TooLargeError:
    size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most} bytes"
    return TooLargeError(f"has more than {size}", "Choose a smaller file.")


def _followed(path: str | os.PathLike[str]) -> str:
    """The path without links. Raises RefusedError for a link that leads to where no path may,
    OSError for what is not there.
    """
    check_name(path)
    place = Path(path)
    for _ in range(MOST_LINKS):
        for part in (*reversed(place.parents), place):
            if stat.S_ISLNK(part.lstat().st_mode):
                place = (
                    part.parent
                    / _LOCAL_LONG.sub("", str(part.readlink()), count=1)
                    / place.relative_to(part)
                )
                check_name(place)
                break
        else:
            return str(place)
    raise RefusedError("is a link that leads in circles")
