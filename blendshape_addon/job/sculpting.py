# SPDX-License-Identifier: GPL-3.0-or-later
"""A corrective: one key shown alone in Sculpt Mode, and everything back as it was afterwards.

How it was is kept with the key data, so that it is right after undo, saving and loading.
"""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..blender_io.tuned import Tuned
from ..errors import AddonError
from ..typed import keys_of, mesh_of
from . import face_view, live, preview

KEPT = "blendshape_auto_generator_sculpt"  # custom property of the key data, while one is sculpted


def sculpted(ob: bpy.types.Object) -> str:
    """The name of the key that is being sculpted, or ``. Quick, for drawing."""
    kept = _kept(ob)
    return "" if kept is None else str(kept.get("name", ""))


def start(context: bpy.types.Context, ob: bpy.types.Object, name: str) -> None:
    """Enter Sculpt Mode with this key shown and active. Raises AddonError as Tuned does, and
    `usage` for a mesh that Blender lets nobody sculpt.
    """
    preview.stop()
    now = live.current()
    if now is not None:
        now.rest()
    finish(context, ob)
    if ob.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    Tuned(check_editable(ob), name).keep_made()
    key = keys_of(ob)
    key[KEPT] = json.dumps(
        {"name": name, "pinned": ob.show_only_shape_key, "index": ob.active_shape_key_index}
    )
    ob.active_shape_key_index = key.key_blocks.find(name)
    ob.show_only_shape_key = True
    try:
        bpy.ops.object.mode_set(mode="SCULPT")
    except RuntimeError as error:
        finish(context, ob)
        raise AddonError("usage", f"{ob.name!r} cannot be sculpted.", str(error)) from error
    face_view.show_posed(context, ob)


def finish(context: bpy.types.Context, ob: bpy.types.Object) -> str:
    """Leave Sculpt Mode; what was shown and active before is so again. The key's name, or ``."""
    kept = _kept(ob)
    if kept is None:
        return ""
    if ob.mode == "SCULPT":
        bpy.ops.object.mode_set(mode="OBJECT")
    key = keys_of(ob)
    del key[KEPT]
    ob.show_only_shape_key = bool(kept.get("pinned"))
    index = kept.get("index")
    ob.active_shape_key_index = index if isinstance(index, int) else 0
    face_view.give_back(context)
    return str(kept.get("name", ""))


def edited(ob: bpy.types.Object, name: str) -> bool:
    """Whether the key is no longer what was generated."""
    with object_mode(ob):
        return not Tuned(ob, name).intact


def _kept(ob: bpy.types.Object) -> dict[str, Any] | None:
    """What the key data say; a file may say anything, and that is left out."""
    key = mesh_of(ob).shape_keys
    text: Any = key.get(KEPT) if key is not None else None
    try:
        told: Any = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        told = {}
    return told if isinstance(told, dict) or told is None else {}
