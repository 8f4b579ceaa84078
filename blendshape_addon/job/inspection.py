# SPDX-License-Identifier: GPL-3.0-or-later
"""What will happen before anybody clicks: the child is asked where the face is, while Blender goes
on. Only with a window.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..blender_io.as_seen import PREVIEW, shown_axes
from ..blender_io.expressions import is_expression
from ..blender_io.findings import Finding
from ..blender_io.generated import made_names
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.parts import avatar_parts
from ..errors import AddonError, as_addon_error
from ..process.limits import LOOK_SECONDS, WINDOW_SECONDS
from ..typed import active_object, mesh_of, of_object, of_scene
from . import chosen, held, landmark_overlay, session
from .generation import Job, finish
from .options import Options
from .reading import Reading

_TICK_SECONDS = 0.1
_KEYS = 200  # of an object's keys that are not at 0, which are looked at when a panel is drawn


@dataclass
class Inspection:
    """What is known of an object. state: looking, found, failed or given up. parts: (name, role,
    why) of the avatar's other objects. findings: what should be known before the click, of the
    scene and of the face; warnings: what else the child says.

    vertices: of all objects together, face_vertices: those that may move. memory_mb: what the child
    has taken so far.
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
    findings: list[Finding] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)
    error: AddonError | None = None


_current: Inspection | None = None
_job: Job | None = None
_reading: Reading | None = None  # before the job
# what was different at the last tick: what is being dragged is looked at when it rests
_moving: tuple[object, ...] | None = None
STOPPED: list[Callable[[], None]] = []  # what else asks the child by itself, and gives up with this


def look(context: bpy.types.Context) -> Inspection | None:
    """What is known of the active object; begins to look when nothing is, unless that is switched
    off. For drawing: returns at once.
    """
    if _playing(context):
        return (
            _current
            if _current is not None
            and context.object is not None
            and _current.signature[:1] == (context.object.session_uid,)
            else None
        )
    signature = _signature(context)
    if signature is None:
        return None
    if _current is not None and (
        _current.signature == signature or landmark_overlay.current() is not None
    ):
        return _current  # landmarks that are being dragged are looked at when they rest
    preferences = session.preferences(context)
    if (
        not bpy.app.background
        and (preferences is None or preferences.inspect)
        and not bpy.app.timers.is_registered(_tick)
    ):
        bpy.app.timers.register(_tick, first_interval=_TICK_SECONDS)
    return None


def _playing(context: bpy.types.Context) -> bool:
    """Whether an animation plays, or tracking moves the face: then values change all the time."""
    screen = getattr(context, "screen", None)
    return held.moves() or (screen is not None and screen.is_animation_playing)


def known_landmarks(ob: bpy.types.Object) -> dict[str, tuple[float, float, float]]:
    """Landmarks of the object's face: those kept on it, else those that were seen."""
    kept = found_landmarks(ob)
    if not kept and _current is not None and _current.signature[0] == int(ob.session_uid):
        return dict(_current.landmarks)
    return kept


def stop() -> None:
    """Give up looking: the child is needed for something else."""
    global _job, _reading, _current
    for also in STOPPED:
        also()
    if _job is not None:
        with contextlib.suppress(AddonError):  # a child that is gone has nothing left to cancel
            _job.cancel()
        session.see_off()
    if _job is not None or _reading is not None:
        _job = _reading = _current = None


def give_up(context: bpy.types.Context) -> None:
    """The user cancelled: look no more by itself, until something changes, for what may be a model
    that never ends.
    """
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
    """Look and wait for the answer; with a window, which stands still meanwhile, not for long.
    Raises AddonError.
    """
    job = begin(context, None if bpy.app.background else WINDOW_SECONDS)
    finish(job, session.backend)
    return show(context, job)


def begin(context: bpy.types.Context, seconds: float | None = None) -> Job:
    """Look because the user wants it, for so many seconds at most. Raises AddonError."""
    stop()
    return Job(
        context.object,
        _options(context),
        session.backend,
        patient=bpy.app.background,
        locate_only=True,
        seconds=seconds,
    )


def show(context: bpy.types.Context, job: Job) -> Inspection:
    """What a finished job has found is what is known from here on."""
    global _current
    signature = _signature(context)
    _current = _seen(
        Inspection(signature if signature is not None else ()), job, active_object(context)
    )
    _current.signature = _signature(context) or ()  # now that the parts are known
    return _current


def _options(context: bpy.types.Context) -> Options:
    scene, model = of_scene(context), chosen.model(context)
    return Options(
        group=scene.group, use_selection=scene.use_selection, parts=scene.parts, model=model
    )


def _signature(context: bpy.types.Context) -> tuple[object, ...] | None:
    """What the answer depends on, as far as it can be told quickly; the object's identity first."""
    ob = context.object
    if ob is None or ob.type != "MESH":
        return None
    asked = _options(context)
    said = tuple(
        (other.name, of_object(other).part)
        for other in context.scene.objects
        if of_object(other).part != "AUTO"
    )
    marks = tuple(
        round(number, 5)
        for mark in of_object(ob).landmarks
        if mark.corrected
        for number in mark.place
    )
    return (
        *(
            int(ob.session_uid),
            len(mesh_of(ob).vertices),
            asked.group,
            asked.use_selection,
            asked.parts,
            asked.model,
            said,
            marks,
        ),
        *(_state(ob), _seen_objects(context, ob) if asked.parts else ()),
    )


def _seen_objects(context: bpy.types.Context, ob: bpy.types.Object) -> tuple[object, ...]:
    """The other mesh objects that are seen, and what of the known parts changes the answer."""
    parts = (
        {name for name, *_ in _current.parts}
        if _current is not None and _current.signature[0] == int(ob.session_uid)
        else set()
    )
    others = [
        other
        for other in context.view_layer.objects
        if other.type == "MESH" and other != ob and other.visible_get()
    ]
    # what hangs on a bone is read at rest, wherever it is now
    own = [
        (_state(other), _rounded(other.matrix_basis))
        for other in others
        if other.name in parts and other.parent_type != "BONE"
    ]
    return (
        tuple(int(other.session_uid) for other in others),
        tuple(own),
        _rounded(ob.matrix_basis) if own else (),
    )


def _state(ob: bpy.types.Object) -> tuple[object, ...]:
    """What of an object changes how it is read, told without a look at any vertex."""
    mesh = mesh_of(ob)
    modifiers = tuple(
        (modifier.name, modifier.type, modifier.show_viewport) for modifier in ob.modifiers
    )
    stretching = np.round(shown_axes(ob), 3).tobytes()
    return int(mesh.session_uid), mesh.users, ob.mode == "EDIT", modifiers, stretching, _keys(ob)


def _keys(ob: bpy.types.Object) -> tuple[object, ...]:
    """Which keys show and how much, without those that the add-on made; of expressions, only
    which.
    """
    key = mesh_of(ob).shape_keys
    if key is None:
        return ()
    values = np.empty(len(key.key_blocks), np.float32)
    key.key_blocks.foreach_get("value", values)
    blocks = [
        (key.key_blocks[int(number)], float(values[number]))
        for number in np.flatnonzero(values)[:_KEYS]
    ]
    ours = made_names(ob, [block.name for block, _value in blocks])
    told = [
        (block.name, block.mute, True if is_expression(block.name) else round(value, 3))
        for block, value in blocks
        if block.name not in ours
    ]
    return (
        key.use_relative,
        ob.show_only_shape_key and ob.active_shape_key_index,
        tuple(each for each in told if each[0] != PREVIEW),
    )


def _rounded(matrix: Matrix) -> bytes:
    return np.round(np.array(matrix, np.float64), 4).tobytes()


def _tick() -> float | None:
    """Begin, or go on; None when there is nothing left to do."""
    global _job, _reading, _current, _moving
    context = bpy.context
    if session.status.running or session.status.preparing or _playing(context):
        return 0.5
    signature = _signature(context)
    if signature is None:
        stop()
        return None
    if _current is None or _current.signature != signature:
        before, _moving = _moving, signature
        if before != signature:
            return _TICK_SECONDS
    if _current is not None and _current.signature != signature:
        forget()
    try:
        if _current is None:
            _current = Inspection(signature)
            _reading = Reading(active_object(context), _options(context))
            session.backend.start()  # it gets ready while the avatar is read
        if _reading is not None:
            how: dict[str, Any] = {"locate_only": True, "seconds": LOOK_SECONDS}
            _reading.step()
            if not _reading.finished:
                return _TICK_SECONDS / 5
            how["entries"], _reading = _reading.entries, None
            _job = Job(context.object, _options(context), session.backend, **how)
        if _job is None:
            return None
        _job.take(session.backend.poll())
        if not _job.finished:
            return _TICK_SECONDS / 5
        _current = _seen(_current, _job, active_object(context))
        _current.signature = _signature(context) or signature  # now that the parts are known
    except Exception as problem:
        error = as_addon_error(problem)
        _current = replace(_current or Inspection(signature), state="failed", error=error)
    _job = _reading = None
    session.redraw(context)
    return None


def _seen(inspection: Inspection, job: Job, ob: bpy.types.Object) -> Inspection:
    report = job.report
    inspection.state, inspection.confidence = "found", float(report["confidence"])
    inspection.vertices, inspection.face_vertices = (
        int(report["vertices"]),
        int(report["face_vertices"]),
    )
    inspection.model, inspection.provider = (
        str(report["model"]),
        str(report["provider_active"]).removesuffix("ExecutionProvider"),
    )
    inspection.findings, told = job.findings, {finding.words for finding in job.findings}
    inspection.memory_mb, inspection.warnings = (
        float(report["peak_memory_mb"]),
        [line for line in report["warnings"] if line not in told],
    )
    inspection.landmarks = dict(job.landmarks)
    inspection.parts = [
        (part.ob.name, part.role, part.why)
        for part in avatar_parts(ob, known_landmarks(ob) or job.landmarks)
    ]
    return inspection
