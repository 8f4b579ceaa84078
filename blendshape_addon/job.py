# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job inside Blender: gather an object, ask the child, write the keys. Modal and background callers share these steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .backend_process import Backend, error_of
from .errors import AddonError
from .key_writer import Shape, Written, write_keys
from .mesh_io import AvatarArrays, check_editable, gather, object_mode
from .tables import Table
from .wire import Message

SILENCE_SECONDS = 300.0  # a child that says nothing for so long is taken for stuck
OnProgress = Callable[[str, float], None]


@dataclass(frozen=True)
class Options:
    """What is asked for. sets: names; table: the user's own keys; strength: factor; group or use_selection: where the face is."""

    sets: tuple[str, ...] = ("arkit",)
    table: Table | None = None
    strength: float = 1.0
    group: str = ""
    use_selection: bool = False
    overwrite: bool = False
    model: str = ""


@dataclass
class Outcome:
    """What was made. report: the child's, see docs/architecture.md. seconds: by stage, the child's stages under `backend`. landmarks: the face's,
    in object space."""

    object: str
    written: Written
    report: dict[str, Any]
    warnings: list[str]
    seconds: dict[str, Any] = field(default_factory=dict)
    landmarks: dict[str, list[float]] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """One sentence for the user."""
        count = len(self.written.added) + len(self.written.updated)
        parts = [f"{len(self.written.added)} added", f"{len(self.written.updated)} updated", f"{len(self.written.kept)} kept"]
        counts = ", ".join(part for part in parts if not part.startswith("0 ")) or "nothing to do"
        moving, all_ = self.report["face_vertices"], self.report["vertices"]
        return f"{self.object}: {count} shape keys ({counts}) on {moving:,} of {all_:,} vertices"


class Job:
    """One request for one object. Holds the object's identity, not a reference, because undo may replace it between two ticks."""

    def __init__(
        self, ob: bpy.types.Object | None, options: Options, backend: Backend, patient: bool = False, locate_only: bool = False
    ) -> None:
        """Gather and send. Raises AddonError as mesh_io.gather and Backend.start do."""
        began = time.perf_counter()
        ob = check_editable(ob)
        with object_mode(ob):
            mesh = gather(ob, options.group, options.use_selection)
        self.stage, self.fraction, self.finished = "start", 0.0, False
        self.name, self.seconds = ob.name, {"gather": time.perf_counter() - began}
        self._identity, self._size = _identity(ob), len(mesh.vertices)
        self._options, self._backend = options, backend
        self._warnings = list(mesh.warnings)
        self._indices: NDArray[np.int32] = np.empty(0, np.int32)
        self._shapes: list[Shape] = []
        self._landmarks: dict[str, list[float]] = {}
        self.report: dict[str, Any] = {}
        self._sent = self._heard = time.perf_counter()
        backend.start(patient)
        self._request = self._send(mesh, locate_only)

    def _send(self, mesh: AvatarArrays, locate_only: bool) -> int:
        fields = {**mesh.fields(), "model": self._options.model or None}
        if not locate_only:
            fields.update(sets=list(self._options.sets), table=self._options.table, strength=self._options.strength)
        return self._backend.send("locate" if locate_only else "generate", fields, mesh.arrays())

    def take(self, messages: Iterable[Message]) -> None:
        """Take what the child said; `finished` tells whether that was all. Raises AddonError: the child's own, `child_timeout`."""
        for message in messages:
            header = message.header
            if header.get("id") != self._request:
                continue  # of a request that was cancelled
            self._heard = time.perf_counter()
            if header["type"] == "progress":
                self.stage, self.fraction = str(header["stage"]), float(header["fraction"])
            elif header["type"] == "face":
                self._indices = message.arrays["indices"].astype(np.int32, copy=False)
                self._landmarks = dict(header.get("landmarks", {}))
            elif header["type"] == "shapes":
                offsets = message.arrays["offsets"].astype(np.float32, copy=False)
                self._shapes.extend(Shape(name, offsets[row]) for row, name in enumerate(header["names"]))
            elif header["type"] == "error":
                raise error_of(message)
            elif header["type"] == "done":
                self.report, self.finished, self.fraction = header["report"], True, 1.0
                self.seconds["request"] = time.perf_counter() - self._sent
        if not self.finished and time.perf_counter() - self._heard > SILENCE_SECONDS:
            message_ = f"The backend has said nothing for {SILENCE_SECONDS:.0f} s and was ended."
            raise self._backend.fail(
                AddonError("child_timeout", message_, "Try again; with a large model of your own, try a smaller mesh.")
            )

    def cancel(self) -> None:
        """Give the request up; what the child still says about it is ignored."""
        self._backend.cancel(self._request)
        self._backend.poll()

    def write(self) -> Outcome:
        """Write the keys. Raises AddonError: `mesh_changed` if the object is gone or another, and as key_writer.write_keys does."""
        began = time.perf_counter()
        ob = _find(self._identity)
        if ob is None or len(ob.data.vertices) != self._size:
            raise AddonError("mesh_changed", f"{self.name!r} was changed or removed while its shapes were computed.", "Generate again.")
        with object_mode(check_editable(ob)):
            written = write_keys(ob, self._indices, self._shapes, self._options.overwrite)
        warnings = [*self._warnings, *self.report["warnings"], *written.warnings]
        seconds = {"gather": self.seconds["gather"], "request": self.seconds["request"], "backend": self.report["seconds"]}
        seconds["write"] = time.perf_counter() - began
        return Outcome(ob.name, written, self.report, warnings, seconds, self._landmarks)


def generate_for_object(ob: bpy.types.Object | None, options: Options, backend: Backend, on_progress: OnProgress | None = None) -> Outcome:
    """The whole job, blocking. Raises AddonError; then the object is as it was."""
    job = Job(ob, options, backend, patient=True)
    _finish(job, backend, on_progress)
    return job.write()


def face_confidence(ob: bpy.types.Object, options: Options, backend: Backend) -> float:
    """How sure the child is that the object holds a face, 0 (none was found) to 1. Raises AddonError for everything but `no_face`."""
    try:
        job = Job(ob, options, backend, patient=True, locate_only=True)
        _finish(job, backend, None)
    except AddonError as error:
        if error.code in ("no_face", "mesh_empty"):
            return 0.0
        raise
    return float(job.report["confidence"])


def _finish(job: Job, backend: Backend, on_progress: OnProgress | None) -> None:
    while not job.finished:
        job.take(backend.wait(0.5))
        if on_progress is not None:
            on_progress(job.stage, job.fraction)


def _identity(ob: bpy.types.Object) -> int:
    return int(ob.session_uid)


def _find(identity: int) -> bpy.types.Object | None:
    return next((ob for ob in bpy.data.objects if ob.session_uid == identity), None)
