# SPDX-License-Identifier: GPL-3.0-or-later
"""Variants of a model in int8: weights of matrix products, with or without their activations, and
the table of ranges from which TensorRT makes its own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnxruntime import quantization
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
)

SMALL = 64  # rows of a product's weights below which int8 gains nothing


class Runs(CalibrationDataReader):  # type: ignore[misc]
    """Feeds of the decoder as they occur on heads."""

    def __init__(self, feeds: Sequence[dict[str, Any]]) -> None:
        self._feeds: Iterator[dict[str, Any]] = iter(feeds)

    def get_next(self) -> dict[str, Any] | None:
        """The next one, None after the last."""
        return next(self._feeds, None)


def named(source: Path, target: Path) -> onnx.ModelProto:
    """A copy of a model in which every node has a name, by which nodes are left out."""
    model = onnx.load(str(source))
    for index, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{index}"
    onnx.save(model, str(target))
    return model


def products(model: onnx.ModelProto) -> list[str]:
    """Names of the matrix products that int8 may gain something on."""
    rows = {entry.name: entry.dims[0] for entry in model.graph.initializer}
    return [
        n.name
        for n in model.graph.node
        if n.op_type == "MatMul"
        and max((rows.get(name, 0) for name in n.input), default=0) >= SMALL
    ]


def dynamic_int8(source: Path, target: Path, exact: Collection[str]) -> None:
    """Weights of matrix products as int8, but for the `exact` ones, which stay float32, and
    small ones.
    """
    copy = target.with_suffix(".named.onnx")
    wanted = [name for name in products(named(source, copy)) if name not in exact]
    quantization.quantize_dynamic(
        copy,
        target,
        op_types_to_quantize=["MatMul"],
        nodes_to_quantize=wanted,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )


def static_int8(
    source: Path, target: Path, feeds: Sequence[dict[str, Any]], exact: Collection[str]
) -> None:
    """Weights and activations of matrix products as int8, with ranges from `feeds`; the `exact`
    ones stay float32, as do those that take the geometry itself.
    """
    copy = target.with_suffix(".named.onnx")
    model = named(source, copy)
    deep = learned(model)
    first = {
        node.name
        for node in model.graph.node
        if node.op_type == "MatMul" and not deep.intersection(node.input)
    }
    quantization.quantize_static(
        copy,
        target,
        Runs(feeds),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        nodes_to_quantize=[
            name for name in products(model) if name not in exact and name not in first
        ],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        extra_options={
            "OpTypesToExcludeOutputQuantization": ["MatMul"]
        },  # small offsets and large ones would share 256 steps
    )


def tensorrt_table(source: Path, target: Path, feeds: Sequence[dict[str, Any]]) -> None:
    """The ranges of all tensors as the table that ONNX Runtime's TensorRT provider takes for
    int8.
    """
    with tempfile.TemporaryDirectory() as folder:
        calibrator = quantization.create_calibrator(
            source, None, str(Path(folder) / "augmented.onnx"), CalibrationMethod.MinMax
        )
        calibrator.collect_data(Runs(feeds))
        quantization.write_calibration_table(calibrator.compute_data().data, folder)
        shutil.copy(Path(folder) / "calibration.flatbuffers", target)


def learned(model: onnx.ModelProto) -> set[str]:
    """Names of the tensors that depend on a matrix product: what comes before is geometry."""
    deep: set[str] = set()
    for node in model.graph.node:
        if node.op_type in ("MatMul", "Gemm") or deep.intersection(node.input):
            deep.update(node.output)
    return deep
