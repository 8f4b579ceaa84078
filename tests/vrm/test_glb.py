# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of strangers: what is damaged is told, and nothing else happens."""

from __future__ import annotations

import copy
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon.blender_io.expression_plan import planned
from blendshape_auto_generator.blendshape_addon.errors import AddonError
from blendshape_auto_generator.blendshape_addon.vrm.arrays import (
    add_floats,
    add_sparse,
    floats,
    indices,
)
from blendshape_auto_generator.blendshape_addon.vrm.glb import Glb, objects, pack, parse
from blendshape_auto_generator.blendshape_addon.vrm.meshes import count_targets, primitives
from blendshape_auto_generator.blendshape_addon.vrm.numbered import ATTRIBUTE, PROBES, numbered
from blendshape_auto_generator.blendshape_addon.vrm.patch import patched
from blendshape_auto_generator.blendshape_addon.vrm.targets import Change
from fixtures.meshes import figure
from fixtures.vrm_file import build
from hypothesis import given
from hypothesis import strategies as st

_mesh = figure(4, 6)
SMALL = build(_mesh.vertices, _mesh.triangles)
Json = dict[str, Any]


def refused(data: bytes) -> str:
    """What is said of a file that neither can be numbered nor written."""
    with pytest.raises(AddonError) as told:
        numbered(data)
    assert told.value.code == "vrm_unwritable"
    return str(told.value.message)


def test_a_file_comes_back_as_it_was() -> None:
    glb = replace(parse(SMALL), rest=struct.pack("<I4s", 4, b"XTRA") + b"more")
    again = parse(pack(glb))
    assert (again.content, again.binary, again.rest) == (glb.content, glb.binary, glb.rest)


@pytest.mark.parametrize("size", [0, 11, 19, 27, 400, len(SMALL) - 1])
def test_a_file_that_is_cut_off_is_told(size: int) -> None:
    refused(SMALL[:size])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[]", "no object"),
        (b'{"a":NaN}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"buffers":[{"byteLength":4,"uri":"file.bin"}]}', "first buffer"),
        (b'{"buffers":[{"byteLength":99}]}', "shorter"),
        (b'{"buffers":[{"byteLength":-1}]}', "length"),
        (b'{"buffers":[{"byteLength":true}]}', "length"),
        (b'{"buffers":3}', "first buffer"),
        (b"\xff", "cannot be read"),
    ],
)
def test_json_that_is_none_of_a_glb_is_told(text: bytes, why: str) -> None:
    text += b" " * (-len(text) % 4)
    data = b"glTF" + struct.pack("<II", 2, 32 + len(text))
    data += (
        struct.pack("<I", len(text)) + b"JSON" + text + struct.pack("<I", 4) + b"BIN\0" + b"abcd"
    )
    assert why in refused(data)


def changed(path: str, value: object) -> bytes:
    """The small file with one thing in its JSON replaced, or removed with None."""
    glb = parse(SMALL)
    holder: Any = glb.content
    *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    for word in way:
        holder = holder[word]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    return bytes(pack(glb))


FACE = "meshes.1.primitives.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("meshes", {"a": 1}),
        ("meshes.1", 7),
        ("meshes.1.primitives", "none"),
        (f"{FACE}.attributes", []),
        (f"{FACE}.attributes.POSITION", 99),
        (f"{FACE}.attributes.POSITION", True),
        (f"{FACE}.attributes.POSITION", -1),
        (f"{FACE}.indices", "0"),
        (f"{FACE}.indices", 0),
        (f"{FACE}.targets", [{}, {}]),
        (f"{FACE}.targets", [3]),
        (f"{FACE}.extensions", {"KHR_draco_mesh_compression": {}}),
        ("accessors", None),
        ("accessors.1.count", 1 << 31),
        ("accessors.1.count", 0),
        ("bufferViews", []),
    ],
)
def test_what_does_not_fit_together_is_told(path: str, value: object) -> None:
    refused(changed(path, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("byteOffset", 1 << 40),
        ("byteLength", 4),
        ("byteStride", 1),
        ("byteStride", 253),
        ("buffer", 1),
        ("extensions", {"EXT_meshopt_compression": {}}),
    ],
)
def test_an_array_stays_within_its_buffer(name: str, value: object) -> None:
    glb = parse(SMALL)
    corners = glb.content["meshes"][1]["primitives"][0]["indices"]
    glb.content["bufferViews"][glb.content["accessors"][corners]["bufferView"]][name] = value
    with pytest.raises(AddonError):
        indices(glb, corners)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("count", 0),
        ("count", 1 << 20),
        ("indices", {"bufferView": 0, "componentType": 5126}),
        ("indices", 5),
        ("values", {}),
    ],
)
def test_a_sparse_array_stays_within_itself(place: str, value: object) -> None:
    glb = Glb({"buffers": [{}]}, bytearray())
    rows = np.zeros((50, 3), np.float32)
    rows[[3, 40]] = 2.5
    number = add_sparse(glb, rows)
    assert np.array_equal(floats(glb, number), rows)
    glb.content["accessors"][number]["sparse"][place] = value
    with pytest.raises(AddonError):
        floats(glb, number)


def test_rows_far_on_are_numbered_with_more_bytes() -> None:
    glb = Glb({"buffers": [{}]}, bytearray())
    rows = np.zeros((70_000, 3), np.float32)
    rows[69_999] = 1
    number = add_sparse(glb, rows)
    assert glb.content["accessors"][number]["sparse"]["indices"]["componentType"] == 5125
    assert np.array_equal(floats(glb, number), rows)


def test_strides_and_whole_numbers_are_read() -> None:
    glb = Glb({"buffers": [{}]}, bytearray())
    woven = np.arange(24, dtype=np.float32).reshape(4, 6)
    number = add_floats(glb, np.ascontiguousarray(woven.reshape(8, 3)))
    glb.content["bufferViews"][0]["byteStride"] = 24
    glb.content["accessors"][number]["count"] = 4
    assert np.array_equal(floats(glb, number), woven[:, :3])
    with pytest.raises(AddonError, match="whole numbers"):
        indices(glb, number)


def test_every_vertex_of_the_copy_says_which_one_it_is() -> None:
    glb = parse(numbered(SMALL))
    for number, mesh in enumerate(glb.content["meshes"]):
        assert mesh["extras"]["targetNames"][-3:] == list(PROBES)
        for place, part in enumerate(mesh["primitives"]):
            values = floats(glb, part["attributes"][ATTRIBUTE])
            assert (values[:, 0] == number + 1).all() and (values[:, 1] == place).all()
            assert np.array_equal(values[:, 2], np.arange(len(values)))
            for axis, target in enumerate(part["targets"][-3:]):
                moved = floats(glb, target["POSITION"])
                assert (moved == np.eye(3)[axis]).all()


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 1 << 33) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def _places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = dict(enumerate(value)) if isinstance(value, list) else value
    found = [way] if way else []
    for name, one in inside.items() if isinstance(inside, dict) else ():
        found.extend(_places(one, (*way, name)))
    return found


_CONTENT = parse(SMALL).content
_PLACES = _places(_CONTENT)


@given(st.sampled_from(_PLACES), _values)
def test_any_value_anywhere_is_written_or_told(way: tuple[Any, ...], value: Any) -> None:
    glb = replace(parse(SMALL), content=copy.deepcopy(_CONTENT))
    holder: Any = glb.content
    for word in way[:-1]:
        holder = holder[word]
    holder[way[-1]] = value
    try:
        data = pack(glb)
    except (AddonError, KeyError, TypeError, IndexError):
        return  # what cannot be packed was no file
    for step in (numbered, written):
        try:
            step(data)
        except AddonError as error:
            assert error.code == "vrm_unwritable"


def written(data: bytes) -> None:
    """Write a blink for each mesh of a file, which moves all of it."""
    glb = parse(data)
    changes = []
    for number, mesh in enumerate(objects(glb.content, "meshes")):
        moved = {
            part.points: np.full((part.size, 3), 0.01, np.float32) for part in primitives(glb, mesh)
        }
        known = tuple(f"key {place}" for place in range(count_targets(mesh)))
        changes.append(Change(number, known, {"blink": moved, "happy": moved}))
    patched(data, changes, planned)
