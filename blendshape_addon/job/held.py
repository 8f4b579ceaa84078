# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that are held at values for a look, whatever sets them elsewhere, and put back exactly as
they were.

How they were is kept with the key data for that time, so that an undo to that time, or a file of a
crash, is put back as well. One show holds keys at a time; the next one ends it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import bpy

from ..blender_io.key_export import curves_of
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.parts import avatar_parts, moving
from ..blender_io.turned_bones import put_back as put_bones_back
from ..typed import keys_of, mesh_of, of_scene

KEPT = "blendshape_auto_generator_preview"  # custom property of the key data, while keys are held


@dataclass(frozen=True)
class Before:
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


_ends: list[Callable[[], None]] = []  # of the show that holds keys now
_moves: list[bool] = []


def begin(end: Callable[[], None], moves: bool = False) -> None:
    """A show begins: whatever else holds keys is ended. end: called when this one is. moves: the
    keys change all the time.
    """
    release()
    _ends.append(end)
    _moves[:] = [moves]


def moves() -> bool:
    """Whether a show is there whose keys change all the time. Quick, for drawing."""
    return bool(_ends) and _moves == [True]


def release() -> None:
    """End the show, and put everything back, also in copies that were made meanwhile, and what a
    show left in the state that an undo or a file brought.
    """
    while _ends:
        _ends.pop()()
    put_back()


def put_back() -> None:
    """Put all keys and turned bones back; the show may hold them again."""
    put_bones_back()
    for key in bpy.data.shape_keys:
        if key.library is None and key.get(KEPT) is not None:
            _put_back(key)


def face_objects(ob: bpy.types.Object) -> list[bpy.types.Object]:
    """The face's object and the parts that go with it."""
    objects = [ob]
    if of_scene(bpy.context).parts:
        objects += [part.ob for part in moving(avatar_parts(ob, found_landmarks(ob)))]
    return objects


def block_of(ob: bpy.types.Object, name: str) -> bpy.types.ShapeKey | None:
    """The object's key of that name, unless it is what the others refer to."""
    key = mesh_of(ob).shape_keys
    block = key.key_blocks.get(name) if key is not None else None
    return None if key is None or block == key.reference_key else block


def hold(ob: bpy.types.Object, names: Iterable[str]) -> None:
    """Free the keys of an object that can be edited from whatever sets them, until they are put
    back; those that are held already stay so.
    """
    key = keys_of(ob)
    held = kept(key)
    there = {before.name for before in held}
    held += [
        _free(key, block)
        for name in dict.fromkeys(names)
        if name not in there and (block := block_of(ob, name)) is not None
    ]
    if held and ob.show_only_shape_key:
        held[0] = replace(held[0], pinned=(*held[0].pinned, ob.name))
        ob.show_only_shape_key = False
    elif len(held) == len(there):
        return
    key[KEPT] = json.dumps([asdict(before) for before in held])


def set_values(ob: bpy.types.Object, values: Mapping[str, float], unseen: float = 0.0) -> None:
    """Set keys of an object, which are held. unseen: what changes by no more stays, and what is no
    more is 0, which Blender does not evaluate.
    """
    blocks = keys_of(ob).key_blocks
    for name, value in values.items():
        block = blocks.get(name)
        if block is None:
            continue
        wanted = 0.0 if abs(value) <= unseen else value
        before = block.value
        if before != wanted and (wanted == 0.0 or abs(before - wanted) > unseen):
            block.value = wanted


def _free(key: bpy.types.Key, block: bpy.types.ShapeKey) -> Before:
    """Free a key from whatever holds it elsewhere; how it was."""
    curves = []
    for driver, curve in curves_of(key, block):
        if not curve.mute:
            curves.append((driver, str(curve.data_path)))
            curve.mute = True
    animation = key.animation_data
    nla = animation is not None and animation.use_nla
    before = Before(
        name=block.name,
        index=key.key_blocks.find(block.name),
        path=block.path_from_id(),
        value=block.value,
        low=block.slider_min,
        high=block.slider_max,
        mute=block.mute,
        curves=tuple(curves),
        nla=nla,
    )
    if animation is not None and nla:
        animation.use_nla = False
    block.mute = False
    block.slider_min, block.slider_max = min(block.slider_min, 0.0), max(block.slider_max, 1.0)
    return before


def _put_back(key: bpy.types.Key) -> None:
    """Put the keys back as their data-block says that they were."""
    held = kept(key)
    del key[KEPT]
    users = [ob for ob in bpy.data.objects if ob.type == "MESH" and mesh_of(ob).shape_keys == key]
    for before in reversed(held):
        block = meant(key, before)
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


def kept(key: bpy.types.Key) -> list[Before]:
    """How the keys were, as their data-block says; a file may say anything, and that is left
    out.
    """
    try:
        return [
            Before(
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


def meant(key: bpy.types.Key, before: Before) -> bpy.types.ShapeKey | None:
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
