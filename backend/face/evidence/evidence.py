# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh' file says beside its shape: materials, bones, vertex groups and objects with their
names, as plain arrays, and what each vertex is by them. Hints, never commands: names lie, and every
one of them may be absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ..params.evidence import BONES, NAME_LIMITS
from .names import CLASSES, FACIAL, number_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

KINDS = ("materials", "bones", "groups", "objects")
INDICES = {
    "triangle_materials": "materials",
    "vertex_bones": "bones",
    "vertex_groups": "groups",
    "vertex_objects": "objects",
}
HANGING = ("hair", "accessory")


@dataclass(frozen=True)
class Evidence:
    """triangle_materials: int32 (T,), the material of each triangle. vertex_bones: int32 (V,), the
    bone that skins each vertex most. vertex_groups: int32 (V,), the group that is no bone's, and
    whose name tells something, in which it is most. vertex_objects: int32 (V,), which object it
    came from. All are places among the names, -1 for none, and None where there is nothing.

    materials, bones, groups, objects: names. transparent: int32 (M,), 1 for a material that lets
    light through. bone_parents: int32 (B,), -1 for none; bone_places: float32 (B,3), where bones
    begin at rest, in object space.
    """

    triangle_materials: Ints | None = None
    vertex_bones: Ints | None = None
    vertex_groups: Ints | None = None
    vertex_objects: Ints | None = None
    materials: tuple[str, ...] = ()
    bones: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    transparent: Ints | None = None
    bone_parents: Ints | None = None
    bone_places: Floats | None = None

    def of(self, vertices: Flags, triangles: Flags) -> Evidence:
        """The same of some vertices and triangles of the mesh.

        Args:
            vertices: bool (V,)
            triangles: bool (T,)
        """
        own: dict[str, Any] = {}
        for name in INDICES:
            values = getattr(self, name)
            own[name] = (
                None
                if values is None
                else values[triangles if name == "triangle_materials" else vertices]
            )
        return replace(self, **own)


ARRAYS: Mapping[str, type[np.int32] | type[np.float32]] = {
    **dict.fromkeys((*INDICES, "transparent", "bone_parents"), np.int32),
    "bone_places": np.float32,
}  # that travel, by their type


def evidence_of(names: object, arrays: Mapping[str, NDArray[Any]]) -> Evidence | None:
    """The evidence of a request; None where there is none. `check` looks at sizes. Raises
    BackendError `protocol` for what has another form.

    Args:
        names: an object with lists of names by KINDS
        arrays: those of the request, of which ARRAYS are read
    """
    if names is not None and (not isinstance(names, dict) or not set(names) <= set(KINDS)):
        raise BackendError(
            "protocol",
            f"evidence must be an object with the lists {', '.join(KINDS)}.",
            "Leave out lists that are not there.",
        )
    own: dict[str, Any] = {kind: _names(kind, values) for kind, values in (names or {}).items()}
    for name, kind in ARRAYS.items():
        array = arrays.get(name)
        if array is not None and array.dtype != kind:
            raise BackendError(
                "protocol",
                f"The array {name} is {array.dtype}, not {np.dtype(kind).name}.",
                "Send it in that type.",
            )
        if array is not None:
            own[name] = array
    return Evidence(**own) if own else None


def _names(kind: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BackendError(
            "protocol", f"{kind} must be a list of names.", 'Send for example ["Face", "Hair"].'
        )
    if len(values) > NAME_LIMITS.most:
        raise BackendError(
            "protocol",
            f"There are {len(values)} {kind}, and {NAME_LIMITS.most} are the most.",
            "Send fewer names, and -1 for the others.",
        )
    return tuple(value[: NAME_LIMITS.longest] for value in values)


def check(evidence: Evidence, vertices: int, triangles: int) -> None:
    """Raise BackendError `mesh_invalid` unless the arrays fit a mesh of so many vertices and
    triangles, and point at names that are there.
    """
    bones = len(evidence.bones)
    sizes: dict[str, tuple[int, ...]] = dict.fromkeys(INDICES, (vertices,))
    sizes |= {
        "triangle_materials": (triangles,),
        "transparent": (len(evidence.materials),),
        "bone_parents": (bones,),
        "bone_places": (bones, 3),
    }
    for name, shape in sizes.items():
        values = getattr(evidence, name)
        if values is None:
            continue
        if values.shape != shape:
            raise BackendError(
                "mesh_invalid",
                f"{name} must have the shape {shape}, not {values.shape}.",
                "Send it in that shape, or leave it out.",
            )
        named = INDICES.get(name, "bones" if name == "bone_parents" else "")
        if (
            named
            and len(values)
            and not -1 <= values.min() <= values.max() < max(len(getattr(evidence, named)), 0)
        ):
            raise BackendError(
                "mesh_invalid",
                f"{name} points at one of the {named} that does not exist.",
                "Send -1 where there is none.",
            )


def bone_classes(evidence: Evidence) -> Ints:
    """The class int32 (B,), a place in CLASSES, of each bone: by its name, else that of the bone
    above it where that is hair or worn; and two bones that stand alone and mirror each other below
    the head's are its eyes.
    """
    found = np.array([number_of(name) for name in evidence.bones], np.int32)
    if evidence.bone_parents is None or not len(found):
        return found
    parents, hanging = evidence.bone_parents, [CLASSES.index(name) for name in HANGING]
    for bone in _downwards(parents):
        above = parents[bone]
        if above >= 0 and found[bone] == 0 and found[above] in hanging:
            found[bone] = found[above]
    alone = np.flatnonzero(
        (found == 0)
        & _below_head(found, parents)
        & (np.bincount(parents + 1, minlength=len(parents) + 1)[1:] == 0)
    )
    if len(alone) == 2 and evidence.bone_places is not None:
        apart = np.sort(np.abs(np.subtract(*evidence.bone_places[alone].astype(np.float64))))
        if np.isfinite(apart).all() and apart[2] > 0 and apart[1] < BONES.mirrored * apart[2]:
            found[alone] = CLASSES.index("eye")
    return found


def turned_by_bones(evidence: Evidence | None, count: int) -> Flags:
    """Which of `count` vertices (V,) bones of eyes skin most."""
    if evidence is None:
        return np.zeros(count, bool)
    eyes = bone_classes(evidence) == CLASSES.index("eye")
    return np.asarray(_looked_up(evidence.vertex_bones, eyes.astype(np.int32), count) > 0)


def hanging_bones(evidence: Evidence, found: Ints) -> Flags:
    """Which bones (B,) of no telling name are of a chain below the head's, as only hair and what is
    worn need one.

    Args:
        evidence: with the bones' parents
        found: int32 (B,), of `bone_classes`
    """
    parents = evidence.bone_parents
    if parents is None or not len(found):
        return np.zeros(len(found), bool)
    nameless = found == 0
    length = np.zeros(len(found), np.int32)  # of nameless bones from below the head's to here
    order = _downwards(parents)
    for bone in order:
        above = parents[bone]
        if nameless[bone] and above >= 0:
            starts = found[above] == CLASSES.index("head")
            length[bone] = 1 if starts else length[above] + 1 if length[above] else 0
    longest = length.copy()
    for bone in order[::-1]:
        if length[bone] > 1:
            longest[parents[bone]] = max(longest[parents[bone]], longest[bone])
    return np.asarray((length > 0) & (longest >= BONES.chain))


def _below_head(found: Ints, parents: Ints) -> Flags:
    """Bones (B,) that hang on one of the head's class."""
    return np.asarray((parents >= 0) & (found[np.maximum(parents, 0)] == CLASSES.index("head")))


def _downwards(parents: Ints) -> list[int]:
    """All bones that hang on a root, each after the one above it; bones in a ring are left out, as
    a file may hold them.
    """
    below: dict[int, list[int]] = {}
    for bone, above in enumerate(parents.tolist()):
        below.setdefault(above, []).append(bone)
    order = list(below.get(-1, ()))
    for bone in order:
        order.extend(below.get(bone, ()))
    return order


@dataclass(frozen=True)
class Classes:
    """What each source says that each vertex is, int32 (V,), places in CLASSES, 0 where it says
    nothing. hanging: flags (V,), skinned to bones of `hanging_bones`.
    """

    material: Ints
    bone: Ints
    group: Ints
    thing: Ints
    hanging: Flags


def classes_of(evidence: Evidence, triangles: Ints, count: int) -> Classes:
    """The Classes of a mesh. A vertex is of a material of hair or of what is worn if all of its
    triangles are.

    Args:
        evidence: what names say
        triangles: int32 (T,3)
        count: of vertices
    """
    bones = bone_classes(evidence)
    hanging = (
        _looked_up(evidence.vertex_bones, hanging_bones(evidence, bones).astype(np.int32), count)
        > 0
    )
    material = np.zeros(count, np.int32)
    if evidence.triangle_materials is not None:
        of = _looked_up(evidence.triangle_materials, _numbers(evidence.materials), len(triangles))
        loose = np.isin(of, [CLASSES.index(name) for name in HANGING])
        for some in (loose, ~loose):  # what is assigned last counts
            material[triangles[some].ravel()] = np.repeat(of[some], 3)
    return Classes(
        material,
        _looked_up(evidence.vertex_bones, bones, count),
        _looked_up(evidence.vertex_groups, _numbers(evidence.groups, True), count),
        _looked_up(evidence.vertex_objects, _numbers(evidence.objects), count),
        hanging,
    )


def _numbers(names: tuple[str, ...], group: bool = False) -> Ints:
    return np.array([number_of(name, group) for name in names], np.int32)


def _looked_up(places: Ints | None, values: Ints, count: int) -> Ints:
    """values (N,) at places (count,), 0 for -1 and where there are none."""
    if places is None or not len(values):
        return np.zeros(count, np.int32)
    return np.asarray(np.where(places >= 0, values[np.maximum(places, 0)], 0), np.int32)


def worn_or_hair(classes: Classes) -> Flags:
    """Vertices (V,) that are hair or worn by what a name says, and no part of a face by what
    another one says: brows and lashes are often of the hair's material, and a beard in the hair's
    colour hangs on the jaw.
    """
    hanging, facial = ([CLASSES.index(name) for name in names] for names in (HANGING, FACIAL))
    of_bone, of_group, of_material, of_thing = (
        np.isin(source, hanging)
        for source in (classes.bone, classes.group, classes.material, classes.thing)
    )
    of_thing &= classes.material != CLASSES.index("skin")  # the scalp below
    against = classes.bone == CLASSES.index("jaw")
    for source in (classes.bone, classes.group, classes.material, classes.thing):
        against |= np.isin(source, facial)
    return np.asarray((of_bone | of_group | of_material | of_thing) & ~against)
