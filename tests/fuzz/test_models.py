# SPDX-License-Identifier: GPL-3.0-or-later
"""Model files made to do harm, in a real child: refused with a sentence or run within bounds, and
the child goes on.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from fixtures import served
from onnx import ModelProto, TensorProto, external_data_helper, helper, numpy_helper

from backend.errors import BackendError
from backend.inference.cancellation import Cancellation
from backend.inference.loading import load_model
from backend.inference.running import run
from backend.inference.settings import Settings
from scripts.tools.client import Client

FLOAT = TensorProto.FLOAT
REFUSED = {"model_unreadable", "model_contract"}


def built(nodes: list[Any], constants: list[Any], domain: str = "") -> ModelProto:
    """A plain model with two conditions and the given inside."""
    shapes: dict[str, list[str | int | None]] = {"vertices": ["B", "V", 3], "conditions": ["B", 2]}
    inputs = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(
        nodes,
        "graph",
        inputs,
        [helper.make_tensor_value_info("offsets", FLOAT, ["B", "V", 3])],
        constants,
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def array(name: str, value: Any) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)


def unfolding(size: list[int]) -> ModelProto:
    """A few bytes that become a tensor of that size when the model runs."""
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["total"], keepdims=0),
        helper.make_node("Mul", ["vertices", "total"], ["offsets"]),
    ]
    return built(nodes, [array("size", np.array(size, np.int64))])


def outside(location: str) -> ModelProto:
    """Weights in another file."""
    weights = array("w", np.zeros((1, 1, 3), np.float32))
    external_data_helper.set_external_data(weights, location)
    weights.ClearField("raw_data")
    return built([helper.make_node("Add", ["vertices", "w"], ["offsets"])], [weights])


def claiming(dims: list[int]) -> ModelProto:
    """An initialiser that says it is larger than it is."""
    weights = TensorProto(name="w", data_type=FLOAT, dims=dims, raw_data=bytes(16))
    return built([helper.make_node("Mul", ["vertices", "w"], ["offsets"])], [weights])


def endless() -> ModelProto:
    """A loop of 2^62 rounds."""
    scalar = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["x", "x"], ["y"]),
        ],
        "body",
        [
            scalar("i", TensorProto.INT64, []),
            scalar("go", TensorProto.BOOL, []),
            scalar("x", FLOAT, []),
        ],
        [scalar("go_on", TensorProto.BOOL, []), scalar("y", FLOAT, [])],
    )
    nodes = [
        helper.make_node("Loop", ["n", "yes", "x0"], ["x1"], body=body),
        helper.make_node("Mul", ["vertices", "x1"], ["offsets"]),
    ]
    return built(
        nodes,
        [array("n", np.int64(2**62)), array("yes", np.bool_(True)), array("x0", np.float32(1))],
    )


def custom(domain: str) -> ModelProto:
    return built(
        [helper.make_node("RunShell", ["vertices"], ["offsets"], domain=domain)], [], domain
    )


MODELS = {
    "weights in ../": lambda: outside("../../etc/passwd"),
    "weights at an absolute path": lambda: outside("/etc/passwd"),
    "operator of a library": lambda: custom("com.example"),
    "unknown operator of the runtime": lambda: custom("com.microsoft"),
    "more dimensions than bytes": lambda: claiming([100_000, 100_000]),
    "negative dimensions": lambda: claiming([-1, 5]),
    "dimensions that overflow": lambda: claiming([2**62, 2**62]),
}


@pytest.fixture(scope="module")
def child() -> Iterator[Client]:
    with served.served(lifetime=240) as started:
        yield started


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_model_made_to_do_harm_is_refused_and_the_child_goes_on(
    child: Client, tmp_path: Path, make: Any
) -> None:
    (tmp_path / "bad.onnx").write_bytes(make().SerializeToString())
    error = served.error(child, "load", model=str(tmp_path / "bad.onnx"))
    assert error["code"] in REFUSED and error["message"] and error["fix"]
    assert served.report(child, "stats")["requests"] > 0


def test_a_few_bytes_that_unfold_to_terabytes_are_out_of_memory(
    child: Client, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.onnx"
    path.write_bytes(unfolding([1_000_000, 5_000_000]).SerializeToString())
    served.report(child, "load", model=str(path))  # which runs it once, to warm up
    assert psutil.Process(child.process.pid).memory_info().rss < 1 << 30
    model = load_model(path, Settings(provider="cpu", threads=1))
    assert model.plain is not None
    feeds = {
        "vertices": np.zeros((1, 4, 3), np.float32),
        "conditions": np.zeros((1, 2), np.float32),
    }
    with pytest.raises(BackendError) as caught:
        run(model.plain, feeds, Cancellation())
    assert caught.value.code == "out_of_memory" and caught.value.fix


@pytest.mark.skipif(sys.platform != "linux", reason="the bound is Linux's")
def test_the_child_may_not_have_all_of_the_machines_memory(child: Client) -> None:
    import resource

    if sys.platform != "linux":
        return
    soft, _ = resource.prlimit(child.process.pid, resource.RLIMIT_DATA)
    assert 0 < soft < psutil.virtual_memory().total


def test_a_model_that_never_ends_is_cancelled(child: Client, tmp_path: Path) -> None:
    (tmp_path / "endless.onnx").write_bytes(endless().SerializeToString())
    number = child.send("load", {"model": str(tmp_path / "endless.onnx")})
    time.sleep(2.0)
    child.cancel(number)
    assert list(child.messages(number))[-1].header["type"] in ("error", "done")
    assert served.report(child, "stats")["requests"] > 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"PK\x03\x04" + bytes(60),
        b"\x3a\xff\xff\xff\xff\x0f",
        struct.pack("<Q", 2**63) * 9,
    ],
)
def test_bytes_that_are_no_model_are_refused(child: Client, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "no.onnx").write_bytes(data)
    assert (
        served.error(child, "load", model=str(tmp_path / "no.onnx"))["code"] == "model_unreadable"
    )
