# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's frames: they arrive in pieces of any size, and they are the backend's."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.wire import MAGIC, PREFIX, FrameReader, pack
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend.protocol import read_message, write_message

arrays = st.dictionaries(
    st.text(max_size=5),
    hnp.arrays(st.sampled_from([np.dtype(np.float32), np.dtype(np.int32)]), hnp.array_shapes(min_side=0, max_side=4)),
    max_size=3,
)


@given(arrays, st.text(max_size=20), st.integers(1, 50))
def test_what_the_backend_writes_arrives_in_pieces_of_any_size(content: dict[str, NDArray[Any]], text: str, piece: int) -> None:
    stream = io.BytesIO()
    write_message(stream, {"type": "a", "text": text}, content)
    write_message(stream, {"type": "b"})
    data, reader = stream.getvalue(), FrameReader()
    messages = [message for start in range(0, len(data), piece) for message in reader.feed(data[start : start + piece])]
    assert [message.header["type"] for message in messages] == ["a", "b"] and not reader.inside
    assert messages[0].header["text"] == text
    with pytest.raises(AttributeError):
        setattr(messages[0], "header", {})  # noqa: B010  (mypy would not let it be assigned)
    assert messages[0].arrays.keys() == content.keys()
    for name, array in content.items():
        assert messages[0].arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(messages[0].arrays[name], array)


@given(arrays)
def test_the_backend_reads_what_is_packed(content: dict[str, NDArray[Any]]) -> None:
    message = read_message(io.BytesIO(pack({"type": "generate", "id": 3}, content)))
    assert message is not None and message.header == {"type": "generate", "id": 3}
    assert all(np.array_equal(message.arrays[name], array, equal_nan=True) for name, array in content.items())


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}",
        b"\xff",
        b'{"type": "a", "arrays": [{"name": "x", "dtype": "float64", "shape": [1]}]}',
        b'{"type": "a", "arrays": [{"name": "x", "dtype": "float32", "shape": [-1]}]}',
        b'{"type": "a", "arrays": [{"name": "x", "dtype": "float32", "shape": [2]}]}',
        b'{"type": "a", "arrays": 5}',
    ],
)
def test_malformed_frames_are_refused(header: bytes) -> None:
    with pytest.raises(AddonError) as caught:
        FrameReader().feed(PREFIX.pack(MAGIC, len(header), 4) + header + b"1234")
    assert caught.value.code == "protocol" and caught.value.fix


@pytest.mark.parametrize("prefix", [b"HTTP/1.1 200 OK\r\n", PREFIX.pack(MAGIC, 1 << 21, 0), PREFIX.pack(MAGIC, 2, 1 << 40)])
def test_what_is_no_frame_is_refused_before_memory_is_taken(prefix: bytes) -> None:
    with pytest.raises(AddonError):
        FrameReader().feed(prefix)


def test_other_dtypes_do_not_travel() -> None:
    with pytest.raises(ValueError, match="float64"):
        pack({"type": "a"}, {"x": np.zeros(3)})
    assert json.loads(pack({"type": "a"}, {})[PREFIX.size :]) == {"type": "a", "arrays": []}
