# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: from an avatar's mesh and tables of shapes to offsets in object space, stage by stage."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from .face import fields, rest, roles, rules
from .face.combinations import DRIVEN, combinations
from .face.contacts import Surface
from .face.derived import derivable, derive
from .face.expected import expected
from .face.locate import Face, locate
from .face.mesh import AvatarMesh, check
from .face.mirror import Each
from .face.regions import factors
from .face.shape_sets import Table, weights_of
from .face.smoothing import smoothed

Floats = NDArray[np.float32]
OnProgress = Callable[[str, float], None]

MAX_STRENGTH = 10.0
MAX_BYTES = 1 << 30  # of all offsets together; a request needs about three times as much
LARGE = 1 << 24  # bytes of all offsets together from which on the holes that freed arrays leave are given back: a millisecond each time
AT_ONCE = 1 << 20  # bytes of shapes that are smoothed at once: their copies take several times as much, and a cancel is seen in between
FEWEST, MOST = 2, 8  # shapes at once: what follows each other in memory is quicker to work on
LARGE_FACE = 1 << 14  # vertices from which on several threads work on shapes: on fewer, handing Python's lock over takes longer than it saves
BESIDE = 4  # of these at most: each takes memory
# Share of the whole request that is done when a stage ends; measured on 28,646 vertices and 67 shapes.
_LOCATED, _COMPUTED = 0.5, 0.85


@dataclass(frozen=True)
class Shapes:
    """A table's shapes. set_name: of the set, or `table`. names: N keys. offsets: float32 (N,F,3), object space, of the face's vertices.
    confidence: float32 (N,), 0 to 1: how sure the face is, times how far shapes of that kind may be trusted; 0 for one that moves nothing.
    """

    set_name: str
    names: tuple[str, ...]
    offsets: Floats
    confidence: Floats


@dataclass
class Report:
    """What happened in one request; `as_dict` is what travels. seconds: by stage. Memory in MiB. combinations: see face/combinations.py.
    findings: of face/rest.py, as plain data; their words are among the warnings, too."""

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
        """Plain data for JSON, seconds rounded to 0.1 ms and memory to 0.1 MiB; what the model runs on is told as it is now."""
        own = {name: value for name, value in vars(self).items() if name != "loaded"}
        own["seconds"] = {stage: round(value, 4) for stage, value in self.seconds.items()}
        return {**own, "model": self.model, **self.loaded.engine(), "peak_memory_mb": round(peak_memory_mb(), 1)}

    def found(self, findings: Sequence[rest.Finding]) -> None:
        """Take over what the face at rest is like."""
        self.confidence = rest.of_face(self.confidence, findings)
        self.warnings.extend(finding.words for finding in findings)
        self.findings.extend(finding.as_dict() for finding in findings)

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
    """Check the mesh and locate the face, see `locate`; progress runs to `share`. lanes: threads for the model's runs.

    Raises BackendError: mesh_*, `no_face`, `cancelled`, `model_contract`.
    """

    def progress(fraction: float) -> None:
        cancellation.check()
        on_progress("locate", fraction * share)

    with report.stage("check"):
        cancellation.check()
        check(mesh)
    with report.stage("locate"), nullcontext(lanes) if lanes else ThreadPoolExecutor(_lanes(model), "lane") as pool:
        face = locate(mesh, encode_with(model, cancellation, pool), model.info.landmarks, progress, upright, model.lanes)
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
) -> Iterator[Face | Shapes | Report]:
    """Yield the Face, then the Shapes of each table as they are ready, then the Report.

    tables: by the name of the set, or `table`. strength: factor on all offsets, above 0 to 10; regions: {region: factor}, see face/regions.py.
    on_progress gets the stage's name and the fraction of the whole. Raises BackendError, see errors.CODES; bad requests are refused before
    any work.
    """
    weights, extra = _all_weights(tables, model, strength, regions)
    report = new_report(mesh, model)
    began = time.perf_counter()
    pools = ThreadPoolExecutor(_lanes(model), "lane"), ThreadPoolExecutor(min(model.threads, BESIDE), "rules")
    with pools[0] as lanes, pools[1] as beside:
        face = find_face(mesh, model, report, on_progress, cancellation, _LOCATED, lanes=lanes)
        yield face

        last = list(tables.values())[-1]
        needed = len(weights) * len(face.indices) * 12
        if needed > MAX_BYTES:
            what = f"{len(weights)} shapes on {len(face.indices)} vertices need {needed / 2**30:.1f} GiB, more than is allowed."
            raise BackendError("out_of_memory", what, "Ask for fewer shapes at a time, or mark the face with a vertex group.")
        trim: Callable[[], None] = trim_memory if needed > LARGE else lambda: None
        trim()
        names, alone = list(model.info.condition_names), _alone(*(of[len(weights) - len(last) :] for of in (weights, *extra.values())))
        asked = weights
        if model.plain is None:  # the conditions in the order of the last table's keys, where each of these is one of them: they take their place
            order = list(dict.fromkeys([*(alone or ()), *range(len(names))]))
            names, weights, asked = [names[k] for k in order], weights[:, order], np.eye(len(order), dtype=np.float32)[order]
        landmarks = rules.read_landmarks(face, mesh, model.info.landmarks) if model.plain is None else {}
        with report.stage("model"):
            seen = lanes.submit(rules.ground, face, mesh, landmarks)  # beside the runs, on one of their threads: no more than were asked for
            seen.add_done_callback(lambda _: trim())
            parts = (face.vertices, face.normals, face.parts, face.sides, face.ways, face.latent)
            offsets = shapes_of(
                model,
                tuple(np.ascontiguousarray(array, np.float32) for array in parts),  # type: ignore[arg-type]
                asked,
                cancellation,
                lambda fraction: on_progress("model", _LOCATED + fraction * (_COMPUTED - _LOCATED)),
                lanes,
            )
            known = seen.result()
        with report.stage("rest"):
            found = rest.findings(known.there, landmarks)
            report.found(found)
        each, shared = (beside.map, 2) if len(face.indices) >= LARGE_FACE else (map, 1)
        step = min(max(AT_ONCE // shared // (len(face.indices) * 12 + 1), FEWEST), MOST)

        def even(first: int) -> None:
            cancellation.check()
            offsets[first : first + step] = smoothed(offsets[first : first + step], known.around)

        with report.stage("rules"):
            list(each(even, range(0, len(offsets), step)))
        trim()
        sure, size, basis = np.ones(weights.shape[1], np.float32), np.ones(weights.shape[1]), list(offsets)
        if model.plain is None:
            with report.stage("rules"):
                shapes = dict(zip(names, offsets, strict=True))
                _ruled(known, face, landmarks, shapes, each)
                _held(known, landmarks, found, shapes)
                if mesh.roles is not None:
                    roles.kept_to(shapes, face.vertices, mesh.roles[face.indices], face.parts)
                if known.there is not None:
                    own = {name for table in tables.values() for row in table.values() if len(row) == 1 for name in row}
                    _verify(report, known.there, landmarks, {name: shape for name, shape in shapes.items() if name in own}, regions)
                basis = [*shapes.values(), *(derive(name, face.vertices, shapes) for name in extra)]
                sure = rest.lowered(found, [*shapes, *extra], expected([*shapes, *extra]))
                size = np.array([float(np.linalg.norm(shape)) for shape in basis])
                weights = np.concatenate([weights, *(column[:, None] for column in extra.values())], axis=1)
            cancellation.check()
        report.warnings.extend(_limited(model, weights))
        trim()

        done = 0
        for name, table in tables.items():
            cancellation.check()
            in_place = model.plain is None and bool(alone) and table is last
            ruled = offsets[: len(table)] if in_place else np.empty((len(table), len(face.indices), 3), np.float32)

            def finish(row: int, done: int = done, ruled: Floats = ruled) -> bool:
                cancellation.check()
                shape, weight = (offsets[done + row], 1.0) if model.plain else _mixed(weights[done + row], basis)
                return rules.finish(face, shape, weight, strength, ruled[row])

            with report.stage("frame"):
                moves = np.array([finish(row) for row in range(len(table))])
            done += len(table)
            on_progress("rules", _COMPUTED + done / len(weights) * (1 - _COMPUTED))
            yield Shapes(name, tuple(table), ruled, _confidence(face.confidence, weights[done - len(table) : done], sure, size, moves))

    report.shapes = done
    report.seconds["total"] = time.perf_counter() - began
    yield report


def _lanes(model: Model) -> int:
    """Threads for the model's runs and the look at the mesh: that costs runs elsewhere than on the CPU nothing."""
    return model.lanes if model.parts[-1].provider == "cpu" else model.lanes + 1


def _all_weights(tables: Mapping[str, Table], model: Model, strength: float, regions: object = None) -> tuple[Floats, dict[str, Floats]]:
    """Weights float32 (N,K) of all tables, one after the other, those (N,) of the derived conditions in use, and early refusals."""
    if not tables:
        raise BackendError("unknown_set", "No shapes were asked for.", "Name at least one set or give a table.")
    if not math.isfinite(strength) or not 0 < strength <= MAX_STRENGTH:
        raise BackendError("setting_invalid", f"The strength is {strength:g}.", f"Choose one above 0 and up to {MAX_STRENGTH:g}.")
    seen: dict[str, str] = {}
    for name, table in tables.items():
        for key in table:
            if key in seen:
                raise BackendError("table_invalid", f"The key {key!r} is in both {seen[key]} and {name}.", "Rename it in your table.")
            seen[key] = name
    own = model.info.condition_names
    built = derivable(own) if model.plain is None else []
    weights = np.concatenate([weights_of(table, [*own, *built]) for table in tables.values()]) * factors(regions, [*own, *built])
    extra = {name: column for name, column in zip(built, weights[:, len(own) :].T, strict=True) if column.any()}
    return np.ascontiguousarray(weights[:, : len(own)]), extra


def _alone(weights: Floats, *extra: Floats) -> list[int] | None:
    """The condition that each of a table's keys is, of weights (N,K), where all keys are one condition alone and no two the same; else None.

    extra: the weights (N,) of each derived condition.
    """
    if (np.count_nonzero(weights, axis=1) != 1).any() or any(column.any() for column in extra):
        return None
    found = [int(k) for k in np.abs(weights).argmax(axis=1)]
    return found if len(set(found)) == len(found) else None


def _ruled(known: rules.Ground, face: Face, landmarks: Mapping[str, Floats], shapes: dict[str, Floats], each: Each) -> None:
    """Mix the conditions' shapes of a pair, condition -> offsets (F,3), in place, with fields and with what must hold on the mesh."""
    if known.there is not None:
        fields.mixed(known.there, face.parts, landmarks, shapes, face.familiar, in_place=True, fields=known.own)
    ruled = dict(shapes)
    rules.touch(face, known, landmarks, ruled, each)
    for name, own in shapes.items():  # a second set of shapes would be as large as the answer
        if ruled[name] is not own:
            own[:] = ruled.pop(name)


def _held(known: rules.Ground, landmarks: Mapping[str, Floats], found: Sequence[rest.Finding], shapes: dict[str, Floats]) -> None:
    """Keep the conditions' shapes, condition -> offsets (F,3), in place, to what the face at rest allows."""
    changed = dict(shapes)
    rest.held(known.there, known.around, landmarks, found, changed)
    for name, own in shapes.items():
        if changed[name] is not own:
            own[:] = changed.pop(name)


def _verify(report: Report, there: Surface, landmarks: Mapping[str, Floats], shapes: Mapping[str, Floats], regions: object) -> None:
    """Report on shapes with a key of their own that are driven together, as strong as they were asked for; warn of those that do not hold."""
    strong = dict(zip(shapes, factors(regions, list(shapes)), strict=True))
    driven = {name: shapes[name] if strong[name] == 1 else shapes[name] * strong[name] for name in DRIVEN if name in shapes}
    found = combinations(there, landmarks, driven)
    report.combinations = {pose.name: round(pose.value, 3) for pose in found}
    report.warnings.extend(f"Look at this pose: {pose.words}." for pose in found if not pose.good)


def _mixed(weights: Floats, basis: Sequence[Floats]) -> tuple[Floats, float]:
    """A shape for weights (K,) over a basis, K of (F,3): offsets (F,3) and a factor on them. Most shapes are one or a few conditions: the others
    cost nothing."""
    first, *others = np.flatnonzero(weights) if weights.any() else [0]
    if not others:
        return basis[first], float(weights[first])
    mixed = weights[first] * basis[first]
    for k in others:
        mixed += weights[k] * basis[k]
    return mixed, 1.0


def _confidence(face: float, weights: Floats, sure: Floats, size: NDArray[np.float64], moves: NDArray[np.bool_]) -> Floats:
    """Confidence (N,) of shapes: the face's, times how sure (K,) what each is mixed from is, by how much that moves, size (K,).

    weights (N,K); moves (N,): whether a shape moves anything.
    """
    share = np.abs(weights) * size
    return np.where(moves, face * (share @ sure) / np.maximum(share.sum(axis=1), 1e-12), 0).astype(np.float32)


def _limited(model: Model, weights: Floats) -> list[str]:
    """Warnings for the weights that a plain model cannot take; a basis is linear and takes any."""
    if model.plain is None:
        return []
    low, high = (np.array([getattr(c, key) for c in model.info.conditions], np.float32) for key in ("minimum", "maximum"))
    beyond = ((weights < low) | (weights > high)).any(axis=0)
    return [
        f"{c.name} was limited to the model's range {c.minimum:g} to {c.maximum:g}"
        for c, over in zip(model.info.conditions, beyond, strict=True)
        if over
    ]
