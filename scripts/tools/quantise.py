#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make variants of a model in int8 and fp16, measure each on heads with known shapes, and write
those that keep the model's quality.

    .venv/bin/python -m scripts.tools.quantise --model backend/models/face.decoder.onnx [--heads
    modelled]
        [--data DATA] [--out FOLDER]

int8-dynamic  weights of matrix products, a scale for each column; activations as they come
int8-static   weights and activations, with the ranges seen on calibration heads (other heads than
              those that are measured)
tensorrt      NAME.decoder.calibration, the table from which TensorRT makes int8 itself; cannot be
              measured without one, so not by default
fp16          everything after the first matrix product; what comes before is geometry and angles,
              which 11 bits spoil

In both int8 a product stays float32 that alone would raise mae by more than 1 %: each is tried. For
each variant: mae, the mean error of the shapes (scripts/train/evaluate.py), against the model's
own, and time on the CPU, in turns. Of the int8 ones the faster that raises mae by less than 2 % is
kept. A variant that raises it by more is not written, and one from before is removed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.errors import BackendError  # noqa: E402
from backend.face.geometry.mesh import AvatarMesh  # noqa: E402
from backend.inference.loading import load_model  # noqa: E402
from backend.inference.models import Model  # noqa: E402
from backend.inference.onnx_file import read_model_file  # noqa: E402
from backend.inference.settings import resolve  # noqa: E402
from backend.inference.variants import KEY, MAX_RISE, variant_path  # noqa: E402
from scripts.bench.recorded import recorded_runs  # noqa: E402
from scripts.bench.timing import in_turns  # noqa: E402

CALIBRATION = ("modelled7", "modelled8", "modelled9", "modelled10")
MEASURED = ("modelled1", "modelled2", "modelled3", "modelled4")
CALIBRATION_RUNS = 96
SMALL = 64  # rows of a product's weights below which int8 gains nothing
ALONE = 0.01  # rise of the mean error by one product in int8 from which on it stays float32
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


@dataclass(frozen=True)
class Measured:
    """A variant's file, how it was made, the rise of the mean error and the part of the model's
    time.
    """

    precision: str
    method: str
    path: Path
    rise: float
    time: float

    @property
    def kept(self) -> bool:
        """Whether it may be offered."""
        return self.rise < MAX_RISE


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


def dynamic_int8(source: Path, target: Path, kept: Collection[str]) -> None:
    """Weights of matrix products as int8, but for those that are `kept` in float32 and small
    ones.
    """
    copy = target.with_suffix(".named.onnx")
    wanted = [name for name in products(named(source, copy)) if name not in kept]
    quantization.quantize_dynamic(
        copy,
        target,
        op_types_to_quantize=["MatMul"],
        nodes_to_quantize=wanted,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )


def sensitive(model: Path, base: float, heads: Sequence[str], data: Path) -> list[str]:
    """Names of the products that alone raise the mean error, `base`, too much: what is added last
    to the features of a vertex, mostly.
    """
    with tempfile.TemporaryDirectory() as folder:
        everything = products(named(model, Path(folder) / "named.onnx"))
        found = []
        for name in everything:
            made = Path(folder) / "one.onnx"
            dynamic_int8(model, made, [other for other in everything if other != name])
            if rise_of(model, made, base, heads, data) > ALONE:
                found.append(name)
    return found


def static_int8(
    source: Path, target: Path, feeds: Sequence[dict[str, Any]], kept: Collection[str]
) -> None:
    """Weights and activations of matrix products as int8, with ranges from `feeds`; those that take
    the geometry itself, too, stay float32.
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
            name for name in products(model) if name not in kept and name not in first
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


def half(source: Path, target: Path) -> None:
    """fp16 for matrix products and what follows them, with weights in fp16; sensitive operators,
    inputs and outputs stay float32.

    onnxruntime.transformers.float16 would hand the geometry on in fp16 between operators that are
    kept in float32, which spoils it.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(str(source)))
    graph = model.graph
    floats = {
        entry.name
        for entry in (*graph.input, *graph.value_info, *graph.output)
        if entry.type.tensor_type.elem_type == FLOAT
    }
    weights = {entry.name: entry for entry in graph.initializer if entry.data_type == FLOAT}
    outputs = {entry.name for entry in graph.output}
    deep = learned(model)
    halves: set[str] = (
        set()
        # tensors that are there in fp16, those that were computed so, and those of them that are
        # there in float32, too
    )
    made_half: set[str] = set()
    widened: set[str] = set()
    nodes: list[onnx.NodeProto] = []

    def cast(name: str, to_half: bool) -> None:
        """Make sure that a tensor is there in the precision that is wanted."""
        if to_half and name not in halves:
            if name in weights:
                array = onnx.numpy_helper.to_array(weights[name]).astype(np.float16)
                graph.initializer.append(onnx.numpy_helper.from_array(array, f"{name}_half"))
            else:
                nodes.append(
                    onnx.helper.make_node(
                        "Cast", [name], [f"{name}_half"], f"{name}_to_half", to=HALF
                    )
                )
            halves.add(name)
        elif not to_half and name in made_half and name not in widened:
            nodes.append(
                onnx.helper.make_node(
                    "Cast", [f"{name}_half"], [name], f"{name}_to_float", to=FLOAT
                )
            )
            widened.add(name)

    for node in graph.node:
        in_half = (
            bool(deep.intersection(node.output))
            and node.op_type not in SENSITIVE
            and all(name in floats for name in node.output)
        )
        for index, name in enumerate(node.input):
            if name in floats or name in weights:
                cast(name, in_half)
                if in_half:
                    node.input[index] = f"{name}_half"
        nodes.append(node)
        if in_half:
            for index, name in enumerate(node.output):
                node.output[index] = f"{name}_half"
                halves.add(name)
                made_half.add(name)
    for name in outputs:
        cast(name, False)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    used = {name for node in graph.node for name in node.input}
    kept = [entry for entry in graph.initializer if entry.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    onnx.save(model, str(target))


def describe(path: Path, told: dict[str, Any]) -> None:
    """Put the variant's metadata into its file, and take out what names this machine."""
    model = onnx.load(str(path))
    entries = {entry.key: entry.value for entry in model.metadata_props} | {KEY: json.dumps(told)}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, entries)
    model.doc_string = ""
    onnx.save(model, str(path))


def mean_error(model: Path, heads: Sequence[str], data: Path) -> float:
    """Mean of the heads' mae, the landmarks given, so that the decoder alone is judged."""
    from scripts.train import evaluate

    found = []
    for name in heads:
        rig = evaluate.head(name, data)
        shapes, _ = evaluate.predicted(rig, model, True)
        region = evaluate.region_of(rig)
        unit = 0.5 * float(np.linalg.norm(np.ptp(rig.vertices[region], axis=0))) / 1000
        errors = [
            np.linalg.norm(shapes[key][region] - offsets[region], axis=1).mean()
            for key, offsets in rig.shapes.items()
        ]
        found.append(float(np.mean(errors)) / unit)
    return float(np.mean(found))


def feeds_of(model: Model, heads: Sequence[str], data: Path) -> list[dict[str, Any]]:
    """What the decoder is fed with on heads, CALIBRATION_RUNS pieces of it at most."""
    from scripts.train import evaluate

    feeds: list[dict[str, Any]] = []
    for name in heads:
        rig = evaluate.head(name, data)
        marks = {
            n: (float(p[0]), float(p[1]), float(p[2]))
            for n, p in rig.landmarks(rig.vertices, rig.shapes).items()
        }
        mesh = AvatarMesh(
            rig.vertices.astype(np.float32),
            rig.triangles.astype(np.int32),
            up=(0.0, 1.0, 0.0),
            landmarks=marks,
        )
        feeds += [
            fed for session, fed in recorded_runs(model, mesh, 52, None) if session is model.decoder
        ]
    step = max(1, len(feeds) // CALIBRATION_RUNS)
    return feeds[::step][:CALIBRATION_RUNS]


def time_part(model: Path, variant: Path, feeds: dict[str, Any]) -> float:
    """Median time of the variant as part of the model's, on one thread of the CPU, in turns."""
    from backend.inference.sessions import create

    settings = resolve({"threads": 1, "provider": "cpu"}, environment={})
    sessions = {
        name: create(read_model_file(path), path.name, 1, settings).session
        for name, path in (("model", model), ("variant", variant))
    }
    runs = {name: partial(session.run, None, feeds) for name, session in sessions.items()}
    times = in_turns(runs, 15)
    return statistics.median(times["variant"]) / statistics.median(times["model"])


def rise_of(model: Path, made: Path, base: float, heads: Sequence[str], data: Path) -> float:
    """By which part the mean error, `base`, rises with a variant in the place of the model: a pair
    of its own in a folder of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / model.name
        shutil.copy(made, pair)
        encoder = model.name.replace(".decoder.onnx", ".encoder.onnx")
        shutil.copy(model.with_name(encoder), Path(folder) / encoder)
        return mean_error(pair, heads, data) / base - 1


def quantise(
    model: Path, out: Path, heads: Sequence[str], data: Path, methods: Sequence[str]
) -> list[Measured]:
    """Make, measure and write; all that was measured."""
    loaded = load_model(model, resolve({"threads": 1, "provider": "cpu"}, environment={}))
    feeds = feeds_of(loaded, CALIBRATION, data)
    base = mean_error(model, heads, data)
    out.mkdir(parents=True, exist_ok=True)
    print(f"{model.name}: mae {base:.3f} on {', '.join(heads)}", flush=True)
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        if "tensorrt" in methods:
            tensorrt_table(model, out / f"{model.stem}.calibration", feeds)
            print(f"{model.stem}.calibration: a table of ranges, not measured", flush=True)
        kept = (
            sensitive(model, base, heads, data)
            if any(name.startswith("int8") for name in methods)
            else []
        )
        for name in kept:
            print(f"{name} stays float32 in int8")
        for method in (name for name in methods if name != "tensorrt"):
            made = Path(folder) / f"{method}.onnx"
            if method == "int8-dynamic":
                dynamic_int8(model, made, kept)
            elif method == "int8-static":
                static_int8(model, made, feeds, kept)
            else:
                half(model, made)
            rise = rise_of(model, made, base, heads, data)
            measured = Measured(
                method.partition("-")[0], method, made, rise, time_part(model, made, feeds[0])
            )
            print(
                f"{method:<14} mae {measured.rise:+.2%}, {measured.time:.2f} of the time,"
                f" {made.stat().st_size >> 10} KiB",
                flush=True,
            )
            found.append(measured)
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        for precision in {entry.precision for entry in found}:
            target = variant_path(out / model.name, precision)
            fit = sorted(
                (entry for entry in found if entry.precision == precision and entry.kept),
                key=lambda entry: entry.time,
            )
            if not fit:
                target.unlink(missing_ok=True)
                print(f"{precision}: none keeps the quality, so none is offered")
                continue
            told = {
                "precision": precision,
                "of": digest,
                "method": fit[0].method,
                "heads": list(heads),
            }
            describe(
                fit[0].path,
                told | {"mae_rise": round(fit[0].rise, 5), "time": round(fit[0].time, 3)},
            )
            shutil.copy(fit[0].path, target)
            print(f"{precision}: {target.name}, {fit[0].method}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        help="NAME.decoder.onnx; NAME.encoder.onnx lies beside it",
    )
    parser.add_argument("--out", type=Path, help="folder for the variants (default: the model's)")
    parser.add_argument(
        "--heads",
        default=",".join(MEASURED),
        help="heads to measure on, see scripts/train/evaluate.py (default %(default)s)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(),
        help="folder with train/ and avatars/, for heads that come from there",
    )
    parser.add_argument(
        "--methods", default="int8-dynamic,int8-static,fp16", help="default %(default)s"
    )
    options = parser.parse_args()
    methods = options.methods.split(",")
    unknown = set(methods) - {"int8-dynamic", "int8-static", "fp16", "tensorrt"}
    if unknown or not options.model.name.endswith(".decoder.onnx"):
        wrong = ", ".join(unknown) or options.model
        print(
            "Methods are int8-dynamic, int8-static, fp16 and tensorrt, the model is a"
            f" NAME.decoder.onnx; not {wrong}.",
            file=sys.stderr,
        )
        return 2
    try:
        quantise(
            options.model,
            options.out or options.model.parent,
            options.heads.split(","),
            options.data,
            methods,
        )
    except BackendError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
