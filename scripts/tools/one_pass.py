# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a decoder that takes the mean of a head and of its mirror image leave the mirror image out.

python -m scripts.tools.one_pass NAME.decoder.onnx [NAME.decoder.int8.onnx]

Its graph computes both side by side, on an axis of two. `passes`, a number with the default 2, says
how many of them; as an initializer that a run may override it is none of the inputs of the
contract, and whoever does not know of it gets what the file gave before. With 1 each vertex gets
its own half: the mean of a symmetric head is that and the mirror image of its partner's, at half
the work. A variant that stands behind the decoder is told its new hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from backend.inference.contract import PASSES

# of the exported graph: both sides of the inputs, of the landmarks and of the style
BOTH = tuple(
    f"/{n}_output_0" for n in ("Concat", *(f"Concat_{i}" for i in (1, 3, 4, 5, 6)), "Expand")
)
# what stands side by side in one row before it is made the basis, and the matrix of that product
ROWS = {"/Concat_31_output_0": "product", "/Concat_32_output_0": "closing"}
BIAS = "bias"
SIDES = 2


def one_pass(model: onnx.ModelProto) -> None:
    """Give a decoder's graph the number `passes`, in place. Raises ValueError for another graph."""
    graph = model.graph
    if any(tensor.name == PASSES for tensor in graph.initializer):
        raise ValueError("it has passes already")
    made = {name: place for place, node in enumerate(graph.node) for name in node.output}
    if missing := [name for name in (*BOTH, *ROWS) if name not in made]:
        raise ValueError(f"its graph is another: it lacks {missing[0]}")
    edit = _Edit(model)
    del graph.value_info[:]  # shapes that were inferred with two sides
    nodes = list(graph.node)
    taken = {used for node in nodes if node.output[0] in ROWS for used in node.input}
    del graph.node[:]
    graph.node.extend(edit.begun())
    for node in nodes:
        name = node.output[0]
        if name in taken:
            continue
        if name in ROWS:
            graph.node.extend(edit.side_by_side(node, nodes))
            continue
        for place, used in enumerate(node.input):
            node.input[place] = edit.renamed.get(used, used)
        graph.node.append(node)
        if name in BOTH or _is_of_both(node):
            graph.node.append(edit.sliced(name))
            edit.renamed[name] = f"{name}_asked"


def _is_of_both(node: onnx.NodeProto) -> bool:
    """Whether it is a constant with a row for each side, as fixed sizes beside landmarks are."""
    if node.op_type != "Constant":
        return False
    tensor = next(a.t for a in node.attribute if a.name == "value")
    is_number = tensor.data_type == onnx.TensorProto.FLOAT
    return is_number and len(tensor.dims) == SIDES and tensor.dims[0] == SIDES


class _Edit:
    """What is added to the graph of a model. renamed: what takes a value's place from here on."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.renamed: dict[str, str] = {}
        self._add(PASSES, np.array([SIDES], np.int64))
        value = helper.make_tensor_value_info(PASSES, onnx.TensorProto.INT64, [1])
        self.graph.input.append(value)
        self._add("one_pass/first", np.array([0], np.int64))
        self._add("one_pass/half", np.array([0.5], np.float32))
        self._add("one_pass/rows", np.array([0, -1], np.int64))

    def _add(self, name: str, value: np.ndarray) -> None:  # type: ignore[type-arg]
        self.graph.initializer.append(numpy_helper.from_array(value, name))

    def begun(self) -> list[onnx.NodeProto]:
        """Both biases are half of what they are together, which is its own mirror image; and of the
        matrices the rows of as many sides as are asked for.
        """
        made = [
            helper.make_node("Cast", [PASSES], ["one_pass/number"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", ["one_pass/number", "one_pass/half"], ["one_pass/share"]),
            helper.make_node("Mul", [BIAS, "one_pass/share"], ["one_pass/bias"]),
        ]
        self.renamed[BIAS] = "one_pass/bias"
        for name in list(self.graph.initializer):
            if name.name.removesuffix("_quantized") in ROWS.values():
                half = f"one_pass/{name.name}_rows"
                self._add(half, np.array([name.dims[0] // 2], np.int64))
                made += [
                    helper.make_node("Mul", [PASSES, half], [f"{half}_asked"]),
                    helper.make_node(
                        "Slice",
                        [name.name, "one_pass/first", f"{half}_asked", "one_pass/first"],
                        [f"{name.name}_asked"],
                    ),
                ]
                self.renamed[name.name] = f"{name.name}_asked"
        return made

    def sliced(self, name: str) -> onnx.NodeProto:
        """The first `passes` of a value's first axis."""
        return helper.make_node(
            "Slice", [name, "one_pass/first", PASSES, "one_pass/first"], [f"{name}_asked"]
        )

    def side_by_side(
        self, concat: onnx.NodeProto, nodes: list[onnx.NodeProto]
    ) -> list[onnx.NodeProto]:
        """What puts the sides of each vertex (passes,V,W) into one row (V,passes*W)."""
        name = concat.output[0]
        one = next(node for node in nodes if concat.input[0] in node.output)
        return [
            helper.make_node("Transpose", [one.input[0]], [f"{name}_turned"], perm=[1, 0, 2]),
            helper.make_node("Reshape", [f"{name}_turned", "one_pass/rows"], [name]),
        ]


def rewrite(path: Path, variants: list[Path]) -> None:
    """Edit a decoder's file, and its variants, whose metadata names it by its hash."""
    model = onnx.load(path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    one_pass(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name} {digest}")
    for variant in variants:
        other = onnx.load(variant)
        one_pass(other)
        entry = next(entry for entry in other.metadata_props if entry.key == "blendshape.variant")
        told = json.loads(entry.value)
        if told["of"] != before:
            raise ValueError(f"{variant.name} is a variant of another model")
        entry.value = json.dumps(told | {"of": digest})
        variant.write_bytes(other.SerializeToString())
        print(f"{variant.name} {hashlib.sha256(variant.read_bytes()).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("decoder", type=Path)
    parser.add_argument("variants", type=Path, nargs="*")
    arguments = parser.parse_args()
    rewrite(arguments.decoder, arguments.variants)


if __name__ == "__main__":
    main()
