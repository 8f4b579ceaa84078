# SPDX-License-Identifier: GPL-3.0-or-later
"""Live conditions: the shapes of all conditions are fetched once; after that a slider is a weighted
sum, shown through a key of its own.

That key is taken away when the show ends, before a file is saved, and from files in which a crash
left it; nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender_io.as_seen import PREVIEW
from ..blender_io.asked import remember_request
from ..blender_io.avatar import Target
from ..blender_io.avatar_objects import find
from ..blender_io.generated import made_by_us
from ..blender_io.key_writer import Portion, Shape, Written, write_all
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.mesh_io import check_editable
from ..blender_io.modes import object_mode
from ..blender_io.sharing import split
from ..errors import AddonError
from ..process.backend_process import Backend
from ..process.exits import error_of
from ..shared_protocol import Message
from ..typed import keys_of, mesh_of
from .generation import Job
from .options import Options
from .preview import unseen

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Condition:
    """A slider, as the model's metadata describe it."""

    name: str
    minimum: float
    maximum: float
    default: float


@dataclass
class _Shown:
    """An object that shows the conditions. basis: float32 (K,f,3) of its vertices `indices` int32
    (f,). had_keys: there were keys before.
    """

    target: Target
    indices: Ints
    basis: Floats
    had_keys: bool = True
    solo: bool = False


class Preparation:
    """Fetches conditions and their shapes without blocking: asks for the model's metadata, then for
    every condition alone at 1.
    """

    def __init__(
        self, ob: bpy.types.Object | None, options: Options, backend: Backend, patient: bool = False
    ) -> None:
        """Raises AddonError as job.Job does."""
        self._ob, self._options, self._backend = check_editable(ob), options, backend
        self._job: Job | None = None
        self._conditions: list[Condition] = []
        self.stage, self.fraction = "start", 0.0
        backend.start(patient)
        self._request = backend.send("load", {"model": options.model or None})

    @property
    def seconds_left(self) -> float | None:
        """An estimate, once the shapes are asked for."""
        return self._job.seconds_left if self._job is not None else None

    def take(self, messages: Iterable[Message]) -> Live | None:
        """Take what the child said; the conditions when all are there. Raises AddonError."""
        messages = list(messages)
        if self._job is None:
            for message in messages:
                if message.header.get("id") != self._request:
                    continue
                if message.header["type"] == "error":
                    raise error_of(message)
                if message.header["type"] == "done":
                    self._ask(message.header["report"])
            return None
        self._job.take(messages)
        self.stage, self.fraction = self._job.stage, self._job.fraction
        return Live(self._conditions, self._job) if self._job.finished else None

    def cancel(self) -> None:
        """Give it up, also while the model is loaded."""
        if self._job is not None:
            self._job.cancel()
        else:
            self._backend.cancel(self._request)
            self._backend.poll()

    def _ask(self, report: dict[str, Any]) -> None:
        self._conditions = [
            Condition(str(c["name"]), float(c["minimum"]), float(c["maximum"]), float(c["default"]))
            for c in report["conditions"]
        ]
        table = {condition.name: {condition.name: 1.0} for condition in self._conditions}
        asked = Options(
            sets=(),
            table=table,
            group=self._options.group,
            use_selection=self._options.use_selection,
            model=self._options.model,
            parts=self._options.parts,
        )
        self._job = Job(self._ob, asked, self._backend)


class Live:
    """The conditions of one face, ready to be shown. weights: float32 (K,), as they were shown
    last. why: what keeps an object from being seen with them, in a sentence, or ``.
    """

    def __init__(self, conditions: Sequence[Condition], job: Job) -> None:
        names, offsets = job.offsets()
        order = [names.index(condition.name) for condition in conditions]
        self.conditions = list(conditions)
        self.name = job.name
        self.landmarks = job.landmarks
        self.why = ""
        self.weights = np.array([condition.default for condition in conditions], np.float32)
        shares = split(job.targets, job.indices, offsets)
        self._shown = [
            _Shown(share.target, share.indices, np.ascontiguousarray(share.offsets[order]))
            for share in shares
        ]
        self._shown = [
            shown for number, shown in enumerate(self._shown) if number == 0 or shown.basis.any()
        ]

    def show(self, weights: Floats) -> None:
        """Show the face under these weights, float32 (K,). Raises AddonError `mesh_changed`."""
        self.weights = np.asarray(weights, np.float32)
        moving = np.flatnonzero(self.weights)
        objects = [self._object(shown) for shown in self._shown]
        self.why = next((why for ob in objects if (why := unseen(ob))), "")
        for shown, ob in zip(self._shown, objects, strict=True):
            if unseen(ob):
                continue
            block = _preview_of(ob)
            if block is None:
                shown.had_keys, shown.solo = (
                    mesh_of(ob).shape_keys is not None,
                    ob.show_only_shape_key,
                )
                ob.show_only_shape_key = False
                block = _add_preview(ob)
            coordinates = base_coordinates(ob)
            coordinates[shown.indices] += np.tensordot(self.weights[moving], shown.basis[moving], 1)
            block.points.foreach_set("co", coordinates.reshape(-1))
            mesh_of(ob).update()

    def lost(self) -> bool:
        """Whether the face's object is gone. Quick."""
        return find(self._shown[0].target.identity) is None

    def rest(self) -> None:
        """Take away what the show added; the weights stay."""
        for shown in self._shown:
            ob = find(shown.target.identity)
            if ob is not None and ob.type == "MESH" and _preview_of(ob) is not None:
                _remove_preview(ob, shown.had_keys)
                ob.show_only_shape_key = shown.solo

    def keep(self, name: str) -> Written:
        """Write the face as it is shown as a key that rests at 0. Raises AddonError as
        key_writer.write_all, and `usage` for a name in use.
        """
        if not name.strip():
            raise AddonError("usage", "The shape has no name.", "Type one.")
        self.rest()
        moving = np.flatnonzero(self.weights)
        if not len(moving):
            raise AddonError(
                "usage",
                "All sliders are 0, so the shape would move nothing.",
                "Move a slider first.",
            )
        objects = [self._object(shown) for shown in self._shown]
        with object_mode(objects[0]):
            self._check_free(objects[0], name.strip())
        portions = []
        for ob, shown in zip(objects, self._shown, strict=True):
            offsets = np.asarray(
                np.tensordot(self.weights[moving], shown.basis[moving], 1), np.float32
            )
            if ob == objects[0] or offsets.any():
                portions.append(Portion(ob, shown.indices, [Shape(name.strip(), offsets)]))
        with object_mode(objects[0]):
            written = write_all(portions)
        row = {self.conditions[index].name: float(self.weights[index]) for index in moving}
        for portion in portions:
            if mesh_of(portion.ob).shape_keys is not None:
                remember_request(portion.ob, (), {name.strip(): row})
        return written[0]

    def _check_free(self, ob: bpy.types.Object, name: str) -> None:
        key = mesh_of(ob).shape_keys
        if (
            key is not None
            and name in key.key_blocks
            and name not in made_by_us(ob, base_coordinates(ob))
        ):
            raise AddonError(
                "usage", f"There is a key {name!r} that you made or edited.", "Choose another name."
            )

    def _object(self, shown: _Shown) -> bpy.types.Object:
        ob = find(shown.target.identity)
        if ob is None or ob.type != "MESH" or len(mesh_of(ob).vertices) != shown.target.size:
            raise AddonError(
                "mesh_changed",
                f"{shown.target.name!r} was changed or removed.",
                "Start the expression sliders again.",
            )
        return ob


_live: Live | None = None


def current() -> Live | None:
    """The conditions that are live, None when there are none."""
    return _live


def begin(live: Live) -> None:
    """Make these the live ones."""
    global _live
    end()
    _live = live


def end() -> None:
    """End the show; nothing is left of it."""
    global _live
    if _live is not None:
        _live.rest()
        _live = None


def sweep() -> None:
    """Take previews away wherever they are left: after an undo, or in a file that was saved by a
    crash.
    """
    for ob in bpy.data.objects:
        if (
            ob.type == "MESH"
            and mesh_of(ob).shape_keys is not None
            and _preview_of(ob) is not None
            and mesh_of(ob).is_editable
        ):
            _remove_preview(ob, had_keys=True)


def _preview_of(ob: bpy.types.Object) -> bpy.types.ShapeKey | None:
    key = mesh_of(ob).shape_keys
    return None if key is None else key.key_blocks.get(PREVIEW)


def _add_preview(ob: bpy.types.Object) -> bpy.types.ShapeKey:
    active = ob.active_shape_key_index
    if mesh_of(ob).shape_keys is None:
        ob.shape_key_add(name="Basis", from_mix=False)
    block = ob.shape_key_add(name=PREVIEW, from_mix=False)
    block.relative_key = keys_of(ob).reference_key
    block.value = 1.0
    ob.active_shape_key_index = active
    return block


def _remove_preview(ob: bpy.types.Object, had_keys: bool) -> None:
    block = _preview_of(ob)
    if block is None:
        return
    active = ob.active_shape_key_index or 0
    ob.shape_key_remove(block)
    key = mesh_of(ob).shape_keys
    if not had_keys and key is not None and len(key.key_blocks) == 1:
        ob.shape_key_clear()
    elif key is not None:
        ob.active_shape_key_index = min(active, len(key.key_blocks) - 1)
    mesh_of(ob).update()
