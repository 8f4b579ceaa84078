# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's measurements of whole requests to a real child over its pipe."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.face.geometry.mesh import AvatarMesh
from backend.face.shapes.shape_sets import load_sets
from backend.inference.cancellation import Cancellation
from backend.inference.models import Model
from backend.inference.running import run_each
from backend.inference.sessions import Session
from scripts.bench.recorded import alike, joined, pieces_of, recorded_runs, together
from scripts.bench.runner import LARGER
from scripts.bench.timing import LEAST, egg_head, in_turns, spread
from scripts.tools.client import Client

Floats = NDArray[np.float32]
# what is told of a request's own report
REPORTED = (
    "vertices",
    "face_vertices",
    "shapes",
    "threads",
    "provider_active",
    "precision",
    "seconds",
    "peak_memory_mb",
)


class Requests:
    """Whole requests to a real child over its pipe."""

    def __init__(
        self, path: Path | None, settings: Mapping[str, Any], conditions: Sequence[str]
    ) -> None:
        self._path, self._settings, self._sent = path, dict(settings), 0
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
        # a little larger each time: a face that was found is not looked for again
        self._sent += 1
        arrays = mesh.arrays()
        arrays["vertices"] = mesh.vertices * np.float32(1 + self._sent * LARGER)
        began, first = time.perf_counter(), 0.0
        for message in client.answers(client.send("generate", fields, arrays)):
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
        with self.start(model.threads) as client:
            report: dict[str, Any] = {}

            def whole() -> None:
                nonlocal report
                report = self.send(client, mesh)[0]

            works = {"whole": whole, **_bare_works(model, runs)}
            times = in_turns(works, max(repeat, LEAST))
        middle = statistics.median(times["whole"])
        found: dict[str, Any] = {
            "request": spread(times.pop("whole")),
            **{name: spread(values) for name, values in times.items()},
        }
        found |= {"session_runs": len(runs), "threads_bare": model.threads}
        found |= {
            f"to_{name}": round(middle / statistics.median(values), 3)
            for name, values in times.items()
        }
        return found | {name: report[name] for name in REPORTED}

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


def _bare_works(
    model: Model, runs: Sequence[tuple[Session, dict[str, Floats]]]
) -> dict[str, Callable[[], object]]:
    """The session runs of a request without all else, in the ways that `frame_to_frame` names."""
    own = [(part, [feeds for session, feeds in runs if session is part]) for part in model.parts]
    crops = [(own[0][0].alone(), together(own[0][1]))]
    whole_head = [
        (part.alone(), [*map(joined, alike(feeds))] if model.decoder else feeds)
        for part, feeds in own[1:]
    ]
    in_pieces = [
        (
            session,
            [piece for feed in feeds for piece in pieces_of(feed)] if model.decoder else feeds,
        )
        for session, feeds in whole_head
    ]

    def alone(runs: list[tuple[Any, list[Any]]]) -> None:
        for session, pieces in runs:
            for feeds in pieces:
                session.run(None, feeds)

    def several() -> None:
        for part, pieces in own:
            run_each(part, pieces, Cancellation())

    return {
        "bare": lambda: alone(crops + in_pieces),
        "own": several,
        "once": lambda: alone(crops + whole_head),
    }
