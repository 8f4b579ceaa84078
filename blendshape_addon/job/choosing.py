# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object of a file holds the face: the one that is named, else the one of which the child is
surest.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..blender_io.as_seen import visible
from ..blender_io.mesh_io import check_editable
from ..errors import AddonError
from ..process.backend_process import Backend
from ..typed import mesh_of
from .generation import Job, finish
from .options import Options

NAMES = (
    "face",
    "head",
    "body",
    "kao",
    "atama",
    "顔",
    "頭",
)  # parts of names of objects that are looked at first

CERTAIN = 0.99  # confidence in a face after which no other object is looked at

# First a glance at each: eight parts without a face cost 1.5 s of processor so, with a search each
# 8.7 (docs/experiments/engine.md).
EFFORTS = ("glance", "upright", "full")

# below which faces are sought in every direction: less than this is only believed where head
# weights say so
ENOUGH = 0.6


def choose(name: str, wanted: Options, backend: Backend) -> tuple[bpy.types.Object, str]:
    """The object to work on, and why it: "name", "only mesh" or "face". Raises AddonError:
    `unknown_object`, `not_a_mesh`, `no_face`.
    """
    if name:
        ob = bpy.data.objects.get(name)
        if ob is None:
            there = (
                ", ".join(other.name for other in bpy.data.objects if other.type == "MESH")
                or "none"
            )
            raise AddonError(
                "unknown_object",
                f"There is no object {name!r}.",
                f"Mesh objects of this file: {there}.",
            )
        return check_editable(ob), "name"
    bpy.context.view_layer.update()
    meshes = [
        ob for ob in bpy.context.scene.objects if ob.type == "MESH" and len(mesh_of(ob).vertices)
    ]
    if not meshes:
        raise AddonError(
            "not_a_mesh",
            "The file has no mesh with vertices.",
            "Choose a file that holds the avatar's mesh.",
        )
    hidden = len(meshes)
    meshes = [ob for ob in meshes if visible(ob)]
    if not meshes:
        raise AddonError(
            "not_a_mesh",
            f"All {hidden} mesh objects of the file are hidden.",
            "Show the avatar, or name its object with --object.",
        )
    if len(meshes) == 1:
        return check_editable(meshes[0]), "only mesh"
    editable = [
        ob for ob in meshes if mesh_of(ob).is_editable and mesh_of(ob).override_library is None
    ]
    if not editable:
        return check_editable(meshes[0]), "only mesh"
    confidence, best = 0.0, ""
    for effort in EFFORTS:
        if confidence < ENOUGH:
            confidence, best = _surest(editable, wanted, backend, effort)
    if confidence <= 0:
        message = f"No face was found in any of the {len(editable)} mesh objects."
        raise AddonError(
            "no_face",
            message,
            "Name the object with --object, and if need be a vertex group around the face with"
            " --group.",
        )
    return bpy.data.objects[best], "face"


def _surest(
    meshes: Sequence[bpy.types.Object], wanted: Options, backend: Backend, effort: str
) -> tuple[float, str]:
    """Confidence and name of the mesh object that holds a face most surely, the likeliest first and
    none after one that is certain.
    """
    best = (0.0, "")
    for ob in sorted(meshes, key=lambda ob: not any(word in ob.name.lower() for word in NAMES)):
        best = max(
            best, (_confidence(ob, wanted, backend, effort), ob.name), key=lambda pair: pair[0]
        )
        if best[0] > CERTAIN:
            break
    return best


def _confidence(ob: bpy.types.Object, wanted: Options, backend: Backend, effort: str) -> float:
    """How sure the child is of a face; 0 also for meshes that cannot be worked on or lack the
    vertex group that was named.
    """
    try:
        return face_confidence(ob, wanted, backend, effort)
    except AddonError as error:
        if error.code in ("unknown_group", "mesh_invalid", "mesh_not_finite"):
            return 0.0
        raise


def face_confidence(ob: bpy.types.Object, options: Options, backend: Backend, effort: str) -> float:
    """How sure the child is that the object holds a face, 0 (none was found) to 1. effort: see
    Job. Raises AddonError for all but `no_face`.
    """
    try:
        job = Job(ob, options, backend, patient=True, locate_only=True, effort=effort)
        finish(job, backend)
    except AddonError as error:
        if error.code in ("no_face", "mesh_empty"):
            return 0.0
        raise
    return float(job.report["confidence"])
