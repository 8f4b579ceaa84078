# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reference/protocol.md shows what a child says: its conversation is held with a real one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import served

from backend.errors import CODES
from backend.protocol import Array, Message, frame
from scripts.samples.head import build

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "protocol.md"


def conversation() -> list[tuple[str, dict[str, Any]]]:
    """The page's lines: -> or <-, and the header."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [(line[:2], json.loads(line[3:])) for line in lines if line.startswith(("-> ", "<- "))]


def like(shown: Mapping[str, Any], message: Message) -> None:
    """A header on the page has the fields of a real one, and arrays of the same names, types and
    dimensions.
    """
    listed = {one["name"]: one for one in shown["arrays"]}
    assert message.header.keys() | {"arrays"} == shown.keys()
    assert message.arrays.keys() == listed.keys()
    for name, array in message.arrays.items():
        assert array.dtype.name == listed[name]["dtype"] and array.ndim == len(
            listed[name]["shape"]
        )
    for name, value in shown.items():
        if isinstance(value, dict):
            assert value.keys() <= message.header[name].keys(), name
        elif name != "arrays":
            assert type(value) is type(message.header[name]), name


def test_the_conversation_on_the_page_is_had_with_a_child() -> None:
    head = build()
    arrays: dict[str, Array] = {
        "vertices": np.ascontiguousarray(head.vertices, np.float32),
        "triangles": np.ascontiguousarray(head.triangles, np.int32),
    }
    told: list[Message] = []
    with served.served(lifetime=300) as child:
        told.append(Message(child.hello, {}))
        for way, header in conversation():
            if way == "->" and header["type"] == "cancel":
                plain = {name: value for name, value in header.items() if name != "arrays"}
                child.send_bytes(b"".join(frame(plain)))
            elif way == "->":
                sent = {one["name"]: arrays[one["name"]] for one in header["arrays"]}
                assert {
                    name: (array.dtype.name, list(array.shape)) for name, array in sent.items()
                } == {one["name"]: (one["dtype"], one["shape"]) for one in header["arrays"]}
                number = child.send(
                    header["type"],
                    {
                        name: value
                        for name, value in header.items()
                        if name not in ("type", "id", "arrays")
                    },
                    sent,
                )
                assert number == header["id"]
                told += child.messages(number)
            else:
                like(
                    header,
                    next(
                        m
                        for m in told
                        if (m.header["type"], m.header.get("id"))
                        == (header["type"], header.get("id"))
                    ),
                )


@pytest.mark.parametrize(
    "kind",
    [
        "hello",
        "load",
        "locate",
        "generate",
        "cancel",
        "stats",
        "shutdown",
        "progress",
        "face",
        "shapes",
        "done",
        "error",
    ],
)
def test_every_kind_of_message_is_shown(kind: str) -> None:
    assert kind in {header["type"] for _way, header in conversation()}


def test_codes_all_are_on_the_page_of_errors() -> None:
    text = PAGE.with_name("errors.md").read_text(encoding="utf-8")
    assert {
        code: said for code, said in CODES.items() if f"| `{code}` | {said} |" not in text
    } == {}
