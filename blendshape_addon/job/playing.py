# SPDX-License-Identifier: GPL-3.0-or-later
"""Test Face: a recording, or all shapes in a row, on the scene's timeline for a while.

No action is made. While it lasts, keys follow the frame, and the timeline shows its length as a
preview range. How frame and range were is kept with the scene for that time, as keys' values are
with the keys, so that an undo or a file of a crash is put back as well.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np

from ..blender_io.actions import LAST_FRAME
from ..errors import AddonError
from ..tracking import parade
from ..tracking.names import Routes, spread_all
from ..tracking.recordings import Recording
from ..tracking.turns import pose
from ..typed import persistent
from . import held
from .driven import Driven

KEPT = "blendshape_auto_generator_test"  # custom property of the scene, while something plays
_RANGE = ("use_preview_range", "frame_preview_start", "frame_preview_end")
_SYNC: Final = ("NONE", "FRAME_DROP", "AUDIO_SYNC")  # where not all frames can be drawn


@dataclass(frozen=True)
class Play:
    """What plays. routes: from names of the recording to keys, None for all shapes in a row. scene:
    its name. first: the frame where it begins. rate: frames in a second.
    """

    driven: Driven
    recording: Recording
    routes: Routes | None
    scene: str
    first: int
    rate: float

    def values_at(self, seconds: float) -> dict[str, float]:
        """Key -> value at a time from the beginning."""
        named = self._sent(seconds)
        return named if self.routes is None else self.routes.values(spread_all(named))

    def _sent(self, seconds: float) -> dict[str, float]:
        column = self.recording.at(seconds)
        return dict(zip(self.recording.names, map(float, column), strict=True))

    def show_at(self, seconds: float) -> bool:
        """Show the face at a time from the beginning. Returns whether it is still there."""
        if self.driven.turning and self.routes is not None:
            tracked = spread_all(self._sent(seconds))
            self.driven.turn(pose(tracked, self.recording.turns_at(seconds)))
        return self.driven.show(self.values_at(seconds))

    def seconds(self, scene: bpy.types.Scene) -> float:
        """The time at which the timeline stands."""
        return float(scene.frame_current + scene.frame_subframe - self.first) / self.rate


_play: list[Play] = []
_began: list[Play] = []  # that for which playback was begun


def current() -> Play | None:
    """What plays now."""
    return _play[0] if _play else None


def shape_now(scene: bpy.types.Scene) -> str:
    """The shape that is shown, of all in a row; else the recording's name. For drawing."""
    now = current()
    if now is None:
        return ""
    if now.routes is not None:
        return now.recording.name
    return parade.at(now.recording, now.seconds(scene))


def rate_of(scene: bpy.types.Scene) -> float:
    """Frames in a second of the scene."""
    return float(scene.render.fps / scene.render.fps_base)


def frames_of(recording: Recording, scene: bpy.types.Scene) -> int:
    """How many frames of the scene a recording lasts. Raises AddonError `recording_invalid`."""
    frames = math.ceil(recording.seconds * rate_of(scene))
    if scene.frame_start + frames > LAST_FRAME:
        raise AddonError(
            "recording_invalid",
            f"The recording {recording.name} is longer than Blender's timeline.",
            "Set a lower frame rate, or cut the recording.",
        )
    return frames


def start(
    context: bpy.types.Context,
    ob: bpy.types.Object,
    recording: Recording,
    row: bool = False,
    turning: bool = False,
) -> None:
    """Play a recording on a face, or all its shapes in a row, on the timeline of the scene.
    turning: bones of head and eyes turn, too. Raises AddonError: `usage`, `recording_invalid`.
    """
    held.release()
    scene, driven = context.scene, Driven(ob, turning and not row)
    routes = None if row else Routes(driven.keys)
    frames = frames_of(recording, scene)
    play = Play(
        driven=driven,
        recording=recording,
        routes=routes,
        scene=scene.name,
        first=scene.frame_start,
        rate=rate_of(scene),
    )
    if routes is not None and not any(routes.known(name) for name in recording.names):
        raise AddonError(
            "usage",
            f"Nothing in the recording {recording.name} moves a key of {ob.name!r}.",
            "Generate the ARKit set first.",
        )
    held.begin(_end, moves=True)
    _play.append(play)
    scene[KEPT] = json.dumps(
        [
            scene.frame_current,
            scene.frame_subframe,
            *(getattr(scene, name) for name in _RANGE),
            _SYNC.index(scene.sync_mode),
        ]
    )
    scene.sync_mode = "FRAME_DROP"  # a face is seen at its own speed
    _set_range(scene, play.first, play.first + frames)
    if _follow not in bpy.app.handlers.frame_change_pre:
        bpy.app.handlers.frame_change_pre.append(_follow)
    scene.frame_set(play.first)
    screen = context.screen
    if not bpy.app.background and screen is not None and not screen.is_animation_playing:
        bpy.ops.screen.animation_play()
        _began.append(play)


def stop() -> None:
    """Stop, and put everything back."""
    if _play:
        held.release()


def _end() -> None:
    """The show ends: playback, frame and range as before; `held` puts the keys back."""
    _play.clear()
    if _follow in bpy.app.handlers.frame_change_pre:
        bpy.app.handlers.frame_change_pre.remove(_follow)
    screen = bpy.context.screen
    if _began and screen is not None and screen.is_animation_playing:
        bpy.ops.screen.animation_cancel(restore_frame=False)
    _began.clear()
    sweep()


def sweep() -> None:
    """Put frame and range of all scenes back where something was playing, also in the state that an
    undo or a file brought.
    """
    for scene in bpy.data.scenes:
        if scene.library is None and scene.get(KEPT) is not None:
            _put_back(scene)


def _put_back(scene: bpy.types.Scene) -> None:
    text: Any = scene.get(KEPT)
    del scene[KEPT]
    try:
        frame, subframe, used, first, last, sync = numbers = np.array(json.loads(text), np.float64)
        if not np.isfinite(numbers).all() or np.abs(numbers).max() > LAST_FRAME:
            return
    except (TypeError, ValueError, OverflowError, RecursionError):
        return  # a file may say anything
    _set_range(scene, int(first), int(last))
    scene.use_preview_range = bool(used)
    scene.sync_mode = _SYNC[int(sync) % len(_SYNC)]
    scene.frame_set(int(frame), subframe=min(max(subframe, 0.0), 1.0))


def _set_range(scene: bpy.types.Scene, first: int, last: int) -> None:
    """The preview range, which Blender takes only while it is used, and only in order."""
    scene.use_preview_range = True
    scene.frame_preview_start = first
    scene.frame_preview_end = last
    scene.frame_preview_start = first


@persistent
def _follow(scene: bpy.types.Scene, *_: object) -> None:
    """The frame changes: the keys follow."""
    play = current()
    if play is None or scene.name != play.scene:
        return
    if not play.show_at(play.seconds(scene)):
        bpy.app.timers.register(stop, first_interval=0.0)  # not while Blender walks over handlers
