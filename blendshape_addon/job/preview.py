# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing one key at full value on the face for a look, whatever hides it, and putting everything
back exactly as it was.

How it was is kept with the key data for the time of the show, so that an undo to that time, or a
file of a crash, is put back as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import bpy

from ..blender_io.as_seen import offset_of, visible
from ..blender_io.key_export import curves_of
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.parts import avatar_parts, moving
from ..translations import tr
from ..typed import keys_of, mesh_of, of_scene
from . import face_view

if TYPE_CHECKING:
    from ..ui.properties import BlendShapesWindow

COMPANIONS = {
    "mouthClose": "jawOpen",
    "MouthClosed": "JawOpen",
    "MouthClose": "JawOpen",
}  # which acts on an open jaw only
ALMOST = 0.999  # of 1, from where a key counts as shown


KEPT = "blendshape_auto_generator_preview"  # custom property of the key data, while a key is shown


@dataclass(frozen=True)
class _Before:
    """A key as it was. path: its own data path. curves: data paths, of drivers (True) and of the
    action's curves, that were not muted. nla: strips played, too. pinned: names of objects that
    showed one key alone.
    """

    name: str
    index: int
    path: str
    value: float
    low: float
    high: float
    mute: bool
    curves: tuple[tuple[bool, str], ...] = ()
    nla: bool = False
    pinned: tuple[str, ...] = ()


@dataclass
class _Shown:
    """name: the key that is shown, or ``. why: what keeps the key from being seen, in a sentence,
    or ``.
    """

    name: str = ""
    why: str = ""


_shown = _Shown()


def shown() -> str:
    """The name of the key that is shown, or ``."""
    return _shown.name


def why() -> str:
    """What keeps the key that was clicked from being seen, in a sentence, or ``."""
    return _shown.why


def start(ob: bpy.types.Object, name: str, also: Sequence[str] = ()) -> None:
    """Show the key, and others with it, on the face's object and on its parts; what was shown
    before rests again. Where it cannot be seen, `why` says so.
    """
    stop()
    objects = [ob]
    if of_scene(bpy.context).parts:
        objects += [part.ob for part in moving(avatar_parts(ob, found_landmarks(ob)))]
    having = [other for other in objects if _block(other, name) is not None]
    _shown.why = _reason(ob, name, having)
    if _shown.why:
        return
    _shown.name = name
    raised: dict[str, list[_Before]] = {}  # by the key data, which parts may share
    for other in objects:
        blocks = [
            block
            for key_name in dict.fromkeys((name, *also, COMPANIONS.get(name, "")))
            if (block := _block(other, key_name)) is not None
        ]
        if not blocks or not mesh_of(other).is_editable:
            continue
        key = keys_of(other)
        if key.name_full not in raised:
            raised[key.name_full] = [_raise(key, block) for block in blocks]
        if other.show_only_shape_key:
            first = raised[key.name_full][0]
            raised[key.name_full][0] = replace(first, pinned=(*first.pinned, other.name))
            other.show_only_shape_key = False
        key[KEPT] = json.dumps([asdict(before) for before in raised[key.name_full]])
    bpy.context.view_layer.update()
    if not any(_arrived(other, name) for other in having):
        stop()
        _shown.why = tr("An animation or a driver holds {name} elsewhere").format(name=name)


def hold_back(away: bool) -> None:
    """While a key is shown: put it at its value from before for a moment, or show it again."""
    for key in bpy.data.shape_keys:
        told: list[_Before] = _kept(key) if key.library is None else []
        for before in told:
            block = _of_before(key, before)
            if block is not None and isinstance(before.value, int | float):
                block.value = before.value if away else 1.0


def _block(ob: bpy.types.Object, name: str) -> bpy.types.ShapeKey | None:
    """The object's key of that name, unless it is what the others refer to."""
    key = mesh_of(ob).shape_keys
    block = key.key_blocks.get(name) if key is not None else None
    return None if key is None or block == key.reference_key else block


def _reason(ob: bpy.types.Object, name: str, having: list[bpy.types.Object]) -> str:
    if not having:
        return tr("{object} has no key {name} any more").format(object=ob.name, name=name)
    free = [other for other in having if not unseen(other)]
    if not free:
        return unseen(having[0])
    if not any(
        offset_of(other, keys_of(other).key_blocks[name], base_coordinates(other)).any()
        for other in free
    ):
        return tr("{name} moves nothing").format(name=name)
    return ""


def unseen(ob: bpy.types.Object) -> str:
    """What keeps keys of an object from being seen at their values, in a sentence, or ``."""
    if not visible(ob):
        return tr("{object} is hidden").format(object=ob.name)
    key = mesh_of(ob).shape_keys
    if key is not None and not key.use_relative:
        return tr("The shape keys of {object} are absolute").format(object=ob.name)
    if ob.mode in ("EDIT", "SCULPT"):
        return tr(
            "{object} is in Edit or Sculpt Mode, which shows no values of keys; leave it"
        ).format(object=ob.name)
    return ""


def _raise(key: bpy.types.Key, block: bpy.types.ShapeKey) -> _Before:
    """Bring a key to 1, whatever holds it elsewhere; how it was."""
    curves = []
    for driver, curve in curves_of(key, block):
        if not curve.mute:
            curves.append((driver, str(curve.data_path)))
            curve.mute = True
    animation = key.animation_data
    nla = animation is not None and animation.use_nla
    place = key.key_blocks.find(block.name)
    before = _Before(
        block.name,
        place,
        block.path_from_id(),
        block.value,
        block.slider_min,
        block.slider_max,
        block.mute,
        tuple(curves),
        nla,
    )
    if animation is not None and nla:
        animation.use_nla = False
    block.mute = False
    block.slider_min, block.slider_max = min(block.slider_min, 0.0), max(block.slider_max, 1.0)
    block.value = 1.0
    return before


def _arrived(ob: bpy.types.Object, name: str) -> bool:
    """Whether Blender shows the key at its full value, after drivers and animation."""
    block = _block(ob.evaluated_get(bpy.context.evaluated_depsgraph_get()), name)
    return block is not None and block.value > ALMOST and not block.mute


def stop() -> None:
    """Put everything back, also in copies that were made meanwhile, and what a show left in the
    state that an undo or a file brought.
    """
    forget()
    for key in bpy.data.shape_keys:
        if key.library is None and key.get(KEPT) is not None:
            _put_back(key)


def _put_back(key: bpy.types.Key) -> None:
    """Put the keys back as their data-block says that they were."""
    kept = _kept(key)
    del key[KEPT]
    users = [ob for ob in bpy.data.objects if ob.type == "MESH" and mesh_of(ob).shape_keys == key]
    for before in reversed(kept):
        block = _of_before(key, before)
        if block is None or not all(
            isinstance(number, int | float) for number in (before.value, before.low, before.high)
        ):
            continue
        block.value = before.value
        block.slider_min, block.slider_max, block.mute = before.low, before.high, bool(before.mute)
        paths = {
            (driver, path.replace(before.path, block.path_from_id()))
            for driver, path in before.curves
        }
        for driver, curve in curves_of(key, block):
            if (driver, str(curve.data_path)) in paths:
                curve.mute = False
        if key.animation_data is not None and before.nla:
            key.animation_data.use_nla = True
        if before.pinned:
            for ob in [ob for ob in users if ob.name in before.pinned] or users:
                ob.show_only_shape_key = True


def _kept(key: bpy.types.Key) -> list[_Before]:
    """How the keys were, as their data-block says; a file may say anything, and that is left
    out.
    """
    try:
        return [
            _Before(
                **{
                    **one,
                    "curves": tuple((bool(d), str(p)) for d, p in one["curves"]),
                    "pinned": tuple(one["pinned"]),
                }
            )
            for one in json.loads(key.get(KEPT, "[]"))
        ]
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return []


def _of_before(key: bpy.types.Key, before: _Before) -> bpy.types.ShapeKey | None:
    """The key that is meant, by its name, or by its place where it was renamed meanwhile."""
    if (
        not isinstance(before.name, str)
        or not isinstance(before.index, int)
        or not isinstance(before.path, str)
    ):
        return None
    block = key.key_blocks.get(before.name)
    if block is None and 0 < before.index < len(key.key_blocks):
        block = key.key_blocks[before.index]
    return None if block == key.reference_key else block


def forget() -> None:
    """The objects are gone: another file is opened."""
    _shown.name = _shown.why = ""


def clicked(_window: BlendShapesWindow) -> int:
    """The number of the key that is shown among those of the active object, -1 where none is. For
    drawing.
    """
    ob = bpy.context.object
    if not _shown.name or ob is None or ob.type != "MESH" or mesh_of(ob).shape_keys is None:
        return -1
    return int(keys_of(ob).key_blocks.find(_shown.name))


def click(_window: BlendShapesWindow, number: int) -> None:
    """A row of the results was clicked, by the key's number: show the key, or end the show when it
    is the one that is shown.
    """
    ob = bpy.context.object
    key = mesh_of(ob).shape_keys if ob is not None and ob.type == "MESH" else None
    if ob is None or key is None or not 0 <= number < len(key.key_blocks):
        stop()
        return
    name = key.key_blocks[number].name
    if name == _shown.name:
        end()
        return
    start(ob, name)
    if _shown.name:
        face_view.show_posed(bpy.context, ob)


def show_result(window: BlendShapesWindow, context: bpy.types.Context) -> None:
    """A script chose a result by its number: show its key on the active object, or end the show
    where there is none.
    """
    ob = context.object
    if ob is None or ob.type != "MESH" or not 0 <= window.result < len(window.results):
        stop()
        return
    start(ob, window.results[window.result].name)


def end() -> None:
    """The user ends the show: everything is put back, the 3D view, too."""
    stop()
    face_view.give_back(bpy.context)
