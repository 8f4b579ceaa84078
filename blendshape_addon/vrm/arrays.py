# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays of a glTF file: reading those that are there, adding new ones at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .glb import Glb, Json, count, entry, mapping, unwritable

MOST = 1 << 24  # numbers up to it are whole in float32, which carries them through an import
FLOAT = 5126
ARRAY_BUFFER = 34962
_TYPES: dict[int, str] = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4"}
_COLUMNS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def floats(glb: Glb, number: object) -> Floats:
    """An accessor of vectors as float32 (N, columns). Raises AddonError `vrm_unwritable`."""
    values = _read(glb, entry(glb.content, "accessors", number))
    return np.ascontiguousarray(values, np.float32)


def indices(glb: Glb, number: object) -> Ints:
    """An accessor of whole numbers as int64 (N,). Raises AddonError `vrm_unwritable`."""
    values = _read(glb, entry(glb.content, "accessors", number))
    if values.dtype.kind != "u" or values.shape[1] != 1:
        raise unwritable("numbers of vertices are no whole numbers")
    return np.ascontiguousarray(values[:, 0], np.int64)


def length(glb: Glb, number: object) -> int:
    """How many elements an accessor has. Raises AddonError `vrm_unwritable`."""
    size = count(entry(glb.content, "accessors", number).get("count"), "a count")
    if not 0 < size < MOST:
        raise unwritable(f"an array has {size} elements")
    return size


def _read(glb: Glb, accessor: Json) -> NDArray[Any]:
    """An accessor's elements, (N, columns), in the type that they have."""
    size = count(accessor.get("count"), "a count")
    columns = _COLUMNS.get(str(accessor.get("type")))
    kind = _kind(accessor.get("componentType"))
    if not 0 < size < MOST or columns is None:
        raise unwritable("an array is empty, too large, or of a strange type")
    values = np.zeros((size, columns), kind)
    if "bufferView" in accessor:
        values = _elements(glb, accessor, kind, size, columns)
    if "sparse" in accessor:
        values = values.copy()
        sparse = mapping(accessor, "sparse")
        changed = count(sparse.get("count"), "a count")
        if not 0 < changed <= size:
            raise unwritable("a sparse array changes more than it has")
        where, what = mapping(sparse, "indices"), mapping(sparse, "values")
        places = _elements(glb, where, _kind(where.get("componentType")), changed, 1)[:, 0]
        if places.dtype.kind != "u" or int(places.max()) >= size:
            raise unwritable("a sparse array changes what it does not have")
        values[places] = _elements(glb, what, kind, changed, columns)
    return values


def _kind(number: object) -> np.dtype[Any]:
    if number == FLOAT:
        return np.dtype("<f4")
    if not isinstance(number, int) or number not in _TYPES:
        raise unwritable(f"an array has numbers of a strange type, {number!r:.20}")
    return np.dtype(_TYPES[number])


def _elements(glb: Glb, holder: Json, kind: np.dtype[Any], size: int, columns: int) -> NDArray[Any]:
    """Elements out of a buffer view, (size, columns), not to be written to."""
    view = entry(glb.content, "bufferViews", holder.get("bufferView"))
    if count(view.get("buffer"), "a buffer") != 0 or "extensions" in view:
        raise unwritable("an array is not in its binary part, or compressed")
    start = count(view.get("byteOffset", 0), "an offset")
    room = count(view.get("byteLength"), "a length")
    offset = count(holder.get("byteOffset", 0), "an offset")
    wide = kind.itemsize * columns
    stride = count(view.get("byteStride", wide), "a stride")
    needed = offset + stride * (size - 1) + wide
    if not wide <= stride <= 252 or needed > room or start + room > len(glb.binary):
        raise unwritable("an array reaches beyond its buffer")
    return np.ndarray(
        (size, columns), kind, bytes(glb.binary[start + offset : start + needed]), 0,
        (stride, kind.itemsize),
    )  # fmt: skip


def add_floats(glb: Glb, values: Floats) -> int:
    """A new accessor with all elements, (N,3); its number."""
    view = _add_view(glb, values.astype("<f4").tobytes())
    glb.content["bufferViews"][view]["target"] = ARRAY_BUFFER
    return _add(glb, values, {"bufferView": view})


def add_sparse(glb: Glb, values: Floats) -> int:
    """A new accessor that holds only the rows of (N,3) that are not 0, or all where that is
    smaller; its number. One row is held in any case: a sparse array must change something.
    """
    rows = np.flatnonzero((values != 0).any(axis=1))
    rows = rows if len(rows) else np.zeros(1, np.int64)
    kind, number = ("<u2", 5123) if rows[-1] < 1 << 16 else ("<u4", 5125)
    if len(rows) * (values.itemsize * 3 + np.dtype(kind).itemsize) >= values.nbytes:
        return add_floats(glb, values)
    where = {"bufferView": _add_view(glb, rows.astype(kind).tobytes()), "componentType": number}
    what = {"bufferView": _add_view(glb, values[rows].astype("<f4").tobytes())}
    return _add(glb, values, {"sparse": {"count": len(rows), "indices": where, "values": what}})


def _add_view(glb: Glb, data: bytes) -> int:
    """A new buffer view at the end of the binary part; its number."""
    glb.binary.extend(b"\0" * (-len(glb.binary) % 4))
    views = glb.content.setdefault("bufferViews", [])
    views.append({"buffer": 0, "byteOffset": len(glb.binary), "byteLength": len(data)})
    glb.binary.extend(data)
    return len(views) - 1


def _add(glb: Glb, values: Floats, stored: Json) -> int:
    accessors = glb.content.setdefault("accessors", [])
    accessors.append(
        {
            "componentType": FLOAT,
            "count": len(values),
            "type": "VEC3",
            "min": [float(number) for number in values.min(axis=0)],
            "max": [float(number) for number in values.max(axis=0)],
            **stored,
        }
    )
    return len(accessors) - 1
