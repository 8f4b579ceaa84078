# SPDX-License-Identifier: GPL-3.0-or-later
"""What the VRChat check knows of an avatar, as plain data. Imports no bpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SAME = 1e-5  # of a shape's largest movement: two shapes that differ by less are one


@dataclass(frozen=True)
class State:
    """How a key stands. group: the vertex group that masks it; relative: the key that it is
    relative to, "" for the basis; low, high: its slider's range; driven: by a driver or an
    animation.
    """

    value: float = 0.0
    muted: bool = False
    locked: bool = False
    group: str = ""
    relative: str = ""
    low: float = 0.0
    high: float = 1.0
    driven: bool = False


@dataclass(frozen=True)
class Other:
    """Another mesh of the avatar. keys: name -> whether it moves anything. hidden: it is not seen,
    so no export has it. values: keys that are not at
    0. same_mesh: it shares the mesh that is looked at.
    """

    name: str
    keys: Mapping[str, bool] = field(default_factory=dict)
    hidden: bool = False
    values: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    same_mesh: bool = False


@dataclass(frozen=True)
class Avatar:
    """What is looked at. offsets: float32 (V,3) of each key but the reference, by name, in the
    order of the keys.

    sets: exact key names of each known set. bones: roles that the armature has, None without an
    armature. objects: names of all other objects. triangles: of all meshes of the avatar as they
    are exported. extent: the avatar's largest, in the unit of the offsets. states: of the keys;
    others: the avatar's other meshes; armatures: names of all that exported meshes hang on; hidden:
    the mesh is not seen; absolute: its keys are; pinned: the only key that is shown, or "".
    """

    name: str
    offsets: Mapping[str, Floats]
    sets: Mapping[str, Sequence[str]]
    bones: frozenset[str] | None = None
    objects: frozenset[str] = frozenset()
    triangles: int = 0
    extent: float = 1.0
    states: Mapping[str, State] = field(default_factory=dict)
    modifiers: tuple[str, ...] = ()
    others: tuple[Other, ...] = ()
    armatures: tuple[str, ...] = ()
    hidden: bool = False
    absolute: bool = False
    pinned: str = ""


def same_shape(first: Floats, second: Floats) -> bool:
    largest = float(np.abs(first).max(initial=0.0))
    return float(np.abs(first - second).max(initial=0.0)) <= SAME * largest
