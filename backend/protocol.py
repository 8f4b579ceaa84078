# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on a pipe: a JSON header and raw little-endian arrays, every size bounded and checked
before memory is taken.

Layout: the 4 bytes `BSG1`, uint32 header length, uint64 body length (little-endian), header (UTF-8
JSON object), body. The header's `arrays` lists name, dtype and shape of the arrays that make up the
body, one after the other.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .errors import BackendError

Array = NDArray[np.float32] | NDArray[np.int32]

PROTOCOL = 1
MAGIC = b"BSG1"
PREFIX = struct.Struct("<4sIQ")
MAX_HEADER = 1 << 20
MAX_BODY = 2 << 30
MAX_ARRAYS = 64
MAX_DIMENSIONS = 8
DTYPES = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4")}
_PIECE = 1 << 20


class ProtocolError(BackendError):
    """A malformed frame. `in_step` tells whether the stream stands at the start of the next frame,
    so that reading can go on.
    """

    def __init__(self, message: str, in_step: bool) -> None:
        super().__init__(
            "protocol",
            message,
            "Update the add-on and its backend together: they must come from the same release.",
        )
        self.in_step = in_step


@dataclass(frozen=True)
class Message:
    """One frame: the header without its `arrays` entry, and the arrays by name (float32 or int32,
    C-contiguous, read-only when read).
    """

    header: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)


def frame(header: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> list[memoryview]:
    """The bytes of one frame in pieces that follow each other. Pieces are views of the arrays:
    these must not change before all is sent.

    Arrays must be float32 or int32; ValueError for other dtypes or for sizes over the limits.
    """
    contiguous = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    for name, array in contiguous.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"array {name!r} is {array.dtype}, not float32 or int32")
    listed = [
        {"name": name, "dtype": array.dtype.name, "shape": list(array.shape)}
        for name, array in contiguous.items()
    ]
    text = json.dumps({**header, "arrays": listed}, separators=(",", ":")).encode(
        "ascii"
    )  # a path may hold what is no text: escaped, it travels
    length = sum(array.nbytes for array in contiguous.values())
    if len(text) > MAX_HEADER or length > MAX_BODY or len(listed) > MAX_ARRAYS:
        raise ValueError(
            f"a frame of {len(text)} header and {length} body bytes with {len(listed)} arrays is"
            " over the limits"
        )
    payloads = [
        array.astype(DTYPES[array.dtype.name], copy=False)
        for array in contiguous.values()
        if array.nbytes
    ]
    return [
        memoryview(PREFIX.pack(MAGIC, len(text), length) + text),
        *(array.reshape(-1).view(np.uint8).data for array in payloads),
    ]


def write_message(
    stream: BinaryIO, header: Mapping[str, Any], arrays: Mapping[str, Array] | None = None
) -> None:
    """Write one frame and flush it; ValueError as of `frame`, and then nothing is written."""
    for piece in frame(header, arrays):
        _write_all(stream, piece)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Read one frame; None at the end of the stream between frames. Raises ProtocolError for
    everything that is not a frame.
    """
    prefix = _read_up_to(stream, PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < PREFIX.size:
        raise ProtocolError(
            f"The stream ended inside a frame's first {PREFIX.size} bytes.", in_step=False
        )
    header_length, body_length = _lengths(prefix)
    text = _read_exactly(stream, header_length)
    try:
        header, layout = _parse_header(bytes(text), body_length)
    except ValueError as error:
        _skip(stream, body_length)  # the lengths were sound, so the next frame can still be read
        raise ProtocolError(f"A frame's header is malformed: {error}.", in_step=True) from error
    body = _read_exactly(stream, body_length)
    return Message(header, _arrays(layout, body))


class FrameReader:
    """Cuts a stream that arrives in pieces of any size into messages, for those who cannot wait for
    the next piece.
    """

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def inside(self) -> bool:
        """True while a frame has arrived only in part."""
        return bool(self._data)

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes; the messages that are now complete. Raises ProtocolError for
        everything that is not a frame; who gets it gives the stream up, and what came with it is
        lost.
        """
        self._data += data
        messages: list[Message] = []
        while len(self._data) >= PREFIX.size:
            header_length, body_length = _lengths(self._data[: PREFIX.size])
            middle = PREFIX.size + header_length
            end = middle + body_length
            if len(self._data) < end:
                break
            text, body = bytes(self._data[PREFIX.size : middle]), self._data[middle:end]
            del self._data[:end]
            try:
                header, layout = _parse_header(text, body_length)
            except ValueError as error:
                raise ProtocolError(
                    f"A frame's header is malformed: {error}.", in_step=False
                ) from error
            messages.append(Message(header, _arrays(layout, body)))
        return messages


def _lengths(prefix: bytes | bytearray) -> tuple[int, int]:
    """How many bytes a frame's header and body have. Raises ProtocolError for what begins no frame,
    or one over the limits.
    """
    magic, header_length, body_length = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise ProtocolError(f"A frame must begin with {MAGIC!r}, not {magic!r}.", in_step=False)
    if header_length > MAX_HEADER:
        raise ProtocolError(
            f"A frame's header may have {MAX_HEADER} bytes, not {header_length}.", in_step=False
        )
    if body_length > MAX_BODY:
        raise ProtocolError(
            f"A frame's body may have {MAX_BODY} bytes, not {body_length}.", in_step=False
        )
    return header_length, body_length


def _arrays(
    layout: Sequence[tuple[str, str, tuple[int, ...]]], body: bytearray
) -> dict[str, Array]:
    """The arrays of a frame's body, read-only views of it."""
    arrays: dict[str, Array] = {}
    start = 0
    for name, dtype, shape in layout:
        count = math.prod(shape)
        array = np.frombuffer(body, DTYPES[dtype], count, start).reshape(shape)
        array.flags.writeable = False
        arrays[name] = array.astype(dtype, copy=False)
        start += count * DTYPES[dtype].itemsize
    return arrays


def _parse_header(
    text: bytes, body_length: int
) -> tuple[dict[str, Any], list[tuple[str, str, tuple[int, ...]]]]:
    """The header without `arrays`, and name, dtype, shape of each array; ValueError with the reason
    if anything is off.
    """
    try:
        header = json.loads(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(header, dict):
        raise ValueError("it is not a JSON object")
    if not isinstance(header.get("type"), str):
        raise ValueError("it has no type")
    listed = header.pop("arrays", [])
    if not isinstance(listed, list) or len(listed) > MAX_ARRAYS:
        raise ValueError(f"arrays is not a list of at most {MAX_ARRAYS}")
    layout: list[tuple[str, str, tuple[int, ...]]] = []
    for entry in listed:
        if not isinstance(entry, dict):
            raise ValueError("an entry of arrays is not an object")
        name, dtype, shape = entry.get("name"), entry.get("dtype"), entry.get("shape")
        if not isinstance(name, str) or name in {other for other, _, _ in layout}:
            raise ValueError(f"array name {name!r} is not a new string")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise ValueError(
                f"array {name!r} has the dtype {dtype!r}, not one of {', '.join(DTYPES)}"
            )
        if (
            not isinstance(shape, list)
            or len(shape) > MAX_DIMENSIONS
            or not all(type(n) is int and 0 <= n <= MAX_BODY for n in shape)
        ):
            raise ValueError(f"array {name!r} has no proper shape")
        layout.append((name, dtype, tuple(shape)))
    total = sum(math.prod(shape) * DTYPES[dtype].itemsize for _, dtype, shape in layout)
    if total != body_length:
        raise ValueError(f"its arrays need {total} bytes but the body has {body_length}")
    return header, layout


def _read_up_to(stream: BinaryIO, length: int) -> bytearray:
    """Read `length` bytes, or fewer if the stream ends first; pipes give partial reads, so read in
    a loop.
    """
    data = bytearray(length)
    view, done = memoryview(data), 0
    while done < length:
        count = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            break
        done += count
    view.release()
    del data[done:]
    return data


def _read_exactly(stream: BinaryIO, length: int) -> bytearray:
    data = _read_up_to(stream, length)
    if len(data) < length:
        raise ProtocolError(f"The stream ended after {len(data)} of {length} bytes.", in_step=False)
    return data


def _skip(stream: BinaryIO, length: int) -> None:
    while length:
        length -= len(_read_exactly(stream, min(length, _PIECE)))


def _write_all(stream: BinaryIO, data: memoryview) -> None:
    """Write everything; raw streams may take only a part at a time."""
    while data:
        data = data[stream.write(data) or 0 :]
