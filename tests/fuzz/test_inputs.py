# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers' input: every case that was ever found, and new ones made by hypothesis; all end with
an answer or a sentence.

targets.py says what is tried; `dev.py fuzz` tries the same with a coverage-guided fuzzer.
"""

from __future__ import annotations

import importlib
import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
targets: Any = importlib.import_module("targets")

from backend.errors import BackendError  # noqa: E402  (after the path is there)
from backend.files import read_mesh, read_table  # noqa: E402
from backend.values import is_number  # noqa: E402

FOUND = Path(__file__).resolve().parents[1] / "fixtures" / "found"
CASES = sorted(FOUND.glob("*/*"))
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def prepared() -> None:
    """The tiny pair."""
    targets.prepare()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_what_was_once_found_is_survived(case: Path) -> None:
    targets.TARGETS[case.parent.name](case.read_bytes())


@pytest.mark.parametrize("name", list(targets.TARGETS))
def test_sound_inputs_and_each_cut_short(name: str) -> None:
    for seed in targets.seeds(name):
        targets.TARGETS[name](seed)
        for part in range(1, 8):
            targets.TARGETS[name](seed[: len(seed) * part // 8])


@pytest.mark.parametrize("name", list(targets.TARGETS))
@given(data=st.binary(max_size=400))
@EXAMPLES
def test_any_bytes(name: str, data: bytes) -> None:
    targets.TARGETS[name](data)


@pytest.mark.parametrize(
    "name", ["frames", "requests", "models", "archives", "packets", "recordings"]
)
@given(data=st.data())
@EXAMPLES
def test_sound_inputs_with_some_bytes_changed(name: str, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(targets.seeds(name))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    targets.TARGETS[name](bytes(whole))


NAMES = ("jawOpen", "chin", "threads", "", "🦊", "x" * 300)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(json_values)
@EXAMPLES
def test_json_of_any_types_as_table_landmarks_and_settings(value: object) -> None:
    targets.TARGETS["tables"](json.dumps(value).encode())


@given(
    st.dictionaries(
        st.sampled_from(
            (
                "sets",
                "table",
                "strength",
                "bones",
                "up",
                "landmarks",
                "model",
                "settings",
                "regions",
            )
        ),
        json_values,
    )
)
@EXAMPLES
def test_requests_with_fields_of_any_types(fields: dict[str, Any]) -> None:
    square = {
        "vertices": np.eye(4, 3, dtype=np.float32),
        "triangles": np.array([[0, 1, 2], [1, 2, 3]], np.int32),
    }
    for kind in ("generate", "locate", "load"):
        targets.TARGETS["requests"](targets.framed({**fields, "type": kind, "id": 1}, **square))


@given(st.binary(min_size=8, max_size=300), st.integers(0, 255))
@EXAMPLES
def test_meshes_of_any_numbers(data: bytes, what: int) -> None:
    targets.TARGETS["meshes"](data[:2] + bytes([what]) + data[3:])


def test_an_integer_that_no_float_holds_is_no_number(tmp_path: Path) -> None:
    assert (
        is_number(1)
        and is_number(0.5)
        and not any(map(is_number, (10**400, True, "1", None, float("nan"), float("inf"))))
    )
    (tmp_path / "table.json").write_text('{"A": {"jawOpen": 1' + "0" * 400 + "}}")
    with pytest.raises(BackendError) as caught:
        read_table(tmp_path / "table.json")
    assert caught.value.code == "table_invalid"


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    packed = io.BytesIO()
    np.savez_compressed(
        packed, vertices=np.zeros((1000, 3), np.float32), triangles=np.zeros((1, 3), np.int32)
    )
    data = bytearray(packed.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack(
        "<I", 0xFFFFFFF0
    )  # the directory's size of the last file, as a bomb would have it
    (tmp_path / "bomb.npz").write_bytes(data)
    with pytest.raises(BackendError) as caught:
        read_mesh(tmp_path / "bomb.npz")
    assert caught.value.code == "input_missing"
