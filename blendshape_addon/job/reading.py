# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of vertex groups, read in steps: Blender gives no bulk access to them, and a whole avatar
has a hundred thousand.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import bpy

from ..blender_io.avatar_objects import find
from ..blender_io.landmark_store import found_landmarks
from ..blender_io.mesh_arrays import CHUNK, Entries, entries_of, joined_entries
from ..blender_io.parts import avatar_parts, moving
from ..typed import mesh_of
from .options import Options

STEP_SECONDS = 0.025  # of a step, after which the window lives


class Reading:
    """What an operator waits for before it gathers an avatar. entries: by the object's identity,
    of those that were read; the others are read when they are gathered.
    """

    stage, fraction, seconds_left = "start", 0.0, None

    def __init__(self, ob: bpy.types.Object, options: Options) -> None:
        parts = moving(avatar_parts(ob, found_landmarks(ob))) if options.parts else []
        self.identity, self.finished = int(ob.session_uid), False
        self.entries: dict[int, Entries] = {}
        self._steps = self._read([self.identity, *(int(part.ob.session_uid) for part in parts)])

    def step(self) -> None:
        """Go on for a moment."""
        end = time.perf_counter() + STEP_SECONDS
        while not self.finished:
            self.finished = next(self._steps, True)
            if time.perf_counter() > end:
                break

    def cancel(self) -> None:
        """Nobody waits any more."""
        self.finished = True

    def _read(self, identities: list[int]) -> Generator[bool, None, None]:
        for identity in identities:
            count, found = _size(identity), []
            for start in range(0, count, CHUNK):
                ob = find(identity)
                if ob is None or _size(identity) != count:
                    break  # what has changed is read where it is gathered
                found.append(entries_of(ob, start, start + CHUNK))
                yield False
            else:
                if count:
                    self.entries[identity] = joined_entries(found, count)


def _size(identity: int) -> int:
    """Vertices of a mesh object, 0 of one that is gone or whose mesh Edit Mode holds."""
    ob = find(identity)
    return len(mesh_of(ob).vertices) if ob is not None and ob.mode != "EDIT" else 0
