# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job has made: each shape, how far it moves, what to know about it, and poses that do not
hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ..blender_io.key_writer import Portion, Written
from ..translations import tr

_POSES = {
    "blink": "Check {a} + {b}: the lids overlap by {share} of the eye's opening",
    "closed mouth": "Check {a} + {b}: a gap of {share} is left between the lips",
    "both sides": "Check {a} + {b}: combined movement is {share} of one side",
}  # by how the child's names of poses begin
NOTES = {
    "blink": "lids overlap",
    "closed mouth": "lips stay apart",
    "both sides": "doubles with its other side",
}
LOW = 0.5  # confidence below which a shape is worth a look
STILL = "moves nothing"
WEAK = "weak"
# Of the distance of the outer corners of the eyes: movements below are not seen, for shapes that
# go far on any face, and for all others
_FAR = ("smile", "jawopen", "funnel", "pucker", "v_aa", "v_oh", "v_ou")
_LARGE, _SMALL = 0.025, 0.004


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

    @property
    def note(self) -> str:
        """What each of its shapes has to be known for, in the list of results."""
        return next((note for kind, note in NOTES.items() if self.name.startswith(kind)), "")

    def renamed(self, key_of: Callable[[str], str]) -> Pose:
        """The same with the names that its keys go by."""
        return replace(self, keys=tuple(map(key_of, self.keys)))


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


def poses_of(told: Iterable[Mapping[str, Any]], named: Mapping[str, str]) -> list[Pose]:
    """The poses that the child's report warns of. named: shape -> its key's name."""
    return [
        Pose(
            str(each["name"]),
            tuple(named.get(shape, shape) for shape in map(str, each["shapes"])),
            float(each["value"]),
            str(each["words"]),
        )
        for each in told
    ]


def width_of(
    face: bpy.types.Object | None, landmarks: Mapping[str, tuple[float, float, float]]
) -> float:
    """The distance of the outer corners of the eyes, in units of the world; 0 where that is not
    known. landmarks: in the object's space.
    """
    corners = [landmarks.get(f"eye_outer_{side}") for side in ("left", "right")]
    if face is None or None in corners:
        return 0.0
    left, right = (face.matrix_world @ Vector(corner) for corner in corners if corner)
    return float((left - right).length)


def moved_keys(portion: Portion, written: Written) -> set[str]:
    """Names of the keys that were written and move something on this object."""
    return {shape.name for shape in portion.shapes if shape.offsets.any()} & {
        *written.added,
        *written.updated,
    }


def sizes_of(portions: Sequence[Portion]) -> dict[str, float]:
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


@dataclass(frozen=True)
class Made:
    """A shape as it came. confidence: 0 to 1; size: its farthest way, units of the world."""

    confidence: float
    size: float
    notes: list[str]


def results_of(
    written: Written, told: Mapping[str, Made], still: Sequence[str], unit: float
) -> list[Result]:
    """Each shape as it was written, with what to know about it. unit: the distance of the outer
    corners of the eyes in the world, 0 where it is not known.
    """
    states = {
        name: state for state in ("added", "updated", "kept") for name in getattr(written, state)
    }
    found = []
    for name, made in told.items():
        if name not in states:
            continue
        notes, confidence, size = list(made.notes), made.confidence, made.size
        if states[name] == "kept":
            notes.append("kept, because it was made or edited by hand")
        elif name in still:
            notes, confidence = [STILL], 0.0
        else:
            if size < unit * (_LARGE if any(word in name.lower() for word in _FAR) else _SMALL):
                notes.append(WEAK)
            if confidence < LOW:
                notes.append("worth a look")
        found.append(Result(written.key_of(name), states[name], confidence, ", ".join(notes), size))
    return found
