# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's measurements of sessions: what is timed, and how. benchmark.py says what for."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from backend.errors import BackendError
from backend.inference import hardware
from backend.inference.cancellation import Cancellation
from backend.inference.contract import PER_VERTEX
from backend.inference.decoding import encode_with, shapes_of
from backend.inference.loading import load_model
from backend.inference.models import Model
from backend.inference.onnx_file import read_model_file
from backend.inference.running import run_each
from backend.inference.selftest import probe
from backend.inference.sessions import Session
from backend.inference.settings import Settings
from scripts.bench.recorded import pieces_of
from scripts.bench.timing import LEAST, Peak, in_turns, spread
from scripts.bench.torch_graph import TorchGraph

Floats = NDArray[np.float32]
POINTS = 1024  # that locating shows the encoder


def cell(model: Model, heads: int, count: int, repeat: int) -> dict[str, Any]:
    """`heads` heads of `count` vertices through encoder, decoder and the product that makes the
    shapes, against the bare session runs.
    """
    shapes = _shapes_work(model, count)
    feeds = probe(model.parts[1].session.get_inputs(), count)
    encoder, decoder = (part.alone() for part in model.parts)
    encode = encode_with(model, Cancellation())
    points = np.repeat(probe(model.encoder.session.get_inputs(), POINTS)["points"], heads, axis=0)

    def whole() -> None:
        encode(points)
        for _ in range(heads):
            shapes()

    def bare() -> None:
        encoder.run(None, {"points": points})
        for _ in range(heads):
            for part in pieces_of(feeds):
                decoder.run(None, part)

    with Peak() as memory:
        times = in_turns({"whole": whole, "bare": bare}, repeat)
    middle, bare_middle = (statistics.median(times[name]) for name in ("whole", "bare"))
    return {
        "batch": heads,
        "vertices": count,
        "runs": len(times["whole"]),
        **spread(times["whole"]),
        "vertices_per_s": round(heads * count / middle),
        "heads_per_s": round(heads / middle, 2),
        "bare_p50": round(bare_middle, 4),
        "to_bare": round(middle / bare_middle, 3),
        "peak_memory_mb": round(memory.peak, 1),
    }


def int8_against_fp32(
    path: Path | None, on_cpu: Settings, threads: Sequence[int], count: int, repeat: int
) -> dict[str, Any]:
    """One head of `count` vertices on the CPU in fp32 and in int8, in turns, on each number of
    threads; why not where int8 is not offered.
    """
    found: dict[str, Any] = {"vertices": count}
    for number in sorted(set(threads)):
        try:
            asked = {
                name: replace(on_cpu, precision=name, strict=True, threads=number)
                for name in ("fp32", "int8")
            }
            works = {
                name: _head_work(load_model(path, settings), count)
                for name, settings in asked.items()
            }
        except BackendError as error:
            return found | {"why": error.message}
        times = {
            name: statistics.median(values)
            for name, values in in_turns(works, max(repeat, LEAST)).items()
        }
        found[str(number)] = {f"{name}_s": round(value, 4) for name, value in times.items()} | {
            "to_fp32": round(times["int8"] / times["fp32"], 3)
        }
    return found


def against_libraries(model: Model, count: int, repeat: int) -> dict[str, Any]:
    """The decoder on `count` vertices: ONNX Runtime as it is used, PyTorch eager and numpy (at
    once, and in pieces), per thread count.
    """
    found: dict[str, Any] = {"vertices": count, "torch": None, "numpy": None}
    if model.decoder is None or model.use.active != "CPUExecutionProvider":
        return found | {"why": "the model has no decoder on the CPU"}
    try:
        import torch
    except ImportError:
        torch = None
    data = read_model_file(Path(model.info.path))
    feeds = probe(model.decoder.session.get_inputs(), count)
    most = hardware.thread_counts()[-1]
    # numpy has one thread, see backend/__main__.py
    libraries: dict[str, tuple[Callable[[], Any], Any, set[int]]] = {
        "numpy": (lambda: ReferenceEvaluator(data), None, {1})
    }
    if torch is not None:
        libraries["torch"] = (lambda: TorchGraph(data, torch), torch, {1, most})
    for name, (made, library, threads) in libraries.items():
        try:
            other = Other(made(), library, feeds)
            found[name] = other.compared(model, sorted(threads), repeat)
        except NotImplementedError as unknown:
            found[f"{name}_why"] = str(unknown)
    return found


@dataclass(frozen=True)
class Other:
    """The decoder in another library. graph: has `run(None, feeds)`, as InferenceSession has."""

    graph: Any
    torch: Any
    feeds: dict[str, Floats]

    def compared(self, model: Model, counts: Sequence[int], repeat: int) -> dict[str, Any]:
        """Times and their ratios for each number of threads, and how far the results differ."""
        pieces = pieces_of(self.feeds)
        decoder = model.parts[1].session
        right, got = decoder.run(None, pieces[0])[0], self.graph.run(None, pieces[0])[0]
        rows: dict[str, Any] = {"largest_difference": float(np.abs(np.asarray(got) - right).max())}
        vertices = len(self.feeds[next(iter(PER_VERTEX))])
        for threads in counts:
            own = load_model(
                Path(model.info.path), replace(model.encoder.settings, threads=threads)
            )
            if self.torch is not None:
                self.torch.set_num_threads(threads)
            if own.decoder is not None:
                as_used = pieces_of(self.feeds, own.pieces(vertices))
                rows[str(threads)] = self._timed(own.decoder, as_used, pieces, repeat)
        return rows

    def _timed(
        self,
        decoder: Session,
        as_used: list[dict[str, Floats]],
        pieces: list[dict[str, Floats]],
        repeat: int,
    ) -> dict[str, float]:
        with _inference(self.torch):
            works: dict[str, Callable[[], object]] = {
                "ort": lambda: run_each(decoder, as_used, Cancellation()),
                "at_once": lambda: self.graph.run(None, self.feeds),
                "pieces": lambda: [self.graph.run(None, part) for part in pieces],
            }
            times = {
                name: statistics.median(values) for name, values in in_turns(works, repeat).items()
            }
        found = {f"{name}_s": round(value, 4) for name, value in times.items()}
        return found | {
            "ort_to_at_once": round(times["ort"] / times["at_once"], 3),
            "ort_to_pieces": round(times["ort"] / times["pieces"], 3),
        }


@contextmanager
def _inference(torch: Any) -> Iterator[None]:
    if torch is None:
        yield
    else:
        with torch.inference_mode():
            yield


def threads_trial(path: Path | None, settings: Settings, count: int, repeat: int) -> dict[str, Any]:
    """Seconds for `count` vertices with automatic threads and with each fixed number, idle and with
    one core kept busy.
    """
    found: dict[str, Any] = {}
    for state in ("idle", "busy"):
        with _busy_core(state == "busy"):
            automatic = load_model(path, settings)
            automatic.try_threads()
            works = {"auto": _shapes_work(automatic, count)}
            for threads in hardware.thread_counts():
                works[str(threads)] = _shapes_work(
                    load_model(path, replace(settings, threads=threads)), count
                )
            runs = in_turns(works, max(repeat, LEAST))
            chosen = str(
                automatic.threads
                # is the same as one of the fixed numbers: what differs is where the system puts the
                # threads
            )
            runs["auto"] = runs[chosen] = runs["auto"] + runs.get(chosen, [])
            times = {name: statistics.median(values) for name, values in runs.items()}
        best = min(value for name, value in times.items() if name != "auto")
        found[state] = {name: round(value, 4) for name, value in times.items()}
        found[state] |= {
            "chosen": automatic.threads,
            "auto_to_best": round(times["auto"] / best, 3),
        }
    return found


def _head_work(model: Model, count: int) -> Callable[[], object]:
    shapes, points = (
        _shapes_work(model, count),
        probe(model.encoder.session.get_inputs(), POINTS)["points"],
    )
    encode = encode_with(model, Cancellation())
    return lambda: (encode(points), shapes())


def _shapes_work(model: Model, count: int) -> Callable[[], object]:
    if model.decoder is None:
        raise BackendError(
            "model_contract",
            "A plain model has no decoder to measure.",
            "Measure it with whole requests.",
        )
    feeds = probe(model.decoder.session.get_inputs(), count)
    face: Any = (*(feeds[name] for name in PER_VERTEX), feeds["latent"])
    weights = np.eye(len(model.info.conditions), dtype=np.float32)
    return lambda: shapes_of(model, face, weights, Cancellation())


@contextmanager
def _busy_core(wanted: bool) -> Iterator[None]:
    """Another process that never rests."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if wanted else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()
