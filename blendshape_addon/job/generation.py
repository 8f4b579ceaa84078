# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job inside Blender: gather an avatar, ask the child, write the keys. Modal and
background callers share these steps.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..blender_io import guides, tuned
from ..blender_io.anchors import Surface
from ..blender_io.avatar import gather_avatar, landmarks_of, settled, split
from ..blender_io.findings import BEFORE, Finding, merged
from ..blender_io.generated import attribute_of, made_by_us, remember_request
from ..blender_io.key_writer import Portion, Shape, Written, write_all
from ..blender_io.landmark_store import found_landmarks, keep_landmarks
from ..blender_io.mesh_arrays import base_coordinates
from ..blender_io.mesh_io import AvatarArrays, check_editable
from ..blender_io.modes import object_mode
from ..blender_io.naming import aliases_of, names_for
from ..blender_io.parts import avatar_parts, moving, out_of_reach
from ..blender_io.remembered import Told, remember
from ..errors import AddonError
from ..process.backend_process import Backend, error_of
from ..shared_protocol import Message
from ..translations import tr
from ..typed import keys_of, mesh_of
from .checked import scene_findings
from .tables import Table

REPORTED = frozenset(
    {"warnings", "seconds", "vertices", "face_vertices", "confidence"}
)  # what is used of a report
_POSES = {
    "blink": "Check {a} + {b}: the lids overlap by {share} of the eye's opening",
    "closed mouth": "Check {a} + {b}: a gap of {share} is left between the lips",
    "both sides": "Check {a} + {b}: combined movement is {share} of one side",
}  # by how the child's names of poses begin
LOW = 0.5  # confidence below which a shape is worth a look
OnProgress = Callable[[str, float], None]
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Options:
    """What is asked for. sets: names; table: the user's own keys; strength: factor, regions:
    {region: factor}; group or use_selection: where the face is; parts: move the avatar's other
    objects along; naming: a style of naming.STYLES; alias: also vrc.v_ee; guide: `off`, `size` or
    `shape`, what the user's own keys decide; only_existing: update what is there, add nothing;
    style: sizes of shapes, 0 subtle to 1 bold; turn_eyes: looks turn eyeballs also where bones do.
    only: attributes of the keys that are written, empty for all; plain: without the strengths that
    single keys have.
    """

    sets: tuple[str, ...] = ("arkit",)
    table: Table | None = None
    strength: float = 1.0
    group: str = ""
    use_selection: bool = False
    overwrite: bool = False
    model: str = ""
    regions: Mapping[str, float] = field(default_factory=dict)
    parts: bool = True
    naming: str = "auto"
    alias: bool = False
    guide: str = "off"
    only_existing: bool = False
    style: float = 0.5
    turn_eyes: bool = False
    only: frozenset[str] = frozenset()
    plain: bool = False


@dataclass(frozen=True)
class Result:
    """One shape as it was written. state: added, updated or kept. note: what to know about it, or
    ``. size: its farthest way, units of the world.
    """

    name: str
    state: str
    confidence: float
    note: str
    size: float = 0.0


@dataclass(frozen=True)
class Pose:
    """Shapes that are driven together and do not hold. name: of the kind of pose; keys: names of
    the shapes' keys; value: what was measured; words: the child's sentence.
    """

    name: str
    keys: tuple[str, ...]
    value: float
    words: str

    def said(self) -> str:
        """The sentence in the language of the interface."""
        kind = next((kind for kind in _POSES if self.name.startswith(kind)), "")
        if not kind or len(self.keys) != 2:
            return self.words
        names = dict(zip("ab", self.keys, strict=True))
        return tr(_POSES[kind]).format(share=f"{self.value:.0%}", **names)


@dataclass
class Outcome:
    """What was made. report: the child's, see docs/reference/protocol.md. seconds: by stage, the
    child's stages under `backend`. landmarks: the face's, in object space. results: each shape;
    parts: what became of the shapes on those of the avatar's other objects that got some, by their
    names. still: keys that were made and move nothing on any object. poses: those that do not hold.
    asked_parts: how many other objects were looked at.
    """

    object: str
    written: Written
    report: dict[str, Any]
    warnings: list[str]
    seconds: dict[str, Any] = field(default_factory=dict)
    landmarks: dict[str, list[float]] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    parts: dict[str, Written] = field(default_factory=dict)
    still: list[str] = field(default_factory=list)
    poses: list[Pose] = field(default_factory=list)
    asked_parts: int = 0

    @property
    def made(self) -> int:
        """How many keys were made that move something."""
        return len(self.written.added) + len(self.written.updated) - len(self.still)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """What became of the keys, texts with a place for a number, without those that are 0."""
        added, updated = (
            [name for name in names if name not in self.still]
            for names in (self.written.added, self.written.updated)
        )
        told = (
            ("{count} added", added),
            ("{count} updated", updated),
            ("{count} kept", self.written.kept),
            ("{count} move nothing", self.still),
        )
        return [(text, len(names)) for text, names in told if names]

    @property
    def line(self) -> str:
        """One sentence for the user."""
        counts = (
            ", ".join(text.format(count=count) for text, count in self.counts) or "nothing to do"
        )
        moving_, all_ = self.report["face_vertices"], self.report["vertices"]
        others = f" and {len(self.parts)} parts" if self.parts else ""
        return (
            f"{self.object}{others}: {self.made} shape keys ({counts}) on {moving_:,} of"
            f" {all_:,} vertices"
        )


class Job:
    """One request for one avatar. Holds the objects' identities, not references, because undo may
    replace them between two ticks.
    """

    def __init__(
        self,
        ob: bpy.types.Object | None,
        options: Options,
        backend: Backend,
        patient: bool = False,
        locate_only: bool = False,
        landmarks: Mapping[str, tuple[float, float, float]] | None = None,
        upright: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Gather and send. landmarks: where the face is, by which parts are recognised; without,
        those kept on the object. upright: of a job that only locates, whether a face is looked for
        as the head stands and no other way. seconds: that it may take, see Backend.send.

        Raises AddonError as mesh_io.gather and Backend.start do.
        """
        began = time.perf_counter()
        ob = check_editable(ob)
        marks = landmarks or found_landmarks(ob)
        everything = avatar_parts(ob, marks) if options.parts else []
        self.parts = moving(everything)
        with object_mode(ob, *(part.ob for part in self.parts)):
            mesh, self.targets = gather_avatar(ob, self.parts, options.group, options.use_selection)
        face = self.targets[0]
        vertices = np.asarray(mesh.vertices[: face.size] @ face.back.T, np.float32)
        self.surface = Surface(vertices, mesh.triangles[(mesh.triangles < face.size).all(axis=1)])
        self.stage, self.fraction, self.finished = "start", 0.0, False
        self.name, self.seconds = ob.name, {"gather": time.perf_counter() - began}
        self.landmarks: dict[str, tuple[float, float, float]] = {}
        self.indices: Ints = np.empty(0, np.int32)
        self._options, self._backend = options, backend
        self.findings = merged(
            [
                *scene_findings(ob, everything, out_of_reach(ob, marks) if options.parts else []),
                *mesh.findings,
            ]
        )
        self._warnings: list[str] = []
        self._blocks: list[tuple[list[str], list[float], Floats]] = []
        self._portions: list[Portion] = []
        self._receivers: list[int] = []  # of each portion, its target
        self._named: dict[str, str] = {}
        self._notes: Mapping[str, str] = {}
        self.prepared = False
        self.report: dict[str, Any] = {}
        self._sent = time.perf_counter()
        backend.start(patient)
        self._request = self._send(mesh, locate_only, upright, seconds)

    def _send(
        self, mesh: AvatarArrays, locate_only: bool, upright: bool, seconds: float | None
    ) -> int:
        fields = {**mesh.fields(), "model": self._options.model or None}
        if locate_only:
            fields["upright"] = upright
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

    @property
    def seconds_left(self) -> float | None:
        """An estimate from how far it is; None while there is too little to tell by."""
        elapsed = time.perf_counter() - self._sent
        return (
            elapsed * (1 - self.fraction) / self.fraction
            if self.fraction > 0.08 and not self.finished
            else None
        )

    def take(self, messages: Iterable[Message]) -> None:
        """Take what the child said; `finished` tells whether that was all.

        Raises AddonError: the child's own, and `protocol` for answers that are not as agreed; then
        the child is ended.
        """
        for message in messages:
            if message.header.get("id") != self._request:
                continue  # of a request that was cancelled
            try:
                self._take(message)
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                what = f"The backend's answer is not as agreed ({type(error).__name__}: {error})."
                raise self._backend.fail(
                    AddonError("protocol", what, "Reinstall the extension; the log tells more.")
                ) from error

    def _take(self, message: Message) -> None:
        """Take one answer. Raises AddonError for `error`, and what Python raises for one that is
        malformed.
        """
        header = message.header
        if header["type"] == "progress":
            self.stage, self.fraction = str(header["stage"]), float(header["fraction"])
        elif header["type"] == "face":
            self.indices = message.arrays["indices"].astype(np.int32, copy=False).reshape(-1)
            landmarks = {
                str(name): (float(p[0]), float(p[1]), float(p[2]))
                for name, p in header.get("landmarks", {}).items()
            }
            self.landmarks = landmarks_of(self.targets[0], landmarks)
        elif header["type"] == "shapes":
            names, offsets = (
                [str(name) for name in header["names"]],
                message.arrays["offsets"].astype(np.float32, copy=False),
            )
            sure = [float(c) for c in header.get("confidence", [1.0] * len(names))]
            if offsets.shape != (len(names), len(self.indices), 3) or len(sure) != len(names):
                raise ValueError(
                    f"{len(names)} names for offsets {offsets.shape} of"
                    f" {len(self.indices)} vertices"
                )
            self._blocks.append((names, sure, offsets))
        elif header["type"] == "error":
            raise error_of(message)
        elif header["type"] == "done":
            self.report = {**header["report"]}
            missing = REPORTED - set(self.report)
            if missing:
                raise KeyError(*sorted(missing))
            for each in self.report.get("poses", ()):
                if not {"name", "shapes", "value", "words"} <= each.keys():
                    raise KeyError(*each)
            for each in self.report.get("findings", []):
                self.findings.append(
                    Finding(
                        str(each["code"]),
                        shapes=tuple(map(str, each["shapes"])),
                        told=str(each["words"]),
                    )
                )
            self.finished, self.fraction = True, 1.0
            self.seconds["request"] = time.perf_counter() - self._sent

    def cancel(self) -> None:
        """Give the request up; what the child still says about it is ignored."""
        self._backend.cancel(self._request)
        self._backend.poll()

    def offsets(self) -> tuple[list[str], Floats]:
        """The shapes as they came: names, offsets float32 (N,F,3) of `indices` in the face's
        object's space.
        """
        names = [name for block, _sure, _offsets in self._blocks for name in block]
        offsets = [block for *_, block in self._blocks]
        return names, (
            np.concatenate(offsets) if offsets else np.empty((0, len(self.indices), 3), np.float32)
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

    def prepare(self) -> None:
        """Work out who gets which keys, so that writing them holds nobody up for long. Raises
        AddonError as `write` does.
        """
        objects, (wanted, offsets), asked = self.objects(), self.offsets(), self._options
        with object_mode(*objects):
            self._named = names = self._names(objects[0])
            guided = _NOT_GUIDED
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
                    guided = _guided(ob, share.indices, made, asked.guide == "shape")
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
                shapes = _tuned(ob, shapes, asked)
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
            keep_landmarks(objects[0], self.landmarks, self.surface)
        sizes = _sizes(portions)
        moved = [_moved(portion, done) for portion, done in zip(portions, written, strict=True)]
        others = {
            portion.ob.name: done
            for portion, done, names in zip(portions[1:], written[1:], moved[1:], strict=True)
            if names
        }
        outcome = self._outcome(objects[0].name, written[0], others, sizes, set().union(*moved))
        outcome.seconds = {
            "gather": self.seconds["gather"],
            "request": self.seconds["request"],
            "backend": self.report["seconds"],
        }
        if written[0].added or written[0].updated:
            rows = {
                each.name: Told(each.state, each.confidence, each.note, each.size)
                for each in outcome.results
            }
            remember(objects[0], uuid.uuid4().hex, rows)
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
            for names, confidence, _offsets in self._blocks
            for name, c in zip(names, confidence, strict=True)
        }
        still = [key for key in (*written.added, *written.updated) if key not in moved]
        told = {
            own: (sure[wanted], self._notes.get(wanted, ""), sizes.get(own, 0.0))
            for wanted, own in self._named.items()
        }
        results = _results(written, told, still)
        warnings = [
            *(finding.words for finding in self._told()),
            *self._warnings,
            *self.report["warnings"],
            *written.warnings,
        ]
        if self._options.guide != "off" and not self._notes:
            warnings.append("None of your own vowels or blinks was found to go by.")
        if still:
            warnings.append(
                f"{len(still)} shapes move nothing on this mesh:"
                f" {', '.join(still[:5])}{' ...' if len(still) > 5 else ''}."
            )
        landmarks = {mark: list(place) for mark, place in self.landmarks.items()}
        poses = [
            Pose(
                str(each["name"]),
                tuple(
                    written.key_of(self._named.get(shape, shape))
                    for shape in map(str, each["shapes"])
                ),
                float(each["value"]),
                str(each["words"]),
            )
            for each in self.report.get("poses", ())
        ]
        return Outcome(
            name,
            written,
            self.report,
            warnings,
            landmarks=landmarks,
            results=results,
            parts=others,
            still=still,
            poses=poses,
            asked_parts=len(self.parts),
        )

    def _names(self, face: bpy.types.Object) -> dict[str, str]:
        """Wanted name -> key name, on the face; all objects get the same."""
        key = mesh_of(face).shape_keys
        existing = [] if key is None else [block.name for block in key.key_blocks]
        known = (self._backend.hello or {}).get("names", {})
        result: dict[str, str] = {}
        for block, _sure, _offsets in self._blocks:
            foreign = {
                name for names in known.values() if not set(block) <= set(names) for name in names
            } - set(block)
            used = set(result.values())
            for name, own in names_for(block, self._options.naming, existing, foreign).items():
                result[name] = (
                    name if own in used else own
                )  # two standards may come to one spelling
                used.add(result[name])
        return result


STILL = "moves nothing"


@dataclass(frozen=True)
class _Guided:
    """What the user's keys change. factors: of each generated shape; shapes: those that are the
    user's own; notes: for the user.
    """

    factors: Mapping[str, float]
    shapes: Mapping[str, Floats]
    notes: Mapping[str, str]


_NOT_GUIDED = _Guided({}, {}, {})


def _guided(
    ob: bpy.types.Object, indices: Ints, made: Mapping[str, Floats], shape: bool
) -> _Guided:
    """How the user's own vowels and blinks guide generated shapes, name -> offsets (F,3). shape:
    also take the user's shapes themselves.
    """
    key = mesh_of(ob).shape_keys
    if key is None:
        return _NOT_GUIDED
    base = base_coordinates(ob)
    ours = made_by_us(ob, base)
    own: dict[str, Floats] = {}
    coordinates = np.empty_like(base)
    for block in key.key_blocks:
        if block == key.reference_key or block.name in ours or guides.role_of(block.name) is None:
            continue
        block.points.foreach_get("co", coordinates.reshape(-1))
        own[block.name] = coordinates[indices] - base[indices]
    found = guides.guides(own, made)
    if not found:
        return _NOT_GUIDED
    styled = guides.styles(found, own, made) if shape else {}
    factors = {
        name: factor for name, factor in guides.factors(found, list(made)).items() if factor != 1
    }
    notes = {
        name: f"{factor:.0%} of its size, as in your own keys" for name, factor in factors.items()
    }
    return _Guided(
        factors,
        styled,
        {**dict.fromkeys(found, ""), **notes, **dict.fromkeys(styled, "your own shape")},
    )


def _tuned(ob: bpy.types.Object, shapes: Sequence[Shape], asked: Options) -> list[Shape]:
    """Those that are to be written, with the strengths that their keys have."""
    own = {} if asked.plain else tuned.strengths(ob)
    return [
        replace(shape, strength=own.get(attribute_of(shape.name), 1.0))
        for shape in shapes
        if not asked.only or attribute_of(shape.name) in asked.only
    ]


def _moved(portion: Portion, written: Written) -> set[str]:
    """Names of the keys that were written and move something on this object."""
    return {shape.name for shape in portion.shapes if shape.offsets.any()} & {
        *written.added,
        *written.updated,
    }


def _sizes(portions: Sequence[Portion]) -> dict[str, float]:
    """The farthest way of a vertex by the shape's name, in units of the world. Where an object is
    stretched, that of its longest axis.
    """
    sizes: dict[str, float] = {}
    for portion in portions:
        stretch = float(np.linalg.norm(np.array(portion.ob.matrix_world.to_3x3(), np.float64), 2))
        for shape in portion.shapes:
            squares = np.einsum("ij,ij->i", shape.offsets, shape.offsets)
            size = stretch * shape.strength * float(squares.max(initial=0.0)) ** 0.5
            sizes[shape.name] = max(sizes.get(shape.name, 0.0), size)
    return sizes


def _results(
    written: Written, told: Mapping[str, tuple[float, str, float]], still: Sequence[str]
) -> list[Result]:
    states = {
        name: state for state in ("added", "updated", "kept") for name in getattr(written, state)
    }
    found = []
    for name, (confidence, note, size) in told.items():
        if name not in states:
            continue
        notes = [note] if note else []
        if states[name] == "kept":
            notes.append("kept, because it was made or edited by hand")
        elif name in still:
            notes, confidence = [STILL], 0.0
        elif confidence < LOW:
            notes.append("worth a look")
        found.append(Result(written.key_of(name), states[name], confidence, ", ".join(notes), size))
    return found


def first_look(
    ob: bpy.types.Object,
    options: Options,
    backend: Backend,
    landmarks: Mapping[str, tuple[float, float, float]],
    patient: bool = True,
) -> Job | None:
    """A job that only finds the face, where that is needed first: where a part lies says what it
    is. None where all parts are known.

    landmarks: those that are known already. patient: see Backend.start.
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


def face_confidence(
    ob: bpy.types.Object, options: Options, backend: Backend, upright: bool
) -> float:
    """How sure the child is that the object holds a face, 0 (none was found) to 1. upright: see
    Job. Raises AddonError for all but `no_face`.
    """
    try:
        job = Job(ob, options, backend, patient=True, locate_only=True, upright=upright)
        finish(job, backend)
    except AddonError as error:
        if error.code in ("no_face", "mesh_empty"):
            return 0.0
        raise
    return float(job.report["confidence"])


def finish(job: Job, backend: Backend, on_progress: OnProgress | None = None) -> None:
    """Wait for the child to be done with a job."""
    while not job.finished:
        job.take(backend.wait(0.5))
        if on_progress is not None:
            on_progress(job.stage, job.fraction)


def find(identity: int) -> bpy.types.Object | None:
    """The object of that session identity as it is now; None if it is gone."""
    return next((ob for ob in bpy.data.objects if ob.session_uid == identity), None)
