# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's measurements: what is timed, and how. benchmark.py says what for."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..client import Client
from ..errors import BackendError
from ..face.geometry.landmarks import NAMES
from ..face.geometry.mesh import AvatarMesh
from ..face.shapes.shape_sets import load_sets
from . import hardware
from .cancellation import Cancellation
from .contract import PER_VERTEX
from .decoding import encode_with, shapes_of
from .loading import load_model
from .models import CHUNK, Model
from .onnx_file import read_model_file
from .reference import Reference
from .running import run_each
from .selftest import probe
from .sessions import Session
from .settings import Settings

Floats = NDArray[np.float32]

POINTS = 1024  # that locating shows the encoder
HEADS = 32  # crops that a bare run of the encoder sees at once
# repetitions where ratios near their targets are compared: beside a busy neighbour single ones
# differ by a third
LEAST = 9
BUDGET_S = 6.0  # a cell is repeated at most so long
_RADII, _CENTRE = np.array([1.1, 1.5, 1.2]), np.array([0.0, -0.4, -1.0])


def egg_head(count: int) -> AvatarMesh:
    """A head without a face, about `count` vertices, in canonical units, with all landmarks told,
    so that it needs no search.
    """
    columns = max(8, int(math.sqrt(count)))
    rows = max(4, round(count / columns))
    polar, around = np.meshgrid(
        np.linspace(0.01, np.pi - 0.01, rows),
        np.arange(columns) * 2 * np.pi / columns,
        indexing="ij",
    )
    unit = np.stack(
        [np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1
    ).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1], np.roll(index, -1, 1)[:-1], index[1:], np.roll(index, -1, 1)[1:]
    triangles = np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    ).astype(np.int32)
    flat = {
        "mouth_left": (0.35, -1.0),
        "mouth_right": (-0.35, -1.0),
        "lip_upper": (0.0, -0.95),
        "lip_lower": (0.0, -1.1),
    }
    flat |= {"nose_tip": (0.0, -0.5), "chin": (0.0, -1.6)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        places = {
            "eye_inner": (0.3, 0.0),
            "eye_outer": (0.7, 0.0),
            "lid_upper": (0.5, 0.1),
            "lid_lower": (0.5, -0.1),
        }
        for name, (x, y) in {**places, "brow_inner": (0.2, 0.3), "brow_outer": (0.8, 0.3)}.items():
            flat[f"{name}_{side}"] = (sign * x, y)
    landmarks = {name: _on_egg(*flat[name]) for name in NAMES}
    vertices = np.ascontiguousarray(unit * _RADII + _CENTRE, np.float32)
    return AvatarMesh(
        vertices=vertices, triangles=triangles, up=(0.0, 1.0, 0.0), landmarks=landmarks
    )


def _on_egg(x: float, y: float) -> tuple[float, float, float]:
    left = 1 - (x / _RADII[0]) ** 2 - ((y - _CENTRE[1]) / _RADII[1]) ** 2
    return x, y, float(_CENTRE[2] + _RADII[2] * math.sqrt(max(left, 0.0)))


def spread(times: Sequence[float]) -> dict[str, float]:
    """mean, std, min, max, p50 and p99 of seconds, to 0.1 ms."""
    ordered = sorted(times)
    found = {
        "mean": statistics.fmean(times),
        "std": statistics.pstdev(times),
        "min": ordered[0],
        "max": ordered[-1],
    }
    found |= {
        "p50": statistics.median(times),
        "p99": ordered[max(0, math.ceil(0.99 * len(ordered)) - 1)],
    }
    return {name: round(value, 4) for name, value in found.items()}


def in_turns(works: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, list[float]]:
    """Seconds of each work, run in turns so that a busy moment hits all of them; one round to warm
    up; at most BUDGET_S after two rounds.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    began = time.perf_counter()
    for round_ in range(repeat + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if round_:
                times[name].append(time.perf_counter() - start)
        if round_ >= 2 and time.perf_counter() - began > BUDGET_S * len(works):
            break
    return times


class Peak:
    """Highest resident memory of this process while it is entered, in MiB, looked at every few
    milliseconds.
    """

    def __init__(self) -> None:
        self.before = self.peak = 0.0
        self._done = threading.Event()

    def __enter__(self) -> Peak:
        self.before = self.peak = hardware.memory_mb()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.005):
            self.peak = max(self.peak, hardware.memory_mb())


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
            for part in _pieces(feeds):
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
    pieces = _pieces(feeds)
    for name, library in (("torch", torch), ("numpy", None)):
        if name == "torch" and torch is None:
            continue
        try:
            reference = Reference(data, library)
            expected = model.decoder.session.run(None, pieces[0])[0]
            error = float(np.abs(np.asarray(reference.run(pieces[0])[0]) - expected).max())
        except NotImplementedError as unknown:
            found[f"{name}_why"] = str(unknown)
            continue
        rows: dict[str, Any] = {"largest_difference": error}
        for threads in (
            sorted({1, hardware.thread_counts()[-1]}) if name == "torch" else (1,)
        ):  # numpy has one thread, see __main__.py
            own = load_model(
                Path(model.info.path), replace(model.encoder.settings, threads=threads)
            )
            if own.decoder is not None:
                works = _pieces(feeds, own.pieces(count))
                rows[str(threads)] = _compare(
                    own.decoder, works, reference, library, feeds, pieces, threads, repeat
                )
        found[name] = rows
    return found


def _compare(
    session: Session,
    own: list[dict[str, Floats]],
    reference: Reference,
    torch: Any,
    feeds: dict[str, Floats],
    pieces: list[dict[str, Floats]],
    threads: int,
    repeat: int,
) -> dict[str, float]:
    if torch is not None:
        torch.set_num_threads(threads)
    with _inference(torch):
        works: dict[str, Callable[[], object]] = {
            "ort": lambda: run_each(session, own, Cancellation()),
            "at_once": lambda: reference.run(feeds),
            "pieces": lambda: [reference.run(part) for part in pieces],
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


class Requests:
    """Whole requests to a real child over its pipe."""

    def __init__(
        self, path: Path | None, settings: Mapping[str, Any], conditions: Sequence[str]
    ) -> None:
        self._path, self._settings = path, dict(settings)
        known = load_sets()["arkit"].shapes
        self._arkit = all(condition in conditions for row in known.values() for condition in row)
        self._table = None if self._arkit else {name: {name: 1.0} for name in conditions[:52]}
        self.shapes = 52 if self._arkit else len(conditions[:52])

    def start(self, threads: int | None = None) -> Client:
        """A child, with a fixed number of threads if one is given. It may keep its modules
        compiled, as the add-on's may.
        """
        settings = self._settings if threads is None else {**self._settings, "threads": threads}
        return Client(preferences=settings, environment={"PYTHONDONTWRITEBYTECODE": ""})

    def send(self, client: Client, mesh: AvatarMesh) -> tuple[dict[str, Any], float, float]:
        """One request: its report, seconds from frame to the first shapes, and to the last
        frame.
        """
        fields: dict[str, Any] = {
            "bones": mesh.bones,
            "up": mesh.up,
            "landmarks": mesh.landmarks,
            "model": str(self._path) if self._path else None,
        }
        fields |= {"sets": ["arkit"]} if self._arkit else {"table": self._table}
        began, first = time.perf_counter(), 0.0
        for message in client.answers(client.send("generate", fields, mesh.arrays())):
            if message.header["type"] == "shapes" and not first:
                first = time.perf_counter() - began
            if message.header["type"] == "done":
                report: dict[str, Any] = message.header["report"]
        return report, first, time.perf_counter() - began

    def cold_start(self, mesh: AvatarMesh, repeat: int) -> dict[str, float]:
        """Seconds from starting the child to its hello, and to the first shapes of a first request;
        a first start, which compiles, does not count.
        """
        hellos: list[float] = []
        firsts: list[float] = []
        self.start().close()
        for _ in range(repeat):
            began = time.perf_counter()
            with self.start() as client:
                hellos.append(time.perf_counter() - began)
                started = time.perf_counter() - began
                firsts.append(started + self.send(client, mesh)[1])
        return {
            "hello_s": round(statistics.median(hellos), 4),
            "first_shapes_s": round(statistics.median(firsts), 4),
        }

    def frame_to_frame(self, model: Model, mesh: AvatarMesh, repeat: int) -> dict[str, Any]:
        """Seconds from the first byte of a request to the last of its answers, and of the same
        session runs bare, in turns: on all threads, as ONNX Runtime does by itself, one after
        another, crops by HEADS and vertices by CHUNK (`bare`) or all in one run (`once`), and
        several at once, as the backend does (`own`).
        """
        runs = recorded_runs(model, mesh, self.shapes if self._arkit else 0, self._table)
        own = [
            (part, [feeds for session, feeds in runs if session is part]) for part in model.parts
        ]
        crops = [(own[0][0].alone(), _crops(own[0][1]))]
        whole_head = [
            (part.alone(), [_joined(feeds)] if model.decoder else feeds) for part, feeds in own[1:]
        ]
        in_pieces = [
            (session, _pieces(feeds[0]) if model.decoder else feeds)
            for session, feeds in whole_head
        ]
        with self.start(model.threads) as client:
            report: dict[str, Any] = {}

            def whole() -> None:
                nonlocal report
                report = self.send(client, mesh)[0]

            def alone(runs: list[tuple[Any, list[Any]]]) -> None:
                for session, pieces in runs:
                    for feeds in pieces:
                        session.run(None, feeds)

            def several() -> None:
                for part, pieces in own:
                    run_each(part, pieces, Cancellation())

            works: dict[str, Callable[[], object]] = {
                "whole": whole,
                "bare": lambda: alone(crops + in_pieces),
                "own": several,
            }
            times = in_turns(
                works | {"once": lambda: alone(crops + whole_head)}, max(repeat, LEAST)
            )
        middle = statistics.median(times["whole"])
        kept = (
            "vertices",
            "face_vertices",
            "shapes",
            "threads",
            "provider_active",
            "precision",
            "seconds",
            "peak_memory_mb",
        )
        found: dict[str, Any] = {
            "request": spread(times.pop("whole")),
            **{name: spread(values) for name, values in times.items()},
        }
        found |= {"session_runs": len(runs), "threads_bare": model.threads}
        found |= {
            f"to_{name}": round(middle / statistics.median(values), 3)
            for name, values in times.items()
        }
        return found | {name: report[name] for name in kept}

    def growth(self, counts: Sequence[int], repeat: int) -> list[dict[str, Any]]:
        """Seconds and memory of whole requests for heads of each size, each size in a child of its
        own, so that its peak is its own.
        """
        rows: list[dict[str, Any]] = []
        for count in counts:
            mesh = egg_head(count)
            with self.start() as client:
                client.report("load", {"model": str(self._path) if self._path else None})
                loaded = client.report("stats")["memory_mb"]
                sent = [self.send(client, mesh) for _ in range(max(2, min(repeat, 3)))]
            report = sent[-1][0]
            answer = report["shapes"] * report["face_vertices"] * 12 / 2**20
            row = {
                "vertices": report["vertices"],
                "face_vertices": report["face_vertices"],
                "seconds": round(min(s[2] for s in sent), 4),
            }
            row |= {
                "loaded_mb": loaded,
                "peak_memory_mb": report["peak_memory_mb"],
                "answer_mb": round(answer, 1),
            }
            rows.append(
                row
                | {
                    "above_answer_mb": round(report["peak_memory_mb"] - answer, 1),
                    "stages": report["seconds"],
                }
            )
        return rows


def _pieces(feeds: Mapping[str, Floats], pieces: Sequence[slice] = ()) -> list[dict[str, Floats]]:
    """A decoder's feeds piece by piece, CHUNK vertices at a time if not told."""
    count = len(feeds[next(iter(PER_VERTEX))])
    even = [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]
    return [
        {n: a if n == "latent" else a[rows] for n, a in feeds.items()} for rows in pieces or even
    ]


def _joined(pieces: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """A decoder's feeds at once."""
    return {
        n: a if n == "latent" else np.concatenate([piece[n] for piece in pieces])
        for n, a in pieces[0].items()
    }


def _crops(feeds: Sequence[Mapping[str, Floats]]) -> list[dict[str, Floats]]:
    """An encoder's feeds, crops of one size together."""
    points = [feed["points"] for feed in feeds]
    alike = [
        np.concatenate([crops for crops in points if crops.shape[1] == count])
        for count in sorted({crops.shape[1] for crops in points})
    ]
    return [
        {"points": crops[start : start + HEADS]}
        for crops in alike
        for start in range(0, len(crops), HEADS)
    ]


def recorded_runs(
    model: Model, mesh: AvatarMesh, arkit: int, table: Any
) -> list[tuple[Session, dict[str, Floats]]]:
    """The session runs of one request: which session, and with what."""
    from ..face.shapes.shape_sets import parse_table
    from ..service.asked import Asked
    from ..service.generate import generate

    runs: list[tuple[Session, dict[str, Floats]]] = []

    def recording(part: Session) -> Callable[..., Any]:
        real = part.run

        def record(feeds: Mapping[str, Floats], options: Any) -> Any:
            runs.append((part, dict(feeds)))
            return real(feeds, options)

        return record

    tables = {"arkit": load_sets()["arkit"].shapes} if arkit else {"table": parse_table(table)}
    for part in model.parts:
        setattr(part, "run", recording(part))  # noqa: B010  (mypy does not let a method be assigned)
    try:
        for _ in generate(mesh, Asked(tables), model, lambda *_: None, Cancellation()):
            pass
    finally:
        for part in model.parts:
            delattr(part, "run")
    return runs
