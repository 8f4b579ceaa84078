# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: what is written is read, in whatever pieces it comes, and nothing else is."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend import protocol
from backend.protocol import FrameReader, Message, ProtocolError, frame, read_message, write_message

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
headers = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key not in ("arrays", "type")), json_values, max_size=5
)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
arrays = st.dictionaries(
    st.text(max_size=8), hnp.arrays(np.float32, shapes) | hnp.arrays(np.int32, shapes), max_size=4
)


class Dripping(io.RawIOBase):
    """A stream that gives and takes at most a few bytes at a time, as pipes may."""

    def __init__(self, data: bytes = b"", most: int = 3) -> None:
        self.data, self.most, self.at = bytearray(data), most, 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self.data[self.at : self.at + min(self.most, len(buffer))]
        buffer[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)

    def write(self, data: Any) -> int:
        piece = bytes(data[: self.most])
        self.data += piece
        return len(piece)


def framed(
    header: object, body: bytes = b"", magic: bytes = b"BSG1", text: bytes | None = None
) -> bytes:
    """A frame made by hand, sound or not."""
    text = json.dumps(header).encode() if text is None else text
    return struct.pack("<4sIQ", magic, len(text), len(body)) + text + body


@given(headers, arrays)
def test_what_is_written_is_read(header: dict[str, Any], sent: dict[str, NDArray[Any]]) -> None:
    stream = io.BytesIO()
    write_message(stream, {"type": "x", **header}, sent)
    stream.seek(0)
    message = read_message(stream)
    assert message is not None
    assert message.header == {"type": "x", **header}
    assert list(message.arrays) == list(sent)
    for name, array in sent.items():
        assert message.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(message.arrays[name], array)
    assert read_message(stream) is None


def fed(data: bytes, piece: int) -> list[Message]:
    """What a reader makes of a stream that arrives in pieces."""
    reader = FrameReader()
    messages = [
        message
        for start in range(0, len(data), piece)
        for message in reader.feed(data[start : start + piece])
    ]
    assert not reader.inside
    return messages


@given(headers, arrays, st.integers(1, 50))
def test_frames_arrive_in_pieces_of_any_size(
    header: dict[str, Any], sent: dict[str, NDArray[Any]], piece: int
) -> None:
    data = b"".join(frame({"type": "x", **header}, sent)) + b"".join(frame({"type": "next"}))
    first, last = fed(data, piece)
    read = read_message(io.BytesIO(data))
    assert (
        read is not None and first.header == read.header and last == Message({"type": "next"}, {})
    )
    assert list(first.arrays) == list(read.arrays)
    for name, array in read.arrays.items():
        np.testing.assert_array_equal(first.arrays[name], array)
        assert first.arrays[name].dtype == array.dtype and not first.arrays[name].flags.writeable


def test_a_frame_that_is_not_whole_is_no_message_yet() -> None:
    data = b"".join(frame({"type": "x"}, {"a": np.zeros(4, np.float32)}))
    reader = FrameReader()
    assert reader.feed(data[:-1]) == [] and reader.inside
    assert [message.header["type"] for message in reader.feed(data[-1:])] == [
        "x"
    ] and not reader.inside


def test_the_pieces_of_a_frame_do_not_copy_arrays() -> None:
    array = np.zeros(1000, np.float32)
    assert any(
        np.shares_memory(np.frombuffer(piece, np.uint8), array)
        for piece in frame({"type": "x"}, {"a": array})
    )


@given(headers, arrays, st.integers(1, 40))
@settings(max_examples=30)
def test_frames_pass_through_streams_that_drip(
    header: dict[str, Any], sent: dict[str, NDArray[Any]], most: int
) -> None:
    whole = io.BytesIO()
    write_message(whole, {"type": "x", **header}, sent)
    dripping = Dripping(most=most)
    write_message(dripping, {"type": "x", **header}, sent)  # type: ignore[arg-type]
    assert bytes(dripping.data) == whole.getvalue()
    message = read_message(dripping)  # type: ignore[arg-type]
    assert message is not None and message.header == {"type": "x", **header}


def test_a_frame_is_laid_out_as_documented() -> None:
    stream = io.BytesIO()
    write_message(stream, {"type": "x"}, {"a": np.array([[1, 2]], np.int32)})
    data = stream.getvalue()
    length = struct.unpack("<I", data[4:8])[0]
    assert data[:4] == b"BSG1" and struct.unpack("<Q", data[8:16])[0] == 8
    assert json.loads(data[16 : 16 + length]) == {
        "type": "x",
        "arrays": [{"name": "a", "dtype": "int32", "shape": [1, 2]}],
    }
    assert data[16 + length :] == struct.pack("<2i", 1, 2)


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_an_error_not_a_crash(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_message(io.BytesIO(data))


@given(st.data())
def test_every_truncation_is_an_error(data: st.DataObject) -> None:
    stream = io.BytesIO()
    write_message(stream, {"type": "x"}, {"a": np.zeros(4, np.float32)})
    whole = stream.getvalue()
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ProtocolError) as caught:
        read_message(io.BytesIO(whole[:cut]))
    assert not caught.value.in_step


@pytest.mark.parametrize(
    "data",
    [
        framed({"type": "x"}, magic=b"BSG2"),
        struct.pack("<4sIQ", b"BSG1", protocol.MAX_HEADER + 1, 0),
        struct.pack("<4sIQ", b"BSG1", 2, protocol.MAX_BODY + 1) + b"{}",
        struct.pack("<4sIQ", b"BSG1", 2**32 - 1, 2**64 - 1),
    ],
    ids=["magic", "header too long", "body too long", "both absurd"],
)
def test_a_stream_out_of_step_is_given_up_without_taking_memory(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_message(io.BytesIO(data))
    assert caught.value.code == "protocol" and not caught.value.in_step
    with pytest.raises(ProtocolError):
        fed(data, 5)


def entry(**changes: object) -> dict[str, object]:
    return {"name": "a", "dtype": "float32", "shape": [1], **changes}


@pytest.mark.parametrize(
    "header",
    [
        [],
        "x",
        {"no": "type"},
        {"type": 3},
        {"type": "x", "arrays": {}},
        {"type": "x", "arrays": [3]},
        {"type": "x", "arrays": [entry(name=None)]},
        {"type": "x", "arrays": [entry(dtype="object")]},
        {"type": "x", "arrays": [entry(dtype=["float32"])]},
        {"type": "x", "arrays": [entry(shape=[-1])]},
        {"type": "x", "arrays": [entry(shape=[1.0])]},
        {"type": "x", "arrays": [entry(shape=[True])]},
        {"type": "x", "arrays": [entry(shape=[2])]},
        {"type": "x", "arrays": [entry(shape=[2**31, 2**31, 2**31, 2**31])]},
        {"type": "x", "arrays": [entry(shape=[1] * 9)]},
        {"type": "x", "arrays": [entry(shape=[0]), entry()]},
        {"type": "x", "arrays": []},
    ],
)
def test_a_bad_header_is_refused_and_the_next_frame_still_read(header: object) -> None:
    stream = io.BytesIO(framed(header, b"\0" * 4) + framed({"type": "next"}))
    with pytest.raises(ProtocolError) as caught:
        read_message(stream)
    assert caught.value.in_step
    assert read_message(stream) == Message({"type": "next"}, {})
    with pytest.raises(ProtocolError):
        fed(stream.getvalue(), 11)


@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe", b"{", b"[" * 100_000, b'{"type": "x"} y'],
    ids=["not UTF-8", "cut", "deep", "more"],
)
def test_a_header_that_is_not_json_is_refused(text: bytes) -> None:
    stream = io.BytesIO(framed(None, text=text) + framed({"type": "next"}))
    with pytest.raises(ProtocolError):
        read_message(stream)
    assert read_message(stream) == Message({"type": "next"}, {})
    with pytest.raises(ProtocolError):
        fed(stream.getvalue(), 1 << 16)


def test_other_dtypes_are_not_written() -> None:
    stream = io.BytesIO()
    with pytest.raises(ValueError, match="float64"):
        write_message(stream, {"type": "x"}, {"a": np.zeros(3)})  # type: ignore[dict-item]
    assert stream.getvalue() == b""
