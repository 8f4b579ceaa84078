# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of the pipe to the child: a JSON header and raw arrays. Format and limits: docs/architecture.md, protocol 1."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import AddonError

Array = NDArray[np.float32] | NDArray[np.int32]

PROTOCOL = 1
MAGIC = b"BSG1"
PREFIX = struct.Struct("<4sIQ")
MAX_HEADER = 1 << 20
MAX_BODY = 2 << 30
DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4")}


@dataclass(frozen=True)
class Message:
    """One frame: the header without its `arrays` entry, and the arrays by name, read-only."""

    header: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """One frame. Arrays must be float32 or int32; raises ValueError for others and for sizes over the limits."""
    listed = []
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"array {name!r} is {array.dtype}, not float32 or int32")
        listed.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape)})
    text = json.dumps({**header, "arrays": listed}, separators=(",", ":")).encode("ascii")  # a path may hold what is no text: escaped, it travels
    bodies = [np.ascontiguousarray(array, DTYPES[array.dtype.name]).tobytes() for array in arrays.values()]
    length = sum(map(len, bodies))
    if len(text) > MAX_HEADER or length > MAX_BODY:
        raise ValueError(f"a frame of {len(text)} header and {length} body bytes is over the limits")
    return b"".join((PREFIX.pack(MAGIC, len(text), length), text, *bodies))


class FrameReader:
    """Cuts a stream that arrives in pieces of any size into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def inside(self) -> bool:
        """True while a frame has arrived only in part."""
        return bool(self._data)

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes; the messages that are now complete. Raises AddonError `protocol` for what is no frame."""
        self._data += data
        messages: list[Message] = []
        while len(self._data) >= PREFIX.size:
            magic, header_length, body_length = PREFIX.unpack_from(self._data)
            if magic != MAGIC or header_length > MAX_HEADER or body_length > MAX_BODY:
                raise _malformed("a frame's first bytes are wrong")
            end = PREFIX.size + header_length + body_length
            if len(self._data) < end:
                break
            middle = PREFIX.size + header_length
            messages.append(_parse(bytes(self._data[PREFIX.size : middle]), bytes(self._data[middle:end])))
            del self._data[:end]
        return messages


def _parse(text: bytes, body: bytes) -> Message:
    try:
        header = json.loads(text)
        if not isinstance(header, dict) or not isinstance(header.get("type"), str):
            raise KeyError("type")
        arrays: dict[str, Array] = {}
        start = 0
        for entry in header.pop("arrays", []):
            dtype, shape = DTYPES[entry["dtype"]], tuple(entry["shape"])
            if not all(type(n) is int and n >= 0 for n in shape):
                raise ValueError(f"the shape {shape}")
            count = math.prod(shape)
            arrays[str(entry["name"])] = np.frombuffer(body, dtype, count, start).reshape(shape)
            start += count * dtype.itemsize
        if start != len(body):
            raise ValueError(f"its arrays need {start} bytes but the body has {len(body)}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _malformed(f"a frame's header is malformed ({error})") from error
    return Message(header, arrays)


def _malformed(what: str) -> AddonError:
    return AddonError("protocol", f"The backend's answer cannot be read: {what}.", "Reinstall the extension; the log tells more.")
