# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes, tables and shapes as files, for use without Blender. Nothing is unpickled; outputs appear
whole or not at all.
"""

from __future__ import annotations

import errno
import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import regular_file
from .atomic import replace_file
from .errors import BackendError
from .face.geometry.mesh import AvatarMesh
from .face.shapes.shape_sets import Table, parse_table, read_table_json
from .values import is_number

Floats = NDArray[np.float32]

MAX_TABLE = 1 << 20
MAX_MESH = 2 << 30  # unpacked, as through the pipe
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
# what zipfile, zlib and numpy raise for damaged, encrypted and foreign archives
_NO_ARCHIVE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    SyntaxError,
    TypeError,
    OverflowError,
    MemoryError,
)
_NO_ARCHIVE += (
    NotImplementedError,
    RuntimeError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_MESH_FIX = "The file must be an .npz with vertices (V,3) and triangles (T,3)."


def read_mesh(path: Path) -> AvatarMesh:
    """The mesh in an .npz file; `head_weight` counts as `head_weights`.

    Raises BackendError: `input_missing` (absent or no .npz), `mesh_invalid` (arrays missing or not
    numbers).
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    try:
        with regular_file.opened(path, MAX_MESH) as file:
            with zipfile.ZipFile(file) as packed:
                if sum(entry.file_size for entry in packed.infolist()) > MAX_MESH:
                    raise ValueError("it unpacks to more than is allowed")
            file.seek(0)
            with np.load(file, allow_pickle=False) as found:
                for name in ("vertices", "triangles", "head_weights", "head_weight", "mask"):
                    if name in found.files:
                        arrays[name] = found[name]
    except FileNotFoundError:
        raise BackendError(
            "input_missing", f"There is no file {path}.", "Check the path."
        ) from None
    except regular_file.RefusedError as error:
        raise BackendError("input_missing", f"The file {path} {error.reason}.", error.fix) from None
    except _NO_ARCHIVE as error:
        raise BackendError(
            "input_missing", f"{path} cannot be read as an .npz file.", _MESH_FIX
        ) from error
    for name in ("vertices", "triangles"):
        if name not in arrays:
            raise BackendError("mesh_invalid", f"{path} has no array {name}.", _MESH_FIX)
    for name, array in arrays.items():
        if array.dtype.kind not in ("iu" if name == "triangles" else "iuf"):
            raise BackendError(
                "mesh_invalid",
                f"The array {name} in {path} is {array.dtype}, not numbers of the right kind.",
                _MESH_FIX,
            )
    triangles = arrays["triangles"]
    if triangles.size and (triangles.min() < 0 or triangles.max() > np.iinfo(np.int32).max):
        raise BackendError(
            "mesh_invalid",
            "A triangle points at a vertex that does not exist.",
            "Export the mesh again.",
        )
    weights = arrays.get("head_weights", arrays.get("head_weight"))
    mask = arrays.get("mask")
    with np.errstate(
        over="ignore"
    ):  # what is too large for 32 bits becomes infinite and is refused as such
        return AvatarMesh(
            vertices=np.ascontiguousarray(arrays["vertices"], np.float32),
            triangles=np.ascontiguousarray(triangles, np.int32),
            head_weights=None if weights is None else np.ascontiguousarray(weights, np.float32),
            mask=None if mask is None else np.ascontiguousarray(mask, np.float32),
        )


def read_landmarks(path: Path) -> dict[str, tuple[float, float, float]]:
    """Corrected landmarks from a JSON file {name: [x, y, z]}, in object space. Raises BackendError:
    `input_missing`, `table_invalid`.
    """
    data = read_table_json(_text(path))
    form = 'Landmarks are JSON of the form {"chin": [0.0, -0.1, 1.5]}, in the space of the mesh.'
    if not isinstance(data, dict):
        raise BackendError("table_invalid", f"{path} holds no object of landmarks.", form)
    found: dict[str, tuple[float, float, float]] = {}
    for name, point in data.items():
        numbers = isinstance(point, list) and len(point) == 3 and all(is_number(n) for n in point)
        if not numbers:
            raise BackendError(
                "table_invalid", f"The landmark {name!r} in {path} is not three numbers.", form
            )
        found[str(name)] = (float(point[0]), float(point[1]), float(point[2]))
    return found


def read_table(path: Path) -> Table:
    """A user's table from a JSON file. Raises BackendError: `input_missing`, `table_invalid`."""
    return parse_table(read_table_json(_text(path)))


def _text(path: Path) -> str:
    """The text of a small file in UTF-8. Raises BackendError: `input_missing`, `table_invalid`."""
    try:
        return regular_file.read(path, MAX_TABLE).decode("utf-8-sig")
    except FileNotFoundError:
        raise BackendError(
            "input_missing", f"There is no file {path}.", "Check the path."
        ) from None
    except regular_file.TooLargeError:
        raise BackendError(
            "table_invalid",
            f"{path} is too large for a table.",
            f"A table may have {MAX_TABLE >> 20} MiB.",
        ) from None
    except regular_file.RefusedError as error:
        raise BackendError("input_missing", f"The file {path} {error.reason}.", error.fix) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BackendError(
            "input_missing", f"{path} cannot be read as text.", "Save the table as UTF-8 JSON."
        ) from error


def write_shapes(path: Path, names: Sequence[str], deltas: Floats) -> None:
    """Write `names` (N,) and `deltas` float32 (N,V,3) as a compressed .npz. Raises as write_bytes
    does.
    """
    # in memory first: a zip that breaks off half-way on a full disk complains a second time when it
    # is closed
    packed = io.BytesIO()
    np.savez_compressed(packed, names=np.array(list(names)), deltas=deltas)
    write_bytes(path, packed.getbuffer())


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8. Raises as write_bytes does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file under a temporary name that is renamed when complete.

    Raises BackendError: `disk_full`, `output_unwritable`; then neither a part of the new nor a
    change of an old file is left.
    """
    try:
        replace_file(path, data)
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise BackendError(
                "disk_full",
                f"The disk is full, {path} was not written.",
                "Free some space, or choose another --out.",
            ) from error
        what = f"{path} cannot be written: {error.strerror or error}."
        raise BackendError(
            "output_unwritable", what, "Choose a folder that exists and that you may write to."
        ) from error
