# SPDX-License-Identifier: GPL-3.0-or-later
"""What will happen before anybody clicks: the child is asked where the face is, while Blender goes on. Only with a window."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace

import bpy

from . import chosen, landmark_overlay, session
from .errors import AddonError, as_addon_error
from .job import Job, Options, finish
from .landmark_store import found_landmarks
from .limits import LOOK_SECONDS, WINDOW_SECONDS
from .parts import avatar_parts
from .typed import active_object, mesh_of, of_object, of_scene

_TICK_SECONDS = 0.1


@dataclass
class Inspection:
    """What is known of an object. state: looking, found, failed or given up. parts: (name, role, why) of the avatar's other objects.

    vertices: of all objects together, face_vertices: those that may move. memory_mb: what the child has taken so far.
    """

    signature: tuple[object, ...]
    state: str = "looking"
    confidence: float = 0.0
    vertices: int = 0
    face_vertices: int = 0
    model: str = ""
    provider: str = ""
    memory_mb: float = 0.0
    landmarks: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)
    error: AddonError | None = None


_current: Inspection | None = None
_job: Job | None = None


def look(context: bpy.types.Context) -> Inspection | None:
    """What is known of the active object; begins to look when nothing is, unless that is switched off. For drawing: returns at once."""
    signature = _signature(context)
    if signature is None:
        return None
    if _current is not None and (_current.signature == signature or landmark_overlay.current() is not None):
        return _current  # landmarks that are being dragged are looked at when they rest
    preferences = session.preferences(context)
    if not bpy.app.background and (preferences is None or preferences.inspect) and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_TICK_SECONDS)
    return None


def known_landmarks(ob: bpy.types.Object) -> dict[str, tuple[float, float, float]]:
    """Landmarks of the object's face: those kept on it, else those that were seen."""
    kept = found_landmarks(ob)
    if not kept and _current is not None and _current.signature[0] == int(ob.session_uid):
        return dict(_current.landmarks)
    return kept


def stop() -> None:
    """Give up looking: the child is needed for something else."""
    global _job, _current
    if _job is not None:
        with contextlib.suppress(AddonError):  # a child that is gone has nothing left to cancel
            _job.cancel()
        session.see_off()
        _job, _current = None, None


def give_up(context: bpy.types.Context) -> None:
    """The user cancelled: look no more by itself, until something changes, for what may be a model that never ends."""
    global _current
    stop()
    signature = _signature(context)
    if signature is not None and (_current is None or _current.signature != signature):
        _current = Inspection(signature, "given up")


def forget() -> None:
    """Look again at the next drawing."""
    global _current
    stop()
    _current = None


def close() -> None:
    """The extension is switched off: look no more."""
    forget()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def inspect_now(context: bpy.types.Context) -> Inspection:
    """Look and wait for the answer; with a window, which stands still meanwhile, not for long. Raises AddonError."""
    job = begin(context, None if bpy.app.background else WINDOW_SECONDS)
    finish(job, session.backend)
    return show(context, job)


def begin(context: bpy.types.Context, seconds: float | None = None) -> Job:
    """Look because the user wants it, for so many seconds at most. Raises AddonError."""
    stop()
    return Job(context.object, _options(context), session.backend, patient=bpy.app.background, locate_only=True, seconds=seconds)


def show(context: bpy.types.Context, job: Job) -> Inspection:
    """What a finished job has found is what is known from here on."""
    global _current
    signature = _signature(context)
    _current = _seen(Inspection(signature if signature is not None else ()), job, active_object(context))
    return _current


def _options(context: bpy.types.Context) -> Options:
    scene = of_scene(context)
    return Options(group=scene.group, use_selection=scene.use_selection, parts=scene.parts, model=chosen.model(context))


def _signature(context: bpy.types.Context) -> tuple[object, ...] | None:
    """What the answer depends on, as far as it can be told quickly; the object's identity first."""
    ob = context.object
    if ob is None or ob.type != "MESH":
        return None
    asked = _options(context)
    said = tuple((other.name, of_object(other).part) for other in context.scene.objects if of_object(other).part != "AUTO")
    marks = tuple(round(number, 5) for mark in of_object(ob).landmarks if mark.corrected for number in mark.place)
    mirrors = sum(modifier.type == "MIRROR" and modifier.show_viewport for modifier in ob.modifiers)
    return int(ob.session_uid), len(mesh_of(ob).vertices), asked.group, asked.use_selection, asked.parts, asked.model, said, marks, mirrors


def _tick() -> float | None:
    """Begin, or go on; None when there is nothing left to do."""
    global _job, _current
    context = bpy.context
    if session.status.running or session.status.preparing:
        return 0.5
    signature = _signature(context)
    if signature is None:
        stop()
        return None
    if _current is not None and _current.signature != signature:
        stop()
        _current = None
    try:
        if _current is None:
            _current = Inspection(signature)
            _job = Job(context.object, _options(context), session.backend, locate_only=True, seconds=LOOK_SECONDS)
        if _job is None:
            return None
        _job.take(session.backend.poll())
        if not _job.finished:
            return _TICK_SECONDS
        _current = _seen(_current, _job, active_object(context))
    except Exception as problem:
        error = as_addon_error(problem)
        _current = replace(_current or Inspection(signature), state="failed", error=error)
    _job = None
    session.redraw(context)
    return None


def _seen(inspection: Inspection, job: Job, ob: bpy.types.Object) -> Inspection:
    report = job.report
    inspection.state, inspection.confidence = "found", float(report["confidence"])
    inspection.vertices, inspection.face_vertices = int(report["vertices"]), int(report["face_vertices"])
    inspection.model, inspection.provider = str(report["model"]), str(report["provider_active"]).removesuffix("ExecutionProvider")
    inspection.memory_mb, inspection.warnings = float(report["peak_memory_mb"]), list(report["warnings"])
    inspection.landmarks = dict(job.landmarks)
    inspection.parts = [(part.ob.name, part.role, part.why) for part in avatar_parts(ob, known_landmarks(ob) or job.landmarks)]
    return inspection
