# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job inside Blender: gather an avatar, ask the child, write the keys. Modal and
background callers share these steps.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender_io import anchors
from ..blender_io.anchors import Hold, Surface
from ..blender_io.asked import remember_request
from ..blender_io.avatar import gather_avatar
from ..blender_io.avatar_objects import find
from ..blender_io.findings import BEFORE, Finding, merged
from ..blender_io.key_writer import Portion, Shape, Written, write_all
from ..blender_io.landmark_store import found_landmarks, keep_landmarks
from ..blender_io.mesh_arrays import Entries
from ..blender_io.mesh_io import AvatarArrays, check_editable
from ..blender_io.modes import object_mode
from ..blender_io.naming import aliases_of
from ..blender_io.parts import avatar_parts, moving, out_of_reach
from ..blender_io.remembered import Told, remember
from ..blender_io.sharing import settled, split
from ..errors import AddonError
from ..process.backend_process import Backend
from ..shared_protocol import Message
from ..typed import keys_of, mesh_of
from . import vrm_files
from .checked import scene_findings
from .guided import NOT_GUIDED, key_names, strengthened
from .guided import guided as own_keys
from .options import Options
from .outcome import Made, Outcome, moved_keys, poses_of, results_of, sizes_of, width_of
from .received import Received

OnProgress = Callable[[str, float], None]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class Job(Received):
    """One request for one avatar. Holds the objects' identities, not references, because undo may
    replace them between two ticks.
    """

    def __init__(
        self,
        ob: bpy.types.Object | None,
        options: Options,
        backend: Backend,
        *,
        patient: bool = False,
        locate_only: bool = False,
        landmarks: Mapping[str, tuple[float, float, float]] | None = None,
        effort: str = "full",
        seconds: float | None = None,
        entries: Mapping[int, Entries] | None = None,
    ) -> None:
        """Gather and send. landmarks: where the face is, by which parts are recognised; without,
        those kept on the object. effort: of a job that only locates, how far a face is looked for:
        "glance" for what is certain at first sight, "upright" as the head stands, "full" in any
        direction. seconds: that it may take, see Backend.send. entries:
        weights that were read before, see reading.py.

        Raises AddonError as mesh_io.gather and Backend.start do.
        """
        began = time.perf_counter()
        ob = check_editable(ob)
        marks = landmarks or found_landmarks(ob)
        everything = avatar_parts(ob, marks) if options.parts else []
        self.parts = moving(everything)
        with object_mode(ob, *(part.ob for part in self.parts)):
            inside = (options.group, options.use_selection)
            mesh, self.targets = gather_avatar(ob, self.parts, *inside, entries=entries)
        face = self.targets[0]
        vertices = np.asarray(mesh.vertices[: face.size] @ face.back.T, np.float32)
        self.surface = Surface(vertices, mesh.triangles[(mesh.triangles < face.size).all(axis=1)])
        super().__init__(face, backend)
        self.name, self._options = ob.name, options
        self.seconds["gather"] = time.perf_counter() - began
        self.findings = merged(
            [
                *scene_findings(ob, everything, out_of_reach(ob, marks) if options.parts else []),
                *mesh.findings,
            ]
        )
        self._warnings: list[str] = []
        self._portions: list[Portion] = []
        self._receivers: list[int] = []  # of each portion, its target
        self._named: dict[str, str] = {}
        self._notes: Mapping[str, str] = {}
        self._held: dict[str, Hold] | None = None  # what holds the landmarks on the mesh
        self.prepared, self._locate_only = False, locate_only
        self._sent = time.perf_counter()
        backend.start(patient)
        self._request = self._send(mesh, locate_only, effort, seconds)

    def _send(
        self, mesh: AvatarArrays, locate_only: bool, effort: str, seconds: float | None
    ) -> int:
        fields = {**mesh.fields(), "model": self._options.model or None}
        if locate_only:
            fields["effort"] = effort
        else:
            asked = self._options
            fields.update(
                sets=list(asked.sets),
                table=asked.table,
                strength=asked.strength,
                regions=dict(asked.regions),
            )
            fields.update(style=asked.style, turn_eyes=asked.turn_eyes)
        return self._backend.send(
            "locate" if locate_only else "generate", fields, mesh.arrays(), seconds
        )

    def objects(self) -> list[bpy.types.Object]:
        """The targets' objects as they are now. Raises AddonError `mesh_changed` if one is gone or
        another.
        """
        found = []
        for target in self.targets:
            ob = find(target.identity)
            if ob is None or len(mesh_of(ob).vertices) != target.size:
                raise AddonError(
                    "mesh_changed",
                    f"{target.name!r} was changed or removed while its shapes were computed.",
                    "Generate again.",
                )
            found.append(check_editable(ob))
        return found

    def take(self, messages: Iterable[Message]) -> None:
        """As Received does; and what holds the landmarks is worked out as soon as they are there,
        while the child computes the shapes.
        """
        super().take(messages)
        if self.landmarks and self._held is None and not self._locate_only:
            self._held = anchors.hold(self.surface, self.landmarks)

    def prepare(self) -> None:
        """Work out who gets which keys, so that writing holds nobody up for long. Raises AddonError
        as `write` does.
        """
        objects, (wanted, offsets), asked = self.objects(), self.offsets(), self._options
        with object_mode(*objects):
            self._named = names = key_names(
                objects[0],
                [block for block, _sure, _offsets in self.blocks],
                asked.naming,
                (self._backend.hello or {}).get("names", {}),
            )
            guided = NOT_GUIDED
            shares, halfway = settled(
                split(self.targets, self.indices, offsets),
                [mesh_of(ob).name_full for ob in objects],
            )
            self._warnings.extend(halfway)
            for number, (ob, share) in enumerate(zip(objects, shares, strict=True)):
                if share is None:
                    continue
                made = dict(zip(wanted, share.offsets, strict=True))
                if number == 0 and asked.guide != "off":
                    guided = own_keys(ob, share.indices, made, asked.guide == "shape")
                for name, factor in guided.factors.items():
                    made[name] = made[name] * np.float32(factor)
                if number == 0:
                    made.update(guided.shapes)
                shapes = [Shape(names[name], made[name]) for name in wanted]
                if asked.alias:
                    shapes.extend(
                        Shape(other, made[name])
                        for name, other in aliases_of(names).items()
                        if other not in names.values()
                    )
                if number:
                    there = (
                        set()
                        if mesh_of(ob).shape_keys is None
                        else {block.name for block in keys_of(ob).key_blocks}
                    )
                    shapes = [
                        shape for shape in shapes if shape.offsets.any() or shape.name in there
                    ]
                shapes = strengthened(ob, shapes, asked)
                self._portions.append(Portion(ob, share.indices, shapes, asked.only_existing))
                self._receivers.append(number)
        self._notes, self.prepared = guided.notes, True

    def write(self) -> Outcome:
        """Write the keys. Raises AddonError: `mesh_changed` if an object is gone or another, and as
        key_writer.write_all does.
        """
        began = time.perf_counter()
        if not self.prepared:
            self.prepare()
        objects = self.objects()  # not those that were prepared: undo may have replaced them
        with object_mode(*objects):
            fresh = [
                replace(portion, ob=objects[number])
                for portion, number in zip(self._portions, self._receivers, strict=True)
            ]
            portions = [
                portion for number, portion in enumerate(fresh) if number == 0 or portion.shapes
            ]
            written = write_all(portions, self._options.overwrite)
            for portion, done in zip(portions, written, strict=True):
                if done.added or done.updated:
                    remember_request(portion.ob, self._options.sets, self._options.table)
            keep_landmarks(objects[0], self.landmarks, self.surface, self._held)
        sizes = sizes_of(portions)
        moved = [moved_keys(portion, done) for portion, done in zip(portions, written, strict=True)]
        others = {
            portion.ob.name: done
            for portion, done, names in zip(portions[1:], written[1:], moved[1:], strict=True)
            if names
        }
        outcome = self._outcome(objects[0].name, written[0], others, sizes, set().union(*moved))
        outcome.seconds = {name: self.seconds[name] for name in ("gather", "request")}
        outcome.seconds["backend"] = self.report["seconds"]
        if written[0].added or written[0].updated:
            rows = {
                each.name: Told(each.state, each.confidence, each.note, each.size)
                for each in outcome.results
            }
            remember(objects[0], uuid.uuid4().hex, rows)
        outcome.warnings += vrm_files.bound_here(objects[0], self._options.vrm)
        outcome.seconds["write"] = time.perf_counter() - began
        return outcome

    def _told(self) -> list[Finding]:
        """What about the scene still counts after the keys are made: what moves halfway is told
        then, with how many shapes.
        """
        return [
            finding for finding in self.findings if not finding.told and finding.code not in BEFORE
        ]

    def _outcome(
        self,
        name: str,
        written: Written,
        others: dict[str, Written],
        sizes: Mapping[str, float],
        moved: set[str],
    ) -> Outcome:
        sure = {
            name: c
            for names, confidence, _offsets in self.blocks
            for name, c in zip(names, confidence, strict=True)
        }
        still = [key for key in (*written.added, *written.updated) if key not in moved]
        poses = poses_of(self.report.get("poses", ()), self._named)
        held = {name: pose.note for pose in poses for name in pose.keys}
        told = {
            own: Made(
                sure[wanted],
                sizes.get(own, 0.0),
                [note for note in (self._notes.get(wanted, ""), held.get(own, "")) if note],
            )
            for wanted, own in self._named.items()
        }
        results = results_of(
            written, told, still, width_of(find(self.targets[0].identity), self.landmarks)
        )
        warnings = [
            *(finding.words for finding in self._told()),
            *self._warnings,
            *self.report["warnings"],
            *written.warnings,
        ]
        if self._options.guide != "off" and not self._notes:
            warnings.append("None of your own vowels or blinks was found to go by.")
        if still:
            shapes = "1 shape moves" if len(still) == 1 else f"{len(still)} shapes move"
            names = ", ".join(still[:5]) + (", ..." if len(still) > 5 else "")
            warnings.append(f"{shapes} nothing on this mesh: {names}.")
        landmarks = {mark: list(place) for mark, place in self.landmarks.items()}
        return Outcome(
            name,
            written,
            self.report,
            warnings,
            landmarks=landmarks,
            results=results,
            parts=others,
            still=still,
            poses=[pose.renamed(written.key_of) for pose in poses],
            asked_parts=len(self.parts),
        )


def first_look(
    ob: bpy.types.Object,
    options: Options,
    backend: Backend,
    landmarks: Mapping[str, tuple[float, float, float]],
    patient: bool = True,
) -> Job | None:
    """A job that only finds the face, where that is needed first: where a part lies says what it
    is. None where all parts are known. landmarks: those that are known already. patient: see
    Backend.start.
    """
    if not options.parts or landmarks or all(part.why for part in avatar_parts(ob, {})):
        return None
    return Job(ob, options, backend, patient=patient, locate_only=True)


def generate_for_object(
    ob: bpy.types.Object | None,
    options: Options,
    backend: Backend,
    on_progress: OnProgress | None = None,
) -> Outcome:
    """The whole job, blocking. Raises AddonError; then the objects are as they were."""
    ob = check_editable(ob)
    landmarks = found_landmarks(ob)
    seen = first_look(ob, options, backend, landmarks)
    if seen is not None:
        finish(seen, backend)
        landmarks = seen.landmarks
    job = Job(ob, options, backend, patient=True, landmarks=landmarks)
    finish(job, backend, on_progress)
    return job.write()


def finish(job: Job, backend: Backend, on_progress: OnProgress | None = None) -> None:
    """Wait for the child to be done with a job."""
    while not job.finished:
        job.take(backend.wait(0.5))
        if on_progress is not None:
            on_progress(job.stage, job.fraction)
