# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets an encoder compute what it does with fewer steps over its points.

python -m scripts.tools.lean_encoder NAME.encoder.onnx

The exported graph makes keys, values, queries and answers of each point and turns each of them by
heads. Products may be grouped otherwise: few latents look at many points, and many points at few
latents, so the matrices that belong to latents are multiplied first. Then a point's features are
multiplied twice for each look and never turned. Scale and offset of a norm, and what the layer
behind it adds, go into that layer's matrix, so that two norms of the same points are one. What is
added to all scores of a softmax alike is left out. Points are averaged before votes are made of
them. It computes the same but for rounding.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Matrix = NDArray[np.float64]

# of the exported graph: what points become at first, and what the rest of it takes
POINTS = "/net/embed/embed.3/Add_output_0"
POSITION = "/net/Slice_output_0"
WHOLE, LANDMARKS = "/net/ReduceMean", "/net/Flatten"
VOTE = 4  # numbers of a landmark's vote: where it lies, and how much the vote weighs


class _Read:
    """The weights of an exported encoder. Raises ValueError for another graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes: dict[str, onnx.NodeProto] = {node.name: node for node in graph.node}
        self._tensors: dict[str, onnx.TensorProto] = {t.name: t for t in graph.initializer}

    def node(self, name: str) -> onnx.NodeProto:
        if name not in self._nodes:
            raise ValueError(f"its graph is another: it lacks {name}")
        found: onnx.NodeProto = self._nodes[name]
        return found

    def weights(self, name: str) -> Matrix:
        """The one constant input of a node."""
        known = [used for used in self.node(name).input if used in self._tensors]
        if len(known) != 1:
            raise ValueError(f"its graph is another: {name} has {len(known)} constants")
        return numpy_helper.to_array(self._tensors[known[0]]).astype(np.float64)

    def linear(self, name: str) -> tuple[Matrix, Matrix]:
        """A matrix (N,M) and what is added (M,)."""
        return self.weights(f"{name}/MatMul"), self.weights(f"{name}/Add")

    def after_norm(self, norm: str, linear: str) -> Matrix:
        """The matrix (N,M) that does what a norm's scale and offset and the linear layer behind it
        do, for features of mean 1 and variance 1: what lies along their mean is their number N
        whatever they are, and so carries what is added.
        """
        scale, offset = (
            numpy_helper.to_array(self._tensors[name]).astype(np.float64)
            for name in self.node(f"{norm}/LayerNormalization").input[1:]
        )
        matrix, added = self.linear(linear)
        return _carrying(scale[:, None] * matrix, offset @ matrix + added)

    @property
    def epsilon(self) -> float:
        """What all of its norms add to the variance."""
        found = {
            a.f
            for node in self._nodes.values()
            if node.op_type == "LayerNormalization"
            for a in node.attribute
            if a.name == "epsilon"
        }
        if len(found) != 1:
            raise ValueError("its graph is another: its norms differ")
        return float(found.pop())

    @property
    def rounds(self) -> int:
        """How often it looks."""
        return sum(name.endswith("/key/MatMul") and "gather" in name for name in self._nodes)


def _carrying(matrix: Matrix, added: Matrix) -> Matrix:
    """A matrix (N,M) that takes features of mean 1 where `matrix` takes the same of mean 0, and
    adds (M,).
    """
    return np.asarray(matrix + (added - matrix.sum(axis=0)) / len(matrix))


class _Graph:
    """What is put together. heads: of a look; width: of a point's features; wide: of a head's."""

    def __init__(self, read: _Read, heads: int) -> None:
        self.read, self.heads = read, heads
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self.width = len(read.weights("/net/gather.0/key/Add"))
        self.wide = self.width // heads
        self._epsilon = read.epsilon
        self._one = self.constant(np.ones(self.width))

    def constant(self, value: Any) -> str:
        """The name of a constant: whole numbers, or float32."""
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        name = f"lean/{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        """A node; the name of what it gives."""
        out = out or f"lean/value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name=f"{out}/{kind}", **attributes))
        return out

    def normed(self, x: str) -> str:
        """Mean 1 and variance 1 along the features."""
        one = self._one
        return self.add("LayerNormalization", x, one, one, axis=-1, epsilon=self._epsilon)

    def product(self, x: str, matrix: Matrix) -> str:
        return self.add("MatMul", x, self.constant(matrix))

    def linear(self, x: str, weights: tuple[Matrix, Matrix]) -> str:
        return self.add("Add", self.product(x, weights[0]), self.constant(weights[1]))

    def shaped(self, x: str, *shape: int) -> str:
        return self.add("Reshape", x, self.constant(np.array(shape)))

    def turned(self, x: str, *axes: int) -> str:
        return self.add("Transpose", x, perm=axes)

    def residual(self, x: str, name: str) -> str:
        """What stands behind each look."""
        inner = self.product(self.normed(x), self.read.after_norm(f"{name}/norm", f"{name}/into"))
        inner = self.add("Mul", inner, self.add("Sigmoid", inner))
        return self.add("Add", x, self.linear(inner, self.read.linear(f"{name}/out")))

    def of_heads(self, matrix: Matrix) -> Matrix:
        """A matrix (N,heads*wide) by heads (heads,N,wide)."""
        return matrix.reshape(len(matrix), self.heads, self.wide).transpose(1, 0, 2)

    def by_heads(self, x: str) -> str:
        """Latents (B,Z,width) by heads (B,heads,Z,wide)."""
        return self.turned(self.shaped(x, 0, -1, self.heads, self.wide), 0, 2, 1, 3)

    def joined(self, x: str) -> str:
        """Values by heads (B,heads,Z,wide) side by side (B,Z,width)."""
        return self.shaped(self.turned(x, 0, 2, 1, 3), 0, -1, self.width)

    def asked(self, name: str) -> Matrix:
        """What makes scaled queries of a look."""
        matrix = self.read.after_norm(f"{name}/norm_q", f"{name}/query")
        return np.asarray(matrix * self.wide**-0.5)

    def valued(self, name: str, what: str) -> Matrix:
        """What makes keys or values of a look."""
        return self.read.after_norm(f"{name}/norm_v", f"{name}/{what}")

    def gather(self, z: str, x: str, name: str) -> str:
        """Latents (B,Z,W), or (1,Z,W), look at points (B,P,W) that are normed."""
        asks = self.by_heads(self.product(self.normed(z), self.asked(name)))
        asks = self.product(asks, self.of_heads(self.valued(name, "key")).transpose(0, 2, 1))
        asks = self.shaped(asks, 0, -1, self.width)  # (B,heads*Z,W)
        scores = self.add("MatMul", asks, self.turned(x, 0, 2, 1))
        seen = self.add("MatMul", self.add("Softmax", scores, axis=-1), x)
        seen = self.shaped(seen, 0, self.heads, -1, self.width)
        seen = self.joined(self.product(seen, self.of_heads(self.valued(name, "value"))))
        z = self.add("Add", z, self.linear(seen, self.read.linear(f"{name}/out")))
        return self.residual(z, f"{name}/after")

    def think(self, z: str, before: str, name: str) -> str:
        """Latents (B,Z,W) look at what they were before (B,Z,W), or (1,Z,W)."""
        before = self.normed(before)
        asks = self.by_heads(self.product(self.normed(z), self.asked(name)))
        keys, values = (
            self.by_heads(self.product(before, self.valued(name, what)))
            for what in ("key", "value")
        )
        scores = self.add("MatMul", asks, self.turned(keys, 0, 1, 3, 2))
        seen = self.add("MatMul", self.add("Softmax", scores, axis=-1), values)
        z = self.add("Add", z, self.linear(self.joined(seen), self.read.linear(f"{name}/out")))
        return self.residual(z, f"{name}/after")

    def spread(self, x: str, normed: str, z: str, name: str) -> str:
        """Points (B,P,W), and the same normed, look at latents (B,Z,W)."""
        z = self.normed(z)
        keys, values = (
            self.by_heads(self.product(z, self.valued(name, what))) for what in ("key", "value")
        )
        wanted = self.product(keys, self.of_heads(self.asked(name)).transpose(0, 2, 1))
        wanted = self.shaped(wanted, 0, -1, self.width)  # (B,heads*Z,W)
        scores = self.add("MatMul", normed, self.turned(wanted, 0, 2, 1))
        share = self.add("Softmax", self.shaped(scores, 0, 0, self.heads, -1), axis=-1)
        share = self.shaped(share, 0, 0, -1)
        # shares of a head sum to 1: each brings its part of what is added to all
        out, added = self.read.linear(f"{name}/out")
        gives = self.product(values, out.reshape(self.heads, self.wide, self.width))
        gives = self.add("Add", gives, self.constant(added / self.heads))
        gives = self.shaped(gives, 0, -1, self.width)
        x = self.add("Add", x, self.add("MatMul", share, gives))
        return self.residual(x, f"{name}/after")

    def landmarks(self, x: str, out: str) -> None:
        """Where the votes of points (B,P,W) lie, weighed: (B,3L)."""
        matrix = self.read.after_norm("/net/vote/vote.0", "/net/vote/vote.1")
        matrix = matrix.reshape(self.width, -1, VOTE)
        normed = self.normed(x)
        weight = self.constant(matrix[..., -1].T)
        weight = self.add("MatMul", weight, self.turned(normed, 0, 2, 1))
        weight = self.add("Softmax", weight, axis=-1)
        seen = self.shaped(self.add("MatMul", weight, normed), 0, 0, 1, self.width)
        seen = self.shaped(self.product(seen, matrix[..., :-1].transpose(1, 0, 2)), 0, 0, -1)
        place = self.add("Add", self.add("MatMul", weight, POSITION), seen)
        self.add("Reshape", place, self.constant(np.array([0, -1])), out=out)


def lean(model: onnx.ModelProto) -> None:
    """Edit an encoder's graph, in place. Raises ValueError for another graph."""
    graph = model.graph
    read = _Read(graph)
    read.node("/net/embed/embed.3/Add")
    turn = read.node("/net/gather.0/Concat")
    sizes = next(n for n in graph.node if turn.input[1] in n.output)
    heads = int(numpy_helper.to_array(sizes.attribute[0].t)[0])
    made = _Graph(read, heads)
    x, z = POINTS, made.constant(read.weights("/net/Add"))
    for turn_of in range(read.rounds):
        normed = made.normed(x)
        gathered = made.gather(z, normed, f"/net/gather.{turn_of}")
        z = made.think(gathered, z, f"/net/think.{turn_of}")
        x = made.spread(x, normed, z, f"/net/spread.{turn_of}")
    made.landmarks(x, read.node(LANDMARKS).output[0])
    read.node(WHOLE).input[0] = z
    nodes = [node for node in graph.node if node.name != LANDMARKS]
    begun = next(place for place, node in enumerate(nodes) if POINTS in node.output) + 1
    nodes[begun:begun] = made.nodes
    tensors = {tensor.name: tensor for tensor in [*graph.initializer, *made.tensors]}
    wanted = {output.name for output in graph.output}
    used = list[onnx.NodeProto]()
    for node in reversed(nodes):
        if wanted & set(node.output):
            used.append(node)
            wanted |= set(node.input)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(reversed(used))
    graph.initializer.extend(tensor for name, tensor in tensors.items() if name in wanted)


def rewrite(path: Path) -> None:
    """Edit an encoder's file."""
    model = onnx.load(path)
    lean(model)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    print(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("encoder", type=Path)
    rewrite(parser.parse_args().encoder)


if __name__ == "__main__":
    main()
