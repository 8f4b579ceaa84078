# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of faces: read from files, played, and kept as actions on the keys."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..blender_io.actions import write_action
from ..blender_io.key_export import driven
from ..blender_io.remembered import listed
from ..errors import AddonError
from ..shared import regular_file
from ..tracking import parade, recordings
from ..tracking.names import Routes, spread_all
from ..tracking.recordings import Recording
from ..typed import keys_of
from . import held
from .driven import Driven
from .playing import frames_of, rate_of
from .preview import COMPANIONS

SAMPLE = Path(__file__).resolve().parents[1] / "tracking" / "sample.csv"


@dataclass(frozen=True)
class Kept:
    """action: of the face. keys: how many keys it moves. frames: its first and its last. unused:
    names of the recording that move no key. driven: keys whose driver goes before the action.
    before: the name of the action that was there, or ``.
    """

    action: str
    keys: int
    frames: tuple[int, int]
    unused: tuple[str, ...]
    driven: tuple[str, ...]
    before: str


def read(path: Path) -> Recording:
    """A recording of somebody's. Raises AddonError: `input_missing`, `input_unreadable`,
    `recording_invalid`.
    """
    try:
        data = regular_file.read(path, recordings.MOST_BYTES)
    except regular_file.RefusedError as error:
        raise AddonError(
            "input_unreadable", f"The recording {path} {error.reason}.", error.fix
        ) from error
    except OSError as error:
        raise AddonError("input_missing", f"There is no file {path}.", "Check the path.") from error
    return recordings.read(path.stem, data)


@functools.cache
def sample() -> Recording:
    """The recording that comes with the extension."""
    return recordings.read("Sample", SAMPLE.read_bytes())


def all_shapes(ob: bpy.types.Object) -> Recording:
    """All that were generated in a row, in the mesh's order; without any, all keys. Raises
    AddonError `usage` where there are none.
    """
    names = [block.name for block in keys_of(ob).key_blocks if held.block_of(ob, block.name)]
    made = listed(ob)
    shapes = [name for name in names if name in made] or names
    if not shapes:
        raise AddonError(
            "usage", f"{ob.name!r} has no shape keys to move.", "Generate shape keys first."
        )
    return parade.parade("All Shapes", shapes, COMPANIONS)


def keep(context: bpy.types.Context, ob: bpy.types.Object, recording: Recording) -> Kept:
    """Write a recording as actions on the keys of a face and its parts, from the scene's first
    frame on, at the scene's frame rate. Raises AddonError: `usage`, `recording_invalid`.
    """
    held.release()
    scene, face = context.scene, Driven(ob)
    last = scene.frame_start + frames_of(recording, scene)
    routes = Routes(face.keys)
    sampled = recording.sampled(rate_of(scene))
    rows = [
        routes.values(spread_all(dict(zip(recording.names, map(float, row), strict=True))))
        for row in sampled
    ]
    if not rows[0]:
        raise AddonError(
            "usage",
            f"Nothing in the recording {recording.name} moves a key of {ob.name!r}.",
            "Generate the ARKit set first.",
        )
    columns = {key: np.array([row[key] for row in rows], np.float32) for key in rows[0]}
    action, before = "", ""
    for each in face.objects():
        there = {key: column for key, column in columns.items() if held.block_of(each, key)}
        if not there:
            continue
        name = recording.name if each == ob else f"{recording.name} {each.name}"
        written, old = write_action(each, name, scene.frame_start, there)
        if each == ob:
            action, before = written.name, old
    return Kept(
        action=action,
        keys=len(columns),
        frames=(scene.frame_start, last),
        unused=tuple(name for name in recording.names if not routes.known(name)),
        driven=tuple(key for key in driven(ob) if key in columns),
        before=before,
    )
