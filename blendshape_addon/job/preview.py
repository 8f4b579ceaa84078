# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing one key at full value on the face for a look, whatever hides it, and putting everything
back exactly as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from ..blender_io.as_seen import offset_of, visible
from ..blender_io.mesh_arrays import base_coordinates
from ..translations import tr
from ..typed import keys_of, mesh_of
from . import face_view, held

if TYPE_CHECKING:
    from ..ui.properties import BlendShapesWindow

COMPANIONS = {
    "mouthClose": "jawOpen",
    "MouthClosed": "JawOpen",
    "MouthClose": "JawOpen",
}  # which acts on an open jaw only
ALMOST = 0.999  # of 1, from where a key counts as shown


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
    objects = held.face_objects(ob)
    having = [other for other in objects if held.block_of(other, name) is not None]
    _shown.why = _reason(ob, name, having)
    if _shown.why:
        return
    held.begin(forget)
    _shown.name = name
    wanted = dict.fromkeys((name, *also, COMPANIONS.get(name, "")))
    for other in objects:
        there = [key_name for key_name in wanted if held.block_of(other, key_name) is not None]
        if there and mesh_of(other).is_editable:
            held.hold(other, there)
            held.set_values(other, dict.fromkeys(there, 1.0))
    bpy.context.view_layer.update()
    if not any(_arrived(other, name) for other in having):
        stop()
        _shown.why = tr("An animation or a driver holds {name} elsewhere").format(name=name)


def hold_back(away: bool) -> None:
    """While a key is shown: put it at its value from before for a moment, or show it again."""
    for key in bpy.data.shape_keys:
        if key.library is not None:
            continue
        for before in held.kept(key):
            block = held.meant(key, before)
            if block is not None and isinstance(before.value, int | float):
                block.value = before.value if away else 1.0


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


def _arrived(ob: bpy.types.Object, name: str) -> bool:
    """Whether Blender shows the key at its full value, after drivers and animation."""
    block = held.block_of(ob.evaluated_get(bpy.context.evaluated_depsgraph_get()), name)
    return block is not None and block.value > ALMOST and not block.mute


def stop() -> None:
    """End what is shown, whatever shows it, and put everything back, also what a show left in the
    state that an undo or a file brought.
    """
    held.release()
    forget()


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
