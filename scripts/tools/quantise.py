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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

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
from scripts.tools.half_variant import half  # noqa: E402
from scripts.tools.integer_variants import (  # noqa: E402
    dynamic_int8,
    named,
    products,
    static_int8,
    tensorrt_table,
)

CALIBRATION = ("modelled7", "modelled8", "modelled9", "modelled10")
MEASURED = ("modelled1", "modelled2", "modelled3", "modelled4")
CALIBRATION_RUNS = 96
ALONE = 0.01  # rise of the mean error by one product in int8 from which on it stays float32


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
    def good(self) -> bool:
        """Whether it may be offered."""
        return self.rise < MAX_RISE


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
    from scripts.train import evaluate, held_out, scores

    found = []
    for name in heads:
        rig = held_out.head(name, data)
        shapes, _ = evaluate.predicted(rig, model, True)
        region = scores.region_of(rig)
        unit = 0.5 * float(np.linalg.norm(np.ptp(rig.vertices[region], axis=0))) / 1000
        errors = [
            np.linalg.norm(shapes[key][region] - offsets[region], axis=1).mean()
            for key, offsets in rig.shapes.items()
        ]
        found.append(float(np.mean(errors)) / unit)
    return float(np.mean(found))


def feeds_of(model: Model, heads: Sequence[str], data: Path) -> list[dict[str, Any]]:
    """What the decoder is fed with on heads, CALIBRATION_RUNS pieces of it at most."""
    from scripts.train import held_out

    feeds: list[dict[str, Any]] = []
    for name in heads:
        rig = held_out.head(name, data)
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


def make(
    model: Path, made: Path, method: str, feeds: Sequence[dict[str, Any]], exact: Sequence[str]
) -> None:
    """Write one variant of the model to `made`; exact: products that stay float32 in int8."""
    if method == "int8-dynamic":
        dynamic_int8(model, made, exact)
    elif method == "int8-static":
        static_int8(model, made, feeds, exact)
    else:
        half(model, made)


def offer(model: Path, target: Path, variants: Sequence[Measured], heads: Sequence[str]) -> None:
    """Write the fastest of a precision's variants that keeps the quality to `target`, or remove
    what lies there from before.
    """
    precision = variants[0].precision
    fit = min((each for each in variants if each.good), key=lambda each: each.time, default=None)
    if fit is None:
        target.unlink(missing_ok=True)
        print(f"{precision}: none keeps the quality, so none is offered")
        return
    told = {
        "precision": precision,
        "of": hashlib.sha256(model.read_bytes()).hexdigest(),
        "method": fit.method,
        "heads": list(heads),
        "mae_rise": round(fit.rise, 5),
        "time": round(fit.time, 3),
    }
    describe(fit.path, told)
    shutil.copy(fit.path, target)
    print(f"{precision}: {target.name}, {fit.method}")


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
        integer = any(name.startswith("int8") for name in methods)
        exact = sensitive(model, base, heads, data) if integer else []
        for name in exact:
            print(f"{name} stays float32 in int8")
        for method in (name for name in methods if name != "tensorrt"):
            made = Path(folder) / f"{method}.onnx"
            make(model, made, method, feeds, exact)
            rise, time = rise_of(model, made, base, heads, data), time_part(model, made, feeds[0])
            found.append(Measured(method.partition("-")[0], method, made, rise, time))
            size = made.stat().st_size >> 10
            print(f"{method:<14} mae {rise:+.2%}, {time:.2f} of the time, {size} KiB", flush=True)
        for precision in {entry.precision for entry in found}:
            same = [entry for entry in found if entry.precision == precision]
            offer(model, variant_path(out / model.name, precision), same, heads)
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
        help="heads to measure on, see scripts/train/held_out.py (default %(default)s)",
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
