# SPDX-License-Identifier: GPL-3.0-or-later
"""The container of a .glb or .vrm file: its JSON, its binary chunk, and whatever follows.

Files come from strangers: every length and number is looked at before it is used.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AddonError

MAX_FILE = 1 << 29  # bytes: the largest avatars have a tenth of it
MAX_JSON = 1 << 26
_MAGIC, _JSON, _BIN = b"glTF", b"JSON", b"BIN\0"
_HEADER, _CHUNK = 12, 8

Json = dict[str, Any]


@dataclass(frozen=True)
class Glb:
    """A file in parts, of which content and binary grow. binary: what buffer 0 holds; rest:
    chunks after it, with their headers.
    """

    content: Json
    binary: bytearray
    rest: bytes = b""


def unwritable(why: str) -> AddonError:
    """The error of a file that nothing can be written into."""
    return AddonError(
        "vrm_unwritable",
        f"Nothing can be written into this .vrm: {why}.",
        "Export it again from the program that it comes from, or use --export glb.",
    )


def read_limited(path: Path) -> bytes:
    """The bytes of a file that is not too large. Raises AddonError `vrm_unwritable`, OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise unwritable(f"it has more than {MAX_FILE >> 20} MB")
    return data


def parse(data: bytes) -> Glb:
    """The parts of a .glb file. Raises AddonError `vrm_unwritable` for one that is damaged, or
    whose first buffer is not its binary chunk.
    """
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != _JSON or len(chunks[0][1]) > MAX_JSON:
        raise unwritable("it does not begin with a JSON part of a usual size")
    try:
        content = json.loads(bytes(chunks[0][1]).decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise unwritable("its JSON cannot be read") from error
    if not isinstance(content, dict):
        raise unwritable("its JSON is no object")
    if len(chunks) < 2 or chunks[1][0] != _BIN:
        raise unwritable("it has no binary part")
    buffers = content.get("buffers")
    first = buffers[0] if isinstance(buffers, list) and buffers else None
    if not isinstance(first, dict) or "uri" in first:
        raise unwritable("its first buffer is not its binary part")
    size = count(first.get("byteLength"), "the length of its buffer")
    if size > len(chunks[1][1]):
        raise unwritable("its binary part is shorter than its buffer")
    rest = b"".join(struct.pack("<I", len(body)) + kind + bytes(body) for kind, body in chunks[2:])
    return Glb(content, bytearray(chunks[1][1][:size]), rest)


def pack(glb: Glb) -> bytes:
    """The bytes of a file. Raises AddonError `vrm_unwritable` for JSON that cannot be written."""
    glb.content["buffers"][0]["byteLength"] = len(glb.binary)
    try:
        # in ASCII: a name may hold what is no text
        written = json.dumps(glb.content, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise unwritable("its JSON holds numbers that no file can hold") from error
    text = written + b" " * (-len(written) % 4)
    body = bytes(glb.binary) + b"\0" * (-len(glb.binary) % 4)
    whole = _HEADER + 2 * _CHUNK + len(text) + len(body) + len(glb.rest)
    if whole > MAX_FILE * 2:
        raise unwritable("it would become too large")
    return b"".join(
        (
            _MAGIC,
            struct.pack("<II", 2, whole),
            struct.pack("<I", len(text)) + _JSON + text,
            struct.pack("<I", len(body)) + _BIN + body,
            glb.rest,
        )
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each chunk."""
    if len(data) < _HEADER + _CHUNK or data[:4] != _MAGIC:
        raise unwritable("it is no binary glTF file")
    version, whole = struct.unpack_from("<II", data, 4)
    if version != 2 or whole > len(data):
        raise unwritable("it is damaged, or of another version of glTF than 2")
    view, place = memoryview(data), _HEADER
    while place + _CHUNK <= whole:
        size, kind = struct.unpack_from("<I4s", data, place)
        place += _CHUNK
        if size > whole - place:
            raise unwritable("one of its parts is cut off")
        yield kind, view[place : place + size]
        place += size


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number in JSON")


def count(value: object, what: str) -> int:
    """A whole number that is not negative. Raises AddonError `vrm_unwritable`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise unwritable(f"{what} is {value!r:.40}")
    return value


def entry(content: Mapping[str, Any], kind: str, number: object) -> Json:
    """An object of one of the file's lists. Raises AddonError `vrm_unwritable`."""
    listed = content.get(kind)
    place = count(number, f"a number in {kind}")
    if not isinstance(listed, list) or place >= len(listed) or not isinstance(listed[place], dict):
        raise unwritable(f"there is no number {place} in {kind}")
    found: Json = listed[place]
    return found


def objects(holder: Mapping[str, Any], name: str) -> list[Json]:
    """A list of objects, empty where there is none. Raises AddonError `vrm_unwritable` for another
    thing in its place.
    """
    found = holder.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise unwritable(f"{name} is no list of objects")
    return found


def mapping(holder: Mapping[str, Any], name: str) -> Json:
    """An object, empty where there is none. Raises AddonError `vrm_unwritable` for another thing
    in its place.
    """
    found = holder.get(name, {})
    if not isinstance(found, dict):
        raise unwritable(f"{name} is no object")
    return found
