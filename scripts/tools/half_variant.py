# SPDX-License-Identifier: GPL-3.0-or-later
"""A variant of a model in fp16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from .integer_variants import learned

FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
SENSITIVE = (
    "LayerNormalization",
    "Softmax",
    "Pow",
    "ReduceL2",
    "ReduceSum",
    "ReduceMean",
    "Sin",
    "Cos",
    "Div",
    "Exp",
)


class _Casts:
    """Nodes of a new graph, in which each tensor is there in the precisions that are asked for.

    Args:
        graph: its weights get copies in fp16
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.weights = {e.name: e for e in graph.initializer if e.data_type == FLOAT}
        self._halves: set[str] = set()  # tensors that are there in fp16
        self._made_half: set[str] = set()  # those that were computed so
        self._widened: set[str] = set()  # and those of them that are there in float32, too

    def cast(self, name: str, to_half: bool) -> None:
        """Make sure that a tensor is there in the precision that is wanted."""
        if to_half and name not in self._halves:
            if name in self.weights:
                array = onnx.numpy_helper.to_array(self.weights[name]).astype(np.float16)
                self.graph.initializer.append(onnx.numpy_helper.from_array(array, f"{name}_half"))
            else:
                self._add_cast(name, f"{name}_half", f"{name}_to_half", HALF)
            self._halves.add(name)
        elif not to_half and name in self._made_half and name not in self._widened:
            self._add_cast(f"{name}_half", name, f"{name}_to_float", FLOAT)
            self._widened.add(name)

    def add_half(self, node: onnx.NodeProto) -> None:
        """Add a node whose outputs are in fp16."""
        self.nodes.append(node)
        for index, name in enumerate(node.output):
            node.output[index] = f"{name}_half"
            self._halves.add(name)
            self._made_half.add(name)

    def _add_cast(self, source: str, target: str, name: str, kind: int) -> None:
        self.nodes.append(onnx.helper.make_node("Cast", [source], [target], name, to=kind))


def half(source: Path, target: Path) -> None:
    """fp16 for matrix products and what follows them, with weights in fp16; sensitive operators,
    inputs and outputs stay float32.

    onnxruntime.transformers.float16 would hand the geometry on in fp16 between operators that are
    left in float32, which spoils it.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(str(source)))
    graph = model.graph
    floats = {
        entry.name
        for entry in (*graph.input, *graph.value_info, *graph.output)
        if entry.type.tensor_type.elem_type == FLOAT
    }
    outputs = {entry.name for entry in graph.output}
    deep = learned(model)
    casts = _Casts(graph)
    for node in graph.node:
        in_half = (
            bool(deep.intersection(node.output))
            and node.op_type not in SENSITIVE
            and all(name in floats for name in node.output)
        )
        for index, name in enumerate(node.input):
            if name in floats or name in casts.weights:
                casts.cast(name, in_half)
                if in_half:
                    node.input[index] = f"{name}_half"
        if in_half:
            casts.add_half(node)
        else:
            casts.nodes.append(node)
    for name in outputs:
        casts.cast(name, False)
    _replace_nodes(graph, casts.nodes)
    onnx.save(model, str(target))


def _replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Give the graph these nodes, and drop weights and shapes that none of them needs."""
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    used = {name for node in graph.node for name in node.input}
    needed = [entry for entry in graph.initializer if entry.name in used]
    del graph.initializer[:]
    graph.initializer.extend(needed)
