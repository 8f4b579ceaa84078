# SPDX-License-Identifier: GPL-3.0-or-later
"""A model computed operator by operator with PyTorch, for the benchmark to compare ONNX Runtime
with; never used for a result.

`onnx.reference`, which is what numpy is measured with, knows numpy alone, so PyTorch has this. It
knows the operators of the shipped networks. What depends on constants alone is computed once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

_MANY = 1 << 62


@dataclass(frozen=True)
class Node:
    """One operator: its type, names of inputs ("" for one left out) and outputs, attributes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


class TorchGraph:
    """A model's graph. torch: the module; None computes it with numpy, as tests do. Raises
    NotImplementedError for an operator that is not known here.
    """

    def __init__(self, data: bytes, torch: Any = None) -> None:
        self._torch = torch
        graph = onnx.load_from_string(data).graph
        nodes = [_node(node) for node in graph.node]
        self._constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        self.outputs = [output.name for output in graph.output]
        unknown = sorted({node.kind for node in nodes} - set(_OPERATORS))
        if unknown:
            raise NotImplementedError(f"no {', '.join(unknown)} here")
        self._nodes: list[Node] = []
        for node in nodes:
            if all(not name or name in self._constants for name in node.inputs):
                self._constants.update(self._apply(node, self._constants))
            else:
                self._nodes.append(node)
        last: dict[str, int] = {}
        for index, node in enumerate(self._nodes):
            last.update(dict.fromkeys(filter(None, node.inputs), index))
        lasting = {*self._constants, *self.outputs}
        self._dead = [
            [n for n in set(node.inputs) if n and last[n] == index and n not in lasting]
            for index, node in enumerate(self._nodes)
        ]
        if torch is not None:
            self._constants = {
                n: torch.from_numpy(v.copy()) if v.dtype == np.float32 else v
                for n, v in self._constants.items()
            }

    def run(self, _: None, feeds: Mapping[str, Any]) -> list[Any]:
        """The outputs, as torch tensors or numpy arrays; called as InferenceSession's `run`."""
        values = dict(self._constants)
        values.update(
            {
                name: self._torch.tensor(array) if self._torch is not None else array
                for name, array in feeds.items()
            }
        )
        for node, dead in zip(self._nodes, self._dead, strict=True):
            values.update(self._apply(node, values))
            for name in dead:
                del values[name]
        return [values[name] for name in self.outputs]

    def _apply(self, node: Node, values: Mapping[str, Any]) -> dict[str, Any]:
        arguments = [values[name] if name else None for name in node.inputs]
        tensors = self._torch is not None and any(
            self._torch.is_tensor(value) for value in arguments
        )
        library = self._torch if tensors else np
        if tensors and node.kind in _ARITHMETIC:
            arguments = [
                self._torch.as_tensor(value) if isinstance(value, np.ndarray) else value
                for value in arguments
            ]
        found = _OPERATORS[node.kind](library, node.attributes, *arguments)
        return {node.outputs[0]: found if tensors else np.asarray(found)}


def _axes(values: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.asarray(values).ravel())


def _slice(xp: Any, a: Any, x: Any, *bounds: Any) -> Any:
    starts, ends, axes, steps = (*bounds, None, None)[:4]
    places = _axes(axes) if axes is not None else tuple(range(len(starts)))
    cut: list[Any] = [slice(None)] * x.ndim
    for place, start, end, step in zip(
        places,
        _axes(starts),
        _axes(ends),
        _axes(steps) if steps is not None else [1] * len(places),
        strict=True,
    ):
        cut[place] = slice(start, end if abs(end) < _MANY else None, step)
    return x[tuple(cut)]


def _concat(xp: Any, a: Mapping[str, Any], *parts: Any) -> Any:
    if xp is np:
        return np.concatenate([np.asarray(part) for part in parts], axis=a["axis"])
    return xp.cat([xp.as_tensor(part) for part in parts], dim=a["axis"])


def _gather(xp: Any, a: Mapping[str, Any], x: Any, indices: Any) -> Any:
    axis = a.get("axis", 0)
    if xp is np:
        return np.take(x, indices, axis=axis)
    at = indices if isinstance(indices, np.ndarray) else indices.numpy()
    if at.ndim == 0:
        return x.select(axis, int(at))
    cut: list[Any] = [slice(None)] * x.ndim
    cut[axis] = xp.from_numpy(np.array(at))  # PyTorch wants an array that may be written to
    return x[tuple(cut)]


def _unsqueeze(xp: Any, a: Any, x: Any, axes: Any) -> Any:
    rank = x.ndim + len(_axes(axes))
    for axis in sorted(n % rank for n in _axes(axes)):
        x = np.expand_dims(x, axis) if xp is np else x.unsqueeze(axis)
    return x


def _squeeze(xp: Any, a: Any, x: Any, axes: Any) -> Any:
    for axis in sorted((n % x.ndim for n in _axes(axes)), reverse=True):
        x = np.squeeze(x, axis) if xp is np else x.squeeze(axis)
    return x


def _reshape(xp: Any, a: Any, x: Any, shape: Any) -> Any:
    return x.reshape(tuple(x.shape[i] if n == 0 else n for i, n in enumerate(_axes(shape))))


def _norm(xp: Any, a: Mapping[str, Any], x: Any, scale: Any, bias: Any = None) -> Any:
    if xp is not np:
        return xp.nn.functional.layer_norm(x, x.shape[-1:], scale, bias, a.get("epsilon", 1e-5))
    centred = x - x.mean(-1, keepdims=True)
    found = (
        centred
        / np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(a.get("epsilon", 1e-5)))
        * scale
    )
    return found if bias is None else found + bias


def _softmax(xp: Any, a: Mapping[str, Any], x: Any) -> Any:
    axis = a.get("axis", -1)
    if xp is not np:
        return xp.softmax(x, axis)
    grown = np.exp(x - x.max(axis, keepdims=True))
    return grown / grown.sum(axis, keepdims=True)


def _gemm(xp: Any, a: Mapping[str, Any], x: Any, y: Any, c: Any = None) -> Any:
    found = (x.T if a.get("transA") else x) @ (y.T if a.get("transB") else y) * a.get("alpha", 1.0)
    return found if c is None else found + c * a.get("beta", 1.0)


def _clip(xp: Any, a: Any, x: Any, low: Any = None, high: Any = None) -> Any:
    bounds: list[Any] = [None if bound is None else float(bound) for bound in (low, high)]
    return np.clip(x, *bounds).astype(x.dtype) if xp is np else xp.clamp(x, *bounds)


def _reduce(name: str) -> Callable[..., Any]:
    def reduce(xp: Any, a: Mapping[str, Any], x: Any, axes: Any = None) -> Any:
        along = tuple(a["axes"]) if "axes" in a else _axes(axes)
        keep = bool(a.get("keepdims", 1))
        if name == "l2":
            return (
                np.sqrt((x * x).sum(along, keepdims=keep))
                if xp is np
                else xp.linalg.vector_norm(x, dim=along, keepdim=keep)
            )
        if xp is np:
            return getattr(x, name)(along, keepdims=keep)
        return (
            xp.amax(x, along, keepdim=keep)
            if name == "max"
            else getattr(xp, name)(x, along, keepdim=keep)
        )

    return reduce


def _sigmoid(xp: Any, a: Any, x: Any) -> Any:
    return 1 / (1 + np.exp(-x)) if xp is np else xp.sigmoid(x)


def _cast(xp: Any, a: Mapping[str, Any], x: Any) -> Any:
    kind = onnx.helper.tensor_dtype_to_np_dtype(a["to"])
    return x.astype(kind) if xp is np else x.to(getattr(xp, kind.name))


def _filled(xp: Any, a: Mapping[str, Any], shape: Any) -> Any:
    value = a.get("value", np.zeros(1, np.float32))
    return np.full(_axes(shape), value[0], value.dtype)


def _expand(xp: Any, a: Any, x: Any, shape: Any) -> Any:
    whole = np.broadcast_shapes(tuple(x.shape), _axes(shape))
    return np.broadcast_to(x, whole) if xp is np else x.expand(whole)


def _both(name: str) -> Callable[..., Any]:
    return lambda xp, a, *x: getattr(xp, name)(*x)


_COMPARED = ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual")
_ARITHMETIC = (
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "MatMul",
    "Gemm",
    "Where",
    "And",
    "Or",
    "Max",
    "Min",
    *_COMPARED,
)
_OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": lambda xp, a, x, y: x + y,
    "Sum": lambda xp, a, *x: functools.reduce(lambda one, other: one + other, x),
    "Sub": lambda xp, a, x, y: x - y,
    "Mul": lambda xp, a, x, y: x * y,
    "Div": lambda xp, a, x, y: x // y if xp is np and np.asarray(x).dtype.kind == "i" else x / y,
    "Pow": lambda xp, a, x, y: x**y,
    "Mod": lambda xp, a, x, y: np.mod(x, y) if xp is np else xp.remainder(x, xp.as_tensor(y)),
    "MatMul": lambda xp, a, x, y: x @ y,
    "Gemm": _gemm,
    "Abs": _both("abs"),
    "Neg": lambda xp, a, x: -x,
    "Sqrt": _both("sqrt"),
    "Reciprocal": lambda xp, a, x: 1 / x,
    "Tile": lambda xp, a, x, times: xp.tile(x, _axes(times)),
    "Exp": _both("exp"),
    "Log": _both("log"),
    "Sin": _both("sin"),
    "Cos": _both("cos"),
    "Tanh": _both("tanh"),
    "Sigmoid": _sigmoid,
    "Relu": lambda xp, a, x: x * (x > 0),
    "Softmax": _softmax,
    "LayerNormalization": _norm,
    "Clip": _clip,
    "Min": _both("minimum"),
    "Max": _both("maximum"),
    "Equal": lambda xp, a, x, y: x == y,
    "Less": lambda xp, a, x, y: x < y,
    "Greater": lambda xp, a, x, y: x > y,
    "LessOrEqual": lambda xp, a, x, y: x <= y,
    "GreaterOrEqual": lambda xp, a, x, y: x >= y,
    "Not": _both("logical_not"),
    "And": _both("logical_and"),
    "Or": _both("logical_or"),
    "Where": _both("where"),
    "Cast": _cast,
    "Identity": lambda xp, a, x: x,
    "Constant": lambda xp, a: a["value"],
    "ConstantOfShape": _filled,
    "Shape": lambda xp, a, x: np.array(x.shape, np.int64),
    "Reshape": _reshape,
    "Flatten": lambda xp, a, x: x.reshape(int(np.prod(x.shape[: a.get("axis", 1)])), -1),
    "Transpose": lambda xp, a, x: x.transpose(a["perm"]) if xp is np else x.permute(a["perm"]),
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Expand": _expand,
    "Concat": _concat,
    "Slice": _slice,
    "Gather": _gather,
    "ReduceSum": _reduce("sum"),
    "ReduceMean": _reduce("mean"),
    "ReduceMax": _reduce("max"),
    "ReduceL2": _reduce("l2"),
}


def _node(node: onnx.NodeProto) -> Node:
    return Node(
        node.op_type,
        tuple(node.input),
        tuple(node.output),
        {each.name: _attribute(each) for each in node.attribute},
    )


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
