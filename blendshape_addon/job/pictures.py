# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of the shapes that the list shows, drawn one at a time while the window lives.

Only rows that are seen ask for one. What may have changed a picture makes it asked for again; it is
drawn again only where its points are others. Nothing is written into the file, nothing waits, and
in Edit Mode, while something renders or an animation plays, nothing is done.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import bpy
import bpy.utils.previews

from ..blender_io.avatar_objects import find
from . import held, picture_paint, session
from .picture_head import PictureHead, digest, gathered
from .picture_paint import Painter

_STEP_SECONDS = 0.02  # between two steps, in which the window lives
_QUIET_SECONDS = 0.3  # for so long nothing must have changed
_WAIT_SECONDS = 0.5  # between two looks at whether there is something to do again
_KEPT_SECONDS = 20.0  # for so long a face stays on the graphics card unused
_MOST = 600  # pictures, from where all are thrown away
_JOBS = ("RENDER", "RENDER_PREVIEW", "OBJECT_BAKE", "COMPOSITE")

Key = tuple[int, str]  # an object's identity and a key's name


@dataclass
class _Picture:
    """digest: of the points and materials that it shows. age: when it was looked at last."""

    preview: Any
    digest: int
    age: int


@dataclass
class _State:
    """age: how many changes there were. face: what is ready for drawing, of an object at an age.
    why: what keeps pictures from being drawn, in a sentence, or ``. made: pictures that were drawn.
    work: the most processor time of a step in seconds; read: the same of one that reads textures.
    """

    age: int = 0
    changed: float = 0.0
    used: float = 0.0
    face: tuple[int, int, PictureHead, Painter] | None = None
    nothing: tuple[int, int] | None = None
    steps: Generator[None, None, None] | None = None
    collection: Any = None
    why: str = ""
    made: int = 0
    work: float = 0.0
    read: float = 0.0
    reading: bool = False


_state = _State()
_pictures: dict[Key, _Picture] = {}
_asked: dict[Key, None] = {}


def of(ob: bpy.types.Object, name: str) -> int:
    """The icon of a key's picture, 0 while there is none. For drawing: returns at once, and what is
    missing is drawn soon.
    """
    if bpy.app.background or _state.why:
        return 0
    key = (int(ob.session_uid), name)
    there = _pictures.get(key)
    if (there is None or there.age != _state.age) and _state.nothing != (key[0], _state.age):
        _asked[key] = None
        if not bpy.app.timers.is_registered(_tick):
            bpy.app.timers.register(_tick, first_interval=_STEP_SECONDS)
    return int(there.preview.icon_id) if there is not None else 0


def changed(depsgraph: bpy.types.Depsgraph | None = None) -> None:
    """Something in the scene changed: meshes, keys or materials, where a depsgraph is given. Quick,
    for handlers.
    """
    if depsgraph is not None and not any(
        update.is_updated_geometry or update.is_updated_shading for update in depsgraph.updates
    ):
        return
    _state.age += 1
    _state.changed = time.monotonic()


def why() -> str:
    """What keeps pictures from being drawn, in a sentence, or ``."""
    return _state.why


def figures() -> tuple[int, float, float]:
    """How many pictures were drawn, and the most processor time of a step in seconds: of all but
    those that read textures, and of those.
    """
    return _state.made, _state.work, _state.read


def busy() -> bool:
    """Whether pictures are still to be drawn."""
    return bool(_asked)


def forget() -> None:
    """Another file is opened, or the extension is switched off: everything goes."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _drop_face()
    _asked.clear()
    _pictures.clear()
    if _state.collection is not None:
        bpy.utils.previews.remove(_state.collection)
    picture_paint.forget()
    for name, value in vars(_State(age=_state.age + 1)).items():
        setattr(_state, name, value)


def _drop_face() -> None:
    """Give back what the face holds on the graphics card."""
    if _state.steps is not None:
        _state.steps.close()
    if _state.face is not None:
        _state.face[3].free()
    _state.steps = _state.face = None


def _tick() -> float | None:
    """One step; None when there is nothing left to do."""
    if not _asked:
        if _state.face is not None and time.monotonic() - _state.used < _KEPT_SECONDS:
            return _WAIT_SECONDS
        _drop_face()
        return None
    if _held() or time.monotonic() - _state.changed < _QUIET_SECONDS:
        return _WAIT_SECONDS
    began, reading = time.thread_time(), _state.reading
    try:
        _step()
    except LookupError:  # an object is gone or in another mode: what is still seen asks again
        _drop_face()
        _asked.clear()
        _state.age += 1
    except Exception as problem:
        traceback.print_exc()
        _drop_face()
        _asked.clear()
        _state.why = str(problem) or type(problem).__name__
        session.redraw(bpy.context)
    spent = time.thread_time() - began
    if reading or _state.reading:
        _state.read = max(_state.read, spent)
    else:
        _state.work = max(_state.work, spent)
    return _STEP_SECONDS


def _held() -> bool:
    """Whether something else has the machine or the keys."""
    screen, ob = getattr(bpy.context, "screen", None), bpy.context.object
    app: Any = bpy.app  # the stubs say that it returns nothing
    return (
        session.status.running
        or held.moves()
        or (screen is not None and screen.is_animation_playing)
        or any(app.is_job_running(job) for job in _JOBS)
        or (ob is not None and ob.mode in ("EDIT", "SCULPT"))
    )


def _step() -> None:
    """Go on with the face or the picture that is being made, or begin the next."""
    _state.used = time.monotonic()
    if _state.steps is None:
        identity, name = next(iter(_asked))
        face = _state.face
        if face is not None and face[:2] == (identity, _state.age):
            _state.steps = _drawn(identity, name)
        else:
            _drop_face()
            _state.steps = _ready(identity, _state.age)
    with contextlib.suppress(StopIteration):
        next(_state.steps)
        return
    _state.steps = None


def _ready(identity: int, age: int) -> Generator[None, None, None]:
    """Get a face ready."""
    head = yield from gathered(identity)
    if head is None:
        _state.nothing = (identity, age)
        for key in [key for key in _asked if key[0] == identity]:
            del _asked[key]
        return
    painter = Painter(head)
    _state.reading = True
    try:
        yield from painter.prepared()
    except BaseException:
        painter.free()
        raise
    finally:
        _state.reading = False
    if age == _state.age:
        _state.face = (identity, age, head, painter)
    else:
        painter.free()


def _drawn(identity: int, name: str) -> Generator[None, None, None]:
    """Draw one picture, unless it is there and shows what it should."""
    if _state.face is None:
        return
    _identity, age, head, painter = _state.face
    ob, key = find(identity), (identity, name)
    _asked.pop(key, None)
    if ob is None:
        raise LookupError(name)
    points = head.posed(name)
    shown = digest(points) ^ painter.digest
    there = _pictures.get(key)
    if there is not None and there.digest == shown:
        there.age = age
        return
    yield
    _keep(key, painter.paint(points), shown, age)


def _keep(key: Key, pixels: Any, shown: int, age: int) -> None:
    """Show a picture (SIZE,SIZE,4) from now on."""
    if _state.collection is None:
        _state.collection = bpy.utils.previews.new()
    if len(_pictures) >= _MOST:
        _pictures.clear()
        _state.collection.clear()
    there = _pictures.get(key)
    preview = there.preview if there is not None else _state.collection.new(f"{key[0]} {key[1]}")
    preview.image_size = pixels.shape[:2]
    preview.image_pixels_float.foreach_set(pixels.ravel())
    _pictures[key] = _Picture(preview, shown, age)
    _state.made += 1
    session.redraw(bpy.context)
