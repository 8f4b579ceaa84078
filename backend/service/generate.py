# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: from an avatar's mesh and tables of shapes to offsets in object space, stage by
stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..face import pipeline
from ..face.geometry.mesh import AvatarMesh, check
from ..face.geometry.ticks import heard_by
from ..face.keys import Looked, Pair, Plain
from ..face.locate import worn
from ..face.locate.face import Effort, Face, Place
from ..inference.cancellation import Cancellation
from ..inference.decoding import encode_with, shapes_of
from ..inference.hardware import trim_memory
from ..inference.models import Model
from ..values import Twins
from .asked import Asked
from .found import FoundFaces
from .pieces import until_cancelled
from .progress import Progress
from .report import Report, new_report
from .room import OFFSET_BYTES, require_room_for_mesh, require_room_for_shapes

Floats = NDArray[np.float32]
OnProgress = Callable[[str, float], None]

# of offsets that leave at once, a key at least: what is still to be mixed is not held beside what
# was
PIECE = 1 << 24
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
# share of a request that is done when a stage ends: measured on 28,646 vertices and 67 shapes
_LOCATED, _COMPUTED = 0.5, 0.85


@dataclass(frozen=True)
class Shapes:
    """A table's shapes, or some of them where they are many on a dense mesh.

    Args:
        set_name: of the set, or `table`
        names: N keys
        offsets: float32 (N,F,3), object space, of the face's vertices
        confidence: float32 (N,), 0 to 1: how sure the face is, times how far shapes of that kind
            may be trusted; 0 for one that moves nothing
    """

    set_name: str
    names: tuple[str, ...]
    offsets: Floats
    confidence: Floats


def find_face(
    mesh: AvatarMesh,
    model: Model,
    report: Report,
    on_progress: OnProgress,
    cancellation: Cancellation,
    *,
    share: float = 1.0,
    effort: Effort = "full",
    workers: Executor | None = None,
    found: FoundFaces | None = None,
) -> Face:
    """Check the mesh and locate the face, see `locate`.

    Args:
        mesh: the avatar's
        model: whose encoder looks for the face
        report: gets times, warnings and confidence
        on_progress: gets the stage's name and the fraction of the whole
        cancellation: looked at between pieces of work
        share: of the whole that is done when the face is found
        effort: of the search, see search.find
        workers: threads for the model's runs, if there are any yet
        found: faces that need not be looked for again, if they are to be remembered

    Raises:
        BackendError: mesh_*, `no_face`, `cancelled`, `model_contract`
    """

    told = Progress(lambda part: on_progress("locate", part), cancellation, 0.0, share)
    with report.stage("check"):
        cancellation.check()
        check(mesh)
        require_room_for_mesh(len(mesh.vertices), _memory_mb(model))
    with (
        report.stage("locate"),
        nullcontext(workers) if workers else ThreadPoolExecutor(_workers(model), "lane") as pool,
    ):
        encode, at = encode_with(model, cancellation, pool), lambda part: told.at(part * share)
        names = model.info.landmarks

        def find(seen: AvatarMesh, whole: AvatarMesh | None) -> Place:
            some: Effort = "upright" if effort == "full" and whole is not None else effort
            threads = model.parallel_runs
            return pipeline.locate(seen, encode, names, at, some, threads=threads, whole=whole)

        def located() -> Face:
            with heard_by(told.goes_on):
                return worn.located(mesh, names, find)

        face = located() if found is None else found.face(mesh, model, effort, located)
        told.at(share)
    cancellation.check()
    report.face_vertices = len(face.indices)
    report.confidence = float(face.confidence)
    report.warnings.extend(face.warnings)
    return face


def generate(
    mesh: AvatarMesh,
    asked: Asked,
    model: Model,
    on_progress: OnProgress,
    cancellation: Cancellation,
    *,
    found: FoundFaces | None = None,
) -> Iterator[Face | Shapes | Report]:
    """Yield the Face, then the Shapes of each table as they are ready, then the Report: the steps
    of face/pipeline.py, with threads and progress.

    Args:
        mesh: the avatar's
        asked: tables of keys, and how they shall be
        model: loaded
        on_progress: gets the stage's name and the fraction of the whole
        cancellation: looked at between pieces of work
        found: faces that need not be looked for again, if they are to be remembered

    Raises:
        BackendError: see errors.CODES; bad requests are refused before any work
    """
    run = _Run(mesh, asked, model, on_progress, cancellation)
    began = time.perf_counter()
    with (
        ThreadPoolExecutor(_workers(model), "lane") as workers,
        ThreadPoolExecutor(min(model.threads, BESIDE), "rules") as beside,
    ):
        face = find_face(
            mesh,
            model,
            run.report,
            on_progress,
            cancellation,
            share=_LOCATED,
            workers=workers,
            found=found,
        )
        yield face
        offsets = run.computed(face, workers, beside)
        cancellation.check()
        yield from run.mixed(face, offsets)
    run.report.shapes = asked.count
    run.report.seconds["total"] = time.perf_counter() - began
    yield run.report


class _Run:
    """The stages after a face is found."""

    def __init__(
        self,
        mesh: AvatarMesh,
        asked: Asked,
        model: Model,
        on_progress: OnProgress,
        cancellation: Cancellation,
    ) -> None:
        self._mesh, self._asked, self._model = mesh, asked, model
        self._cancellation = cancellation
        self._keys = asked.keys(model)
        self.report = new_report(mesh, model)
        # both threads of this stage tell it
        self._computing = Progress(
            lambda part: on_progress("model", part), cancellation, _LOCATED, _COMPUTED
        )
        # the rules take no more than half of what is left, keys the rest
        self._mixing = Progress(
            lambda part: on_progress("rules", part),
            cancellation,
            _COMPUTED,
            (1 + _COMPUTED) / 2,
        )

    def computed(self, face: Face, workers: Executor, beside: Executor) -> Floats:
        """Corrected shapes float32 (K,F,3), canonical.

        Args:
            face: found on the mesh
            workers: threads for the model's runs and the look at the mesh
            beside: threads for the rules
        """
        count, size = self._asked.count, len(face.indices)
        require_room_for_shapes(count, len(self._mesh.vertices), size, _memory_mb(self._model))
        trim = _trimming(count * size * OFFSET_BYTES)
        keys, report = self._keys, self.report
        with report.stage("model"), heard_by(self._computing.goes_on):
            names = self._model.info.landmarks if isinstance(keys, Pair) else ()
            # beside the runs, on one of their threads: no more than were asked for
            look = workers.submit(self._analysed, face, names)
            look.add_done_callback(lambda _: trim())
            offsets = pipeline.predict(
                self._network(workers, size), face, keys.asked, isinstance(keys, Pair)
            )
            looked = look.result()
        report.found(looked.findings)
        with report.stage("rules"), heard_by(self._mixing.goes_on):
            self._correct(face, looked, offsets, beside, trim)
        if isinstance(keys, Plain):
            report.warnings.extend(_limited(self._model, keys.asked))
        trim()
        return offsets

    def _analysed(self, face: Face, names: Sequence[str]) -> Looked:
        """What the mesh says. names: of the face's landmarks."""
        with heard_by(self._computing.goes_on):
            return pipeline.analyse(face, self._mesh, names)

    def _network(self, workers: Executor, count: int) -> pipeline.Network:
        """The model as a function. count: of the face's vertices, of which some come first."""

        def network(seen: tuple[Floats, ...], asked: Floats, twins: Twins | None) -> Floats:
            share = (_COMPUTED - _LOCATED) * len(seen[0]) / count
            return shapes_of(
                self._model,
                seen,  # type: ignore[arg-type]
                asked,
                self._cancellation,
                lambda part: self._computing.at(_LOCATED + part * share),
                pool=workers,
                twins=twins,
            )

        return network

    def _correct(
        self,
        face: Face,
        looked: Looked,
        offsets: Floats,
        beside: Executor,
        trim: Callable[[], None],
    ) -> None:
        """Smooth and correct shapes (K,F,3), in place, and see how they hold together."""
        threads, shared = (beside.map, 2) if len(face.indices) >= LARGE_FACE else (map, 1)
        each = until_cancelled(threads, self._cancellation)
        trim()
        pipeline.smooth(offsets, looked, each, shared)
        trim()
        pipeline.correct(
            self._keys,
            looked,
            face,
            offsets,
            each,
            mesh=self._mesh,
            turn_eyes=self._asked.turn_eyes,
        )
        self.report.found(self._keys.missed)
        self.report.held(self._keys.poses(looked, self._asked.alone, self._asked.factors))

    def mixed(self, face: Face, offsets: Floats) -> Iterator[Shapes]:
        """The shapes of each table. offsets (K,F,3): the last table takes their place in memory
        where it can.
        """
        keys, tables = self._keys, self._asked.tables
        first, last = 0, list(tables)[-1]
        for name, table in tables.items():
            in_place = keys.replaces and name == last
            step = max(1, PIECE // (len(face.indices) * OFFSET_BYTES))
            for start in range(0, len(table), step):
                names = tuple(table)[start : start + step]
                rows = slice(first, first + len(names))
                out = (
                    offsets[start : start + len(names)]
                    if in_place
                    else np.empty((len(names), len(face.indices), 3), np.float32)
                )
                moves = self._mixed_rows(face, first, out)
                first = rows.stop
                done = first / self._asked.count
                self._mixing.at(_COMPUTED + done * (1 - _COMPUTED))
                sure = np.where(moves, face.confidence * keys.sure(rows), 0).astype(np.float32)
                yield Shapes(name, names, out, sure)

    def _mixed_rows(self, face: Face, first: int, out: Floats) -> NDArray[np.bool_]:
        """Mix keys from row `first` on, in object space, in out (M,F,3); which move, (M,)."""

        def mix(row: int) -> bool:
            return pipeline.mix(self._keys, face, first + row, self._asked.strength, out[row])

        with self.report.stage("frame"):
            each = until_cancelled(map, self._cancellation)
            return np.array(list(each(mix, range(len(out)))), bool)


def _trimming(offsets: int) -> Callable[[], None]:
    """What gives freed memory back, where so many bytes of offsets are worth it."""
    if offsets <= LARGE:
        return lambda: None
    trim_memory()
    return trim_memory


def _memory_mb(model: Model) -> int:
    return model.encoder.settings.memory_mb


def _workers(model: Model) -> int:
    """Threads for the model's runs and the look at the mesh: that costs runs elsewhere than on the
    CPU nothing.
    """
    return model.parallel_runs if model.parts[-1].provider == "cpu" else model.parallel_runs + 1


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
