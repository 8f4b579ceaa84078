# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of an exported pair, to train on from: what users have is the pair, not a checkpoint.

The export folds some weights. Matrices are found by the operator that uses them; the decoder's last
layer is half of what `FlatDecoder` mixes both sides with. A rig that the pair does not know begins
with the style of heads of nobody known, and is thought unlikely.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from .net import RIGS, Decoder, Encoder

UNLIKELY = -6.0  # the score (logit) of a rig that the encoder has never seen
UNSURE = "stylised"  # the rig whose style a new one begins with


def _module(scope: str) -> str:
    """An operator's place in the graph as PyTorch names its module: `/net/embed/embed.0/MatMul` is
    of `net.embed.0`.
    """
    parts: list[str] = []
    for part in scope.strip("/").split("/")[:-1]:
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    return ".".join(parts)


def _arrays(path: Path) -> dict[str, Tensor]:
    """Every weight of a file by its name in PyTorch."""
    graph = onnx.load(str(path)).graph
    found = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in found:
            found[f"{_module(node.name)}.weight"] = found[node.input[1]].T.contiguous()
    return found


def _longer(before: Tensor, rows: int, new: Tensor) -> Tensor:
    """A table with a row for each rig: those that it has, and `new` for the others."""
    return torch.cat([before, new.expand(rows - len(before), *before.shape[1:])])


def begin(net: Encoder | Decoder, models: Path) -> None:
    """Give a network the weights of the pair in a folder, in place. Raises ValueError where the
    pair is of another network.
    """
    decoder = isinstance(net, Decoder)
    given = _arrays(models / f"face.{'decoder' if decoder else 'encoder'}.onnx")
    state = net.state_dict()
    found = {name: given.get(f"net.{name}", given.get(name)) for name in state}
    if isinstance(net, Decoder):
        styles = given["styles"]
        found["styles"] = _longer(styles, len(RIGS), styles[RIGS.index(UNSURE)])
        found["offsets.weight"] = 2 * given["product"][: net.offsets.in_features].T
        found["offsets.bias"] = given["bias"]
    else:
        last = f"looks.{len(net.looks) - 1}"
        for part, new in (("weight", 0.0), ("bias", UNLIKELY)):
            before = given[f"net.{last}.{part}"]
            found[f"{last}.{part}"] = _longer(before, len(RIGS), torch.tensor(new))
        shape = (1, *net.latents.shape)
        found["latents"] = next((a[0] for a in given.values() if tuple(a.shape) == shape), None)
    for name, wanted in state.items():
        value = found[name]
        if value is None or value.shape != wanted.shape:
            raise ValueError(f"{models} says nothing that fits {name} {tuple(wanted.shape)}")
        state[name] = value
    net.load_state_dict(state)
