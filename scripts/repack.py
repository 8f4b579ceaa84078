# SPDX-License-Identifier: GPL-3.0-or-later
"""Wheels packed anew without what nothing in the zip loads.

ONNX Runtime's wheels for Linux bring its C library besides the Python module, which holds the same
code and does not link it. requirements/repacked.json lists such wheels: the SHA-256 of the wheel as
it is published, what is left out of it, and the SHA-256 of its new RECORD. RECORD names every file
with its own SHA-256, so it pins the new wheel whatever zlib has packed it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TypedDict

REPACKED = Path(__file__).resolve().parents[1] / "requirements" / "repacked.json"
DATE = (1980, 1, 1, 0, 0, 0)  # of every file in a zip, the earliest that the format knows


class Change(TypedDict):
    """How a wheel is packed anew.

    Args:
        of: SHA-256 of the published wheel
        left_out: patterns of the names of files that it loses
        record: SHA-256 of the new RECORD
    """

    of: str
    left_out: list[str]
    record: str


def changes() -> dict[str, Change]:
    """The wheels that are packed anew, by name."""
    found: dict[str, Change] = json.loads(REPACKED.read_text(encoding="utf-8"))
    return found


def repack(wheel: Path, left_out: Sequence[str], out: Path) -> str:
    """Pack a wheel anew without some of its files.

    Args:
        wheel: as it is published
        left_out: patterns of names; each must fit a file
        out: the new wheel

    Returns:
        The SHA-256 of the new RECORD.

    Raises:
        ValueError: a pattern fits no file, or RECORD itself
    """
    with zipfile.ZipFile(wheel) as old:
        names = sorted(entry.filename for entry in old.infolist() if not entry.is_dir())
        gone = {name for name in names for pattern in left_out if fnmatch(name, pattern)}
        record = next(name for name in names if name.endswith(".dist-info/RECORD"))
        useless = [one for one in left_out if not any(fnmatch(name, one) for name in names)]
        if useless or record in gone:
            raise ValueError(f"{wheel.name} has nothing to leave out that fits {useless or gone}.")
        lines = old.read(record).decode().splitlines()
        listed = "".join(f"{line}\n" for line in lines if line.rsplit(",", 2)[0] not in gone)
        with zipfile.ZipFile(out, "w") as new:
            for name in names:
                if name in gone:
                    continue
                entry = zipfile.ZipInfo(name, DATE)
                entry.external_attr = old.getinfo(name).external_attr
                entry.compress_type = zipfile.ZIP_DEFLATED
                data = listed.encode() if name == record else old.read(name)
                new.writestr(entry, data, compresslevel=9)
    return hashlib.sha256(listed.encode()).hexdigest()


def shipped(wheel: Path, digest: str, folder: Path) -> Path:
    """Put a wheel into a folder as it ships: as published, or packed anew.

    Args:
        wheel: as it is published, checked
        digest: its SHA-256
        folder: where it goes, under the same name

    Raises:
        SystemExit: the wheel is another than the one that was looked at, or packs to another
    """
    change, target = changes().get(wheel.name), folder / wheel.name
    if change is None:
        target.write_bytes(wheel.read_bytes())
        return target
    if change["of"] != digest or repack(wheel, change["left_out"], target) != change["record"]:
        raise SystemExit(
            f"{wheel.name} is not the wheel that {REPACKED.name} tells of. Look at what it brings,"
            " then write both hashes anew."
        )
    return target
