# SPDX-License-Identifier: GPL-3.0-or-later
"""How long things take on this machine: the child's start, each stage of a request, the bare sessions, and memory.

Every figure is the median of the runs, in seconds or MiB. The child is a real one, spoken to over its pipe.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from ..face.mesh import AvatarMesh
from ..face.shape_sets import load_sets, weights_of
from ..protocol import Message, read_message, write_message
from .hardware import hardware
from .models import CHUNK, PER_VERTEX, Model, load_model, shapes_of
from .sessions import Cancellation, run, runtime_version
from .settings import MAX_THREADS, resolve

Floats = NDArray[np.float32]

PACKAGE = Path(__file__).resolve().parents[1]
MAX_VERTICES = 2_000_000
SETS = ("arkit", "vrchat")


def benchmark(mesh: AvatarMesh | None, vertices: int, model_path: Path | None, threads: int | None, repeat: int) -> dict[str, Any]:
    """Measure; a dictionary for JSON. Without a mesh there is no face to find: then the model alone is measured, on a grid of `vertices`.

    Raises BackendError: `setting_invalid`, and whatever loading the model or the request itself raises.
    """
    if repeat < 1 or not 1 <= vertices <= MAX_VERTICES or not 1 <= (1 if threads is None else threads) <= MAX_THREADS:
        what = f"--repeat {repeat}, --vertices {vertices}, --threads {threads}"
        raise BackendError(
            "setting_invalid", f"One of {what} is out of range.", f"Use 1 or more, vertices to {MAX_VERTICES}, threads to {MAX_THREADS}."
        )
    report: dict[str, Any] = {
        "hardware": asdict(hardware()),
        "onnxruntime": runtime_version(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "repeat": repeat,
        "child": _child(mesh, model_path, threads, repeat),
    }
    model = load_model(model_path, resolve({"threads": threads}))
    report["threads"] = model.threads
    report["provider"] = asdict(model.use)
    count = vertices if mesh is None else report["child"]["face_vertices"]
    report["model"] = {"vertices": count, **_model_alone(model, count, repeat)}
    return report


def grid(count: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Vertices (count,3), normals (count,3), parts (count,6) and sides (count,2) of a flat square from -1 to 1, in canonical units."""
    side = int(np.ceil(np.sqrt(count)))
    across, along = np.meshgrid(np.linspace(-1, 1, side, dtype=np.float32), np.linspace(-1, 1, side, dtype=np.float32))
    vertices = np.stack([across.ravel(), along.ravel(), np.zeros(side * side, np.float32)], axis=1)[:count]
    normals = np.tile(np.array([0, 0, 1], np.float32), (count, 1))
    return np.ascontiguousarray(vertices), normals, np.tile(np.array([0, 0, 0, 1, 1, 0], np.float32), (count, 1)), np.zeros((count, 2), np.float32)


def _model_alone(model: Model, count: int, repeat: int) -> dict[str, float]:
    """Seconds for `count` vertices: the sessions alone, and with the product that makes the shapes."""
    face = grid(count)
    tables = [load_sets()[name].shapes for name in SETS]
    known = model.info.condition_names
    if all(condition in known for table in tables for row in table.values() for condition in row):
        weights = np.concatenate([weights_of(table, known) for table in tables])
    else:
        weights = np.eye(len(known), dtype=np.float32)  # a model with conditions of its own: one shape for each
    cancellation = Cancellation()
    found: dict[str, float] = {"shapes": len(weights)}
    latent = run(model.encoder, {"points": np.concatenate(face[:2], axis=1)[None, :1024]}, cancellation)[0]

    def sessions_alone() -> None:
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            feeds = {name: array[part] for name, array in zip(PER_VERTEX, face, strict=True)} | {"latent": latent}
            if model.decoder is not None:
                run(model.decoder, feeds, cancellation)

    if model.decoder is not None:
        found["sessions_s"] = _median(sessions_alone, repeat)
    found["shapes_s"] = _median(lambda: shapes_of(model, (*face, latent), weights, cancellation), repeat)
    if model.decoder is not None:
        found["overhead"] = round(found["shapes_s"] / found["sessions_s"], 3)
    return found


def _child(mesh: AvatarMesh | None, model_path: Path | None, threads: int | None, repeat: int) -> dict[str, Any]:
    """Start a child `repeat` times; in the last one, send the mesh's request `repeat` times."""
    starts: list[float] = []
    for index in range(repeat):
        began = time.perf_counter()
        process = _start(threads)
        try:
            _read(process)
            starts.append(time.perf_counter() - began)
            if index == repeat - 1:
                return {"start_s": round(statistics.median(starts), 4), **_requests(process, mesh, model_path, repeat)}
        finally:
            process.kill()
            process.communicate()
    raise AssertionError("repeat is at least 1")


def _requests(process: subprocess.Popen[bytes], mesh: AvatarMesh | None, model_path: Path | None, repeat: int) -> dict[str, Any]:
    model = str(model_path) if model_path else None
    began = time.perf_counter()
    _ask(process, {"type": "load", "id": 0, "model": model}, {})
    found: dict[str, Any] = {"load_s": round(time.perf_counter() - began, 4)}
    if mesh is None:
        return found
    arrays = {"vertices": mesh.vertices, "triangles": mesh.triangles, "head_weights": mesh.head_weights, "mask": mesh.mask}
    sent = {name: array for name, array in arrays.items() if array is not None}
    whole: list[float] = []
    stages: list[Mapping[str, float]] = []
    for index in range(repeat + 1):
        began = time.perf_counter()
        report = _ask(process, {"type": "generate", "id": index + 1, "model": model, "sets": list(SETS)}, sent)
        took = time.perf_counter() - began
        if index == 0:
            found["first_request_s"] = round(took, 4)
            continue  # the first one also fills caches and starts threads
        whole.append(took)
        stages.append(report["seconds"])
    found["request_s"] = round(statistics.median(whole), 4)
    found["stages_s"] = {stage: round(statistics.median(s[stage] for s in stages), 4) for stage in stages[0]}
    return found | {key: report[key] for key in ("vertices", "face_vertices", "shapes", "peak_memory_mb")}


def _start(threads: int | None) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if threads:
        environment["BLENDSHAPE_THREADS"] = str(threads)
    command = [sys.executable, "-m", PACKAGE.name, "serve"]
    return subprocess.Popen(command, cwd=PACKAGE.parent, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ask(process: subprocess.Popen[bytes], header: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request and read to its end; its report. An `error` is raised as the BackendError that it was."""
    write_message(_pipe(process.stdin), header, arrays)
    while True:
        answer = _read(process).header
        if answer["type"] == "error":
            raise BackendError(answer["code"], answer["message"], answer["fix"])
        if answer["type"] == "done":
            report: dict[str, Any] = answer["report"]
            return report


def _read(process: subprocess.Popen[bytes]) -> Message:
    message = read_message(_pipe(process.stdout))
    if message is None:
        raise BackendError("internal", f"The child ended with exit code {process.wait()}.", "Look at what it printed above.")
    return message


def _pipe(stream: Any) -> BinaryIO:
    pipe: BinaryIO = stream
    return pipe


def _median(work: Callable[[], object], repeat: int) -> float:
    """Median seconds of `repeat` runs after one that does not count."""
    work()
    times: list[float] = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times), 4)
