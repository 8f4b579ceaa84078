# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions on shape keys, in the layers that Blender has them in from 4.4 on, or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from ..typed import keys_of

_LINEAR = 1  # of a keyframe's `interpolation`
LAST_FRAME = 1_048_574  # that Blender has

Floats = NDArray[np.float32]


def write_action(
    ob: bpy.types.Object, name: str, first: int, values: Mapping[str, Floats]
) -> tuple[bpy.types.Action, str]:
    """A new action on the object's keys, which it plays from now on. Returns it, and the name of
    the action that was there before, which is kept with the file, or ``.

    name: the new action's. first: the frame where it begins. values: key -> float32 (F,), one for
    each frame. Raises AddonError `usage` where another action is being edited.
    """
    key = keys_of(ob)
    animation: Any = key.animation_data or key.animation_data_create()
    if animation.use_tweak_mode:
        raise AddonError(
            "usage",
            f"A strip of the keys of {ob.name!r} is being edited.",
            "Leave the strip's tweak mode in the NLA editor.",
        )
    before = animation.action
    if before is not None:
        before.use_fake_user = True
    action: Any = bpy.data.actions.new(name)
    curves = _curves_for(action, animation, key.name)
    for key_name, column in values.items():
        path = key.key_blocks[key_name].path_from_id("value")
        _fill(curves.new(path), first, column)
    return action, "" if before is None else str(before.name)


def _curves_for(action: Any, animation: Any, name: str) -> Any:
    """The empty collection of curves of an action that is played from now on."""
    if not hasattr(action, "slots"):
        animation.action = action
        action.id_root = "KEY"
        return action.fcurves
    slot = action.slots.new(id_type="KEY", name=name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    animation.action = action
    animation.action_slot = slot
    return strip.channelbag(slot, ensure=True).fcurves


def _fill(curve: Any, first: int, column: Floats) -> None:
    """Keyframes of one value for each frame; of a run of equal values only its ends."""
    inside = (column[1:-1] == column[:-2]) & (column[1:-1] == column[2:])
    kept = np.flatnonzero(np.concatenate([[True], ~inside, [True]])[: len(column)])
    points = np.stack([first + kept, column[kept]], axis=1).astype(np.float32)
    curve.keyframe_points.add(len(kept))
    curve.keyframe_points.foreach_set("co", points.reshape(-1))
    curve.keyframe_points.foreach_set("interpolation", np.full(len(kept), _LINEAR, np.int32))
    curve.update()
