# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: from an avatar's mesh and tables of shapes to offsets in object space, stage by
stage.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engine.hardware import peak_memory_mb, trim_memory
from .engine.models import Model, encode_with, shapes_of
from .engine.sessions import Cancellation
from .errors import BackendError
from .face import pipeline
from .face.analyse import rest
from .face.correct.sizes import STYLE
from .face.geometry.mesh import AvatarMesh, check
from .face.geometry.mirror import Each
from .face.locate import worn
from .face.locate.face import Face, Place
from .face.locate.search import agreed
from .face.pipeline import Pair, Plain
from .face.shapes import goals
from .face.shapes.combinations import Combination
from .face.shapes.derived import derivable
from .face.shapes.regions import factors
from .face.shapes.shape_sets import Table, weights_of

Floats = NDArray[np.float32]
OnProgress = Callable[[str, float], None]

MAX_STRENGTH = 10.0
MAX_BYTES = 1 << 30  # of all offsets together; a request needs about three times as much
LARGE = (
    1 << 24
    # bytes of all offsets together from which on the holes that freed arrays leave are given back:
    # a millisecond each time
)
LARGE_FACE = (
    1 << 14
    # vertices from which on several threads work on shapes: on fewer, handing Python's lock over
    # takes longer than it saves
)
BESIDE = 4  # of these at most: each takes memory
# Share of the whole request that is done when a stage ends; measured on 28,646 vertices and 67
# shapes.
_LOCATED, _COMPUTED = 0.5, 0.85


@dataclass(frozen=True)
class Shapes:
    """A table's shapes. set_name: of the set, or `table`. names: N keys. offsets: float32 (N,F,3),
    object space, of the face's vertices. confidence: float32 (N,), 0 to 1: how sure the face is,
    times how far shapes of that kind may be trusted; 0 for one that moves nothing.
    """

    set_name: str
    names: tuple[str, ...]
    offsets: Floats
    confidence: Floats


@dataclass
class Report:
    """What happened in one request; `as_dict` is what travels. seconds: by stage. Memory in MiB.
    combinations: see face/shapes/combinations.py. findings: of face/analyse/rest.py, as plain data;
    their words are among the warnings, too.
    """

    vertices: int
    loaded: Model
    seconds: dict[str, float] = field(default_factory=dict)
    face_vertices: int = 0
    shapes: int = 0
    confidence: float = 0.0
    warnings: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    peak_memory_mb: float = 0.0
    combinations: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.loaded.info.name

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, seconds rounded to 0.1 ms and memory to 0.1 MiB; what the model runs
        on is told as it is now.
        """
        own = {name: value for name, value in vars(self).items() if name != "loaded"}
        own["seconds"] = {stage: round(value, 4) for stage, value in self.seconds.items()}
        return {
            **own,
            "model": self.model,
            **self.loaded.engine(),
            "peak_memory_mb": round(peak_memory_mb(), 1),
        }

    def found(self, findings: Sequence[rest.Finding]) -> None:
        """Take over what the face at rest is like."""
        self.confidence = rest.of_face(self.confidence, findings)
        self.warnings.extend(finding.words for finding in findings)
        self.findings.extend(finding.as_dict() for finding in findings)

    def held(self, poses: Sequence[Combination]) -> None:
        """Take over how shapes that are driven together hold."""
        self.combinations = {pose.name: round(pose.value, 3) for pose in poses}
        self.warnings.extend(f"Look at this pose: {pose.words}." for pose in poses if not pose.good)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to `seconds[name]`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def new_report(mesh: AvatarMesh, model: Model) -> Report:
    """A report that holds what is known before the work begins."""
    return Report(len(mesh.vertices), model, warnings=model.warnings)


def find_face(
    mesh: AvatarMesh,
    model: Model,
    report: Report,
    on_progress: OnProgress,
    cancellation: Cancellation,
    share: float = 1.0,
    upright: bool = False,
    lanes: Executor | None = None,
) -> Face:
    """Check the mesh and locate the face, see `locate`; progress runs to `share`. lanes: threads
    for the model's runs.

    Raises BackendError: mesh_*, `no_face`, `cancelled`, `model_contract`.
    """

    def progress(fraction: float) -> None:
        cancellation.check()
        on_progress("locate", fraction * share)

    with report.stage("check"):
        cancellation.check()
        check(mesh)
    with (
        report.stage("locate"),
        nullcontext(lanes) if lanes else ThreadPoolExecutor(_lanes(model), "lane") as pool,
    ):
        encode = encode_with(model, cancellation, pool)
        names = model.info.landmarks

        def find(seen: AvatarMesh, level: bool) -> Place:
            return pipeline.locate(seen, encode, names, progress, upright or level, model.lanes)

        face = worn.located(mesh, names, find, lambda place: agreed(place, mesh, encode))
        progress(1.0)
    cancellation.check()
    report.face_vertices = len(face.indices)
    report.confidence = float(face.confidence)
    report.warnings.extend(face.warnings)
    return face


def generate(
    mesh: AvatarMesh,
    tables: Mapping[str, Table],
    strength: float,
    model: Model,
    on_progress: OnProgress,
    cancellation: Cancellation,
    regions: object = None,
    style: float = STYLE,
    turn_eyes: bool = False,
) -> Iterator[Face | Shapes | Report]:
    """Yield the Face, then the Shapes of each table as they are ready, then the Report: the steps
    of face/pipeline.py, with threads and progress.

    tables: by the name of the set, or `table`. strength: factor on all offsets, above 0 to 10;
    regions: {region: factor}, see shapes/regions.py. style: 0 subtle to 1 bold, see
    correct/sizes.py. turn_eyes: eyeLook shapes turn eyeballs also where bones do. on_progress gets
    the stage's name and the fraction of the whole. Raises BackendError, see errors.CODES; bad
    requests are refused before any work.
    """
    keys = _keys(tables, model, strength, style, regions)
    report = new_report(mesh, model)
    began = time.perf_counter()
    pools = (
        ThreadPoolExecutor(_lanes(model), "lane"),
        ThreadPoolExecutor(min(model.threads, BESIDE), "rules"),
    )
    with pools[0] as lanes, pools[1] as beside:
        face = find_face(mesh, model, report, on_progress, cancellation, _LOCATED, lanes=lanes)
        yield face

        count = sum(map(len, tables.values()))
        trim = _trimming(count, face)
        threads, shared = (beside.map, 2) if len(face.indices) >= LARGE_FACE else (map, 1)
        each = _until_cancelled(threads, cancellation)

        def network(seen: tuple[Floats, ...], asked: Floats) -> Floats:
            return shapes_of(model, seen, asked, cancellation, progress, lanes)  # type: ignore[arg-type]

        def progress(fraction: float) -> None:
            on_progress("model", _LOCATED + fraction * (_COMPUTED - _LOCATED))

        with report.stage("model"):
            names = model.info.landmarks if isinstance(keys, Pair) else ()
            look = lanes.submit(
                pipeline.analyse, face, mesh, names
            )  # beside the runs, on one of their threads: no more than were asked for
            look.add_done_callback(lambda _: trim())
            offsets = pipeline.predict(network, face, keys.asked)
            looked = look.result()
        report.found(looked.findings)
        with report.stage("rules"):
            pipeline.smooth(offsets, looked, each, shared)
            trim()
            pipeline.correct(keys, looked, face, mesh, offsets, each, turn_eyes)
            report.found(keys.missed)
            report.held(
                keys.poses(looked, _own(tables), lambda conditions: factors(regions, conditions))
            )
        cancellation.check()
        if isinstance(keys, Plain):
            report.warnings.extend(_limited(model, keys.asked))
        trim()

        first, last = 0, list(tables)[-1]
        for name, table in tables.items():
            rows = slice(first, first + len(table))
            out = (
                offsets[: len(table)]
                if keys.replaces and name == last
                else np.empty((len(table), len(face.indices), 3), np.float32)
            )

            def mix(row: int, rows: slice = rows, out: Floats = out) -> bool:
                return pipeline.mix(keys, face, rows.start + row, strength, out[row])

            with report.stage("frame"):
                moves = np.array(list(_until_cancelled(map, cancellation)(mix, range(len(table)))))
            first = rows.stop
            on_progress("rules", _COMPUTED + first / count * (1 - _COMPUTED))
            yield Shapes(
                name,
                tuple(table),
                out,
                np.where(moves, face.confidence * keys.sure(rows), 0).astype(np.float32),
            )

    report.shapes = first
    report.seconds["total"] = time.perf_counter() - began
    yield report


def _keys(
    tables: Mapping[str, Table], model: Model, strength: float, style: float, regions: object
) -> Pair | Plain:
    """What is asked for, of a model of either kind. Raises BackendError."""
    weights, extra = _all_weights(tables, model, strength, style, regions)
    if model.plain is not None:
        return Plain(weights)
    aims = goals.wanted(tables, lambda conditions: factors(regions, conditions))
    return Pair(
        model.info.condition_names, weights, extra, len(list(tables.values())[-1]), aims, style
    )


def _own(tables: Mapping[str, Table]) -> set[str]:
    """The conditions that have a key of their own."""
    return {
        name for table in tables.values() for row in table.values() if len(row) == 1 for name in row
    }


def _trimming(count: int, face: Face) -> Callable[[], None]:
    """What gives freed memory back, where `count` shapes of a face are worth it. Raises
    BackendError `out_of_memory` for too many.
    """
    needed = count * len(face.indices) * 12
    if needed > MAX_BYTES:
        what = (
            f"{count} shapes on {len(face.indices)} vertices need {needed / 2**30:.1f} GiB, more"
            " than is allowed."
        )
        raise BackendError(
            "out_of_memory",
            what,
            "Ask for fewer shapes at a time, or mark the face with a vertex group.",
        )
    if needed <= LARGE:
        return lambda: None
    trim_memory()
    return trim_memory


def _until_cancelled(each: Each, cancellation: Cancellation) -> Each:
    """`map`, or that of an executor, that looks for a cancel before each piece of work."""

    def run(work: Callable[[Any], Any], pieces: Iterable[Any]) -> Iterable[Any]:
        def one(piece: Any) -> Any:
            cancellation.check()
            return work(piece)

        return each(one, pieces)

    return run


def _lanes(model: Model) -> int:
    """Threads for the model's runs and the look at the mesh: that costs runs elsewhere than on the
    CPU nothing.
    """
    return model.lanes if model.parts[-1].provider == "cpu" else model.lanes + 1


def _all_weights(
    tables: Mapping[str, Table], model: Model, strength: float, style: float, regions: object
) -> tuple[Floats, dict[str, Floats]]:
    """Weights float32 (N,K) of all tables, one after the other, those (N,) of the derived
    conditions in use, and early refusals.
    """
    if not tables:
        raise BackendError(
            "unknown_set", "No shapes were asked for.", "Name at least one set or give a table."
        )
    if not math.isfinite(strength) or not 0 < strength <= MAX_STRENGTH:
        raise BackendError(
            "setting_invalid",
            f"The strength is {strength:g}.",
            f"Choose one above 0 and up to {MAX_STRENGTH:g}.",
        )
    if not 0 <= style <= 1:
        raise BackendError(
            "setting_invalid", f"The style is {style:g}.", "Choose one from 0, subtle, to 1, bold."
        )
    seen: dict[str, str] = {}
    for name, table in tables.items():
        for key in table:
            if key in seen:
                raise BackendError(
                    "table_invalid",
                    f"The key {key!r} is in both {seen[key]} and {name}.",
                    "Rename it in your table.",
                )
            seen[key] = name
    own = model.info.condition_names
    built = derivable(own) if model.plain is None else []
    weights = np.concatenate(
        [weights_of(table, [*own, *built]) for table in tables.values()]
    ) * factors(regions, [*own, *built])
    extra = {
        name: column
        for name, column in zip(built, weights[:, len(own) :].T, strict=True)
        if column.any()
    }
    return np.ascontiguousarray(weights[:, : len(own)]), extra


def _limited(model: Model, weights: Floats) -> list[str]:
    """Warnings for the weights that a plain model cannot take; a basis is linear and takes any."""
    low, high = (
        np.array([getattr(c, key) for c in model.info.conditions], np.float32)
        for key in ("minimum", "maximum")
    )
    beyond = ((weights < low) | (weights > high)).any(axis=0)
    return [
        f"{c.name} was limited to the model's range {c.minimum:g} to {c.maximum:g}"
        for c, over in zip(model.info.conditions, beyond, strict=True)
        if over
    ]
