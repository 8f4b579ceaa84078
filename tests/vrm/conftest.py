# SPDX-License-Identifier: GPL-3.0-or-later
"""A small .vrm of either version, and its parts."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from fixtures.meshes import figure
from fixtures.vrm_file import build

from scripts.generate import load_extension

load_extension()

Json = dict[str, Any]
VERSIONS = pytest.mark.parametrize("old", [False, True], ids=["1.0", "0.x"])


def small(old: bool = False, normals: bool = False) -> bytes:
    """The .vrm of the figure."""
    mesh = figure(8, 12)
    return build(mesh.vertices, mesh.triangles, old, normals)


def content_of(data: bytes) -> Json:
    """The JSON of a file."""
    (size,) = struct.unpack_from("<I", data, 12)
    found: Json = json.loads(data[20 : 20 + size])
    return found


def binary_of(data: bytes) -> bytes:
    """What buffer 0 of a file holds."""
    (size,) = struct.unpack_from("<I", data, 12)
    return data[28 + size :][: content_of(data)["buffers"][0]["byteLength"]]
