# SPDX-License-Identifier: GPL-3.0-or-later
"""A bounded look into an ONNX file before ONNX Runtime sees it: is it one, and does it keep to
itself.

A model may name other files as the place of its weights (external data). Files from strangers must
not make us read other files, so such models are refused; one file holds everything. Field numbers:
onnx/onnx.proto of the ONNX project; wire format: protobuf.dev, Encoding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .. import regular_file
from ..errors import BackendError

MAX_FILE = 512 << 20
SHIPPED = Path(__file__).resolve().parent.parent / "models"
MAX_DEPTH = 32
MAX_FIELDS = 2_000_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL = 1

# Kind of message -> field number -> kind of the message in that field; only fields that can lead to
# a tensor are followed.
_FIELDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def read_model_file(path: Path) -> bytes:
    """The file's bytes, checked. Raises BackendError: `model_missing`, `model_unreadable` (damaged,
    too large, external data, no plain file).
    """
    try:
        data = regular_file.read(path, MAX_FILE, anywhere=path.parent == SHIPPED)
    except FileNotFoundError:
        raise BackendError(
            "model_missing",
            f"There is no model file {path}.",
            "Check the path, or reinstall the extension.",
        ) from None
    except regular_file.TooLargeError as error:
        raise BackendError(
            "model_unreadable",
            f"{path.name} {error.reason}, which is the most for a model.",
            "Export a smaller model.",
        ) from None
    except regular_file.RefusedError as error:
        raise BackendError(
            "model_unreadable", f"The model {path} {error.reason}.", error.fix
        ) from None
    except OSError as error:
        fix = "Choose a readable .onnx file."
        raise BackendError(
            "model_unreadable", f"{path} cannot be read: {error.strerror or error}.", fix
        ) from error
    check_model_bytes(data, path.name)
    return data


def check_model_bytes(data: bytes, name: str) -> None:
    """Raise BackendError `model_unreadable` unless `data` is a whole ONNX protobuf without external
    data. `name` is for the sentence.
    """
    try:
        _check_message(memoryview(data), "model", MAX_DEPTH, [MAX_FIELDS])
        if not any(number == 7 for number, _, _ in _fields(memoryview(data))):
            raise ValueError("it holds no graph")
    except _ExternalDataError:
        raise BackendError(
            "model_unreadable",
            f"{name} keeps weights in another file, which is not allowed.",
            "Export the model as one file (onnx.save_model with save_as_external_data=False).",
        ) from None
    except ValueError as error:
        fix = "Copy or export the file again."
        raise BackendError(
            "model_unreadable", f"{name} is not a complete ONNX file: {error}.", fix
        ) from error


def opset_of(data: bytes) -> int:
    """The version of the standard operators that a model was written for, 0 where it tells none."""
    with contextlib.suppress(ValueError):  # a field that ONNX Runtime would have refused
        return _opset(memoryview(data))
    return 0


def _opset(data: memoryview) -> int:
    for number, _, value in _fields(data):
        if number == 8 and isinstance(value, memoryview):
            entry = {key: part for key, _, part in _fields(value)}
            domain, version = entry.get(1, b""), entry.get(2, 0)
            if (
                isinstance(domain, bytes | memoryview)
                and bytes(domain) in (b"", b"ai.onnx")
                and isinstance(version, int)
            ):
                return version
    return 0


def metadata_of(path: Path) -> dict[str, str]:
    """A model file's metadata, without loading it into ONNX Runtime. Raises as read_model_file
    does.
    """
    found: dict[str, str] = {}
    for number, _, value in _fields(memoryview(read_model_file(path))):
        if number == 14 and isinstance(value, memoryview):
            entry = {
                key: bytes(part).decode("utf-8", errors="replace")
                for key, _, part in _fields(value)
                if isinstance(part, memoryview)
            }
            found[entry.get(1, "")] = entry.get(2, "")
    return found


class _ExternalDataError(Exception):
    pass


def _check_message(data: memoryview, kind: str, depth: int, budget: list[int]) -> None:
    """Walk a message; ValueError where it is not well-formed, _ExternalDataError where a tensor
    lies outside the file.
    """
    if depth == 0:
        raise ValueError("it is nested too deeply")
    for number, wire, value in _fields(data):
        budget[0] -= 1
        if budget[0] < 0:
            raise ValueError("it has too many parts")
        if kind == "tensor":
            if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value == _EXTERNAL):
                raise _ExternalDataError
        elif number in _FIELDS[kind]:
            if wire != _BYTES or not isinstance(value, memoryview):
                raise ValueError("a field has the wrong type")
            _check_message(value, _FIELDS[kind][number], depth - 1, budget)


def _fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Number, wire type and value of each field of a message, without copying; ValueError if the
    bytes end early.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError("it is not in the protobuf format")
        if number == 0 or length > end - at:
            raise ValueError("it is cut off or not in the protobuf format")
        yield number, wire, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Value of the varint at `at`, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("it is cut off or not in the protobuf format")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
