# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the active object has no face: the child is asked about others, one at a time, and the
first that has one is offered.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import bpy

from ..blender_io.as_seen import visible
from ..blender_io.avatar_objects import find
from ..errors import AddonError
from ..process.limits import LOOK_SECONDS
from ..typed import mesh_of
from . import chosen, inspection, session
from .choosing import ENOUGH, NAMES
from .generation import Job
from .options import Options

OTHERS = 4  # objects that are asked about: a second each, after a failure only
_FEW = 24  # vertices below which there is nothing to ask about
_MANY = 200_000  # above which an answer would take long
_TICK_SECONDS = 0.2


@dataclass
class _Search:
    """identity: of the object that has no face. queue: identities of those that are still to be
    asked about; found: the name of one with a face.
    """

    identity: int
    queue: list[int]
    found: str = ""
    job: Job | None = None


_search: _Search | None = None


def suggestion(context: bpy.types.Context) -> str:
    """The name of another object with a face, or nothing so far; begins to ask. For drawing:
    returns at once.
    """
    global _search
    ob = context.object
    if ob is None or ob.type != "MESH":
        return ""
    if _search is None or _search.identity != int(ob.session_uid):
        stop()
        _search = _Search(
            int(ob.session_uid), [int(other.session_uid) for other in likely(context)]
        )
    preferences = session.preferences(context)
    wanted = not bpy.app.background and (preferences is None or preferences.inspect)
    if wanted and _search.queue and not _search.found and not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=_TICK_SECONDS)
    return _search.found if _search.found in bpy.data.objects else ""


def likely(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Other objects that may hold the face: those with a face's names first, then by how many
    vertices they have.
    """
    others = [
        ob
        for ob in context.view_layer.objects
        if ob.type == "MESH" and ob != context.object and visible(ob, context.object)
    ]
    others = [ob for ob in others if _FEW <= len(mesh_of(ob).vertices) <= _MANY]
    return sorted(
        others,
        key=lambda ob: (
            not any(part in ob.name.casefold() for part in NAMES),
            -len(mesh_of(ob).vertices),
        ),
    )[:OTHERS]


def stop() -> None:
    """Ask no more: the child is needed for something else."""
    global _search
    if _search is not None and _search.job is not None:
        with contextlib.suppress(AddonError):  # a child that is gone has nothing left to cancel
            _search.job.cancel()
        session.see_off()
    _search = None


def close() -> None:
    """The extension is switched off."""
    stop()
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def tick() -> float | None:
    """Begin, or go on; None when there is nothing left to ask."""
    search, context = _search, bpy.context
    if (
        search is None
        or context.object is None
        or int(context.object.session_uid) != search.identity
    ):
        stop()
        return None
    seen = inspection.look(context)
    if (
        session.status.running
        or session.status.preparing
        or (search.job is None and (seen is None or seen.state == "looking"))
    ):
        return 0.5
    try:
        if search.job is None:
            ob = find(search.queue.pop(0)) if search.queue else None
            if ob is not None:
                options = Options(parts=False, model=chosen.model(context))
                search.job = Job(
                    ob,
                    options,
                    session.backend,
                    locate_only=True,
                    effort="upright",
                    seconds=LOOK_SECONDS,
                )
            return _TICK_SECONDS if search.queue or search.job is not None else None
        search.job.take(session.backend.poll())
        if not search.job.finished:
            return _TICK_SECONDS
        if float(search.job.report["confidence"]) >= ENOUGH:
            search.found = search.job.name
            search.queue.clear()
            session.redraw(context)
    except AddonError:  # nor has that one
        pass
    search.job = None
    return _TICK_SECONDS if search.queue else None


inspection.STOPPED.append(stop)
