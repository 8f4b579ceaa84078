#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a PyTorch network as an ONNX model with axes of any size, and check that ONNX Runtime
computes the same, on other sizes too.

    python -m scripts.tools.export_torch --net mypackage.nets:make --weights face.pt --conditions
        jawOpen,eyeBlinkLeft --out face.onnx

`make()` returns the network: forward(vertices (B,V,3), conditions (B,C)) -> offsets (B,V,3), with
--normals also normals (B,V,3) as the third argument, all float32, in the canonical frame
(docs/design/architecture.md, Model files). The file is then loaded as the backend does, which tells
what is wrong with it. The environment needs requirements/train.txt. `write` takes any other
network, as scripts/train does with its pair.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.errors import BackendError  # noqa: E402
from backend.inference.loading import load_model  # noqa: E402

OPSET = 17
ALLOWED = 1e-4  # of the largest output, between PyTorch and ONNX Runtime
MORE = 3  # by which every axis of any size is longer in the second check


def write(
    net: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
    path: Path,
    *,
    metadata: Mapping[str, str],
) -> float:
    """Export, add the metadata, and compare on the given inputs and on larger ones. Returns the
    largest difference.

    inputs: examples by name, in the order of forward's arguments. axes: of inputs and outputs, by
    name: {axis: its name} of those that take any size; axes of one name have one size. Raises
    ValueError where the model takes only the examples' sizes.
    """
    net.eval()
    arguments = tuple(inputs.values())
    named = {name: dict(some) for name, some in axes.items()}
    torch.onnx.export(
        net,
        arguments,
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes=named,
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, dict(metadata))
    model.doc_string = ""
    onnx.save(model, str(path))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return max(
        _difference(net, session, feeds, outputs) for feeds in (inputs, _larger(inputs, axes))
    )


def plain(
    net: nn.Module,
    conditions: Sequence[str],
    path: Path,
    normals: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> float:
    """Export a network of the plain contract and load it as the backend does. Returns the largest
    difference from PyTorch's, canonical units.

    metadata: more entries, such as blendshape.licence. Raises BackendError for what breaks the
    contract, ValueError for other numbers.
    """
    random = torch.Generator().manual_seed(0)
    inputs = {
        "vertices": torch.randn(2, 300, 3, generator=random),
        "conditions": torch.rand(2, len(conditions), generator=random),
    }
    if normals:
        inputs["normals"] = nn.functional.normalize(torch.randn(2, 300, 3, generator=random), dim=2)
    own = {
        "blendshape.contract": "plain",
        "blendshape.version": "1",
        "blendshape.name": path.stem,
        "blendshape.conditions": json.dumps(
            [{"name": name, "min": 0, "max": 1, "default": 0} for name in conditions]
        ),
    }
    axes = {
        name: {0: "B"} if name == "conditions" else {0: "B", 1: "V"}
        for name in (*inputs, "offsets")
    }
    difference = write(net, inputs, ["offsets"], axes, path, metadata=own | dict(metadata or {}))
    with torch.no_grad():
        size = float(net(*inputs.values()).abs().max())
    if difference > ALLOWED * max(size, 1e-6):
        raise ValueError(
            f"ONNX Runtime computes something else than PyTorch: {difference:.2e} of {size:.2e}"
        )
    load_model(path)
    return difference


def _larger(
    inputs: Mapping[str, Tensor], axes: Mapping[str, Mapping[int, str]]
) -> dict[str, Tensor]:
    """The inputs with every axis of any size longer by MORE."""
    larger = {}
    for name, tensor in inputs.items():
        for axis in axes.get(name, {}):
            wanted = torch.arange(tensor.shape[axis] + MORE) % tensor.shape[axis]
            tensor = tensor.index_select(axis, wanted)
        larger[name] = tensor.contiguous()
    return larger


def _difference(
    net: nn.Module,
    session: onnxruntime.InferenceSession,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
) -> float:
    with torch.no_grad():
        wanted = net(*inputs.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    try:
        got = session.run(list(outputs), {name: tensor.numpy() for name, tensor in inputs.items()})
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        shapes = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
        raise ValueError(
            f"the model does not take {shapes}; int(x.shape[...]) in forward makes a size a"
            f" constant: {error}"
        ) from error
    if any(tuple(e.shape) != g.shape for e, g in zip(wanted, got, strict=True)):
        raise ValueError(
            f"the model gives {[g.shape for g in got]} where PyTorch gives"
            f" {[tuple(e.shape) for e in wanted]}"
        )
    return max(float(np.abs(e.numpy() - g).max()) for e, g in zip(wanted, got, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--net",
        required=True,
        metavar="MODULE:FUNCTION",
        help="what returns the network; importable from here",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        help="its state_dict, as torch.save wrote it; loaded without unpickling code",
    )
    parser.add_argument(
        "--conditions", required=True, help="names in the order of the input, with commas between"
    )
    parser.add_argument(
        "--normals", action="store_true", help="the network takes normals as its third argument"
    )
    parser.add_argument("--licence", default="", help="told with the model")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    module, _, function = options.net.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    net: nn.Module = getattr(importlib.import_module(module), function)()
    if options.weights:
        net.load_state_dict(torch.load(options.weights, map_location="cpu", weights_only=True))
    told = {"blendshape.licence": options.licence} if options.licence else {}
    try:
        difference = plain(net, options.conditions.split(","), options.out, options.normals, told)
    except (BackendError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.out}: largest difference {difference:.2e} canonical units")
    return 0


if __name__ == "__main__":
    sys.exit(main())
